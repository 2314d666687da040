#include "operator/calicert/etcd/description.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include <absl/types/span.h>
#include <fmt/format.h>

#include "operator/config/near_name.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/codec/yaml_position.h"
#include "pkg/pki/lint/certificate_lint.h"

namespace calico::calicert::etcd {
namespace {

using codec::ObjectReader;

constexpr absl::Duration kLongest = absl::Hours(24 * 366 * 100);
constexpr absl::Duration kCaExpiry = absl::Hours(87600);
constexpr size_t kMostEntries = 1000;
constexpr std::string_view kRoot = "etcd.";  // of every path in a problem
constexpr std::string_view kServerAuth = "server auth";
constexpr std::string_view kClientAuth = "client auth";

void RefuseOtherKeys(const ObjectReader& reader, absl::Span<const std::string_view> known) {
  if (!reader.exists()) return;
  for (const json::key_value_pair& member : reader.object()) {
    const std::string_view key = codec::KeyOf(member);
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view nearest = config::NearestName(key, {known.begin(), known.end()});
    reader.Fail(key.substr(0, 64),
                nearest.empty() ? fmt::format("unknown key; here are: {}", fmt::join(known, ", "))
                                : fmt::format("unknown key; \"{}\" is one", nearest));
  }
}

bool IsFileWord(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '@';
         });
}

// Why nobody can be dialled by this host, or nothing. A wildcard stands for hosts of certificates.
std::optional<std::string> HostFault(std::string_view host) {
  if (host == "0.0.0.0" || host == "::") return fmt::format("{} is no one's address", host);
  if (base::IpAddress::Parse(host).ok()) return std::nullopt;
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (!last.empty() && last.find_first_not_of("0123456789") == last.npos) {
    return fmt::format("{} is no IP address, and no DNS name ends in a number", host);
  }
  if (std::optional<std::string> fault = pki::DnsNameFault(host)) {
    return *fault + "; expected a DNS name or an IP address, without port and scheme";
  }
  return std::nullopt;
}

// A user's name as a part of a file's name.
std::string FileWord(std::string_view name) {
  std::string word(name);
  for (char& c : word) {
    if (!IsFileWord(std::string_view(&c, 1)) && c != '.' && c != '-') c = '_';
  }
  return word;
}

absl::Duration Period(const ObjectReader& reader, std::string_view key, absl::Duration absent) {
  const std::string text = reader.String(key);
  if (text.empty()) return absent;
  absl::Duration period;
  if (!absl::ParseDuration(text, &period) || period <= absl::ZeroDuration()) {
    reader.Fail(key, "expected a time such as 8760h");
    return absent;
  }
  if (period > kLongest) reader.Fail(key, "more than a hundred years");
  return period;
}

cfssl::KeyRequest Key(const ObjectReader& reader, const cfssl::KeyRequest& absent) {
  if (!reader.exists()) return absent;
  RefuseOtherKeys(reader, {"algorithm", "size"});
  cfssl::KeyRequest key = absent;
  constexpr std::array<std::string_view, 3> kAlgorithms = {"ecdsa", "rsa", "ed25519"};
  const std::string_view algorithm = reader.Enum("algorithm", kAlgorithms);
  if (algorithm == "rsa") key = {"rsa", 2048};
  if (algorithm == "ecdsa") key = {"ecdsa", 256};
  if (algorithm == "ed25519") key = {"ed25519", 0};
  if (key.algorithm == "ed25519") return key;
  key.size = reader.Int32("size", key.size);
  const bool good = key.algorithm == "rsa" ? key.size >= 2048 && key.size <= 8192
                                           : key.size == 256 || key.size == 384 || key.size == 521;
  if (!good) {
    reader.Fail("size", key.algorithm == "rsa" ? "rsa has 2048 to 8192 bits"
                                               : "ecdsa has 256, 384 or 521 bits");
  }
  return key;
}

std::vector<cfssl::NameEntry> Subject(const ObjectReader& reader) {
  if (!reader.exists()) return {};
  RefuseOtherKeys(reader, {"country", "state", "locality", "organization", "organizationalUnit"});
  cfssl::NameEntry entry;
  const std::pair<std::string_view, std::string*> kKeys[] = {
      {"country", &entry.country},
      {"state", &entry.state},
      {"locality", &entry.locality},
      {"organization", &entry.organization},
      {"organizationalUnit", &entry.organizational_unit},
  };
  for (const auto& [key, target] : kKeys) {
    *target = reader.String(key);
    if (target->size() > (key == "country" ? 2 : 64)) reader.Fail(key, "longer than X.509 allows");
  }
  return {std::move(entry)};
}

