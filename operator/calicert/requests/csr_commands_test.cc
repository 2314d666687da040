// The commands as they are typed, from the description to the certificate.
#include "operator/calicert/requests/csr_commands.h"

#include <filesystem>
#include <string>
#include <vector>

#include <absl/strings/match.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_program.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/file.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Csr = api::CertificateSigningRequest;

constexpr char kDescription[] = R"({"CN": "a.example", "hosts": ["a.example", "10.0.0.1"],
  "key": {"algo": "ecdsa", "size": 256}})";
constexpr char kConfig[] = R"({"signing": {"default": {"usages": ["digital signature",
  "key encipherment", "server auth"], "expiry": "2000h", "ca_constraint": {"is_ca": false}}}})";

class CsrCommandsTest : public ClusterProgramTest {
 protected:
  aio::Task<RunResult> Csrs(std::vector<std::string> words, std::string in = "") {
    words.insert(words.begin(), "csr");
    return Run(CsrCommands(), std::move(words), std::move(in));
  }
  aio::Task<RunResult> Create(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"create",
                                      "a",
                                      Write("a.json", kDescription),
                                      "--out",
                                      folder() + "/a",
                                      "--signer-name",
                                      "example.com/serving"};
    words.insert(words.end(), more.begin(), more.end());
    return Csrs(std::move(words));
  }
  std::string CaFile() { return Write("ca.pem", ca_.certificate_pem()); }
  std::string CaKeyFile() { return Write("ca-key.pem", ca_.key_pem()); }
  Csr Stored(const std::string& name = "a") {
    const auto object = server().Find(api::kCertificateSigningRequests, {"", name});
    return object.has_value() ? Csr::Decode(*object).value() : Csr();
  }

  pki::TestCa ca_;
};

ASYNC_TEST_F(CsrCommandsTest, CreateApproveSignDownload) {
  RunResult result = co_await Create();
  EXPECT_EQ(result.out, "certificatesigningrequest.certificates.k8s.io/a created\n") << result.err;
  EXPECT_EQ(Stored().signer_name, "example.com/serving");
  EXPECT_THAT(Stored().usages, ElementsAre("digital signature", "key encipherment", "server auth"));
  result = co_await Csrs({"approve", "a"});
  EXPECT_EQ(result.out, "certificatesigningrequest.certificates.k8s.io/a approved\n");
  result = co_await Csrs({"sign", "a", "--ca", CaFile(), "--ca-key", CaKeyFile()});
  EXPECT_EQ(result.out, "certificatesigningrequest.certificates.k8s.io/a signed\n") << result.err;
  const std::string file = folder() + "/a.crt";
  result = co_await Csrs({"wait", "a", "--out", file});
  EXPECT_EQ(result.code, 0) << result.err;
  result = co_await Csrs({"get", "a", "-o", "pem"});
  EXPECT_EQ(result.out, base::ReadFile(file).value());
  const auto leaf = pki::Certificate::ParsePem(result.out);
  EXPECT_EQ(leaf->common_name(), "a.example");
  EXPECT_EQ(leaf->not_after(), pki::TestTime() + absl::Hours(24 * 365) - absl::Minutes(5));
}

ASYNC_TEST_F(CsrCommandsTest, CreateIsSafeToRepeat) {
  co_await Create();
  const std::string key = base::ReadFile(folder() + "/a-key.pem").value();
  const RunResult again = co_await Create();
  EXPECT_EQ(again.out, "certificatesigningrequest.certificates.k8s.io/a unchanged\n") << again.err;
  EXPECT_EQ(base::ReadFile(folder() + "/a-key.pem").value(), key);
}

ASYNC_TEST_F(CsrCommandsTest, AnotherKeyIsToldNotKeptInSilence) {
  co_await Create();
  const RunResult other = co_await Create({"--key", folder() + "/other.pem"});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("it was made with another key"), HasSubstr("--replace")));
  const RunResult replaced = co_await Create({"--key", folder() + "/other.pem", "--replace"});
  EXPECT_EQ(replaced.out, "certificatesigningrequest.certificates.k8s.io/a replaced\n");
}

ASYNC_TEST_F(CsrCommandsTest, DryRunWritesNothing) {
  const RunResult result = co_await Create({"--dry-run"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("signerName: example.com/serving\n"));
  EXPECT_FALSE(base::ReadFile(folder() + "/a-key.pem").ok());
  EXPECT_EQ(server().Count(""), 0);
}

ASYNC_TEST_F(CsrCommandsTest, ListsLikeKubectl) {
  co_await Create({"--expiration-seconds", "86400"});
  const RunResult result = co_await Csrs({"list"});
  EXPECT_EQ(result.out,
            "NAME   AGE   SIGNERNAME            REQUESTOR          REQUESTEDDURATION   CONDITION\n"
            "a      0s    example.com/serving   kubernetes-admin   24h                 Pending\n");
  const RunResult none = co_await Csrs({"list", "--state", "issued"});
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("No resources found"));
  EXPECT_EQ((co_await Csrs({"list", "-o", "name"})).out,
            "certificatesigningrequest.certificates.k8s.io/a\n");
  const auto list = codec::ParseJsonObject((co_await Csrs({"list", "-o", "json"})).out);
  CO_ASSERT_OK(list.status());
  EXPECT_EQ(codec::TextAt(*list, "kind"), "List");
  EXPECT_EQ(codec::FindArray(*list, "items")->size(), 1u);
}

