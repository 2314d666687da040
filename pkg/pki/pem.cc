#include "pkg/pki/pem.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/internal/pem_scan.h"

namespace calico::pki {
namespace {

constexpr size_t kLineLength = 64;

absl::StatusOr<std::string> Decode(const internal::RawPemBlock& raw, size_t number,
                                   size_t max_block_bytes) {
  const absl::Status too_large = absl::ResourceExhaustedError(
      fmt::format("parse PEM block {}: larger than {} bytes", number, max_block_bytes));
  if (base::Base64Bound(raw.body.size()) > 2 * max_block_bytes + 8) return too_large;
  absl::StatusOr<std::string> der = base::Base64Decode(raw.body, base::Base64::kPem);
  if (!der.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("parse PEM block {}: the body is not base64", number));
  }
  if (der->size() > max_block_bytes) return too_large;
  return der;
}

}  // namespace

bool PemText::IsClean() const {
  return !text_after && std::none_of(blocks.begin(), blocks.end(),
                                     [](const PemBlock& block) { return block.text_before; });
}

absl::StatusOr<PemText> ParsePem(std::string_view text, const PemLimits& limits) {
  CALICO_ASSIGN_OR_RETURN(const internal::RawPem raw,
                          internal::ScanPem(text, limits.max_text_bytes, limits.max_blocks));
  PemText pem;
  pem.text_after = raw.text_after;
  pem.blocks.reserve(raw.blocks.size());
  for (const internal::RawPemBlock& block : raw.blocks) {
    CALICO_ASSIGN_OR_RETURN(std::string der,
                            Decode(block, pem.blocks.size() + 1, limits.max_block_bytes));
    pem.blocks.push_back({.label = std::string(block.label),
                          .headers = std::string(block.headers),
                          .der = std::move(der),
                          .text_before = block.text_before});
  }
  return pem;
}

absl::StatusOr<std::string> ParseSinglePem(std::string_view text, std::string_view label,
                                           const PemLimits& limits) {
  const auto error = [label](std::string_view cause) {
    return absl::InvalidArgumentError(fmt::format("parse PEM {}: {}", label, cause));
  };
  CALICO_ASSIGN_OR_RETURN(PemText pem, ParsePem(text, limits));
  if (pem.blocks.empty()) return error(pem.text_after ? "no PEM block in the text" : "empty");
  if (pem.blocks.size() > 1) return error(fmt::format("{} blocks, not one", pem.blocks.size()));
  PemBlock& block = pem.blocks.front();
  if (block.label != label) return error(fmt::format("the block is labelled {:?}", block.label));
  if (!block.headers.empty()) return error("the block has headers");
  if (!pem.IsClean()) return error("text around the block");
  return std::move(block.der);
}

std::string EncodePem(std::string_view label, std::string_view der) {
  std::string pem = fmt::format("-----BEGIN {}-----\n", label);
  const std::string body = base::Base64Encode(der);
  for (size_t at = 0; at < body.size(); at += kLineLength) {
    pem.append(body, at, kLineLength);
    pem += '\n';
  }
  pem += fmt::format("-----END {}-----\n", label);
  return pem;
}

}  // namespace calico::pki
