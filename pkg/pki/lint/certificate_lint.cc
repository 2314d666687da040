#include "pkg/pki/lint/certificate_lint.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/ca/go_reading.h"
#include "pkg/pki/lint/certificate_facts.h"

namespace calico::pki {
namespace {

constexpr std::string_view kSubjectAltName = "2.5.29.17";
constexpr std::string_view kBasicConstraints = "2.5.29.19";
constexpr std::string_view kKeyUsageOid = "2.5.29.15";
constexpr size_t kMaxSerialOctets = 20;
constexpr size_t kMaxCommonName = 64;
constexpr size_t kMaxDnsName = 253;
constexpr size_t kMaxLabel = 63;
// Apple's clients refuse TLS servers with more, whoever the CA is.
constexpr absl::Duration kLongestServer = absl::Hours(24 * 825);

// What a rule looks at, and where it puts what it finds.
class Lint {
 public:
  Lint(const Certificate& certificate, std::optional<absl::Time> now)
      : certificate_(certificate), facts_(ReadFacts(certificate)), now_(now) {}

  std::vector<Finding> Run() {
    CheckForm();
    CheckTime();
    CheckKey();
    certificate_.is_ca() ? CheckCa() : CheckLeaf();
    CheckSubject();
    CheckNames();
    std::vector<Finding> sorted;
    for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNotice}) {
      for (const Finding& finding : findings_) {
        if (finding.severity == severity) sorted.push_back(finding);
      }
    }
    return sorted;
  }

 private:
  void Error(std::string_view rule, std::string message) {
    findings_.push_back({Severity::kError, std::string(rule), std::move(message)});
  }
  void Warning(std::string_view rule, std::string message) {
    findings_.push_back({Severity::kWarning, std::string(rule), std::move(message)});
  }
  void Notice(std::string_view rule, std::string message) {
    findings_.push_back({Severity::kNotice, std::string(rule), std::move(message)});
  }

  bool ServesTls() const {
    return !certificate_.is_ca() && (certificate_.extended_key_usages().empty() ||
                                     certificate_.HasExtendedKeyUsage(kOidServerAuth));
  }

  void CheckForm() {
    if (facts_.is_serial_negative) {
      Error("serial-negative", "its serial number is negative: Go refuses it; issue it anew");
    } else if (const absl::Status go = CheckGoReads(certificate_); !go.ok()) {
      Error("go-refuses",
            fmt::format("programs in Go cannot read it: {}", std::string(go.message())));
    }
    if (facts_.is_serial_zero) {
      Warning("serial-zero", "its serial number is 0, RFC 5280 wants a positive one");
    }
    if (facts_.serial_octets > kMaxSerialOctets) {
      Error("serial-long", fmt::format("its serial number has {} octets, RFC 5280 allows {}",
                                       facts_.serial_octets, kMaxSerialOctets));
    }
    if (facts_.version != 3) {
      Error("version", fmt::format("it is of X.509 version {}, which knows no extensions: no TLS "
                                   "client finds a name in it; issue it anew",
                                   facts_.version));
    }
    if (!facts_.has_times_by_rfc) {
      Warning("time-form", "its dates are not UTCTime through 2049 and GeneralizedTime after");
    }
  }

  void CheckTime() {
    if (certificate_.not_after() <= certificate_.not_before()) {
      Error("never-valid", "it ends before it begins");
      return;
    }
    if (now_.has_value() && *now_ > certificate_.not_after()) {
      Error("expired", fmt::format("it has expired at {}", Rfc3339(certificate_.not_after())));
    }
    if (now_.has_value() && *now_ < certificate_.not_before()) {
      Error("not-yet-valid", fmt::format("it is not valid before {}: is a clock wrong?",
                                         Rfc3339(certificate_.not_before())));
    }
    const absl::Duration life = certificate_.not_after() - certificate_.not_before();
    if (ServesTls() && life > kLongestServer) {
      Notice("long-life", fmt::format("it is valid for {} days: Apple's clients refuse servers "
                                      "with more than 825",
                                      absl::ToInt64Hours(life) / 24));
    }
  }

  void CheckKey() {
    const PublicKey& key = certificate_.public_key();
    if (const absl::Status strength = key.CheckStrength(); !strength.ok()) {
      Error("weak-key", fmt::format("{}", std::string(strength.message())));
    }
    // Nobody checks a root's own signature.
    if (facts_.has_weak_signature && !certificate_.is_self_signed()) {
      Error("weak-signature", fmt::format("it is signed with {}, which Go and OpenSSL refuse; "
                                          "have it issued with SHA-256",
                                          facts_.signature_algorithm));
    }
  }

  void CheckCa() {
    const ExtensionFact* constraints = facts_.Find(kBasicConstraints);
    if (constraints != nullptr && !constraints->is_critical) {
      Warning("ca-not-critical",
              "its basicConstraints are not critical, RFC 5280 wants that of a CA");
    }
    if (facts_.Find(kKeyUsageOid) == nullptr) {
      Warning("ca-key-usage", "a CA without keyUsage: RFC 5280 wants keyCertSign");
    } else if (!certificate_.AllowsKeyUsage(KeyUsage::kCertSign)) {
      Error("ca-cannot-sign", "a CA whose keyUsage lacks keyCertSign: what it signs is refused");
    }
    if (certificate_.subject().empty()) {
      Error("ca-without-subject", "a CA without a subject: nothing can name it as its issuer");
    }
    if (certificate_.subject_key_id().empty()) {
      Warning("ca-key-id",
              "a CA without subjectKeyIdentifier: chains to CAs of one name get mixed up");
    }
    if (!certificate_.extended_key_usages().empty()) {
      Notice("ca-extended-usage", "its extendedKeyUsage limits everything that it signs");
    }
  }

