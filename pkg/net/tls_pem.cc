#include "pkg/net/tls_pem.h"

#include <algorithm>
#include <climits>

#include <absl/status/status.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "pkg/openssl/error.h"

namespace calico::net {
namespace {

int NoPassword(char*, int, int, void*) { return -1; }  // never asks on the terminal

}  // namespace

absl::StatusOr<std::vector<openssl::X509Ptr>> ReadCertificates(const std::string& pem,
                                                               std::string_view what) {
  const auto bad = [what](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("load {}: {}", what, cause));
  };
  std::vector<openssl::X509Ptr> out;
  const openssl::BioPtr bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<size_t>(pem.size(), INT_MAX))));
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    out.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl::TakeReason();
  if (!at_end) return bad(reason);
  if (out.empty()) return bad("no certificate in the PEM text");
  return out;
}

}  // namespace calico::net
