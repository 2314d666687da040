// Where the etcd commands get their layout: the flags that all of them have.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_SOURCE_H_
#define CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_SOURCE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/calicert/command/terminal.h"
#include "operator/calicert/etcd/layout.h"
#include "operator/config/flags.h"

namespace calico::calicert::etcd {

inline constexpr std::string_view kDefaultFile = "etcd.yaml";

struct LayoutSource {
  std::vector<std::string> file;  // at most one; empty: etcd.yaml
  std::string tls_setup;          // a folder of hack/tls-setup
  std::vector<std::string> members;

  bool IsNamed() const { return !file.empty() || !tls_setup.empty(); }
};

// The argument FILE, -C and --member. Lifetime: as Flags says of targets.
void AddLayoutFlags(config::Flags& flags, LayoutSource* source);

// Notes of the layout are printed on `err`. Errors: as ParseDescription and ReadTlsSetup, with the
// file's name.
absl::StatusOr<Layout> LoadLayout(const LayoutSource& source, Terminal& terminal);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_LAYOUT_SOURCE_H_
