// X.509 from strangers: PEM bundle or DER; what is read is then judged as a CA and verified against
// itself.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/base/check.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace calico::pki;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<Certificate> certificates;
  if (absl::StatusOr<Certificate> one = Certificate::ParseDer(bytes); one.ok()) {
    certificates.push_back(*std::move(one));
  }
  if (absl::StatusOr<std::vector<Certificate>> bundle =
          Certificate::ParsePemBundle(bytes, SurroundingText::kAllow);
      bundle.ok() && bundle->size() < 8) {
    certificates.insert(certificates.end(), bundle->begin(), bundle->end());
  }
  for (const Certificate& certificate : certificates) {
    if (certificate.public_key().bits() > 4096) return 0;  // only makes the search slow
    CALICO_CHECK(Certificate::ParsePem(certificate.pem()).ok());
  }
  if (certificates.empty()) return 0;
  const CaDemands demands{.usages = {{std::string(kOidServerAuth), "somebody"}},
                          .names = {"a"},
                          .has_ip_addresses = true,
                          .ip_addresses = certificates.front().ip_addresses()};
  CheckCaBundle(certificates, demands, certificates.front().not_before());
  ChooseCaChain(certificates, certificates.back().public_key(), certificates.back().not_after())
      .IgnoreError();
  const Certificate& leaf = certificates.front();
  for (const ExtendedKeyUsage purpose : {ExtendedKeyUsage::kAny, ExtendedKeyUsage::kServerAuth}) {
    VerifyChain(leaf, certificates, certificates, purpose, leaf.not_before()).IgnoreError();
    VerifyChain(leaf, certificates, {certificates.back()}, purpose, leaf.not_after()).IgnoreError();
  }
  leaf.public_key().CheckStrength().IgnoreError();
  return 0;
}
