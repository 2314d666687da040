#include "pkg/base/secret_string.h"

#include <ostream>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<SecretString>);
static_assert(!std::is_copy_assignable_v<SecretString>);
static_assert(std::is_nothrow_move_constructible_v<SecretString>);
static_assert(!Printable<SecretString>);
static_assert(!std::is_convertible_v<SecretString, std::string_view>);

TEST(SecretStringTest, HoldsACopy) {
  std::string original = "secret";
  const SecretString secret{std::string_view(original)};
  original = "changed";
  EXPECT_EQ(secret.view(), "secret");
  EXPECT_EQ(secret.size(), 6);
  EXPECT_FALSE(secret.empty());
}

TEST(SecretStringTest, MoveLeavesNothingBehind) {
  SecretString from("secret");
  const char* bytes = from.data();
  SecretString to(std::move(from));
  EXPECT_EQ(to.data(), bytes);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(from.view(), "");

  SecretString assigned("older");
  assigned = std::move(to);
  EXPECT_EQ(assigned.view(), "secret");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretStringTest, SelfMoveKeepsTheValue) {
  SecretString secret("secret");
  SecretString& alias = secret;
  secret = std::move(alias);
  EXPECT_EQ(secret.view(), "secret");
}

TEST(SecretStringTest, ShortenWipesTheRest) {
  SecretString secret("secret");
  secret.Shorten(2);
  EXPECT_EQ(secret.view(), "se");
  EXPECT_EQ(std::string_view(secret.data(), 6), std::string_view("se\0\0\0\0", 6));
}

TEST(SecretStringTest, EmptyIsFine) {
  EXPECT_TRUE(SecretString().empty());
  EXPECT_TRUE(SecretString("").empty());
  EXPECT_TRUE(SecretString::OfSize(0).empty());
  EXPECT_EQ(SecretString::OfSize(3).view(), std::string_view("\0\0\0", 3));
}

TEST(SharedSecretTest, CopiesShareOneSecret) {
  const SharedSecret first{SecretString("secret")};
  const SharedSecret second = first;
  EXPECT_EQ(second.view(), "secret");
  EXPECT_EQ(second.view().data(), first.view().data());
  EXPECT_EQ(SharedSecret::Take("taken").view(), "taken");
  EXPECT_TRUE(SharedSecret().empty());
  EXPECT_TRUE(SharedSecret("").empty());
  EXPECT_EQ(SharedSecret().view(), "");
}

TEST(JoinSecretsTest, InOrder) {
  EXPECT_EQ(JoinSecrets({"Bearer ", "", "abc"}).view(), "Bearer abc");
  EXPECT_TRUE(JoinSecrets({}).empty());
}

}  // namespace
}  // namespace calico::base
