#include "operator/calicert/cfssl/request_json.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cfssl/go_duration.h"
#include "operator/calicert/cfssl/hosts.h"
#include "operator/calicert/cfssl/json_fields.h"
#include "operator/calicert/cfssl/key_places.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::cfssl {
namespace {

constexpr size_t kMaxNames = 256;
constexpr size_t kMaxHosts = 4096;

NameEntry ReadName(JsonFields fields) {
  NameEntry entry;
  entry.country = fields.Text("C");
  constexpr size_t kCountryLetters = 2;
  if (!entry.country.empty() && entry.country.size() != kCountryLetters) {
    fields.Warn("C", fmt::format("{:?}: a country is two letters, such as DE", entry.country));
  }
  entry.state = fields.Text("ST");
  entry.locality = fields.Text("L");
  entry.organization = fields.Text("O");
  entry.organizational_unit = fields.Text("OU");
  entry.email = fields.Text("E");
  if (!fields.Text("SerialNumber").empty()) {
    fields.Warn("SerialNumber", "ignored here: \"serialnumber\" stands beside \"names\"");
  }
  fields.Entries("OID", [&](const codec::LocatedMember& member) {
    if (member.value.kind != codec::LocatedJson::Kind::kString) {
      return fields.Error("OID", "must have a text for each identifier");
    }
    if (!pki::IsObjectIdentifier(member.key)) {
      return fields.Error("OID",
                          fmt::format("{:?} is no object identifier such as 1.2.3.4", member.key));
    }
    entry.oids.push_back({.type = member.key, .value = member.value.text});
  });
  fields.WarnOfOthers(HintsFor(Place::kName));
  return entry;
}

Subject ReadSubjectFields(JsonFields& fields) {
  Subject subject;
  subject.common_name = fields.Text("CN");
  subject.serial_number = fields.Text("serialnumber");
  size_t entries = 0;
  fields.Objects("names", [&](JsonFields name) {
    if (++entries <= kMaxNames) subject.names.push_back(ReadName(std::move(name)));
  });
  if (entries > kMaxNames) fields.Error("names", fmt::format("more than {} entries", kMaxNames));
  constexpr size_t kUpperBoundOfCommonName = 64;  // RFC 5280, appendix A
  if (subject.common_name.size() > kUpperBoundOfCommonName) {
    fields.Warn("CN", fmt::format("{} bytes: X.509 allows {}, and some programs refuse more",
                                  subject.common_name.size(), kUpperBoundOfCommonName));
  }
  if (IsPlaceholder(subject.common_name)) {
    fields.Warn("CN", fmt::format("{:?} looks like a placeholder that nobody has replaced",
                                  subject.common_name));
  }
  return subject;
}

KeyRequest ReadKey(JsonFields& fields, const Complaints& complaints) {
  KeyRequest key;
  const codec::LocatedJson* value = fields.Find("key");
  if (value == nullptr) return key;
  if (value->kind == codec::LocatedJson::Kind::kString &&
      value->text.find("-----BEGIN") != std::string::npos) {
    fields.Error("key",
                 "must be an object such as {\"algo\": \"ecdsa\", \"size\": 256}, not a "
                 "private key: this is the output of a command, not a request");
    return key;
  }
  std::optional<JsonFields> object = fields.Object("key");
  if (!object.has_value()) return key;
  key.where = fmt::format("{}:{}: ", complaints.file(), object->location().ToString());
  if (object->Has("algo")) key.algorithm = object->Text("algo");
  if (const std::optional<int> size = object->Integer("size")) key.size = *size;
  object->WarnOfOthers(HintsFor(Place::kKey));
  return key;
}

std::optional<absl::Duration> ReadPeriod(JsonFields& fields, std::string_view key) {
  const std::string text = fields.Text(key);
  if (text.empty()) return std::nullopt;
  const absl::StatusOr<absl::Duration> period = ParseGoDuration(text);
  if (!period.ok()) {
    fields.Error(key, std::string(period.status().message()));
    return std::nullopt;
  }
  return *period;
}

std::optional<int> ReadPathLength(JsonFields& fields) {
  const std::optional<int> length = fields.Integer("pathlen");
  const bool zero = fields.Boolean("pathlenzero");
  if (length.has_value() && *length < 0) {
    fields.Error("pathlen", "must not be negative: leave it out for no limit");
    return std::nullopt;
  }
  if (length.value_or(0) > 0) {
    if (zero) fields.Warn("pathlenzero", "ignored beside a \"pathlen\" that is not 0");
    return length;
  }
  if (zero) return 0;
  if (length.has_value()) {
    fields.Warn("pathlen", "0 means no limit: write \"pathlenzero\": true for 0");
  }
  return std::nullopt;
}

std::optional<CaSection> ReadCa(JsonFields& fields) {
  std::optional<JsonFields> object = fields.Object("ca");
  if (!object.has_value()) return std::nullopt;
  CaSection ca;
  ca.location = object->location();
  ca.expiry = ReadPeriod(*object, "expiry");
  if (ca.expiry.has_value() && *ca.expiry <= absl::ZeroDuration()) {
    object->Error("expiry", "must be longer than 0, such as 87600h");
  }
  ca.backdate = ReadPeriod(*object, "backdate");
  if (ca.backdate.has_value() && *ca.backdate < absl::ZeroDuration()) {
    object->Error("backdate", "must not be negative");
  } else if (ca.backdate == absl::ZeroDuration()) {
    object->Warn("backdate", "0 means the five minutes that are usual: write 1s");
    ca.backdate.reset();
  }
  ca.path_length = ReadPathLength(*object);
  object->WarnOfOthers(HintsFor(Place::kCa));
  return ca;
}

// cfssl's "Id": [1, 2, 3], or "1.2.3".
std::string ReadOid(JsonFields& fields) {
  const codec::LocatedJson* id = fields.Find("Id");
  std::string oid;
  if (id != nullptr && id->kind == codec::LocatedJson::Kind::kString) {
    oid = id->text;
  } else if (id != nullptr) {
    for (const codec::LocatedJson& item : id->items) {
      if (!oid.empty()) oid += '.';
      oid += item.text;
    }
  }
  if (!pki::IsObjectIdentifier(oid)) {
    fields.Error("Id", "must be an object identifier as a list of numbers: [1, 2, 3, 4]");
  }
  return oid;
}

pki::RawExtension ReadExtension(JsonFields fields) {
  pki::RawExtension extension;
  extension.oid = ReadOid(fields);
  extension.critical = fields.Boolean("Critical");
  const std::string text = fields.Text("Value");
  const absl::StatusOr<std::string> value = base::Base64Decode(text);
  if (!value.ok()) {
    fields.Error("Value", "must be the base64 of DER bytes");
  } else if (!pki::IsDerElement(*value)) {
    fields.Error("Value", "is base64 of something that is not DER: certificates hold nothing else");
  } else {
    extension.der = *value;
  }
  fields.WarnOfOthers();
  return extension;
}

// `hosts` with the place of each.
pki::AlternativeNameLists ReadHosts(JsonFields& fields, Complaints& complaints) {
  pki::AlternativeNameLists names;
  const std::vector<std::string> hosts = fields.Texts("hosts");
  if (!complaints.ok()) return names;
  if (hosts.size() > kMaxHosts) {
    fields.Error("hosts", fmt::format("more than {} entries", kMaxHosts));
    return names;
  }
  const codec::LocatedJson* list = fields.Find("hosts");
  for (size_t i = 0; i < hosts.size(); ++i) {
    absl::StatusOr<SplitNames> one = SplitHosts({hosts[i]}, "");
    const codec::Location at = list->items[i].location;
    const std::string path = fields.PathOf(fmt::format("hosts[{}]", i));
    // "[0]: " of the list of one is taken off.
    constexpr size_t kIndexBytes = 5;
    if (!one.ok()) {
      complaints.Error(at, path, std::string(one.status().message()).substr(kIndexBytes));
      continue;
    }
    for (const std::string& warning : one->warnings) {
      complaints.Warn(at, path, warning.substr(kIndexBytes));
    }
    const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(names.dns_names, one->names.dns_names);
    append(names.emails, one->names.emails);
    append(names.ip_addresses, one->names.ip_addresses);
    append(names.uris, one->names.uris);
  }
  return names;
}

Request ReadRequestFields(JsonFields& fields, Complaints& complaints) {
  Request request;
  request.file = complaints.file();
  request.subject = ReadSubjectFields(fields);
  request.names = ReadHosts(fields, complaints);
  request.key = ReadKey(fields, complaints);
  request.ca = ReadCa(fields);
  request.crl_url = fields.Text("crl_url");
  if (fields.Boolean("delegation_enabled")) {
    fields.Error("delegation_enabled", "delegated credentials are not supported");
  }
  fields.Objects("extensions", [&](JsonFields extension) {
    request.extensions.push_back(ReadExtension(std::move(extension)));
  });
  const std::vector<std::string> others = fields.WarnOfOthers(HintsFor(Place::kRequest));
  const bool has_subject = !request.subject.Name().empty();
  const bool has_known_keys = fields.size() > others.size();
  if (!has_subject && request.names.empty() && (!others.empty() || !has_known_keys)) {
    const std::string hint =
        others.empty() ? std::string() : HintOf(others.front(), Place::kRequest);
    complaints.Error(fields.location(), fields.path(),
                     fmt::format("this asks for a certificate of nobody: no \"CN\", \"names\" or "
                                 "\"hosts\"{}{}",
                                 hint.empty() ? "" : "; ", hint));
  } else if (!has_subject && complaints.ok()) {
    complaints.Warn(fields.location(), fields.path(),
                    "the subject is empty: there is no \"CN\" and no \"names\"");
  }
  return request;
}

void AppendAttribute(std::string_view type, std::vector<std::string> values,
                     pki::SubjectName& name) {
  pki::RelativeName relative;
  for (std::string& value : values) {
    if (!value.empty()) relative.push_back({std::string(type), std::move(value)});
  }
  if (!relative.empty()) name.push_back(std::move(relative));
}

}  // namespace

