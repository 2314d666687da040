#include "operator/provision/kept_request.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/file.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/certificate_request.h"

namespace calico::provision {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

class KeptRequestTest : public testing::Test {
 protected:
  KeptRequestTest() {
    std::string pattern = testing::TempDir() + "/keptXXXXXX";
    config_.directory = mkdtemp(pattern.data());
    config_.signer_name = "example.com/signer";
    config_.common_name = "typha-client";
    config_.dns_names = {"typha-client"};
    config_.ip_addresses = {*base::IpAddress::Parse("198.18.0.11")};
    config_.pod_name = "calico-node-5ckvq";
    config_.pod_namespace = "calico-system";
    config_.pod_uid = "9a3a1042-1111-2222-3333-444444444444";
    config_.key_algorithm = pki::KeyAlgorithm::kEcdsaP256;
    config_.signature_algorithm = pki::SignatureAlgorithm::kEcdsaWithSha256;
  }
  ~KeptRequestTest() override { std::filesystem::remove_all(config_.directory); }

  KeptRequest Make() const {
    pki::PrivateKey key = *pki::PrivateKey::Generate(config_.key_algorithm);
    std::string request_pem = *MakeRequest(config_, key);
    return {std::move(key), std::move(request_pem)};
  }
  std::string path() const { return config_.directory + "/..request"; }
  std::string Content() const { return *base::ReadFile(path()); }
  void Write(const std::string& content) const { std::ofstream(path()) << content; }

  Config config_;
};

TEST_F(KeptRequestTest, ComesBackAsItWas) {
  EXPECT_THAT(ReadKeptRequest(config_), StatusIs(absl::StatusCode::kNotFound));
  const KeptRequest made = Make();
  ASSERT_THAT(KeepRequest(config_, made), IsOk());
  const absl::StatusOr<KeptRequest> kept = ReadKeptRequest(config_);
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->request_pem, made.request_pem);
  EXPECT_TRUE(kept->key.public_key() == made.key.public_key());
  struct stat attributes{};
  ASSERT_EQ(stat(path().c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 07777, 0600U);
}

TEST_F(KeptRequestTest, RsaKeysAreKeptToo) {
  config_.key_algorithm = pki::KeyAlgorithm::kRsa2048;
  config_.signature_algorithm = pki::SignatureAlgorithm::kSha384WithRsa;
  ASSERT_THAT(KeepRequest(config_, Make()), IsOk());
  EXPECT_THAT(ReadKeptRequest(config_), IsOk());
}

TEST_F(KeptRequestTest, WhatIsForSomethingElseDoesNotFit) {
  ASSERT_THAT(KeepRequest(config_, Make()), IsOk());
  const std::pair<const char*, std::function<void(Config&)>> kChanges[] = {
      {"another pod", [](Config& c) { c.pod_uid = "9a3a1042-another"; }},
      {"another signer", [](Config& c) { c.signer_name = "example.com/other"; }},
      {"another name", [](Config& c) { c.dns_names = {"typha-client", "more"}; }},
      {"another address",
       [](Config& c) { c.ip_addresses = {*base::IpAddress::Parse("198.18.0.12")}; }},
      {"another algorithm", [](Config& c) { c.key_algorithm = pki::KeyAlgorithm::kEcdsaP384; }},
      {"another signature",
       [](Config& c) { c.signature_algorithm = pki::SignatureAlgorithm::kEcdsaWithSha384; }},
      {"another usage", [](Config& c) { c.usages = {pki::ExtendedKeyUsage::kServerAuth}; }},
  };
  for (const auto& [name, change] : kChanges) {
    SCOPED_TRACE(name);
    Config changed = config_;
    change(changed);
    EXPECT_THAT(ReadKeptRequest(changed), StatusIs(absl::StatusCode::kFailedPrecondition));
  }
  EXPECT_THAT(ReadKeptRequest(config_), IsOk());
}

// Whatever is in the file, it is no crash and no key shows in the message.
TEST_F(KeptRequestTest, ADamagedFileDoesNotFit) {
  ASSERT_THAT(KeepRequest(config_, Make()), IsOk());
  const std::string good = Content();
  for (size_t length = 0; length < good.size() - 1; length += 7) {
    SCOPED_TRACE(length);
    Write(good.substr(0, length));
    const absl::StatusOr<KeptRequest> kept = ReadKeptRequest(config_);
    EXPECT_THAT(kept, StatusIs(absl::StatusCode::kFailedPrecondition, Not(HasSubstr("BEGIN"))));
  }
  const std::string request_pem = Make().request_pem;
  const size_t begin = good.find("-----BEGIN CERTIFICATE REQUEST");
  const size_t end = good.find("-----BEGIN EC");
  Write(good.substr(0, begin) + request_pem + good.substr(end));
  EXPECT_THAT(ReadKeptRequest(config_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another key")));
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_THAT(ReadKeptRequest(config_), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(KeptRequestTest, ForgottenIsGoneAndNothingToForgetIsFine) {
  ASSERT_THAT(KeepRequest(config_, Make()), IsOk());
  std::ofstream(path() + ".new") << "half";
  EXPECT_THAT(ForgetRequest(config_), IsOk());
  EXPECT_TRUE(std::filesystem::is_empty(config_.directory));
  EXPECT_THAT(ForgetRequest(config_), IsOk());
}

}  // namespace
}  // namespace calico::provision
