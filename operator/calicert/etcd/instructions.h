// What people and programs do with the files of a layout: etcd's flags, etcdctl's commands for
// users and roles, Secrets for Calico. Text and values only; nothing is run or applied here.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_INSTRUCTIONS_H_
#define CALICO_OPERATOR_CALICERT_ETCD_INSTRUCTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/calicert/etcd/layout.h"
#include "pkg/codec/json.h"

namespace calico::calicert::etcd {

// The flags of one member that concern TLS and its URLs, one a line. `folder` is where the files
// are on the member. Where URLs are not known, only the files' flags.
std::string FlagLines(const Layout& layout, const Member& member, std::string_view folder);

// Commands that make users without passwords, which log in by certificate only, their roles, and
// at the end `auth enable`. One a line, safe to paste into a shell.
std::string EtcdctlCommands(const Layout& layout);

// A Secret with etcd-ca, etcd-cert and etcd-key in base64. Views: used during the call.
json::object EtcdSecret(const SecretWish& wish, std::string_view ca_pem,
                        std::string_view certificate_pem, std::string_view key_pem);

// The Secrets that the layout wants, read from its files. Errors: FailedPrecondition when a pair is
// not there or not one, with what to do; as ReadFile. Blocking.
absl::StatusOr<std::vector<json::value>> ReadSecrets(const Layout& layout);

// A word of a shell command.
std::string ShellWord(std::string_view text);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_INSTRUCTIONS_H_
