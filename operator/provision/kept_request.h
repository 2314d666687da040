// A key and the request made with it, kept in the pod's memory volume until the pair is there.
//
// Whoever approves may take hours, while a container waits for minutes and is restarted. With its
// key the next run takes up the same request, pending, approved or issued meanwhile, where a new
// key would throw the approval away. One file, `..request` (0600), replaced in one step and removed
// when the pair is complete; the volume goes with the pod.
#ifndef CALICO_OPERATOR_PROVISION_KEPT_REQUEST_H_
#define CALICO_OPERATOR_PROVISION_KEPT_REQUEST_H_

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/provision/config.h"
#include "pkg/pki/key.h"

namespace calico::provision {

struct KeptRequest {
  pki::PrivateKey key;
  std::string request_pem;
};

// Makes the request that `config` asks for. Errors: InvalidArgument for a name that cannot be
// encoded.
absl::StatusOr<std::string> MakeRequest(const Config& config, const pki::PrivateKey& key);

// What an earlier run of this pod has kept, if it is what `config` asks for now.
// Errors: kNotFound when nothing is kept; kFailedPrecondition naming what does not fit, for
// instance another pod, signer, name, address or algorithm, or a file that is damaged.
absl::StatusOr<KeptRequest> ReadKeptRequest(const Config& config);

// Replaces what is kept. Errors: as ReplaceFile.
absl::Status KeepRequest(const Config& config, const KeptRequest& request);

// Removes what is kept; nothing kept is fine. Errors: as ReplaceFile.
absl::Status ForgetRequest(const Config& config);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_KEPT_REQUEST_H_
