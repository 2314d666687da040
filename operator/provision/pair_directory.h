// Key, certificate and CA as one set of files that changes all at once.
//
// Layout, the same as the kubelet's for Secret volumes:
//   tls.key -> ..data/tls.key        (and tls.crt, ca.crt)
//   ..data  -> ..set_XXXXXX
//   ..set_XXXXXX/tls.key             0600
// A new set is written and synced in a folder of its own; renaming the link ..data switches to it.
// A crash leaves the old set or the new one, never a mixture.
#ifndef CALICO_OPERATOR_PROVISION_PAIR_DIRECTORY_H_
#define CALICO_OPERATOR_PROVISION_PAIR_DIRECTORY_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

namespace calico::provision {

// One file of a set. `name` is a plain file name, `mode` as in chmod.
struct SetFile {
  std::string name;
  std::string_view content;
  unsigned mode = 0644;
};

// Replaces the set in `directory`, then removes older sets. Files belong to the calling process's
// user and group. Errors: kPermissionDenied, kResourceExhausted (no space), kUnavailable, each
// naming the file; the old set is then still in place.
absl::Status ReplaceSet(const std::string& directory, const std::vector<SetFile>& files);

// Makes `path` a file with this content in one step: a crash of the process leaves the old file or
// the new one. Not synced, so that a machine that loses power may leave half a file. Errors: as
// ReplaceSet.
absl::Status ReplaceFile(const std::string& path, std::string_view content, unsigned mode);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_PAIR_DIRECTORY_H_
