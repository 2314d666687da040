// calicert inspect.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/certificates/describe.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "pkg/pki/lint/certificate_facts.h"
#include "pkg/pki/pem.h"

namespace calico::calicert {
namespace {

constexpr std::string_view kDetails =
    "A source is a file, \"-\" for standard input, https://HOST[:PORT] or HOST:PORT. Files may be "
    "PEM, DER, PKCS#7 or PKCS#12. Of a source with several certificates the first is shown, which "
    "is the leaf of a chain; --bundle shows them all. A TLS server's certificates are shown "
    "whoever issued them: calicert verify judges them.";

struct InspectOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  std::string output;
  bool is_short = false;
  bool bundle = false;
  bool full = false;
};

// Prints sources one after the other, in one format.
class Inspector {
 public:
  Inspector(const InspectOptions& options, Terminal& terminal)
      : options_(options), terminal_(terminal), format_(ParseOutputFormat(options.output)) {}

  int Run() {
    int code = kExitOk;
    for (const std::string& name : options_.sources) {
      const absl::StatusOr<Material> material =
          ReadSource(terminal_, name, options_.source, KeyReading::kSkip);
      const absl::Status status = material.ok() ? Add(*material) : material.status();
      if (!status.ok()) code = Fail(terminal_, status);
    }
    if (format_ == OutputFormat::kJson || format_ == OutputFormat::kYaml) {
      terminal_.out << Document(std::move(documents_), format_);
    } else if (!table_.empty()) {
      terminal_.out << table_.Text(format_, !options_.is_short);
    }
    return code;
  }

 private:
  absl::Status Add(const Material& material) {
    const size_t count = material.certificates.size();
    if (count + material.requests.size() == 0) {
      return absl::InvalidArgumentError(
          fmt::format("{}: no certificate in it, but {}{}", material.origin, ContentsText(material),
                      material.skipped_keys > 0 ? ": calicert key inspect shows it" : ""));
    }
    const size_t shown = options_.bundle ? count : std::min<size_t>(count, 1);
    for (size_t i = 0; i < shown; ++i) {
      const std::string origin =
          count > 1 ? fmt::format("{}, {} of {}", material.origin, i + 1, count) : material.origin;
      AddOne(origin, material.certificates[i]);
    }
    for (const pki::CertificateRequest& request : material.requests) {
      AddRequest(material.origin, request);
    }
    AddNotes(material, count - shown);
    return absl::OkStatus();
  }

  void AddNotes(const Material& material, size_t hidden) {
    if (hidden > 0) {
      Note(terminal_, fmt::format("{}: {} more certificate{}, --bundle shows them all",
                                  material.origin, hidden, hidden == 1 ? "" : "s"));
    }
    for (const std::string& note : material.notes) {
      Note(terminal_, fmt::format("{}: {}, which is not looked at", material.origin, note));
    }
  }

  void AddOne(const std::string& origin, const pki::Certificate& certificate) {
    const absl::Time now = terminal_.clock.Now();
    if (format_ == OutputFormat::kJson || format_ == OutputFormat::kYaml) {
      AddDocument(origin, Describe(certificate, now));
    } else if (format_ == OutputFormat::kPem) {
      terminal_.out << certificate.pem();
    } else if (options_.is_short || format_ != OutputFormat::kText) {
      AddCertificate(table_, origin, certificate, now);
    } else {
      terminal_.out << Printable(origin) << ":\n"
                    << (options_.full ? pki::CertificateText(certificate)
                                      : Paragraph(certificate, now));
    }
  }

  void AddRequest(const std::string& origin, const pki::CertificateRequest& request) {
    if (format_ == OutputFormat::kJson || format_ == OutputFormat::kYaml) {
      AddDocument(origin, Describe(request));
    } else if (format_ == OutputFormat::kPem) {
      terminal_.out << pki::EncodePem("CERTIFICATE REQUEST", request.der());
    } else if (options_.is_short || format_ != OutputFormat::kText) {
      table_.AddRow(
          {origin, request.subject_text(), "(request)", "", "",
           NamesText(request.dns_names(), request.ip_addresses(), request.emails(), request.uris()),
           request.public_key().Description(), ""});
    } else {
      terminal_.out << Printable(origin) << ": a certificate request\n" << Paragraph(request);
    }
  }

  void AddDocument(const std::string& origin, json::object object) {
    json::object document;
    document["source"] = origin;
    for (auto& member : object) document[member.key()] = std::move(member.value());
    documents_.push_back(std::move(document));
  }

  const InspectOptions& options_;
  Terminal& terminal_;
  const OutputFormat format_;
  Table table_ = CertificateTable();
  json::array documents_;
};

}  // namespace

Command InspectCommand(const DeclareCluster& cluster) {
  return {.path = "inspect",
          .summary = "show certificates and requests: what they are, what for, until when",
          .details = std::string(kDetails),
          .declare = [cluster](config::Flags& flags) -> Run {
            auto options = std::make_shared<InspectOptions>();
            flags.Arguments({.name = "FILE", .help = "sources, see above", .minimum = 1},
                            &options->sources);
            AddOutputFlag(flags,
                          {OutputFormat::kText, OutputFormat::kTable, OutputFormat::kWide,
                           OutputFormat::kJson, OutputFormat::kYaml, OutputFormat::kPem},
                          &options->output);
            flags.Switch({.name = "short", .help = "one line each, no titles"}, &options->is_short);
            flags.Switch({.name = "bundle", .help = "all certificates of a source"},
                         &options->bundle);
            flags.Switch({.name = "full", .help = "every field, as openssl x509 -text prints it"},
                         &options->full);
            AddSourceFlags(flags, cluster, &options->source);
            flags.Example("A file", "calicert inspect tls.crt");
            flags.Example("What a server shows, the whole chain",
                          "calicert inspect --bundle https://example.com");
            flags.Example("For a script", "calicert inspect -o json tls.crt | jq '.[0].notAfter'");
            return [options](Terminal& terminal) { return Inspector(*options, terminal).Run(); };
          }};
}

}  // namespace calico::calicert
