#include "operator/validation/ca_pem.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/pki/pem.h"

namespace calico::validation {
namespace {

constexpr std::string_view kLabel = "CERTIFICATE";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr std::string_view kLittleEndianMark = "\xff\xfe";
constexpr std::string_view kBigEndianMark = "\xfe\xff";
// signedData, as an OBJECT IDENTIFIER.
constexpr std::string_view kSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
constexpr std::string_view kSpace = " \t\r\n";
// A line of base64 that is as long as this is no word.
constexpr size_t kBodyLine = 40;
constexpr size_t kLettersPerSlash = 16;
constexpr size_t kQuoted = 40;

// Not quoted, whatever it is.
std::string PrivateKeyProblem(CaPlace place) {
  if (place == CaPlace::kFile) {
    return "is a private key: remove it, the key has a file of its own";
  }
  return "is a private key: remove it, and replace that CA, because whoever can read this object "
         "knows its key now";
}

// What to do with a file of another form; `command` reads it and writes PEM.
std::string Remedy(std::string_view command, CaPlace place) {
  if (place == CaPlace::kFile) {
    return fmt::format("put the output of `{}` there, with this file as FILE", command);
  }
  return fmt::format(
      "put the output of `{} | base64 -w0` there, with the file that you have encoded as FILE",
      command);
}

enum class DerKind { kNone, kCertificate, kSeveral, kPkcs7, kPkcs12, kPrivateKey, kOther };

// Content and whole length of the outer element, by its header alone; BER's open length included.
struct Outer {
  std::string_view content;
  size_t size = 0;
};
std::optional<Outer> OuterOf(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != '\x30') return std::nullopt;
  const auto first = static_cast<uint8_t>(bytes[1]);
  if (first < 0x80) return Outer{bytes.substr(2), 2 + size_t{first}};
  const size_t count = first & 0x7fU;
  if (count > 4 || bytes.size() < 2 + count) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) length = length << 8U | static_cast<uint8_t>(bytes[2 + i]);
  return Outer{bytes.substr(2 + count), count == 0 ? bytes.size() : 2 + count + length};
}

DerKind KindOf(std::string_view bytes) {
  const std::optional<Outer> outer = OuterOf(bytes);
  if (!outer.has_value() || outer->size > bytes.size()) return DerKind::kNone;
  if (outer->content.starts_with(kSignedData)) return DerKind::kPkcs7;
  if (outer->content.starts_with("\x02\x01\x03")) return DerKind::kPkcs12;
  if (outer->content.starts_with(std::string_view("\x02\x01\x00", 3)) ||
      outer->content.starts_with("\x02\x01\x01")) {
    return DerKind::kPrivateKey;
  }
  if (!pki::Certificate::ParseDer(bytes.substr(0, outer->size)).ok()) return DerKind::kOther;
  const std::string_view rest = bytes.substr(outer->size);
  return rest.find_first_not_of(kSpace) == std::string_view::npos ? DerKind::kCertificate
                                                                  : DerKind::kSeveral;
}

// What to say of DER; `source` is the beginning of a command that writes it, or empty when FILE is.
std::string DerProblem(DerKind kind, std::string_view source, CaPlace place) {
  const auto command = [source](std::string_view openssl) {
    return source.empty() ? fmt::format("{} -in FILE", openssl)
                          : fmt::format("{} | {}", source, openssl);
  };
  const std::string_view form =
      source.empty() ? "is DER" : "is the body of a PEM file without its BEGIN and END lines";
  switch (kind) {
    case DerKind::kCertificate:
      return fmt::format("{}, not PEM: {}; of a PEM file take all, the BEGIN and END lines too",
                         form, Remedy(command("openssl x509 -inform der"), place));
    case DerKind::kPkcs7:
      return fmt::format("{}, and a PKCS#7 bundle, not PEM certificates: {}", form,
                         Remedy(command("openssl pkcs7 -inform der -print_certs"), place));
    case DerKind::kSeveral:
      return fmt::format(
          "{}, with more after its first certificate: convert each certificate to PEM with "
          "`openssl x509 -inform der`, and put all of them there",
          form);
    case DerKind::kPkcs12:
      return "is PKCS#12, which may hold a private key: take the certificates out of it with "
             "`openssl pkcs12 -nokeys -in FILE`, and put only those there";
    case DerKind::kPrivateKey:
      return PrivateKeyProblem(place);
    case DerKind::kOther:
    case DerKind::kNone:
      break;
  }
  return "is DER, but of no certificate: put the PEM certificate of the CA there";
}

