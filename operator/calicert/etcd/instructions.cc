#include "operator/calicert/etcd/instructions.h"

#include <algorithm>
#include <cctype>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calicert/etcd/store.h"
#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::etcd {
namespace {

const WantedPair* PairOf(const Layout& layout, const std::string& owner, Role role) {
  for (const WantedPair& pair : layout.pairs) {
    if (pair.owner == owner && pair.role == role) return &pair;
  }
  return nullptr;
}

// The pair for this side of a member, which may be one for both.
const WantedPair* MemberPair(const Layout& layout, const std::string& owner, Role role) {
  const WantedPair* pair = PairOf(layout, owner, role);
  return pair != nullptr ? pair : PairOf(layout, owner, Role::kMember);
}

std::string InitialCluster(const Layout& layout) {
  std::vector<std::string> parts;
  for (const Member& member : layout.members) {
    for (const std::string& url : member.peer_urls) parts.push_back(member.name + "=" + url);
  }
  return absl::StrJoin(parts, ",");
}

json::string Encoded(std::string_view text) { return json::string(base::Base64Encode(text)); }

absl::StatusOr<json::value> ReadSecret(const Layout& layout, const SecretWish& wish) {
  const WantedPair* pair = PairOf(layout, wish.user, Role::kUser);
  if (pair == nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("Secret {}/{}: no user {:?}", wish.name_space, wish.name, wish.user));
  }
  const std::string certificate = layout.CertificateFile(pair->base);
  const std::string key = layout.KeyFile(pair->base);
  if (!ReadFound(certificate, key).IsPair()) {
    return absl::FailedPreconditionError(
        fmt::format("Secret {}/{}: {} and {} are no pair: calicert etcd generate makes it",
                    wish.name_space, wish.name, certificate, key));
  }
  CALICO_ASSIGN_OR_RETURN(const std::string ca,
                          base::ReadFile(layout.CertificateFile(layout.cas.front().base)));
  CALICO_ASSIGN_OR_RETURN(const std::string certificate_pem, base::ReadFile(certificate));
  CALICO_ASSIGN_OR_RETURN(const base::SecretString key_pem, base::ReadSecretFile(key));
  return json::value(EtcdSecret(wish, ca, certificate_pem, key_pem.view()));
}

}  // namespace

std::string ShellWord(std::string_view text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./:@=,+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (is_plain) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string FlagLines(const Layout& layout, const Member& member, std::string_view folder) {
  Layout there = layout;
  there.folder = std::string(folder);
  std::vector<std::string> lines = {fmt::format("--name={}", member.name)};
  if (!member.client_urls.empty()) {
    lines.push_back("--advertise-client-urls=" + absl::StrJoin(member.client_urls, ","));
  }
  if (!member.peer_urls.empty()) {
    lines.push_back("--initial-advertise-peer-urls=" + absl::StrJoin(member.peer_urls, ","));
    lines.push_back("--initial-cluster=" + InitialCluster(layout));
  }
  if (const WantedPair* pair = MemberPair(layout, member.name, Role::kServer)) {
    lines.push_back("--cert-file=" + there.CertificateFile(pair->base));
    lines.push_back("--key-file=" + there.KeyFile(pair->base));
    lines.emplace_back("--client-cert-auth=true");
    lines.push_back("--trusted-ca-file=" + there.CertificateFile(layout.cas[pair->ca].base));
  }
  if (const WantedPair* pair = MemberPair(layout, member.name, Role::kPeer)) {
    lines.push_back("--peer-cert-file=" + there.CertificateFile(pair->base));
    lines.push_back("--peer-key-file=" + there.KeyFile(pair->base));
    lines.emplace_back("--peer-client-cert-auth=true");
    lines.push_back("--peer-trusted-ca-file=" + there.CertificateFile(layout.cas[pair->ca].base));
  }
  if (!layout.allowed_cn.empty()) {
    lines.push_back("--peer-cert-allowed-cn=" + layout.allowed_cn);
  }
  for (std::string& line : lines) line = ShellWord(line);
  return absl::StrJoin(lines, "\n") + "\n";
}

std::string EtcdctlCommands(const Layout& layout) {
  std::vector<std::string> lines;
  bool has_root = false;
  for (const User& user : layout.users) {
    const std::string name = ShellWord(user.name);
    lines.push_back(fmt::format("etcdctl user add {} --no-password", name));
    if (user.name == "root") {
      has_root = true;
      lines.emplace_back("etcdctl user grant-role root root");
      continue;
    }
    if (user.grants.empty()) continue;
    lines.push_back(fmt::format("etcdctl role add {}", name));
    for (const Grant& grant : user.grants) {
      lines.push_back(fmt::format("etcdctl role grant-permission {}{} {} {}", name,
                                  grant.prefix ? " --prefix=true" : "", grant.permission,
                                  ShellWord(grant.key)));
    }
    lines.push_back(fmt::format("etcdctl user grant-role {} {}", name, name));
  }
  if (has_root) {
    lines.emplace_back("etcdctl auth enable");
  } else {
    lines.emplace_back("# etcdctl auth enable needs a user root with the role root");
  }
  return absl::StrJoin(lines, "\n") + "\n";
}

json::object EtcdSecret(const SecretWish& wish, std::string_view ca_pem,
                        std::string_view certificate_pem, std::string_view key_pem) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"name", wish.name}, {"namespace", wish.name_space}}},
          {"type", "Opaque"},
          {"data",
           {{"etcd-ca", Encoded(ca_pem)},
            {"etcd-cert", Encoded(certificate_pem)},
            {"etcd-key", Encoded(key_pem)}}}};
}

absl::StatusOr<std::vector<json::value>> ReadSecrets(const Layout& layout) {
  std::vector<json::value> secrets;
  for (const SecretWish& wish : layout.secrets) {
    CALICO_ASSIGN_OR_RETURN(json::value secret, ReadSecret(layout, wish));
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

}  // namespace calico::calicert::etcd
