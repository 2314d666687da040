// print-defaults, gencrl, crl, info, version.

#include <charconv>
#include <utility>

#include <absl/status/statusor.h>
#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include "operator/calicert/cfssl/commands/functions.h"
#include "operator/calicert/cfssl/commands/session.h"
#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/cfssl/go_duration.h"
#include "operator/calicert/command/exit_codes.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/base/version.h"
#include "pkg/codec/json.h"
#include "pkg/pki/compose/crl.h"

namespace calico::calicert::cfssl {
namespace {

constexpr absl::Duration kDefaultCrlExpiry = absl::Hours(168);
constexpr int64_t kMaxCrlSeconds = int64_t{100} * 365 * 24 * 3600;

constexpr std::string_view kDefaultConfig = R"({
    "signing": {
        "default": {
            "expiry": "168h"
        },
        "profiles": {
            "www": {
                "expiry": "8760h",
                "usages": [
                    "signing",
                    "key encipherment",
                    "server auth"
                ]
            },
            "client": {
                "expiry": "8760h",
                "usages": [
                    "signing",
                    "key encipherment",
                    "client auth"
                ]
            }
        }
    }
}

)";

constexpr std::string_view kDefaultRequest = R"({
    "CN": "example.net",
    "hosts": [
        "example.net",
        "www.example.net"
    ],
    "key": {
        "algo": "ecdsa",
        "size": 256
    },
    "names": [
        {
            "C": "US",
            "ST": "CA",
            "L": "San Francisco"
        }
    ]
}

)";

// What to write for a serial number in hexadecimal, as openssl and browsers show it.
std::string DecimalHint(std::string_view word) {
  std::string digits;
  if (word.starts_with("0x") || word.starts_with("0X")) word.remove_prefix(2);
  for (const char c : word) {
    if (c != ':') digits += c;
  }
  if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
  if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos) {
    return ": one a line";
  }
  return ": from hexadecimal it is " + pki::DecimalOfBytes(absl::HexStringToBytes(digits));
}

// Decimal serial numbers, one a line. `file` is for messages.
absl::StatusOr<std::vector<pki::RevokedCertificate>> SerialsOf(std::string_view text,
                                                               std::string_view file,
                                                               absl::Time now) {
  std::vector<pki::RevokedCertificate> revoked;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    constexpr size_t kMostDigits = 49;  // of the 20 bytes that RFC 5280 allows
    if (line.size() > kMostDigits || line.find_first_not_of("0123456789") != line.npos) {
      return absl::InvalidArgumentError(fmt::format("{}:{}: {:?} is no serial number in decimal{}",
                                                    file, number, line.substr(0, 64),
                                                    DecimalHint(line.substr(0, 64))));
    }
    revoked.push_back({.serial = std::string(line), .revoked_at = now});
  }
  return revoked;
}

// A number of seconds, or a file that holds one.
absl::StatusOr<absl::Duration> CrlExpiry(const std::string& word, Terminal& terminal) {
  std::string text = word;
  if (text.find_first_not_of("0123456789") != std::string::npos) {
    CALICO_ASSIGN_OR_RETURN(text, ReadText(terminal, word));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  }
  int64_t seconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || rest != text.data() + text.size() || seconds <= 0 ||
      seconds > kMaxCrlSeconds) {
    return absl::InvalidArgumentError(
        fmt::format("{:?}: TIME is a number of seconds, such as 604800", word));
  }
  return absl::Seconds(seconds);
}

absl::Status RunGenerateCrl(const Options& options, Terminal& terminal) {
  const std::vector<std::string>& words = options.arguments;
  if (words.size() < 3) {
    return absl::InvalidArgumentError(
        "not enough arguments are supplied --- please refer to the usage");
  }
  if (words.size() > 4) {
    return absl::InvalidArgumentError(fmt::format("{:?}: one argument too many", words[4]));
  }
  const absl::Time now = absl::FromUnixSeconds(absl::ToUnixSeconds(terminal.clock.Now()));
  CALICO_ASSIGN_OR_RETURN(const std::string text, ReadText(terminal, words[0]));
  CALICO_ASSIGN_OR_RETURN(std::vector<pki::RevokedCertificate> serials,
                          SerialsOf(text, ShownName(words[0]), now));
  CALICO_ASSIGN_OR_RETURN(const pki::Certificate issuer, ReadCertificate(terminal, words[1]));
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, ReadKey(terminal, words[2]));
  absl::Duration expiry = kDefaultCrlExpiry;
  if (words.size() == 4) {
    CALICO_ASSIGN_OR_RETURN(expiry, CrlExpiry(words[3], terminal));
  }
  pki::CrlParts parts{
      .revoked = std::move(serials), .this_update = now, .next_update = now + expiry};
  const absl::StatusOr<std::string> der = pki::ComposeCrl(parts, issuer, key);
  if (!der.ok()) return der.status();
  terminal.out << base::Base64Encode(*der) << '\n';
  return absl::OkStatus();
}

absl::Status RunInfo(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  if (!options.remote.empty()) {
    return absl::UnimplementedError("-remote: signing servers are not supported: give -config");
  }
  if (options.config.empty()) {
    return absl::InvalidArgumentError(
        "Either -remote or -config must be given. Refer to cfssl info -h for usage.");
  }
  CALICO_ASSIGN_OR_RETURN(const SigningConfig config, ReadConfig(options, terminal, log));
  CALICO_ASSIGN_OR_RETURN(const ChosenProfile chosen, ChooseProfile(config, options.profile));
  log.Warnings(chosen.warnings);
  std::string pem;
  if (!options.ca.empty()) {
    CALICO_ASSIGN_OR_RETURN(const pki::Certificate ca, ReadCertificate(terminal, options.ca));
    pem = ca.pem();
    if (pem.ends_with('\n')) pem.pop_back();
  }
  json::array usages;
  for (const std::string& usage : chosen.profile->usages) usages.emplace_back(usage);
  const json::object info = {{"certificate", pem},
                             {"usages", std::move(usages)},
                             {"expiry", FormatGoDuration(chosen.profile->expiry)}};
  terminal.out << codec::Serialize(info);
  return absl::OkStatus();
}

}  // namespace

int PrintDefaults(const Options& options, Terminal& terminal) {
  if (options.arguments.empty()) return NotEnoughArguments(terminal);
  const std::string& type = options.arguments.front();
  if (type == "config") {
    terminal.out << kDefaultConfig;
  } else if (type == "csr") {
    terminal.out << kDefaultRequest;
  } else {
    terminal.out << "Default configurations are available for:\n\tconfig\n\tcsr\n";
  }
  return kExitOk;
}

int GenerateCrl(const Options& options, Terminal& terminal) {
  const absl::Status status = RunGenerateCrl(options, terminal);
  return status.ok() ? kExitOk : Failed(terminal, status);
}

int DatabaseCrl(const Options& options, Terminal& terminal) {
  return Failed(terminal,
                "crl reads a certificate database, and there is none here: write the serial "
                "numbers into a file and use gencrl");
}

int SignerInfo(const Options& options, Terminal& terminal) {
  const absl::Status status = RunInfo(options, terminal);
  return status.ok() ? kExitOk : Failed(terminal, status);
}

int PrintVersion(const Options& options, Terminal& terminal) {
  terminal.out << "Version: " << base::Version() << "\nRuntime: calicert\n";
  return kExitOk;
}

}  // namespace calico::calicert::cfssl
