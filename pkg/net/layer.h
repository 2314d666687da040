// Layer: one step between bytes on a socket and bytes of a caller, without waiting. TLS over TCP,
// and TLS over a TLS proxy over TCP, are stacks of layers; the Connection waits for its one socket
// whenever the top layer says so.
#ifndef CALICO_PKG_NET_LAYER_H_
#define CALICO_PKG_NET_LAYER_H_

#include <cstddef>
#include <string>

#include <absl/status/status.h>

namespace calico::net {

enum class Io {
  kDone,       // something was read or written
  kEnd,        // the peer has closed its side in an orderly way
  kWantRead,   // call again when the socket is readable
  kWantWrite,  // call again when the socket is writable
  kFailed,     // see `error`; the layer is of no more use
};

class Layer {
 public:
  virtual ~Layer() = default;
  // Reads 1 to `size` bytes.
  virtual Io Read(char* buffer, size_t size, size_t& got, absl::Status& error) = 0;
  // Writes 1 to `size` bytes. After kWant*: call again with the same bytes, at any address.
  virtual Io Write(const char* data, size_t size, size_t& put, absl::Status& error) = 0;
  // Agrees with the peer on how to go on. kDone when that is complete.
  virtual Io Handshake(absl::Status& error) { return Io::kDone; }
  // Tells the peer, if that needs no waiting, that nothing more comes.
  virtual void SayGoodbye() {}
  // The verified certificate of the peer, or empty.
  virtual std::string PeerCertificatePem() const { return ""; }
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_LAYER_H_
