// Walks DER element by element, as strict as Go's cryptobyte: one-byte tags, definite and shortest
// lengths. OpenSSL takes BER in many places, so what Go refuses must be looked at in the bytes.
// What Go does not look at is not looked at; der.h judges all of a value.
#ifndef CALICO_PKG_PKI_INTERNAL_DER_READER_H_
#define CALICO_PKG_PKI_INTERNAL_DER_READER_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace calico::pki::internal {

enum DerTag : uint8_t {
  kDerBoolean = 0x01,
  kDerInteger = 0x02,
  kDerBitString = 0x03,
  kDerOctetString = 0x04,
  kDerObjectId = 0x06,
  kDerUtf8String = 0x0c,
  kDerNumericString = 0x12,
  kDerPrintableString = 0x13,
  kDerT61String = 0x14,
  kDerIa5String = 0x16,
  kDerUtcTime = 0x17,
  kDerGeneralizedTime = 0x18,
  kDerBmpString = 0x1e,
  kDerSequence = 0x30,
  kDerSet = 0x31,
};

// The tag [number] of a context, primitive or constructed.
constexpr uint8_t ContextTag(uint8_t number) { return static_cast<uint8_t>(0x80 | number); }
constexpr uint8_t ConstructedTag(uint8_t number) { return static_cast<uint8_t>(0xa0 | number); }

// Lifetime: the bytes outlive the reader and what it returns.
class DerReader {
 public:
  struct Element {
    uint8_t tag = 0;
    std::string_view content;
    std::string_view whole;  // with tag and length
  };

  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  // The next element has this tag.
  bool Sees(uint8_t tag) const {
    return !rest_.empty() && static_cast<uint8_t>(rest_.front()) == tag;
  }
  // The next element; nothing when there is none, or when it is not DER. Stays where it is then.
  std::optional<Element> Take();
  // The content of the next element, which must have this tag.
  std::optional<std::string_view> Take(uint8_t tag);

 private:
  std::string_view rest_;
};

// An INTEGER's content in the fewest octets.
bool IsShortestInteger(std::string_view content);
inline bool IsNegative(std::string_view integer) {
  return !integer.empty() && (static_cast<uint8_t>(integer.front()) & 0x80) != 0;
}

// An OBJECT IDENTIFIER's content as Go's asn1 reads it: fewest octets, no arc of 2^31 or more.
bool IsObjectId(std::string_view content);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_DER_READER_H_
