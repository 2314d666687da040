#include "pkg/pki/ca/go_reading.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/go_extensions.h"
#include "pkg/pki/ca/go_text.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"

namespace calico::pki {
namespace {

using internal::ConstructedTag;
using internal::ContextTag;
using internal::DerReader;

constexpr std::string_view kRsa = "1.2.840.113549.1.1.1";
constexpr std::string_view kEcdsa = "1.2.840.10045.2.1";
constexpr std::string_view kEd25519 = "1.3.101.112";
constexpr std::string_view kNull("\x05\x00", 2);
constexpr int64_t kLargestExponent = (int64_t{1} << 31) - 1;
constexpr size_t kMaxExponentBytes = 4;

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(absl::string_view(cause.data(), cause.size()));
}

absl::Status NotDer(std::string_view what) {
  return Refuse(fmt::format("its {} is not DER: make it anew", what));
}

// The parts of a certificate in their order.
struct Parts {
  std::optional<std::string_view> version;  // content of the INTEGER
  std::string_view serial;
  std::string_view inner_algorithm;
  std::string_view outer_algorithm;
  std::string_view issuer;
  std::string_view validity;
  std::string_view subject;
  std::string_view public_key;
  std::optional<std::string_view> extensions;  // content of the list
};

bool SplitToBeSigned(std::string_view content, Parts& parts) {
  DerReader reader(content);
  if (reader.Sees(ConstructedTag(0))) {
    const auto version = reader.Take(ConstructedTag(0));
    parts.version =
        version.has_value() ? DerReader(*version).Take(internal::kDerInteger) : std::nullopt;
    if (!parts.version.has_value()) return false;
  }
  const auto serial = reader.Take(internal::kDerInteger);
  const auto algorithm = reader.Take(internal::kDerSequence);
  const auto issuer = reader.Take(internal::kDerSequence);
  const auto validity = reader.Take(internal::kDerSequence);
  const auto subject = reader.Take(internal::kDerSequence);
  const auto key = reader.Take(internal::kDerSequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !key) return false;
  parts.serial = *serial;
  parts.inner_algorithm = *algorithm;
  parts.issuer = *issuer;
  parts.validity = *validity;
  parts.subject = *subject;
  parts.public_key = *key;
  for (const uint8_t unique_id : {uint8_t{1}, uint8_t{2}}) {
    if (reader.Sees(ContextTag(unique_id)) && !reader.Take().has_value()) return false;
  }
  if (!reader.Sees(ConstructedTag(3))) return true;
  const auto wrapped = reader.Take(ConstructedTag(3));
  if (wrapped.has_value()) parts.extensions = DerReader(*wrapped).Take(internal::kDerSequence);
  return parts.extensions.has_value();
}

std::optional<Parts> Split(std::string_view der) {
  DerReader outer(der);
  const auto certificate = outer.Take(internal::kDerSequence);
  if (!certificate.has_value()) return std::nullopt;
  DerReader reader(*certificate);
  const auto to_be_signed = reader.Take(internal::kDerSequence);
  const auto algorithm = reader.Take(internal::kDerSequence);
  const auto signature = reader.Take(internal::kDerBitString);
  Parts parts;
  if (!to_be_signed || !algorithm || !signature || !SplitToBeSigned(*to_be_signed, parts)) {
    return std::nullopt;
  }
  parts.outer_algorithm = *algorithm;
  return parts;
}

absl::Status CheckVersion(const Parts& parts) {
  const std::string_view version = parts.version.value_or(std::string_view("\0", 1));
  if (version.size() != 1 || version[0] < 0 || version[0] > 2) {
    return Refuse("its version is none of 1 to 3: make it anew as version 3");
  }
  if (version[0] != 2 && parts.extensions.has_value()) {
    return Refuse(
        fmt::format("it has extensions but says version {}, so they do not count: make "
                    "it anew as version 3",
                    version[0] + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckSerial(std::string_view serial) {
  if (!internal::IsShortestInteger(serial)) return NotDer("serial number");
  if (!internal::IsNegative(serial)) return absl::OkStatus();
  return Refuse("its serial number is negative: make it anew with a positive one");
}

std::string OidText(std::string_view whole) {
  const unsigned char* in = internal::ToBytes(whole);
  ASN1_OBJECT* object = d2i_ASN1_OBJECT(nullptr, &in, static_cast<long>(whole.size()));
  if (object == nullptr) return "";
  std::string text = internal::OidOf(object);
  ASN1_OBJECT_free(object);
  return text;
}

// "commonName", or the dotted identifier.
std::string AttributeName(std::string_view whole_oid) {
  std::string oid = OidText(whole_oid);
  const int nid = OBJ_txt2nid(oid.c_str());
  return nid == NID_undef ? oid : std::string(OBJ_nid2ln(nid));
}

absl::Status CheckAttribute(std::string_view content, std::string_view owner) {
  DerReader reader(content);
  const std::optional<DerReader::Element> type = reader.Take();
  const std::optional<DerReader::Element> value = reader.Take();
  if (!type.has_value() || type->tag != internal::kDerObjectId ||
      !internal::IsObjectId(type->content) || !value.has_value()) {
    return Refuse(fmt::format("an attribute of its {} is malformed: make it anew", owner));
  }
  if (const auto fault = internal::GoTextFault(value->tag, value->content)) {
    return Refuse(fmt::format("the {} of its {} is {}: make it anew with a UTF8String",
                              AttributeName(type->whole), owner, *fault));
  }
  return absl::OkStatus();
}

absl::Status CheckName(std::string_view name, std::string_view owner) {
  DerReader parts(name);
  while (!parts.empty()) {
    const auto set = parts.Take(internal::kDerSet);
    if (!set.has_value()) return NotDer(owner);
    DerReader attributes(*set);
    while (!attributes.empty()) {
      const auto attribute = attributes.Take(internal::kDerSequence);
      if (!attribute.has_value()) return NotDer(owner);
      CALICO_RETURN_IF_ERROR(CheckAttribute(*attribute, owner));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckValidity(std::string_view validity) {
  DerReader reader(validity);
  for (const std::string_view which : {"beginning", "end"}) {
    const std::optional<DerReader::Element> time = reader.Take();
    if (!time.has_value() || !internal::IsGoTime(time->tag, time->content)) {
      return Refuse(
          fmt::format("the time of its {} is not written as RFC 5280 wants it "
                      "(YYMMDDhhmmssZ or YYYYMMDDhhmmssZ): make it anew",
                      which));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRsa(std::string_view key, std::string_view parameters) {
  if (parameters != kNull) {
    return Refuse("its RSA key lacks the NULL parameters of RFC 3279: make it anew");
  }
  DerReader reader(key);
  const auto numbers = reader.Take(internal::kDerSequence);
  if (!numbers.has_value()) return NotDer("RSA key");
  DerReader pair(*numbers);
  const auto modulus = pair.Take(internal::kDerInteger);
  const auto exponent = pair.Take(internal::kDerInteger);
  if (!modulus || !exponent || !internal::IsShortestInteger(*modulus) ||
      !internal::IsShortestInteger(*exponent)) {
    return NotDer("RSA key");
  }
  if (internal::IsNegative(*modulus) || internal::IsNegative(*exponent)) {
    return Refuse("a number of its RSA key is negative: make it anew");
  }
  int64_t value = 0;
  if (exponent->size() <= kMaxExponentBytes) {
    for (const char byte : *exponent) value = value << 8 | static_cast<uint8_t>(byte);
  }
  if (value == 0 || value > kLargestExponent) {
    return Refuse("the public exponent of its RSA key is not below 2^31: make a key with 65537");
  }
  return absl::OkStatus();
}

absl::Status CheckPublicKey(std::string_view info) {
  DerReader reader(info);
  const auto algorithm = reader.Take(internal::kDerSequence);
  const auto bits = reader.Take(internal::kDerBitString);
  if (!algorithm || !bits || bits->empty()) return NotDer("public key");
  DerReader identifier(*algorithm);
  const std::optional<DerReader::Element> oid = identifier.Take();
  if (!oid.has_value() || oid->tag != internal::kDerObjectId ||
      !internal::IsObjectId(oid->content)) {
    return NotDer("public key's algorithm");
  }
  std::string_view parameters;
  if (!identifier.empty()) {
    const std::optional<DerReader::Element> element = identifier.Take();
    if (!element.has_value()) return NotDer("public key's algorithm");
    parameters = element->whole;
  }
  const std::string_view key = bits->substr(1);
  const std::string type = OidText(oid->whole);
  if (type == kRsa) return CheckRsa(key, parameters);
  if (type == kEd25519 && !parameters.empty()) {
    return Refuse("its Ed25519 key has parameters, which RFC 8410 forbids: make it anew");
  }
  if (type != kEcdsa) return absl::OkStatus();
  if (!DerReader(parameters).Sees(internal::kDerObjectId)) {
    return Refuse(
        "its key spells out the curve instead of naming it: make a key on P-256, P-384 "
        "or P-521 by name");
  }
  if (key.empty() || key.front() != '\x04') {
    return Refuse(
        "the point of its ECDSA key is compressed: make it anew with an uncompressed one");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGoReads(const Certificate& certificate) {
  const std::optional<Parts> parts = Split(certificate.der());
  if (!parts.has_value()) return NotDer("encoding");
  CALICO_RETURN_IF_ERROR(CheckVersion(*parts));
  CALICO_RETURN_IF_ERROR(CheckSerial(parts->serial));
  if (parts->inner_algorithm != parts->outer_algorithm) {
    return Refuse("its two signature algorithms differ: make it anew");
  }
  CALICO_RETURN_IF_ERROR(CheckName(parts->issuer, "issuer"));
  CALICO_RETURN_IF_ERROR(CheckValidity(parts->validity));
  CALICO_RETURN_IF_ERROR(CheckName(parts->subject, "subject"));
  CALICO_RETURN_IF_ERROR(CheckPublicKey(parts->public_key));
  return parts->extensions.has_value() ? internal::CheckGoExtensions(*parts->extensions)
                                       : absl::OkStatus();
}

}  // namespace calico::pki
