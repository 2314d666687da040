#include "operator/calicert/etcd/verify.h"

#include <algorithm>
#include <set>

#include <absl/strings/str_join.h>
#include <absl/types/span.h>
#include <fmt/format.h>

#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/host_names.h"

namespace calico::calicert::etcd {
namespace {

using pki::Certificate;
using pki::ExtendedKeyUsage;

constexpr std::string_view kEveryClient = "every client";

class Verifier {
 public:
  Verifier(const ClusterCertificates& cluster, const Lookups& lookups, absl::Time now)
      : cluster_(cluster), lookups_(lookups), now_(now) {}

  std::vector<Finding> Run();

 private:
  void Add(Severity severity, const Shown& shown, const std::string& role, std::string_view check,
           std::string refuser, std::string reason, std::string advice) {
    findings_.push_back({severity, shown.file, role, std::string(check), std::move(refuser),
                         std::move(reason), std::move(advice)});
  }
  void CheckTrust(const Trust& trust, std::string_view what);
  // Clock, form and chain, as `refuser` sees them, in each of the purposes.
  void CheckAs(const Shown& shown, const std::string& role, const Trust& trust,
               absl::Span<const ExtendedKeyUsage> purposes, const std::string& refuser);
  void CheckHosts(const Shown& shown, const std::string& role,
                  const std::vector<std::string>& hosts, const std::string& refuser);
  void CheckReach(const Shown& shown, const std::string& role,
                  const std::vector<std::string>& hosts, const std::string& refuser);
  void CheckServer(const MemberCertificates& member);
  void CheckPeer(const MemberCertificates& member);
  void CheckSources(const MemberCertificates& member, const std::string& others);
  void JudgeSourceOf(const MemberCertificates& member, const base::IpAddress& source,
                     const std::string& others);
  void CheckUser(const ClientCertificate& client);
  void CheckUserName(const ClientCertificate& client, const std::string& role);
  void CheckProxy(const ProxyCertificate& proxy);
  void CheckGrpcProxy(const Shown& shown);
  void CheckIdentityOfServer(const Shown& shown, const std::string& role);
  std::string Others(const MemberCertificates& member) const;

