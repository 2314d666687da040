#include "operator/calicert/cfssl/key_places.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>

namespace calico::calicert::cfssl {
namespace {

struct KeyOfPlace {
  std::string_view key;
  Place place;
};
// Of a key with several places the first of the same file counts.
constexpr KeyOfPlace kKeys[] = {
    {"CN", Place::kRequest},
    {"hosts", Place::kRequest},
    {"names", Place::kRequest},
    {"key", Place::kRequest},
    {"serialnumber", Place::kRequest},
    {"ca", Place::kRequest},
    {"extensions", Place::kRequest},
    {"crl_url", Place::kRequest},
    {"algo", Place::kKey},
    {"size", Place::kKey},
    {"C", Place::kName},
    {"ST", Place::kName},
    {"L", Place::kName},
    {"O", Place::kName},
    {"OU", Place::kName},
    {"E", Place::kName},
    {"OID", Place::kName},
    {"expiry", Place::kCa},
    {"pathlen", Place::kCa},
    {"pathlenzero", Place::kCa},
    {"backdate", Place::kCa},
    {"signing", Place::kConfig},
    {"auth_keys", Place::kConfig},
    {"remotes", Place::kConfig},
    {"default", Place::kSigning},
    {"profiles", Place::kSigning},
    {"profile", Place::kSigning},
    {"usages", Place::kProfile},
    {"expiry", Place::kProfile},
    {"backdate", Place::kProfile},
    {"not_before", Place::kProfile},
    {"not_after", Place::kProfile},
    {"ca_constraint", Place::kProfile},
    {"name_whitelist", Place::kProfile},
    {"copy_extensions", Place::kProfile},
    {"issuer_urls", Place::kProfile},
    {"ocsp_url", Place::kProfile},
    {"crl_url", Place::kProfile},
    {"auth_key", Place::kProfile},
    {"is_ca", Place::kConstraint},
    {"max_path_len", Place::kConstraint},
    {"max_path_len_zero", Place::kConstraint},
};

struct OtherWord {
  Place place;
  std::string_view word;  // small letters, without '_' and '-'
  std::string_view key;
};
constexpr OtherWord kOtherWords[] = {
    {Place::kRequest, "commonname", "CN"},
    {Place::kRequest, "hostname", "hosts"},
    {Place::kRequest, "hostnames", "hosts"},
    {Place::kRequest, "san", "hosts"},
    {Place::kRequest, "sans", "hosts"},
    {Place::kRequest, "dns", "hosts"},
    {Place::kRequest, "dnsnames", "hosts"},
    {Place::kRequest, "ip", "hosts"},
    {Place::kRequest, "ips", "hosts"},
    {Place::kRequest, "ipaddresses", "hosts"},
    {Place::kRequest, "domains", "hosts"},
    {Place::kRequest, "altnames", "hosts"},
    {Place::kRequest, "subjectaltname", "hosts"},
    {Place::kRequest, "subjectaltnames", "hosts"},
    {Place::kRequest, "subject", "names"},
    {Place::kRequest, "privatekey", "key"},
    {Place::kRequest, "isca", "ca"},
    {Place::kKey, "algorithm", "algo"},
    {Place::kKey, "alg", "algo"},
    {Place::kKey, "type", "algo"},
    {Place::kKey, "bits", "size"},
    {Place::kKey, "length", "size"},
    {Place::kKey, "keysize", "size"},
    {Place::kKey, "curve", "size"},
    {Place::kName, "country", "C"},
    {Place::kName, "state", "ST"},
    {Place::kName, "province", "ST"},
    {Place::kName, "s", "ST"},
    {Place::kName, "sp", "ST"},
    {Place::kName, "locality", "L"},
    {Place::kName, "city", "L"},
    {Place::kName, "organization", "O"},
    {Place::kName, "org", "O"},
    {Place::kName, "organizationalunit", "OU"},
    {Place::kName, "unit", "OU"},
    {Place::kName, "email", "E"},
    {Place::kName, "emailaddress", "E"},
    {Place::kCa, "maxpathlen", "pathlen"},
    {Place::kCa, "pathlength", "pathlen"},
    {Place::kCa, "maxpathlenzero", "pathlenzero"},
    {Place::kCa, "expires", "expiry"},
    {Place::kCa, "validity", "expiry"},
    {Place::kCa, "days", "expiry"},
    {Place::kCa, "ttl", "expiry"},
    {Place::kProfile, "usage", "usages"},
    {Place::kProfile, "keyusage", "usages"},
    {Place::kProfile, "keyusages", "usages"},
    {Place::kProfile, "extkeyusage", "usages"},
    {Place::kProfile, "extendedkeyusage", "usages"},
    {Place::kProfile, "expires", "expiry"},
    {Place::kProfile, "validity", "expiry"},
    {Place::kProfile, "days", "expiry"},
    {Place::kProfile, "ttl", "expiry"},
    {Place::kProfile, "ca", "ca_constraint"},
    {Place::kProfile, "pathlen", "ca_constraint"},
    {Place::kProfile, "pathlenzero", "ca_constraint"},
    {Place::kConstraint, "ca", "is_ca"},
    {Place::kConstraint, "pathlen", "max_path_len"},
    {Place::kConstraint, "pathlength", "max_path_len"},
    {Place::kConstraint, "pathlenzero", "max_path_len_zero"},
    {Place::kSigning, "profile", "profiles"},
};

bool IsOfRequest(Place place) { return place <= Place::kCa; }

std::string Plain(std::string_view word) {
  std::string plain;
  for (const char c : word) {
    if (c == '_' || c == '-') continue;
    plain += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return plain;
}

// Where `key` belongs, seen from another place of the same file.
std::string WayTo(Place place, std::string_view key) {
  switch (place) {
    case Place::kRequest:
      return fmt::format("it belongs beside \"names\": {{\"{}\": ..., \"names\": [...]}}", key);
    case Place::kKey:
      return fmt::format("it belongs into \"key\": {{\"{}\": ...}}", key);
    case Place::kName:
      return fmt::format("it belongs into \"names\": [{{\"{}\": ...}}]", key);
    case Place::kCa:
      return fmt::format("it belongs into \"ca\": {{\"{}\": ...}}", key);
    case Place::kConfig:
      return fmt::format("it belongs beside \"signing\": {{\"{}\": ..., \"signing\": ...}}", key);
    case Place::kSigning:
      return fmt::format("it belongs into \"signing\": {{\"{}\": ...}}", key);
    case Place::kProfile:
      return "it belongs into \"default\" or into a profile";
    case Place::kConstraint:
      return fmt::format("it belongs into \"ca_constraint\": {{\"{}\": ...}}", key);
  }
  return "";
}

// What to say of a key of the other kind of file.
std::string OtherFile(Place from, Place home) {
  if (home == Place::kConfig) return "this is a signing configuration: give it with -config";
  if (IsOfRequest(from)) return "it belongs into the signing configuration (-config)";
  return from == Place::kConfig ? "this looks like a request (CSR JSON)"
                                : "it belongs into the request (CSR JSON)";
}

std::string OfOutput(std::string_view plain) {
  for (const std::string_view word : {"success", "result", "errors", "messages"}) {
    if (plain == word) return "this is an answer of a server, not a request";
  }
  for (const std::string_view word : {"cert", "csr", "bundle", "crt"}) {
    if (plain == word) return "this is the output of a command, not a request";
  }
  return "";
}

}  // namespace

std::string HintOf(std::string_view key, Place place) {
  const std::string plain = Plain(key);
  for (const OtherWord& other : kOtherWords) {
    if (other.place == place && other.word == plain) {
      return fmt::format("did you mean {:?}?", other.key);
    }
  }
  const KeyOfPlace* home = nullptr;
  for (const KeyOfPlace& known : kKeys) {
    if (Plain(known.key) != plain) continue;
    if (IsOfRequest(known.place) == IsOfRequest(place)) {
      return known.place == place ? fmt::format("did you mean {:?}?", known.key)
                                  : WayTo(known.place, known.key);
    }
    if (home == nullptr) home = &known;
  }
  if (home != nullptr) return OtherFile(place, home->place);
  return place == Place::kRequest ? OfOutput(plain) : std::string();
}

KeyHint HintsFor(Place place) {
  return [place](std::string_view key) { return HintOf(key, place); };
}

}  // namespace calico::calicert::cfssl
