// `calicert expiring`.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/calicert/certificates/material.h"
#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/inventory/days.h"
#include "operator/calicert/inventory/found_certificates.h"
#include "operator/calicert/inventory/inventory_commands.h"
#include "operator/calicert/inventory/serving_pods.h"
#include "operator/calicert/requests/csr_text.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/time.h"

namespace calico::calicert::inventory {
namespace {

const std::vector<std::string> kKinds = {"secrets", "configmaps", "csrs", "installations"};

struct Options {
  ClusterFlags cluster;
  std::vector<std::string> files;
  std::string within_text = "30d";
  absl::Duration within;
  bool all_namespaces = false;
  bool all = false;
  bool pods = false;
  std::vector<std::string> kinds = kKinds;
  std::string output = "table";
};

struct KindToList {
  std::string_view word;
  const api::Resource* resource;
};
constexpr KindToList kToList[] = {{"secrets", &api::kSecrets},
                                  {"configmaps", &api::kConfigMaps},
                                  {"csrs", &api::kCertificateSigningRequests},
                                  {"installations", &api::kInstallations}};

// "Nov 28, 2026 22:13 UTC", as kubeadm writes it.
std::string ExpiresText(absl::Time time) {
  return absl::FormatTime("%b %d, %Y %H:%M UTC", time, absl::UTCTimeZone());
}

std::string PlaceText(const FoundCertificate& found) {
  std::string text = found.place;
  if (!found.entry.empty()) text += ":" + found.entry;
  if (found.more_places > 0) text += fmt::format(" (and {} more)", found.more_places);
  return text;
}

std::string NameOf(const std::string& common_name, const std::string& subject) {
  return common_name.empty() ? subject : common_name;
}

// What people know it by.
std::string SubjectText(const pki::Certificate& certificate) {
  std::string name = NameOf(certificate.common_name(), certificate.subject());
  if (name.empty() && !certificate.dns_names().empty()) name = certificate.dns_names().front();
  return name;
}

std::string TableText(const std::vector<FoundCertificate>& list, OutputFormat format,
                      absl::Time now) {
  Table table({{"CERTIFICATE"},
               {"SUBJECT"},
               {"EXPIRES"},
               {"RESIDUAL TIME"},
               {"CERTIFICATE AUTHORITY"},
               {"EXTERNALLY MANAGED"},
               {"SERIAL", true}});
  for (const FoundCertificate& found : list) {
    const pki::Certificate& certificate = found.certificate;
    table.AddRow({PlaceText(found), SubjectText(certificate), ExpiresText(certificate.not_after()),
                  requests::ShortHumanDuration(certificate.not_after() - now),
                  certificate.is_self_signed()
                      ? "itself"
                      : NameOf(certificate.issuer_common_name(), certificate.issuer()),
                  found.managed_by.empty() ? "no" : fmt::format("yes ({})", found.managed_by),
                  certificate.serial()});
  }
  return table.Text(format);
}

json::value DocumentOf(const std::vector<FoundCertificate>& list, const Options& options,
                       size_t looked_at, absl::Time now) {
  json::array items;
  for (const FoundCertificate& found : list) {
    const pki::Certificate& certificate = found.certificate;
    items.push_back(
        json::object{{"place", found.place},
                     {"entry", found.entry},
                     {"morePlaces", found.more_places},
                     {"subject", certificate.subject()},
                     {"issuer", certificate.issuer()},
                     {"serial", certificate.serial()},
                     {"isCA", certificate.is_ca()},
                     {"notAfter", codec::EncodeTime(certificate.not_after())},
                     {"residualSeconds", absl::ToInt64Seconds(certificate.not_after() - now)},
                     {"externallyManaged", !found.managed_by.empty()},
                     {"managedBy", found.managed_by}});
  }
  return json::object{{"withinSeconds", absl::ToInt64Seconds(options.within)},
                      {"certificatesLookedAt", looked_at},
                      {"items", std::move(items)}};
}

// Prints, and tells whether something ends. `complete`: everything could be read.
int Report(const FoundCertificates& certificates, const Options& options, bool complete,
           Terminal& terminal) {
  const absl::Time now = terminal.clock.Now();
  const std::vector<FoundCertificate> ending = certificates.EndingBefore(now + options.within);
  const std::vector<FoundCertificate> shown =
      options.all ? certificates.EndingBefore(absl::InfiniteFuture()) : ending;
  for (const std::string& problem : certificates.problems()) Note(terminal, problem);
  const OutputFormat format = ParseOutputFormat(options.output);
  if (format == OutputFormat::kJson || format == OutputFormat::kYaml) {
    terminal.out << Document(DocumentOf(shown, options, certificates.size(), now), format);
  } else if (!shown.empty()) {
    terminal.out << TableText(shown, format, now);
  }
  Note(terminal, fmt::format("{} of {} certificates end within {}", ending.size(),
                             certificates.size(), options.within_text));
  if (!ending.empty()) return kExitExpiring;
  return complete ? kExitOk : kExitFailed;
}

// Errors: of listing the pods.
aio::Task<absl::Status> LookAtPods(Cluster& cluster, const std::string& ns,
                                   FoundCertificates& certificates) {
  std::vector<ServingPort> ports;
  const absl::StatusOr<std::string> version = co_await cluster.client.List(
      api::kPods, {.ns = ns, .timeout = cluster.timeout}, [&](const json::object& pod) {
        const std::vector<ServingPort> found = ServingPortsOf(pod);
        ports.insert(ports.end(), found.begin(), found.end());
        return absl::OkStatus();
      });
  if (!version.ok()) co_return version.status();
  const size_t asked = ports.size();
  const int silent = co_await AskPorts(std::move(ports), certificates);
  if (silent > 0) {
    Note(cluster.terminal,
         fmt::format("{} of {} ports of pods did not answer with TLS", silent, asked));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<int>> LookInCluster(Cluster& cluster, const Options& options,
                                             FoundCertificates& certificates, bool complete) {
  for (const KindToList& kind : kToList) {
    if (std::find(options.kinds.begin(), options.kinds.end(), kind.word) == options.kinds.end()) {
      continue;
    }
    kube::ListOptions list;
    if (kind.resource->namespaced && !options.all_namespaces) list.ns = cluster.ns;
    list.timeout = cluster.timeout;
    list.page_size = 100;
    const absl::StatusOr<std::string> version =
        co_await cluster.client.List(*kind.resource, list, [&](const json::object& object) {
          certificates.AddObject(object);
          return absl::OkStatus();
        });
    if (version.ok()) continue;
    // Not every cluster has Installations.
    if (absl::IsNotFound(version.status()) && kind.resource == &api::kInstallations) continue;
    if (!absl::IsPermissionDenied(version.status())) co_return version.status();
    complete = false;
    Fail(cluster.terminal, ErrorText(version.status()));
  }
  if (options.pods) {
    const absl::Status looked = co_await LookAtPods(
        cluster, options.all_namespaces ? std::string() : cluster.ns, certificates);
    if (!looked.ok()) co_return looked;
  }
  co_return Report(certificates, options, complete, cluster.terminal);
}

int RunExpiring(const Options& options, Terminal& terminal) {
  FoundCertificates certificates;
  bool complete = true;
  for (const std::string& file : options.files) {
    absl::StatusOr<std::vector<pki::Certificate>> found = ReadCertificates(terminal, file, {});
    if (!found.ok()) {
      complete = false;
      Fail(terminal, found.status());
      continue;
    }
    for (pki::Certificate& certificate : *found) {
      certificates.Add(file, "", "", std::move(certificate));
    }
  }
  const bool only_files =
      !options.files.empty() && !options.all_namespaces && options.cluster.overrides.ns.empty();
  if (only_files) return Report(certificates, options, complete, terminal);
  return RunInCluster(options.cluster, terminal, [&](Cluster& cluster) {
    return LookInCluster(cluster, options, certificates, complete);
  });
}

Run Declare(config::Flags& flags) {
  auto options = std::make_shared<Options>();
  flags.Arguments(
      {.name = "FILE",
       .help =
           "files with certificates, in PEM, DER, PKCS#7 or PKCS#12, \"-\", https://HOST[:PORT] "
           "or HOST:PORT; then the cluster is looked at with -n or -A only"},
      &options->files);
  flags.Text({.name = "within",
              .value = "PERIOD",
              .help = "what ends within this time, such as 30d or 720h"},
             &options->within_text);
  flags.Switch(
      {.name = "all-namespaces", .help = "Secrets and ConfigMaps of all namespaces", .letter = 'A'},
      &options->all_namespaces);
  flags.Switch({.name = "all", .help = "show those that last longer, too"}, &options->all);
  flags.Switch(
      {.name = "pods", .help = "ask TLS ports of pods, too, where they can be reached from here"},
      &options->pods);
  flags.List({.name = "kind", .value = "KIND", .help = "where to look", .choices = kKinds},
             &options->kinds);
  AddOutputFlag(
      flags, {OutputFormat::kTable, OutputFormat::kWide, OutputFormat::kJson, OutputFormat::kYaml},
      &options->output);
  AddClusterFlags(flags, &options->cluster);
  flags.Check([options = options.get()](std::vector<std::string>& problems) {
    const absl::StatusOr<absl::Duration> within = ParseDays(options->within_text);
    if (within.ok()) {
      options->within = *within;
    } else {
      problems.push_back("--within: " + std::string(within.status().message()));
    }
  });
  flags.ExitCode(kExitOk, "nothing ends within the time");
  flags.ExitCode(kExitFailed, "something could not be looked at, and nothing else ends");
  flags.ExitCode(kExitUsage, "wrong flags");
  flags.ExitCode(kExitExpiring, "something ends within the time, or has ended");
  flags.Example("What ends within a month, anywhere", "calicert expiring --within 30d -A");
  flags.Example("For cron: a mail when something ends",
                "calicert expiring --within 14d -A --quiet -o wide");
  flags.Example("Files", "calicert expiring --all /etc/kubernetes/pki/ca.crt ca.pem");
  return [options](Terminal& terminal) { return RunExpiring(*options, terminal); };
}

}  // namespace

Command ExpiringCommand() {
  return {
      .path = "expiring",
      .summary = "tell which certificates end soon: in Secrets, ConfigMaps, requests and files",
      .details =
          "The columns are kubeadm's. EXTERNALLY MANAGED says who renews a certificate as far as "
          "its object tells. The same certificate in several places is one line.",
      .declare = Declare};
}

}  // namespace calico::calicert::inventory
