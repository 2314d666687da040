#include "pkg/openssl/init.h"

#include <openssl/crypto.h>

#include "pkg/base/check.h"

namespace calico::openssl {
namespace {

// 101 is the first priority that programs may use. Constructors of C++ objects come later, those of
// the sanitizers' run times before.
[[gnu::constructor(101)]] void InitializeBeforeMain() { Initialize(); }

}  // namespace

void Initialize() {
  static const bool is_ready = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1;
  CALICO_CHECK(is_ready);
}

}  // namespace calico::openssl