bool IsUtf16(std::string_view text) {
  return text.starts_with(kLittleEndianMark) || text.starts_with(kBigEndianMark) ||
         text.starts_with(std::string_view("-\0-\0", 4)) ||
         text.starts_with(std::string_view("\0-\0-", 4));
}

std::string Utf16Problem(std::string_view text, CaPlace place) {
  std::string letters;
  std::copy_if(text.begin(), text.end(), std::back_inserter(letters),
               [](char c) { return c != '\0'; });
  if (letters.find("PRIVATE KEY-----") != std::string::npos) {
    return fmt::format("has a part that {}", PrivateKeyProblem(place));
  }
  const std::string_view code = text.starts_with('-')    ? "UTF-16LE"
                                : text.starts_with('\0') ? "UTF-16BE"
                                                         : "UTF-16";
  return fmt::format("is not PEM but UTF-16 text, as Windows exports it: {}",
                     Remedy(fmt::format("iconv -f {} -t UTF-8 FILE", code), place));
}

// What `text` is when it is base64 of something, once more than it should be.
std::optional<std::string> EncodedProblem(std::string_view text, CaPlace place) {
  const absl::StatusOr<std::string> decoded = base::Base64Decode(text, base::Base64::kPem);
  if (!decoded.ok() || decoded->empty()) return std::nullopt;
  const std::string_view decode =
      text.find_first_of(" \t\r") == std::string_view::npos ? "base64 -d FILE" : "base64 -di FILE";
  if (decoded->find("PRIVATE KEY-----") != std::string::npos) {
    return fmt::format("has a part that {}", PrivateKeyProblem(place));
  }
  if (decoded->find(kBegin) != std::string::npos) {
    return fmt::format("is encoded in base64 {}: {}",
                       place == CaPlace::kField ? "twice" : "where it should be the PEM itself",
                       Remedy(decode, place));
  }
  const DerKind kind = KindOf(*decoded);
  if (kind == DerKind::kNone) return std::nullopt;
  return DerProblem(kind, decode, place);
}

// Why there is no PEM block in `text`.
std::string NoPem(std::string_view text, CaPlace place) {
  if (text.find_first_not_of(kSpace) == std::string_view::npos) {
    return place == CaPlace::kField
               ? "is required: base64 of the PEM certificate of the CA that your signer signs with"
               : "is empty: put the PEM certificate of the CA there";
  }
  if (IsUtf16(text)) return Utf16Problem(text, place);
  if (const DerKind kind = KindOf(text); kind != DerKind::kNone) {
    return DerProblem(kind, "", place);
  }
  if (std::optional<std::string> encoded = EncodedProblem(text, place)) return *std::move(encoded);
  return place == CaPlace::kField
             ? "is not PEM: put base64 of a file there that begins with -----BEGIN CERTIFICATE-----"
             : "is not PEM: put a file there that begins with -----BEGIN CERTIFICATE-----";
}

bool HasIndentedBegin(std::string_view text) {
  for (size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    if (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) return true;
  }
  return false;
}

