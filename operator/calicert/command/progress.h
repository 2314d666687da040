// A word to people while something takes long, such as a large RSA key.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_PROGRESS_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_PROGRESS_H_

#include <string>
#include <thread>

#include <absl/synchronization/notification.h>
#include <absl/time/time.h>

#include "operator/calicert/command/terminal.h"

namespace calico::calicert {

// Prints `text` on `err` once `after` has passed while this lives, and on a terminal then dots.
// Nothing with --quiet. Nobody else may write to `err` meanwhile.
//
//   const SlowNotice notice(terminal, "making an RSA-8192 key, which may take a minute");
//   key = pki::PrivateKey::Generate(pki::KeyAlgorithm::kRsa8192);
class SlowNotice {
 public:
  SlowNotice(Terminal& terminal, std::string text, absl::Duration after = absl::Milliseconds(700));
  ~SlowNotice();
  SlowNotice(const SlowNotice&) = delete;
  SlowNotice& operator=(const SlowNotice&) = delete;

 private:
  absl::Notification done_;
  std::thread thread_;
};

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_PROGRESS_H_
