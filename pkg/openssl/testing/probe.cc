// Uses OpenSSL in the order that PROBE_FIRST says, without a call of Initialize, and ends well if
// all of it works by our rules. For init_test, which sets the environment.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "pkg/net/tls_context.h"
#include "pkg/openssl/digest.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/key.h"

namespace calico::openssl {
namespace {

constexpr std::string_view kEmptyDigest =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string_view First() {
  const char* first = std::getenv("PROBE_FIRST");
  return first == nullptr ? "" : first;
}

bool DigestWorks() { return Sha256Hex("") == kEmptyDigest; }

bool KeyWorks() { return pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).ok(); }

bool TlsWorks() { return net::TlsContext::NewClient({.insecure_skip_verify = true}).ok(); }

// The library itself, as it would be used by a function that knows nothing of ours.
bool LibraryWorks() {
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  return context != nullptr && SSL_CTX_get_max_proto_version(context.get()) == 0 &&
         SSL_CTX_get_security_level(context.get()) > 0;
}

// Before main.
const bool global_works = First() != "global" || DigestWorks();

bool AllWorks() {
  if (First() == "key" && !KeyWorks()) return false;
  if (First() == "tls" && !TlsWorks()) return false;
  if (First() == "library" && !LibraryWorks()) return false;
  return global_works && DigestWorks() && KeyWorks() && TlsWorks() && LibraryWorks();
}

}  // namespace
}  // namespace calico::openssl

int main() {
  const bool works = calico::openssl::AllWorks();
  std::puts(works ? "all works" : "something does not work");
  return works ? 0 : 1;
}
