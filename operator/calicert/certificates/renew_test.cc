#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/certificates/renewal_due.h"
#include "operator/calicert/command/testing/run.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const absl::Time kLater = pki::TestTime() + absl::Hours(20);

class RenewTest : public ::testing::Test {
 protected:
  RenewTest()
      : ca_("ca"),
        leaf_(ca_.Leaf({.common_name = "typha",
                        .dns_names = {"typha"},
                        .ip_addresses = {"10.0.0.7"},
                        .extended_key_usages = {std::string(pki::kOidClientAuth)}})) {
    ca_file_ = files_.Write("ca.pem", ca_.certificate_pem());
    ca_key_ = files_.Write("ca-key.pem", ca_.key_pem());
    file_ = files_.Write("tls.crt", leaf_.certificate_pem);
  }

  RunResult Renew(std::vector<std::string> words, absl::Time now = kLater) const {
    words.insert(words.begin(), {"renew", "--ca", ca_file_, "--ca-key", ca_key_});
    return RunWords(CertificateCommands(), words, {.now = now});
  }
  pki::Certificate Renewed(const std::string& name = "tls.crt") const {
    auto certificates = pki::Certificate::ParsePemBundle(files_.Read(name));
    EXPECT_TRUE(certificates.ok());
    return certificates->front();
  }

  pki::OpensslCommand files_;
  pki::TestCa ca_;
  pki::TestLeaf leaf_;
  std::string ca_file_;
  std::string ca_key_;
  std::string file_;
};

TEST_F(RenewTest, WhatIsDueIsIssuedAgainWithEverythingItHad) {
  ASSERT_EQ(chmod(file_.c_str(), 0640), 0);
  const RunResult result = Renew({file_});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("tls.crt: renewed, expires in 24h"));
  const pki::Certificate renewed = Renewed();
  EXPECT_EQ(renewed.subject(), leaf_.certificate.subject());
  EXPECT_EQ(renewed.dns_names(), leaf_.certificate.dns_names());
  EXPECT_EQ(renewed.ip_addresses(), leaf_.certificate.ip_addresses());
  EXPECT_EQ(renewed.extended_key_usages(), leaf_.certificate.extended_key_usages());
  EXPECT_EQ(renewed.key_usages(), leaf_.certificate.key_usages());
  EXPECT_EQ(renewed.public_key(), leaf_.certificate.public_key());
  EXPECT_NE(renewed.serial(), leaf_.certificate.serial());
  EXPECT_GT(renewed.not_after(), leaf_.certificate.not_after());
  struct stat status{};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_EQ(
      files_.Run("verify -attime {} -CAfile ca.pem tls.crt", absl::ToUnixSeconds(kLater)).exit_code,
      0);
}

TEST_F(RenewTest, WhatIsNotDueIsLeftAlone) {
  const RunResult result = Renew({file_, "--exec", "touch " + files_.Path("ran")}, pki::TestTime());
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("left alone, expires in 24h; due in 15h"));
  EXPECT_EQ(files_.Read("tls.crt"), leaf_.certificate_pem);
  EXPECT_NE(system(("test -e " + files_.Path("ran")).c_str()), 0);
  EXPECT_EQ(Renew({file_, "--force"}, pki::TestTime()).code, 0);
  EXPECT_NE(files_.Read("tls.crt"), leaf_.certificate_pem);
}

