#include "operator/calicert/etcd/commands.h"

#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/command/progress.h"
#include "operator/calicert/etcd/description.h"
#include "operator/calicert/etcd/generate.h"
#include "operator/calicert/etcd/instructions.h"
#include "operator/calicert/etcd/layout_source.h"
#include "operator/calicert/etcd/report.h"
#include "operator/calicert/etcd/verify_command.h"
#include "pkg/base/file.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::calicert {
namespace {

using etcd::Layout;
using etcd::LayoutSource;

// ---- init

struct InitOptions {
  std::vector<std::string> file;
  std::vector<std::string> members;
  bool force = false;
};

int Init(const InitOptions& options, Terminal& terminal) {
  std::vector<std::string> members = options.members;
  if (members.empty()) members = {"etcd-1=10.0.0.11", "etcd-2=10.0.0.12", "etcd-3=10.0.0.13"};
  const absl::StatusOr<std::string> text = etcd::ExampleDescription(members);
  if (!text.ok()) return Fail(terminal, text.status());
  const std::string file =
      options.file.empty() ? std::string(etcd::kDefaultFile) : options.file.front();
  if (file == "-") {
    terminal.out << *text;
    return kExitOk;
  }
  const absl::StatusOr<std::string> there = base::ReadFile(file);
  const bool is_free = there.status().code() == absl::StatusCode::kNotFound;
  if (!is_free && !options.force) {
    return Fail(terminal,
                fmt::format("write {}: it is there already; --force writes it anew", file));
  }
  if (const absl::Status written = WriteFile(file, *text, kCertificateMode); !written.ok()) {
    return Fail(terminal, written);
  }
  Note(terminal, fmt::format("{} is written: put your members' addresses and users into it, then: "
                             "calicert etcd generate {}",
                             file, file));
  return kExitOk;
}

Run DeclareInit(config::Flags& flags) {
  auto options = std::make_shared<InitOptions>();
  flags.Arguments({.name = "FILE",
                   .help = "where to write it; etcd.yaml unless given, - is standard output",
                   .minimum = 0,
                   .maximum = 1},
                  &options->file);
  flags.List({.name = "member",
              .value = "NAME=HOST",
              .help = "a member with its address or name; may be repeated"},
             &options->members);
  flags.Switch({.name = "force", .help = "write over a file that is there"}, &options->force);
  flags.Example(
      "A file for three members",
      "calicert etcd init --member a=10.0.0.11 --member b=10.0.0.12 --member c=10.0.0.13");
  return [options](Terminal& terminal) { return Init(*options, terminal); };
}

// ---- generate

struct GenerateFlags {
  LayoutSource source;
  std::vector<std::string> only;
  std::string output;
  absl::Duration renew_within = absl::ZeroDuration();
  bool force = false;
  bool new_ca = false;
  bool dry_run = false;
};

etcd::GenerateOptions OptionsOf(const GenerateFlags& flags) {
  etcd::GenerateOptions options;
  options.only = flags.only;
  if (flags.renew_within > absl::ZeroDuration()) {
    options.decision.renew_within = flags.renew_within;
  }
  options.decision.new_keys = flags.force;
  options.decision.new_ca = flags.new_ca;
  return options;
}

void PrintSteps(const std::vector<etcd::Step>& steps, OutputFormat format, Terminal& terminal) {
  if (format != OutputFormat::kTable) {
    terminal.out << Document(etcd::StepsValue(steps), format);
    return;
  }
  for (const etcd::Step& step : steps) terminal.out << etcd::StepLine(step) << "\n";
}

int GenerateNow(const GenerateFlags& flags, const Layout& layout, Terminal& terminal) {
  const OutputFormat format = ParseOutputFormat(flags.output);
  const etcd::KeyMaker make_key = [&terminal](const cfssl::KeyRequest& key) {
    std::optional<SlowNotice> notice;
    if (cfssl::IsSlow(key)) {
      notice.emplace(terminal, fmt::format("making a key of {} bits", key.size));
    }
    return cfssl::MakeKey(key);
  };
  const auto done = [&](const etcd::Step& step) {
    if (format == OutputFormat::kTable) terminal.out << etcd::StepLine(step) << "\n";
  };
  const auto steps = etcd::Generate(layout, OptionsOf(flags), make_key, done, terminal.clock.Now());
  if (!steps.ok()) return Fail(terminal, steps.status());
  if (format != OutputFormat::kTable) {
    terminal.out << Document(etcd::StepsValue(*steps), format);
  } else {
    for (const etcd::Step& step : *steps) {
      if (step.decision.action == etcd::Action::kKeep && !step.decision.note.empty() &&
          step.decision.note != etcd::kLeftAlone) {
        Note(terminal, etcd::StepLine(step));
      }
    }
  }
  const std::vector<std::string> after = etcd::AfterGeneration(*steps);
  for (const std::string& note : after) Note(terminal, note);
  if (after.empty()) Note(terminal, "everything is there and in time: nothing was changed");
  return kExitOk;
}

int RunGenerate(const GenerateFlags& flags, Terminal& terminal) {
  if (flags.new_ca && !flags.force) {
    return Fail(terminal, "--new-ca puts new keys in place of all: it needs --force, too");
  }
  if (flags.new_ca && !flags.only.empty()) {
    return Fail(terminal, "--new-ca makes everything anew: it cannot go with --only");
  }
  const absl::StatusOr<Layout> layout = LoadLayout(flags.source, terminal);
  if (!layout.ok()) return Fail(terminal, layout.status());
  if (!flags.dry_run) return GenerateNow(flags, *layout, terminal);
  const auto steps = etcd::PlanGeneration(*layout, OptionsOf(flags), terminal.clock.Now());
  if (!steps.ok()) return Fail(terminal, steps.status());
  PrintSteps(*steps, ParseOutputFormat(flags.output), terminal);
  for (const etcd::Step& step : *steps) {
    if (step.decision.action == etcd::Action::kRefuse) return kExitFailed;
  }
  return kExitOk;
}

Run DeclareGenerate(config::Flags& flags) {
  auto options = std::make_shared<GenerateFlags>();
  AddLayoutFlags(flags, &options->source);
  flags.List({.name = "only",
              .value = "NAME",
              .help = "only pairs of this member, user, proxy, file or role (server, peer, user)"},
             &options->only);
  flags.Period({.name = "renew-within",
                .value = "TIME",
                .help = "renew what ends within this time, such as 720h; unless given 30 days, or "
                        "the last third of a shorter life"},
               &options->renew_within);
  flags.Switch({.name = "force", .help = "new keys in place of those that are there, not of CAs"},
               &options->force);
  flags.Switch(
      {.name = "new-ca", .help = "with --force: new CAs too, as make in hack/tls-setup does"},
      &options->new_ca);
  flags.Switch({.name = "dry-run", .help = "say what would be done"}, &options->dry_run);
  AddOutputFlag(flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml},
                &options->output);
  flags.Example("Everything that etcd.yaml lists and is not there yet", "calicert etcd generate");
  flags.Example("The files of etcd's hack/tls-setup, unchanged",
                "calicert etcd generate -C etcd/hack/tls-setup");
  flags.Example("Renew what ends within 90 days, keys stay",
                "calicert etcd generate --renew-within 2160h");
  return [options](Terminal& terminal) { return RunGenerate(*options, terminal); };
}

