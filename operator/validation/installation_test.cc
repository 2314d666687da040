#include "operator/validation/installation.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/base64.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::validation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const pki::TestCa& Ca() {
  static const pki::TestCa ca("example-ca");
  return ca;
}

api::Installation Good() {
  api::Installation installation;
  installation.certificate_management = api::CertificateManagement{
      .ca_cert_pem = Ca().certificate_pem(), .signer_name = "example.com/signer"};
  return installation;
}

std::string SelfSigned(pki::CertificateTemplate wanted) {
  const absl::StatusOr<pki::PrivateKey> key =
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256);
  wanted.common_name = "odd";
  if (wanted.not_before == absl::Time()) wanted.not_before = pki::TestTime() - absl::Hours(1);
  if (wanted.not_after == absl::Time()) wanted.not_after = pki::TestTime() + absl::Hours(9000);
  return pki::SelfSign(*key, wanted)->pem();
}

std::string ExpiredCa() {
  return SelfSigned({.not_before = pki::TestTime() - absl::Hours(48),
                     .not_after = pki::TestTime() - absl::Hours(24),
                     .is_ca = true});
}

TEST(InstallationValidationTest, GoodOnesHaveNoProblem) {
  struct Case {
    const char* name;
    std::function<void(api::Installation&)> change;
  };
  const Case cases[] = {
      {"as it is", [](api::Installation&) {}},
      {"two CAs and comments",
       [](api::Installation& i) {
         i.certificate_management->ca_cert_pem = "# ours\n" + Ca().certificate_pem() +
                                                 "\n# theirs\n" +
                                                 pki::TestCa("other").certificate_pem() + "\n\n";
       }},
      {"ECDSA without a signature algorithm",
       [](api::Installation& i) { i.certificate_management->key_algorithm = "ECDSAWithCurve256"; }},
      {"ECDSA with one",
       [](api::Installation& i) {
         i.certificate_management->key_algorithm = "ECDSAWithCurve521";
         i.certificate_management->signature_algorithm = "ECDSAWithSHA512";
       }},
      {"RSA by default",
       [](api::Installation& i) {
         i.certificate_management->signature_algorithm = "SHA512WithRSA";
       }},
      {"registry",
       [](api::Installation& i) {
         i.registry = "registry.example.com:5000/";
         i.image_path = "mirror/calico";
         i.image_prefix = "pfx-";
       }},
      {"registry with a path, defaults by name",
       [](api::Installation& i) {
         i.registry = "[fd00::1]:5000/a/b";
         i.image_path = "UseDefault";
       }},
      {"a host in upper case", [](api::Installation& i) { i.registry = "Registry.Example.com/"; }},
      {"no method of address detection beside one",
       [](api::Installation& i) {
         i.calico_network.node_address_autodetection_v4 = {.first_found = false,
                                                           .interface = "eth.*|en.*"};
       }},
      {"everything else",
       [](api::Installation& i) {
         i.variant = "Calico";
         i.kubernetes_provider = "Kind";
         i.cni = {.type = "Calico", .ipam_type = "Calico"};
         i.calico_network.linux_dataplane = "Iptables";
         i.calico_network.mtu = 1440;
         i.node_metrics_port = 9091;
         i.typha_metrics_port = 9093;
         i.image_pull_secrets = {"my-pull", "other.pull"};
         i.flex_volume_path = "None";
       }},
      {"detected MTU", [](api::Installation& i) { i.calico_network.mtu = 0; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    api::Installation installation = Good();
    c.change(installation);
    const InstallationVerdict verdict = ValidateInstallation(installation, pki::TestTime());
    EXPECT_TRUE(verdict.ok()) << ToString(verdict.problems);
    EXPECT_THAT(verdict.ca_certificates, testing::Not(IsEmpty()));
    EXPECT_THAT(verdict.warnings, IsEmpty());
  }
}

struct BadCase {
  const char* name;
  std::function<void(api::Installation&)> change;
  const char* path;
  const char* text;
};

void SetCa(api::Installation& installation, std::string pem) {
  installation.certificate_management->ca_cert_pem = std::move(pem);
}

const std::vector<BadCase>& BadCertificateManagement() {
  static const std::vector<BadCase> cases = {
      {"none", [](api::Installation& i) { i.certificate_management.reset(); },
       "spec.certificateManagement", "is required"},
      {"no caCert", [](api::Installation& i) { SetCa(i, ""); }, "spec.certificateManagement.caCert",
       "is required"},
      {"not PEM", [](api::Installation& i) { SetCa(i, "not pem at all"); },
       "spec.certificateManagement.caCert", "is not PEM"},
      {"DER", [](api::Installation& i) { SetCa(i, Ca().certificate().der()); },
       "spec.certificateManagement.caCert", "is DER"},
      {"encoded twice",
       [](api::Installation& i) { SetCa(i, base::Base64Encode(Ca().certificate_pem())); },
       "spec.certificateManagement.caCert", "base64 twice"},
      {"garbage in the block",
       [](api::Installation& i) {
         SetCa(i, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
       },
       "spec.certificateManagement.caCert", "block 1 is not a certificate"},
      {"cut off",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem().substr(0, Ca().certificate_pem().size() - 30));
       },
       "spec.certificateManagement.caCert", "is damaged PEM"},
      {"a leaf",
       [](api::Installation& i) {
         SetCa(i, Ca().Leaf({.common_name = "typha-server"}).certificate_pem);
       },
       "spec.certificateManagement.caCert", "is not a CA"},
      {"expired", [](api::Installation& i) { SetCa(i, ExpiredCa()); },
       "spec.certificateManagement.caCert", "expired on 2027-01-14"},
      {"not yet valid",
       [](api::Installation& i) {
         SetCa(i, SelfSigned({.not_before = pki::TestTime() + absl::Hours(24), .is_ca = true}));
       },
       "spec.certificateManagement.caCert", "is not valid before 2027-01-16"},
      {"may not sign",
       [](api::Installation& i) {
         SetCa(i, SelfSigned({.key_usages = {pki::KeyUsage::kCrlSign}, .is_ca = true}));
       },
       "spec.certificateManagement.caCert", "lacks keyCertSign"},
      {"a private key",
       [](api::Installation& i) { SetCa(i, Ca().certificate_pem() + Ca().key_pem()); },
       "spec.certificateManagement.caCert", "block 2 is a private key"},
      {"a request",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem() +
                      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE "
                      "REQUEST-----\n");
       },
       "spec.certificateManagement.caCert", "block 2 is a CERTIFICATE REQUEST"},
      {"the second of two is bad",
       [](api::Installation& i) {
         SetCa(i, Ca().certificate_pem() +
                      SelfSigned({.extended_key_usages = {std::string(pki::kOidServerAuth)},
                                  .is_ca = true}));
       },
       "spec.certificateManagement.caCert",
       "certificate 2 of 2 (CN=odd) limits what is below it by an extendedKeyUsage that lacks "
       "clientAuth, which calico-node needs"},
      {"no signer", [](api::Installation& i) { i.certificate_management->signer_name = ""; },
       "spec.certificateManagement.signerName", "is required"},
      {"kubernetes.io",
       [](api::Installation& i) {
         i.certificate_management->signer_name = "kubernetes.io/kube-apiserver-client";
       },
       "spec.certificateManagement.signerName", "does not sign certificates for TLS servers"},
      {"ECDSA key, RSA signature",
       [](api::Installation& i) {
         i.certificate_management->key_algorithm = "ECDSAWithCurve256";
         i.certificate_management->signature_algorithm = "SHA256WithRSA";
       },
       "spec.certificateManagement.signatureAlgorithm", "with an ECDSA key (ECDSAWithCurve256)"},
      {"default key, ECDSA signature",
       [](api::Installation& i) {
         i.certificate_management->signature_algorithm = "ECDSAWithSHA256";
       },
       "spec.certificateManagement.signatureAlgorithm", "keyAlgorithm is empty"},
      {"unknown key algorithm",
       [](api::Installation& i) { i.certificate_management->key_algorithm = "RSAWithSize1024"; },
       "spec.certificateManagement.keyAlgorithm", "is not known"},
      {"unknown signature algorithm",
       [](api::Installation& i) { i.certificate_management->signature_algorithm = "MD5"; },
       "spec.certificateManagement.signatureAlgorithm", "is not known"},
  };
  return cases;
}

