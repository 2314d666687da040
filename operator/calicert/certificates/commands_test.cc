#include "operator/calicert/certificates/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/testing/run.h"
#include "pkg/codec/json.h"
#include "pkg/pki/formats/encrypted_key.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CertificateCommandsTest : public ::testing::Test {
 protected:
  CertificateCommandsTest()
      : root_("root"),
        middle_(root_.Intermediate("middle")),
        leaf_(middle_.Leaf({.common_name = "typha",
                            .dns_names = {"typha", "typha.example.com"},
                            .ip_addresses = {"10.0.0.7"}})) {
    files_.Write("leaf.pem", leaf_.certificate_pem);
    files_.Write("chain.pem", leaf_.chain_pem);
    files_.Write("key.pem", leaf_.key_pem);
    files_.Write("root.pem", root_.certificate_pem());
    files_.Write("middle.pem", middle_.certificate_pem());
  }

  // `words` with names of files that are there replaced by their paths.
  RunResult Run(std::vector<std::string> words, const RunOptions& options = {}) const {
    for (std::string& word : words) {
      if (word.find('.') != std::string::npos && !files_.Read(word).empty()) {
        word = files_.Path(word);
      }
    }
    return RunWords(CertificateCommands(cluster_), words, options);
  }

  pki::OpensslCommand files_;
  pki::TestCa root_;
  pki::TestCa middle_;
  pki::TestLeaf leaf_;
  DeclareCluster cluster_;
};

TEST_F(CertificateCommandsTest, InspectShowsTheLeafAndSaysThatThereIsMore) {
  const RunResult result = Run({"inspect", "chain.pem"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("chain.pem, 1 of 2:\n  Subject:     CN=typha\n"),
                                HasSubstr("Names:       DNS:typha, DNS:typha.example.com, "
                                          "IP:10.0.0.7\n"),
                                HasSubstr("(expires in 24h)"),
                                HasSubstr("Usage:       serverAuth, clientAuth\n"),
                                Not(HasSubstr("middle\n  Issuer:      CN=root"))));
  EXPECT_THAT(result.err, HasSubstr("1 more certificate, --bundle shows them all"));
  EXPECT_THAT(Run({"inspect", "--bundle", "chain.pem"}).out,
              HasSubstr("CA:          yes, no CA below it\n"));
}

TEST_F(CertificateCommandsTest, InspectHasFormats) {
  EXPECT_EQ(Run({"inspect", "-o", "pem", "chain.pem"}).out, leaf_.certificate_pem);
  const auto document = codec::ParseJson(Run({"inspect", "-o", "json", "leaf.pem"}).out);
  ASSERT_TRUE(document.ok());
  const json::object& first = document->as_array().at(0).as_object();
  EXPECT_EQ(codec::TextAt(first, "subject"), "CN=typha");
  EXPECT_EQ(codec::TextAt(first, "notAfter"), "2027-01-16T08:00:00Z");
  EXPECT_THAT(Run({"inspect", "-o", "table", "--bundle", "chain.pem"}).out,
              AllOf(StartsWith("SOURCE"), HasSubstr("middle   root")));
  EXPECT_THAT(Run({"inspect", "--short", "leaf.pem"}).out,
              AllOf(Not(HasSubstr("SOURCE")), HasSubstr("typha   middle   serverAuth, clientAuth   "
                                                        "expires in 24h\n")));
  EXPECT_THAT(Run({"inspect", "--full", "leaf.pem"}).out, HasSubstr("X509v3 Basic Constraints"));
}