// The usages of every pair; what a side of TLS is used for is told by `extended`.
cfssl::Profile ProfileOf(const std::vector<std::string_view>& extended, absl::Duration expiry) {
  cfssl::Profile profile;
  profile.name = "default";
  profile.path = "signing.default";
  profile.expiry = expiry;
  for (const std::string_view usage : {"signing", "key encipherment"}) {
    profile.usages.emplace_back(usage);
  }
  profile.usages.insert(profile.usages.end(), extended.begin(), extended.end());
  for (const std::string& usage : profile.usages) {
    cfssl::AddUsage(usage, profile.key_usages, profile.extended_key_usages);
  }
  return profile;
}

// Reads the whole file into a Layout; what is wrong goes to the decoder.
class Reading {
 public:
  explicit Reading(const ObjectReader& root) : root_(root) {}

  Layout Read();

 private:
  WantedCa Ca(std::string_view key, std::string_view title, std::string_view base,
              std::string_view common_name) const;
  void AddMember(const ObjectReader& reader);
  void CheckPeerUrls(const ObjectReader& reader, const Member& member);
  void AddUser(const ObjectReader& reader);
  void AddProxy(const ObjectReader& reader);
  void AddSecret(const ObjectReader& reader);
  void AddGrpcProxy();
  WantedPair Pair(Role role, std::string owner, std::string base,
                  const std::vector<std::string_view>& usages) const;
  std::vector<std::string> Urls(const ObjectReader& reader, std::string_view key) const;
  std::vector<std::string> Hosts(const ObjectReader& reader, std::string_view key) const;
  std::string Name(const ObjectReader& reader, std::set<std::string>& taken) const;

  const ObjectReader& root_;
  Layout layout_;
  cfssl::KeyRequest key_;
  std::vector<cfssl::NameEntry> subject_;
  absl::Duration expiry_ = absl::Hours(8760);
  std::set<std::string> members_;
  std::map<std::string, std::string> peer_urls_;  // and whose they are
  std::set<std::string> users_;
  std::set<std::string> proxies_;
};

WantedCa Reading::Ca(std::string_view key, std::string_view title, std::string_view base,
                     std::string_view common_name) const {
  const ObjectReader reader = root_.Object(key);
  WantedCa ca = {.title = std::string(title), .base = std::string(base), .request = {}};
  ca.request.subject = {.common_name = std::string(common_name), .names = subject_};
  ca.request.key = key_;
  ca.request.ca.emplace().expiry = kCaExpiry;
  if (!reader.exists()) return ca;
  RefuseOtherKeys(reader, {"commonName", "expiry", "key", "subject"});
  if (std::string name = reader.String("commonName"); !name.empty()) {
    if (name.size() > 64) reader.Fail("commonName", "longer than 64 characters");
    ca.request.subject.common_name = std::move(name);
  }
  if (reader.Has("subject")) ca.request.subject.names = Subject(reader.Object("subject"));
  ca.request.ca->expiry = Period(reader, "expiry", kCaExpiry);
  ca.request.key = Key(reader.Object("key"), key_);
  return ca;
}

WantedPair Reading::Pair(Role role, std::string owner, std::string base,
                         const std::vector<std::string_view>& usages) const {
  WantedPair pair = {.role = role, .owner = std::move(owner), .base = std::move(base)};
  pair.request.subject = {.common_name = pair.owner, .names = subject_};
  pair.request.key = key_;
  pair.profile = ProfileOf(usages, expiry_);
  return pair;
}

std::string Reading::Name(const ObjectReader& reader, std::set<std::string>& taken) const {
  std::string name = reader.RequiredString("name");
  if (name.size() > 64) reader.Fail("name", "longer than 64 characters");
  if (!name.empty() && !taken.insert(name).second) {
    reader.Fail("name", fmt::format("\"{}\" is there twice", name));
  }
  return name;
}

std::vector<std::string> Reading::Urls(const ObjectReader& reader, std::string_view key) const {
  std::vector<std::string> urls = reader.StringList(key);
  if (urls.empty()) reader.Fail(key, "at least one URL is needed: https://HOST:PORT");
  for (const std::string& url : urls) {
    std::string host;
    if (const absl::Status status = ParseEtcdUrl(url, &host); !status.ok()) {
      reader.Fail(key, fmt::format("\"{}\": {}", url.substr(0, 80), std::string(status.message())));
    } else if (const std::optional<std::string> fault = HostFault(host)) {
      reader.Fail(key, fmt::format("\"{}\": nobody can dial it: {}", url.substr(0, 80), *fault));
    }
  }
  return urls;
}

