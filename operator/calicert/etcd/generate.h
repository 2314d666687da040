// `etcd generate`: brings the files of a layout to what is wanted.
//
// Everything is decided before anything is written, and one refusal stops all of it. Then pair by
// pair: the key is in place before its certificate, so that a run that was cut short is completed
// by the next one.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_GENERATE_H_
#define CALICO_OPERATOR_CALICERT_ETCD_GENERATE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/etcd/decision.h"
#include "operator/calicert/etcd/layout.h"
#include "pkg/pki/key.h"

namespace calico::calicert::etcd {

// The note of a pair that --only leaves out.
inline constexpr std::string_view kLeftAlone = "left alone";

struct Step {
  std::string title;  // "CA", "server of etcd-1"
  std::string certificate_file;
  Decision decision;
  bool is_ca = false;
  bool was_there = false;     // a certificate or a key
  Role role = Role::kServer;  // unless is_ca
  // Of the certificate as it is then; of a plan, of the one that is there. Infinite past: none.
  absl::Time not_after = absl::InfinitePast();
  bool cut_to_ca = false;  // it would last longer, but its CA ends
};

struct GenerateOptions {
  DecisionOptions decision;
  std::vector<std::string> only;  // owners, bases or roles of pairs; empty: all
};

// How keys are made: cfssl::MakeKey, perhaps with a word to people about it.
using KeyMaker = std::function<absl::StatusOr<pki::PrivateKey>(const cfssl::KeyRequest&)>;

// What would be done, in order: CAs, then pairs. Errors: InvalidArgument for an `only` that is
// nobody, or a folder that is none. Blocking: reads files.
absl::StatusOr<std::vector<Step>> PlanGeneration(const Layout& layout,
                                                 const GenerateOptions& options, absl::Time now);

// Does it; makes the folder. `done` is called after each step that has written something.
// Errors: FailedPrecondition when a step is refused, with every one that is; as WriteFiles and
// cfssl::Signer, with the step. What is done by then stays. Blocking.
absl::StatusOr<std::vector<Step>> Generate(const Layout& layout, const GenerateOptions& options,
                                           const KeyMaker& make_key,
                                           const std::function<void(const Step&)>& done,
                                           absl::Time now);

// Who has to read what was made: "etcd reads its pairs at every handshake …".
std::vector<std::string> AfterGeneration(const std::vector<Step>& steps);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_GENERATE_H_
