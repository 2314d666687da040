#include "operator/validation/network_rules.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/validation/names.h"
#include "pkg/base/ip_prefix.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kEnabledOrNot[] = {"Enabled", "Disabled"};

// Who can be where: a plug-in of others runs with its own IPAM, on its own provider or one that
// nobody named.
struct PlugInRow {
  std::string_view type;
  std::string_view provider;  // empty: every one
  std::string_view ipam[2];
  size_t ipam_count;
};
constexpr PlugInRow kPlugIns[] = {
    {"Calico", "", {"Calico", "HostLocal"}, 2},
    {"GKE", "GKE", {"HostLocal"}, 1},
    {"AmazonVPC", "EKS", {"AmazonVPC"}, 1},
    {"AzureVNET", "AKS", {"AzureVNET"}, 1},
};

void CheckFolder(const SpecField& folder, Findings findings) {
  if (!folder.set() || IsHostPath(folder.text())) return;
  findings.Add(folder.path(), fmt::format("{} is not an absolute path: begin it with a slash, "
                                          "without \"..\"",
                                          folder.shown()));
}

// A field of a later release may say what is so anyway.
void CheckLater(const SpecField& field, std::string_view harmless, std::string_view since,
                const ReleaseRules& release, Findings findings) {
  if (!field.set() || field.text() == harmless) return;
  findings.Add(field.path(), fmt::format("{} needs Calico {}, and {} is installed: remove it",
                                         field.shown(), since, release.release));
}

void CheckCniChoices(const SpecField& cni, const ReleaseRules& release, Findings findings) {
  static constexpr std::string_view kModes[] = {"All", "CalicoOnly"};
  static constexpr std::string_view kVersions[] = {"Auto", "0.3.1", "0.4.0", "1.0.0"};
  const SpecField mode = cni["installMode"];
  const SpecField version = cni["specVersion"];
  if (!release.has_cni_choices) {
    CheckLater(mode, "All", "v3.33", release, findings);
    CheckLater(version, "Auto", "v3.33", release, findings);
    return;
  }
  CheckOneOf(mode, kModes, findings);
  CheckOneOf(version, kVersions, findings);
  if (version.set() && IsForeignCni(cni["type"])) {
    findings.Add(version.path(), fmt::format("is for the CNI plug-in Calico, not for {}, whose "
                                             "configuration is not ours: remove it",
                                             cni["type"].text()));
  }
}

// 0 asks for detection. Below 68 IPv4 cannot work (RFC 791), above 65535 no interface can.
void CheckMtu(const SpecField& mtu, Findings findings) {
  if (!mtu.set()) return;
  const std::optional<std::int64_t> number = mtu.number();
  if (number.has_value() && (*number == 0 || (*number >= 68 && *number <= 65535))) return;
  findings.Add(mtu.path(), fmt::format("{} is no MTU: choose one between 68 and 65535, or leave it "
                                       "away to have it detected",
                                       mtu.shown()));
}

std::vector<std::string_view> MethodsOf(const SpecField& detection) {
  std::vector<std::string_view> methods;
  // `false` does not choose a method.
  if (detection["firstFound"].is(true)) methods.push_back("firstFound");
  for (const char* key : {"kubernetes", "interface", "skipInterface", "canReach"}) {
    if (detection[key].set()) methods.push_back(key);
  }
  if (!detection["cidrs"].items().empty()) methods.push_back("cidrs");
  return methods;
}

void CheckDetection(const SpecField& detection, bool is_ipv4, Findings findings) {
  static constexpr std::string_view kKubernetes[] = {"NodeInternalIP"};
  CheckOneOf(detection["kubernetes"], kKubernetes, findings);
  for (const SpecField& cidr : detection["cidrs"].items()) {
    const absl::StatusOr<base::IpPrefix> network = base::IpPrefix::Parse(cidr.text());
    if (!network.ok()) {
      findings.Add(cidr.path(),
                   fmt::format("{} is no network: write address, slash and length", cidr.shown()));
    } else if (network->is_ipv4() != is_ipv4) {
      findings.Add(cidr.path(), fmt::format("{} has no {} address: no node would be found there",
                                            cidr.shown(), is_ipv4 ? "IPv4" : "IPv6"));
    }
  }
  const std::vector<std::string_view> methods = MethodsOf(detection);
  if (methods.size() <= 1) return;
  findings.Add(detection.path(), fmt::format("{} are set, but a node finds its address by one "
                                             "method: keep one and remove the others",
                                             fmt::join(methods, ", ")));
}

