// bundle: a certificate with the chain that leads to a root.

#include <algorithm>
#include <optional>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/cfssl/commands/functions.h"
#include "operator/calicert/cfssl/commands/session.h"
#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/command/exit_codes.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/time.h"
#include "pkg/pki/compose/signature_name.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::cfssl {
namespace {

constexpr char kSystemRoots[] = "/etc/ssl/certs/ca-certificates.crt";
constexpr size_t kLongestChain = 10;

using Certificates = std::vector<pki::Certificate>;

// Roots or intermediates. `unread` is the number of the error that it cannot be read; the one that
// it cannot be parsed follows two numbers later.
absl::StatusOr<Certificates> ReadStore(Terminal& terminal, const std::string& file, int unread) {
  absl::StatusOr<Certificates> all = ReadCertificates(terminal, file);
  if (all.ok()) return all;
  constexpr int kParse = 2;
  return CodedError(CodeOf(all.status()).has_value() ? unread + kParse : unread,
                    std::string(all.status().message()));
}

struct Stores {
  Certificates roots;
  Certificates intermediates;
};

absl::StatusOr<Stores> ReadStores(const Options& options, Terminal& terminal) {
  Stores stores;
  CALICO_ASSIGN_OR_RETURN(
      stores.roots,
      ReadStore(terminal, options.ca_bundle.empty() ? kSystemRoots : options.ca_bundle, kRootRead));
  if (options.int_bundle.empty()) return stores;
  CALICO_ASSIGN_OR_RETURN(stores.intermediates,
                          ReadStore(terminal, options.int_bundle, kIntermediatesRead));
  return stores;
}

struct Chain {
  Certificates certificates;  // the leaf first, without the root
  std::optional<pki::Certificate> root;
};

const pki::Certificate* IssuerIn(const Certificates& candidates, const pki::Certificate& issued) {
  const auto found = std::find_if(
      candidates.begin(), candidates.end(),
      [&issued](const pki::Certificate& issuer) { return pki::IsIssuedBy(issued, issuer); });
  return found == candidates.end() ? nullptr : &*found;
}

// The way up, the shortest to a root.
Chain BuildChain(const pki::Certificate& leaf, const Certificates& roots,
                 const Certificates& intermediates) {
  Chain chain{.certificates = {leaf}};
  while (chain.certificates.size() < kLongestChain) {
    const pki::Certificate& top = chain.certificates.back();
    if (const pki::Certificate* root = IssuerIn(roots, top)) {
      chain.root = *root;
      return chain;
    }
    const pki::Certificate* next = IssuerIn(intermediates, top);
    if (next == nullptr || next->is_self_signed()) return chain;
    chain.certificates.push_back(*next);
  }
  return chain;
}

std::string WithoutNewline(std::string pem) {
  if (pem.ends_with('\n')) pem.pop_back();
  return pem;
}

// "/Country=DE/CommonName=x", as cfssl writes a name here.
std::string SlashName(const pki::SubjectName& name) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"C", "Country"},
      {"O", "Organization"},
      {"OU", "OrganizationalUnit"},
      {"L", "Locality"},
      {"ST", "Province"},
      {"CN", "CommonName"},
      {"serialNumber", "SerialNumber"},
  };
  std::string text;
  for (const pki::RelativeName& relative : name) {
    for (const pki::NameAttribute& attribute : relative) {
      for (const auto& [type, word] : kNames) {
        if (type == attribute.type) text += fmt::format("/{}={}", word, attribute.value);
      }
    }
  }
  return text;
}

json::array HostNames(const pki::Certificate& leaf) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  };
  add(leaf.common_name());
  for (const std::string& name : leaf.dns_names()) add(name);
  for (const base::IpAddress& address : leaf.ip_addresses()) add(address.ToString());
  std::sort(names.begin(), names.end());
  json::array list;
  for (const std::string& name : names) list.emplace_back(name);
  return list;
}

absl::StatusOr<json::object> BundleJson(const Chain& chain, bool was_rebundled) {
  const pki::Certificate& leaf = chain.certificates.front();
  CALICO_ASSIGN_OR_RETURN(const pki::SubjectName subject, pki::SubjectNameOf(leaf));
  CALICO_ASSIGN_OR_RETURN(const pki::SubjectName issuer, pki::IssuerNameOf(leaf));
  std::vector<std::string> pems;
  absl::Time expires = absl::InfiniteFuture();
  for (const pki::Certificate& certificate : chain.certificates) {
    pems.push_back(WithoutNewline(certificate.pem()));
    expires = std::min(expires, certificate.not_after());
  }
  const pki::PublicKey& key = leaf.public_key();
  json::object bundle;
  bundle["bundle"] = fmt::format("{}", fmt::join(pems, "\n"));
  bundle["crl_support"] = false;
  bundle["crt"] = pems.front();
  bundle["expires"] = codec::EncodeTime(expires);
  bundle["hostnames"] = HostNames(leaf);
  bundle["issuer"] = SlashName(issuer);
  bundle["key"] = "";
  bundle["key_size"] = key.bits();
  bundle["key_type"] = fmt::format("{}-bit {}", key.bits(), pki::ToString(key.family()));
  bundle["leaf_expires"] = codec::EncodeTime(leaf.not_after());
  bundle["ocsp"] = nullptr;
  bundle["ocsp_support"] = false;
  bundle["root"] = chain.root.has_value() ? WithoutNewline(chain.root->pem()) : std::string();
  bundle["signature"] = pki::GoSignatureName(leaf);
  bundle["status"] = json::object{{"rebundled", was_rebundled},
                                  {"expiring_SKIs", nullptr},
                                  {"untrusted_root_stores", json::array()},
                                  {"messages", json::array()},
                                  {"code", was_rebundled ? 2 : 0}};
  bundle["subject"] = SlashName(subject);
  return bundle;
}