// ---- show, secrets, flags, users

struct PrintFlags {
  LayoutSource source;
  std::string output;
  std::string at;
  std::vector<std::string> members;
  bool apply = false;
  ClusterWriter writer;  // for --apply
};

int Show(const PrintFlags& flags, Terminal& terminal) {
  const absl::StatusOr<Layout> layout = LoadLayout(flags.source, terminal);
  if (!layout.ok()) return Fail(terminal, layout.status());
  const absl::Time now = terminal.clock.Now();
  const std::vector<etcd::ShownRow> rows = etcd::ShowRows(*layout, now);
  const OutputFormat format = ParseOutputFormat(flags.output);
  if (format == OutputFormat::kTable || format == OutputFormat::kWide) {
    terminal.out << etcd::ShowText(rows, format, now);
  } else {
    terminal.out << Document(etcd::ShowValue(rows, now), format);
  }
  return kExitOk;
}

Run DeclareShow(config::Flags& flags) {
  auto options = std::make_shared<PrintFlags>();
  AddLayoutFlags(flags, &options->source);
  AddOutputFlag(
      flags, {OutputFormat::kTable, OutputFormat::kWide, OutputFormat::kJson, OutputFormat::kYaml},
      &options->output);
  flags.Example("What there is and when it ends", "calicert etcd show");
  return [options](Terminal& terminal) { return Show(*options, terminal); };
}

int Secrets(const PrintFlags& flags, Terminal& terminal) {
  const absl::StatusOr<Layout> layout = LoadLayout(flags.source, terminal);
  if (!layout.ok()) return Fail(terminal, layout.status());
  Layout wanted = *layout;
  if (!flags.members.empty()) {
    wanted.secrets.clear();
    for (const std::string& user : flags.members) {
      wanted.secrets.push_back({"calico-etcd-secrets", "kube-system", user});
    }
  }
  if (wanted.secrets.empty()) {
    return Fail(terminal, "no Secret is wanted: list it under secrets, or name a --user");
  }
  const auto secrets = etcd::ReadSecrets(wanted);
  if (!secrets.ok()) return Fail(terminal, secrets.status());
  if (flags.apply) return flags.writer(*secrets, terminal);
  if (ParseOutputFormat(flags.output) == OutputFormat::kYaml) {
    terminal.out << codec::ToYaml(*secrets);
  } else {
    for (const json::value& secret : *secrets) terminal.out << Document(secret);
  }
  return kExitOk;
}