TEST_F(CertificateCommandsTest, InspectReadsEveryContainer) {
  ASSERT_EQ(files_.Run("x509 -in leaf.pem -outform DER -out leaf.der").exit_code, 0);
  ASSERT_EQ(files_.Run("crl2pkcs7 -nocrl -certfile chain.pem -out chain.p7b").exit_code, 0);
  ASSERT_EQ(
      files_.Run("pkcs12 -export -inkey key.pem -in chain.pem -passout pass:secret -out a.p12")
          .exit_code,
      0);
  ASSERT_EQ(files_.Run("req -new -key key.pem -subj /CN=asked -out a.csr").exit_code, 0);
  files_.Write("secret.txt", "secret\n");
  EXPECT_EQ(Run({"inspect", "-o", "pem", "leaf.der"}).out, leaf_.certificate_pem);
  EXPECT_EQ(Run({"inspect", "-o", "pem", "-"}, {.in = files_.Read("leaf.der")}).out,
            leaf_.certificate_pem);
  EXPECT_EQ(Run({"inspect", "-o", "pem", "--bundle", "chain.p7b"}).code, 0);
  EXPECT_EQ(Run({"inspect", "-o", "pem", "a.p12", "--passphrase-file", "secret.txt"}).out,
            leaf_.certificate_pem);
  EXPECT_EQ(Run({"inspect", "-o", "pem", "a.p12"}, {.in = "secret\n", .in_is_terminal = true}).out,
            leaf_.certificate_pem);
  EXPECT_THAT(Run({"inspect", "a.p12"}).err, HasSubstr("--passphrase-file FILE"));
  EXPECT_THAT(Run({"inspect", "a.csr"}).out,
              HasSubstr("a certificate request\n  Subject:     CN=asked"));
}

TEST_F(CertificateCommandsTest, WhatIsSomethingElseIsNamed) {
  ASSERT_EQ(files_.Run("pkey -in key.pem -pubout -out public.pem").exit_code, 0);
  files_.Write("list.pem", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n");
  struct Case {
    std::vector<std::string> words;
    const char* want;
  };
  const Case cases[] = {
      {{"inspect", "public.pem"}, "no certificate in it, but a public key\n"},
      {{"inspect", "list.pem"}, "no certificate in it, but a certificate revocation list\n"},
      {{"inspect", "key.pem"}, "but a private key: calicert key inspect shows it\n"},
      {{"fingerprint", "public.pem"}, "no certificate in it, but a public key\n"},
      {{"key", "inspect", "public.pem"}, "no private key in it, but a public key\n"},
      {{"key", "inspect", "leaf.pem"}, "no private key in it, but a certificate\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.want);
    const RunResult result = Run(c.words);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr(c.want));
  }
  std::string twice = root_.Leaf({.common_name = "a"}).certificate.der();
  // Its subjectKeyIdentifier becomes a second authorityKeyIdentifier.
  twice.replace(twice.find("\x06\x03\x55\x1d\x0e"), 5, "\x06\x03\x55\x1d\x23");
  files_.Write("twice.der", twice);
  EXPECT_THAT(Run({"inspect", "twice.der"}).err,
              HasSubstr("(read as a certificate: read extension authorityKeyIdentifier"));
  files_.Write("both.pem", leaf_.certificate_pem + files_.Read("public.pem"));
  EXPECT_THAT(Run({"inspect", "both.pem"}).err,
              HasSubstr("both.pem: a public key, which is not looked at\n"));
}

TEST_F(CertificateCommandsTest, AStoreWithoutAPassphraseIsReadUnasked) {
  ASSERT_EQ(
      files_.Run("pkcs12 -export -nokeys -in chain.pem -passout pass: -out open.p12").exit_code, 0);
  const RunResult result = Run({"inspect", "-o", "pem", "--bundle", "open.p12"});
  EXPECT_EQ(result.out, leaf_.chain_pem) << result.err;
}

TEST_F(CertificateCommandsTest, AClustersNamesGoToItsReader) {
  std::string ns = "default";
  cluster_ = [&](config::Flags& flags) -> ClusterReader {
    flags.Text({.name = "namespace", .value = "NAME", .help = "which", .letter = 'n'}, &ns);
    return [&](const std::string& name, Terminal&) -> absl::StatusOr<std::string> {
      if (name != "secret/typha") return absl::NotFoundError("no such Secret");
      return leaf_.certificate_pem;
    };
  };
  EXPECT_EQ(Run({"inspect", "-n", "calico-system", "-o", "pem", "secret/typha"}).out,
            leaf_.certificate_pem);
  EXPECT_EQ(ns, "calico-system");
  EXPECT_EQ(Run({"needs-renewal", "secret/none"}).code, 2);
}

TEST_F(CertificateCommandsTest, NeedsRenewalAnswersByItsExitCode) {
  struct Case {
    std::vector<std::string> words;
    int hours;  // after the test's time; the leaf lives from -1 h to 24 h
    int code;
  };
  const Case cases[] = {
      {{"needs-renewal", "leaf.pem"}, 0, 1},
      {{"needs-renewal", "leaf.pem"}, 16, 0},  // 17/25 is over
      {{"needs-renewal", "--expires-in", "75%", "leaf.pem"}, 16, 1},
      {{"needs-renewal", "--expires-in", "75%", "leaf.pem"}, 18, 0},
      {{"needs-renewal", "--expires-in=10h", "leaf.pem"}, 13, 1},
      {{"needs-renewal", "--expires-in=10h", "leaf.pem"}, 14, 0},
      {{"needs-renewal", "--expires-in=1d", "leaf.pem"}, 0, 0},
      {{"needs-renewal", "leaf.pem"}, 1000, 0},
      {{"needs-renewal", "none.pem"}, 0, 2},
      {{"needs-renewal", "key.pem"}, 0, 255},
      {{"needs-renewal", "--expires-in", "soon", "leaf.pem"}, 0, 255},
      {{"needs-renewal"}, 0, 255},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.words));
    EXPECT_EQ(Run(c.words, {.now = pki::TestTime() + absl::Hours(c.hours)}).code, c.code);
  }
  EXPECT_EQ(Run({"needs-renewal", "-q", "leaf.pem"}).err, "");
}

