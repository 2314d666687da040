// One handshake with a TLS server, to tell what it presents and what it demands; for tools that
// people run. Nothing is trusted or verified here, and old versions of TLS and weak keys are taken,
// so that they can be looked at: what to think of it is the caller's, with what comes back. Never
// for talking to a server.
#ifndef CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_
#define CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/net/tls_identity.h"

namespace calico::net {

struct TlsSurveyOptions {
  std::string host;  // a name or an address
  uint16_t port = 0;
  std::string server_name;  // sent as SNI, unless it is an address; empty: `host`
  std::shared_ptr<const TlsIdentity> identity;  // shown when the server asks; null: nothing
  // Sent after the handshake, and an answer waited for: with TLS 1.3 a server judges the client
  // only then. Empty: nothing is sent.
  std::string request;
  absl::Duration timeout = absl::Seconds(5);
};

struct TlsSurvey {
  std::string peer;      // that answered: address:port
  std::string protocol;  // "TLSv1.3"
  // DER, in the order in which they were sent, at most 64; never empty.
  std::vector<std::string> certificates;
  bool asks_for_certificate = false;
  // Subjects of the CAs whose certificates it says it takes, at most 64; empty when it does not
  // say.
  std::vector<std::string> accepted_issuers;
  // How it went on once the server had shown its certificates: OK when the handshake ended well
  // and, where there was a request, an answer came. kUnauthenticated with the alert when it refused
  // us, for instance "tlsv13 alert certificate required"; kUnavailable when it went away;
  // kDeadlineExceeded.
  absl::Status after;
};

// Asks one address of the host after the other, until one shows a certificate.
// Errors: kInvalidArgument for a name of more than 255 bytes; and for the last address that was
// tried, beginning with "ask HOST:PORT": kUnavailable (no address, nobody listens),
// kUnauthenticated (no TLS there, or a refusal before it has shown its certificate),
// kDeadlineExceeded after `timeout` without a certificate, kCancelled. Whatever comes later is in
// `after`. Cancellation: total.
aio::Task<absl::StatusOr<TlsSurvey>> SurveyTls(TlsSurveyOptions options);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_