  const ClusterCertificates& cluster_;
  const Lookups& lookups_;
  const absl::Time now_;
  std::vector<Finding> findings_;
};

std::string Verifier::Others(const MemberCertificates& member) const {
  std::vector<std::string> names;
  for (const MemberCertificates& other : cluster_.members) {
    if (other.name != member.name) names.push_back(other.name);
  }
  return names.empty() ? "every other member" : absl::StrJoin(names, ", ");
}

void Verifier::CheckTrust(const Trust& trust, std::string_view what) {
  const pki::CaDemands demands = {
      .usages = {{std::string(pki::kOidServerAuth), "every member"},
                 {std::string(pki::kOidClientAuth), "every member and user"}},
      .names = {},
      .ip_addresses = {}};
  const pki::CaFindings found = pki::CheckCaBundle(trust.certificates, demands, now_);
  // A certificate that is trusted itself need not be a CA, as etcd's own --auto-tls has it; whom it
  // does not cover is told of each.
  const bool only_leaves =
      std::none_of(trust.certificates.begin(), trust.certificates.end(),
                   [](const Certificate& certificate) { return certificate.is_ca(); });
  for (const std::string& problem : found.problems) {
    findings_.push_back({only_leaves ? Severity::kWarning : Severity::kError, trust.file,
                         std::string(what), "chain", only_leaves ? "" : "everybody", problem,
                         "members read it at their start: restart them afterwards"});
  }
  for (const std::string& note : found.notes) {
    findings_.push_back({Severity::kWarning, trust.file, std::string(what), "chain", "", note, ""});
  }
}

void Verifier::CheckAs(const Shown& shown, const std::string& role, const Trust& trust,
                       absl::Span<const ExtendedKeyUsage> purposes, const std::string& refuser) {
  std::set<std::string> told;
  for (const ExtendedKeyUsage purpose : purposes) {
    for (CheckProblem& problem : CheckChain(shown.chain, trust, purpose, now_)) {
      if (!told.insert(problem.reason).second) continue;
      Add(Severity::kError, shown, role, problem.check, refuser, std::move(problem.reason),
          std::move(problem.advice));
    }
  }
  const Certificate& leaf = shown.chain.front();
  if (now_ <= leaf.not_after() && leaf.not_after() - now_ < kEndsSoon) {
    Add(Severity::kWarning, shown, role, "clock", "",
        fmt::format("it ends at {}", TimeText(leaf.not_after())),
        "renew it: calicert etcd generate --renew-within");
  }
}

void Verifier::CheckHosts(const Shown& shown, const std::string& role,
                          const std::vector<std::string>& hosts, const std::string& refuser) {
  const Certificate& leaf = shown.chain.front();
  if (hosts.empty() && !pki::HasUsableName(leaf)) {
    Add(Severity::kError, shown, role, "host", refuser,
        fmt::format("it is for {}, by which nobody can dial it", pki::NameList(leaf)),
        "issue it with the hosts of the member's URLs");
  }
  for (const std::string& host : hosts) {
    if (std::optional<std::string> problem = pki::HostProblem(leaf, host)) {
      const std::string& name = leaf.common_name();
      if (name == host) *problem += "; its common name is, but that does not count";
      if (name.starts_with('*')) {
        *problem += fmt::format("; its common name \"{}\" matches nothing", name);
      }
      Add(Severity::kError, shown, role, "host", refuser, std::move(*problem),
          fmt::format("issue it with {} among its hosts", host));
    }
  }
}

// Of a member whose URLs nobody has told it is known all the same that others do not find it here.
void Verifier::CheckReach(const Shown& shown, const std::string& role,
                          const std::vector<std::string>& hosts, const std::string& refuser) {
  const Certificate& leaf = shown.chain.front();
  const auto is_here = [](const std::string& host) {
    return host.empty() || host == "localhost" || host.starts_with("127.") || host == "::1";
  };
  std::vector<std::string> names = leaf.dns_names();
  for (const base::IpAddress& address : leaf.ip_addresses()) names.push_back(address.ToString());
  if (!hosts.empty() || cluster_.members.size() < 2 || !pki::HasUsableName(leaf) ||
      !std::all_of(names.begin(), names.end(), is_here)) {
    return;
  }
  Add(Severity::kWarning, shown, role, "host", refuser,
      fmt::format("it is for {} only, by which nobody on another machine dials it",
                  pki::NameList(leaf)),
      "put the addresses of all members into its hosts (hack/tls-setup: config/req-csr.json), or "
      "name them: --member NAME=HOST");
}

// Whoever holds a member's pair is the etcd user of that name.
void Verifier::CheckIdentityOfServer(const Shown& shown, const std::string& role) {
  const std::string& name = shown.chain.front().common_name();
  if (!MayBeClient(shown.chain.front()) || name.empty()) return;
  const bool is_user =
      name == "root" || (cluster_.known_users.has_value() &&
                         std::find(cluster_.known_users->begin(), cluster_.known_users->end(),
                                   name) != cluster_.known_users->end());
  if (!is_user) return;
  Add(Severity::kWarning, shown, role, "user", "",
      fmt::format("its common name \"{}\" is an etcd user: whoever has this pair acts as that user",
                  name),
      "give members a common name that is no user");
}

void Verifier::CheckServer(const MemberCertificates& member) {
  const Shown& shown = *member.server;
  const std::string role = fmt::format("server of {}", member.name);
  const Certificate& leaf = shown.chain.front();
  CheckAs(shown, role, cluster_.client_ca, {ExtendedKeyUsage::kServerAuth},
          std::string(kEveryClient));
  if (!MayServe(leaf)) {
    Add(Severity::kError, shown, role, "usage", std::string(kEveryClient),
        fmt::format("it lacks serverAuth (it may be used for {}), which a server needs",
                    UsageList(leaf)),
        "issue it with server auth and client auth");
  } else if (cluster_.client_cert_auth && !MayBeClient(leaf)) {
    Add(Severity::kWarning, shown, role, "usage", fmt::format("{}'s own gateway", member.name),
        fmt::format("it lacks clientAuth (it may be used for {}): since 3.2 etcd shows this pair "
                    "to itself when its JSON gateway dials the client port, which "
                    "--client-cert-auth then refuses with \"incompatible key usage\"",
                    UsageList(leaf)),
        "issue it with server auth and client auth, or set --client-cert-file and "
        "--client-key-file");
  }
  CheckHosts(shown, role, member.client_hosts, std::string(kEveryClient));
  CheckReach(shown, role, member.client_hosts, std::string(kEveryClient));
  CheckIdentityOfServer(shown, role);
}

void Verifier::CheckPeer(const MemberCertificates& member) {
  const Shown& shown = *member.peer;
  const std::string role = fmt::format("peer of {}", member.name);
  const std::string others = Others(member);
  const Certificate& leaf = shown.chain.front();
  CheckAs(shown, role, cluster_.peer_ca,
          {ExtendedKeyUsage::kServerAuth, ExtendedKeyUsage::kClientAuth}, others);
  for (const bool serves : {true, false}) {
    if (serves ? MayServe(leaf) : MayBeClient(leaf)) continue;
    Add(Severity::kError, shown, role, "usage", others,
        fmt::format("it lacks {} (it may be used for {}): members dial each other with this pair "
                    "and so are servers and clients of each other",
                    serves ? "serverAuth" : "clientAuth", UsageList(leaf)),
        "issue it with server auth and client auth");
  }
  CheckHosts(shown, role, member.peer_hosts, others);
  CheckReach(shown, role, member.peer_hosts, others);
  CheckSources(member, others);
  if (!cluster_.allowed_cn.empty() && leaf.common_name() != cluster_.allowed_cn) {
    Add(Severity::kError, shown, role, "user", others,
        fmt::format("its common name is \"{}\", and --peer-cert-allowed-cn is \"{}\"",
                    leaf.common_name(), cluster_.allowed_cn),
        "issue it with that common name");
  }
}

void Verifier::CheckSources(const MemberCertificates& member, const std::string& others) {
  std::set<base::IpAddress> sources(member.sources.begin(), member.sources.end());
  if (sources.empty()) {
    for (const std::string& host : member.peer_hosts) {
      if (const auto address = base::IpAddress::Parse(host); address.ok()) {
        sources.insert(*address);
      } else if (const auto known = lookups_.addresses.find(host);
                 known != lookups_.addresses.end()) {
        sources.insert(known->second.begin(), known->second.end());
      }
    }
  }
  for (const base::IpAddress& source : sources) JudgeSourceOf(member, source, others);
  if (!sources.empty() || member.peer_hosts.empty()) return;
  // Members are addressed by names that nobody has looked up.
  const Certificate& leaf = member.peer->chain.front();
  const auto& names = leaf.dns_names();
  for (const std::string& host : member.peer_hosts) {
    if (names.empty() || std::find(names.begin(), names.end(), host) != names.end()) continue;
    Add(Severity::kWarning, *member.peer, fmt::format("peer of {}", member.name), "source", others,
        fmt::format("members also check the address that a connection comes from; it is for {}, "
                    "so {}'s address must resolve back to such a name",
                    pki::NameList(leaf), host),
        fmt::format("put {} itself or the member's addresses among its hosts", host));
  }
}

void Verifier::JudgeSourceOf(const MemberCertificates& member, const base::IpAddress& source,
                             const std::string& others) {
  SourceFinding found = JudgeSource(member.peer->chain.front(), source, lookups_);
  if (found.verdict == SourceVerdict::kAccepted) return;
  const bool refused = found.verdict == SourceVerdict::kRefused;
  Add(refused ? Severity::kError : Severity::kWarning, *member.peer,
      fmt::format("peer of {}", member.name), "source", others, std::move(found.reason),
      fmt::format("issue it with {} among its hosts", source.ToString()));
}

void Verifier::CheckUser(const ClientCertificate& client) {
  const Certificate& leaf = client.shown.chain.front();
  const std::string role =
      fmt::format("user {}", client.user.empty() ? leaf.common_name() : client.user);
  CheckAs(client.shown, role, cluster_.client_ca, {ExtendedKeyUsage::kClientAuth}, "every member");
  if (!MayBeClient(leaf)) {
    Add(Severity::kError, client.shown, role, "usage", "every member",
        fmt::format("it lacks clientAuth (it may be used for {}), which a client needs",
                    UsageList(leaf)),
        "issue it with client auth");
  }
  CheckUserName(client, role);
}

void Verifier::CheckUserName(const ClientCertificate& client, const std::string& role) {
  const std::string& name = client.shown.chain.front().common_name();
  if (name.empty()) {
    Add(Severity::kError, client.shown, role, "user", "every member",
        "it has no common name, so that it is no etcd user (\"user name is empty\")",
        "issue it with the user's name as its common name");
  } else if (!client.user.empty() && client.user != name) {
    Add(Severity::kError, client.shown, role, "user", "every member",
        fmt::format("its common name is \"{}\", so that etcd takes it for that user, not for "
                    "\"{}\"",
                    name, client.user),
        fmt::format("issue it with CN \"{}\"", client.user));
  } else if (cluster_.known_users.has_value() &&
             std::find(cluster_.known_users->begin(), cluster_.known_users->end(), name) ==
                 cluster_.known_users->end()) {
    Add(Severity::kError, client.shown, role, "user", "every member",
        fmt::format("etcd has no user \"{}\" (\"permission denied\")", name),
        fmt::format("etcdctl user add {} --no-password, and grant it a role", name));
  } else if (name == "etcd") {
    Add(Severity::kWarning, client.shown, role, "user", "",
        "its common name \"etcd\" is that of hack/tls-setup's members: one user for everybody",
        "give each component a common name of its own");
  }
}

void Verifier::CheckProxy(const ProxyCertificate& proxy) {
  const std::string role = fmt::format("proxy {}", proxy.name);
  CheckAs(proxy.shown, role, cluster_.client_ca, {ExtendedKeyUsage::kServerAuth},
          std::string(kEveryClient));
  const Certificate& leaf = proxy.shown.chain.front();
  if (!MayServe(leaf)) {
    Add(Severity::kError, proxy.shown, role, "usage", std::string(kEveryClient),
        fmt::format("it lacks serverAuth (it may be used for {})", UsageList(leaf)),
        "issue it with server auth");
  }
  CheckHosts(proxy.shown, role, proxy.hosts, std::string(kEveryClient));
}

void Verifier::CheckGrpcProxy(const Shown& shown) {
  const std::string role = "client of grpc-proxy";
  CheckAs(shown, role, cluster_.client_ca, {ExtendedKeyUsage::kClientAuth}, "every member");
  const Certificate& leaf = shown.chain.front();
  if (!MayBeClient(leaf)) {
    Add(Severity::kError, shown, role, "usage", "every member",
        fmt::format("it lacks clientAuth (it may be used for {})", UsageList(leaf)),
        "issue it with client auth");
  }
  if (!leaf.common_name().empty()) {
    Add(Severity::kError, shown, role, "user", "grpc-proxy itself",
        fmt::format("its common name is \"{}\", and grpc-proxy starts only with an empty one: all "
                    "its clients would act as that user",
                    leaf.common_name()),
        "issue it without a common name");
  }
}

std::vector<Finding> Verifier::Run() {
  CheckTrust(cluster_.client_ca, "trusted CA");
  if (cluster_.peer_ca.file != cluster_.client_ca.file) {
    CheckTrust(cluster_.peer_ca, "trusted CA of peers");
  }
  for (const MemberCertificates& member : cluster_.members) {
    if (member.server.has_value()) CheckServer(member);
    if (member.peer.has_value()) CheckPeer(member);
  }
  for (const ClientCertificate& client : cluster_.users) CheckUser(client);
  for (const ProxyCertificate& proxy : cluster_.proxies) CheckProxy(proxy);
  for (const Shown& shown : cluster_.grpc_proxies) CheckGrpcProxy(shown);
  return SortFindings(std::move(findings_));
}

}  // namespace

std::string_view ToString(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

std::vector<Finding> SortFindings(std::vector<Finding> findings) {
  std::vector<Finding> sorted;
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote}) {
    for (Finding& finding : findings) {
      if (finding.severity == severity) sorted.push_back(std::move(finding));
    }
  }
  return sorted;
}

std::vector<Finding> Verify(const ClusterCertificates& cluster, const Lookups& lookups,
                            absl::Time now) {
  return Verifier(cluster, lookups, now).Run();
}

}  // namespace calico::calicert::etcd
