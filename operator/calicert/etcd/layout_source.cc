#include "operator/calicert/etcd/layout_source.h"

#include <filesystem>

#include <fmt/format.h>

#include "operator/calicert/command/input.h"
#include "operator/calicert/etcd/description.h"
#include "operator/calicert/etcd/tls_setup.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::etcd {
namespace {

absl::StatusOr<Layout> LoadDescription(const std::string& file, Terminal& terminal) {
  absl::StatusOr<std::string> text = ReadInput(terminal, file, 1 << 20);
  if (!text.ok()) {
    if (file != kDefaultFile) return text.status();
    return base::Annotate(text.status(),
                          "no file is named (calicert etcd init writes etcd.yaml; -C DIR takes a "
                          "folder of hack/tls-setup)");
  }
  absl::StatusOr<Layout> layout = ParseDescription(*text);
  if (!layout.ok()) return base::Annotate(layout.status(), file == "-" ? "standard input" : file);
  // The folder is beside the file, wherever the command runs.
  const std::filesystem::path folder(layout->folder);
  if (file != "-" && folder.is_relative()) {
    layout->folder = (std::filesystem::path(file).parent_path() / folder).string();
  }
  return layout;
}

}  // namespace

void AddLayoutFlags(config::Flags& flags, LayoutSource* source) {
  flags.Arguments({.name = "FILE",
                   .help = "the file that describes the cluster; etcd.yaml unless given",
                   .minimum = 0,
                   .maximum = 1},
                  &source->file);
  flags.Text({.name = "tls-setup",
              .value = "DIR",
              .help = "take a folder of etcd's hack/tls-setup instead, unchanged",
              .letter = 'C'},
             &source->tls_setup);
  flags.List({.name = "member",
              .value = "NAME=HOST",
              .help = "with -C: a member in place of etcd1 to etcd3; may be repeated"},
             &source->members);
}

absl::StatusOr<Layout> LoadLayout(const LayoutSource& source, Terminal& terminal) {
  if (!source.tls_setup.empty() && !source.file.empty()) {
    return absl::InvalidArgumentError("-C and a file both describe the cluster: use one of them");
  }
  if (source.tls_setup.empty() && !source.members.empty()) {
    return absl::InvalidArgumentError("--member belongs to -C: in a file, members are listed");
  }
  if (source.tls_setup.empty()) {
    return LoadDescription(source.file.empty() ? std::string(kDefaultFile) : source.file.front(),
                           terminal);
  }
  CALICO_ASSIGN_OR_RETURN(Layout layout,
                          ReadTlsSetup(source.tls_setup, {.members = source.members,
                                                          .environment = terminal.environment}));
  for (const std::string& note : layout.notes) Note(terminal, note);
  return layout;
}

}  // namespace calico::calicert::etcd
