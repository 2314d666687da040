#include "operator/calicert/cfssl/request_json.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ParseRequestTest, ReadsEverything) {
  const auto read = ParseRequest(R"({"CN": "etcd-1", "serialnumber": "7",
      "hosts": ["etcd-1.example.com", "10.0.0.5"], "key": {"algo": "rsa", "size": 3072},
      "names": [{"C": "DE", "ST": "BE", "L": "Berlin", "O": "One", "OU": "a", "E": "a@b.c"},
                {"O": "Two", "OID": {"1.2.3.4": "x"}}],
      "ca": {"expiry": "87600h", "pathlen": 1, "backdate": "1h"}, "crl_url": "http://crl",
      "extensions": [{"Id": [1, 2, 3], "Critical": true, "Value": "BQA="}]})",
                                 "req.json");
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read->warnings, IsEmpty());
  const Request& request = read->request;
  EXPECT_EQ(request.file, "req.json");
  EXPECT_THAT(request.names.dns_names, ElementsAre("etcd-1.example.com"));
  EXPECT_EQ(request.key.algorithm, "rsa");
  EXPECT_EQ(request.key.size, 3072);
  ASSERT_TRUE(request.ca.has_value());
  EXPECT_EQ(request.ca->expiry, absl::Hours(87600));
  EXPECT_EQ(request.ca->backdate, absl::Hours(1));
  EXPECT_EQ(request.ca->path_length, 1);
  EXPECT_EQ(request.crl_url, "http://crl");
  ASSERT_EQ(request.extensions.size(), 1U);
  EXPECT_EQ(request.extensions[0].oid, "1.2.3");
  const pki::SubjectName want = {{{"C", "DE"}},
                                 {{"ST", "BE"}},
                                 {{"L", "Berlin"}},
                                 {{"O", "One"}, {"O", "Two"}},
                                 {{"OU", "a"}},
                                 {{"CN", "etcd-1"}},
                                 {{"serialNumber", "7"}},
                                 {{"1.2.3.4", "x"}},
                                 {{"emailAddress", "a@b.c"}}};
  EXPECT_EQ(request.subject.Name(), want);
}

TEST(ParseRequestTest, LetterCaseOfKeysDoesNotMatter) {
  const auto read = ParseRequest(
      R"({"cn": "a", "Key": {"Algo": "ecdsa", "Size": 384}, "Hosts": ["h"], "NAMES": [{"o": "x"}]})",
      "req.json");
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read->warnings, IsEmpty());
  EXPECT_EQ(read->request.subject.common_name, "a");
  EXPECT_EQ(read->request.key.size, 384);
  EXPECT_THAT(read->request.names.dns_names, ElementsAre("h"));
  EXPECT_EQ(read->request.subject.names[0].organization, "x");
}

TEST(ParseRequestTest, KeyDefaultsAreOverlaid) {
  EXPECT_EQ(ParseRequest(R"({"CN": "a"})", "f")->request.key.size, 256);
  const auto rsa = ParseRequest(R"({"CN": "a", "key": {"algo": "rsa"}})", "f");
  EXPECT_EQ(rsa->request.key.algorithm, "rsa");
  EXPECT_EQ(rsa->request.key.size, 256);
  EXPECT_THAT(ParseRequest(R"({"CN": "a", "key": null, "names": null})", "f"), IsOk());
}

