// What people are told about bad input, word by word: a change of these texts is a change for them.

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/cfssl/request_json.h"
#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/base/testing/golden.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::MatchesGolden;

std::string ToldAbout(std::string_view request) {
  const auto read = ParseRequest(request, "req.json");
  if (!read.ok()) return "error: " + ErrorText(read.status()) + "\n";
  std::string told;
  for (const std::string& warning : read->warnings) told += "warning: " + warning + "\n";
  const auto key = MakeKey(read->request.key);
  if (!key.ok()) told += "error: " + ErrorText(key.status()) + "\n";
  return told;
}

std::string ToldAboutConfig(std::string_view text, std::string_view profile) {
  const auto config = ParseSigningConfig(text, "config.json");
  if (!config.ok()) return "error: " + ErrorText(config.status()) + "\n";
  std::string told;
  for (const std::string& warning : config->warnings) told += "warning: " + warning + "\n";
  const auto chosen = ChooseProfile(*config, profile);
  if (!chosen.ok()) return told + "error: " + ErrorText(chosen.status()) + "\n";
  for (const std::string& warning : chosen->warnings) told += "warning: " + warning + "\n";
  return told;
}

TEST(BadInputsTest, RequestsAreToldAsInTheGolden) {
  const std::string_view kRequests[] = {
      "",
      "\n\n",
      "{",
      "{}",
      "[]",
      "null",
      "CN=etcd",
      "{\"CN\": \"a\",\n}",
      "{\"CN\": \"a\",\n \"hosts\": [\"b\",]}",
      "{\n  // leaf\n  \"CN\": \"a\"}",
      "{'CN': 'a'}",
      "{CN: \"a\"}",
      "{\"CN\": \"a\"} {\"CN\": \"b\"}",
      "{\"CN\": \"a}",
      "{\"CN\": \"a\" \"hosts\": []}",
      "{\"signing\": {\"default\": {\"expiry\": \"8760h\"}}}",
      "{\"success\": false, \"errors\": [{\"code\": 5100}]}",
      "{\"cert\": \"-----BEGIN\", \"key\": \"-----BEGIN EC PRIVATE KEY-----\"}",
      "{\"CN\": [\"a\"]}",
      "{\"CN\": \"a\", \"names\": {\"O\": \"x\"}}",
      "{\"CN\": \"a\", \"names\": [{\"O\": [\"x\", \"y\"]}]}",
      "{\"CN\": \"a\", \"name\": [{\"O\": \"x\"}]}",
      "{\"CN\": \"a\", \"names\": [{\"OU\": \"x\", \"OU\": \"y\"}]}",
      "{\"CN\": \"a\", \"O\": \"x\"}",
      "{\"CN\": \"a\", \"hosts\": \"10.0.0.5\"}",
      "{\"CN\": \"a\", \"hosts\": [10]}",
      "{\"CN\": \"a\", \"hosts\": [\"localhost:443\", \"10.0.0.0/8\", \"https://a.example\"]}",
      "{\"CN\": \"a\", \"hosts\": [\"10.0.0.5, 10.0.0.6\", \"10.0.0.256\", \"[::1]\"]}",
      "{\"CN\": \"a\", \"hosts\": [\"m\xc3\xbcnchen.example\", \"fe80::1%eth0\", \"a b\"]}",
      "{\"CN\": \"a\", \"hosts\": [\"\", \" b\", \"c.\", \"*\"]}",
      "{\"CN\": \"a\", \"key\": \"rsa\"}",
      "{\"CN\": \"a\", \"key\": {\"algo\": \"rsa\", \"size\": \"2048\"}}",
      "{\"CN\": \"a\", \"key\": {\"algo\": \"rsa\"}}",
      "{\"CN\": \"a\", \"key\": {\"algo\": \"RSA\", \"size\": 2048}}",
      "{\"CN\": \"a\", \"key\": {\"algo\": \"ecdsa\", \"size\": 512}}",
      "{\"CN\": \"a\", \"expiry\": \"87600h\"}",
      "{\"CN\": \"a\", \"ca\": {\"expiry\": \"10y\"}}",
      "{\"CN\": \"a\", \"ca\": {\"expiry\": \"87600\"}}",
      "{\"CN\": \"a\", \"ca\": {\"expiry\": \"-1h\"}}",
      "{\"CN\": \"a\", \"ca\": {\"expiry\": 87600, \"pathlen\": -1}}",
      "{\"CN\": \"a\", \"extensions\": [{\"Id\": [1, 2, 3], \"Value\": \"some text\"}]}",
      "{\"CN\": \"a\", \"extensions\": [{\"Id\": [1, 2, 3], \"Value\": \"3003020101\"}]}",
  };
  std::string told;
  for (const std::string_view request : kRequests) {
    told += fmt::format("## {}\n{}\n", request, ToldAbout(request));
  }
  EXPECT_THAT(told, MatchesGolden("cfssl/bad-requests.txt"));
}

TEST(BadInputsTest, ConfigurationsAreToldAsInTheGolden) {
  const std::string_view kConfigs[] = {
      "",
      "{}",
      "{\"signing\": {},}",
      "{\"CN\": \"a\", \"hosts\": []}",
      "{\"signing\": {\"default\": {\"expiry\": \"1h\"}}, \"profiles\": {\"peer\": {}}}",
      "{\"signing\": {\"default\": {\"expiry\": \"1h\"}, \"profiles\": {\"server\": {\"expiry\": "
      "\"1h\", \"usages\": [\"signing\"]}}}}",
      "{\"signing\": {\"default\": {\"expiry\": \"1h\", \"usages\": [\"signing\"]}, "
      "\"profiles\": {\"peers\": {\"expiry\": \"1h\", \"usages\": [\"signing\"]}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": \"10y\", \"usages\": [\"signing\"]}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": 8760, \"usages\": [\"signing\"]}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": \"1h\", \"usages\": [\"cleint "
      "auth\"]}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": \"1h\", \"usages\": \"signing\"}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": \"1h\"}}}}",
      "{\"signing\": {\"expiry\": \"1h\", \"profiles\": {\"peer\": {\"usages\": [\"signing\"]}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"expiry\": \"1h\", \"usages\": [\"signing\"], "
      "\"is_ca\": true, \"name_whitelist\": \"(\"}}}}",
      "{\"signing\": {\"profiles\": {\"peer\": {\"remote\": \"ca\"}}}}",
  };
  std::string told;
  for (const std::string_view config : kConfigs) {
    told += fmt::format("## -profile peer, {}\n{}\n", config, ToldAboutConfig(config, "peer"));
  }
  EXPECT_THAT(told, MatchesGolden("cfssl/bad-configurations.txt"));
}

}  // namespace
}  // namespace calico::calicert::cfssl