std::vector<std::string> Reading::Hosts(const ObjectReader& reader, std::string_view key) const {
  std::vector<std::string> hosts = reader.StringList(key);
  for (const std::string& host : hosts) {
    if (const std::optional<std::string> fault = HostFault(host)) {
      reader.Fail(key, fmt::format("\"{}\": {}", host.substr(0, 80), *fault));
    }
  }
  return hosts;
}

// etcd starts with no URL that two members have.
void Reading::CheckPeerUrls(const ObjectReader& reader, const Member& member) {
  for (const std::string& url : member.peer_urls) {
    const auto [at, is_new] = peer_urls_.emplace(url, member.name);
    if (is_new || at->second == member.name) continue;
    reader.Fail("peerURLs",
                fmt::format("\"{}\" is a peer URL of \"{}\", too", url.substr(0, 80), at->second));
  }
}

void Reading::AddMember(const ObjectReader& reader) {
  RefuseOtherKeys(reader, {"name", "clientURLs", "peerURLs", "hosts", "peerSources"});
  Member member = {.name = Name(reader, members_)};
  if (!member.name.empty() && !IsFileWord(member.name)) {
    reader.Fail("name", "only letters, digits, '-', '_', '.' and '@': it is part of a file's name");
  }
  member.client_urls = Urls(reader, "clientURLs");
  member.peer_urls = Urls(reader, "peerURLs");
  CheckPeerUrls(reader, member);
  for (const std::string& source : reader.StringList("peerSources")) {
    if (const auto address = base::IpAddress::Parse(source); address.ok()) {
      member.sources.push_back(*address);
    } else {
      reader.Fail("peerSources", fmt::format("\"{}\" is no IP address", source.substr(0, 80)));
    }
  }
  const std::vector<std::string> hosts = Hosts(reader, "hosts");
  WantedPair server =
      Pair(Role::kServer, member.name, "server-" + member.name, {kServerAuth, kClientAuth});
  WantedPair peer =
      Pair(Role::kPeer, member.name, "peer-" + member.name, {kServerAuth, kClientAuth});
  for (const std::string& host : HostsOf(member.client_urls)) server.AddHost(host);
  for (const std::string& host : HostsOf(member.peer_urls)) peer.AddHost(host);
  for (const base::IpAddress& source : member.sources) peer.AddHost(source.ToString());
  for (const std::string& host : hosts) {
    server.AddHost(host);
    peer.AddHost(host);
  }
  for (const std::string_view host : {"localhost", "127.0.0.1"}) server.AddHost(host);
  if (!layout_.allowed_cn.empty()) peer.request.subject.common_name = layout_.allowed_cn;
  peer.ca = layout_.cas.size() - 1;
  layout_.pairs.push_back(std::move(server));
  layout_.pairs.push_back(std::move(peer));
  layout_.members.push_back(std::move(member));
}

void Reading::AddUser(const ObjectReader& reader) {
  RefuseOtherKeys(reader, {"name", "grants", "expiry"});
  User user = {.name = Name(reader, users_), .grants = {}};
  constexpr std::array<std::string_view, 3> kPermissions = {"read", "write", "readwrite"};
  reader.ForEach("grants", [&user, &kPermissions](const ObjectReader& item) {
    RefuseOtherKeys(item, {"permission", "prefix", "key"});
    Grant grant = {.permission = std::string(item.Enum("permission", kPermissions)), .key = ""};
    if (grant.permission.empty()) grant.permission = "readwrite";
    const bool has_prefix = item.Has("prefix");
    if (has_prefix == item.Has("key")) {
      item.Fail("prefix", "exactly one of prefix and key is needed");
    }
    grant.prefix = has_prefix;
    grant.key = item.String(has_prefix ? "prefix" : "key");
    user.grants.push_back(std::move(grant));
  });
  WantedPair pair = Pair(Role::kUser, user.name, "user-" + FileWord(user.name), {kClientAuth});
  pair.profile.expiry = Period(reader, "expiry", expiry_);
  layout_.pairs.push_back(std::move(pair));
  layout_.users.push_back(std::move(user));
}

