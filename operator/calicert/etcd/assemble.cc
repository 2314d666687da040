#include "operator/calicert/etcd/assemble.h"

#include <optional>

#include <fmt/format.h>

#include "operator/calicert/etcd/store.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::etcd {
namespace {

class Assembling {
 public:
  explicit Assembling(std::vector<Finding>& problems) : problems_(problems) {}

  // The pair of these files; nothing when its certificate cannot be had.
  std::optional<Shown> Pair(const std::string& certificate, const std::string& key,
                            const std::string& role, bool key_is_expected) {
    const Found found = ReadFound(certificate, key);
    if (found.chain.empty()) {
      Add(Severity::kError, certificate, role, "",
          found.has_certificate ? fmt::format("it cannot be read: {}", found.certificate_problem)
                                : "it is missing",
          "make it: calicert etcd generate");
      return std::nullopt;
    }
    CheckKey(found, certificate, key, role, key_is_expected);
    return Shown{certificate, found.chain};
  }

  void CheckCaKey(const std::string& key, const std::string& role) {
    if (const std::string mode = LooseKeyMode(key); !mode.empty()) {
      Add(Severity::kWarning, key, role, "",
          fmt::format("others may read this key ({}), and with it make certificates that everybody "
                      "here takes",
                      mode),
          "chmod 0600, or keep it elsewhere");
    }
  }

  Trust ReadCa(const std::string& file) {
    absl::StatusOr<Trust> trust = ReadTrust(file);
    if (trust.ok()) return *std::move(trust);
    Add(Severity::kError, file, "trusted CA", "everybody",
        fmt::format("it cannot be read: {}", std::string(trust.status().message())),
        "make or restore it");
    return {file, {}};
  }

 private:
  void Add(Severity severity, const std::string& file, const std::string& role, std::string refuser,
           std::string reason, std::string advice) {
    problems_.push_back(
        {severity, file, role, "file", std::move(refuser), std::move(reason), std::move(advice)});
  }

  void CheckKey(const Found& found, const std::string& certificate, const std::string& key,
                const std::string& role, bool key_is_expected) {
    if (!found.has_key) {
      if (key_is_expected) {
        Add(Severity::kNote, certificate, role, "", fmt::format("{} is not here", key), "");
      }
    } else if (!found.key.has_value()) {
      Add(Severity::kError, key, role, "its own program",
          fmt::format("it cannot be read: {}", found.key_problem), "restore it");
    } else if (!found.IsPair()) {
      Add(Severity::kError, certificate, role, "its own program",
          fmt::format("{} is the key of another certificate", key),
          "put the right key there, or issue the certificate anew");
    } else if (const std::string mode = LooseKeyMode(key); !mode.empty()) {
      Add(Severity::kWarning, key, role, "", fmt::format("others may read this key ({})", mode),
          "chmod 0600");
    }
  }

  std::vector<Finding>& problems_;
};

std::vector<std::string> UserNames(const Layout& layout) {
  std::vector<std::string> names;
  for (const User& user : layout.users) names.push_back(user.name);
  return names;
}

void Place(const WantedPair& pair, Shown shown, ClusterCertificates& cluster) {
  switch (pair.role) {
    case Role::kServer:
    case Role::kPeer:
    case Role::kMember:
      for (MemberCertificates& member : cluster.members) {
        if (member.name != pair.owner) continue;
        if (pair.role != Role::kPeer) member.server = shown;
        if (pair.role != Role::kServer) member.peer = shown;
      }
      return;
    case Role::kUser:
      cluster.users.push_back({std::move(shown), pair.owner});
      return;
    case Role::kProxy: {
      std::vector<std::string> hosts = pair.request.names.dns_names;
      for (const base::IpAddress& address : pair.request.names.ip_addresses) {
        hosts.push_back(address.ToString());
      }
      cluster.proxies.push_back({std::move(shown), pair.owner, std::move(hosts)});
      return;
    }
    case Role::kGrpcProxy:
      cluster.grpc_proxies.push_back(std::move(shown));
      return;
  }
}

absl::StatusOr<std::vector<std::string>> CheckedHosts(const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    std::string host;
    if (const absl::Status status = ParseEtcdUrl(url, &host); !status.ok()) {
      return base::Annotate(status, url.substr(0, 80));
    }
  }
  return HostsOf(urls);
}

