#include "operator/cmd/calicert/program.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/calicert/calico/calico_commands.h"
#include "operator/calicert/calico/typha/typha_commands.h"
#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/cfssl/commands/commands.h"
#include "operator/calicert/command/command.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/reference.h"
#include "operator/calicert/etcd/commands.h"
#include "operator/calicert/inventory/cluster_source.h"
#include "operator/calicert/inventory/inventory_commands.h"
#include "operator/calicert/requests/csr_commands.h"
#include "operator/calicert/tls/apply.h"
#include "operator/calicert/tls/tls_commands.h"

namespace calico::calicert {
namespace {

// The commands of calicert, in the order of its help. Of two with one name the first counts.
std::vector<Command> Commands() {
  std::vector<Command> table;
  const auto add = [&table](std::vector<Command> commands) {
    for (Command& command : commands) {
      if (FindCommand(table, command.path) == nullptr) table.push_back(std::move(command));
    }
  };
  add(CertificateCommands(ClusterSources()));
  add(CsrCommands());
  add(TlsCommands());
  add(InventoryCommands());
  add(EtcdCommands(ApplyToCluster()));
  add(TyphaCommands(ApplyToCluster()));
  add(CalicoCommands());
  add({VersionCommand("calicert")});
  add(cfssl::CfsslCommands());
  add({cfssl::CfssljsonCommand()});
  return table;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

int RunCalicert(int argc, const char* const* argv, Terminal& terminal) {
  const std::string_view name = LastPart(argv[0]);
  if (name == "cfssl") return cfssl::RunCfssl(argc, argv, terminal);
  if (name == "cfssljson") {
    return RunProgram(name, cfssl::CfssljsonProgram(), argc, argv, terminal);
  }
  if (name == "kubectl_complete-calicert") {
    terminal.out << KubectlCompletion("kubectl calicert", Commands(), {argv + 1, argv + argc});
    terminal.out.flush();
    return kExitOk;
  }
  const std::string_view program = name == "kubectl-calicert" ? "kubectl calicert" : "calicert";
  return RunProgram(program, Commands(), argc, argv, terminal);
}

}  // namespace calico::calicert
