// PEM text (RFC 7468) to labelled blocks of bytes and back, with bounds, and with the text around
// the blocks reported, so that a caller can refuse garbage.
//
// Not for private keys: the bytes of a block are not wiped. PrivateKey::ParsePem is.
#ifndef CALICO_PKG_PKI_PEM_H_
#define CALICO_PKG_PKI_PEM_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace calico::pki {

struct PemLimits {
  size_t max_text_bytes = 4 << 20;     // the whole input
  size_t max_blocks = 1024;            // public root bundles hold about 150
  size_t max_block_bytes = 128 << 10;  // one decoded block
};

struct PemBlock {
  std::string label;    // between "-----BEGIN " and "-----"
  std::string headers;  // RFC 1421 lines such as "Proc-Type: 4,ENCRYPTED"; normally empty
  std::string der;
  // There is more than white space between the previous block (or the start) and this one.
  bool text_before = false;
};

struct PemText {
  std::vector<PemBlock> blocks;
  // There is more than white space after the last block, or in a text that has no block.
  bool text_after = false;

  // Neither text_after nor any block with text_before.
  bool IsClean() const;
};

// Splits `text` into its blocks. An empty text has no blocks and is no error.
// Errors: InvalidArgument for a block without its end line, with another label in its end line,
// with another BEGIN line inside, or with anything but base64 in its body; ResourceExhausted beyond
// `limits`. Messages name the block's number, never its content.
absl::StatusOr<PemText> ParsePem(std::string_view text, const PemLimits& limits = {});

// The only block of `text`, which must have that label, no headers and nothing but white space
// around it. Returns its bytes.
// Errors: as ParsePem; InvalidArgument naming what was found instead.
absl::StatusOr<std::string> ParseSinglePem(std::string_view text, std::string_view label,
                                           const PemLimits& limits = {});

// One block with lines of 64 characters and a final newline.
std::string EncodePem(std::string_view label, std::string_view der);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_PEM_H_
