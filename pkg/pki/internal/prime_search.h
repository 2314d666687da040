// Random primes for RSA, by FIPS 186-5 A.1.3 with a sieve in front of the Miller-Rabin test.
//
// Why not EVP_RSA_gen: OpenSSL 3.0 sieves candidates with 128 primes only and then runs 64 (128
// above 2048 bits) Miller-Rabin rounds on each prime it keeps, a number meant for inputs that an
// adversary chose. For a random candidate a handful of rounds gives the same assurance.
//
// How a prime of k bits is found
//  1. Draw X uniformly from the odd numbers in [sqrt(2) * 2^(k-1), 2^k) with BN_priv_rand, as A.1.3
//     step 4 wants; so the product of two such primes has exactly 2k bits.
//  2. Sieve the window X, X+2, ..., X+2*(kWindow-1) with all primes below a bound.
//  3. Test what is left in random order; the first that passes is the prime. A window holds 45 (k =
//     4096) to 180 (k = 1024) primes on average; if it holds none, start again.
//
// Why that is sound
//  - Distribution. A.1.3 draws afresh for each candidate; we draw afresh for each window and take a
//    random survivor. A prime P comes out with probability (sum over the windows W that hold it)
//    1 / (windows * primes in W). The number of primes in a window of this size varies by about
//    1/sqrt(180) to 1/sqrt(45) around its mean, so the probability of every P is that of a uniform
//    choice within some tens of percent: a loss below one bit of some k of them. This is not the
//    usual incremental search (first prime after X: Brandt, Damgard, "On generation of probable
//    primes by incremental search", CRYPTO '92), which prefers primes after long gaps; even that
//    one is known to be safe. p and q come from independent windows.
//  - Error. A candidate taken at random from a random window is a random odd number without small
//    factors, which is what the bound of Damgard, Landrock, Pomerance ("Average case error
//    estimates for the strong probable prime test", Math. Comp. 61, 1993) is about: the chance that
//    a number accepted after t rounds is composite is p(k,t) < k^1.5 * 2^t * t^-0.5 * 4^(2 -
//    sqrt(t*k)). With t = 7 rounds, random bases: p(1024,7) < 2^-144, p(2048,7) < 2^-213, p(4096,7)
//    < 2^-311. The upper part of the range instead of all of it costs a factor below 2; candidates
//    of one window are dependent, so we allow another 2^8 (the union bound over the candidates
//    tested). What is left is below 2^-135; FIPS 186-5 table B.1 asks for 5 rounds (2^-112) at 1024
//    bits and 4 rounds (2^-144) at 2048, without a Lucas test, which therefore is not needed here
//    either.
//  - Secrets. Candidates live in BN_secure memory, flagged BN_FLG_CONSTTIME, and are cleared;
//    exponentiation is BN_mod_exp_mont_consttime(_x2). As in OpenSSL's own generator, division by
//    small primes and the sieve are not constant time: which primes divide rejected neighbours can
//    be guessed only by someone who watches this core's cache during the one millisecond of its
//    run.
//
// Threading: one object per thread. A search takes CPU time: tens of ms at 1024 bits, seconds at
// 4096.
#ifndef CALICO_PKG_PKI_INTERNAL_PRIME_SEARCH_H_
#define CALICO_PKG_PKI_INTERNAL_PRIME_SEARCH_H_

#include <cstdint>
#include <vector>

#include "pkg/pki/internal/openssl_ptr.h"

namespace calico::pki::internal {

class PrimeSearch {
 public:
  static constexpr uint32_t kWindow = 1 << 16;  // odd numbers per window
  static constexpr int kRounds = 7;             // odd: one with the search, then pairs

  // Requires: `bits` is 1024, 2048 or 4096; `exponent` is an odd prime.
  PrimeSearch(int bits, uint32_t exponent);

  // A prime of `bits` bits, not smaller than sqrt(2) * 2^(bits-1), with gcd(prime - 1, exponent)
  // = 1. Null when the library fails (no randomness, no memory), with the reason in its error
  // queue.
  BnPtr Find();

 private:
  // A number under test and what one Miller-Rabin round needs. All BIGNUMs are secure.
  struct Candidate {
    Candidate();
    bool ok() const;
    // Requires: `value` is odd and greater than 3.
    bool Load(const BIGNUM* value, BN_CTX* ctx);

    BnPtr n, minus_one, odd_part, base, power;
    BnMontCtxPtr mont;
    int twos = 0;  // minus_one == odd_part << twos
  };
  enum class Verdict { kProbablyPrime, kComposite, kError };

  bool DrawStart();
  bool SieveWindow();
  // Takes a random survivor out of survivors_ and writes its number.
  bool TakeSurvivor(BIGNUM* number);
  // One round for both numbers, each with its own random base.
  bool RunRound(Candidate& a, Candidate& b, Verdict& verdict_a, Verdict& verdict_b);
  bool DrawBase(Candidate& candidate);
  Verdict Judge(Candidate& candidate);
  // The rounds that a survivor of the search's own round still needs.
  Verdict Confirm(const BIGNUM* number);
  // Searches one window. Null and kError, or null and kComposite (no prime in it), or a prime.
  BnPtr SearchWindow(Verdict& verdict);

  const int bits_;
  const uint32_t exponent_;
  std::vector<uint32_t> small_primes_;  // odd ones
  BnCtxPtr ctx_;
  BnPtr start_;
  std::vector<uint32_t> survivors_;  // offsets in odd numbers from start_
  Candidate first_, second_;
};

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_PRIME_SEARCH_H_
