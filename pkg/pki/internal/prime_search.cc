#include "pkg/pki/internal/prime_search.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "pkg/base/check.h"

namespace calico::pki::internal {
namespace {

// Where one more small prime costs as much as it saves in exponentiations: these grow with the cube
// of the size, dividing only linearly.
uint32_t SieveBound(int bits) {
  if (bits <= 1024) return 1U << 16;
  return bits <= 2048 ? 1U << 20 : 1U << 22;
}

std::vector<uint32_t> OddPrimesBelow(uint32_t bound) {
  std::vector<bool> composite(bound / 2);  // index i stands for 2i + 1
  std::vector<uint32_t> primes;
  for (uint64_t i = 1; i < composite.size(); ++i) {
    if (composite[i]) continue;
    const uint64_t prime = 2 * i + 1;
    primes.push_back(static_cast<uint32_t>(prime));
    for (uint64_t j = 2 * i * (i + 1); j < composite.size(); j += prime) composite[j] = true;
  }
  return primes;
}

BnPtr NewSecret() {
  BnPtr number(BN_secure_new());
  if (number != nullptr) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

// Uniform in [0, bound), from the generator for secrets.
bool RandomBelow(uint32_t bound, uint32_t& value) {
  const uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
  do {
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(&value), sizeof(value)) != 1) return false;
  } while (value >= limit);
  value %= bound;
  return true;
}

}  // namespace

PrimeSearch::Candidate::Candidate()
    : n(NewSecret()),
      minus_one(NewSecret()),
      odd_part(NewSecret()),
      base(NewSecret()),
      power(NewSecret()),
      mont(BN_MONT_CTX_new()) {}

bool PrimeSearch::Candidate::ok() const {
  return n && minus_one && odd_part && base && power && mont;
}

bool PrimeSearch::Candidate::Load(const BIGNUM* value, BN_CTX* ctx) {
  if (BN_copy(n.get(), value) == nullptr) return false;
  if (BN_copy(minus_one.get(), value) == nullptr || !BN_sub_word(minus_one.get(), 1)) return false;
  for (twos = 1; !BN_is_bit_set(minus_one.get(), twos); ++twos) {
  }
  return BN_rshift(odd_part.get(), minus_one.get(), twos) &&
         BN_MONT_CTX_set(mont.get(), n.get(), ctx);
}

PrimeSearch::PrimeSearch(int bits, uint32_t exponent)
    : bits_(bits),
      exponent_(exponent),
      small_primes_(OddPrimesBelow(SieveBound(bits))),
      ctx_(BN_CTX_secure_new()),
      start_(NewSecret()) {
  CALICO_CHECK(bits == 1024 || bits == 2048 || bits == 4096);
  CALICO_CHECK(exponent % 2 == 1);
}

bool PrimeSearch::DrawStart() {
  // floor(sqrt(2) * 2^63): a start whose first 64 bits exceed it is in range. The one value that
  // equals it would be too in part; it is left out.
  constexpr BN_ULONG kSqrtTwo = 0xB504F333F9DE6484ULL;
  const BnPtr top = NewSecret();
  const BnPtr end = NewSecret();
  if (top == nullptr || end == nullptr) return false;
  for (;;) {
    if (!BN_priv_rand(start_.get(), bits_, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD)) return false;
    if (!BN_rshift(top.get(), start_.get(), bits_ - 64)) return false;
    if (BN_get_word(top.get()) <= kSqrtTwo) continue;
    if (BN_copy(end.get(), start_.get()) == nullptr || !BN_add_word(end.get(), 2UL * kWindow)) {
      return false;
    }
    if (BN_num_bits(end.get()) == bits_) return true;
  }
}

bool PrimeSearch::SieveWindow() {
  std::vector<uint8_t> composite(kWindow);
  for (size_t i = 0; i < small_primes_.size();) {
    // One long division for as many primes as fit into a word together.
    BN_ULONG product = 1;
    size_t end = i;
    while (end < small_primes_.size() && product <= UINT64_MAX / small_primes_[end]) {
      product *= small_primes_[end++];
    }
    const BN_ULONG remainder = BN_mod_word(start_.get(), product);
    if (remainder == static_cast<BN_ULONG>(-1)) return false;
    for (; i < end; ++i) {
      const uint32_t prime = small_primes_[i];
      // The smallest j with start + 2j divisible by `prime`.
      uint32_t j = prime - static_cast<uint32_t>(remainder % prime);
      if (j == prime) j = 0;
      j = j % 2 == 0 ? j / 2 : (j + prime) / 2;
      for (; j < kWindow; j += prime) composite[j] = 1;
    }
  }
  survivors_.clear();
  for (uint32_t j = 0; j < kWindow; ++j) {
    if (composite[j] == 0) survivors_.push_back(j);
  }
  OPENSSL_cleanse(composite.data(), composite.size());
  return true;
}