TEST_F(CertificateCommandsTest, LintFailsOnWhatIsAskedFor) {
  EXPECT_EQ(Run({"lint", "leaf.pem"}).code, 0);
  const RunResult expired = Run({"lint", "leaf.pem"}, {.now = pki::TestTime() + absl::Hours(99)});
  EXPECT_EQ(expired.code, 1);
  EXPECT_THAT(expired.out,
              HasSubstr("error      expired   it has expired at 2027-01-16T08:00:00Z"));
  files_.Write("order.pem", leaf_.certificate_pem + root_.certificate_pem());
  EXPECT_EQ(Run({"lint", "order.pem"}).code, 0);
  const RunResult order = Run({"lint", "--fail-on", "warning", "order.pem"});
  EXPECT_EQ(order.code, 1);
  EXPECT_THAT(order.out, HasSubstr("chain-order"));
  EXPECT_EQ(Run({"lint", "leaf.pem", "none.pem"}).code, 1);
  EXPECT_THAT(Run({"lint", "leaf.pem"}).err, HasSubstr("nothing found"));
  EXPECT_THAT(Run({"lint", "none.pem"}).err, Not(HasSubstr("nothing found")));
}

TEST_F(CertificateCommandsTest, FingerprintsAreOpenssls) {
  const std::string theirs = files_.Run("x509 -in leaf.pem -noout -fingerprint -sha256").output;
  const RunResult colons = Run({"fingerprint", "--colons", "leaf.pem"});
  EXPECT_THAT(theirs, HasSubstr("=" + colons.out));
  const std::string key = files_
                              .Run(
                                  "x509 -in leaf.pem -noout -pubkey | openssl pkey -pubin "
                                  "-outform DER | openssl dgst -sha256 -r")
                              .output;
  const std::string ours = Run({"fingerprint", "--public-key", "leaf.pem"}).out;
  EXPECT_THAT(key, StartsWith(ours.substr(0, 64)));
  EXPECT_THAT(Run({"fingerprint", "leaf.pem", "root.pem"}).out,
              HasSubstr("  " + files_.Path("root.pem")));
  const RunResult missing = Run({"fingerprint", "none.pem", "root.pem"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.out, HasSubstr(files_.Path("root.pem"))) << "one bad file hides no other";
}

TEST_F(CertificateCommandsTest, VerifyTellsEachLink) {
  const RunResult good = Run({"verify", "chain.pem", "--ca", "root.pem", "--host",
                              "typha.example.com,10.0.0.7", "--key", "key.pem"});
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  EXPECT_THAT(good.out, AllOf(HasSubstr("ok      chain: CN=typha: signed by CN=middle\n"),
                              HasSubstr("ok      chain: CN=middle: signed by CN=root\n"),
                              HasSubstr("ok      chain: CN=root: trusted ("),
                              HasSubstr("ok      host: 10.0.0.7: it is for this host\n")));
}

TEST_F(CertificateCommandsTest, VerifySaysWhichLinkFailsAndWhy) {
  const pki::TestCa again("root");  // the same name, another key
  files_.Write("again.pem", again.certificate_pem());
  files_.Write("other.pem", pki::TestCa("other").certificate_pem());
  files_.Write("other-key.pem", again.key_pem());
  files_.Write("upside-down.pem", middle_.certificate_pem() + leaf_.certificate_pem);
  files_.Write(
      "client.pem",
      root_.Leaf({.common_name = "c", .extended_key_usages = {std::string(pki::kOidClientAuth)}})
          .certificate_pem);
  struct Case {
    std::vector<std::string> words;
    const char* want;
  };
  const Case cases[] = {
      {{"leaf.pem", "--ca", "root.pem"},
       "FAILED  chain: CN=typha: its issuer \"CN=middle\" is neither in "},
      {{"chain.pem", "--ca", "other.pem"},
       "FAILED  chain: CN=middle: its issuer \"CN=root\" is neither in "},
      {{"chain.pem", "--ca", "again.pem"},
       "but with another key: has the CA been made anew since?"},
      {{"client.pem", "--ca", "root.pem"}, "it is for clientAuth, not for serverAuth"},
      {{"chain.pem", "--ca", "root.pem", "--host", "felix"},
       "FAILED  host: felix: it is for typha, typha.example.com, 10.0.0.7, not for felix"},
      {{"chain.pem", "--ca", "root.pem", "--key", "other-key.pem"}, "FAILED  key: "},
      {{"upside-down.pem", "--ca", "root.pem"},
       "it is a CA and stands first: put the certificate that is for the host first"},
      {{"root.pem", "--ca", "root.pem"}, "FAILED  chain: CN=root: verify certificate: unsuitable"},
      {{"chain.pem", "--ca", "root.pem", "--at", "2027-03-01T00:00:00Z"},
       "FAILED  chain: CN=typha: it has expired at 2027-01-16T08:00:00Z"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> words = c.words;
    words.insert(words.begin(), "verify");
    const RunResult result = Run(words);
    SCOPED_TRACE(testing::PrintToString(words) + result.err);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.out, HasSubstr(c.want));
  }
  EXPECT_EQ(Run({"verify", "client.pem", "--ca", "root.pem", "--usage", "client"}).code, 0);
  EXPECT_EQ(Run({"verify", "leaf.pem", "--ca", "root.pem", "--intermediates", "middle.pem"}).code,
            0);
}

TEST_F(CertificateCommandsTest, AHostThatIsEmptyIsNotLeftOut) {
  const RunResult result = Run({"verify", "chain.pem", "--ca", "root.pem", "--host", ""});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--host: \"\": expected a value"));
}

