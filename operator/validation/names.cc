#include "operator/validation/names.h"

#include <algorithm>

#include <absl/strings/ascii.h>

#include "pkg/api/meta/names.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/ip_address.h"

namespace calico::validation {
namespace {

bool IsLowerAlnum(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// Calls `check` for each piece of `text` between separators; false when one is refused.
template <class Check>
bool AllPieces(std::string_view text, char separator, Check check) {
  while (true) {
    const size_t end = text.find(separator);
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsUnset(std::string_view text) { return text.empty() || text == api::kUseDefault; }

std::string_view WithoutSlashes(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

bool IsSeparatorOfRepositoryPart(std::string_view text) {
  if (text == "." || text == "_" || text == "__") return true;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '-'; });
}

// One component of a repository's name: lower-case letters and digits, with one separator between
// any two of them (".", "_", "__" or dashes), or what such a name begins with.
bool BeginsRepositoryPart(std::string_view part) {
  if (part.empty() || !IsLowerAlnum(part.front())) return false;
  for (size_t at = 0; at < part.size();) {
    const size_t start = at;
    while (at < part.size() && !IsLowerAlnum(part[at])) ++at;
    if (!IsSeparatorOfRepositoryPart(part.substr(start, at - start))) return false;
    while (at < part.size() && IsLowerAlnum(part[at])) ++at;
  }
  return true;
}

bool IsRepositoryPart(std::string_view part) {
  return BeginsRepositoryPart(part) && IsLowerAlnum(part.back());
}

bool IsHostLabel(std::string_view label) {
  return !label.empty() && absl::ascii_isalnum(label.front()) &&
         absl::ascii_isalnum(label.back()) && std::all_of(label.begin(), label.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '-';
         });
}

// "host", "host:5000" or "[fd00::1]:5000".
bool IsRegistryHost(std::string_view host) {
  const size_t port_at = host.ends_with(']') ? std::string_view::npos : host.rfind(':');
  if (port_at != std::string_view::npos) {
    const std::string_view port = host.substr(port_at + 1);
    if (port.empty() || !std::all_of(port.begin(), port.end(), absl::ascii_isdigit)) return false;
    host = host.substr(0, port_at);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    return base::IpAddress::Parse(host.substr(1, host.size() - 2)).ok();
  }
  return AllPieces(host, '.', &IsHostLabel);
}

constexpr size_t kMostNameBytes = 63;

// Letters, digits, '-', '_' and '.', with a letter or digit at both ends.
bool IsLabelText(std::string_view text) {
  if (text.empty() || text.size() > kMostNameBytes) return false;
  if (!absl::ascii_isalnum(text.front()) || !absl::ascii_isalnum(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

bool IsQualifiedName(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return IsLabelText(text);
  return api::IsDnsSubdomain(text.substr(0, slash)) && IsLabelText(text.substr(slash + 1));
}

bool IsLabelValue(std::string_view text) { return text.empty() || IsLabelText(text); }

bool HasDomain(std::string_view qualified_name) {
  return qualified_name.find('/') != std::string_view::npos;
}

bool IsHostPath(std::string_view text) {
  return text.starts_with('/') &&
         AllPieces(text, '/', [](std::string_view piece) { return piece != ".."; });
}

bool IsRegistry(std::string_view text) {
  if (IsUnset(text)) return true;
  if (text.ends_with('/')) text.remove_suffix(1);
  const size_t slash = text.find('/');
  if (!IsRegistryHost(text.substr(0, slash))) return false;
  return slash == std::string_view::npos ||
         AllPieces(text.substr(slash + 1), '/', &IsRepositoryPart);
}

bool IsImagePath(std::string_view text) {
  return IsUnset(text) || AllPieces(WithoutSlashes(text), '/', &IsRepositoryPart);
}

bool IsImagePrefix(std::string_view text) { return IsUnset(text) || BeginsRepositoryPart(text); }

}  // namespace calico::validation