Run DeclareSecrets(const DeclareWriter& writer, config::Flags& flags) {
  auto options = std::make_shared<PrintFlags>();
  AddLayoutFlags(flags, &options->source);
  flags.List({.name = "user",
              .value = "USER",
              .help = "instead of those listed: kube-system/calico-etcd-secrets for this user"},
             &options->members);
  AddOutputFlag(flags, {OutputFormat::kYaml, OutputFormat::kJson}, &options->output);
  flags.Example("Give them to the cluster", "calicert etcd secrets | kubectl apply -f -");
  if (writer != nullptr) {
    flags.Switch({.name = "apply", .help = "write them into the cluster and print no key"},
                 &options->apply);
    options->writer = writer(flags);
    flags.Example("The same without kubectl", "calicert etcd secrets --apply");
  }
  return [options](Terminal& terminal) { return Secrets(*options, terminal); };
}

int PrintMemberFlags(const PrintFlags& flags, Terminal& terminal) {
  const absl::StatusOr<Layout> layout = LoadLayout(flags.source, terminal);
  if (!layout.ok()) return Fail(terminal, layout.status());
  const std::string folder = flags.at.empty() ? layout->folder : flags.at;
  for (const etcd::Member& member : layout->members) {
    terminal.out << "# " << member.name << "\n" << etcd::FlagLines(*layout, member, folder) << "\n";
  }
  return kExitOk;
}

Run DeclareFlags(config::Flags& flags) {
  auto options = std::make_shared<PrintFlags>();
  AddLayoutFlags(flags, &options->source);
  flags.Text({.name = "at",
              .value = "DIR",
              .help = "where the files are on the members; unless given, where they are here"},
             &options->at);
  flags.Example("etcd's flags for each member", "calicert etcd flags --at /etc/etcd/pki");
  return [options](Terminal& terminal) { return PrintMemberFlags(*options, terminal); };
}

int PrintUsers(const PrintFlags& flags, Terminal& terminal) {
  const absl::StatusOr<Layout> layout = LoadLayout(flags.source, terminal);
  if (!layout.ok()) return Fail(terminal, layout.status());
  terminal.out << etcd::EtcdctlCommands(*layout);
  return kExitOk;
}

Run DeclareUsers(config::Flags& flags) {
  auto options = std::make_shared<PrintFlags>();
  AddLayoutFlags(flags, &options->source);
  flags.Example("Read them before they are run", "calicert etcd users");
  return [options](Terminal& terminal) { return PrintUsers(*options, terminal); };
}

}  // namespace

std::vector<Command> EtcdCommands(const DeclareWriter& writer) {
  return {
      {.path = "etcd init",
       .summary = "write a commented file that describes an etcd cluster",
       .declare = DeclareInit},
      {.path = "etcd generate",
       .summary = "make what is missing and renew what ends: CAs, members, users, proxies",
       .details =
           "A key that is there is never replaced without --force. What is half written is "
           "completed; a certificate that ends soon, or whose names or usages are no longer those "
           "wanted, is issued anew for the same key. One thing that cannot be done stops all of "
           "it, before anything is written.",
       .declare = DeclareGenerate},
      {.path = "etcd verify",
       .summary = "say which peer would refuse which certificate, and why",
       .details =
           "From the files of a cluster, from files named one by one with their roles, or "
           "against running members. Members check each other's names and the address that a "
           "connection comes from; clients check names and usages of servers; servers check usages "
           "of clients and take the common name for the etcd user.",
       .declare = etcd::DeclareVerify},
      {.path = "etcd show",
       .summary = "list the certificates of a cluster and when they end",
       .declare = DeclareShow},
      {.path = "etcd secrets",
       .summary = "print or apply Secrets with etcd-ca, etcd-cert and etcd-key for Calico",
       .declare = [writer](config::Flags& flags) { return DeclareSecrets(writer, flags); }},
      {.path = "etcd flags",
       .summary = "print etcd's command line for each member",
       .declare = DeclareFlags},
      {.path = "etcd users",
       .summary = "print the etcdctl commands that make users and roles",
       .declare = DeclareUsers},
  };
}

}  // namespace calico::calicert
