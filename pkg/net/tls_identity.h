// TlsIdentity: the certificate chain and key that one side of TLS shows, replaceable while
// connections run.
//
//   auto identity = TlsIdentity::Create(chain_pem, key_pem.view());
//   server_options.tls = {.identity = *identity};
//   ...
//   if (absl::Status s = (*identity)->Replace(new_chain_pem, new_key_pem.view()); !s.ok()) ...
//
// Every handshake that begins after Replace shows the new pair, on client and server alike;
// connections that are there keep what they have agreed on. A pair that cannot be used is refused,
// and the one before stays.
#ifndef CALICO_PKG_NET_TLS_IDENTITY_H_
#define CALICO_PKG_NET_TLS_IDENTITY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

struct ssl_st;  // OpenSSL's SSL

namespace calico::net {

// Threading: event loop thread only. The key is kept as the TLS library's own object, which clears
// it when it is freed; its PEM text is not kept.
class TlsIdentity {
 public:
  // `certificate_pem`: the leaf first, then intermediates. `key_pem`: the leaf's key.
  // Errors: kInvalidArgument when one cannot be read or is too weak, kFailedPrecondition when they
  // do not belong together. Messages never quote PEM.
  static absl::StatusOr<std::shared_ptr<TlsIdentity>> Create(std::string certificate_pem,
                                                             std::string_view key_pem);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // Puts another pair in place. Errors as Create; the pair before stays then.
  absl::Status Replace(std::string certificate_pem, std::string_view key_pem);

  // The chain as it was given.
  const std::string& certificate_pem() const;
  // How many pairs it has had: another number, another pair.
  uint64_t version() const { return version_; }

  // Has `ssl`, before its handshake, show the pair; for tls_stream only.
  void ShowOn(ssl_st* ssl) const;

 private:
  struct Pair;

  TlsIdentity();

  std::unique_ptr<const Pair> pair_;
  uint64_t version_ = 0;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TLS_IDENTITY_H_
