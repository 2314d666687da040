#include "operator/calicert/etcd/tls_setup.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/net/address.h"
#include "pkg/net/url.h"

namespace calico::calicert::etcd {
namespace {

constexpr int kMostMembers = 100;
constexpr std::string_view kConfigFile = "config/ca-config.json";
constexpr std::string_view kCaFile = "config/ca-csr.json";
constexpr std::string_view kMemberFile = "config/req-csr.json";

absl::StatusOr<std::string> Read(const std::string& path, std::string_view what) {
  absl::StatusOr<std::string> text = base::ReadFile(path);
  if (text.ok()) return text;
  return absl::Status(text.status().code(),
                      fmt::format("{} (it says {}; -C names a folder of hack/tls-setup)",
                                  std::string(text.status().message()), what));
}

class Reading {
 public:
  Reading(const std::string& folder, const TlsSetupOptions& options)
      : folder_(folder), options_(options) {}

  absl::StatusOr<Layout> Run();

 private:
  absl::Status ReadConfig();
  absl::StatusOr<cfssl::Request> ReadRequest(const std::string& file, std::string_view what);
  absl::StatusOr<std::vector<std::string>> Infra() const;
  absl::Status AddMembers();
  void AddMember(const std::string& name, const std::vector<std::string>& hosts);
  void AddInfra(const std::string& value);
  absl::Status AddComponents();
  void AddPair(Role role, const std::string& owner, const std::string& base,
               cfssl::Request request);
  cfssl::Profile ProfileFor(Role role);
  std::string Path(std::string_view file) const { return fmt::format("{}/{}", folder_, file); }
  void Note(std::string note) {
    const auto& notes = layout_.notes;
    if (std::find(notes.begin(), notes.end(), note) != notes.end()) return;
    layout_.notes.push_back(std::move(note));
  }
  void NoteHost(const cfssl::Request& request, const std::string& host);

  const std::string& folder_;
  const TlsSetupOptions& options_;
  Layout layout_;
  cfssl::SigningConfig config_;
  bool has_default_ = false;
  cfssl::Request member_request_;
};

absl::Status Reading::ReadConfig() {
  const std::string path = Path(kConfigFile);
  CALICO_ASSIGN_OR_RETURN(const std::string text, Read(path, "what certificates may be used for"));
  CALICO_ASSIGN_OR_RETURN(config_, cfssl::ParseSigningConfig(text, path));
  for (const std::string& warning : config_.warnings) Note(warning);
  // What ParseSigningConfig has read is JSON.
  if (const auto root = codec::ParseJsonObject(text); root.ok()) {
    const json::object* signing = codec::FindObject(*root, "signing");
    has_default_ = signing != nullptr && codec::FindObject(*signing, "default") != nullptr;
  }
  return absl::OkStatus();
}

absl::StatusOr<cfssl::Request> Reading::ReadRequest(const std::string& file,
                                                    std::string_view what) {
  const std::string path = Path(file);
  CALICO_ASSIGN_OR_RETURN(const std::string text, Read(path, what));
  CALICO_ASSIGN_OR_RETURN(cfssl::ReadRequest read, cfssl::ParseRequest(text, path));
  // `"hosts": [""]` of the documented files for users: an empty name that nothing matches.
  auto& names = read.request.names.dns_names;
  names.erase(std::remove(names.begin(), names.end(), ""), names.end());
  for (const std::string& warning : read.warnings) {
    if (warning.find("an empty name") == warning.npos) Note(warning);
  }
  return std::move(read.request);
}

// With one default for all, as hack/tls-setup has it, that; else a profile named after the role.
cfssl::Profile Reading::ProfileFor(Role role) {
  if (has_default_) return config_.default_profile;
  std::vector<std::string> names = {std::string(ToString(role))};
  if (role == Role::kUser) names = {"client", "user"};
  if (role == Role::kProxy) names = {"proxy", "server"};
  if (role == Role::kMember) names = {"peer", "server"};
  for (const std::string& name : names) {
    const auto found = config_.profiles.find(name);
    if (found == config_.profiles.end()) continue;
    Note(fmt::format("{} has no default: profile \"{}\" is used for each {}", Path(kConfigFile),
                     name, ToString(role)));
    return found->second;
  }
  return config_.default_profile;
}

void Reading::AddPair(Role role, const std::string& owner, const std::string& base,
                      cfssl::Request request) {
  WantedPair pair = {.role = role, .owner = owner, .base = base};
  pair.request = std::move(request);
  pair.profile = ProfileFor(role);
  layout_.pairs.push_back(std::move(pair));
}

void Reading::NoteHost(const cfssl::Request& request, const std::string& host) {
  WantedPair probe = {.request = request};
  const size_t before =
      probe.request.names.dns_names.size() + probe.request.names.ip_addresses.size();
  probe.AddHost(host);
  if (probe.request.names.dns_names.size() + probe.request.names.ip_addresses.size() == before) {
    return;
  }
  Note(
      fmt::format("{}: hosts lacks {}, by which that member is dialled: add it, or other members "
                  "and clients refuse it",
                  Path(kMemberFile), host));
}

absl::StatusOr<std::vector<std::string>> Reading::Infra() const {
  std::vector<std::string> values;
  if (!options_.environment) return values;
  for (int i = 0; i < kMostMembers; ++i) {
    values.push_back(options_.environment(fmt::format("infra{}", i)));
  }
  while (!values.empty() && values.back().empty()) values.pop_back();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) continue;
    return absl::InvalidArgumentError(
        fmt::format("infra{} is not set, but infra{} is: its files would have no name; set it, or "
                    "unset all of them for etcd1 to etcd3",
                    i, values.size() - 1));
  }
  return values;
}

