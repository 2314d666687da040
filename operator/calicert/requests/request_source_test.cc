#include "operator/calicert/requests/request_source.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/requests/kept_key.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml_writer.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/pem.h"

namespace calico::calicert::requests {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kDescription[] = R"({"CN": "a.example", "hosts": ["a.example", "10.0.0.1"],
  "key": {"algo": "ecdsa", "size": 256}})";

MadeRequest Made() { return MakeRequest(kDescription, "a.json", std::nullopt).value(); }

TEST(RequestSourceTest, MakesKeyAndRequestOfADescription) {
  const auto source = ReadRequestSource(kDescription, "a.json");
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ(source->request_pem, "");
  const auto made = MakeRequest(source->description, "a.json", std::nullopt);
  ASSERT_THAT(made, IsOk());
  const auto request = pki::CertificateRequest::ParsePem(made->request_pem);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->common_name(), "a.example");
  EXPECT_THAT(request->dns_names(), ElementsAre("a.example"));
  EXPECT_TRUE(request->public_key() == made->key.public_key());
}

TEST(RequestSourceTest, UsesTheKeyThatIsThere) {
  MadeRequest first = Made();
  const std::string der = first.key.public_key().der();
  const auto second = MakeRequest(kDescription, "a.json", std::move(first.key));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->key.public_key().der(), der);
}

TEST(RequestSourceTest, RelabelsAndWraps) {
  const std::string pem = Made().request_pem;
  const std::string der = pki::ParseSinglePem(pem, "CERTIFICATE REQUEST").value();
  for (const std::string& text :
       {pem, pki::EncodePem("NEW CERTIFICATE REQUEST", der), der, "some text\n" + pem + "more"}) {
    const auto source = ReadRequestSource(text, "a.csr");
    ASSERT_THAT(source, IsOk());
    EXPECT_EQ(source->request_pem, pem);
    EXPECT_FALSE(source->key.has_value());
  }
}

TEST(RequestSourceTest, TakesTheAnswerOfGenkey) {
  const MadeRequest made = Made();
  const std::string answer =
      codec::Serialize(json::object{{"csr", made.request_pem}, {"key", made.key.ToPem().view()}});
  const auto source = ReadRequestSource(answer, "-");
  ASSERT_THAT(source, IsOk());
  EXPECT_EQ(source->request_pem, made.request_pem);
  ASSERT_TRUE(source->key.has_value());
  EXPECT_TRUE(source->key->public_key() == made.key.public_key());
}

TEST(RequestSourceTest, TakesAManifestInYamlAndJson) {
  api::CertificateSigningRequest csr;
  csr.meta.name = "a";
  csr.request_pem = Made().request_pem;
  csr.signer_name = "example.com/serving";
  csr.usages = {"server auth"};
  const json::value object = csr.EncodeNew();
  for (const std::string& text : {codec::ToYaml(object), codec::Serialize(object)}) {
    const auto source = ReadRequestSource(text, "a.yaml");
    ASSERT_THAT(source, IsOk());
    EXPECT_EQ(source->request_pem, csr.request_pem);
    ASSERT_TRUE(source->manifest.has_value());
    EXPECT_EQ(source->manifest->signer_name, "example.com/serving");
  }
}

TEST(RequestSourceTest, NamesWhatWasFoundInstead) {
  const auto message = [](std::string_view text) {
    return std::string(ReadRequestSource(text, "f").status().message());
  };
  EXPECT_EQ(message(" \n"), "f: it is empty");
  EXPECT_EQ(message(pki::EncodePem("CERTIFICATE", "x")),
            "f: there is a PEM block CERTIFICATE where a CERTIFICATE REQUEST is needed");
  EXPECT_THAT(message("kind: Pod\n"), HasSubstr("neither a request"));
  EXPECT_THAT(message("a: b: c"), StartsWith("f: "));
  EXPECT_THAT(message(std::string(2 << 20, 'x')), HasSubstr("more than"));
}

TEST(RequestSourceTest, NamesLineOfABadDescription) {
  const auto made = MakeRequest("{\n  \"hosts\": [\"a.example:443\"],\n}", "a.json", std::nullopt);
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("a.json"));
  EXPECT_FALSE(made.ok());
}

TEST(RequestSourceTest, SaysThatACaSectionDoesNotCount) {
  const auto made =
      MakeRequest(R"({"CN": "a", "ca": {"expiry": "87600h"}})", "a.json", std::nullopt);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->warnings, testing::Contains(HasSubstr("ca counts only where a CA is made")));
  EXPECT_FALSE(pki::CertificateRequest::ParsePem(made->request_pem)->requests_ca());
}

class KeptKeyTest : public testing::Test {
 protected:
  std::istringstream in_;
  std::ostringstream out_, err_;
  Terminal terminal_{.in = in_, .out = out_, .err = err_, .clock = base::SystemClock()};
  const std::string path_ = std::string(std::getenv("TEST_TMPDIR")) + "/" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() + ".pem";
};

TEST_F(KeptKeyTest, IsForItsOwnerAndNeverOverwritten) {
  EXPECT_FALSE(ReadKeptKey(path_).value().has_value());
  const MadeRequest made = Made();
  ASSERT_THAT(KeepKey(path_, made.key, terminal_), IsOk());
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(KeepKey(path_, made.key, terminal_), IsOk());
  EXPECT_THAT(KeepKey(path_, Made().key, terminal_),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("another key")));
  const auto kept = ReadKeptKey(path_);
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE((*kept)->public_key() == made.key.public_key());
}

}  // namespace
}  // namespace calico::calicert::requests
