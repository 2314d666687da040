// Exit codes of key-cert-provisioner: stable, documented in its --help.
#ifndef CALICO_OPERATOR_PROVISION_EXIT_CODE_H_
#define CALICO_OPERATOR_PROVISION_EXIT_CODE_H_

#include <string>

namespace calico::provision {

enum class ExitCode {
  kOk = 0,
  kApiError = 1,            // the API server refused or could not be reached
  kConfiguration = 2,       // environment or flags
  kRejected = 3,            // the request was denied or has failed
  kTimeout = 4,             // nobody approved or signed it in time
  kCertificateRefused = 5,  // the issued certificate fails a check
  kNameHeld = 6,            // somebody else's request has our name
  kFiles = 7,               // the pair could not be written
  kTerminated = 143,        // SIGTERM or SIGINT came first; 128 + 15, as kubectl readers expect
};

// How a run ended; `message` goes to the log and to the termination message.
struct Outcome {
  ExitCode code = ExitCode::kOk;
  std::string message;
};

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_EXIT_CODE_H_
