#include "operator/calicert/calico/typha/typha_check.h"

#include <algorithm>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/pki/verify.h"

namespace calico::calicert::typha {
namespace {

using etcd::Finding;
using etcd::Severity;

struct Direction {
  const Side& shown;
  const Side& judge;
  const etcd::Trust& trust;
  std::string role;     // of the certificate
  std::string refuser;  // who judges it
  pki::ExtendedKeyUsage purpose;
  std::string variables;  // that demand an identity of it
};

class Check {
 public:
  Check(const Direction& direction, absl::Time now, std::vector<Finding>& findings)
      : direction_(direction), now_(now), findings_(findings) {}

  void Run();

 private:
  void Add(std::string check, std::string refuser, std::string reason, std::string advice,
           Severity severity = Severity::kError) {
    findings_.push_back({severity, direction_.shown.certificate_file, direction_.role,
                         std::move(check), std::move(refuser), std::move(reason),
                         std::move(advice)});
  }
  bool CheckFiles();
  void CheckUsage(const pki::Certificate& leaf);
  void CheckWho(const pki::Certificate& leaf);

  const Direction& direction_;
  const absl::Time now_;
  std::vector<Finding>& findings_;
};

bool Check::CheckFiles() {
  const etcd::Found& found = direction_.shown.found;
  const std::string& key = direction_.shown.key_file;
  if (found.chain.empty()) {
    Add("file", "its own program",
        found.has_certificate ? "it cannot be read: " + found.certificate_problem
                              : std::string("it is missing"),
        "make it: calicert calico typha-tls");
    return false;
  }
  if (!found.has_key) {
    Add("file", "its own program", fmt::format("its key {} is missing", key), "restore it");
  } else if (!found.key.has_value()) {
    Add("file", "its own program",
        fmt::format("its key {} cannot be read: {}", key, found.key_problem), "restore it");
  } else if (!found.IsPair()) {
    Add("file", "its own program", fmt::format("{} is the key of another certificate", key),
        "put the right key there");
  }
  return true;
}

void Check::CheckUsage(const pki::Certificate& leaf) {
  const bool serves = direction_.purpose == pki::ExtendedKeyUsage::kServerAuth;
  if (serves ? etcd::MayServe(leaf) : etcd::MayBeClient(leaf)) return;
  const std::string_view usage = serves ? "server auth" : "client auth";
  Add("usage", direction_.refuser,
      fmt::format("it lacks {} (it may be used for {})", usage, etcd::UsageList(leaf)),
      fmt::format("issue it with {}", usage));
}

void Check::CheckWho(const pki::Certificate& leaf) {
  const PeerIdentity& demanded = direction_.judge.demanded_of_peer;
  if (demanded.IsEmpty()) {
    Add("user", direction_.refuser,
        fmt::format("nothing is demanded of it: with TLS files and neither of {} the program does "
                    "not start",
                    direction_.variables),
        "set one of them");
    return;
  }
  const std::string problem = IdentityProblem(leaf, demanded);
  if (problem.empty()) return;
  Add("user", direction_.refuser, problem,
      fmt::format("issue it so, or change {}", direction_.variables));
}

void Check::Run() {
  if (!CheckFiles()) return;
  const std::vector<pki::Certificate>& chain = direction_.shown.found.chain;
  const pki::Certificate& leaf = chain.front();
  for (etcd::CheckProblem& problem :
       etcd::CheckChain(chain, direction_.trust, direction_.purpose, now_)) {
    Add(problem.check, direction_.refuser, std::move(problem.reason), std::move(problem.advice));
  }
  if (now_ <= leaf.not_after() && leaf.not_after() - now_ < etcd::kEndsSoon) {
    Add("clock", "", fmt::format("it ends at {}", etcd::TimeText(leaf.not_after())),
        "renew it: calicert calico typha-tls --renew-within", Severity::kWarning);
  }
  CheckUsage(leaf);
  CheckWho(leaf);
}

}  // namespace

std::string IdentityProblem(const pki::Certificate& certificate, const PeerIdentity& identity) {
  const auto& uris = certificate.uris();
  const bool is_name =
      !identity.common_name.empty() && certificate.common_name() == identity.common_name;
  const bool is_uri =
      !identity.uri.empty() && std::find(uris.begin(), uris.end(), identity.uri) != uris.end();
  if (is_name || is_uri) return "";
  std::vector<std::string> wanted;
  std::vector<std::string> has;
  if (!identity.common_name.empty()) {
    wanted.push_back(fmt::format("CN \"{}\"", identity.common_name));
    has.push_back(fmt::format("CN \"{}\"", certificate.common_name()));
  }
  if (!identity.uri.empty()) {
    wanted.push_back(fmt::format("URI SAN \"{}\"", identity.uri));
    has.push_back(uris.empty() ? std::string("no URI SAN")
                               : fmt::format("URI SAN \"{}\"", absl::StrJoin(uris, "\", \"")));
  }
  return fmt::format("it does not have the required {}: it has {}", absl::StrJoin(wanted, " or "),
                     absl::StrJoin(has, " and "));
}

std::vector<Finding> CheckLink(const Link& link, absl::Time now) {
  std::vector<Finding> findings;
  const Direction kDirections[] = {
      {link.typha, link.felix, link.felix_trusts, "typha, to each node", "Felix on every node",
       pki::ExtendedKeyUsage::kServerAuth, "FELIX_TYPHACN and FELIX_TYPHAURISAN"},
      {link.felix, link.typha, link.typha_trusts, "calico-node, to typha", "Typha",
       pki::ExtendedKeyUsage::kClientAuth, "TYPHA_CLIENTCN and TYPHA_CLIENTURISAN"},
  };
  for (const Direction& direction : kDirections) Check(direction, now, findings).Run();
  return etcd::SortFindings(std::move(findings));
}

}  // namespace calico::calicert::typha
