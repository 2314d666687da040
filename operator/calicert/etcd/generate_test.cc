#include "operator/calicert/etcd/generate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/etcd/assemble.h"
#include "operator/calicert/etcd/description.h"
#include "operator/calicert/etcd/store.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::calicert::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kCluster[] = R"(
members:
- name: a
  clientURLs: ["https://10.0.0.1:2379"]
  peerURLs: ["https://10.0.0.1:2380"]
- name: b
  clientURLs: ["https://10.0.0.2:2379"]
  peerURLs: ["https://10.0.0.2:2380"]
users: [{name: root}, {name: alice}]
)";

class GenerateTest : public ::testing::Test {
 protected:
  GenerateTest() {
    std::string pattern = ::testing::TempDir() + "/etcd.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    layout_ = *ParseDescription(kCluster);
    layout_.folder = folder_ + "/certs";
  }
  ~GenerateTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::vector<Step>> Make() {
    return Generate(
        layout_, options_, cfssl::MakeKey, [this](const Step& step) { done_.push_back(step); },
        now_);
  }
  // "create certs/ca" for everything that was written.
  std::vector<std::string> Done() {
    done_.clear();
    const auto steps = Make();
    EXPECT_TRUE(steps.ok()) << steps.status();
    std::vector<std::string> lines;
    for (const Step& step : done_) {
      const std::string file = std::filesystem::path(step.certificate_file).stem();
      lines.push_back(std::string(ToString(step.decision.action)) + " " + file);
    }
    return lines;
  }
  std::string Path(const std::string& name) const { return layout_.folder + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(const std::string& name, std::string_view text) const {
    std::ofstream(Path(name)) << text;
  }
  void Remove(const std::string& name) const { std::filesystem::remove(Path(name)); }
  int Mode(const std::string& name) const {
    struct stat status{};
    return stat(Path(name).c_str(), &status) == 0 ? static_cast<int>(status.st_mode & 0777) : -1;
  }
  std::vector<Finding> Findings() const {
    Assembled assembled = AssembleLayout(layout_);
    std::vector<Finding> findings = std::move(assembled.problems);
    for (Finding& finding : Verify(assembled.cluster, {}, now_)) findings.push_back(finding);
    return findings;
  }

  std::string folder_;
  Layout layout_;
  GenerateOptions options_;
  absl::Time now_ = absl::Now();  // the openssl command judges by the machine's clock
  std::vector<Step> done_;
};

TEST_F(GenerateTest, MakesEverythingOnceAndThenNothing) {
  EXPECT_THAT(Done(),
              ElementsAre("create ca", "create server-a", "create peer-a", "create server-b",
                          "create peer-b", "create user-root", "create user-alice"));
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_EQ(Mode("user-alice-key.pem"), 0600);
  EXPECT_EQ(Mode("user-alice.pem"), 0644);
  EXPECT_EQ(Mode("ca-key.pem"), 0600);
  EXPECT_EQ(Mode("user-alice.csr"), -1);
  EXPECT_THAT(Done(), IsEmpty());
}

TEST_F(GenerateTest, OpensslTakesWhatIsMade) {
  ASSERT_TRUE(Make().ok());
  const pki::OpensslCommand openssl;
  for (const char* purpose : {"sslserver", "sslclient"}) {
    EXPECT_EQ(openssl
                  .Run("verify -x509_strict -CAfile {} -purpose {} -verify_ip 10.0.0.1 {}",
                       Path("ca.pem"), purpose, Path("peer-a.pem"))
                  .exit_code,
              0);
  }
  EXPECT_EQ(
      openssl.Run("verify -CAfile {} -purpose sslclient {}", Path("ca.pem"), Path("user-alice.pem"))
          .exit_code,
      0);
  EXPECT_NE(
      openssl.Run("verify -CAfile {} -purpose sslserver {}", Path("ca.pem"), Path("user-alice.pem"))
          .exit_code,
      0);
}

TEST_F(GenerateTest, HalfWrittenStatesAreCompleted) {
  ASSERT_TRUE(Make().ok());
  const std::string key = Read("user-alice-key.pem");
  Remove("user-alice.pem");
  EXPECT_THAT(Done(), ElementsAre("certify user-alice"));
  EXPECT_EQ(Read("user-alice-key.pem"), key);
  Write("user-alice.pem", Read("user-alice.pem").substr(0, 200));
  EXPECT_THAT(Done(), ElementsAre("certify user-alice"));
  Write("user-alice.pem", "");
  EXPECT_THAT(Done(), ElementsAre("certify user-alice"));
  Write("user-alice.pem", Read("user-root.pem"));
  EXPECT_THAT(Done(), ElementsAre("certify user-alice"));
  EXPECT_EQ(Read("user-alice-key.pem"), key);
  Remove("user-alice-key.pem");
  EXPECT_THAT(Done(), ElementsAre("create user-alice"));
  Remove("ca.pem");
  const std::string ca_key = Read("ca-key.pem");
  EXPECT_THAT(Done(), ElementsAre("certify ca"));
  EXPECT_EQ(Read("ca-key.pem"), ca_key);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(GenerateTest, UnreadableKeyStopsEverythingBeforeAnythingIsWritten) {
  ASSERT_TRUE(Make().ok());
  Write("user-alice-key.pem", "-----BEGIN garbage");
  Remove("peer-a.pem");
  const auto refused = Make();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("user alice ("));
  EXPECT_EQ(Mode("peer-a.pem"), -1);
  EXPECT_EQ(Read("user-alice-key.pem"), "-----BEGIN garbage");
  options_.only = {"alice"};
  options_.decision.new_keys = true;
  EXPECT_THAT(Done(), ElementsAre("create user-alice"));
}

TEST_F(GenerateTest, RenewalKeepsKeysAndNames) {
  ASSERT_TRUE(Make().ok());
  const std::string key = Read("peer-a-key.pem");
  const std::string old = Read("peer-a.pem");
  now_ += absl::Hours(24 * 340);
  EXPECT_EQ(Done().size(), 6u);
  EXPECT_EQ(Read("peer-a-key.pem"), key);
  EXPECT_NE(Read("peer-a.pem"), old);
  EXPECT_THAT(Done(), IsEmpty());
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(GenerateTest, CaIsRenewedInPlaceAndWhatItSignedStillHolds) {
  ASSERT_TRUE(Make().ok());
  const std::string peer = Read("peer-a.pem");
  const Trust before = *ReadTrust(Path("ca.pem"));
  options_.decision.renew_within = absl::Hours(87600);
  options_.only = {"root"};
  now_ += absl::Hours(24);
  EXPECT_THAT(Done(), ElementsAre("certify ca", "certify user-root"));
  const Trust after = *ReadTrust(Path("ca.pem"));
  EXPECT_GT(after.certificates[0].not_after(), before.certificates[0].not_after());
  EXPECT_EQ(after.certificates[0].public_key(), before.certificates[0].public_key());
  EXPECT_EQ(Read("peer-a.pem"), peer);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(GenerateTest, NewCaMakesEverythingAnew) {
  ASSERT_TRUE(Make().ok());
  const std::string old = Read("ca.pem");
  options_.decision.new_keys = options_.decision.new_ca = true;
  EXPECT_EQ(Done().size(), 7u);
  EXPECT_NE(Read("ca.pem"), old);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(GenerateTest, MissingCaBesidePairsIsRefused) {
  ASSERT_TRUE(Make().ok());
  Remove("ca.pem");
  Remove("ca-key.pem");
  const auto refused = Make();
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("it is missing, and certificates that it may have signed are there"));
}

TEST_F(GenerateTest, CaKeyMayBeElsewhereWhileNothingIsDue) {
  ASSERT_TRUE(Make().ok());
  Remove("ca-key.pem");
  EXPECT_THAT(Done(), IsEmpty());
  Remove("user-alice.pem");
  EXPECT_THAT(std::string(Make().status().message()), HasSubstr("its CA's key is not here"));
}

TEST_F(GenerateTest, ChangedHostsGetANewCertificateForTheSameKey) {
  ASSERT_TRUE(Make().ok());
  const std::string key = Read("server-a-key.pem");
  layout_.pairs[0].AddHost("a.example.com");
  EXPECT_THAT(Done(), ElementsAre("certify server-a"));
  EXPECT_EQ(Read("server-a-key.pem"), key);
  EXPECT_THAT(done_[0].decision.reason, HasSubstr("not for 10.0.0.1, 127.0.0.1, a.example.com"));
}

TEST_F(GenerateTest, PairDoesNotOutliveItsCa) {
  layout_.cas[0].request.ca->expiry = absl::Hours(1000);
  ASSERT_TRUE(Make().ok());
  const auto steps = PlanGeneration(layout_, options_, now_);
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps->at(1).not_after, steps->at(0).not_after);
  EXPECT_TRUE(done_.back().cut_to_ca);
}

TEST_F(GenerateTest, IntermediateAsCaIsSentWithEachPair) {
  const pki::OpensslCommand openssl;
  openssl.Write("ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
  const std::string curve = "ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  std::filesystem::create_directories(layout_.folder);
  const auto made = openssl.Run(
      "req -x509 -newkey {0} -subj /CN=root -keyout rk -out root.pem -days 3000 && openssl req "
      "-new -newkey {0} -subj /CN=issuing -keyout {1} -out i.csr && openssl x509 -req -in i.csr "
      "-CA root.pem -CAkey rk -CAcreateserial -days 2000 -extfile ext -out i.pem && cat i.pem "
      "root.pem > {2}",
      curve, Path("ca-key.pem"), Path("ca.pem"));
  ASSERT_EQ(made.exit_code, 0) << made.output;
  now_ = absl::Now() + absl::Minutes(1);
  ASSERT_EQ(Done().size(), 6u);
  EXPECT_EQ(ReadTrust(Path("user-alice.pem"))->certificates.size(), 2u);
  EXPECT_EQ(openssl
                .Run("verify -CAfile {} -untrusted {} -purpose sslclient {}",
                     openssl.Path("root.pem"), Path("user-alice.pem"), Path("user-alice.pem"))
                .exit_code,
            0);
  EXPECT_THAT(Done(), IsEmpty());
}

TEST_F(GenerateTest, WhatToDoNextDependsOnWhatWasThere) {
  const auto notes = [this] {
    const auto steps = Make();
    return steps.ok() ? AfterGeneration(*steps) : std::vector<std::string>{"failed"};
  };
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("next: calicert etcd verify")));
  EXPECT_THAT(notes(), IsEmpty());
  Remove("user-alice.pem");
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("clients read their pairs")));
  options_.decision.new_keys = options_.decision.new_ca = true;
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("a new CA"), HasSubstr("members read their pairs"),
                                   HasSubstr("clients read their pairs")));
}

TEST_F(GenerateTest, FileInPlaceOfTheFolderIsTold) {
  std::ofstream(layout_.folder) << "x";
  EXPECT_THAT(std::string(Make().status().message()), HasSubstr("it is no folder"));
}

TEST_F(GenerateTest, UnknownOnlyIsRefused) {
  options_.only = {"bob"};
  EXPECT_EQ(Make().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(GenerateTest, RequestsAreWrittenWhereTheyAreWanted) {
  layout_.writes_requests = true;
  ASSERT_TRUE(Make().ok());
  const pki::OpensslCommand openssl;
  EXPECT_EQ(openssl.Run("req -in {} -verify -noout", Path("peer-a.csr")).exit_code, 0);
  EXPECT_EQ(openssl.Run("req -in {} -verify -noout", Path("ca.csr")).exit_code, 0);
}

}  // namespace
}  // namespace calico::calicert::etcd
