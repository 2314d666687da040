#include "operator/validation/container_rules.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "operator/validation/names.h"
#include "operator/validation/quantity.h"
#include "pkg/api/meta/names.h"
#include "pkg/base/ip_address.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view kHugePages = "hugepages-";

bool IsNative(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
         (name.starts_with(kHugePages) && IsQualifiedName(name));
}

// Huge pages come as whole pages of the size in their name.
void CheckHugePages(const SpecField& field, const Quantity& amount, Findings findings) {
  const std::string_view size = field.key().substr(kHugePages.size());
  const std::optional<Quantity> page = ParseQuantity(size);
  if (!page.has_value() || page->value <= 0 || std::floor(page->value) != page->value) {
    findings.Add(field.path(), fmt::format("{} is no size of pages: write a name such as "
                                           "hugepages-2Mi",
                                           Quoted(size)));
  } else if (std::fmod(amount.value, page->value) != 0) {
    findings.Add(field.path(), fmt::format("{} is no whole number of pages of {}: write a multiple "
                                           "of it",
                                           field.shown(), size));
  }
}

// A quantity that a container may have of `name`; nullopt with a finding otherwise.
std::optional<Quantity> AmountOf(const SpecField& field, Findings findings) {
  const std::string_view name = field.key();
  if (!IsNative(name) && !(IsQualifiedName(name) && HasDomain(name))) {
    findings.Add(field.path(), fmt::format("{} is no resource: write cpu, memory, "
                                           "ephemeral-storage, hugepages-<size>, or a name with a "
                                           "domain",
                                           Quoted(name)));
    return std::nullopt;
  }
  const std::optional<Quantity> amount = ParseQuantity(field);
  if (!amount.has_value()) {
    findings.Add(field.path(), fmt::format("{} is no quantity: write a number with a suffix such "
                                           "as 250m, 64Mi or 1Gi",
                                           field.shown()));
    return std::nullopt;
  }
  if (amount->value < 0) {
    findings.Add(field.path(), fmt::format("{} is negative", field.shown()));
    return std::nullopt;
  }
  if (name.starts_with(kHugePages)) {
    CheckHugePages(field, *amount, findings);
  } else if (HasDomain(name) && std::floor(amount->value) != amount->value) {
    findings.Add(field.path(), fmt::format("{} is no whole number, and {} is counted in such",
                                           field.shown(), name));
  }
  return amount;
}

void CheckRequest(const SpecField& request, const SpecField& limit,
                  const std::optional<Quantity>& most, Findings findings) {
  const std::optional<Quantity> wanted = AmountOf(request, findings);
  if (!wanted.has_value() || !most.has_value()) return;
  const bool must_be_equal = HasDomain(request.key()) || request.key().starts_with(kHugePages);
  if (IsLess(*most, *wanted)) {
    findings.Add(request.path(), fmt::format("{} is more than the limit, {}: lower it, or raise "
                                             "the limit",
                                             request.shown(), limit.shown()));
  } else if (must_be_equal && IsLess(*wanted, *most)) {
    findings.Add(request.path(), fmt::format("{} must be as much as the limit, {}, for {}",
                                             request.shown(), limit.shown(), request.key()));
  }
}

// Pages count as memory: without another claim to it the API server refuses them.
void CheckPagesStandBeside(const SpecField& resources, Findings findings) {
  const SpecField* pages = nullptr;
  const std::vector<SpecField> limits = resources["limits"].members();
  const std::vector<SpecField> requests = resources["requests"].members();
  for (const std::vector<SpecField>* amounts : {&limits, &requests}) {
    for (const SpecField& amount : *amounts) {
      if (amount.key() == "cpu" || amount.key() == "memory") return;
      if (amount.key().starts_with(kHugePages)) pages = &amount;
    }
  }
  if (pages == nullptr) return;
  findings.Add(pages->path(), "needs cpu or memory beside it: write a request or a limit for one");
}

void CheckDnsConfig(const SpecField& config, Findings findings) {
  constexpr size_t kMostServers = 3;
  constexpr size_t kMostSearches = 32;
  const std::vector<SpecField> servers = config["nameservers"].items();
  if (servers.size() > kMostServers) {
    findings.Add(
        config["nameservers"].path(),
        fmt::format("{} are too many: at most {} may be there", servers.size(), kMostServers));
  }
  for (const SpecField& server : servers) {
    if (!base::IpAddress::Parse(server.text()).ok()) {
      findings.Add(server.path(), fmt::format("{} is no IP address", server.shown()));
    }
  }
  const std::vector<SpecField> searches = config["searches"].items();
  if (searches.size() > kMostSearches) {
    findings.Add(config["searches"].path(), fmt::format("{} are too many: at most {} may be there",
                                                        searches.size(), kMostSearches));
  }
  for (const SpecField& search : searches) {
    std::string_view name = search.text();
    if (name == ".") continue;
    if (name.ends_with('.')) name.remove_suffix(1);
    if (!api::IsDnsSubdomain(name)) {
      findings.Add(search.path(), fmt::format("{} is no domain", search.shown()));
    }
  }
  for (const SpecField& option : config["options"].items()) {
    if (option["name"].set()) continue;
    findings.Add(option["name"].path(), "is required: an option of resolv.conf, such as ndots");
  }
}

}  // namespace

void CheckResources(const SpecField& resources, Findings findings) {
  if (!resources["claims"].items().empty()) {
    findings.Add(resources["claims"].path(),
                 "have no place here: the pods have no resourceClaims; remove it");
  }
  CheckPagesStandBeside(resources, findings);
  const SpecField limits = resources["limits"];
  const std::vector<SpecField> requests = resources["requests"].members();
  for (const SpecField& limit : limits.members()) {
    const std::optional<Quantity> most = AmountOf(limit, findings);
    for (const SpecField& request : requests) {
      if (request.key() == limit.key()) CheckRequest(request, limit, most, findings);
    }
  }
  for (const SpecField& request : requests) {
    if (limits.object() != nullptr && limits.object()->contains(request.key())) continue;
    const std::optional<Quantity> wanted = AmountOf(request, findings);
    const bool needs_limit = HasDomain(request.key()) || request.key().starts_with(kHugePages);
    if (wanted.has_value() && needs_limit) {
      findings.Add(request.path(), fmt::format("needs a limit of the same amount: {} cannot be "
                                               "promised twice",
                                               request.key()));
    }
  }
}

void CheckProbe(const SpecField& probe, Findings findings) {
  CheckNumber(probe["initialDelaySeconds"], 0, kMostInt32, findings);
  for (const char* key : {"periodSeconds", "timeoutSeconds", "failureThreshold"}) {
    CheckNumber(probe[key], 1, kMostInt32, findings);
  }
}

void CheckDns(const SpecField& pod_spec, Findings findings) {
  static constexpr std::string_view kPolicies[] = {"ClusterFirst", "ClusterFirstWithHostNet",
                                                   "Default", "None"};
  const SpecField policy = pod_spec["dnsPolicy"];
  const SpecField config = pod_spec["dnsConfig"];
  CheckOneOf(policy, kPolicies, findings);
  if (policy.text() == "None" && config["nameservers"].items().empty()) {
    findings.Add(config["nameservers"].path(),
                 "is required with dnsPolicy None: there is no other name server then");
  }
  CheckDnsConfig(config, findings);
}

}  // namespace calico::validation
