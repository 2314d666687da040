#include "operator/calicert/calico/certificate_management.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/calico/calico_commands.h"
#include "operator/calicert/cluster/testing/cluster_program.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/codec/json.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using calico_section::MakeSection;
using calico_section::Section;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = pki::TestTime();

TEST(MakeSectionTest, HoldsTheCaAlone) {
  const pki::TestCa ca;
  const Section section = MakeSection({.ca_text = ca.certificate_pem(),
                                       .signer_name = "example.com/signer",
                                       .key_algorithm = "ECDSAWithCurve256"},
                                      kNow);
  EXPECT_THAT(section.problems, IsEmpty());
  EXPECT_EQ(codec::TextAt(section.fields, "caCert"), base::Base64Encode(ca.certificate_pem()));
  EXPECT_EQ(codec::TextAt(section.fields, "signerName"), "example.com/signer");
  EXPECT_FALSE(section.fields.contains("signatureAlgorithm"));
}

TEST(MakeSectionTest, TellsEveryProblem) {
  const pki::TestCa ca;
  const Section section = MakeSection({.ca_text = ca.Leaf({.common_name = "leaf"}).certificate_pem,
                                       .signer_name = "kubernetes.io/kubelet-serving",
                                       .key_algorithm = "ECDSAWithCurve256",
                                       .signature_algorithm = "SHA256WithRSA"},
                                      kNow);
  EXPECT_THAT(section.problems,
              ElementsAre(HasSubstr("spec.certificateManagement.caCert: "),
                          HasSubstr("spec.certificateManagement.signerName: kubernetes.io/"),
                          HasSubstr("SHA256WithRSA cannot be made with an ECDSA key")));
}

TEST(MakeSectionTest, SignersCertificateHasToLeadToTheCa) {
  const pki::TestCa ca("root");
  const pki::TestCa foreign("foreign");
  const auto problems = [&](const std::string& signer) {
    return MakeSection({.ca_text = ca.certificate_pem(),
                        .signer_name = "example.com/signer",
                        .signer_certificate_text = signer},
                       kNow)
        .problems;
  };
  EXPECT_THAT(problems(ca.certificate_pem()), IsEmpty());
  EXPECT_THAT(problems(ca.Intermediate("below").certificate_pem()), IsEmpty());
  EXPECT_THAT(problems(foreign.certificate_pem()),
              ElementsAre(AllOf(HasSubstr("the signer signs with CN=foreign"),
                                HasSubstr("no pod would take"))));
  EXPECT_THAT(problems("x"), ElementsAre(HasSubstr("the signer's certificate: ")));
}

TEST(DifferenceTextTest, NamesCertificatesInPlaceOfPrintingThem) {
  const pki::TestCa ca("one");
  const json::object before = {{"caCert", base::Base64Encode(ca.certificate_pem())},
                               {"signerName", "example.com/a"},
                               {"keyAlgorithm", "RSAWithSize2048"}};
  const json::object after = {{"caCert", "!"}, {"signerName", "example.com/a"}};
  EXPECT_THAT(
      calico_section::DifferenceText(&before, after),
      AllOf(HasSubstr("- caCert: CN=one (serial number "),
            HasSubstr("+ caCert: (1 characters that are no base64)\n"),
            HasSubstr("- keyAlgorithm: RSAWithSize2048\n"), testing::Not(HasSubstr("signerName"))));
  EXPECT_EQ(calico_section::DifferenceText(&before, before), "");
  const json::object patch = calico_section::PatchTo(&before, after, "7");
  EXPECT_EQ(codec::Serialize(patch),
            R"({"metadata":{"resourceVersion":"7"},"spec":{"certificateManagement":)"
            R"({"caCert":"!","signerName":"example.com/a","keyAlgorithm":null}}})");
}

class CertificateManagementTest : public ClusterProgramTest {
 protected:
  aio::Task<RunResult> Section(std::vector<std::string> more) {
    std::vector<std::string> words = {"calico",        "certificate-management",
                                      "--ca",          Write("ca.pem", ca_.certificate_pem()),
                                      "--signer-name", "example.com/signer"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(CalicoCommands(), std::move(words));
  }
  std::string StoredSigner() {
    const auto object = server().Find(api::kInstallations, {"", "default"});
    return std::string(
        codec::TextAt(object->at("spec").at("certificateManagement").as_object(), "signerName"));
  }

  pki::TestCa ca_;
};

ASYNC_TEST_F(CertificateManagementTest, PrintsAnInstallation) {
  const RunResult result = co_await Section({});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("kind: Installation\n"),
                                HasSubstr("    signerName: example.com/signer\n")));
}

ASYNC_TEST_F(CertificateManagementTest, ShowsThenChanges) {
  server().Put({{"apiVersion", "operator.tigera.io/v1"},
                {"kind", "Installation"},
                {"metadata", json::object{{"name", "default"}}},
                {"spec", json::object{{"certificateManagement",
                                       json::object{{"signerName", "example.com/old"}}}}}});
  const RunResult shown = co_await Section({"--diff"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("- signerName: example.com/old\n"),
                               HasSubstr("+ signerName: example.com/signer\n")));
  EXPECT_EQ(StoredSigner(), "example.com/old");
  const RunResult applied = co_await Section({"--apply"});
  EXPECT_THAT(applied.out, HasSubstr("installation.operator.tigera.io/default configured\n"));
  EXPECT_EQ(StoredSigner(), "example.com/signer");
  const RunResult again = co_await Section({"--apply"});
  EXPECT_EQ(again.out, "installation.operator.tigera.io/default unchanged\n");
}

ASYNC_TEST_F(CertificateManagementTest, NeedsAnInstallationToChange) {
  const RunResult result = co_await Section({"--apply"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("make one with what this prints"));
}

}  // namespace
}  // namespace calico::calicert