pki::SubjectName Subject::Name() const {
  pki::SubjectName name;
  const auto all = [this](std::string NameEntry::* member) {
    std::vector<std::string> values;
    for (const NameEntry& entry : names) values.push_back(entry.*member);
    return values;
  };
  AppendAttribute("C", all(&NameEntry::country), name);
  AppendAttribute("ST", all(&NameEntry::state), name);
  AppendAttribute("L", all(&NameEntry::locality), name);
  AppendAttribute("O", all(&NameEntry::organization), name);
  AppendAttribute("OU", all(&NameEntry::organizational_unit), name);
  AppendAttribute("CN", {common_name}, name);
  AppendAttribute("serialNumber", {serial_number}, name);
  for (const NameEntry& entry : names) {
    for (const pki::NameAttribute& attribute : entry.oids) name.push_back({attribute});
  }
  AppendAttribute("emailAddress", all(&NameEntry::email), name);
  return name;
}

absl::StatusOr<ReadRequest> ParseRequest(std::string_view text, std::string_view file) {
  Complaints complaints(file == "-" ? "standard input" : std::string(file));
  CALICO_ASSIGN_OR_RETURN(const codec::LocatedJson root, ParseJsonFile(text, file));
  JsonFields fields(root, "", complaints);
  CALICO_RETURN_IF_ERROR(complaints.status());
  ReadRequest read;
  read.request = ReadRequestFields(fields, complaints);
  CALICO_RETURN_IF_ERROR(complaints.status());
  read.warnings = complaints.warnings();
  return read;
}

