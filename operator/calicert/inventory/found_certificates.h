// Certificates where people keep them: values of Secrets and ConfigMaps, answers to
// CertificateSigningRequests, an Installation's CA, files.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_FOUND_CERTIFICATES_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_FOUND_CERTIFICATES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::inventory {

struct FoundCertificate {
  std::string place;       // "secret/ns/name", "csr/name", "installation/default", a file's path
  std::string entry;       // key of the data; empty for a file
  std::string managed_by;  // who renews it, as far as the object says; empty: nobody
  pki::Certificate certificate;
  int more_places = 0;  // where the same one was found, too
};

// What was found, each certificate once.
class FoundCertificates {
 public:
  // Every certificate in PEM that `text` holds; text that has none, and blocks of other kinds, are
  // passed over. What looks like a certificate and is none is noted in problems().
  void AddText(const std::string& place, const std::string& entry, const std::string& managed_by,
               std::string_view text);
  void Add(const std::string& place, const std::string& entry, const std::string& managed_by,
           pki::Certificate certificate);
  // By the object's kind: Secret, ConfigMap, CertificateSigningRequest, Installation.
  void AddObject(const json::object& object);

  // Those that end before `until`, the first to end first.
  std::vector<FoundCertificate> EndingBefore(absl::Time until) const;
  size_t size() const { return found_.size(); }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void AddData(const json::object& object, std::string_view kind, bool is_base64);

  std::vector<FoundCertificate> found_;
  std::map<std::string, size_t> by_der_;
  std::vector<std::string> problems_;
};

// Who renews what is in the object, by its labels, annotations and owners: "cert-manager",
// "calico-operator", the value of app.kubernetes.io/managed-by, or an owner's kind. Empty: nobody.
std::string ManagerOf(const json::object& object);

}  // namespace calico::calicert::inventory

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_FOUND_CERTIFICATES_H_