// Why the blocks of `text` cannot be told apart.
std::string Damage(std::string_view text, const absl::Status& status, CaPlace place) {
  if (text.find("----------BEGIN ") != std::string_view::npos) {
    return fmt::format(
        "is damaged PEM: an END line and the next BEGIN line are one, because the line end between "
        "two certificates is missing, as `cat` of files without a last line end makes it: {}",
        Remedy("sed 's/----------/-----\\n-----/g' FILE", place));
  }
  if (text.find("-----\\n") != std::string_view::npos) {
    return fmt::format("is damaged PEM: its line ends are written as the two letters \\n: {}",
                       Remedy("sed 's/\\\\n/\\n/g' FILE", place));
  }
  if (text.find("----- MI") != std::string_view::npos) {
    return fmt::format("is damaged PEM: its lines are joined by blanks: {}",
                       Remedy("sed -e 's/----- /-----\\n/g' -e 's/ -----/\\n-----/g' FILE", place));
  }
  if (HasIndentedBegin(text)) {
    return fmt::format("is damaged PEM: its lines are indented: {}",
                       Remedy("sed 's/^[ \\t]*//' FILE", place));
  }
  const size_t begin = text.rfind(kBegin);
  const size_t end = text.rfind(kEnd);
  if (begin != std::string_view::npos && (end == std::string_view::npos || end < begin)) {
    return "is damaged PEM: its last certificate is cut off, it has no END line: take it from a "
           "whole copy of the file";
  }
  return fmt::format("is damaged PEM: {}", std::string(status.message()));
}

// A path of folders: base64 has one '/' in 64 letters.
bool LooksLikePath(std::string_view line) {
  const auto slashes = static_cast<size_t>(std::count(line.begin(), line.end(), '/'));
  return slashes > line.size() / kLettersPerSlash || (line.starts_with('/') && slashes > 2);
}

// Base64 that is no word, name, path, fingerprint or underline: all kinds of letters are in it, and
// '=' only at its end.
bool IsBodyLine(std::string_view line) {
  if (line.size() < kBodyLine || LooksLikePath(line)) return false;
  for (int padding = 0; padding < 2 && line.ends_with('='); ++padding) line.remove_suffix(1);
  size_t upper = 0, lower = 0, digits = 0;
  bool is_hex = true;
  for (const char letter : line) {
    const auto c = static_cast<unsigned char>(letter);
    if (!absl::ascii_isalnum(c) && c != '+' && c != '/') return false;
    if (absl::ascii_isupper(c)) ++upper;
    if (absl::ascii_islower(c)) ++lower;
    if (absl::ascii_isdigit(c)) ++digits;
    is_hex = is_hex && absl::ascii_isxdigit(c);
  }
  return upper > 0 && lower > 0 && digits > 1 && !is_hex;
}

// A BEGIN line that is none: cut off, or with other dashes.
bool IsBrokenBegin(std::string_view line) {
  constexpr std::string_view kWhole = "-----BEGIN CERTIFICATE-----";
  const bool is_cut_off =
      line.size() > 5 && line.size() < kWhole.size() && kWhole.starts_with(line);
  return is_cut_off || (line.starts_with("--") && line.find("BEGIN ") != std::string_view::npos);
}

// Comments around the blocks are taken; what is the rest of a certificate must not get lost in
// them.
void CheckComments(std::string_view text, std::vector<std::string>& problems) {
  bool in_block = false;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const absl::string_view whole(text.data(), std::min(end, text.size()));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const absl::string_view stripped = absl::StripAsciiWhitespace(whole);
    const std::string_view line(stripped.data(), stripped.size());
    if (line.starts_with(kBegin) || line.starts_with(kEnd)) {
      in_block = line.starts_with(kBegin);
    } else if (in_block) {
      continue;
    } else if (IsBrokenBegin(line)) {
      problems.push_back(
          fmt::format("has a damaged certificate: line {} ({:?}) is no whole BEGIN line", number,
                      line.substr(0, kQuoted)));
      return;
    } else if (IsBodyLine(line)) {
      problems.push_back(
          fmt::format("has a damaged certificate: line {} looks like a part of one, but stands "
                      "outside of BEGIN "
                      "and END lines: complete it or remove it",
                      number));
      return;
    }
  }
}

