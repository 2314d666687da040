// cfssljson: the answer of a command or server, taken apart into files.

#include <sys/stat.h>

#include <initializer_list>
#include <memory>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "operator/calicert/cfssl/commands/commands.h"
#include "operator/calicert/cfssl/commands/session.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/command/input.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/base/version.h"
#include "pkg/codec/json.h"
#include "pkg/codec/located_json.h"

namespace calico::calicert::cfssl {
namespace {

constexpr codec::ParseLimits kLimits = {.max_bytes = 4 << 20, .max_depth = 32};

struct JsonOptions {
  bool bare = false;
  bool to_stdout = false;
  bool version = false;
  std::string file = "-";
  std::vector<std::string> arguments;
};

struct Output {
  std::string suffix;
  std::string content;
  mode_t mode;
  bool is_binary = false;
};

// Wipes keys that have passed through.
struct Outputs {
  std::vector<Output> files;
  ~Outputs() {
    for (Output& file : files) file.content.assign(file.content.size(), '\0');
  }
};

// The first of `names` that holds text; empty when none does.
absl::StatusOr<std::string_view> TextOf(const json::object& answer,
                                        std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const json::value* value = answer.if_contains(name);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_string()) {
      return absl::InvalidArgumentError(
          fmt::format("{:?} holds no text: this is not what genkey, gencert or sign prints", name));
    }
    if (!value->get_string().empty()) return codec::TextAt(answer, name);
  }
  return std::string_view();
}

// Why `text` is no answer, with the place as other files have it.
std::string WhatIsWrong(std::string_view text, std::string_view file, const absl::Status& status) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return "unexpected end of JSON input: there is none; did the command before this one fail?";
  }
  const std::string shown(file == "-" ? "standard input" : file);
  const auto located = codec::ParseLocatedJson(
      text, {.max_bytes = kLimits.max_bytes, .max_depth = kLimits.max_depth});
  if (!located.ok()) {
    return fmt::format("{}:{}", shown, std::string(located.status().message()));
  }
  if (located->kind == codec::LocatedJson::Kind::kObject) return std::string(status.message());
  return fmt::format("{}:{}: must be an object {{...}}, not {}", shown,
                     located->location.ToString(), located->KindName());
}

std::string ErrorsOf(const json::object& answer) {
  std::string message = "Request failed:\n";
  if (const json::array* errors = codec::FindArray(answer, "errors")) {
    for (const json::value& error : *errors) {
      if (!error.is_object()) continue;
      message += fmt::format("\t{}\n", codec::TextAt(error.get_object(), "message"));
    }
  }
  message.pop_back();
  return message;
}

absl::StatusOr<json::object> AnswerOf(std::string_view text, const JsonOptions& options,
                                      json::storage_ptr storage) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto parsed = codec::ParseJsonObject(text, kLimits, storage);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("Failed to parse input: {}", WhatIsWrong(text, options.file, parsed.status())));
  }
  const json::value* success = parsed->if_contains("success");
  std::string message = ErrorsOf(*parsed);
  if (options.bare) {
    // An answer with an error in it: nothing could be written, which must not look like success.
    if (success != nullptr && success->is_bool() && !success->get_bool()) {
      return absl::FailedPreconditionError(message);
    }
    return *parsed;
  }
  if (success == nullptr || !success->is_bool() || !success->get_bool()) {
    if (success == nullptr) {
      message += "\n\tthis is no answer of a server (there is no \"success\"): try -bare";
    }
    return absl::FailedPreconditionError(message);
  }
  const json::object* result = codec::FindObject(*parsed, "result");
  return result == nullptr ? json::object(storage) : json::object(*result, storage);
}

// A server's answer has the chain and its root in an object; `bundle` prints the chain as a text.
absl::Status AddBundle(const json::object& answer, Outputs& outputs) {
  const json::object* bundle = codec::FindObject(answer, "bundle");
  if (bundle == nullptr) {
    CALICO_ASSIGN_OR_RETURN(const std::string_view chain, TextOf(answer, {"bundle"}));
    if (chain.empty()) return absl::OkStatus();
    outputs.files.push_back({"-bundle.pem", std::string(chain), kCertificateMode});
    return absl::OkStatus();
  }
  CALICO_ASSIGN_OR_RETURN(const std::string_view chain, TextOf(*bundle, {"bundle"}));
  CALICO_ASSIGN_OR_RETURN(const std::string_view root, TextOf(*bundle, {"root"}));
  if (chain.empty()) return absl::OkStatus();
  outputs.files.push_back({"-bundle.pem", fmt::format("{}\n{}", chain, root), kCertificateMode});
  outputs.files.push_back({"-root.pem", std::string(root), kCertificateMode});
  return absl::OkStatus();
}

