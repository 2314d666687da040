#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/operator/installation_fields.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kReleases[] = {"v3.27", "v3.32", "v3.33"};

std::vector<std::string> Ignored(std::string_view spec, std::string_view release = "v3.33") {
  return IgnoredFields(codec::ParseJsonObject(spec).value(), release);
}

json::object SpecOfFile(std::string_view name) {
  std::ifstream in(fmt::format("testdata/corpus/installation/{}.yaml", name));
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return codec::ParseYaml(text)->at("spec").as_object();
}

TEST(IgnoredFieldsTest, WhatIsRenderedIsNotNamed) {
  EXPECT_THAT(Ignored("{}"), IsEmpty());
  for (const char* file : {"d-ebpf", "f-overrides", "g-dualstack", "k-mirror-registry",
                           "l-stock-file", "m-typha-affinity"}) {
    for (const std::string_view release : kReleases) {
      SCOPED_TRACE(fmt::format("{} {}", file, release));
      EXPECT_THAT(IgnoredFields(SpecOfFile(file), release), IsEmpty());
    }
  }
}

TEST(IgnoredFieldsTest, DefaultsThatSomebodyWroteBackAreNotNamed) {
  struct Case {
    const char* file;
    const char* release;
  };
  for (const Case& c :
       {Case{"a-default-after-v1.32.13", "v3.27"}, Case{"d-ebpf-after-v1.32.13", "v3.27"},
        Case{"c-cm-ecdsa-after-v1.42.4", "v3.32"}, Case{"f-overrides-after-v1.42.4", "v3.32"},
        // An older release with what a newer operator wrote.
        Case{"a-default-after-v1.44", "v3.27"}, Case{"a-default-after-v1.44", "v3.32"},
        Case{"f-overrides-after-v1.44", "v3.33"}, Case{"i-defaults-written-out", "v3.27"},
        Case{"j-empty-values", "v3.33"}}) {
    SCOPED_TRACE(c.file);
    EXPECT_THAT(IgnoredFields(SpecOfFile(c.file), c.release), IsEmpty());
  }
}

TEST(IgnoredFieldsTest, WindowsNodesAreNamedAlways) {
  for (const std::string_view release : kReleases) {
    EXPECT_THAT(
        Ignored(R"({"windowsNodes": {"cniBinDir": "c"}, "serviceCIDRs": ["10.96.0.0/12"],
                            "calicoNodeWindowsDaemonSet": {"spec": {"minReadySeconds": 1}},
                            "calicoWindowsUpgradeDaemonSet": {"spec": {"minReadySeconds": 1}},
                            "componentResources": [{"componentName": "Node"},
                                                   {"componentName": "NodeWindows"}],
                            "calicoNetwork": {"windowsDataplane": "HNS"}})",
                release),
        ElementsAre("spec.calicoNetwork.windowsDataplane", "spec.calicoNodeWindowsDaemonSet",
                    "spec.calicoWindowsUpgradeDaemonSet", "spec.componentResources[].componentName",
                    "spec.serviceCIDRs", "spec.windowsNodes"));
  }
  EXPECT_THAT(Ignored(R"({"calicoNetwork": {"windowsDataplane": "Disabled"}, "serviceCIDRs": [],
                          "windowsNodes": {}})"),
              IsEmpty());
}

TEST(IgnoredFieldsTest, WhatAReleaseDoesNotHaveIsNamedWithIt) {
  struct Case {
    const char* spec;
    const char* path;
    const char* since;
  };
  const Case kCases[] = {
      {R"({"cni": {"installMode": "CalicoOnly"}})", "spec.cni.installMode", "v3.33"},
      {R"({"cni": {"specVersion": "1.0.0"}})", "spec.cni.specVersion", "v3.33"},
      {R"({"calicoRunHostPath": "/run/calico"})", "spec.calicoRunHostPath", "v3.33"},
      {R"({"calicoNetwork": {"linuxPodInterfaceType": "Netkit"}})",
       "spec.calicoNetwork.linuxPodInterfaceType", "v3.33"},
      {R"({"calicoNetwork": {"bpfNetworkBootstrap": "Enabled"}})",
       "spec.calicoNetwork.bpfNetworkBootstrap", "v3.32"},
      {R"({"calicoNetwork": {"ipPools": [{"cidr": "10.0.0.0/8", "assignmentMode": "Manual"}]}})",
       "spec.calicoNetwork.ipPools[].assignmentMode", "v3.32"},
      {R"({"tlsCipherSuites": [{"name": "TLS_AES_256_GCM_SHA384"}]})",
       "spec.tlsCipherSuites[].name", "v3.32"},
      {R"({"registry": "r/"})", "spec.registry", ""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.path);
    EXPECT_THAT(Ignored(c.spec, ""), IsEmpty()) << "of the newest";
    for (const std::string_view release : kReleases) {
      SCOPED_TRACE(std::string(release));
      if (release < c.since) {
        EXPECT_THAT(Ignored(c.spec, release), ElementsAre(c.path));
      } else {
        EXPECT_THAT(Ignored(c.spec, release), IsEmpty());
      }
    }
  }
}

TEST(IgnoredFieldsTest, UnknownFieldsAndOtherVariantsAreNamed) {
  struct Case {
    const char* spec;
    std::vector<std::string> want;
  };
  const Case kCases[] = {
      {R"({"typhaDeployment": {"spec": {"minReadySeconds": 5}}, "certificateManagment": {"a": 1}})",
       {"spec.certificateManagment"}},
      {R"({"imagePullSecrets": [{"name": "a", "x": 1}, {"name": "b", "x": 2}]})",
       {"spec.imagePullSecrets[].x"}},
      {R"({"calicoNetwork": {"nodeAddressAutodetectionV6": {"firstFound": true, "later": 1}}})",
       {"spec.calicoNetwork.nodeAddressAutodetectionV6.later"}},
      {R"({"variant": "CalicoEnterprise"})", {"spec.variant"}},
      {R"({"proxy": {"httpProxy": "p", "noProxy": ""}})", {"spec.proxy.httpProxy"}},
      {R"({"typhaDeployment": {}, "calicoNodeDaemonSet": null, "proxy": {}})", {}},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.spec);
    EXPECT_EQ(Ignored(c.spec), c.want);
  }
}

TEST(IgnoredFieldsTest, WhatMeansTheSameIsTheSame) {
  // 1 and "1", a folder with and without its last slash.
  EXPECT_THAT(Ignored(R"({"calicoRunHostPath": "/var/run/calico/",
                          "cni": {"binDir": "/opt/cni/bin/"},
                          "calicoNetwork": {"linuxPolicySetupTimeoutSeconds": 0}})",
                      "v3.27"),
              IsEmpty());
}

}  // namespace
}  // namespace calico::api
