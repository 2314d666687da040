#include "pkg/pki/internal/der.h"

#include <optional>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::pki::internal {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxElements = 16'384;
constexpr uint8_t kConstructed = 0x20;
constexpr uint8_t kClass = 0xc0;
constexpr uint8_t kNumber = 0x1f;

// Universal numbers, X.680 8.4.
enum Universal : uint8_t {
  kBoolean = 1,
  kInteger = 2,
  kBitString = 3,
  kOctetString = 4,
  kNull = 5,
  kObjectIdentifier = 6,
  kEnumerated = 10,
  kUtf8String = 12,
  kSequence = 16,
  kSet = 17,
  kFirstString = 18,  // NumericString to BMPString, times included
  kLastString = 30,
};

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

std::string_view BooleanFault(std::string_view content, FalseBoolean false_boolean) {
  if (content.size() != 1) return "a BOOLEAN that is not one byte";
  const uint8_t value = ByteAt(content, 0);
  if (value != 0 && value != 0xff) return "a BOOLEAN that is neither 00 nor ff";
  if (value == 0 && false_boolean == FalseBoolean::kRefused) {
    return "a FALSE that is the default and must be left out";
  }
  return {};
}

std::string_view IntegerFault(std::string_view content) {
  if (content.empty()) return "an INTEGER without a byte";
  if (content.size() == 1) return {};
  const uint8_t first = ByteAt(content, 0);
  const bool next_is_high = (ByteAt(content, 1) & 0x80) != 0;
  if ((first == 0 && !next_is_high) || (first == 0xff && next_is_high)) {
    return "an INTEGER that is not as short as it can be";
  }
  return {};
}

std::string_view BitStringFault(std::string_view content) {
  if (content.empty()) return "a BIT STRING without a byte";
  const uint8_t unused = ByteAt(content, 0);
  if (unused > 7 || (unused > 0 && content.size() == 1)) {
    return "a BIT STRING with more unused bits than it has";
  }
  if ((ByteAt(content, content.size() - 1) & ((1U << unused) - 1)) != 0 && content.size() > 1) {
    return "a BIT STRING with an unused bit that is set";
  }
  return {};
}

std::string_view ObjectIdentifierFault(std::string_view content) {
  if (content.empty() || (ByteAt(content, content.size() - 1) & 0x80) != 0) {
    return "an OBJECT IDENTIFIER that is cut off";
  }
  bool starts = true;
  for (size_t i = 0; i < content.size(); ++i) {
    if (starts && ByteAt(content, i) == 0x80) {
      return "an OBJECT IDENTIFIER that is not as short as it can be";
    }
    starts = (ByteAt(content, i) & 0x80) == 0;
  }
  return {};
}

// What is wrong with a primitive value of a universal type; empty if nothing is.
std::string_view UniversalFault(uint8_t number, std::string_view content,
                                FalseBoolean false_boolean) {
  switch (number) {
    case kBoolean:
      return BooleanFault(content, false_boolean);
    case kInteger:
    case kEnumerated:
      return IntegerFault(content);
    case kBitString:
      return BitStringFault(content);
    case kNull:
      return content.empty() ? std::string_view() : "a NULL that is not empty";
    case kObjectIdentifier:
      return ObjectIdentifierFault(content);
    case kOctetString:
    case kUtf8String:
      return {};
    default:
      return number >= kFirstString && number <= kLastString ? std::string_view()
                                                             : "a type that has no place here";
  }
}

// Takes one element's header apart. `fault` says what is wrong, if nothing is returned.
std::optional<DerElement> ReadElement(std::string_view in, std::string_view& fault) {
  const auto refuse = [&fault](std::string_view cause) {
    fault = cause;
    return std::nullopt;
  };
  if (in.size() < 2) return refuse("a header that is cut off");
  const uint8_t identifier = ByteAt(in, 0);
  // PKCS#10 and X.509 have no numbers from 31 on; one form less to get wrong.
  if ((identifier & kNumber) == kNumber) return refuse("a tag number above 30");
  if ((identifier & ~kConstructed) == 0) return refuse("an end-of-contents mark");
  size_t size = ByteAt(in, 1);
  size_t header = 2;
  if (size == 0x80) return refuse("an indefinite length");
  if (size > 0x80) {
    const size_t bytes = size - 0x80;
    if (bytes > 3) return refuse("a length of more than three bytes");
    if (in.size() < 2 + bytes) return refuse("a length that is cut off");
    size = 0;
    for (size_t i = 0; i < bytes; ++i) size = size << 8 | ByteAt(in, 2 + i);
    if (size < 0x80 || size >> (8 * (bytes - 1)) == 0) {
      return refuse("a length that is not as short as it can be");
    }
    header += bytes;
  }
  if (in.size() - header < size) return refuse("content that is cut off");
  return DerElement{identifier, in.substr(header, size), in.substr(0, header + size)};
}