absl::StatusOr<ReadRequestList> ParseRequestList(std::string_view text, std::string_view file) {
  constexpr codec::LocatedLimits kLimits = {.max_bytes = 64 << 20};
  constexpr size_t kMaxRequests = 100'000;
  Complaints complaints(file == "-" ? "standard input" : std::string(file));
  CALICO_ASSIGN_OR_RETURN(const codec::LocatedJson root, ParseJsonFile(text, file, kLimits));
  if (root.kind != codec::LocatedJson::Kind::kArray || root.items.empty() ||
      root.items.size() > kMaxRequests) {
    complaints.Error(
        root.location, "",
        fmt::format("must be a list of 1 to {} requests [{{...}}, ...]", kMaxRequests));
    return complaints.status();
  }
  ReadRequestList list;
  list.requests.reserve(root.items.size());
  for (size_t i = 0; i < root.items.size(); ++i) {
    JsonFields fields(root.items[i], fmt::format("[{}]", i), complaints);
    ListedRequest listed;
    listed.name = fields.Text("name");
    listed.profile = fields.Text("profile");
    listed.request = ReadRequestFields(fields, complaints);
    if (listed.name.empty()) listed.name = listed.request.subject.common_name;
    list.requests.push_back(std::move(listed));
  }
  CALICO_RETURN_IF_ERROR(complaints.status());
  list.warnings = complaints.warnings();
  return list;
}

absl::StatusOr<ReadSubject> ParseSubject(std::string_view text, std::string_view file) {
  Complaints complaints(file == "-" ? "standard input" : std::string(file));
  CALICO_ASSIGN_OR_RETURN(const codec::LocatedJson root, ParseJsonFile(text, file));
  JsonFields fields(root, "", complaints);
  ReadSubject read;
  read.subject = ReadSubjectFields(fields);
  for (const char* const key : {"hosts", "key", "ca"}) {
    if (fields.Has(key)) fields.Warn(key, "ignored: only the subject is taken from this file");
  }
  fields.WarnOfOthers(HintsFor(Place::kRequest));
  if (read.subject.Name().empty()) {
    complaints.Warn(fields.location(), fields.path(),
                    "there is no \"CN\" and no \"names\": the request's subject stays");
  }
  CALICO_RETURN_IF_ERROR(complaints.status());
  read.warnings = complaints.warnings();
  return read;
}

}  // namespace calico::calicert::cfssl
