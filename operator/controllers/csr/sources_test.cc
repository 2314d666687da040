#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/csr/ca_source.h"
#include "operator/controllers/csr/policy_source.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::csr {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kEntry[] =
    "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [sa], commonNames: "
    "[cn]}\n";

class SourcesTest : public testing::Test {
 protected:
  SourcesTest() {
    folder_ =
        testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // Replaces the file, as the kubelet and careful editors do.
  void Put(const std::string& name, const std::string& content) {
    std::ofstream(Path(name + ".new")) << content;
    std::filesystem::rename(Path(name + ".new"), Path(name));
  }
  void PutCa(const pki::TestCa& ca) {
    Put("tls.crt", ca.certificate_pem());
    Put("tls.key", ca.key_pem());
  }
  std::unique_ptr<FileCaSource> OpenCa() {
    return FileCaSource::Open(Path("tls.crt"), Path("tls.key"), clock_, logger_);
  }
  absl::StatusOr<std::unique_ptr<PolicySource>> OpenPolicy() {
    return PolicySource::Open(Path("policy.yaml"), {"example.com/signer"}, logger_);
  }

  std::string folder_;
  base::FakeClock clock_;
  std::vector<std::string> lines_;
  base::Logger logger_{base::LogLevel::kWarning, [this](base::LogLevel, std::string_view line) {
                         lines_.emplace_back(line);
                       }};
};

TEST_F(SourcesTest, BuiltinPolicyNeedsNoFile) {
  const auto source = PolicySource::Open("", {"a.b/c"}, logger_);
  ASSERT_THAT(source, IsOk());
  EXPECT_THAT((*source)->Current()->signer_names, ElementsAre("a.b/c"));
  EXPECT_THAT((*source)->Current()->Namespaces(), ElementsAre("calico-apiserver", "calico-system"));
  EXPECT_FALSE((*source)->Refresh());
}

TEST_F(SourcesTest, PolicyFileIsReadAgainWhenItChanges) {
  Put("policy.yaml", kEntry);
  const auto source = OpenPolicy();
  ASSERT_THAT(source, IsOk());
  const auto first = (*source)->Current();
  EXPECT_FALSE((*source)->Refresh());
  Put("policy.yaml", "version: 1\nentries: []\n");
  EXPECT_TRUE((*source)->Refresh());
  EXPECT_THAT((*source)->Current()->entries, IsEmpty());
  EXPECT_THAT((*source)->Current()->signer_names, ElementsAre("example.com/signer"));
  EXPECT_THAT(first->entries, SizeIs(1)) << "a verdict keeps what it began with";
}

TEST_F(SourcesTest, ABadPolicyFileLeavesTheOldOne) {
  Put("policy.yaml", kEntry);
  const auto source = OpenPolicy();
  ASSERT_THAT(source, IsOk());
  Put("policy.yaml", "version: 3");
  EXPECT_FALSE((*source)->Refresh());
  EXPECT_FALSE((*source)->Refresh());
  EXPECT_THAT((*source)->Current()->entries, SizeIs(1));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("policy not taken, the old one stays")));
  std::filesystem::remove(Path("policy.yaml"));
  EXPECT_FALSE((*source)->Refresh());
  EXPECT_THAT(lines_, SizeIs(2));
  Put("policy.yaml", kEntry);
  EXPECT_TRUE((*source)->Refresh());
}

TEST_F(SourcesTest, PolicyFileMustBeGoodAtStart) {
  EXPECT_THAT(OpenPolicy(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("policy.yaml")));
  Put("policy.yaml", "version: 3");
  EXPECT_THAT(OpenPolicy(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("version")));
  Put("policy.yaml", std::string(2 << 20, ' '));
  EXPECT_THAT(OpenPolicy(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("larger")));
}