class Walker {
 public:
  Walker(std::string_view der, FalseBoolean false_boolean)
      : der_(der), false_boolean_(false_boolean) {}

  // Every element of `content`, which is part of the whole.
  absl::Status WalkAll(std::string_view content, int depth) {
    if (depth > kMaxDepth) return Refuse(content, "more than 32 levels");
    while (!content.empty()) {
      if (++elements_ > kMaxElements) return Refuse(content, "more than 16384 elements");
      std::string_view fault;
      const std::optional<DerElement> element = ReadElement(content, fault);
      if (!element.has_value()) return Refuse(content, fault);
      CALICO_RETURN_IF_ERROR(Walk(*element, depth));
      content.remove_prefix(element->encoding.size());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Walk(const DerElement& element, int depth) {
    const bool constructed = (element.identifier & kConstructed) != 0;
    if ((element.identifier & kClass) == 0) {
      const uint8_t number = element.identifier & kNumber;
      const bool is_collection = number == kSequence || number == kSet;
      if (constructed != is_collection) {
        return Refuse(element.encoding, is_collection ? "a SEQUENCE or SET without its mark"
                                                      : "a value in several pieces");
      }
      if (!constructed) {
        const std::string_view fault = UniversalFault(number, element.content, false_boolean_);
        return fault.empty() ? absl::OkStatus() : Refuse(element.encoding, fault);
      }
    }
    if (!constructed) return absl::OkStatus();
    CALICO_RETURN_IF_ERROR(WalkAll(element.content, depth + 1));
    return element.identifier == (kSet | kConstructed) ? CheckSetOrder(element.content)
                                                       : absl::OkStatus();
  }

  absl::Status Refuse(std::string_view at, std::string_view fault) const {
    return absl::InvalidArgumentError(
        fmt::format("not DER: {} at byte {}", fault, at.data() - der_.data()));
  }

  std::string_view der_;
  FalseBoolean false_boolean_;
  int elements_ = 0;
};

}  // namespace

absl::Status CheckDer(std::string_view der, FalseBoolean false_boolean) {
  std::string_view fault;
  const std::optional<DerElement> outer = ReadElement(der, fault);
  if (!outer.has_value()) {
    return absl::InvalidArgumentError(fmt::format("not DER: {} at byte 0", fault));
  }
  if (outer->encoding.size() != der.size()) {
    return absl::InvalidArgumentError("not DER: bytes left over");
  }
  return Walker(der, false_boolean).WalkAll(der, 0);
}

absl::Status CheckSetOrder(std::string_view content) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<DerElement> elements, DerChildren(content));
  for (size_t i = 1; i < elements.size(); ++i) {
    // One element's encoding is never the beginning of another's, so this is X.690 11.6.
    if (elements[i].encoding < elements[i - 1].encoding) {
      return absl::InvalidArgumentError("not DER: a SET that is not in order");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNamedBits(std::string_view der) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<DerElement> elements, DerChildren(der));
  if (elements.size() != 1 || elements[0].content.empty()) {
    return absl::InvalidArgumentError("not DER: no BIT STRING");
  }
  const std::string_view content = elements[0].content;
  if (content.size() == 1 || (ByteAt(content, content.size() - 1) >> ByteAt(content, 0) & 1) != 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("not DER: a list of named bits that ends with zeros");
}

absl::StatusOr<std::vector<DerElement>> DerChildren(std::string_view content) {
  std::vector<DerElement> elements;
  while (!content.empty()) {
    std::string_view fault;
    const std::optional<DerElement> element = ReadElement(content, fault);
    if (!element.has_value()) return absl::InvalidArgumentError(fmt::format("not DER: {}", fault));
    elements.push_back(*element);
    content.remove_prefix(element->encoding.size());
  }
  return elements;
}

}  // namespace calico::pki::internal
