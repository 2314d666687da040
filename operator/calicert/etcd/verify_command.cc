#include "operator/calicert/etcd/verify_command.h"

#include <memory>
#include <string>
#include <vector>

#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <fmt/format.h>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/etcd/assemble.h"
#include "operator/calicert/etcd/layout_source.h"
#include "operator/calicert/etcd/report.h"
#include "operator/calicert/etcd/running.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::etcd {
namespace {

struct VerifyFlags {
  LayoutSource source;
  LooseFiles files;
  std::string known_users;
  std::string allowed_cn;
  std::string output;
  std::vector<std::string> endpoints;
  std::vector<std::string> peer_endpoints;
  bool running = false;
  bool no_client_cert_auth = false;
  bool resolve = false;
  bool strict = false;

  bool NamesFiles() const {
    return !files.servers.empty() || !files.peers.empty() || !files.users.empty() ||
           !files.proxies.empty() || !files.grpc_proxies.empty() || !endpoints.empty() ||
           !peer_endpoints.empty();
  }
};

constexpr absl::Duration kDialTimeout = absl::Seconds(5);

absl::StatusOr<std::vector<Endpoint>> NamedEndpoints(const VerifyFlags& flags) {
  std::vector<Endpoint> endpoints;
  for (const bool is_peer : {false, true}) {
    for (const std::string& url : is_peer ? flags.peer_endpoints : flags.endpoints) {
      std::string host;
      if (const absl::Status status = ParseEtcdUrl(url, &host); !status.ok()) {
        return base::Annotate(status, url.substr(0, 80));
      }
      endpoints.push_back({.member = host, .url = url, .is_peer = is_peer, .file = ""});
    }
  }
  return endpoints;
}

absl::StatusOr<Assembled> AssembleNamed(const VerifyFlags& flags) {
  CALICO_ASSIGN_OR_RETURN(Assembled assembled, AssembleFiles(flags.files));
  CALICO_ASSIGN_OR_RETURN(const std::vector<Endpoint> endpoints, NamedEndpoints(flags));
  std::vector<ClientPair> clients;
  for (const std::string& file : flags.files.users) {
    clients.push_back({file, KeyBeside(file), "user"});
  }
  ExamineRunning(endpoints, clients, kDialTimeout, assembled);
  return assembled;
}

absl::StatusOr<Assembled> Assemble(const VerifyFlags& flags, Terminal& terminal) {
  if (!flags.NamesFiles()) {
    CALICO_ASSIGN_OR_RETURN(const Layout layout, LoadLayout(flags.source, terminal));
    Assembled assembled = AssembleLayout(layout);
    if (flags.running) {
      ExamineRunning(EndpointsOf(layout), ClientPairsOf(layout), kDialTimeout, assembled);
    }
    return assembled;
  }
  if (flags.source.IsNamed()) {
    return absl::InvalidArgumentError(
        "a cluster's file and files named one by one (--server, --peer, --user, --endpoint): use "
        "one of them");
  }
  if (flags.files.ca.empty()) {
    return absl::InvalidArgumentError("--ca is needed: the file that members and clients trust");
  }
  if (!flags.files.peers.empty() && flags.files.peer_urls.empty()) {
    Note(terminal, "without --peer-url the names of peer certificates are not compared");
  }
  if (!flags.files.servers.empty() && flags.files.client_urls.empty()) {
    Note(terminal, "without --client-url the names of server certificates are not compared");
  }
  return AssembleNamed(flags);
}

// One name a line, as `etcdctl user list` prints them.
absl::Status ReadKnownUsers(const VerifyFlags& flags, Terminal& terminal,
                            ClusterCertificates& cluster) {
  if (flags.known_users.empty()) return absl::OkStatus();
  CALICO_ASSIGN_OR_RETURN(const std::string text, ReadInput(terminal, flags.known_users));
  std::vector<std::string> names;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    names.emplace_back(absl::StripAsciiWhitespace(line));
  }
  cluster.known_users = std::move(names);
  return absl::OkStatus();
}

int Report(const std::vector<Finding>& findings, const VerifyFlags& flags, Terminal& terminal) {
  int errors = 0;
  int warnings = 0;
  for (const Finding& finding : findings) {
    errors += finding.severity == Severity::kError ? 1 : 0;
    warnings += finding.severity == Severity::kWarning ? 1 : 0;
  }
  const OutputFormat format = ParseOutputFormat(flags.output);
  if (format == OutputFormat::kText) {
    terminal.out << FindingsText(findings, terminal);
    Note(terminal, errors + warnings == 0
                       ? std::string("nobody refuses anything")
                       : fmt::format("{} refused, {} warnings", errors, warnings));
  } else {
    terminal.out << Document(FindingsValue(findings), format);
  }
  return errors > 0 || (flags.strict && warnings > 0) ? kExitFailed : kExitOk;
}

