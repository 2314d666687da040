// The files of a layout as they are, and new ones in their place.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_STORE_H_
#define CALICO_OPERATOR_CALICERT_ETCD_STORE_H_

#include <string>

#include <absl/status/statusor.h>

#include "operator/calicert/etcd/chain_check.h"
#include "operator/calicert/etcd/decision.h"
#include "operator/calicert/etcd/layout.h"
#include "pkg/pki/key.h"

namespace calico::calicert::etcd {

// What is at these two paths; what cannot be read is told in the result. Blocking.
Found ReadFound(const std::string& certificate_file, const std::string& key_file);

// The certificates of one file. Errors: as ReadFile; InvalidArgument with the path. Blocking.
absl::StatusOr<Trust> ReadTrust(const std::string& file);

// A key, for signing. Errors: as ReadFile; InvalidArgument with the path. Blocking.
absl::StatusOr<pki::PrivateKey> ReadKey(const std::string& file);

// Others than the owner may read it: "mode 0644". Empty when all is well or the file is not there.
std::string LooseKeyMode(const std::string& key_file);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_STORE_H_