const std::vector<BadCase>& BadElsewhere() {
  static const std::vector<BadCase> cases = {
      {"registry with a scheme",
       [](api::Installation& i) { i.registry = "https://registry.example.com/"; }, "spec.registry",
       "without a scheme"},
      {"image path", [](api::Installation& i) { i.image_path = "Mirror"; }, "spec.imagePath",
       "is no image path"},
      {"image prefix", [](api::Installation& i) { i.image_prefix = "a/b"; }, "spec.imagePrefix",
       "cannot begin an image's name"},
      {"pull secret", [](api::Installation& i) { i.image_pull_secrets = {"ok", "Not_Ok"}; },
       "spec.imagePullSecrets[1].name", "cannot be the name of a Secret"},
      {"pull secret twice", [](api::Installation& i) { i.image_pull_secrets = {"a", "a"}; },
       "spec.imagePullSecrets[1].name", "is listed twice"},
      {"port", [](api::Installation& i) { i.node_metrics_port = 99999; }, "spec.nodeMetricsPort",
       "is no port"},
      {"taken port", [](api::Installation& i) { i.typha_metrics_port = 9098; },
       "spec.typhaMetricsPort", "is taken on every host"},
      {"same port", [](api::Installation& i) { i.node_metrics_port = i.typha_metrics_port = 9091; },
       "spec.typhaMetricsPort", "spec.nodeMetricsPort too"},
      {"mtu", [](api::Installation& i) { i.calico_network.mtu = -5; }, "spec.calicoNetwork.mtu",
       "is no MTU"},
      {"variant", [](api::Installation& i) { i.variant = "CalicoEnterprise"; }, "spec.variant",
       "is not supported by this version"},
      {"data plane", [](api::Installation& i) { i.calico_network.linux_dataplane = "BPF"; },
       "spec.calicoNetwork.linuxDataplane", "or set it to Iptables"},
      {"CNI", [](api::Installation& i) { i.cni.type = "AmazonVPC"; }, "spec.cni.type",
       "is not supported by this version"},
      {"OpenShift", [](api::Installation& i) { i.kubernetes_provider = "OpenShift"; },
       "spec.kubernetesProvider", "needs the SecurityContextConstraints \"privileged\""},
      {"GKE", [](api::Installation& i) { i.kubernetes_provider = "GKE"; },
       "spec.kubernetesProvider", "on nodes with other images remove the field"},
      {"DockerEnterprise", [](api::Installation& i) { i.kubernetes_provider = "DockerEnterprise"; },
       "spec.kubernetesProvider", "remove the field where neither is needed"},
      {"two methods of address detection",
       [](api::Installation& i) {
         i.calico_network.node_address_autodetection_v4 = {.first_found = true,
                                                           .interface = "eth0"};
       },
       "spec.calicoNetwork.nodeAddressAutodetectionV4", "firstFound, interface are set"},
      {"two methods for IPv6",
       [](api::Installation& i) {
         i.calico_network.node_address_autodetection_v6 = {.kubernetes = "NodeInternalIP",
                                                           .cidrs = {"fd00::/8"}};
       },
       "spec.calicoNetwork.nodeAddressAutodetectionV6", "kubernetes, cidrs are set"},
      {"registry with two slashes",
       [](api::Installation& i) { i.registry = "registry.example.com:5000//"; }, "spec.registry",
       "is no registry"},
      {"image path with two slashes",
       [](api::Installation& i) { i.image_path = "/mirror//calico/"; }, "spec.imagePath",
       "is no image path"},
      {"image path in upper case", [](api::Installation& i) { i.image_path = "Mirror/Calico"; },
       "spec.imagePath", "write lower-case names"},
      {"relative path",
       [](api::Installation& i) { i.kubelet_volume_plugin_path = "var/lib/kubelet"; },
       "spec.kubeletVolumePluginPath", "is not an absolute path"},
  };
  return cases;
}

