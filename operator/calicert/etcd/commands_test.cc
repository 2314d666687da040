#include "operator/calicert/etcd/commands.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/testing/run.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class EtcdCommandsTest : public ::testing::Test {
 protected:
  EtcdCommandsTest() {
    std::string pattern = ::testing::TempDir() + "/etcd.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ + "/etcd.yaml";
  }
  ~EtcdCommandsTest() override { std::filesystem::remove_all(folder_); }

  RunResult Etcd(std::vector<std::string> words, const std::string& in = "") const {
    words.insert(words.begin(), "etcd");
    return RunWords(EtcdCommands(), words, {.in = in, .now = now_});
  }
  void MakeAll() const {
    ASSERT_EQ(Etcd({"init", file_}).code, 0);
    const RunResult made = Etcd({"generate", file_});
    ASSERT_EQ(made.code, 0) << made.err;
  }
  std::string Cert(const std::string& name) const { return folder_ + "/certs/" + name; }

  std::string folder_;
  std::string file_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(EtcdCommandsTest, InitNeverWritesOverAFileUnasked) {
  const RunResult first = Etcd({"init", file_, "--member", "a=10.0.0.1"});
  EXPECT_EQ(first.code, 0);
  EXPECT_THAT(first.err, HasSubstr("calicert etcd generate"));
  EXPECT_EQ(Etcd({"init", file_}).code, 1);
  EXPECT_EQ(Etcd({"init", file_, "--force"}).code, 0);
  EXPECT_THAT(Etcd({"init", "-", "--member", "a=10.0.0.1"}).out,
              HasSubstr("https://10.0.0.1:2380"));
  EXPECT_EQ(Etcd({"init", "-", "--member", "a"}).code, 1);
}

TEST_F(EtcdCommandsTest, FromInitToVerify) {
  MakeAll();
  const RunResult again = Etcd({"generate", file_});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "");
  EXPECT_THAT(again.err, HasSubstr("nothing was changed"));
  const RunResult verified = Etcd({"verify", file_});
  EXPECT_EQ(verified.code, 0) << verified.out;
  EXPECT_EQ(verified.out, "");
  EXPECT_THAT(verified.err, HasSubstr("nobody refuses anything"));
  const RunResult shown = Etcd({"show", file_});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("RESIDUAL TIME"), HasSubstr("peer of etcd-1"),
                               HasSubstr("etcd CA"), HasSubstr("ok")));
}

TEST_F(EtcdCommandsTest, DryRunWritesNothing) {
  ASSERT_EQ(Etcd({"init", file_}).code, 0);
  const RunResult planned = Etcd({"generate", file_, "--dry-run"});
  EXPECT_EQ(planned.code, 0);
  EXPECT_THAT(planned.out, HasSubstr("create   server of etcd-1 ("));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/certs"));
  const auto steps = codec::ParseJson(Etcd({"generate", file_, "--dry-run", "-o", "json"}).out);
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps->as_array().size(), 10u);
}

TEST_F(EtcdCommandsTest, NewCaNeedsForce) {
  EXPECT_THAT(Etcd({"generate", file_, "--new-ca"}).err, HasSubstr("it needs --force"));
  EXPECT_EQ(Etcd({"generate", file_, "--new-ca", "--force", "--only", "a"}).code, 1);
}

TEST_F(EtcdCommandsTest, VerifyOfNamedFilesSaysWhoRefuses) {
  MakeAll();
  const RunResult as_server = Etcd({"verify", "--ca", Cert("ca.pem"), "--server",
                                    Cert("user-calico.pem"), "--client-url", "https://10.0.0.11"});
  EXPECT_EQ(as_server.code, 1);
  EXPECT_THAT(as_server.out, AllOf(HasSubstr("error: "), HasSubstr("it lacks serverAuth"),
                                   HasSubstr("refused by: every client")));
  const RunResult at_other =
      Etcd({"verify", "--ca", Cert("ca.pem"), "--peer", Cert("peer-etcd-1.pem"), "--peer-url",
            "https://10.0.0.12:2380", "--member-name", "etcd-1", "-o", "json"});
  EXPECT_EQ(at_other.code, 1);
  const auto findings = codec::ParseJson(at_other.out);
  ASSERT_TRUE(findings.ok());
  EXPECT_EQ(codec::TextAt(findings->as_array()[0].as_object(), "check"), "host");
  EXPECT_EQ(codec::TextAt(findings->as_array()[0].as_object(), "refusedBy"), "every other member");
  EXPECT_EQ(Etcd({"verify", "--ca", Cert("ca.pem"), "--user", Cert("user-calico.pem")}).code, 0);
}

