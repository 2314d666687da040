#include "operator/calicert/certificates/material.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/formats/pkcs12.h"
#include "pkg/pki/formats/pkcs7.h"
#include "pkg/pki/pem.h"

namespace calico::calicert {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status Refuse(const std::string& origin, std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", origin, cause));
}

absl::Status In(const std::string& origin, const absl::Status& status) {
  if (Message(status).starts_with(origin)) return status;  // a question for its passphrase
  return absl::Status(status.code(), fmt::format("{}: {}", origin, Message(status)));
}

// What these bytes are when they are nothing that can be read, and what to do.
std::string Unreadable(std::string_view bytes) {
  if (bytes.find_first_not_of(" \t\r\n") == bytes.npos) return "is empty";
  if (bytes.starts_with("\xfe\xed\xfe\xed") || bytes.starts_with("\xce\xce\xce\xce")) {
    return "is a Java key store (JKS), which only Java reads: make PKCS#12 of it with keytool "
           "-importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12";
  }
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    return "is UTF-16 text: make UTF-8 of it with iconv -f UTF-16 -t UTF-8";
  }
  if (bytes.find("apiVersion:") != bytes.npos || bytes.find("\"apiVersion\"") != bytes.npos) {
    return "is an object of Kubernetes: decode the field that holds the certificate, or name the "
           "object: secret/NAME";
  }
  const absl::StatusOr<std::string> decoded = base::Base64Decode(bytes);
  if (decoded.ok() && (decoded->starts_with(kBegin) || decoded->starts_with('\x30'))) {
    return "is base64 of a certificate or key: decode it first with base64 -d";
  }
  if (bytes.front() == '{') return "is JSON, neither PEM nor DER";
  if (bytes.front() == '\x30') return "is DER, but no certificate, request, key, PKCS#7 or PKCS#12";
  return "is neither PEM nor DER";
}

// What people call a block of this label that is neither certificate, request nor key.
std::string BlockText(std::string_view label) {
  if (label == "X509 CRL") return "a certificate revocation list";
  if (label.ends_with("PUBLIC KEY")) return "a public key";
  return fmt::format("a block {:?}", label);
}

// A private key's block in a text, and the text around the keys.
struct SplitText {
  std::vector<std::string_view> keys;
  std::string rest;
};

// Keys are taken out before the text is parsed, for parsed PEM is not wiped. A key without its end
// stays, and is told as such.
SplitText TakeKeysOut(std::string_view text) {
  SplitText split;
  size_t copied = 0;
  for (size_t begin = 0; (begin = text.find(kBegin, begin)) != text.npos;) {
    const size_t label_at = begin + kBegin.size();
    const size_t label_end = text.find(kDashes, label_at);
    if (label_end == text.npos) break;
    const std::string_view label = text.substr(label_at, label_end - label_at);
    const std::string end_line = fmt::format("-----END {}-----", label);
    const size_t end = text.find(end_line, label_end);
    if (!label.ends_with("PRIVATE KEY") || end == text.npos) {
      begin = label_end;
      continue;
    }
    const size_t after = end + end_line.size();
    split.rest.append(text.substr(copied, begin - copied));
    split.keys.push_back(text.substr(begin, after - begin));
    copied = begin = after;
  }
  split.rest.append(text.substr(copied));
  return split;
}

class Parser {
 public:
  Parser(std::string origin, const pki::PassphraseReader& passphrase, KeyReading keys)
      : passphrase_(passphrase), keys_(keys) {
    material_.origin = std::move(origin);
  }

  absl::StatusOr<Material> Parse(std::string_view bytes) {
    if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
    CALICO_RETURN_IF_ERROR(bytes.find(kBegin) != bytes.npos ? ParseText(bytes) : ParseDer(bytes));
    return std::move(material_);
  }