void ExpectOneProblem(const BadCase& c) {
  SCOPED_TRACE(c.name);
  api::Installation installation = Good();
  c.change(installation);
  const InstallationVerdict verdict = ValidateInstallation(installation, pki::TestTime());
  ASSERT_THAT(verdict.problems, SizeIs(1)) << ToString(verdict.problems);
  EXPECT_EQ(verdict.problems[0].path, c.path);
  EXPECT_THAT(verdict.problems[0].text, HasSubstr(c.text));
}

// Nothing that is rendered must differ for them; and nobody is told to be another provider.
TEST(InstallationValidationTest, ProvidersAreTakenOrRefusedWithAdviceOfTheirOwn) {
  for (const char* provider : {"", "EKS", "AKS", "RKE2", "TKG", "Kind"}) {
    api::Installation installation = Good();
    installation.kubernetes_provider = provider;
    EXPECT_TRUE(ValidateInstallation(installation, pki::TestTime()).ok()) << provider;
  }
  for (const char* provider : {"GKE", "OpenShift", "DockerEnterprise"}) {
    api::Installation installation = Good();
    installation.kubernetes_provider = provider;
    EXPECT_THAT(ToString(ValidateInstallation(installation, pki::TestTime()).problems),
                testing::AllOf(HasSubstr(provider), testing::Not(HasSubstr("Kind"))));
  }
}

