#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/calico/typha/typha_check.h"
#include "operator/calicert/calico/typha/typha_commands.h"
#include "operator/calicert/command/testing/run.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckLinkTest : public ::testing::Test {
 protected:
  CheckLinkTest() {
    link_.typha_trusts = link_.felix_trusts = {"ca.crt", {ca_.certificate()}};
    link_.typha = SideOf("typha.crt", {.common_name = "calico-typha"}, pki::kOidServerAuth);
    link_.felix = SideOf("calico-node.crt", {.common_name = "calico-node"}, pki::kOidClientAuth);
    link_.typha.demanded_of_peer.common_name = "calico-node";
    link_.felix.demanded_of_peer.common_name = "calico-typha";
  }

  typha::Side SideOf(std::string file, pki::TestLeafOptions options, std::string_view usage,
                     const pki::TestCa* ca = nullptr) const {
    options.valid_until_now = absl::Hours(24 * 90);
    options.extended_key_usages.clear();
    if (!usage.empty()) options.extended_key_usages.emplace_back(usage);
    const pki::TestLeaf leaf = (ca == nullptr ? ca_ : *ca).Leaf(options);
    typha::Side side{.certificate_file = std::move(file),
                     .key_file = "key",
                     .found = {},
                     .demanded_of_peer = {}};
    side.found.has_certificate = side.found.has_key = true;
    side.found.chain = {leaf.certificate};
    side.found.key = leaf.key.public_key();
    return side;
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const etcd::Finding& finding : CheckLink(link_, pki::TestTime())) {
      lines.push_back(finding.check + " " + finding.file + " < " + finding.refuser);
    }
    return lines;
  }

  pki::TestCa ca_;
  typha::Link link_;
};

TEST_F(CheckLinkTest, GoodPairsTakeEachOther) { EXPECT_THAT(Lines(), IsEmpty()); }