bool PrimeSearch::TakeSurvivor(BIGNUM* number) {
  uint32_t index = 0;
  if (!RandomBelow(static_cast<uint32_t>(survivors_.size()), index)) return false;
  const uint32_t offset = survivors_[index];
  survivors_[index] = survivors_.back();
  survivors_.pop_back();
  return BN_copy(number, start_.get()) != nullptr && BN_add_word(number, 2UL * offset);
}

bool PrimeSearch::DrawBase(Candidate& candidate) {
  // [2, n-2], FIPS 186-5 B.3.1 step 4.
  do {
    if (!BN_priv_rand_range(candidate.base.get(), candidate.minus_one.get())) return false;
  } while (BN_is_zero(candidate.base.get()) || BN_is_one(candidate.base.get()));
  return true;
}

PrimeSearch::Verdict PrimeSearch::Judge(Candidate& candidate) {
  BIGNUM* power = candidate.power.get();
  if (BN_is_one(power)) return Verdict::kProbablyPrime;
  for (int i = 0; i < candidate.twos; ++i) {
    if (BN_cmp(power, candidate.minus_one.get()) == 0) return Verdict::kProbablyPrime;
    if (!BN_mod_sqr(power, power, candidate.n.get(), ctx_.get())) return Verdict::kError;
  }
  return Verdict::kComposite;
}

bool PrimeSearch::RunRound(Candidate& a, Candidate& b, Verdict& verdict_a, Verdict& verdict_b) {
  if (!DrawBase(a) || !DrawBase(b)) return false;
  // Two at once: nearly three times as fast where the CPU has AVX-512 IFMA, no slower elsewhere.
  if (!BN_mod_exp_mont_consttime_x2(a.power.get(), a.base.get(), a.odd_part.get(), a.n.get(),
                                    a.mont.get(), b.power.get(), b.base.get(), b.odd_part.get(),
                                    b.n.get(), b.mont.get(), ctx_.get())) {
    return false;
  }
  verdict_a = Judge(a);
  verdict_b = Judge(b);
  return verdict_a != Verdict::kError && verdict_b != Verdict::kError;
}

PrimeSearch::Verdict PrimeSearch::Confirm(const BIGNUM* number) {
  Candidate once, again;
  if (!once.ok() || !again.ok() || !once.Load(number, ctx_.get()) ||
      !again.Load(number, ctx_.get())) {
    return Verdict::kError;
  }
  for (int round = 1; round < kRounds; round += 2) {
    Verdict a, b;
    if (!RunRound(once, again, a, b)) return Verdict::kError;
    if (a == Verdict::kComposite || b == Verdict::kComposite) return Verdict::kComposite;
  }
  return Verdict::kProbablyPrime;
}

BnPtr PrimeSearch::SearchWindow(Verdict& verdict) {
  verdict = Verdict::kError;
  const BnPtr number = NewSecret();
  if (number == nullptr || !DrawStart() || !SieveWindow()) return nullptr;
  while (survivors_.size() >= 2) {
    for (Candidate* candidate : {&first_, &second_}) {
      if (!TakeSurvivor(number.get()) || !candidate->Load(number.get(), ctx_.get())) return nullptr;
    }
    Verdict verdicts[2];
    if (!RunRound(first_, second_, verdicts[0], verdicts[1])) return nullptr;
    for (int i = 0; i < 2; ++i) {
      if (verdicts[i] == Verdict::kComposite) continue;
      BnPtr& found = (i == 0 ? first_ : second_).n;
      // gcd(p - 1, e) = 1, e being prime.
      if (BN_mod_word(found.get(), exponent_) == 1) continue;
      verdict = Confirm(found.get());
      if (verdict == Verdict::kComposite) continue;
      return verdict == Verdict::kError ? nullptr : BnPtr(BN_dup(found.get()));
    }
  }
  verdict = Verdict::kComposite;
  return nullptr;
}

BnPtr PrimeSearch::Find() {
  if (!ctx_ || !start_ || !first_.ok() || !second_.ok()) return nullptr;
  Verdict verdict = Verdict::kComposite;
  BnPtr prime;
  while (prime == nullptr && verdict == Verdict::kComposite) prime = SearchWindow(verdict);
  survivors_.resize(survivors_.capacity());  // those taken out, too
  OPENSSL_cleanse(survivors_.data(), survivors_.size() * sizeof(uint32_t));
  survivors_.clear();
  if (prime != nullptr) BN_set_flags(prime.get(), BN_FLG_CONSTTIME);
  return prime;
}

}  // namespace calico::pki::internal
