// TLS of a server whose clients show no certificate, for the stand-in of Calico's API server.
#ifndef CALICO_OPERATOR_STANDIN_TLS_SERVER_H_
#define CALICO_OPERATOR_STANDIN_TLS_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/standin/socket.h"

namespace calico::standin {

// The files as they were when it was made. Threading: Answer may be called from many threads.
class TlsServer {
 public:
  // Errors: kInvalidArgument naming the file that is missing or unreadable.
  static absl::StatusOr<std::unique_ptr<TlsServer>> Load(const std::string& certificate,
                                                         const std::string& key);
  virtual ~TlsServer() = default;
  // One request of HTTP/1.1 without a body: `respond` gets its first line and gives the answer.
  virtual void Answer(Socket socket,
                      const std::function<std::string(std::string_view)>& respond) = 0;
};

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_TLS_SERVER_H_