TEST_F(CertificateCommandsTest, KeysAreShownWithoutTheirSecret) {
  ASSERT_EQ(
      files_.Run("pkcs8 -topk8 -in key.pem -v2 aes256 -passout pass:secret -out enc.pem").exit_code,
      0);
  files_.Write("secret.txt", "secret\n");
  const RunResult plain = Run({"key", "inspect", "key.pem", "--certificate", "leaf.pem"});
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("ECDSA-P256   SEC1 PEM"));
  EXPECT_THAT(Run({"key", "inspect", "enc.pem", "--passphrase-file", "secret.txt"}).out,
              HasSubstr("PKCS#8 PEM, encrypted with PBES2 (aes-256-cbc)"));
  const RunResult foreign = Run({"key", "inspect", "key.pem", "--certificate", "root.pem"});
  EXPECT_EQ(foreign.code, 1);
  EXPECT_THAT(foreign.err, HasSubstr("is for another ECDSA-P256 key"));
  ASSERT_EQ(files_.Run("genrsa -out weak.pem 1024").exit_code, 0);
  EXPECT_EQ(Run({"key", "inspect", "weak.pem"}).code, 1);
}

TEST_F(CertificateCommandsTest, FormatsGoThereAndBack) {
  files_.Write("secret.txt", "secret\n");
  const std::string p12 = files_.Path("out.p12");
  const RunResult made =
      Run({"format", "chain.pem", "--key", "key.pem", "--to", "pkcs12", "--alias", "web", "--out",
           p12, "--out-passphrase-file", "secret.txt"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(files_.Run("pkcs12 -in {} -passin pass:secret -nokeys", p12).output,
              HasSubstr("friendlyName: web"));
  const RunResult back = Run({"format", "out.p12", "--passphrase-file", "secret.txt"});
  EXPECT_EQ(back.out, leaf_.chain_pem + leaf_.key_pem);
  EXPECT_THAT(Run({"format", "key.pem", "--to", "pkcs8"}).out,
              StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(Run({"format", "leaf.pem", "--to", "der"}).out, leaf_.certificate.der());
  const RunResult encrypted = Run(
      {"format", "key.pem", "--to", "pkcs8", "--encrypt", "--out-passphrase-file", "secret.txt"});
  files_.Write("enc.pem", encrypted.out);
  EXPECT_EQ(files_.Run("pkey -in enc.pem -passin pass:secret -noout").exit_code, 0);
  EXPECT_EQ(
      Run({"format", "enc.pem", "--to", "traditional", "--passphrase-file", "secret.txt"}).out,
      leaf_.key_pem);
  EXPECT_THAT(Run({"format", "chain.pem", "--to", "der"}).err,
              HasSubstr("DER holds one thing, and 2"));
  EXPECT_THAT(Run({"format", "chain.pem", "--to", "pkcs12"}).err, HasSubstr("give --key FILE"));
  EXPECT_THAT(Run({"format", "leaf.pem", "--to", "der"}, {.out_is_terminal = true}).err,
              HasSubstr("give --out FILE"));
}

TEST_F(CertificateCommandsTest, AKeyThatShallBeEncryptedIsNeverWrittenPlain) {
  files_.Write("secret.txt", "secret\n");
  const std::vector<std::string> cases[] = {
      {"--encrypt", "--out-passphrase-file", "secret.txt"},
      {"--encrypt", "--to", "der"},
      {"--encrypt", "--to", "traditional"},
      {"--out-passphrase-file", "secret.txt"},
      {"--to", "pkcs8", "--out-passphrase-file", "secret.txt"},
      {"--key", "key.pem"},
      {"--alias", "web"},
  };
  for (std::vector<std::string> words : cases) {
    words.insert(words.begin(), {"format", "key.pem"});
    const RunResult result = Run(words);
    EXPECT_EQ(result.code, 2) << testing::PrintToString(words);
    EXPECT_EQ(result.out, "") << testing::PrintToString(words);
    EXPECT_THAT(result.err, HasSubstr(": goes with --to pkcs")) << testing::PrintToString(words);
  }
}

TEST_F(CertificateCommandsTest, AKeyThatIsThereIsReplacedOnlyByForce) {
  const RunResult over = Run({"format", "leaf.pem", "--out", "key.pem"});
  EXPECT_EQ(over.code, 1);
  EXPECT_THAT(over.err, HasSubstr("key.pem: a private key is there; --force replaces it"));
  EXPECT_EQ(files_.Read("key.pem"), leaf_.key_pem);
  files_.Write("again.pem", leaf_.key_pem);
  EXPECT_EQ(Run({"format", "again.pem", "--to", "pkcs8", "--out", "again.pem"}).code, 0)
      << "in place";
  EXPECT_THAT(files_.Read("again.pem"), StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(Run({"format", "leaf.pem", "--out", "again.pem", "--force"}).code, 0);
  EXPECT_EQ(files_.Read("again.pem"), leaf_.certificate_pem);
}

}  // namespace
}  // namespace calico::calicert