  void CheckLeaf() {
    if (certificate_.key_usages().Has(KeyUsage::kCertSign)) {
      Error("sign-without-ca", "its keyUsage has keyCertSign, and it is no CA (basicConstraints)");
    }
    if (certificate_.extended_key_usages().empty()) {
      Notice("no-extended-usage", "it has no extendedKeyUsage: it may be used for everything");
    } else if (certificate_.HasExtendedKeyUsage(kOidAnyExtendedKeyUsage)) {
      Notice("any-usage",
             "its extendedKeyUsage is anyExtendedKeyUsage: OpenSSL does not take "
             "that for serverAuth or clientAuth");
    }
    if (!certificate_.is_self_signed() && certificate_.authority_key_id().empty()) {
      Notice("authority-key-id", "it has no authorityKeyIdentifier: its CA is found by name only");
    }
  }

  void CheckSubject() {
    const ExtensionFact* names = facts_.Find(kSubjectAltName);
    if (certificate_.subject().empty() && names == nullptr) {
      Error("nameless", "it has neither a subject nor alternative names");
    } else if (certificate_.subject().empty() && !names->is_critical) {
      Warning("names-not-critical",
              "without a subject its alternative names must be critical (RFC 5280 4.2.1.6)");
    }
    for (const NameAttribute& attribute : certificate_.subject_attributes()) {
      if (attribute.type == "C" && attribute.value.size() != 2) {
        Warning("country",
                fmt::format("its country {:?} is not a code of two letters", attribute.value));
      }
    }
    if (certificate_.common_name().size() > kMaxCommonName) {
      Warning("common-name-long",
              fmt::format("its common name has more than {} characters", kMaxCommonName));
    }
  }

  void CheckNames() {
    const bool has_names =
        !certificate_.dns_names().empty() || !certificate_.ip_addresses().empty();
    if (ServesTls() && !has_names) {
      Warning("no-names",
              "a TLS server without a DNS name or IP address as an alternative name: "
              "clients do not look at the common name");
    }
    std::set<std::string> seen;
    for (const std::string& name : certificate_.dns_names()) {
      if (const std::optional<std::string> fault = DnsNameFault(name)) Error("dns-name", *fault);
      if (!seen.insert(name).second) {
        Notice("name-twice", fmt::format("the DNS name {:?} is there twice", name));
      }
    }
    for (const base::IpAddress& address : certificate_.ip_addresses()) {
      const std::string text = address.ToString();
      if (text == "0.0.0.0" || text == "::") {
        Warning("unspecified-address", fmt::format("{} is nobody's address: clients compare it "
                                                   "with the one they dial",
                                                   text));
      }
    }
    const std::string& common_name = certificate_.common_name();
    if (ServesTls() && has_names && common_name.find('.') != std::string::npos &&
        common_name.find(' ') == std::string::npos && !IsName(common_name)) {
      Notice("common-name-alone",
             fmt::format("its common name {:?} is not among its alternative names, which alone "
                         "are looked at",
                         common_name));
    }
  }

  bool IsName(const std::string& text) const {
    const auto& names = certificate_.dns_names();
    if (std::find(names.begin(), names.end(), text) != names.end()) return true;
    return std::any_of(certificate_.ip_addresses().begin(), certificate_.ip_addresses().end(),
                       [&](const base::IpAddress& address) { return address.ToString() == text; });
  }

  static std::string Rfc3339(absl::Time time) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
  }

  const Certificate& certificate_;
  const CertificateFacts facts_;
  const std::optional<absl::Time> now_;
  std::vector<Finding> findings_;
};

// A label's fault; `first` may be a wildcard.
std::optional<std::string> LabelFault(std::string_view name, std::string_view label, bool first) {
  if (label.empty()) return fmt::format("the DNS name {:?} has an empty part", name);
  if (label.size() > kMaxLabel) {
    return fmt::format("the DNS name {:?} has a part of more than {} characters", name, kMaxLabel);
  }
  if (first && label == "*") return std::nullopt;
  if (label.find('*') != label.npos) {
    return fmt::format("the DNS name {:?} has a wildcard that is not its whole first part", name);
  }
  for (const char c : label) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') continue;
    return fmt::format("the DNS name {:?} holds {:?}, which no host name has", name,
                       std::string_view(&c, 1));
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(Severity severity) {
  static constexpr std::array<std::string_view, 3> kNames = {"notice", "warning", "error"};
  return kNames[static_cast<size_t>(severity)];
}

std::optional<std::string> DnsNameFault(std::string_view name) {
  if (name.empty()) return "a DNS name is empty, which matches nothing";
  if (base::IpAddress::Parse(name).ok()) {
    return fmt::format(
        "{} is there as a DNS name: clients that dial an address look for an IP "
        "address",
        name);
  }
  if (name.size() > kMaxDnsName) return "a DNS name has more than 253 characters";
  if (name.ends_with('.')) {
    return fmt::format("the DNS name {:?} ends in a dot, which clients do not match: leave it out",
                       name);
  }
  if (name == "*") return "the DNS name \"*\" matches nothing: a wildcard stands for one part only";
  bool first = true;
  for (std::string_view rest = name; !rest.empty() || first;) {
    const size_t dot = rest.find('.');
    if (const auto fault = LabelFault(name, rest.substr(0, dot), first)) return fault;
    first = false;
    rest = dot == rest.npos ? "" : rest.substr(dot + 1);
  }
  return std::nullopt;
}

std::vector<Finding> LintCertificate(const Certificate& certificate,
                                     std::optional<absl::Time> now) {
  return Lint(certificate, now).Run();
}

}  // namespace calico::pki