struct Families {
  bool v4 = false;
  bool v6 = false;
};

Families FamiliesOf(const SpecField& network) {
  Families families;
  for (const SpecField& pool : network["ipPools"].items()) {
    const absl::StatusOr<base::IpPrefix> cidr = base::IpPrefix::Parse(pool["cidr"].text());
    if (cidr.ok()) (cidr->is_ipv4() ? families.v4 : families.v6) = true;
  }
  return families;
}

void CheckEbpf(const SpecField& network, const ReleaseRules& release, Findings findings) {
  const Families families = FamiliesOf(network);
  if (families.v4 && families.v6 && !release.ebpf_takes_dual_stack) {
    findings.Add(network["linuxDataplane"].path(),
                 fmt::format("BPF of Calico {} does not carry IPv4 and IPv6 together: keep the "
                             "pools of one family, or write Iptables",
                             release.release));
  }
  const auto check = [&](bool has_pool, const char* key) {
    if (!has_pool || !MethodsOf(network[key]).empty()) return;
    findings.Add(network[key].path(),
                 "must have a method: the BPF data plane needs the nodes' addresses of every "
                 "family that pods have; write firstFound: true");
  };
  check(families.v4, "nodeAddressAutodetectionV4");
  check(families.v6, "nodeAddressAutodetectionV6");
}

void CheckVpp(const SpecField& spec, Findings findings) {
  const SpecField network = spec["calicoNetwork"];
  if (IsForeignCni(spec["cni"]["type"])) {
    findings.Add(network["linuxDataplane"].path(),
                 fmt::format("VPP works with the CNI plug-in Calico only, and spec.cni.type is {}",
                             spec["cni"]["type"].text()));
  }
  if (network["bgp"].text() != "Enabled") {
    findings.Add(network["bgp"].path(), "must be Enabled: VPP has its routes of BGP");
  }
  if (network["hostPorts"].text() == "Disabled") {
    findings.Add(network["hostPorts"].path(), "must not be Disabled: VPP always serves host ports");
  }
}

void CheckDataplane(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  const SpecField network = spec["calicoNetwork"];
  const SpecField dataplane = network["linuxDataplane"];
  const std::string_view name = dataplane.text();
  if (name == "Nftables") {
    const auto& known = release.linux_dataplanes;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      CheckLater(dataplane, "", "v3.32", release, findings);
    }
  } else {
    CheckOneOf(dataplane, release.linux_dataplanes, findings);
  }
  if (name == "BPF") CheckEbpf(network, release, findings);
  if (name == "VPP") CheckVpp(spec, findings);
  const SpecField delay = network["linuxPolicySetupTimeoutSeconds"];
  CheckNumber(delay, 0, kMostInt32, findings);
  if (delay.set() && name == "VPP") {
    findings.Add(delay.path(), "has no effect with the VPP data plane: remove it");
  }
  for (const char* key : {"bpfNetworkBootstrap", "kubeProxyManagement"}) {
    const SpecField field = network[key];
    if (!release.has_bpf_bootstrap) {
      CheckLater(field, "Disabled", "v3.32", release, findings);
      continue;
    }
    CheckOneOf(field, kEnabledOrNot, findings);
    if (field.text() != "Enabled" || name == "BPF") continue;
    findings.Add(field.path(), fmt::format("Enabled needs the BPF data plane, and linuxDataplane "
                                           "is {}: write BPF there, or Disabled here",
                                           dataplane.shown()));
  }
}

void CheckRouting(const SpecField& network, const ReleaseRules& release, Findings findings) {
  const SpecField mode = network["clusterRoutingMode"];
  const auto& modes = release.routing_modes;
  if (modes.empty()) {
    CheckLater(mode, "BIRD", "v3.32", release, findings);
  } else if (mode.text() == "FelixIPIPOnly" &&
             std::find(modes.begin(), modes.end(), mode.text()) == modes.end()) {
    CheckLater(mode, "", "v3.33", release, findings);
  } else {
    CheckOneOf(mode, modes, findings);
  }
}

