#include "operator/calicert/command/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/command/echo_off.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert {
namespace {

constexpr size_t kMaxPassphraseBytes = 1024;
constexpr size_t kChunkBytes = 64 << 10;

absl::Status TooLarge(std::string_view name, size_t limit_bytes) {
  return absl::InvalidArgumentError(
      fmt::format("read {}: larger than {} bytes", name, limit_bytes));
}

absl::Status Failed(const std::string& name, int error) {
  const std::string text = fmt::format("read {}: {}", name, strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(text);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(text);
  if (error == EISDIR) return absl::InvalidArgumentError(text);
  return absl::UnavailableError(text);
}

// Bytes that grow without leaving copies.
class GrowingSecret {
 public:
  void Append(std::string_view bytes) {
    if (used_ + bytes.size() > buffer_.size()) {
      base::SecretString larger =
          base::SecretString::OfSize(std::max(2 * buffer_.size(), used_ + bytes.size()));
      std::copy_n(buffer_.data(), used_, larger.data());
      buffer_ = std::move(larger);
    }
    std::copy(bytes.begin(), bytes.end(), buffer_.data() + used_);
    used_ += bytes.size();
  }
  size_t size() const { return used_; }
  base::SecretString Take() {
    buffer_.Shorten(used_);
    return std::move(buffer_);
  }

 private:
  base::SecretString buffer_;
  size_t used_ = 0;
};

absl::StatusOr<base::SecretString> ReadStream(std::istream& in, size_t limit_bytes) {
  GrowingSecret content;
  base::SecretString chunk = base::SecretString::OfSize(kChunkBytes);
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    content.Append({chunk.data(), static_cast<size_t>(in.gcount())});
    if (content.size() > limit_bytes) return TooLarge("standard input", limit_bytes);
  }
  if (in.bad()) return absl::UnavailableError("read standard input: it failed");
  return content.Take();
}

absl::StatusOr<base::SecretString> ReadDescriptor(int fd, const std::string& name,
                                                  size_t limit_bytes) {
  GrowingSecret content;
  base::SecretString chunk = base::SecretString::OfSize(kChunkBytes);
  while (true) {
    const ssize_t count = read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed(name, errno);
    if (count == 0) return content.Take();
    content.Append({chunk.data(), static_cast<size_t>(count)});
    if (content.size() > limit_bytes) return TooLarge(name, limit_bytes);
  }
}

absl::StatusOr<base::SecretString> Ask(Terminal& terminal, const std::string& question) {
  base::SecretString line = base::SecretString::OfSize(kMaxPassphraseBytes);
  size_t used = 0;
  bool ended = false;
  {
    // Before the question: what is typed until then is thrown away.
    const EchoOff off;
    terminal.err << question << std::flush;
    for (int c = terminal.in.get(); c != EOF; c = terminal.in.get()) {
      ended = c == '\n';
      if (ended) break;
      if (used < line.size()) line.data()[used] = static_cast<char>(c);
      ++used;
    }
  }
  terminal.err << '\n';
  if (used > line.size()) {
    return absl::InvalidArgumentError(
        fmt::format("the passphrase has more than {} bytes", kMaxPassphraseBytes));
  }
  if (!ended && used == 0) return absl::CancelledError("no passphrase was given");
  line.Shorten(used);
  return line;
}

}  // namespace

absl::StatusOr<base::SecretString> ReadSecretInput(Terminal& terminal, const std::string& name,
                                                   size_t limit_bytes) {
  if (name == "-") return ReadStream(terminal.in, limit_bytes);
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(name, errno);
  absl::StatusOr<base::SecretString> content = ReadDescriptor(fd, name, limit_bytes);
  close(fd);
  return content;
}

absl::StatusOr<std::string> ReadInput(Terminal& terminal, const std::string& name,
                                      size_t limit_bytes) {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString content,
                          ReadSecretInput(terminal, name, limit_bytes));
  return std::string(content.view());
}

absl::StatusOr<base::SecretString> ReadPassphrase(Terminal& terminal,
                                                  const PassphraseSource& source,
                                                  std::string_view what, bool confirm) {
  if (!source.file.empty()) {
    CALICO_ASSIGN_OR_RETURN(base::SecretString content,
                            ReadSecretInput(terminal, source.file, kMaxPassphraseBytes));
    const std::string_view text = content.view();
    size_t end = std::min(text.find('\n'), text.size());
    if (end > 0 && text[end - 1] == '\r') --end;
    content.Shorten(end);
    return content;
  }
  if (!terminal.in_is_terminal) {
    return absl::FailedPreconditionError(fmt::format(
        "{} needs a passphrase and there is no terminal to ask for it: give --passphrase-file FILE",
        what));
  }
  CALICO_ASSIGN_OR_RETURN(base::SecretString first,
                          Ask(terminal, fmt::format("Passphrase of {}: ", what)));
  if (!confirm) return first;
  CALICO_ASSIGN_OR_RETURN(const base::SecretString second, Ask(terminal, "The same again: "));
  if (first.view() != second.view()) {
    return absl::FailedPreconditionError("the two passphrases differ");
  }
  return first;
}

void AddPassphraseFlag(config::Flags& flags, PassphraseSource* target) {
  flags.Text({.name = "passphrase-file",
              .value = "FILE",
              .help = "file whose first line is the passphrase; else it is asked for"},
             &target->file);
}

}  // namespace calico::calicert