TEST_F(CheckLinkTest, NoUsagesAreTakenByBoth) {
  link_.felix.found = SideOf("calico-node.crt", {.common_name = "calico-node"}, "").found;
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(CheckLinkTest, EachSideNamesUsageChainAndIdentity) {
  link_.felix.found = SideOf("x", {.common_name = "calico-node"}, pki::kOidServerAuth).found;
  EXPECT_THAT(Lines(), ElementsAre("usage calico-node.crt < Typha"));
  link_.felix.found = SideOf("x", {.common_name = "Calico-Node"}, pki::kOidClientAuth).found;
  EXPECT_THAT(Lines(), ElementsAre("user calico-node.crt < Typha"));
  const pki::TestCa other("other");
  link_.felix.found =
      SideOf("x", {.common_name = "calico-node"}, pki::kOidClientAuth, &other).found;
  EXPECT_THAT(Lines(), ElementsAre("chain calico-node.crt < Typha"));
  link_.felix.found = SideOf("x", {.common_name = "calico-node"}, pki::kOidClientAuth).found;
  link_.typha.found = SideOf("x", {.common_name = "calico-typha"}, pki::kOidClientAuth).found;
  EXPECT_THAT(Lines(), ElementsAre("usage typha.crt < Felix on every node"));
}

TEST_F(CheckLinkTest, NothingDemandedIsNoStart) {
  link_.typha.demanded_of_peer = {};
  EXPECT_THAT(Lines(), ElementsAre("user calico-node.crt < Typha"));
}

TEST_F(CheckLinkTest, KeyOfAnotherCertificateIsToldOfItsOwnProgram) {
  link_.typha.found.key = link_.felix.found.key;
  EXPECT_THAT(Lines(), ElementsAre("file typha.crt < its own program"));
}

TEST(IdentityProblemTest, EitherNameOrUriWillDo) {
  const pki::TestCa ca;
  const pki::Certificate certificate = ca.Leaf({.common_name = "a"}).certificate;
  EXPECT_EQ(typha::IdentityProblem(certificate, {"a", "spiffe://x/y"}), "");
  EXPECT_EQ(typha::IdentityProblem(certificate, {"b", "spiffe://x/y"}),
            "it does not have the required CN \"b\" or URI SAN \"spiffe://x/y\": it has CN \"a\" "
            "and no URI SAN");
}

class TyphaCommandsTest : public ::testing::Test {
 protected:
  TyphaCommandsTest() {
    std::string pattern = ::testing::TempDir() + "/typha.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~TyphaCommandsTest() override { std::filesystem::remove_all(folder_); }

  RunResult Calico(std::vector<std::string> words) const {
    words.insert(words.begin(), "calico");
    return RunWords(TyphaCommands(), words);
  }
  RunResult Check(const std::string& typha, const std::string& client,
                  const std::string& ca = "typhaca.crt", const std::string& typha_base = "typha",
                  const std::string& node_base = "calico-node") const {
    const auto path = [this](const std::string& name) { return folder_ + "/" + name; };
    return Calico({"typha-check", "--ca", path(ca), "--typha-cert", path(typha_base + ".crt"),
                   "--typha-key", path(typha_base + ".key"), "--node-cert",
                   path(node_base + ".crt"), "--node-key", path(node_base + ".key"), typha,
                   client});
  }

  std::string folder_;
};

TEST_F(TyphaCommandsTest, FilesOfTheHardWay) {
  const RunResult made = Calico({"typha-tls", folder_, "--env"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("- name: TYPHA_CLIENTCN\n  value: \"calico-node\"\n"),
                              HasSubstr("- name: FELIX_TYPHACN\n  value: \"calico-typha\"\n"),
                              HasSubstr("/calico-node-certs/calico-node.key")));
  EXPECT_EQ(Check("--typha-cn=calico-typha", "--client-cn=calico-node").code, 0);
  const RunResult wrong = Check("--typha-cn=typha", "--client-cn=calico-node");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("required CN \"typha\""));
  const RunResult again = Calico({"typha-tls", folder_});
  EXPECT_THAT(again.err, HasSubstr("nothing was changed"));
}

TEST_F(TyphaCommandsTest, ManifestsOfBothNamings) {
  const RunResult hard = Calico({"typha-tls", folder_, "-o", "yaml"});
  ASSERT_EQ(hard.code, 0) << hard.err;
  const auto objects = codec::ParseYamlDocuments(hard.out);
  ASSERT_TRUE(objects.ok());
  ASSERT_EQ(objects->size(), 3u);
  const json::object& node = objects->at(2).as_object();
  EXPECT_EQ(codec::TextAt(node.at("metadata").as_object(), "name"), "calico-node-certs");
  EXPECT_TRUE(node.at("data").as_object().contains("calico-node.key"));
  const RunResult of_operator = Calico({"typha-tls", folder_, "--names", "operator", "-o", "json"});
  ASSERT_EQ(of_operator.code, 0) << of_operator.err;
  EXPECT_THAT(of_operator.out, AllOf(HasSubstr("\"caBundle\""), HasSubstr("\"common-name\""),
                                     HasSubstr("\"tls.key\""), HasSubstr("\"tigera-operator\"")));
  EXPECT_EQ(Check("--typha-cn=typha-server", "--client-cn=typha-client", "typha-ca.crt",
                  "typha-certs", "node-certs")
                .code,
            0);
}

TEST_F(TyphaCommandsTest, UrisInPlaceOfNames) {
  const std::string typha = "spiffe://k8s.example.com/typha-server";
  const std::string client = "spiffe://k8s.example.com/typha-client";
  ASSERT_EQ(Calico({"typha-tls", folder_, "--typha-uri", typha, "--client-uri", client}).code, 0);
  EXPECT_EQ(Check("--typha-uri=" + typha, "--client-uri=" + client).code, 0);
  EXPECT_EQ(Check("--typha-uri=" + client, "--client-uri=" + typha).code, 1);
  EXPECT_THAT(Calico({"typha-tls", folder_, "--typha-uri", "x"}).err, HasSubstr("a scheme"));
}

TEST_F(TyphaCommandsTest, NewCaNeedsForce) {
  EXPECT_EQ(Calico({"typha-tls", folder_, "--new-ca"}).code, 1);
}

}  // namespace
}  // namespace calico::calicert
