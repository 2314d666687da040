// The line grammar of PEM without copies: pki/pem.h decodes blocks into strings with it, key.cc
// into memory that is wiped.
#ifndef CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_
#define CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace calico::pki::internal {

// Views into the scanned text.
struct RawPemBlock {
  std::string_view label;
  std::string_view headers;
  std::string_view body;  // base64 with its line breaks
  bool text_before = false;
};

struct RawPem {
  std::vector<RawPemBlock> blocks;
  bool text_after = false;
};

// Errors: as pki::ParsePem, except that bodies are not looked at.
absl::StatusOr<RawPem> ScanPem(std::string_view text, size_t max_text_bytes, size_t max_blocks);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_