absl::StatusOr<MemberCertificates> MemberOf(const LooseFiles& files) {
  MemberCertificates member = {.name = files.member};
  CALICO_ASSIGN_OR_RETURN(member.client_hosts, CheckedHosts(files.client_urls));
  CALICO_ASSIGN_OR_RETURN(member.peer_hosts, CheckedHosts(files.peer_urls));
  for (const std::string& source : files.sources) {
    CALICO_ASSIGN_OR_RETURN(const base::IpAddress address, base::IpAddress::Parse(source));
    member.sources.push_back(address);
  }
  return member;
}

}  // namespace

std::string KeyBeside(const std::string& certificate) {
  if (certificate.ends_with(".pem")) {
    return certificate.substr(0, certificate.size() - 4) + "-key.pem";
  }
  const size_t dot = certificate.rfind('.');
  return dot == certificate.npos ? certificate + ".key" : certificate.substr(0, dot) + ".key";
}

Assembled AssembleLayout(const Layout& layout) {
  Assembled result;
  Assembling assembling(result.problems);
  ClusterCertificates& cluster = result.cluster;
  cluster.client_ca = assembling.ReadCa(layout.CertificateFile(layout.cas.front().base));
  cluster.peer_ca = layout.cas.size() > 1
                        ? assembling.ReadCa(layout.CertificateFile(layout.peer_ca().base))
                        : cluster.client_ca;
  for (const WantedCa& ca : layout.cas) assembling.CheckCaKey(layout.KeyFile(ca.base), ca.title);
  cluster.allowed_cn = layout.allowed_cn;
  if (!layout.users.empty()) cluster.known_users = UserNames(layout);
  for (const Member& member : layout.members) {
    cluster.members.push_back({.name = member.name,
                               .server = std::nullopt,
                               .peer = std::nullopt,
                               .client_hosts = HostsOf(member.client_urls),
                               .peer_hosts = HostsOf(member.peer_urls),
                               .sources = member.sources});
  }
  for (const WantedPair& pair : layout.pairs) {
    auto shown = assembling.Pair(layout.CertificateFile(pair.base), layout.KeyFile(pair.base),
                                 pair.Title(), true);
    if (shown.has_value()) Place(pair, *std::move(shown), cluster);
  }
  return result;
}

absl::StatusOr<Assembled> AssembleFiles(const LooseFiles& files) {
  Assembled result;
  Assembling assembling(result.problems);
  ClusterCertificates& cluster = result.cluster;
  CALICO_ASSIGN_OR_RETURN(cluster.client_ca, ReadTrust(files.ca));
  cluster.peer_ca = cluster.client_ca;
  if (!files.peer_ca.empty()) {
    CALICO_ASSIGN_OR_RETURN(cluster.peer_ca, ReadTrust(files.peer_ca));
  }
  CALICO_ASSIGN_OR_RETURN(const MemberCertificates member, MemberOf(files));
  const auto pair = [&assembling](const std::string& file, const std::string& role) {
    return assembling.Pair(file, KeyBeside(file), role, false);
  };
  // Each server and peer certificate in a member of its own, so that all are judged.
  for (const std::string& file : files.servers) {
    MemberCertificates one = member;
    one.server = pair(file, "server of " + member.name);
    cluster.members.push_back(std::move(one));
  }
  for (const std::string& file : files.peers) {
    MemberCertificates one = member;
    one.peer = pair(file, "peer of " + member.name);
    cluster.members.push_back(std::move(one));
  }
  for (const std::string& file : files.users) {
    if (auto shown = pair(file, "user")) cluster.users.push_back({*std::move(shown), ""});
  }
  for (const std::string& file : files.proxies) {
    if (auto shown = pair(file, "proxy")) cluster.proxies.push_back({*std::move(shown), file, {}});
  }
  for (const std::string& file : files.grpc_proxies) {
    if (auto shown = pair(file, "client of grpc-proxy")) {
      cluster.grpc_proxies.push_back(*std::move(shown));
    }
  }
  return result;
}

}  // namespace calico::calicert::etcd
