// Reads files of YAML or JSON for tools that have no YAML reader, and says what the certificates in
// them are. Prints one JSON object:
//   files: path -> its documents
//   certificates: PEM block -> what it is

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/openssl/init.h"
#include "pkg/pki/certificate.h"

namespace calico {
namespace {

constexpr std::size_t kMaxBytes = 16 << 20;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::string_view kBeginInBase64 = "LS0tLS1CRUdJTi";

json::array Sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return json::array(texts.begin(), texts.end());
}

json::object Describe(const pki::Certificate& certificate) {
  std::vector<std::string> names = certificate.dns_names();
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    names.push_back(address.ToString());
  }
  for (const std::string& uri : certificate.uris()) names.push_back(uri);
  const absl::Duration validity = certificate.not_after() - certificate.not_before();
  return {{"subject", certificate.subject()},
          {"issuer", certificate.issuer()},
          {"names", Sorted(std::move(names))},
          {"keyUsages", certificate.key_usages().ToString()},
          {"extendedKeyUsages", Sorted(certificate.extended_key_usages())},
          {"isCA", certificate.is_ca()},
          {"key", certificate.public_key().Description()},
          {"days", absl::ToInt64Hours(validity) / 24}};
}

class Reader {
 public:
  absl::Status Read(const std::string& path) {
    CALICO_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxBytes));
    json::array documents;
    if (path.ends_with(".json")) {
      CALICO_ASSIGN_OR_RETURN(json::value value, codec::ParseJson(text));
      documents.push_back(std::move(value));
    } else {
      CALICO_ASSIGN_OR_RETURN(
          std::vector<json::value> values,
          codec::ParseYamlDocuments(text, {.max_bytes = kMaxBytes, .max_nodes = 2'000'000}));
      for (json::value& value : values) documents.push_back(std::move(value));
    }
    for (const json::value& document : documents) Look(document);
    files_[path] = std::move(documents);
    return absl::OkStatus();
  }

  std::string Print() const {
    return codec::Serialize(json::object{{"files", files_}, {"certificates", certificates_}});
  }

 private:
  void Look(const json::value& value) {
    if (const json::object* const object = value.if_object()) {
      for (const json::key_value_pair& member : *object) Look(member.value());
    } else if (const json::array* const list = value.if_array()) {
      for (const json::value& element : *list) Look(element);
    } else if (const json::string* const text = value.if_string()) {
      LookAtText(codec::View(*text));
    }
  }

  void LookAtText(std::string_view text) {
    std::string decoded;
    if (text.starts_with(kBeginInBase64)) {
      decoded = base::Base64Decode(text).value_or("");
      text = decoded;
    }
    for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos;) {
      const std::size_t end = text.find(kEnd, at);
      if (end == std::string_view::npos) return;
      const std::string_view block = text.substr(at, end + kEnd.size() - at);
      at = end;
      if (certificates_.contains(block)) continue;
      const absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParsePem(block);
      certificates_[block] =
          certificate.ok() ? Describe(*certificate) : json::object{{"error", "no certificate"}};
    }
  }

  json::object files_;
  json::object certificates_;
};

int Run(int argc, char** argv) {
  Reader reader;
  for (int i = 1; i < argc; ++i) {
    const absl::Status status = reader.Read(argv[i]);
    if (!status.ok()) {
      fmt::print(stderr, "{}: {}\n", argv[i], std::string(status.message()));
      return 1;
    }
  }
  const std::string text = reader.Print();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

}  // namespace
}  // namespace calico

int main(int argc, char** argv) {
  calico::openssl::Initialize();
  return calico::Run(argc, argv);
}
