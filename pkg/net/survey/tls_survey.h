// One handshake with a TLS server, to tell what it presents and what it demands; for tools that
// people run. Nothing is trusted or verified here: that is the caller's, with what comes back.
//
// Where only its certificates matter ProbeServer (probe/tls_probe.h) is enough, and takes old
// versions of TLS as well.
#ifndef CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_
#define CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/net/tls_identity.h"

namespace calico::net {

struct TlsSurveyOptions {
  std::string host;  // a name or an address
  uint16_t port = 0;
  std::string server_name;  // sent as SNI; empty: `host`, unless it is an address
  std::shared_ptr<const TlsIdentity> identity;  // shown when the server asks; null: nothing
  // Sent after the handshake, and an answer waited for: with TLS 1.3 a server judges the client
  // only then. Empty: nothing is sent, and `after` says nothing.
  std::string request;
  absl::Duration timeout = absl::Seconds(5);
};

struct TlsSurvey {
  std::string peer;       // address:port
  std::string protocol;   // "TLSv1.3"
  std::string chain_pem;  // what the server presents, leaf first
  bool asks_for_certificate = false;
  // Subjects of the CAs whose certificates it says it takes; empty when it does not say.
  std::vector<std::string> accepted_issuers;
  // How it went on after the handshake: OK when the server answered. kUnauthenticated with the
  // alert when it refused us, for instance "tlsv13 alert certificate required".
  absl::Status after;
};

// Errors: kUnavailable naming host and cause (no such host, nobody listens, no answer in time);
// kUnauthenticated when the handshake failed before the server had shown its certificate, with the
// reason. What failed later is in `after`. Blocking, up to `timeout` and the time of a look-up.
absl::StatusOr<TlsSurvey> SurveyTls(const TlsSurveyOptions& options);

}  // namespace calico::net

#endif  // CALICO_PKG_NET_SURVEY_TLS_SURVEY_H_
