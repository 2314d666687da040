// What tests of the signer need: a CA in files, pods and requests on a fake API server.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_CSR_TEST_WORLD_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_CSR_TEST_WORLD_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/clock.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::csr {

inline constexpr char kSigner[] = "example.com/signer";
inline constexpr char kNamespace[] = "calico-system";

// In lists of addresses: the one that is that pod's alone.
inline constexpr char kOwnAddress[] = "own";

// A pod of calico-node; its UID is `<name>-uid`, so that requests are named `ns:pod:` + the first
// six characters of it.
struct PodSpec {
  std::string name = "node-1";
  std::vector<std::string> ips = {kOwnAddress};
  bool host_network = false;
  std::string service_account = "calico-node";
  std::string node_name = "n1";
  std::string ns = kNamespace;
  std::string phase = "Pending";
  bool terminating = false;
};

struct CsrSpec {
  std::string pod = "node-1";
  std::string name;  // empty: as it should be
  std::vector<std::string> ips = {kOwnAddress};
  std::string common_name = "typha-client";
  std::string uid = "csr-uid-1";
  std::string username = "system:serviceaccount:calico-system:calico-node";
  bool is_bound = true;      // its token, to the pod
  std::string organization;  // of the subject
  std::vector<std::string> usages = {"server auth", "client auth", "digital signature"};
  size_t junk_bytes = 0;  // before the PEM block
  std::string condition;  // there already, made by somebody else
};

// The machine's clock, set forward by a test.
class OffsetClock final : public base::Clock {
 public:
  absl::Time Now() const override { return base::SystemClock().Now() + offset_; }
  absl::Time SteadyNow() const override { return base::SystemClock().SteadyNow() + offset_; }
  void Advance(absl::Duration by) { offset_ += by; }

 private:
  absl::Duration offset_;
};

class CsrTest : public kube::FakeApiServerTest {
 protected:
  CsrTest();

  const pki::TestCa& ca() const { return ca_; }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void PutFile(const std::string& name, std::string_view content) const;

  void PutPod(const PodSpec& pod);
  void PutNode(std::string_view name, std::string_view address);
  void PutService(std::string_view name, json::object spec, json::object status = {});
  // Returns its name.
  std::string PutCsr(const CsrSpec& csr);
  api::CertificateSigningRequest Csr(const std::string& name);

  // Until it holds, at most ten seconds; false then.
  aio::Task<bool> Eventually(std::function<bool()> condition);
  aio::Task<bool> Issued(std::string name);
  aio::Task<bool> Denied(std::string name);
  // Writes to requests so far.
  int Writes() { return server().Count("PUT", "certificatesigningrequests"); }
  // The certificate is for the request, from our CA, and holds what was asked.
  void ExpectGoodCertificate(const std::string& name);
  // Log lines that hold `text`.
  int Logged(std::string_view text) const;

 private:
  std::string folder_;
  pki::TestCa ca_;
  pki::PrivateKey key_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_CSR_TEST_WORLD_H_