void Reading::AddInfra(const std::string& value) {
  Member member = {.name = value};
  member.client_urls = {"https://" + net::JoinHostPort(value, 2379)};
  member.peer_urls = {"https://" + net::JoinHostPort(value, 2380)};
  NoteHost(member_request_, value);
  AddPair(Role::kServer, value, value, member_request_);
  AddPair(Role::kPeer, value, "peer-" + value, member_request_);
  layout_.members.push_back(std::move(member));
}

void Reading::AddMember(const std::string& name, const std::vector<std::string>& hosts) {
  Member member = {.name = name};
  for (const std::string& host : hosts) {
    member.client_urls.push_back("https://" + net::JoinHostPort(host, 2379));
    member.peer_urls.push_back("https://" + net::JoinHostPort(host, 2380));
  }
  AddPair(Role::kMember, name, name, member_request_);
  for (const std::string& host : hosts) layout_.pairs.back().AddHost(host);
  layout_.members.push_back(std::move(member));
}

absl::Status Reading::AddMembers() {
  CALICO_ASSIGN_OR_RETURN(member_request_, ReadRequest(std::string(kMemberFile),
                                                       "what the certificates of members are for"));
  CALICO_ASSIGN_OR_RETURN(const std::vector<std::string> infra, Infra());
  if (!infra.empty() && !options_.members.empty()) {
    return absl::InvalidArgumentError(
        "--member and the variable infra0 both name members: use one of them");
  }
  for (const std::string& value : infra) {
    if (!net::IsServerName(value)) {
      return absl::InvalidArgumentError(
          fmt::format("the variable infra… is {:?}: expected an IP address or a DNS name",
                      value.substr(0, 80)));
    }
    AddInfra(value);
  }
  for (const std::string& text : options_.members) {
    std::string name;
    std::vector<std::string> hosts;
    CALICO_RETURN_IF_ERROR(ParseMember(text, &name, &hosts));
    AddMember(name, hosts);
  }
  if (!layout_.members.empty() && !infra.empty()) return absl::OkStatus();
  if (options_.members.empty()) {
    for (const char* name : {"etcd1", "etcd2", "etcd3"}) AddMember(name, {});
  }
  AddPair(Role::kProxy, "proxy1", "proxy1", member_request_);
  return absl::OkStatus();
}

// config/req-NAME.json is the pair certs/NAME.
absl::Status Reading::AddComponents() {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(Path("config"), error)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with("req-") || !file.ends_with(".json") || file == "req-csr.json") continue;
    const std::string name = file.substr(4, file.size() - 9);
    if (!name.empty()) names.insert(name);
    if (names.size() > 1000) {
      return absl::InvalidArgumentError(fmt::format("{}: more than 1000 files", Path("config")));
    }
  }
  if (error) {
    return absl::UnavailableError(fmt::format("read {}: {}", Path("config"), error.message()));
  }
  for (const std::string& name : names) {
    CALICO_ASSIGN_OR_RETURN(cfssl::Request request,
                            ReadRequest("config/req-" + name + ".json", "who one user of etcd is"));
    const std::string user = request.subject.common_name;
    if (user.empty()) {
      Note(fmt::format("{}: it has no CN, so that it is no etcd user", request.file));
    } else {
      layout_.users.push_back({.name = user, .grants = {}});
    }
    AddPair(Role::kUser, user.empty() ? name : user, name, std::move(request));
  }
  return absl::OkStatus();
}

absl::StatusOr<Layout> Reading::Run() {
  layout_.folder = Path("certs");
  layout_.writes_requests = true;
  CALICO_RETURN_IF_ERROR(ReadConfig());
  WantedCa ca = {.title = "CA", .base = "ca", .request = {}};
  CALICO_ASSIGN_OR_RETURN(ca.request, ReadRequest(std::string(kCaFile), "who the CA is"));
  layout_.cas.push_back(std::move(ca));
  CALICO_RETURN_IF_ERROR(AddMembers());
  CALICO_RETURN_IF_ERROR(AddComponents());
  CALICO_RETURN_IF_ERROR(CheckFiles(layout_));
  return std::move(layout_);
}

}  // namespace

absl::Status ParseMember(const std::string& text, std::string* name,
                         std::vector<std::string>* hosts) {
  const size_t equals = text.find('=');
  *name = text.substr(0, equals);
  if (equals != text.npos) *hosts = absl::StrSplit(text.substr(equals + 1), ',');
  const bool good = !name->empty() && !hosts->empty() &&
                    std::all_of(hosts->begin(), hosts->end(),
                                [](const std::string& host) { return net::IsServerName(host); });
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "--member {:?}: expected NAME=HOST, such as etcd-1=10.0.0.11", text.substr(0, 80)));
}

absl::StatusOr<Layout> ReadTlsSetup(const std::string& folder, const TlsSetupOptions& options) {
  return Reading(folder, options).Run();
}

}  // namespace calico::calicert::etcd