TEST(ParseRequestTest, LikelyMistakesAreWarningsThatSayWhere) {
  struct Case {
    const char* text;
    const char* warning;
  };
  const Case kCases[] = {
      {"{\"CN\": \"a\",\n \"name\": [{\"C\": \"DE\"}]}",
       "f:2:2: unknown key \"name\", which is ignored: did you mean \"names\"?"},
      {"{\"CN\": \"a\", \"names\": [{\"OU\": \"one\", \"OU\": \"two\"}]}",
       "f:1:37: names[0].OU: given twice"},
      {R"({"CN": "a", "expiry": "87600h"})", "it belongs into \"ca\""},
      {R"({"CN": "a", "size": 2048})", "it belongs into \"key\""},
      {R"({"CN": "a", "O": "x"})", "it belongs into \"names\""},
      {R"({"CN": "a", "host": ["x"]})", "did you mean \"hosts\"?"},
      {R"({"CN": "a", "names": [{"CN": "b"}]})", "it belongs beside \"names\""},
      {R"({"CN": "a", "names": [{"SerialNumber": "1"}]})", "stands beside \"names\""},
      {R"({"CN": "a", "key": {"algorithm": "rsa"}})", "did you mean \"algo\"?"},
      {R"({"CN": "a", "usages": []})", "signing configuration"},
      {R"({"hosts": ["10.0.0.5"]})", "the subject is empty"},
      {R"({"key": {"algo": "ecdsa", "size": 256}})", "the subject is empty"},
      {R"({"CN": "a", "ca": {"pathlen": 0}})", "pathlenzero"},
      {"{\"CN\": \"a\", \"hosts\": [\"b\",\n \"c.\"]}", "f:2:2: hosts[1]: \"c.\": the dot"},
      {R"({"CN": "a", "hosts": [""]})", "users of etcd"},
      {R"({"CN": "a", "subjectAltNames": ["x"]})", "did you mean \"hosts\"?"},
      {R"({"CN": "a", "names": [{"O": "b", "hosts": ["x"]}]})", "it belongs beside \"names\""},
      {R"({"CN": "a", "names": [{"C": "DEU"}]})", "a country is two letters"},
      {R"({"CN": "<etcd_username>"})", "a placeholder that nobody has replaced"},
      {R"({"CN": "a", "ca": {"max_path_len": 1}})", "did you mean \"pathlen\"?"},
      {R"({"CN": "a", "ca": {"backdate": "0s"}})", "0 means the five minutes"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const auto read = ParseRequest(c.text, "f");
    ASSERT_THAT(read, IsOk());
    EXPECT_THAT(read->warnings, ElementsAre(HasSubstr(c.warning)));
  }
}

TEST(ParseRequestTest, WhatCannotBeMeantIsAnErrorThatSaysWhere) {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case kCases[] = {
      {"{\"CN\": \"a\",\n \"names\": {\"O\": \"x\"}}", "f:2:11: names: must be a list of objects"},
      {R"({"CN": "a", "hosts": "10.0.0.5,10.0.0.6"})", "f:1:22: hosts: must be a list of texts"},
      {R"({"CN": "a", "hosts": [1]})", "hosts[0]: must be a text"},
      {R"({"CN": "a", "hosts": ["localhost:443"]})", "f:1:23: hosts[0]: \"localhost:443\""},
      {R"({"CN": "a", "key": {"size": "2048"}})", "key.size: must be a number without quotes"},
      {R"({"CN": "a", "key": {"size": 2048.5}})", "key.size: must be a whole number"},
      {R"({"CN": 1})", "CN: must be a text"},
      {R"({"CN": "a", "key": "-----BEGIN EC PRIVATE KEY-----"})", "key: must be an object"},
      {R"([{"CN": "a"}])", "f:1:1: must be an object {...}, not a list"},
      {R"({"signing": {}})", "this is a signing configuration"},
      {R"({"success": false, "errors": []})", "this is an answer of a server"},
      {R"({})", "a certificate of nobody"},
      {R"({"CN": "a",})", "f:1:12: '}' after a comma"},
      {R"({"CN": "a", "ca": {"expiry": "10y"}})", "ca.expiry: \"10y\": there is no unit y"},
      {R"({"CN": "a", "ca": {"expiry": "-1h"}})", "ca.expiry: must be longer than 0"},
      {R"({"CN": "a", "ca": {"expiry": "0"}})", "ca.expiry: must be longer than 0"},
      {R"({"CN": "a", "ca": {"expiry": "87600"}})", "write 87600h"},
      {R"({"CN": "a", "ca": {"pathlen": -1}})", "ca.pathlen: must not be negative"},
      {R"({"CN": "a", "extensions": [{"Id": [1, 2, 3], "Value": "some text"}]})",
       "extensions[0].Value: must be the base64 of DER"},
      {R"({"CN": "a", "extensions": [{"Id": [1, 2, 3], "Value": "3003"}]})", "not DER"},
      {R"({"CN": "a", "extensions": [{"Id": "x", "Value": "BQA="}]})", "object identifier"},
      {R"({"CN": "a", "delegation_enabled": true})", "not supported"},
      {R"({"CN": "a\u0000b"})", "CN: holds the character \\u0000"},
      {R"({"CN": "a", "names": ["O=x"]})",
       "names[0]: must be an object {...}, not a text (\"O=x\")"},
      {R"({"CN": "a", "key": {"size": 4294967552}})", "must be a number of at most 10 digits"},
      {"\xff\xfe{", "f:1:1: this is UTF-16 text"},
      {"-----BEGIN CERTIFICATE REQUEST-----", "f:1:1: this is PEM (CERTIFICATE REQUEST)"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseRequest(c.text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(ParseRequestTest, AllErrorsAreToldAtOnce) {
  EXPECT_THAT(ParseRequest(R"({"CN": 1, "key": {"size": "x"}})", "f"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("f:1:8: CN"), HasSubstr("\nf:1:27: key.size"))));
}

TEST(ParseRequestTest, ManyErrorsAreCounted) {
  std::string names;
  for (int i = 0; i < 20; ++i) names += i == 0 ? "1" : ",1";
  EXPECT_THAT(ParseRequest(R"({"CN": "a", "names": [)" + names + "]}", "f"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\nf: 4 more errors")));
}

TEST(ParseRequestTest, TooManyNamesAreSaidOnce) {
  std::string names = "{}";
  for (int i = 0; i < 300; ++i) names += ",{}";
  EXPECT_THAT(ParseRequest(R"({"CN": "a", "names": [)" + names + "]}", "f"),
              StatusIs(absl::StatusCode::kInvalidArgument, "f:1:22: names: more than 256 entries"));
}

TEST(ParseRequestTest, StandardInputHasAName) {
  EXPECT_THAT(ParseRequest("[]", "-"),
              StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("standard input:1:1: ")));
}

TEST(ParseSubjectTest, TakesTheSubjectAlone) {
  const auto read = ParseSubject(R"({"CN": "b", "names": [{"O": "x"}], "hosts": ["h"]})", "s.json");
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->subject.common_name, "b");
  EXPECT_THAT(read->warnings, ElementsAre(HasSubstr("hosts: ignored")));
}

}  // namespace
}  // namespace calico::calicert::cfssl