absl::StatusOr<Outputs> OutputsOf(const json::object& answer) {
  constexpr mode_t kFileMode = 0664;
  Outputs outputs;
  const auto add = [&](std::string_view suffix, std::initializer_list<std::string_view> names,
                       mode_t mode) -> absl::Status {
    CALICO_ASSIGN_OR_RETURN(const std::string_view text, TextOf(answer, names));
    if (!text.empty()) outputs.files.push_back({std::string(suffix), std::string(text), mode});
    return absl::OkStatus();
  };
  CALICO_RETURN_IF_ERROR(add(".pem", {"cert", "certificate"}, kFileMode));
  CALICO_RETURN_IF_ERROR(add("-key.pem", {"key", "private_key"}, kKeyMode));
  CALICO_RETURN_IF_ERROR(add("-key.enc", {"encrypted_key"}, kKeyMode));
  CALICO_RETURN_IF_ERROR(add(".csr", {"csr", "certificate_request"}, kCertificateMode));
  CALICO_RETURN_IF_ERROR(AddBundle(answer, outputs));
  CALICO_ASSIGN_OR_RETURN(const std::string_view ocsp, TextOf(answer, {"ocspResponse"}));
  if (ocsp.empty()) return outputs;
  const absl::StatusOr<std::string> der = base::Base64Decode(ocsp);
  if (!der.ok()) return absl::InvalidArgumentError("Failed to parse ocspResponse: it is no base64");
  outputs.files.push_back({"-response.der", *der, kCertificateMode, /*is_binary=*/true});
  return outputs;
}

// The mode of a file that is there stays, as somebody may have chosen it; keys are always private.
mode_t ModeFor(const std::string& path, mode_t mode) {
  struct stat old{};
  if (mode == kKeyMode || stat(path.c_str(), &old) != 0 || !S_ISREG(old.st_mode)) return mode;
  return old.st_mode & 0777;
}

absl::Status WriteOutputs(const Outputs& outputs, const std::string& base) {
  std::vector<OutputFile> files;
  for (const Output& file : outputs.files) {
    const std::string path = base + file.suffix;
    files.push_back({.path = path, .content = file.content, .mode = ModeFor(path, file.mode)});
  }
  absl::Status written = WriteFiles(files);
  if (!absl::IsNotFound(written)) return written;
  return absl::NotFoundError(fmt::format("open {}: no such file or directory", files.front().path));
}

// Words behind BASE are not looked at, as in cfssl: `cfssljson -bare ca -` is in many a script.
void WarnOfWords(const JsonOptions& options, Terminal& terminal) {
  for (size_t i = 1; i < options.arguments.size(); ++i) {
    const std::string& word = options.arguments[i];
    if (word == "-") continue;
    terminal.err << fmt::format("{:?} is not looked at{}\n", word,
                                word.starts_with('-') ? ": flags stand before the name of the files"
                                                      : ": one name is enough for all files");
  }
}

void WarnOfNothing(const json::object& answer, const JsonOptions& options, Terminal& terminal) {
  terminal.err << fmt::format(
      "there is nothing to write: no \"cert\", \"key\" or \"csr\" in {}{}\n",
      options.file == "-" ? "standard input" : options.file,
      options.bare && answer.contains("result") ? "; it is a server's answer: leave -bare out"
                                                : "");
}

absl::Status Run(const JsonOptions& options, Terminal& terminal) {
  WarnOfWords(options, terminal);
  const std::string base = options.arguments.empty() ? "cert" : options.arguments.front();
  const absl::StatusOr<base::SecretString> text = ReadSecretInput(terminal, options.file);
  if (!text.ok()) {
    return absl::Status(
        text.status().code(),
        fmt::format("Failed to read input: {}",
                    absl::IsNotFound(text.status())
                        ? fmt::format("open {}: no such file or directory", options.file)
                        : std::string(text.status().message())));
  }
  CALICO_ASSIGN_OR_RETURN(const json::object answer, AnswerOf(text->view(), options, {}));
  CALICO_ASSIGN_OR_RETURN(const Outputs outputs, OutputsOf(answer));
  if (outputs.files.empty()) WarnOfNothing(answer, options, terminal);
  if (!options.to_stdout) return WriteOutputs(outputs, base);
  for (const Output& file : outputs.files) {
    terminal.out << (file.is_binary ? base::Base64Encode(file.content) : file.content) << '\n';
  }
  return absl::OkStatus();
}

Command MakeJsonCommand(std::string path) {
  return {.path = std::move(path),
          .summary = "write the keys and certificates of a JSON answer to files",
          .details =
              "Reads what genkey, gencert, sign and the like print, and writes BASE.pem, "
              "BASE-key.pem (mode 0600, whatever was there), BASE.csr and so on. Each file appears "
              "whole or not at all.",
          .declare = [](config::Flags& flags) -> calicert::Run {
            auto options = std::make_shared<JsonOptions>();
            flags.Style(config::FlagStyle::kGo);
            flags.Switch({.name = "bare",
                          .help = "the input is a command's output, without the "
                                  "envelope of a server's answer"},
                         &options->bare);
            flags.Text(
                {.name = "f", .value = "FILE", .help = "read this file; - is standard input"},
                &options->file);
            flags.Switch({.name = "stdout", .help = "print the contents in place of files"},
                         &options->to_stdout);
            flags.Switch({.name = "version", .help = "print the version"}, &options->version);
            flags.Arguments({.name = "[BASE]", .help = "how the names of the files begin: cert"},
                            &options->arguments);
            flags.Example("Make a CA in ca.pem and ca-key.pem",
                          "cfssl gencert -initca ca.json | cfssljson -bare ca");
            return [options](Terminal& terminal) {
              if (options->version) {
                terminal.out << "Version: " << base::Version() << "\nRuntime: calicert\n";
                return kExitOk;
              }
              const absl::Status status = Run(*options, terminal);
              return status.ok() ? kExitOk : Failed(terminal, status);
            };
          }};
}

}  // namespace

Command CfssljsonCommand() { return MakeJsonCommand("cfssljson"); }

std::vector<Command> CfssljsonProgram() { return {MakeJsonCommand("")}; }

}  // namespace calico::calicert::cfssl