// What only Calico's own CNI plug-in does.
void CheckCalicoOnly(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  static constexpr std::string_view kInterfaceModes[] = {"None", "Multus"};
  static constexpr std::string_view kPodInterfaces[] = {"Veth", "Netkit"};
  const SpecField network = spec["calicoNetwork"];
  CheckOneOf(network["hostPorts"], kEnabledOrNot, findings);
  CheckOneOf(network["multiInterfaceMode"], kInterfaceModes, findings);
  CheckOneOf(network["containerIPForwarding"], kEnabledOrNot, findings);
  if (release.has_pod_interface_types) {
    CheckOneOf(network["linuxPodInterfaceType"], kPodInterfaces, findings);
  } else {
    CheckLater(network["linuxPodInterfaceType"], "Veth", "v3.33", release, findings);
  }
  if (!IsForeignCni(spec["cni"]["type"])) return;
  const std::string_view type = spec["cni"]["type"].text();
  for (const char* key :
       {"hostPorts", "multiInterfaceMode", "containerIPForwarding", "linuxPodInterfaceType"}) {
    const SpecField field = network[key];
    if (!field.set()) continue;
    const bool is_off = std::string_view(key) == "hostPorts" && field.text() == "Disabled";
    if (is_off && !release.takes_host_ports_with_calico_cni_only) continue;
    findings.Add(field.path(), fmt::format("is for the CNI plug-in Calico, and spec.cni.type is "
                                           "{}: remove it",
                                           type));
  }
}

void CheckSysctl(const SpecField& sysctl, Findings findings) {
  static constexpr std::string_view kKeys[] = {"net.ipv4.tcp_keepalive_intvl",
                                               "net.ipv4.tcp_keepalive_probes",
                                               "net.ipv4.tcp_keepalive_time"};
  std::set<std::string_view> seen;
  for (const SpecField& entry : sysctl.items()) {
    const SpecField key = entry["key"];
    const SpecField value = entry["value"];
    if (!key.set()) findings.Add(key.path(), "is required");
    CheckOneOf(key, kKeys, findings);
    if (key.set() && !seen.insert(key.text()).second) {
      findings.Add(key.path(), fmt::format("{} is there twice: remove one", key.shown()));
    }
    const std::string_view text = value.text();
    const bool is_number = !text.empty() && text.size() <= 9 &&
                           std::all_of(text.begin(), text.end(),
                                       [](unsigned char c) { return absl::ascii_isdigit(c); });
    if (!is_number) {
      findings.Add(value.path(), fmt::format("{} is no number: write digits in quotes",
                                             value.set() ? value.shown() : "nothing"));
    }
  }
}

}  // namespace

void CheckCni(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  static constexpr std::string_view kTypes[] = {"Calico", "GKE", "AmazonVPC", "AzureVNET"};
  const SpecField cni = spec["cni"];
  const SpecField ipam = cni["ipam"]["type"];
  CheckOneOf(cni["type"], kTypes, findings);
  for (const PlugInRow& row : kPlugIns) {
    if (row.type != cni["type"].text()) continue;
    const std::string_view provider = spec["kubernetesProvider"].text();
    if (!row.provider.empty() && !provider.empty() && provider != row.provider) {
      findings.Add(cni["type"].path(),
                   fmt::format("{} is the plug-in of {}, and spec.kubernetesProvider is {}: choose "
                               "another plug-in, or put the provider right",
                               row.type, row.provider, spec["kubernetesProvider"].plain()));
    }
    const std::span<const std::string_view> possible(row.ipam, row.ipam_count);
    if (std::find(possible.begin(), possible.end(), ipam.text()) == possible.end()) {
      findings.Add(ipam.path(), fmt::format("{} does not go with the CNI plug-in {}: write {}",
                                            ipam.set() ? ipam.shown() : "nothing", row.type,
                                            fmt::join(possible, " or ")));
    }
  }
  CheckFolder(cni["binDir"], findings);
  CheckFolder(cni["confDir"], findings);
  CheckCniChoices(cni, release, findings);
}

void CheckNetwork(const SpecField& spec, const ReleaseRules& release, Findings findings) {
  const SpecField network = spec["calicoNetwork"];
  CheckMtu(network["mtu"], findings);
  CheckOneOf(network["bgp"], kEnabledOrNot, findings);
  CheckDataplane(spec, release, findings);
  CheckRouting(network, release, findings);
  CheckCalicoOnly(spec, release, findings);
  CheckSysctl(network["sysctl"], findings);
  CheckDetection(network["nodeAddressAutodetectionV4"], true, findings);
  CheckDetection(network["nodeAddressAutodetectionV6"], false, findings);
}

}  // namespace calico::validation
