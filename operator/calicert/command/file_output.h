// Files that commands write: each appears whole or not at all.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_FILE_OUTPUT_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_FILE_OUTPUT_H_

#include <sys/types.h>

#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/types/span.h>

namespace calico::calicert {

inline constexpr mode_t kKeyMode = 0600;
inline constexpr mode_t kCertificateMode = 0644;

struct OutputFile {
  std::string path;
  std::string_view content;  // outlives the call
  mode_t mode = kCertificateMode;
  // A file that is there keeps its mode, whatever the umask; but others get no more than `mode`
  // gives them.
  bool keep_mode = false;
};

// Puts `content` at `path` in one step, with `mode` less the process's umask. A file that was there
// keeps its owner where that is allowed; a link stays, and its target is replaced; a device or pipe
// is written to. The content is on the disk before the name is.
// Errors, all with the path: NotFound for a missing folder; PermissionDenied; Unavailable. The old
// file is unharmed then.
absl::Status WriteFile(const std::string& path, std::string_view content, mode_t mode);

// Several files: all contents are on the disk before the first name is changed, and where one name
// cannot be changed the others get their old files back. A program that is killed between two names
// leaves new files and old ones, each of them whole: give keys before their certificates.
absl::Status WriteFiles(absl::Span<const OutputFile> files);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_FILE_OUTPUT_H_
