// A Cluster on a fake API server, with strings in place of the terminal.
//
//   using ApprovalTest = ClusterTest;
//   ASYNC_TEST_F(ApprovalTest, Approves) { co_await Rule(cluster(), "a", {}); ... }
#ifndef CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_TEST_H_
#define CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_TEST_H_

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/command/terminal.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/clock.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/key.h"

namespace calico::calicert {

// The machine's clock counts: these tests wait.
class ClusterTest : public kube::FakeApiServerTest {
 public:
  Cluster& cluster();
  Terminal& terminal() { return terminal_; }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

 private:
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  Terminal terminal_{.in = in_,
                     .out = out_,
                     .err = err_,
                     .environment = [](const std::string&) { return ""; },
                     .clock = base::SystemClock()};
  std::unique_ptr<Cluster> cluster_;
};

// A P-256 key, made once.
const pki::PrivateKey& RequestKey();
// For example.com/serving, of RequestKey, for "a.example" and 10.0.0.1.
api::CertificateSigningRequest ServingRequest(std::string name);
// The same as the API server has it, with these conditions ("Approved,Failed"; empty: none).
json::object StoredRequest(std::string name, std::string_view conditions = "",
                           std::string_view certificate_pem = "");

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_TEST_H_