void Reading::AddProxy(const ObjectReader& reader) {
  RefuseOtherKeys(reader, {"name", "hosts"});
  const std::string name = Name(reader, proxies_);
  if (!name.empty() && !IsFileWord(name)) {
    reader.Fail("name", "only letters, digits, '-', '_', '.' and '@': it is part of a file's name");
  }
  WantedPair pair = Pair(Role::kProxy, name, "proxy-" + name, {kServerAuth, kClientAuth});
  const std::vector<std::string> hosts = Hosts(reader, "hosts");
  if (hosts.empty()) reader.Fail("hosts", "at least one host is needed, by which clients dial it");
  for (const std::string& host : hosts) pair.AddHost(host);
  layout_.pairs.push_back(std::move(pair));
}

void Reading::AddSecret(const ObjectReader& reader) {
  RefuseOtherKeys(reader, {"name", "namespace", "user"});
  SecretWish secret = {reader.String("name"), reader.String("namespace"),
                       reader.RequiredString("user")};
  if (secret.name.empty()) secret.name = "calico-etcd-secrets";
  if (secret.name_space.empty()) secret.name_space = "kube-system";
  if (!secret.user.empty() && !users_.contains(secret.user)) {
    reader.Fail("user", fmt::format("\"{}\" is not among the users", secret.user));
  }
  layout_.secrets.push_back(std::move(secret));
}

void Reading::AddGrpcProxy() {
  if (!root_.Bool("grpcProxy")) return;
  WantedPair pair = Pair(Role::kGrpcProxy, "grpc-proxy", "grpc-proxy-client", {kClientAuth});
  pair.request.subject.common_name.clear();
  layout_.pairs.push_back(std::move(pair));
}

Layout Reading::Read() {
  RefuseOtherKeys(root_, {"directory", "key", "subject", "expiry", "ca", "peerCA", "members",
                          "users", "proxies", "grpcProxy", "peerCertAllowedCN", "secrets"});
  layout_.folder = root_.String("directory");
  if (layout_.folder.empty()) layout_.folder = "certs";
  key_ = Key(root_.Object("key"), {});
  subject_ = Subject(root_.Object("subject"));
  expiry_ = Period(root_, "expiry", expiry_);
  layout_.allowed_cn = root_.String("peerCertAllowedCN");
  if (layout_.allowed_cn.size() > 64) {
    root_.Fail("peerCertAllowedCN", "longer than 64 characters");
  }
  layout_.cas.push_back(Ca("ca", "CA", "ca", "etcd CA"));
  if (root_.Has("peerCA")) {
    layout_.cas.push_back(Ca("peerCA", "CA of peers", "peer-ca", "etcd peer CA"));
  }
  root_.ForEach("members", [this](const ObjectReader& item) { AddMember(item); });
  root_.ForEach("users", [this](const ObjectReader& item) { AddUser(item); });
  root_.ForEach("proxies", [this](const ObjectReader& item) { AddProxy(item); });
  root_.ForEach("secrets", [this](const ObjectReader& item) { AddSecret(item); });
  AddGrpcProxy();
  if (layout_.pairs.empty()) root_.Fail("members", "there is no member, user or proxy");
  if (layout_.pairs.size() > kMostEntries) root_.Fail("members", "more than 1000 certificates");
  return std::move(layout_);
}

// Where the first of the problems stands, "etcd.members[0].name: …; …", before all of them.
absl::Status WithPosition(const absl::Status& status, std::string_view yaml) {
  const std::string_view message(status.message().data(), status.message().size());
  const std::string_view path = message.substr(0, message.find(": "));
  const auto position =
      path.starts_with(kRoot) ? codec::FindInYaml(yaml, path.substr(kRoot.size())) : std::nullopt;
  if (!position.has_value()) return status;
  return absl::Status(status.code(), fmt::format("line {}, column {}: {}", position->line,
                                                 position->column, message));
}

}  // namespace

absl::StatusOr<Layout> ParseDescription(std::string_view yaml) {
  CALICO_ASSIGN_OR_RETURN(const json::value document,
                          codec::ParseYaml(yaml, {.max_bytes = 1 << 20, .max_depth = 8}));
  if (!document.is_object()) {
    return absl::InvalidArgumentError(
        fmt::format("expected keys and values, not {}", codec::KindName(document)));
  }
  codec::Decoder decoder("etcd");
  const ObjectReader root = decoder.Read(document.get_object());
  Layout layout = Reading(root).Read();
  if (const absl::Status status = decoder.status(); !status.ok()) return WithPosition(status, yaml);
  CALICO_RETURN_IF_ERROR(CheckFiles(layout));
  return layout;
}

}  // namespace calico::calicert::etcd