int RunVerify(const VerifyFlags& flags, Terminal& terminal) {
  absl::StatusOr<Assembled> assembled = Assemble(flags, terminal);
  if (!assembled.ok()) {
    Fail(terminal, assembled.status());
    return kExitUsage;
  }
  ClusterCertificates& cluster = assembled->cluster;
  cluster.client_cert_auth = !flags.no_client_cert_auth;
  if (!flags.allowed_cn.empty()) cluster.allowed_cn = flags.allowed_cn;
  if (const absl::Status read = ReadKnownUsers(flags, terminal, cluster); !read.ok()) {
    Fail(terminal, read);
    return kExitUsage;
  }
  const Lookups lookups = flags.resolve ? LookUp(cluster) : Lookups{};
  std::vector<Finding> findings = std::move(assembled->problems);
  for (Finding& finding : Verify(cluster, lookups, terminal.clock.Now())) {
    findings.push_back(std::move(finding));
  }
  return Report(SortFindings(std::move(findings)), flags, terminal);
}

void DeclareLooseFiles(config::Flags& flags, LooseFiles* files) {
  const auto list = [&flags](std::string name, std::string value, std::string help,
                             std::vector<std::string>* target) {
    flags.List({.name = std::move(name), .value = std::move(value), .help = std::move(help)},
               target);
  };
  flags.Text({.name = "ca", .value = "FILE", .help = "what clients and members trust"}, &files->ca);
  flags.Text({.name = "peer-ca", .value = "FILE", .help = "what members trust of each other"},
             &files->peer_ca);
  list("server", "FILE", "a certificate that a member shows to clients", &files->servers);
  list("peer", "FILE", "a certificate that members show to each other", &files->peers);
  list("user", "FILE", "a client's certificate", &files->users);
  list("proxy", "FILE", "a certificate that a proxy shows to its clients", &files->proxies);
  list("grpc-proxy", "FILE", "what etcd grpc-proxy shows to etcd", &files->grpc_proxies);
  flags.Text({.name = "member-name", .value = "NAME", .help = "whose certificates these are"},
             &files->member);
  list("client-url", "URL", "by which clients dial the member", &files->client_urls);
  list("peer-url", "URL", "by which other members dial it", &files->peer_urls);
  list("source", "ADDRESS", "where its connections to other members come from", &files->sources);
}

}  // namespace

Run DeclareVerify(config::Flags& flags) {
  auto options = std::make_shared<VerifyFlags>();
  AddLayoutFlags(flags, &options->source);
  DeclareLooseFiles(flags, &options->files);
  flags.Text({.name = "users",
              .value = "FILE",
              .help = "the users that etcd has, as `etcdctl user list` prints them; - is standard "
                      "input"},
             &options->known_users);
  flags.Text({.name = "peer-cert-allowed-cn", .value = "CN", .help = "as etcd's flag of that name"},
             &options->allowed_cn);
  flags.Switch(
      {.name = "running", .help = "dial the members, too: what they present, demand and take"},
      &options->running);
  flags.List({.name = "endpoint",
              .value = "URL",
              .help = "a client port to dial, with --ca and perhaps --user"},
             &options->endpoints);
  flags.List({.name = "peer-endpoint", .value = "URL", .help = "a peer port to dial, with --ca"},
             &options->peer_endpoints);
  flags.Switch({.name = "no-client-cert-auth", .help = "members do not demand client certificates"},
               &options->no_client_cert_auth);
  flags.Switch({.name = "resolve", .help = "ask this machine's name servers where names count"},
               &options->resolve);
  flags.Switch({.name = "strict", .help = "warnings count as refusals"}, &options->strict);
  AddOutputFlag(flags, {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kYaml},
                &options->output);
  flags.ExitCode(kExitOk, "nobody refuses anything");
  flags.ExitCode(kExitFailed, "somebody refuses something");
  flags.ExitCode(kExitUsage, "wrong flags, or files that cannot be read");
  flags.Example("Everything of a cluster, before it is started", "calicert etcd verify etcd.yaml");
  flags.Example("One certificate as what members show each other",
                "calicert etcd verify --ca ca.pem --peer member-1.pem --peer-url "
                "https://10.0.0.11:2380");
  flags.Example("A member that runs",
                "calicert etcd verify --ca ca.pem --endpoint https://10.0.0.11:2379 --user "
                "user-calico.pem");
  flags.Example("Common names against the users that etcd has",
                "etcdctl user list | calicert etcd verify --users -");
  return [options](Terminal& terminal) { return RunVerify(*options, terminal); };
}

}  // namespace calico::calicert::etcd
