// What the commands share: cfssl's log lines, reading of files, and results as JSON.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_SESSION_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_SESSION_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/calicert/cfssl/commands/options.h"
#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/command/terminal.h"
#include "pkg/base/secret_string.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/key.h"

namespace calico::calicert::cfssl {

// "2006/01/02 15:04:05 [INFO] text" in local time on `err`, by -loglevel.
class Log {
 public:
  Log(Terminal& terminal, int level) : terminal_(terminal), level_(level) {}
  void Info(std::string_view text) { Write(1, "INFO", text); }
  void Warning(std::string_view text) { Write(2, "WARNING", text); }
  void Warnings(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) Warning(text);
  }
  void Error(std::string_view text) { Write(3, "ERROR", text); }

 private:
  void Write(int level, std::string_view name, std::string_view text);

  Terminal& terminal_;
  int level_;
};

// The error on `err` as cfssl writes it. Returns 1.
int Failed(Terminal& terminal, const absl::Status& error);
int Failed(Terminal& terminal, std::string_view message);
// How messages name an input: "standard input" for "-".
std::string ShownName(std::string_view name);
// Too few arguments, in cfssl's words.
int NotEnoughArguments(Terminal& terminal);

// A file, standard input for "-". Errors in Go's words: "open FILE: no such file or directory".
absl::StatusOr<std::string> ReadText(Terminal& terminal, const std::string& name);

// The value of -ca or -ca-key: `file:PATH`, `env:VARIABLE`, or a path.
absl::StatusOr<base::SecretString> ReadSource(Terminal& terminal, const std::string& source);
// Certificates in PEM, one in DER; at least one. Errors: code 1002 for what is neither, 1003 for
// what does not parse.
absl::StatusOr<std::vector<pki::Certificate>> ReadCertificates(Terminal& terminal,
                                                               const std::string& source);
// One certificate. Errors: as ReadCertificates, and code 1003 for several.
absl::StatusOr<pki::Certificate> ReadCertificate(Terminal& terminal, const std::string& source);
// A key in any form; CFSSL_CA_PK_PASSWORD decrypts it. Errors: code 2002, 2003, 2100.
absl::StatusOr<pki::PrivateKey> ReadKey(Terminal& terminal, const std::string& source);

// A certificate request that somebody has made. Errors: as ReadCertificateRequest, with the name of
// the file and what it holds in its place: base64, JSON.
absl::StatusOr<pki::CertificateRequest> ReadRequestPem(Terminal& terminal, const std::string& name);

// FILE as a request; warnings are logged. -cn is put in.
absl::StatusOr<Request> ReadRequestFile(const Options& options, const std::string& file,
                                        Terminal& terminal, Log& log);
// -config, or the built-in configuration; warnings are logged.
absl::StatusOr<SigningConfig> ReadConfig(const Options& options, Terminal& terminal, Log& log);
// -ca, -ca-key and -config as a signer. Errors say which flag is missing.
absl::StatusOr<Signer> ReadSigner(const Options& options, Terminal& terminal, Log& log);

// A key with the log lines of cfssl around it, and a word when it takes long.
absl::StatusOr<pki::PrivateKey> MakeKeyLoudly(const KeyRequest& wanted, Terminal& terminal,
                                              Log& log);

// `text` as a JSON text; no copy is made, so that it may be a key.
void PrintText(std::string_view text, std::ostream& out);

// What a command gives: those that are not empty, in the order of their names, on one line.
struct Result {
  std::string_view cert;
  std::string_view csr;
  std::string_view key;   // never copied
  std::string_view name;  // of a batch
};
void PrintResult(const Result& result, std::ostream& out);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_SESSION_H_