// One line; the key is written into it without a copy.
void PrintBundle(const json::object& bundle, std::string_view key, std::ostream& out) {
  bool first = true;
  for (const json::key_value_pair& member : bundle) {
    out << (first ? "{" : ",") << codec::Serialize(json::value(member.key())) << ':';
    first = false;
    if (codec::KeyOf(member) == "key") {
      PrintText(key, out);
    } else {
      out << codec::Serialize(member.value());
    }
  }
  out << "}\n";
}

absl::Status CheckInputs(const Options& options) {
  if (!options.domain.empty()) {
    return absl::UnimplementedError("-domain is not supported: give the certificate with -cert");
  }
  if (options.cert.empty()) {
    return absl::InvalidArgumentError("Must specify bundle target through -cert or -domain");
  }
  return absl::OkStatus();
}

absl::StatusOr<Chain> FindChain(const Options& options, const Certificates& given, Stores stores,
                                Terminal& terminal, Log& log) {
  const pki::Certificate& leaf = given.front();
  Chain chain{.certificates = given};
  if (options.flavor == "force") return chain;
  if (options.flavor != "ubiquitous" && options.flavor != "optimal") {
    log.Warning(
        fmt::format("-flavor {:?} is taken as optimal: there are ubiquitous, optimal and "
                    "force",
                    options.flavor));
  }
  Certificates intermediates(given.begin() + 1, given.end());
  intermediates.insert(intermediates.end(), stores.intermediates.begin(),
                       stores.intermediates.end());
  chain = BuildChain(leaf, stores.roots, intermediates);
  if (!chain.root.has_value()) {
    return CodedError(
        kUnknownAuthority,
        fmt::format("x509: certificate signed by unknown authority: nothing in the "
                    "roots{} issued {:?}; its issuer is {:?}",
                    options.int_bundle.empty() ? "" : " and intermediates",
                    chain.certificates.back().subject(), chain.certificates.back().issuer()));
  }
  const Certificates above(chain.certificates.begin() + 1, chain.certificates.end());
  const absl::Status valid = pki::VerifyChain(leaf, above, {*chain.root},
                                              pki::ExtendedKeyUsage::kAny, terminal.clock.Now());
  if (!valid.ok()) return CodedError(kUnknownAuthority, std::string(valid.message()));
  log.Info(fmt::format("the anchoring root is {}", chain.root->subject()));
  return chain;
}

absl::Status RunBundle(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  CALICO_RETURN_IF_ERROR(CheckInputs(options));
  CALICO_ASSIGN_OR_RETURN(Stores stores, ReadStores(options, terminal));
  CALICO_ASSIGN_OR_RETURN(const Certificates given, ReadCertificates(terminal, options.cert));
  const pki::Certificate& leaf = given.front();
  log.Info(fmt::format("bundling certificate for {}", leaf.subject()));
  if (leaf.is_self_signed())
    return CodedError(kCertificateSelfSigned, "Certificate is self signed");
  base::SecretString key;
  if (!options.key.empty()) {
    CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey parsed, ReadKey(terminal, options.key));
    if (const absl::Status match = pki::KeyMatches(leaf, parsed); !match.ok()) {
      return CodedError(kKeyMismatch, fmt::format("Private key does not match public key: {}",
                                                  std::string(match.message())));
    }
    key = parsed.ToPem();
  }
  CALICO_ASSIGN_OR_RETURN(const Chain chain,
                          FindChain(options, given, std::move(stores), terminal, log));
  CALICO_ASSIGN_OR_RETURN(const json::object bundle,
                          BundleJson(chain, chain.certificates.size() != given.size()));
  std::string_view pem = key.view();
  if (pem.ends_with('\n')) pem.remove_suffix(1);
  PrintBundle(bundle, pem, terminal.out);
  return absl::OkStatus();
}

}  // namespace

int Bundle(const Options& options, Terminal& terminal) {
  const absl::Status status = RunBundle(options, terminal);
  return status.ok() ? kExitOk : Failed(terminal, status);
}

}  // namespace calico::calicert::cfssl
