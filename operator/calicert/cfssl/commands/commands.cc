#include "operator/calicert/cfssl/commands/commands.h"

#include <string_view>

#include "operator/calicert/cfssl/commands/functions.h"
#include "operator/calicert/cfssl/commands/options.h"
#include "operator/calicert/command/exit_codes.h"

namespace calico::calicert::cfssl {
namespace {

constexpr char kRequestHelp[] = "the request in JSON; - is standard input";

Command GenkeyCommand() {
  return MakeCommand(
      {.name = "genkey",
       .summary = "make a key and a certificate request from CSR JSON",
       .details =
           "Prints {\"csr\", \"key\"}; pipe it into cfssljson -bare NAME to get NAME.csr and "
           "NAME-key.pem.",
       .flags = {"initca", "ca-key", "cn"},
       .arguments = "CSRJSON",
       .arguments_help = kRequestHelp,
       .examples = {{"A key and a request in server-key.pem and server.csr",
                     "cfssl genkey server.json | cfssljson -bare server"}}},
      &GenerateKey);
}

Command GencertCommand() {
  return MakeCommand(
      {.name = "gencert",
       .summary = "make a key and a certificate, or a CA",
       .details =
           "A CA, a CA below it and a leaf are three lines: see the examples. The profile of the "
           "intermediate has \"ca_constraint\": {\"is_ca\": true} and the usages \"cert sign\" and "
           "\"crl sign\"; a \"ca\" section in the request counts with -initca only.\n\n"
           "-batch takes a list of requests in one JSON file, each with \"name\" and \"profile\" "
           "beside the usual keys, and prints one line {\"cert\", \"csr\", \"key\", \"name\"} for "
           "each.",
       .flags = {"initca", "renewca", "ca", "ca-key", "config", "profile", "hostname", "cn",
                 "clamp", "batch", "remote", "db-config"},
       .arguments = "CSRJSON",
       .arguments_help = kRequestHelp,
       .examples = {{"A root", "cfssl gencert -initca root.json | cfssljson -bare root"},
                    {"A CA below it",
                     "cfssl gencert -ca root.pem -ca-key root-key.pem -config config.json "
                     "-profile intermediate ca.json | cfssljson -bare ca"},
                    {"A leaf",
                     "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json -profile "
                     "server server.json | cfssljson -bare server"},
                    {"A thousand",
                     "cfssl gencert -ca ca.pem -ca-key ca-key.pem -batch all.json > all.jsonl"},
                    {"The CA again before it ends",
                     "cfssl gencert -renewca -ca ca.pem -ca-key ca-key.pem | cfssljson -bare ca"}}},
      &GenerateCertificate);
}

Command SignCommand() {
  return MakeCommand(
      {.name = "sign",
       .summary = "sign a certificate request with a CA",
       .details =
           "Prints {\"cert\", \"csr\"}. What SUBJECT has, a JSON file with CN and names, takes "
           "the place of the same in the request's subject; -hostname that of its names.",
       .flags = {"ca", "ca-key", "config", "profile", "hostname", "csr", "clamp", "remote",
                 "db-config"},
       .arguments = "CSR",
       .arguments_help = "the request (PEM or DER), and perhaps SUBJECT behind it",
       .examples = {{"Sign server.csr",
                     "cfssl sign -ca ca.pem -ca-key ca-key.pem -config "
                     "config.json server.csr | cfssljson -bare server"}}},
      &Sign);
}

Command SelfsignCommand() {
  return MakeCommand({.name = "selfsign",
                      .summary = "make a key and a certificate that it signs itself, for tests",
                      .flags = {"config", "profile", "hostname", "cn"},
                      .arguments = "HOSTNAME",
                      .arguments_help = "a host that goes into the certificate, then CSRJSON",
                      .examples = {{"For localhost",
                                    "cfssl selfsign localhost csr.json | cfssljson "
                                    "-bare local"}}},
                     &SelfSignCommand);
}

Command GencsrCommand() {
  return MakeCommand(
      {.name = "gencsr",
       .summary = "make a certificate request for a key that there is",
       .flags = {"key", "cert", "hostname", "cn"},
       .arguments = "CSRJSON",
       .arguments_help = "the request in JSON, unless -cert gives a certificate to ask for again",
       .examples = {{"Ask for the same certificate again",
                     "cfssl gencsr -key tls-key.pem -cert tls.pem | cfssljson -bare tls"}}},
      &GenerateRequest);
}

Command CertinfoCommand() {
  return MakeCommand({.name = "certinfo",
                      .summary = "show a certificate or request as JSON",
                      .flags = {"cert", "csr", "domain", "serial", "aki", "db-config"},
                      .examples = {{"When does it end?",
                                    "cfssl certinfo -cert tls.pem | jq -r "
                                    ".not_after"}}},
                     &CertificateInfo);
}

Command BundleCommand() {
  return MakeCommand(
      {.name = "bundle",
       .summary = "find the chain from a certificate to a root",
       .details = "Without -ca-bundle the machine's roots count. Nothing is fetched: intermediates "
                  "come from -int-bundle and from the file of the certificate.",
       .flags = {"cert", "key", "ca-bundle", "int-bundle", "flavor", "domain"},
       .examples = {{"The chain of server.pem",
                     "cfssl bundle -cert server.pem -ca-bundle root.pem "
                     "-int-bundle ca.pem"}}},
      &Bundle);
}

Command PrintDefaultsCommand() {
  return MakeCommand({.name = "print-defaults",
                      .summary = "print a request or a signing configuration to start from",
                      .arguments = "TYPE",
                      .arguments_help = "list, config or csr",
                      .examples = {{"A request to edit", "cfssl print-defaults csr > csr.json"}}},
                     &PrintDefaults);
}

Command GencrlCommand() {
  return MakeCommand(
      {.name = "gencrl",
       .summary = "make a certificate revocation list",
       .details = "Prints base64 of DER on one line. INPUTFILE has a serial number in decimal on "
                  "each line; TIME is the number of seconds until the next list, a week otherwise.",
       .arguments = "INPUTFILE",
       .arguments_help = "serial numbers, then CERT, KEY and perhaps TIME",
       .examples = {{"A list for an hour",
                     "cfssl gencrl serials.txt ca.pem ca-key.pem 3600 | base64 -d > ca.crl"}}},
      &GenerateCrl);
}

Command CrlCommand() {
  return MakeCommand({.name = "crl",
                      .summary = "not supported: reads a certificate database; see gencrl",
                      .flags = {"db-config", "ca", "ca-key"},
                      .examples = {{"A list of what is revoked, without a database",
                                    "cfssl gencrl serials.txt ca.pem ca-key.pem"}}},
                     &DatabaseCrl);
}

Command InfoCommand() {
  return MakeCommand({.name = "info",
                      .summary = "print what a profile of a signing configuration allows",
                      .flags = {"config", "profile", "ca", "remote"},
                      .examples = {{"What may peers do?",
                                    "cfssl info -config config.json -profile "
                                    "peer"}}},
                     &SignerInfo);
}

Command VersionOfCfssl() {
  return MakeCommand({.name = "version", .summary = "print the version"}, &PrintVersion);
}

// What cfssl has and we have not, with what to do in its place.
struct RefusedCommand {
  std::string_view name;
  std::string_view advice;
};
constexpr RefusedCommand kRefused[] = {
    {"serve",
     "there is no signing server here: csr-signer signs in a cluster, sign and gencert do "
     "it by hand"},
    {"scan", "calicert inspect HOST:443 shows what a server presents"},
    {"revoke",
     "there is no certificate database here: write the serial number into a file and use "
     "gencrl"},
    {"ocspsign", "there is no OCSP here: use a revocation list, gencrl"},
    {"ocspserve", "there is no OCSP here: use a revocation list, gencrl"},
    {"ocspdump", "there is no OCSP here: use a revocation list, gencrl"},
    {"ocsprefresh", "there is no OCSP here: use a revocation list, gencrl"},
};

}  // namespace

std::vector<Command> CfsslCommands() {
  return {GenkeyCommand(), GencertCommand(),  SignCommand(),   SelfsignCommand(),
          GencsrCommand(), CertinfoCommand(), BundleCommand(), PrintDefaultsCommand(),
          GencrlCommand(), CrlCommand(),      InfoCommand(),   VersionOfCfssl()};
}

int RunCfssl(int argc, const char* const* argv, Terminal& terminal) {
  const std::vector<Command> table = CfsslCommands();
  if (argc < 2) {
    terminal.err << "No command is given.\n" << ProgramHelp("cfssl", table);
    return kExitFailed;
  }
  const std::string_view name = argv[1];
  for (const RefusedCommand& refused : kRefused) {
    if (refused.name != name) continue;
    terminal.err << "cfssl " << name << " is not supported: " << refused.advice << ".\n";
    return kExitFailed;
  }
  const int code = RunProgram("cfssl", table, argc, argv, terminal);
  if (FindCommand(table, name) != nullptr || code == kExitOk) return code;
  return kExitFailed;
}

}  // namespace calico::calicert::cfssl