TEST_F(EtcdCommandsTest, VerifyComparesUsersWithThoseThatEtcdHas) {
  MakeAll();
  const RunResult missing = Etcd({"verify", file_, "--users", "-"}, "root\nkube-apiserver\n");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.out, HasSubstr("etcd has no user \"calico\""));
  EXPECT_EQ(Etcd({"verify", file_, "--users", "-"}, "root\nkube-apiserver\ncalico\n").code, 0);
}

TEST_F(EtcdCommandsTest, VerifyNamesWhatIsMissing) {
  MakeAll();
  std::filesystem::remove(Cert("peer-etcd-2.pem"));
  const RunResult result = Etcd({"verify", file_});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("peer-etcd-2.pem (peer of etcd-2): it is missing"));
}

TEST_F(EtcdCommandsTest, VerifyTellsOfKeysThatOthersMayRead) {
  MakeAll();
  std::filesystem::permissions(Cert("ca-key.pem"), std::filesystem::perms(0644));
  std::filesystem::permissions(Cert("user-root-key.pem"), std::filesystem::perms(0640));
  const RunResult result = Etcd({"verify", file_});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("ca-key.pem (CA): others may read this key (mode 0644)"),
                                HasSubstr("(user root): others may read this key (mode 0640)")));
}

TEST_F(EtcdCommandsTest, StrictMakesWarningsCount) {
  MakeAll();
  now_ += absl::Hours(24 * 340);
  EXPECT_EQ(Etcd({"verify", file_}).code, 0);
  EXPECT_EQ(Etcd({"verify", file_, "--strict"}).code, 1);
}

TEST_F(EtcdCommandsTest, ContradictingSourcesAreUsageErrors) {
  EXPECT_EQ(Etcd({"verify", file_, "--server", "a.pem"}).code, 2);
  EXPECT_EQ(Etcd({"verify", "--server", "a.pem"}).code, 2);
  EXPECT_EQ(Etcd({"verify", "-C", folder_, file_}).code, 2);
  const RunResult none = Etcd({"verify", folder_ + "/none.yaml"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("none.yaml"));
}

TEST_F(EtcdCommandsTest, SecretsAreWhatCalicoMounts) {
  MakeAll();
  const RunResult result = Etcd({"secrets", file_});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto secret = codec::ParseYaml(result.out);
  ASSERT_TRUE(secret.ok());
  const json::object& object = secret->as_object();
  EXPECT_EQ(codec::TextAt(object.at("metadata").as_object(), "name"), "calico-etcd-secrets");
  EXPECT_EQ(codec::TextAt(object.at("metadata").as_object(), "namespace"), "kube-system");
  for (const char* key : {"etcd-ca", "etcd-cert", "etcd-key"}) {
    EXPECT_THAT(std::string(codec::TextAt(object.at("data").as_object(), key)),
                ::testing::StartsWith("LS0tLS1CRUdJTi"));
  }
  std::filesystem::remove(Cert("user-calico-key.pem"));
  const RunResult broken = Etcd({"secrets", file_});
  EXPECT_EQ(broken.code, 1);
  EXPECT_EQ(broken.out, "");
}

TEST_F(EtcdCommandsTest, FlagsAndUsersArePrinted) {
  ASSERT_EQ(Etcd({"init", file_}).code, 0);
  const RunResult flags = Etcd({"flags", file_, "--at", "/etc/etcd"});
  EXPECT_THAT(flags.out, AllOf(HasSubstr("--cert-file=/etc/etcd/server-etcd-1.pem\n"),
                               HasSubstr("--peer-trusted-ca-file=/etc/etcd/ca.pem\n"),
                               HasSubstr("--initial-cluster=etcd-1=https://10.0.0.11:2380,")));
  const RunResult users = Etcd({"users", file_});
  EXPECT_THAT(users.out,
              AllOf(HasSubstr("etcdctl user add calico --no-password\n"),
                    HasSubstr("etcdctl role grant-permission calico --prefix=true readwrite "
                              "/calico/\n"),
                    HasSubstr("etcdctl auth enable\n")));
}

TEST_F(EtcdCommandsTest, NoKeyIsPrintedButInSecrets) {
  ASSERT_EQ(Etcd({"init", file_}).code, 0);
  for (const char* command : {"generate", "show", "verify", "flags", "users"}) {
    const RunResult result = Etcd({command, file_});
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("PRIVATE KEY"))) << command;
  }
}

}  // namespace
}  // namespace calico::calicert