 private:
  absl::Status ParseText(std::string_view text) {
    material_.form = "PEM";
    const SplitText split = TakeKeysOut(text);
    for (const std::string_view key : split.keys) CALICO_RETURN_IF_ERROR(AddKey(key));
    const absl::StatusOr<pki::PemText> pem = pki::ParsePem(split.rest);
    if (!pem.ok()) return In(material_.origin, pem.status());
    size_t number = 0;
    for (const pki::PemBlock& block : pem->blocks) {
      ++number;
      const absl::Status status = AddBlock(block);
      if (!status.ok()) {
        return In(material_.origin,
                  base::Annotate(status, fmt::format("block {} ({})", number, block.label)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddBlock(const pki::PemBlock& block) {
    if (block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE") {
      CALICO_ASSIGN_OR_RETURN(pki::Certificate certificate, pki::Certificate::ParseDer(block.der));
      material_.certificates.push_back(std::move(certificate));
      return absl::OkStatus();
    }
    if (block.label == "CERTIFICATE REQUEST" || block.label == "NEW CERTIFICATE REQUEST") {
      CALICO_ASSIGN_OR_RETURN(pki::CertificateRequest request,
                              pki::CertificateRequest::ParseDer(block.der));
      material_.requests.push_back(std::move(request));
      return absl::OkStatus();
    }
    if (block.label == "PKCS7" || block.label == "CMS") return AddPkcs7(block.der);
    if (block.label == "TRUSTED CERTIFICATE") {
      return absl::InvalidArgumentError(
          "OpenSSL's own form with trust settings, which nothing else reads: write it anew with "
          "openssl x509 -in FILE -out FILE");
    }
    ++material_.other_blocks;
    if (block.label != "EC PARAMETERS" && block.label != "DH PARAMETERS") {
      material_.notes.push_back(BlockText(block.label));
    }
    return absl::OkStatus();
  }

  absl::Status AddPkcs7(std::string_view der) {
    CALICO_ASSIGN_OR_RETURN(std::vector<pki::Certificate> certificates, pki::ParsePkcs7(der));
    material_.form = "PKCS#7";
    for (pki::Certificate& certificate : certificates) {
      material_.certificates.push_back(std::move(certificate));
    }
    return absl::OkStatus();
  }

  absl::Status AddKey(std::string_view text) {
    if (keys_ == KeyReading::kSkip) {
      ++material_.skipped_keys;
      return absl::OkStatus();
    }
    absl::StatusOr<pki::ParsedKey> key = pki::ParseAnyKey(text, passphrase_);
    if (!key.ok()) return In(material_.origin, key.status());
    material_.keys.push_back(*std::move(key));
    return absl::OkStatus();
  }

  absl::Status ParseDer(std::string_view der) {
    material_.form = "DER";
    if (pki::LooksLikePkcs12(der)) return ParsePkcs12(der);
    if (pki::LooksLikePkcs7(der)) {
      const absl::Status status = AddPkcs7(der);
      return status.ok() ? status : In(material_.origin, status);
    }
    if (pki::LooksLikeKey(der)) return AddKey(der);
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(der);
    if (certificate.ok()) {
      material_.certificates.push_back(*std::move(certificate));
      return absl::OkStatus();
    }
    if (absl::StatusOr<pki::CertificateRequest> request = pki::CertificateRequest::ParseDer(der);
        request.ok()) {
      material_.requests.push_back(*std::move(request));
      return absl::OkStatus();
    }
    // What is a certificate, and is damaged or of no use, is told as such.
    if (Message(certificate.status()).find("not X.509") == std::string_view::npos) {
      return Refuse(material_.origin, fmt::format("{} (read as a certificate: {})", Unreadable(der),
                                                  Message(certificate.status())));
    }
    return Refuse(material_.origin, Unreadable(der));
  }

  absl::Status ParsePkcs12(std::string_view der) {
    material_.form = "PKCS#12";
    absl::StatusOr<pki::Pkcs12Contents> contents = pki::ParsePkcs12(der, "");
    if (absl::IsUnauthenticated(contents.status())) {
      CALICO_ASSIGN_OR_RETURN(const base::SecretString passphrase, passphrase_());
      contents = pki::ParsePkcs12(der, passphrase.view());
    }
    if (!contents.ok()) return In(material_.origin, contents.status());
    material_.certificates = std::move(contents->certificates);
    if (keys_ == KeyReading::kSkip)
      material_.skipped_keys = static_cast<int>(contents->keys.size());
    for (pki::PrivateKey& key : contents->keys) {
      if (keys_ == KeyReading::kSkip) break;
      material_.keys.push_back({std::move(key), {.encoding = "PKCS#12", .is_encrypted = true}});
    }
    return absl::OkStatus();
  }

  const pki::PassphraseReader& passphrase_;
  const KeyReading keys_;
  Material material_;
};

}  // namespace

std::string ContentsText(const Material& material) {
  if (material.skipped_keys > 0 || !material.keys.empty()) return "a private key";
  if (!material.certificates.empty()) return "a certificate";
  if (!material.requests.empty()) return "a certificate request";
  return material.notes.empty() ? "nothing of use" : material.notes.front();
}

absl::StatusOr<Material> ParseMaterial(std::string_view bytes, const std::string& origin,
                                       const pki::PassphraseReader& passphrase, KeyReading keys) {
  return Parser(origin, passphrase, keys).Parse(bytes);
}

}  // namespace calico::calicert