pki::CertificateTemplate Wanted(absl::Time now) {
  return {.common_name = "typha-client",
          .key_usages = {pki::KeyUsage::kDigitalSignature},
          .extended_key_usages = {std::string(pki::kOidClientAuth)},
          .not_before = now - absl::Minutes(5),
          .not_after = now + absl::Hours(100'000)};
}

TEST_F(SourcesTest, IssuesWithinTheCasLife) {
  const pki::TestCa ca("root");
  PutCa(ca);
  const auto source = OpenCa();
  ASSERT_THAT(source->status(), IsOk());
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const auto issued =
      source->Current()->Issue(key.public_key(), Wanted(clock_.Now()), clock_.Now());
  ASSERT_THAT(issued, IsOk());
  const auto leaf = pki::Certificate::ParsePem(issued->chain_pem);
  ASSERT_THAT(leaf, IsOk()) << "one block: the root is not sent";
  EXPECT_THAT(pki::VerifyChain(*leaf, {}, {ca.certificate()}, pki::ExtendedKeyUsage::kClientAuth,
                               clock_.Now()),
              IsOk());
  EXPECT_EQ(leaf->not_after(), ca.certificate().not_after());
  EXPECT_EQ(issued->not_after, leaf->not_after());
  EXPECT_EQ(issued->serial, leaf->serial());
  EXPECT_GE(issued->serial.size(), 30U) << "128 random bits";
}

TEST_F(SourcesTest, SendsIntermediatesWithoutTheRoot) {
  const pki::TestCa root("root");
  const pki::TestCa issuing = root.Intermediate("issuing");
  Put("tls.crt", issuing.certificate_pem() + root.certificate_pem());
  Put("tls.key", issuing.key_pem());
  const auto source = OpenCa();
  ASSERT_THAT(source->status(), IsOk());
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const auto issued =
      source->Current()->Issue(key.public_key(), Wanted(clock_.Now()), clock_.Now());
  ASSERT_THAT(issued, IsOk());
  const auto chain = pki::Certificate::ParsePemBundle(issued->chain_pem);
  ASSERT_THAT(chain, IsOk());
  ASSERT_THAT(*chain, SizeIs(2));
  EXPECT_EQ((*chain)[0].common_name(), "typha-client");
  EXPECT_EQ((*chain)[1].common_name(), "issuing");
  EXPECT_THAT(pki::VerifyChain((*chain)[0], {(*chain)[1]}, {root.certificate()},
                               pki::ExtendedKeyUsage::kClientAuth, clock_.Now()),
              IsOk());
}

TEST_F(SourcesTest, WithoutAUsableCaItSaysWhy) {
  const pki::TestCa ca("root");
  const pki::TestCa other("other");
  struct Case {
    const char* name;
    std::string cert;
    std::string key;
    const char* message;
  };
  const pki::TestLeaf leaf = ca.Leaf({.common_name = "leaf"});
  const pki::TestCa expired("expired", clock_.Now() - absl::Hours(48), absl::Hours(24));
  const pki::TestCa future("future", clock_.Now() + absl::Hours(24 * 7), absl::Hours(24));
  const Case cases[] = {
      {"not PEM", "x", ca.key_pem(), "tls.crt"},
      {"key file not PEM", ca.certificate_pem(), "x", "tls.key"},
      {"key of another", ca.certificate_pem(), other.key_pem(), "tls.key"},
      {"not a CA", leaf.certificate_pem, leaf.key_pem, "tls.crt"},
      {"key pasted into the certificate file", ca.certificate_pem() + ca.key_pem(), ca.key_pem(),
       "tls.crt"},
      {"expired", expired.certificate_pem(), expired.key_pem(), "expired on 2027-01-14"},
      {"not yet valid", future.certificate_pem(), future.key_pem(),
       "is not valid before 2027-01-20"},
  };
  EXPECT_THAT(OpenCa()->status(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("tls.crt")));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Put("tls.crt", c.cert);
    Put("tls.key", c.key);
    const auto source = OpenCa();
    EXPECT_EQ(source->Current(), nullptr);
    EXPECT_THAT(std::string(source->status().message()), HasSubstr(c.message));
  }
}

std::string CaFile(const std::string& name) {
  std::ifstream file("testdata/pki/ca_files/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(SourcesTest, InARolloverTheValidCertificateThatFitsTheKeySigns) {
  for (const std::string name :
       {"signer_new_then_old", "signer_old_then_new", "signer_same_key_renewed"}) {
    SCOPED_TRACE(name);
    lines_.clear();
    Put("tls.crt", CaFile(name + ".crt"));
    Put("tls.key", CaFile(name + ".key"));
    const auto source = OpenCa();
    ASSERT_THAT(source->status(), IsOk());
    source->Refresh();
    const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
    EXPECT_THAT(source->Current()->Issue(key.public_key(), Wanted(clock_.Now()), clock_.Now()),
                IsOk());
    EXPECT_EQ(absl::FormatTime("%Y", source->Current()->not_after(), absl::UTCTimeZone()), "2044");
    ASSERT_THAT(lines_, SizeIs(1)) << "one warning";
    EXPECT_THAT(lines_[0], HasSubstr("of 2 (CN=Field Test Signer,O=Field Test) expired on 2020"));
  }
}

TEST_F(SourcesTest, AFutureCaIsTakenWhenItBegins) {
  Put("tls.crt", CaFile("signer_future.crt"));
  Put("tls.key", CaFile("signer_future.key"));
  const auto source = OpenCa();
  source->Refresh();
  EXPECT_EQ(source->Current(), nullptr);
  EXPECT_THAT(std::string(source->status().message()), HasSubstr("not valid before 2040-01-01"));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("no usable CA"))) << "once";
  clock_.Advance(absl::Hours(24 * 365 * 13));
  source->Refresh();
  EXPECT_THAT(source->status(), IsOk());
  EXPECT_NE(source->Current(), nullptr);
}

TEST_F(SourcesTest, TheRenewedCertificateSignsWhenTheOldOneEnds) {
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const auto make = [&](absl::Duration from, absl::Duration until) {
    return pki::SelfSign(key, {.common_name = "ca",
                               .not_before = clock_.Now() + from,
                               .not_after = clock_.Now() + until,
                               .is_ca = true})
        .value();
  };
  const pki::Certificate old = make(absl::Hours(-1), absl::Hours(24 * 40));
  const pki::Certificate next = make(absl::Hours(24), absl::Hours(24 * 400));
  Put("tls.crt", old.pem() + next.pem());
  Put("tls.key", std::string(key.ToPem().view()));
  const auto source = OpenCa();
  EXPECT_EQ(source->Current()->not_after(), old.not_after());
  clock_.Advance(absl::Hours(24 * 41));
  source->Refresh();
  EXPECT_EQ(source->Current()->not_after(), next.not_after()) << "the file is the same";
}

