#include "operator/calicert/inventory/found_certificates.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/meta/object_meta.h"
#include "pkg/base/base64.h"
#include "pkg/pki/pem.h"

namespace calico::calicert::inventory {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kCertificate = "CERTIFICATE";
constexpr std::string_view kManagedBy = "app.kubernetes.io/managed-by";
constexpr std::string_view kCertManager = "cert-manager.io/certificate-name";
constexpr size_t kMostProblems = 16;

const json::object* At(const json::object& object, std::string_view outer, std::string_view inner) {
  const json::object* const found = codec::FindObject(object, outer);
  return found == nullptr ? nullptr : codec::FindObject(*found, inner);
}

std::string PlaceOf(const json::object& object, std::string_view kind) {
  return fmt::format("{}/{}", kind, api::ObjectMetaOf(object).Key().ToString());
}

std::string OwnerOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const owners =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "ownerReferences");
  if (owners == nullptr || owners->empty() || !owners->front().is_object()) return "";
  const std::string_view kind = codec::TextAt(owners->front().get_object(), "kind");
  return kind == "Installation" || kind == "APIServer" ? "calico-operator" : std::string(kind);
}

}  // namespace

std::string ManagerOf(const json::object& object) {
  if (const json::object* const annotations = At(object, "metadata", "annotations")) {
    if (annotations->contains(kCertManager)) return "cert-manager";
  }
  std::string owner = OwnerOf(object);
  if (!owner.empty()) return owner;
  const json::object* const labels = At(object, "metadata", "labels");
  return labels == nullptr ? std::string() : std::string(codec::TextAt(*labels, kManagedBy));
}

void FoundCertificates::AddText(const std::string& place, const std::string& entry,
                                const std::string& managed_by, std::string_view text) {
  if (text.find(kBegin) == std::string_view::npos) return;
  const auto note = [&](const absl::Status& status) {
    if (problems_.size() >= kMostProblems) return;
    problems_.push_back(fmt::format("{}{}{}: {}", place, entry.empty() ? "" : ":", entry,
                                    std::string(status.message())));
  };
  const absl::StatusOr<pki::PemText> pem = pki::ParsePem(text);
  if (!pem.ok()) return note(pem.status());
  for (const pki::PemBlock& block : pem->blocks) {
    if (block.label != kCertificate) continue;
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(block.der);
    if (!certificate.ok()) {
      note(certificate.status());
      continue;
    }
    Add(place, entry, managed_by, *std::move(certificate));
  }
}

void FoundCertificates::Add(const std::string& place, const std::string& entry,
                            const std::string& managed_by, pki::Certificate certificate) {
  const auto [known, is_new] = by_der_.emplace(certificate.der(), found_.size());
  if (is_new) {
    found_.push_back({place, entry, managed_by, std::move(certificate)});
  } else {
    ++found_[known->second].more_places;
  }
}

void FoundCertificates::AddData(const json::object& object, std::string_view kind, bool is_base64) {
  const json::object* const data = codec::FindObject(object, "data");
  if (data == nullptr) return;
  const std::string place = PlaceOf(object, kind);
  const std::string manager = ManagerOf(object);
  for (const auto& member : *data) {
    if (!member.value().is_string()) continue;
    const std::string_view value = codec::View(member.value().get_string());
    const std::string entry(codec::KeyOf(member));
    if (!is_base64) {
      AddText(place, entry, manager, value);
      continue;
    }
    // A key is in most Secrets, and no business of ours: by its name, before it is decoded.
    if (entry.ends_with(".key")) continue;
    const absl::StatusOr<std::string> text = base::Base64Decode(value);
    if (text.ok()) AddText(place, entry, manager, *text);
  }
}

void FoundCertificates::AddObject(const json::object& object) {
  const std::string_view kind = codec::TextAt(object, "kind");
  if (kind == "Secret") return AddData(object, "secret", true);
  if (kind == "ConfigMap") return AddData(object, "configmap", false);
  const bool is_csr = kind == "CertificateSigningRequest";
  const json::object* const holder =
      is_csr ? codec::FindObject(object, "status") : At(object, "spec", "certificateManagement");
  if (holder == nullptr) return;
  const std::string_view field = is_csr ? "certificate" : "caCert";
  const absl::StatusOr<std::string> text = base::Base64Decode(codec::TextAt(*holder, field));
  if (!text.ok()) return;
  AddText(PlaceOf(object, is_csr ? "csr" : "installation"), std::string(field), "", *text);
}

std::vector<FoundCertificate> FoundCertificates::EndingBefore(absl::Time until) const {
  std::vector<FoundCertificate> ending;
  for (const FoundCertificate& found : found_) {
    if (found.certificate.not_after() < until) ending.push_back(found);
  }
  std::sort(ending.begin(), ending.end(), [](const FoundCertificate& a, const FoundCertificate& b) {
    return std::pair(a.certificate.not_after(), a.place) <
           std::pair(b.certificate.not_after(), b.place);
  });
  return ending;
}

}  // namespace calico::calicert::inventory
