#include "operator/calicert/cfssl/hosts.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/base/utf8.h"

namespace calico::calicert::cfssl {
namespace {

constexpr size_t kMaxHostBytes = 2048;
constexpr size_t kMaxNameBytes = 253;
constexpr size_t kMaxLabelBytes = 63;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kDigits = "0123456789";

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool ConsistsOf(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::vector<std::string_view> Cut(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

bool IsIp(std::string_view text) { return base::IpAddress::Parse(text).ok(); }

// The address of `a@b` or `Name <a@b>`; empty when the text is neither.
std::string_view EmailIn(std::string_view text) {
  if (text.ends_with('>')) {
    const size_t open = text.rfind('<');
    if (open == std::string_view::npos) return {};
    text = text.substr(open + 1, text.size() - open - 2);
  }
  const size_t at = text.find('@');
  const bool one_at =
      at != std::string_view::npos && text.find('@', at + 1) == std::string_view::npos;
  if (!one_at || at == 0 || at + 1 == text.size()) return {};
  return text.find_first_of(" \t\r\n<>,;:/\\\"()[]") == std::string_view::npos ? text
                                                                               : std::string_view();
}

// The scheme of `scheme:something`, empty when there is none. A host name has dots or a port
// behind its colon: that is none.
std::string_view SchemeOf(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return {};
  const std::string_view scheme = text.substr(0, colon);
  const bool letters = absl::ascii_isalpha(static_cast<unsigned char>(scheme[0])) &&
                       std::all_of(scheme.begin(), scheme.end(), [](unsigned char c) {
                         return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
                       });
  const bool hierarchical = text.substr(colon).starts_with("://");
  if (!letters || (!hierarchical && scheme.find('.') != std::string_view::npos)) return {};
  // An IPv6 address that is none: fd00::zz, fd00:1:2.
  const bool like_address = text[colon + 1] == ':' || ConsistsOf(text, "0123456789abcdefABCDEF:.");
  return like_address ? std::string_view() : scheme;
}

// What is wrong with the labels of a DNS name; empty for nothing.
std::string WrongLabel(std::string_view name) {
  if (name.size() > kMaxNameBytes) {
    return fmt::format("{} bytes, a DNS name has at most {}", name.size(), kMaxNameBytes);
  }
  for (const std::string_view label : Cut(name, '.')) {
    if (label.empty()) return "two dots, or one at the beginning";
    if (label.size() > kMaxLabelBytes) {
      return fmt::format("{:?} has {} bytes, a part between dots has at most {}", label,
                         label.size(), kMaxLabelBytes);
    }
    for (const unsigned char c : label) {
      if (!absl::ascii_isalnum(c) && c != '-' && c != '_' && c != '*') {
        return fmt::format("'{}' cannot stand in a host name", static_cast<char>(c));
      }
    }
  }
  return "";
}

// What is wrong with a host that has a colon and is no address, e-mail address or URI.
std::string WrongColon(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (host.front() == '[') {
    const std::string_view inner = host.substr(1, host.find(']') - 1);
    return fmt::format("write an IPv6 address without brackets and port: {}", inner);
  }
  if (ConsistsOf(host.substr(colon + 1), kDigits) && host.find(':') == colon) {
    return fmt::format("a certificate names hosts without ports: write {}", host.substr(0, colon));
  }
  const size_t zone = host.find('%');
  if (zone != std::string_view::npos && IsIp(host.substr(0, zone))) {
    return fmt::format("write an IPv6 address without zone: {}", host.substr(0, zone));
  }
  return "not an IPv6 address, and a host name has no colon";
}

std::string WrongSlash(std::string_view host) {
  const size_t slash = host.find('/');
  if (slash == 0) return "a path, and no host";
  if (IsIp(host.substr(0, slash))) {
    return "a range of addresses: a certificate names single ones, one entry for each";
  }
  return fmt::format("write the host alone: {}", host.substr(0, slash));
}

std::string WrongUri(std::string_view scheme, std::string_view uri) {
  if (uri.find_first_of(kSpace) != std::string_view::npos) return "a URI has no white space";
  if (scheme != "http" && scheme != "https") return "";
  // A URI that names a server and no more is a host that somebody has copied.
  std::string_view rest = uri.substr(scheme.size() + 1);
  if (!rest.starts_with("//")) return fmt::format("a URI of {} begins with {}://", scheme, scheme);
  rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  const std::string_view server = rest.substr(0, slash);
  if (slash != std::string_view::npos && slash + 1 < rest.size()) return "";
  return fmt::format("TLS clients look for a host, not for a URL: write {}",
                     server.substr(0, server.find(':')));
}

// Looks at one host after the other.
class Splitter {
 public:
  explicit Splitter(std::string_view what) : what_(what) {}

  void Add(std::string_view given) {
    const std::string_view host = Trimmed(given);
    if (host.size() > kMaxHostBytes) return Refuse(host.substr(0, 40), "longer than 2048 bytes");
    if (host.size() != given.size()) Warn(given, "white space around it is dropped");
    Classify(host);
    ++index_;
  }

  absl::StatusOr<SplitNames> Finish() {
    if (!errors_.empty())
      return absl::InvalidArgumentError(fmt::format("{}", fmt::join(errors_, "\n")));
    return std::move(result_);
  }

 private:
  void Classify(std::string_view host) {
    if (host.empty()) {
      Warn(host, "an empty name, kept for users of etcd: peers and servers cannot use it");
      result_.names.dns_names.emplace_back();
      return;
    }
    if (!IsAscii(host)) return RefuseForeign(host);
    if (const auto address = base::IpAddress::Parse(host); address.ok()) {
      result_.names.ip_addresses.push_back(*address);
      return;
    }
    if (const std::string_view email = EmailIn(host); !email.empty()) {
      result_.names.emails.emplace_back(email);
      return;
    }
    if (host.find(',') != std::string_view::npos) return RefuseList(host);
    const std::string_view scheme = SchemeOf(host);
    const bool has_port = !scheme.empty() && ConsistsOf(host.substr(scheme.size() + 1), kDigits);
    if (!scheme.empty() && !has_port) return AddUri(scheme, host);
    AddName(host);
  }

  void AddUri(std::string_view scheme, std::string_view uri) {
    const std::string wrong = WrongUri(scheme, uri);
    if (!wrong.empty()) return Refuse(uri, wrong);
    result_.names.uris.emplace_back(uri);
  }

  void AddName(std::string_view host) {
    if (IsPlaceholder(host)) {
      return Refuse(host, "looks like a placeholder that nobody has replaced");
    }
    if (host.find_first_of(kSpace) != std::string_view::npos) {
      return Refuse(host, "a host name has no white space: one entry for each host");
    }
    if (host.find('/') != std::string_view::npos) return Refuse(host, WrongSlash(host));
    if (host.find(':') != std::string_view::npos) return Refuse(host, WrongColon(host));
    if (host.find('.') != std::string_view::npos && host.find('-') != std::string_view::npos &&
        ConsistsOf(host, "0123456789.-")) {
      return Refuse(host,
                    "a range of addresses: a certificate names single ones, one entry for "
                    "each");
    }
    if (ConsistsOf(host, "0123456789.")) {
      return Refuse(host, "not an IPv4 address: four numbers from 0 to 255 without leading zeros");
    }
    if (host.size() > 1 && host.ends_with('.')) {
      Warn(host, "the dot at its end is dropped: clients look for the name without it");
      host.remove_suffix(1);
    }
    if (const std::string wrong = WrongLabel(host); !wrong.empty()) return Refuse(host, wrong);
    WarnOfWildcard(host);
    result_.names.dns_names.emplace_back(host);
  }

  void WarnOfWildcard(std::string_view host) {
    const size_t star = host.find('*');
    if (star == std::string_view::npos) return;
    if (host.starts_with("*.") && host.find('*', 1) == std::string_view::npos) return;
    Warn(host, "clients match a '*' only as the whole first part, as in *.example.com");
  }

  void RefuseForeign(std::string_view host) {
    const std::string ascii = AsciiHost(host);
    Refuse(host, ascii.empty() ? std::string("not ASCII text")
                               : fmt::format("certificates have the ASCII form: write {}", ascii));
  }

  void RefuseList(std::string_view host) {
    std::vector<std::string> quoted;
    for (const std::string_view part : Cut(host, ',')) {
      quoted.push_back(fmt::format("{:?}", Trimmed(part)));
    }
    Refuse(host, fmt::format("one entry for each host: write {}", fmt::join(quoted, ", ")));
  }

  void Refuse(std::string_view host, std::string_view why) {
    errors_.push_back(fmt::format("{}[{}]: {:?}: {}", what_, index_, host, why));
  }
  void Warn(std::string_view host, std::string_view why) {
    result_.warnings.push_back(fmt::format("{}[{}]: {:?}: {}", what_, index_, host, why));
  }

  std::string_view what_;
  size_t index_ = 0;
  SplitNames result_;
  std::vector<std::string> errors_;
};

// The code points of a label, or nothing when it is not UTF-8.
std::vector<uint32_t> CodePoints(std::string_view label) {
  std::vector<uint32_t> points;
  while (!label.empty()) {
    const size_t length = base::Utf8SequenceLength(label);
    if (length == 0) return {};
    uint32_t point = static_cast<unsigned char>(label[0]);
    if (length > 1) point &= 0xffU >> (length + 1);
    for (size_t i = 1; i < length; ++i) {
      point = (point << 6) | (static_cast<unsigned char>(label[i]) & 0x3fU);
    }
    points.push_back(
        point < 0x80 ? static_cast<uint32_t>(absl::ascii_tolower(static_cast<unsigned char>(point)))
                     : point);
    label.remove_prefix(length);
  }
  return points;
}

// RFC 3492's numbers.
constexpr uint32_t kBase = 36;
constexpr uint32_t kTMin = 1;
constexpr uint32_t kTMax = 26;
constexpr uint32_t kSkew = 38;
constexpr uint32_t kDamp = 700;
constexpr uint32_t kInitialBias = 72;
constexpr uint32_t kInitialPoint = 128;

char DigitOf(uint32_t value) {
  return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

uint32_t Adapt(uint32_t delta, uint32_t count, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / count;
  uint32_t k = 0;
  for (; delta > ((kBase - kTMin) * kTMax) / 2; k += kBase) delta /= kBase - kTMin;
  return k + (kBase - kTMin + 1) * delta / (delta + kSkew);
}

void AppendNumber(uint32_t number, uint32_t bias, std::string& out) {
  for (uint32_t k = kBase;; k += kBase) {
    const uint32_t t = k <= bias ? kTMin : std::min(k - bias, kTMax);
    if (number < t) break;
    out += DigitOf(t + (number - t) % (kBase - t));
    number = (number - t) / (kBase - t);
  }
  out += DigitOf(number);
}

// RFC 3492, section 6.3. At most 63 code points, so nothing overflows.
std::string Punycode(const std::vector<uint32_t>& points) {
  std::string out;
  for (const uint32_t point : points) {
    if (point < kInitialPoint) out += static_cast<char>(point);
  }
  const auto basic = static_cast<uint32_t>(out.size());
  uint32_t handled = basic;
  if (basic > 0) out += '-';
  uint32_t n = kInitialPoint;
  uint32_t delta = 0;
  uint32_t bias = kInitialBias;
  while (handled < points.size()) {
    uint32_t next = UINT32_MAX;
    for (const uint32_t point : points) {
      if (point >= n) next = std::min(next, point);
    }
    delta += (next - n) * (handled + 1);
    n = next;
    for (const uint32_t point : points) {
      if (point < n) ++delta;
      if (point != n) continue;
      AppendNumber(delta, bias, out);
      bias = Adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return out;
}

}  // namespace

bool IsPlaceholder(std::string_view text) {
  return (text.starts_with('<') && text.ends_with('>')) || text.starts_with('$') ||
         text.starts_with("{{");
}

std::string AsciiHost(std::string_view host) {
  std::vector<std::string> labels;
  for (const std::string_view label : Cut(host, '.')) {
    if (IsAscii(label)) {
      labels.emplace_back(label);
      continue;
    }
    const std::vector<uint32_t> points = CodePoints(label);
    if (points.empty() || points.size() > kMaxLabelBytes) return "";
    labels.push_back("xn--" + Punycode(points));
  }
  std::string ascii = fmt::format("{}", fmt::join(labels, "."));
  return WrongLabel(ascii).empty() ? ascii : std::string();
}

absl::StatusOr<SplitNames> SplitHosts(const std::vector<std::string>& hosts,
                                      std::string_view what) {
  Splitter splitter(what);
  for (const std::string& host : hosts) splitter.Add(host);
  return splitter.Finish();
}

std::vector<std::string> SplitHostnameFlag(std::string_view text) {
  std::vector<std::string> hosts;
  if (Trimmed(text).empty()) return hosts;
  for (const std::string_view part : Cut(text, ',')) hosts.emplace_back(Trimmed(part));
  return hosts;
}

}  // namespace calico::calicert::cfssl