ASYNC_TEST_F(CsrCommandsTest, DenialsHaveTheirOwnExitCode) {
  co_await Create();
  const RunResult denied =
      co_await Csrs({"deny", "a", "--reason", "NotOurs", "--message", "no such service"});
  EXPECT_EQ(denied.out, "certificatesigningrequest.certificates.k8s.io/a denied\n");
  const RunResult waited = co_await Csrs({"wait", "a"});
  EXPECT_EQ(waited.code, 3);
  EXPECT_THAT(waited.err, HasSubstr("was denied (NotOurs: no such service)"));
  const RunResult again = co_await Create();
  EXPECT_THAT(again.err, HasSubstr("it is Denied (NotOurs: no such service), which is final"));
  const RunResult approved = co_await Csrs({"approve", "a"});
  EXPECT_EQ(approved.code, 1);
  EXPECT_THAT(approved.err, HasSubstr("certificate signing request \"a\" is already Denied"));
  const RunResult anew = co_await Create({"--replace"});
  EXPECT_EQ(anew.out, "certificatesigningrequest.certificates.k8s.io/a replaced\n") << anew.err;
  EXPECT_FALSE(Stored().IsDenied());
}

ASYNC_TEST_F(CsrCommandsTest, SignsByAProfileAndTellsWhereItDiffers) {
  co_await Create({"--usage", "client auth"});
  co_await Csrs({"approve", "a"});
  const RunResult result = co_await Csrs({"sign", "a", "--ca", CaFile(), "--ca-key", CaKeyFile(),
                                          "--config", Write("config.json", kConfig)});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("spec.usages of \"a\" asks for client auth; "));
  const auto leaf = pki::Certificate::ParsePem(Stored().certificate_pem);
  CO_ASSERT_OK(leaf.status());
  EXPECT_TRUE(leaf->HasExtendedKeyUsage(pki::kOidServerAuth));
  EXPECT_FALSE(leaf->HasExtendedKeyUsage(pki::kOidClientAuth));
}

ASYNC_TEST_F(CsrCommandsTest, StoresWhatWasSignedElsewhereForThisKeyOnly) {
  co_await Create();
  co_await Csrs({"approve", "a"});
  const RunResult foreign = co_await Csrs(
      {"sign", "a", "--certificate", Write("b.crt", ca_.Leaf({.common_name = "b"}).chain_pem)});
  EXPECT_EQ(foreign.code, 1);
  EXPECT_THAT(foreign.err, HasSubstr("another key"));
  const auto request = pki::CertificateRequest::ParsePem(Stored().request_pem);
  const pki::Certificate leaf =
      ca_.Issue(request->public_key(), {.common_name = "a.example",
                                        .not_before = pki::TestTime(),
                                        .not_after = pki::TestTime() + absl::Hours(1)});
  const RunResult stored =
      co_await Csrs({"sign", "a", "--certificate", Write("a.crt", leaf.pem())});
  EXPECT_EQ(stored.code, 0) << stored.err;
  EXPECT_EQ(Stored().certificate_pem, leaf.pem());
}

ASYNC_TEST_F(CsrCommandsTest, DeletesLikeKubectl) {
  co_await Create();
  const RunResult result = co_await Csrs({"delete", "a"});
  EXPECT_EQ(result.out, "certificatesigningrequest.certificates.k8s.io \"a\" deleted\n");
  EXPECT_EQ((co_await Csrs({"delete", "a"})).code, 1);
  EXPECT_EQ((co_await Csrs({"delete", "a", "--ignore-not-found"})).code, 0);
}

ASYNC_TEST_F(CsrCommandsTest, WrongFlagsAreToldBeforeAnythingIsDone) {
  EXPECT_EQ((co_await Csrs({"create", "a", "--signer-name", "example.com/b"})).code, 2);
  EXPECT_EQ((co_await Csrs({"sign", "a", "--ca", "ca.pem"})).code, 2);
  EXPECT_EQ((co_await Csrs({"wait", "a", "b", "--out", "f"})).code, 2);
  const RunResult bad =
      co_await Csrs({"create", "a/b", "--cn", "x", "--signer-name", "nodomain", "--usage", "Web",
                     "--key", folder() + "/k.pem", "--dry-run"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, AllOf(HasSubstr("\"a/b\" is no name"), HasSubstr("signer name \"nodomain\""),
                             HasSubstr("usage \"Web\" is not known")));
  EXPECT_EQ(server().Count(""), 0);
}

ASYNC_TEST_F(CsrCommandsTest, AProblemIsToldBeforeAKeyIsWritten) {
  const RunResult result = co_await Csrs({"create", "b/c", Write("a.json", kDescription), "--out",
                                          folder() + "/new", "--signer-name", "nodots/serving"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("error: \"b/c\" is no name"),
                                HasSubstr("error: signer name \"nodots/serving\"")));
  EXPECT_FALSE(std::filesystem::exists(folder() + "/new-key.pem"));
}

ASYNC_TEST_F(CsrCommandsTest, NamesInFlagsNeedNoCommonName) {
  const RunResult result =
      co_await Csrs({"create", "b", "--hostname", "b.example", "--key", folder() + "/b.pem",
                     "--signer-name", "example.com/serving"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, Not(HasSubstr("warning")));
}

}  // namespace
}  // namespace calico::calicert
