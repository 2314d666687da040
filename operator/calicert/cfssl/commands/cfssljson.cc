// cfssljson: the answer of a command or server, taken apart into files.

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

// The first of two names that holds text.
std::string_view Either(const json::object& answer, std::string_view one, std::string_view other) {
  const std::string_view text = codec::TextAt(answer, one);
  return text.empty() ? codec::TextAt(answer, other) : text;
}

absl::StatusOr<json::object> AnswerOf(std::string_view text, const JsonOptions& options,
                                      json::storage_ptr storage) {
  const auto parsed = codec::ParseJsonObject(text, kLimits, storage);
  if (!parsed.ok()) {
    const bool empty = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    return absl::InvalidArgumentError(fmt::format(
        "Failed to parse input: {}",
        empty ? std::string("unexpected end of JSON input: there is none; did the command before "
                            "this one fail?")
              : std::string(parsed.status().message())));
  }
  const json::value* success = parsed->if_contains("success");
  std::string message = "Request failed:\n";
  if (const json::array* errors = codec::FindArray(*parsed, "errors")) {
    for (const json::value& error : *errors) {
      if (!error.is_object()) continue;
      message += fmt::format("\t{}\n", codec::TextAt(error.get_object(), "message"));
    }
  }
  message.pop_back();
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

absl::Status AddBundle(const json::object& answer, Outputs& outputs) {
  const json::object* bundle = codec::FindObject(answer, "bundle");
  const std::string_view chain =
      bundle == nullptr ? codec::TextAt(answer, "bundle") : codec::TextAt(*bundle, "bundle");
  const std::string_view root = codec::TextAt(bundle == nullptr ? answer : *bundle, "root");
  if (chain.empty()) return absl::OkStatus();
  outputs.files.push_back({"-bundle.pem", fmt::format("{}\n{}", chain, root), kCertificateMode});
  outputs.files.push_back({"-root.pem", std::string(root), kCertificateMode});
  return absl::OkStatus();
}

absl::StatusOr<Outputs> OutputsOf(const json::object& answer) {
  constexpr mode_t kFileMode = 0664;
  Outputs outputs;
  const auto add = [&outputs](std::string_view suffix, std::string_view text, mode_t mode) {
    if (!text.empty()) outputs.files.push_back({std::string(suffix), std::string(text), mode});
  };
  add(".pem", Either(answer, "cert", "certificate"), kFileMode);
  add("-key.pem", Either(answer, "key", "private_key"), kKeyMode);
  add("-key.enc", codec::TextAt(answer, "encrypted_key"), kKeyMode);
  add(".csr", Either(answer, "csr", "certificate_request"), kCertificateMode);
  CALICO_RETURN_IF_ERROR(AddBundle(answer, outputs));
  const std::string_view ocsp = codec::TextAt(answer, "ocspResponse");
  if (ocsp.empty()) return outputs;
  const absl::StatusOr<std::string> der = base::Base64Decode(ocsp);
  if (!der.ok()) return absl::InvalidArgumentError("Failed to parse ocspResponse: it is no base64");
  outputs.files.push_back({"-response.der", *der, kCertificateMode, /*is_binary=*/true});
  return outputs;
}

absl::Status WriteOutputs(const Outputs& outputs, const std::string& base) {
  std::vector<OutputFile> files;
  for (const Output& file : outputs.files) {
    files.push_back({.path = base + file.suffix, .content = file.content, .mode = file.mode});
  }
  absl::Status written = WriteFiles(files);
  if (!absl::IsNotFound(written)) return written;
  return absl::NotFoundError(fmt::format("open {}: no such file or directory", files.front().path));
}

absl::Status Run(const JsonOptions& options, Terminal& terminal) {
  if (options.arguments.size() > 1) {
    return absl::InvalidArgumentError(
        fmt::format("{:?}: one argument too many; flags stand before the name of the files",
                    options.arguments[1]));
  }
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