TEST_F(SourcesTest, ACaThatWillNotDoForCalicoIsRefusedByItsCause) {
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const auto ca = pki::SelfSign(key, {.common_name = "server only",
                                      .extended_key_usages = {std::string(pki::kOidServerAuth)},
                                      .not_before = clock_.Now(),
                                      .not_after = clock_.Now() + absl::Hours(9000),
                                      .is_ca = true});
  Put("tls.crt", ca->pem());
  Put("tls.key", std::string(key.ToPem().view()));
  EXPECT_THAT(OpenCa()->status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("lacks clientAuth, which calico-node needs")));
  // The same words as for caCert, and what is not PEM at all gets the same command.
  Put("tls.crt", ca->der());
  EXPECT_THAT(OpenCa()->status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("`openssl x509 -inform der -in FILE`")));
}

TEST_F(SourcesTest, ARootAboveThatWillNotDoIsANote) {
  const auto make = [&](const pki::PrivateKey& key, std::vector<std::string> usages) {
    return pki::SelfSign(key, {.common_name = "root",
                               .extended_key_usages = std::move(usages),
                               .not_before = clock_.Now(),
                               .not_after = clock_.Now() + absl::Hours(9000),
                               .is_ca = true})
        .value();
  };
  const auto root_key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const pki::Certificate root = make(root_key, {});
  const pki::Certificate server_only = make(root_key, {std::string(pki::kOidServerAuth)});
  const pki::Certificate too_short =
      pki::SelfSign(root_key, {.common_name = "root",
                               .not_before = clock_.Now(),
                               .not_after = clock_.Now() + absl::Hours(9000),
                               .is_ca = true,
                               .path_length = 0})
          .value();
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  const pki::Certificate ca =
      pki::CertificateAuthority::Create({root},
                                        pki::PrivateKey::ParsePem(root_key.ToPem().view()).value())
          ->Issue(key.public_key(),
                  {.common_name = "issuing",
                   .not_before = clock_.Now(),
                   .not_after = clock_.Now() + absl::Hours(8000),
                   .is_ca = true},
                  clock_.Now())
          .value();
  const struct {
    const pki::Certificate& root;
    const char* note;
  } cases[] = {{server_only, "certificate 2 of 2 (CN=root) limits what is below it"},
               {too_short, "certificate 2 of 2 (CN=root) has a path length of 0"}};
  Put("tls.key", std::string(key.ToPem().view()));
  for (const auto& c : cases) {
    lines_.clear();
    Put("tls.crt", ca.pem() + c.root.pem());
    const auto source = OpenCa();
    ASSERT_THAT(source->status(), IsOk());
    EXPECT_THAT(lines_, ElementsAre(HasSubstr(c.note)));
    const auto leaf = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
    EXPECT_THAT(source->Current()->Issue(leaf.public_key(), Wanted(clock_.Now()), clock_.Now()),
                IsOk());
  }
}

TEST_F(SourcesTest, ANewCaIsTakenABadOneIsNot) {
  const pki::TestCa first("first");
  PutCa(first);
  const auto source = OpenCa();
  ASSERT_THAT(source->status(), IsOk());
  const auto before = source->Current();
  source->Refresh();
  EXPECT_EQ(source->Current(), before);

  const pki::TestCa second("second", pki::TestTime(), absl::Hours(9999));
  Put("tls.crt", second.certificate_pem());  // the key is still the old one
  source->Refresh();
  source->Refresh();
  EXPECT_EQ(source->Current(), before);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("CA not taken, the old one stays")));
  Put("tls.key", second.key_pem());
  source->Refresh();
  EXPECT_NE(source->Current(), before);
  EXPECT_EQ(source->Current()->not_after(), second.certificate().not_after());
  EXPECT_EQ(source->Current()->subject(), second.certificate().subject());
}

TEST_F(SourcesTest, WarnsThirtyDaysBeforeTheEndOnceADay) {
  PutCa(pki::TestCa("short", clock_.Now(), absl::Hours(24 * 40)));
  const auto source = OpenCa();
  ASSERT_THAT(source->status(), IsOk());
  source->Refresh();
  EXPECT_THAT(lines_, IsEmpty());
  clock_.Advance(absl::Hours(24 * 11));
  source->Refresh();
  source->Refresh();
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("the CA expires soon")));
  clock_.Advance(absl::Hours(24));
  source->Refresh();
  EXPECT_THAT(lines_, SizeIs(2));
  clock_.Advance(absl::Hours(24 * 30));
  source->Refresh();
  EXPECT_THAT(lines_.back(), HasSubstr("the CA has expired"));
  const auto key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  EXPECT_THAT(source->Current()->Issue(key.public_key(), Wanted(clock_.Now()), clock_.Now()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace calico::csr
