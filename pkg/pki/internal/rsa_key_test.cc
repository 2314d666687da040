#include "pkg/pki/internal/rsa_key.h"

#include <set>
#include <string>

#include <openssl/core_names.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/internal/openssl_ptr.h"

namespace calico::pki::internal {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

TEST(GenerateRsaKeyTest, MeetsFips186) {
  std::set<std::string> moduli;
  for (int i = 0; i < 25; ++i) {
    const absl::StatusOr<EvpPkeyPtr> key = GenerateRsaKey(2048);
    ASSERT_THAT(key, IsOk());
    const absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key->get());
    ASSERT_THAT(numbers, IsOk());
    EXPECT_EQ(BN_num_bits(numbers->n.get()), 2048);
    EXPECT_TRUE(BN_is_word(numbers->e.get(), 65537));
    EXPECT_EQ(BN_num_bits(numbers->p.get()), 1024);
    EXPECT_EQ(BN_num_bits(numbers->q.get()), 1024);
    EXPECT_GT(BN_cmp(numbers->p.get(), numbers->q.get()), 0);
    const BnPtr distance(BN_new());
    ASSERT_TRUE(BN_sub(distance.get(), numbers->p.get(), numbers->q.get()));
    EXPECT_GT(BN_num_bits(distance.get()), 1024 - 100);
    EXPECT_GT(BN_num_bits(numbers->d.get()), 1024);
    EXPECT_THAT(CheckRsaNumbers(*numbers), IsOk());
    const OpensslStringPtr hex(BN_bn2hex(numbers->n.get()));
    EXPECT_TRUE(moduli.insert(hex.get()).second);
  }
}

// The library's full check: primality of both factors with 64 rounds, and all relations.
TEST(GenerateRsaKeyTest, PassesTheLibrarysCheck) {
  for (const int bits : {2048, 2048, 2048, 4096}) {
    const absl::StatusOr<EvpPkeyPtr> key = GenerateRsaKey(bits);
    ASSERT_THAT(key, IsOk());
    const EvpPkeyCtxPtr ctx(EVP_PKEY_CTX_new(key->get(), nullptr));
    EXPECT_EQ(EVP_PKEY_check(ctx.get()), 1);
    EXPECT_EQ(EVP_PKEY_get_bits(key->get()), bits);
  }
}

TEST(CheckRsaNumbersTest, FindsEveryWrongNumber) {
  const absl::StatusOr<EvpPkeyPtr> key = GenerateRsaKey(2048);
  ASSERT_THAT(key, IsOk());
  struct Case {
    const char* name;
    BnPtr RsaNumbers::* number;
    const char* message;
  };
  const Case kCases[] = {
      {"n", &RsaNumbers::n, "not the product"},
      {"e", &RsaNumbers::e, "not the inverse"},
      {"d", &RsaNumbers::d, "not the inverse"},
      {"p", &RsaNumbers::p, "not the product"},
      {"q", &RsaNumbers::q, "not the product"},
      {"dp", &RsaNumbers::dp, "first CRT exponent"},
      {"dq", &RsaNumbers::dq, "second CRT exponent"},
      {"qinv", &RsaNumbers::qinv, "CRT coefficient"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key->get());
    ASSERT_THAT(numbers, IsOk());
    ASSERT_TRUE(BN_add_word(((*numbers).*c.number).get(), 2));
    EXPECT_THAT(CheckRsaNumbers(*numbers),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
  }
}

TEST(CheckRsaNumbersTest, RefusesDegenerateFactors) {
  const absl::StatusOr<EvpPkeyPtr> key = GenerateRsaKey(2048);
  ASSERT_THAT(key, IsOk());
  for (const BN_ULONG factor : {0UL, 1UL, 2UL}) {
    absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key->get());
    ASSERT_THAT(numbers, IsOk());
    ASSERT_TRUE(BN_set_word(numbers->p.get(), factor));
    EXPECT_THAT(CheckRsaNumbers(*numbers), StatusIs(absl::StatusCode::kInvalidArgument)) << factor;
  }
}

TEST(ReadRsaNumbersTest, RefusesAPublicKey) {
  const absl::StatusOr<EvpPkeyPtr> key = GenerateRsaKey(2048);
  ASSERT_THAT(key, IsOk());
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key->get(), &der);
  const OpensslBytesPtr owned(der);
  const unsigned char* in = der;
  const EvpPkeyPtr public_half(d2i_PUBKEY(nullptr, &in, size));
  ASSERT_NE(public_half, nullptr);
  EXPECT_THAT(ReadRsaNumbers(public_half.get()), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace calico::pki::internal
