#include "operator/calicert/etcd/layout.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/net/url.h"

namespace calico::calicert::etcd {
namespace {

std::string InFolder(const std::string& folder, std::string_view base, std::string_view end) {
  return folder.empty() ? fmt::format("{}{}", base, end)
                        : fmt::format("{}/{}{}", folder, base, end);
}

bool StaysInFolder(std::string_view base) {
  return !base.empty() && base != "." && base != ".." && base.find('/') == base.npos &&
         base.find('\0') == base.npos;
}

}  // namespace

std::string KeyText(const cfssl::KeyRequest& key) {
  if (key.algorithm == "rsa") return fmt::format("RSA-{}", key.size);
  if (key.algorithm == "ecdsa") return fmt::format("ECDSA-P{}", key.size);
  return key.algorithm == "ed25519" ? "Ed25519" : key.algorithm;
}

std::string_view ToString(Role role) {
  switch (role) {
    case Role::kServer:
      return "server";
    case Role::kPeer:
      return "peer";
    case Role::kMember:
      return "member";
    case Role::kUser:
      return "user";
    case Role::kProxy:
      return "proxy";
    case Role::kGrpcProxy:
      break;
  }
  return "grpc-proxy";
}

std::string WantedPair::Title() const {
  switch (role) {
    case Role::kServer:
    case Role::kPeer:
      return fmt::format("{} of {}", ToString(role), owner);
    case Role::kGrpcProxy:
      return "client of grpc-proxy";
    default:
      return fmt::format("{} {}", ToString(role), owner);
  }
}

void WantedPair::AddHost(std::string_view host) {
  auto& ip_addresses = request.names.ip_addresses;
  auto& dns_names = request.names.dns_names;
  if (const auto address = base::IpAddress::Parse(host); address.ok()) {
    if (std::find(ip_addresses.begin(), ip_addresses.end(), *address) == ip_addresses.end()) {
      ip_addresses.push_back(*address);
    }
  } else if (std::find(dns_names.begin(), dns_names.end(), host) == dns_names.end()) {
    dns_names.emplace_back(host);
  }
}

std::string Layout::CertificateFile(std::string_view base) const {
  return InFolder(folder, base, certificate_end);
}
std::string Layout::KeyFile(std::string_view base) const { return InFolder(folder, base, key_end); }
std::string Layout::RequestFile(std::string_view base) const {
  return InFolder(folder, base, ".csr");
}

absl::Status ParseEtcdUrl(std::string_view url, std::string* host) {
  CALICO_ASSIGN_OR_RETURN(const net::Url parsed, net::ParseUrl(url));
  if (parsed.scheme != "https") {
    return absl::InvalidArgumentError(
        fmt::format("the scheme is {}, and only https uses certificates", parsed.scheme));
  }
  if (!parsed.path.empty() || !parsed.user.empty() || !parsed.password.empty()) {
    return absl::InvalidArgumentError("etcd takes https://HOST:PORT and nothing more");
  }
  *host = parsed.host;
  return absl::OkStatus();
}

std::vector<std::string> HostsOf(const std::vector<std::string>& urls) {
  std::vector<std::string> hosts;
  for (const std::string& url : urls) {
    std::string host;
    if (!ParseEtcdUrl(url, &host).ok()) continue;
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

absl::Status CheckFiles(const Layout& layout) {
  std::map<std::string, std::string, std::less<>> owners;
  const auto take = [&owners, &layout](const std::string& base, const std::string& title) {
    if (!StaysInFolder(base)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {:?} cannot be a file's name", title, base));
    }
    for (const std::string& end : {layout.certificate_end, layout.key_end}) {
      const auto [at, is_new] = owners.emplace(base + end, title);
      if (!is_new) {
        return absl::InvalidArgumentError(fmt::format(
            "{} and {} would both be in {}: give one another name", at->second, title, at->first));
      }
    }
    return absl::OkStatus();
  };
  for (const WantedCa& ca : layout.cas) CALICO_RETURN_IF_ERROR(take(ca.base, ca.title));
  for (const WantedPair& pair : layout.pairs) {
    CALICO_RETURN_IF_ERROR(take(pair.base, pair.Title()));
  }
  return absl::OkStatus();
}

}  // namespace calico::calicert::etcd
