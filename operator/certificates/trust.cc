#include "operator/certificates/trust.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "operator/certificates/annotation_hash.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/release_order.h"

namespace calico::certificates {
namespace {

constexpr std::string_view kComment = "# certificate name: ";
// After each member.
constexpr std::string_view kGap = "\n\n";

// "ns/name" of a comment line; no member when it is none.
TrustMember MemberOf(std::string_view line) {
  const size_t slash = line.find('/');
  if (slash == std::string_view::npos) return {.ns = "", .name = std::string(line), .pem = ""};
  return {.ns = std::string(line.substr(0, slash)),
          .name = std::string(line.substr(slash + 1)),
          .pem = ""};
}

}  // namespace

ReleaseForm FormOf(std::string_view release) {
  if (!base::IsLaterRelease("v3.32", release)) return {};
  return {.has_ca_key = false, .has_secret_metadata = false, .requests_repeat_ca = false};
}

size_t TrustedBundle::size() const {
  return text.size() * (has_ca_key ? 2 : 1) + (HasSystemRoots() ? system_roots->size() : 0);
}

TrustedBundle MakeBundle(std::vector<TrustMember> members,
                         std::shared_ptr<const std::string> system_roots, const ReleaseForm& form) {
  TrustedBundle bundle{.members = std::move(members),
                       .system_roots = std::move(system_roots),
                       .text = "",
                       .annotations = {},
                       .has_ca_key = form.has_ca_key};
  std::sort(bundle.members.begin(), bundle.members.end(),
            [](const TrustMember& a, const TrustMember& b) {
              return std::tie(a.name, a.ns) < std::tie(b.name, b.ns);
            });
  for (const TrustMember& member : bundle.members) {
    bundle.text += fmt::format("{}{}/{}\n{}{}", kComment, member.ns, member.name, member.pem, kGap);
    bundle.annotations[HashAnnotation(member.ns, member.name)] = AnnotationHash(member.pem);
  }
  if (bundle.HasSystemRoots()) {
    bundle.annotations[HashAnnotation("", "system")] = AnnotationHash(*bundle.system_roots);
  }
  return bundle;
}

std::vector<TrustMember> ReadBundle(std::string_view text) {
  std::vector<TrustMember> members;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line =
        text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    text.remove_prefix(line.size());
    if (line.starts_with(kComment)) {
      std::string_view name = line.substr(kComment.size());
      while (name.ends_with('\n') || name.ends_with('\r')) name.remove_suffix(1);
      members.push_back(MemberOf(name));
    } else if (!members.empty()) {
      members.back().pem += line;
    }
  }
  for (TrustMember& member : members) {
    if (member.pem.ends_with(kGap)) member.pem.resize(member.pem.size() - kGap.size());
  }
  return members;
}

json::object ToObject(const TrustedBundle& bundle) {
  json::object object = api::NewObject(
      api::kConfigMaps, {std::string(kBundleNamespace), std::string(kTrustedBundle)});
  json::object annotations;
  for (const auto& [key, value] : bundle.annotations) annotations[key] = value;
  object.at("metadata").get_object()["annotations"] = std::move(annotations);
  json::object& data = object["data"].emplace_object();
  if (bundle.has_ca_key) data[kCaKey] = bundle.text;
  data[kBundleKey] = bundle.text;
  data[kSystemRootsKey] = bundle.HasSystemRoots() ? std::string_view(*bundle.system_roots) : "";
  return object;
}

}  // namespace calico::certificates