// What is wrong with block `number`, which is no certificate by its label.
std::string ForeignBlock(const pki::PemText& pem, size_t number, CaPlace place) {
  const std::string& label = pem.blocks[number - 1].label;
  const bool is_alone = pem.blocks.size() == 1;
  if (label.find("PRIVATE KEY") != std::string::npos) {
    return fmt::format("block {} {}", number, PrivateKeyProblem(place));
  }
  if (label == "TRUSTED CERTIFICATE" || label == "X509 CERTIFICATE") {
    // The first command reads one certificate only, the other one all.
    return fmt::format(
        "block {} is a {}, which only OpenSSL reads: {}", number, label,
        Remedy(is_alone ? "openssl x509 -in FILE" : "openssl storeutl -certs FILE", place));
  }
  if (label == "PKCS7" || label == "PKCS #7 SIGNED DATA" || label == "CMS") {
    if (!is_alone) {
      return fmt::format(
          "block {} is a {}: put the certificates that `openssl pkcs7 -print_certs` shows of it in "
          "its place",
          number, label);
    }
    return fmt::format(
        "block {} is a {}, a bundle of certificates in another form: {}", number, label,
        Remedy(label == "CMS" ? "sed 's/ CMS-/ PKCS7-/' FILE | openssl pkcs7 -print_certs"
                              : "openssl pkcs7 -print_certs -in FILE",
               place));
  }
  return fmt::format("block {} is a {}: only certificates may be there", number, label);
}

// Takes block `number` of `pem`, or tells why not.
void TakeBlock(const pki::PemText& pem, size_t number, CaPlace place, CaPem& result) {
  const pki::PemBlock& block = pem.blocks[number - 1];
  if (block.label != kLabel) {
    result.problems.push_back(ForeignBlock(pem, number, place));
    return;
  }
  absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(block.der);
  if (certificate.ok()) {
    if (std::find(result.certificates.begin(), result.certificates.end(), *certificate) ==
        result.certificates.end()) {
      result.certificates.push_back(*std::move(certificate));
    }
  } else if (KindOf(block.der) == DerKind::kPkcs7 && pem.blocks.size() == 1) {
    result.problems.push_back(
        fmt::format("block {} is labelled CERTIFICATE but is a PKCS#7 bundle: {}", number,
                    Remedy("openssl pkcs7 -print_certs -in FILE", place)));
  } else {
    result.problems.push_back(fmt::format("block {} is not a certificate: {}", number,
                                          std::string(certificate.status().message())));
  }
}

CaPem ReadClean(std::string_view clean, CaPlace place) {
  CaPem result;
  const absl::StatusOr<pki::PemText> pem = pki::ParsePem(clean);
  if (!pem.ok()) {
    result.problems.push_back(Damage(clean, pem.status(), place));
    return result;
  }
  if (pem->blocks.empty()) {
    result.problems.push_back(NoPem(clean, place));
    return result;
  }
  for (size_t number = 1; number <= pem->blocks.size(); ++number) {
    TakeBlock(*pem, number, place, result);
  }
  CheckComments(clean, result.problems);
  return result;
}

// Without the byte order marks at the beginning of lines, which `cat` leaves in the middle too.
std::string WithoutMarks(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
    const size_t line_end = text.find('\n');
    const size_t size = line_end == std::string_view::npos ? text.size() : line_end + 1;
    result.append(text.substr(0, size));
    text.remove_prefix(size);
  }
  return result;
}

// OpenSSL does not skip the marks: they go before the command of `problem` sees the file.
std::string StripMarksFirst(std::string problem) {
  constexpr std::string_view kFromFile = " -in FILE";
  const size_t begin = problem.find('`');
  const size_t file = problem.find("FILE", begin);
  if (begin == std::string::npos || file == std::string::npos) return problem;
  if (const size_t in = problem.find(kFromFile, begin); in != std::string::npos) {
    problem.erase(in, kFromFile.size());
  } else {
    problem.replace(file, 4, "/dev/stdin");
  }
  problem.insert(begin + 1, "sed 's/^\\xef\\xbb\\xbf//' FILE | ");
  return problem;
}

}  // namespace

CaPem ReadCaPem(std::string_view text, CaPlace place) {
  const std::string clean = WithoutMarks(text);
  CaPem result = ReadClean(clean, place);
  if (clean.size() != text.size()) {
    for (std::string& problem : result.problems) problem = StripMarksFirst(std::move(problem));
  }
  return result;
}

}  // namespace calico::validation