TEST(InstallationValidationTest, BadCertificateManagementNamesFieldAndRemedy) {
  for (const BadCase& c : BadCertificateManagement()) ExpectOneProblem(c);
}

TEST(InstallationValidationTest, BadFieldsElsewhereAreNamed) {
  for (const BadCase& c : BadElsewhere()) ExpectOneProblem(c);
}

TEST(InstallationValidationTest, AllProblemsAreToldAtOnce) {
  api::Installation installation = Good();
  SetCa(installation, ExpiredCa() + Ca().key_pem() + "rest");
  installation.certificate_management->signer_name = "signer";
  installation.certificate_management->signature_algorithm = "ECDSAWithSHA256";
  installation.node_metrics_port = 0;
  installation.calico_network.mtu = 10;
  const InstallationVerdict verdict = ValidateInstallation(installation, pki::TestTime());
  EXPECT_THAT(verdict.problems, SizeIs(6)) << ToString(verdict.problems);
  EXPECT_THAT(verdict.ca_certificates, IsEmpty());
  EXPECT_THAT(ToString(verdict.problems), HasSubstr("; spec.certificateManagement.signerName: "));
}

TEST(InstallationValidationTest, ProblemsNeverQuoteThePem) {
  api::Installation installation = Good();
  SetCa(installation, Ca().certificate_pem() + Ca().key_pem());
  const std::string text = ToString(ValidateInstallation(installation, pki::TestTime()).problems);
  const std::string body = Ca().key_pem().substr(Ca().key_pem().find('\n') + 1, 16);
  EXPECT_THAT(text, testing::Not(HasSubstr(body)));
}

TEST(InstallationValidationTest, SaysWhenItsVerdictChanges) {
  const pki::Certificate& ca = Ca().certificate();
  const absl::Time warn_at = ca.not_after() - pki::kCaEndsSoon;
  const InstallationVerdict now = ValidateInstallation(Good(), pki::TestTime());
  EXPECT_EQ(now.recheck_at, warn_at + absl::Seconds(1));

  const InstallationVerdict soon = ValidateInstallation(Good(), now.recheck_at);
  EXPECT_TRUE(soon.ok());
  ASSERT_THAT(soon.warnings, SizeIs(1));
  EXPECT_THAT(soon.warnings[0], HasSubstr("ends on 2028-01-15"));
  EXPECT_EQ(soon.recheck_at, ca.not_after() + absl::Seconds(1));

  EXPECT_FALSE(ValidateInstallation(Good(), soon.recheck_at).ok());
}

TEST(InstallationValidationTest, TheLastDayOfAnOldRootIsANote) {
  api::Installation installation = Good();
  SetCa(installation, Ca().certificate_pem() + ExpiredCa());
  const InstallationVerdict verdict = ValidateInstallation(installation, pki::TestTime());
  EXPECT_TRUE(verdict.ok()) << ToString(verdict.problems);
  EXPECT_THAT(verdict.ca_certificates, SizeIs(2));
  EXPECT_THAT(verdict.warnings,
              testing::ElementsAre(HasSubstr("spec.certificateManagement.caCert: certificate 2 of "
                                             "2 (CN=odd) expired on 2027-01-14")));
}

}  // namespace
}  // namespace calico::validation
