#include "pkg/pki/internal/rsa_numbers.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/openssl/handles.h"

namespace calico::pki::internal {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

openssl::EvpPkeyPtr NewKey() { return openssl::EvpPkeyPtr(EVP_RSA_gen(2048)); }

TEST(CheckRsaNumbersTest, AcceptsTheLibrarysKeys) {
  for (const unsigned int bits : {2048u, 3072u, 4096u}) {
    const openssl::EvpPkeyPtr key(EVP_RSA_gen(bits));
    ASSERT_NE(key, nullptr);
    const absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key.get());
    ASSERT_THAT(numbers, IsOk());
    EXPECT_THAT(CheckRsaNumbers(*numbers), IsOk()) << bits;
  }
}

TEST(CheckRsaNumbersTest, FindsEveryWrongNumber) {
  const openssl::EvpPkeyPtr key = NewKey();
  ASSERT_NE(key, nullptr);
  struct Case {
    const char* name;
    openssl::BnPtr RsaNumbers::* number;
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
    absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key.get());
    ASSERT_THAT(numbers, IsOk());
    ASSERT_TRUE(BN_add_word(((*numbers).*c.number).get(), 2));
    EXPECT_THAT(CheckRsaNumbers(*numbers),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
  }
}

TEST(CheckRsaNumbersTest, RefusesDegenerateFactors) {
  const openssl::EvpPkeyPtr key = NewKey();
  ASSERT_NE(key, nullptr);
  for (const BN_ULONG factor : {0UL, 1UL, 2UL}) {
    absl::StatusOr<RsaNumbers> numbers = ReadRsaNumbers(key.get());
    ASSERT_THAT(numbers, IsOk());
    ASSERT_TRUE(BN_set_word(numbers->p.get(), factor));
    EXPECT_THAT(CheckRsaNumbers(*numbers), StatusIs(absl::StatusCode::kInvalidArgument)) << factor;
  }
}

TEST(ReadRsaNumbersTest, RefusesAPublicKey) {
  const openssl::EvpPkeyPtr key = NewKey();
  ASSERT_NE(key, nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  const openssl::BytesPtr owned(der);
  const unsigned char* in = der;
  const openssl::EvpPkeyPtr public_half(d2i_PUBKEY(nullptr, &in, size));
  ASSERT_NE(public_half, nullptr);
  EXPECT_THAT(ReadRsaNumbers(public_half.get()), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace calico::pki::internal
