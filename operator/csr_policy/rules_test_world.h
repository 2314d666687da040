// A request that passes, its pod and its policy, and ways to spoil them: for the tests of the
// rules.
#ifndef CALICO_OPERATOR_CSR_POLICY_RULES_TEST_WORLD_H_
#define CALICO_OPERATOR_CSR_POLICY_RULES_TEST_WORLD_H_

#include <functional>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/policy.h"
#include "operator/csr_policy/rules.h"
#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/key.h"

namespace calico::csr_policy {

using Kind = Decision::Kind;

inline constexpr char kUid[] = "0a1b2c3d-1111-2222-3333-444455556666";
inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

base::IpAddress Ip(std::string_view text);
// ECDSA on P-256.
const pki::PrivateKey& Key();

pki::CertificateRequestTemplate GoodTemplate();
CsrPolicy GoodPolicy();
// What the init container of a live calico-node pod asks for; the pod comes from the cache.
CsrFacts GoodFacts();

void SetRequestPem(CsrFacts& facts, std::string pem);
void SetRequest(CsrFacts& facts, const pki::CertificateRequestTemplate& request,
                const pki::PrivateKey& key = Key());
// A file of testdata/corpus/csr: what neither our template nor the openssl command can make was put
// together byte by byte, and signed.
void SetRequestFile(CsrFacts& facts, const std::string& name);

struct World {
  CsrFacts facts = GoodFacts();
  CsrPolicy policy = GoodPolicy();
};

using Change = std::function<void(World&)>;

struct Case {
  const char* name;
  Change change;
  Kind want;
  const char* rule = "";
  Need need = Need::kNothing;
  const char* message = "";
};

// Evaluates a good world after the change.
void Check(const Case& c);

Change Template(std::function<void(pki::CertificateRequestTemplate&)> change);
Change File(const char* name);
Change PodNamed(std::string name);

}  // namespace calico::csr_policy

#endif  // CALICO_OPERATOR_CSR_POLICY_RULES_TEST_WORLD_H_