TEST_F(RenewTest, ExecRunsOnceItIsRenewed) {
  EXPECT_EQ(Renew({file_, "--exec", "touch " + files_.Path("ran")}).code, 0);
  EXPECT_EQ(system(("test -e " + files_.Path("ran")).c_str()), 0);
  const RunResult failed = Renew({file_, "--force", "--exec", "exit 3"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("the files are renewed, but the command of --exec has ended "
                                    "with code 3: run it again"));
}

TEST_F(RenewTest, ASignalGoesToTheProcess) {
  EXPECT_EQ(system(("sh -c 'trap \"touch " + files_.Path("hup") + "; exit\" HUP; echo $$ >" +
                    files_.Path("pid") + "; while :; do sleep 0.05; done' & sleep 0.3")
                       .c_str()),
            0);
  std::string pid = files_.Read("pid");
  pid.resize(pid.find('\n'));
  EXPECT_EQ(Renew({file_, "--signal", pid}).code, 0);
  EXPECT_EQ(system(("sleep 0.5; test -e " + files_.Path("hup")).c_str()), 0);
  EXPECT_THAT(Renew({file_, "--force", "--signal", "4194303"}).err,
              HasSubstr("process 4194303 cannot be signalled"));
}

TEST_F(RenewTest, ANewKeyIsWrittenWithIt) {
  const std::string key = files_.Path("new.key");
  EXPECT_EQ(Renew({file_, "--new-key", key}).code, 0);
  const auto parsed = pki::PrivateKey::ParsePem(files_.Read("new.key"));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(Renewed().public_key(), parsed->public_key());
  struct stat status{};
  ASSERT_EQ(stat(key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(RenewTest, AChainGetsTheNewChain) {
  const pki::TestCa middle = ca_.Intermediate("middle");
  const pki::TestLeaf leaf = middle.Leaf({.common_name = "below"});
  const std::string file = files_.Write("chain.crt", leaf.chain_pem);
  const std::string chain =
      files_.Write("chain.pem", middle.certificate_pem() + ca_.certificate_pem());
  const std::string key = files_.Write("middle.key", middle.key_pem());
  const RunResult result = RunWords(
      CertificateCommands(), {"renew", file, "--ca", chain, "--ca-key", key}, {.now = kLater});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto certificates = pki::Certificate::ParsePemBundle(files_.Read("chain.crt"));
  ASSERT_TRUE(certificates.ok());
  ASSERT_EQ(certificates->size(), 2U);
  EXPECT_EQ((*certificates)[1], middle.certificate());
}

TEST_F(RenewTest, CasAboveThatOnlyTheOldFileHasStay) {
  const pki::TestCa upper = ca_.Intermediate("upper", 2);
  const pki::TestCa lower = upper.Intermediate("lower");
  const pki::TestLeaf leaf = lower.Leaf({.common_name = "below"});
  const std::string file = files_.Write(
      "chain.crt", leaf.certificate_pem + lower.certificate_pem() + upper.certificate_pem());
  const std::string ca = files_.Write("lower.pem", lower.certificate_pem());
  const std::string key = files_.Write("lower.key", lower.key_pem());
  const RunResult result = RunWords(CertificateCommands(),
                                    {"renew", file, "--ca", ca, "--ca-key", key}, {.now = kLater});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto certificates = pki::Certificate::ParsePemBundle(files_.Read("chain.crt"));
  ASSERT_TRUE(certificates.ok());
  ASSERT_EQ(certificates->size(), 3U);
  EXPECT_EQ((*certificates)[1], lower.certificate());
  EXPECT_EQ((*certificates)[2], upper.certificate());
}

TEST_F(RenewTest, FilesKeepTheirModesWhateverTheUmask) {
  const std::string key = files_.Write("tls.key", leaf_.key_pem);
  ASSERT_EQ(chmod(file_.c_str(), 0644) + chmod(key.c_str(), 0640), 0);
  umask(077);
  const RunResult result = Renew({file_, "--new-key", key});
  umask(022);
  EXPECT_EQ(result.code, 0) << result.err;
  struct stat status{};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
  ASSERT_EQ(stat(key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U) << "a server's group reads it";
}

TEST_F(RenewTest, WhatItCouldNotWriteAgainIsRefused) {
  ASSERT_EQ(files_.Run("pkey -in ca-key.pem -pubout -out public.pem").exit_code, 0);
  const std::string& leaf = leaf_.certificate_pem;
  const std::pair<std::string, const char*> cases[] = {
      {leaf + files_.Read("public.pem"), "this one is one with a public key"},
      {leaf + "-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n",
       "this one is one with parameters of keys"},
      {leaf + ca_.Leaf({.common_name = "second"}).certificate_pem,
       "this one is one with a second certificate, of \"second\", that is no CA"},
  };
  for (const auto& [text, want] : cases) {
    SCOPED_TRACE(want);
    files_.Write("tls.crt", text);
    const RunResult result = Renew({file_});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr(want));
    EXPECT_EQ(files_.Read("tls.crt"), text);
  }
}

TEST_F(RenewTest, OneThatCannotBeRenewedLeavesAllAsTheyWere) {
  const pki::TestCa other("other");
  const std::string foreign =
      files_.Write("foreign.crt", other.Leaf({.common_name = "f"}).certificate_pem);
  const std::string pair = files_.Write("pair.pem", leaf_.certificate_pem + leaf_.key_pem);
  const std::string self = files_.Write("self.crt", ca_.certificate_pem());
  struct Case {
    std::vector<std::string> words;
    const char* want;
  };
  const Case cases[] = {
      {{file_, foreign}, "foreign.crt: it was issued by \"CN=other\", and "},
      {{file_, pair}, "this one is one with a private key"},
      {{file_, self, "--force"}, "it is self-signed, no CA has issued it"},
      {{file_, files_.Path("none.crt")}, "none.crt: No such file or directory"},
      {{file_, "--ca-key", files_.Write("other.key", other.key_pem())},
       "is for another ECDSA-P256 key"},
      {{file_, "--new-key", files_.Path("none/new.key")}, "make its folder first"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.want);
    const RunResult result = Renew(c.words);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr(c.want));
    EXPECT_EQ(files_.Read("tls.crt"), leaf_.certificate_pem);
  }
}

TEST_F(RenewTest, ACaThatNobodyAcceptsIsRefused) {
  EXPECT_THAT(Renew({file_, "--force"}, pki::TestTime() + absl::Hours(24 * 400)).err,
              AllOf(HasSubstr("the CA \"CN=ca\" has expired at 2028-01-15"),
                    HasSubstr("nothing was changed")));
  const pki::TestLeaf no_ca = ca_.Leaf({.common_name = "ca"});
  files_.Write("ca.pem", no_ca.certificate_pem);
  files_.Write("ca-key.pem", no_ca.key_pem);
  EXPECT_THAT(Renew({file_}).err, HasSubstr("basicConstraints"));
}

TEST(RenewalThresholdTest, ReadsPartsAndTimes) {
  EXPECT_EQ(ParseRenewalThreshold("75%")->percent, 75);
  EXPECT_EQ(ParseRenewalThreshold("720h")->left, absl::Hours(720));
  EXPECT_EQ(ParseRenewalThreshold("30d")->left, absl::Hours(720));
  for (const char* bad : {"", "%", "101%", "-1%", "7.5%", "30", "inf", "-1h", "d"}) {
    EXPECT_FALSE(ParseRenewalThreshold(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace calico::calicert
