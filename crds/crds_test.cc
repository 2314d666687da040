// The CRDs, the C++ types and the Installations that people have must agree.

#include "crds/crds.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <absl/strings/match.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/schema.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/api/operator/installation_fields.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::crds {
namespace {

using api::Installation;
using api::InstallationField;
using base::IsOk;
using base::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kApiServerCrd = "operator.tigera.io_apiservers.yaml";
constexpr std::string_view kGoldmaneCrd = "operator.tigera.io_goldmanes.yaml";
constexpr std::string_view kImageSetCrd = "operator.tigera.io_imagesets.yaml";
constexpr std::string_view kWhiskerCrd = "operator.tigera.io_whiskers.yaml";
constexpr std::string_view kInstallationCrd = "operator.tigera.io_installations.yaml";
constexpr std::string_view kTigeraStatusCrd = "operator.tigera.io_tigerastatuses.yaml";

const json::value& Crd(std::string_view name) {
  static const auto& crds = *new std::vector<std::pair<std::string_view, json::value>>([] {
    std::vector<std::pair<std::string_view, json::value>> parsed;
    for (const base::EmbeddedFile& file : Crds()) {
      parsed.emplace_back(file.name, codec::ParseYaml(file.content).value());
    }
    return parsed;
  }());
  const auto crd = std::find_if(crds.begin(), crds.end(),
                                [&](const auto& entry) { return entry.first == name; });
  return crd->second;
}

const json::object& InstallationSchema() { return *SchemaOf(Crd(kInstallationCrd)); }

// Every Installation of testdata/corpus/installation that is meant to be good.
std::vector<std::pair<std::string, json::value>> Installations() {
  std::vector<std::pair<std::string, json::value>> installations;
  for (const auto& entry : std::filesystem::directory_iterator("testdata/corpus/installation")) {
    const std::string name = entry.path().filename();
    if (absl::StartsWith(name, "bad-")) continue;
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    installations.emplace_back(name, codec::ParseYaml(text).value());
  }
  return installations;
}

// An Installation with `value` at a path such as "spec.calicoNetwork.ipPools[].cidr".
json::object InstallationWith(std::string_view path, const json::value& value) {
  std::vector<std::string> names = absl::StrSplit(std::string(path), '.');
  json::value built = value;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const bool is_array = absl::EndsWith(*name, "[]");
    if (is_array) {
      name->resize(name->size() - 2);
      built = json::array{std::move(built)};
    }
    json::object parent;
    parent.emplace(*name, std::move(built));
    built = std::move(parent);
  }
  json::object installation = std::move(built.as_object());
  installation["metadata"] = json::object{{"name", "default"}};
  return installation;
}

// A value that is wrong for each type.
json::value WrongValue(std::string_view type) {
  if (type == "boolean" || type == "object" || type == "array") return "wrong";
  return true;
}

TEST(CrdsTest, AreEmbeddedUnderTheirNames) {
  std::vector<std::string_view> names;
  for (const base::EmbeddedFile& file : Crds()) names.push_back(file.name);
  EXPECT_THAT(names, ElementsAre(kApiServerCrd, kGoldmaneCrd, kImageSetCrd, kInstallationCrd,
                                 kTigeraStatusCrd, kWhiskerCrd));
}

TEST(CrdsTest, NameTheKindsThatWeUse) {
  struct Case {
    std::string_view file;
    const api::Resource& resource;
  };
  const Case kCases[] = {
      {kInstallationCrd, api::kInstallations}, {kTigeraStatusCrd, api::kTigeraStatuses},
      {kApiServerCrd, api::kApiServers},       {kImageSetCrd, api::kImageSets},
      {kGoldmaneCrd, api::kGoldmanes},         {kWhiskerCrd, api::kWhiskers}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.file));
    const json::value& crd = Crd(c.file);
    const json::object& spec = crd.at("spec").as_object();
    EXPECT_EQ(crd.at("kind"), "CustomResourceDefinition");
    EXPECT_EQ(spec.at("group"), json::string(c.resource.group));
    EXPECT_EQ(spec.at("names").at("kind"), json::string(c.resource.kind));
    EXPECT_EQ(spec.at("names").at("plural"), json::string(c.resource.plural));
    EXPECT_EQ(spec.at("scope"), "Cluster");
    EXPECT_EQ(crd.at("metadata").at("name"),
              json::string(fmt::format("{}.{}", c.resource.plural, c.resource.group)));
    EXPECT_EQ(spec.at("names").at("listKind"),
              json::string(fmt::format("{}List", c.resource.kind)));
    const json::value& version = spec.at("versions").at(0);
    EXPECT_EQ(version.at("name"), json::string(c.resource.version));
    EXPECT_EQ(version.at("subresources"), json::value(json::object{{"status", json::object()}}));
  }
}

TEST(CrdsTest, TigeraStatusColumns) {
  std::vector<std::string> names;
  const json::value& version = Crd(kTigeraStatusCrd).at("spec").at("versions").at(0);
  for (const json::value& column : version.at("additionalPrinterColumns").as_array()) {
    names.emplace_back(codec::View(column.at("name").as_string()));
  }
  EXPECT_THAT(names, ElementsAre("Available", "Progressing", "Degraded", "Since", "Message"));
  // Of the condition that is True, whichever it is; the operator writes the worst first.
  EXPECT_EQ(version.at("additionalPrinterColumns").at(4).at("jsonPath"),
            ".status.conditions[?(@.status=='True')].message");
}

TEST(CrdsTest, InstallationColumns) {
  std::vector<std::string> names;
  const json::value& version = Crd(kInstallationCrd).at("spec").at("versions").at(0);
  for (const json::value& column : version.at("additionalPrinterColumns").as_array()) {
    names.emplace_back(codec::View(column.at("name").as_string()));
  }
  EXPECT_THAT(names, ElementsAre("Version", "Ready", "Degraded", "Age"));
}

// What people apply to install Calico, with what they add to it.
TEST(CrdsTest, TakeTheKindsOfTheStockFile) {
  struct Case {
    std::string_view file;
    const char* document;
  };
  const Case kCases[] = {
      {kInstallationCrd, R"j({"apiVersion": "operator.tigera.io/v1", "kind": "Installation",
         "metadata": {"name": "default"}, "spec": {"calicoNetwork": {"ipPools": [{
           "name": "default-ipv4-ippool", "blockSize": 26, "cidr": "192.168.0.0/16",
           "encapsulation": "VXLANCrossSubnet", "natOutgoing": "Enabled",
           "nodeSelector": "all()"}]}}})j"},
      {kApiServerCrd, R"({"apiVersion": "operator.tigera.io/v1", "kind": "APIServer",
         "metadata": {"name": "default"}, "spec": {}})"},
      {kGoldmaneCrd, R"({"apiVersion": "operator.tigera.io/v1", "kind": "Goldmane",
         "metadata": {"name": "default"}})"},
      {kWhiskerCrd, R"({"apiVersion": "operator.tigera.io/v1", "kind": "Whisker",
         "metadata": {"name": "default"}})"},
      {kApiServerCrd, R"({"metadata": {"name": "tigera-secure"}, "spec": {
         "logging": {"apiServer": {"logSeverity": "Warn"}},
         "calicoWebhooksDeployment": {"spec": {"anything": 1}},
         "apiServerDeployment": {"spec": {"minReadySeconds": 1, "template": {"spec": {
           "priorityClassName": "p", "nodeSelector": {"a": "b"},
           "tolerations": [{"operator": "Exists"}],
           "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
                                          "whenUnsatisfiable": "ScheduleAnyway"}],
           "initContainers": [{"name": "calico-apiserver-certs-key-cert-provisioner",
                               "resources": {"limits": {"cpu": 1}}}],
           "containers": [{"name": "calico-apiserver", "readinessProbe": {"periodSeconds": 5},
                           "ports": [{"name": "apiserver", "containerPort": 5444}],
                           "resources": {"requests": {"cpu": "100m"}}}]}}}}}})"},
      {kImageSetCrd, R"({"metadata": {"name": "calico-v3.33.1"}, "spec": {"images": [
         {"image": "calico/node", "digest": "sha256:0"}]}})"},
      {kGoldmaneCrd, R"({"metadata": {"name": "default"}, "spec": {"metricsPort": 9, "later": 1,
         "goldmaneDeployment": {"spec": {"minReadySeconds": 1}}}})"},
      {kWhiskerCrd, R"({"metadata": {"name": "default"}, "spec": {"notifications": "Disabled",
         "whiskerDeployment": {"spec": {"minReadySeconds": 1}}}})"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.document);
    EXPECT_THAT(Violations(*SchemaOf(Crd(c.file)), codec::ParseJson(c.document).value(), ""),
                IsEmpty());
  }
}

TEST(CrdsTest, TheOtherKindsRefuseWhatCannotBeMeant) {
  struct Case {
    std::string_view file;
    const char* spec;
    const char* want;
  };
  const Case kCases[] = {
      {kApiServerCrd, R"({"logging": {"apiServer": {"logSeverity": "Warning"}}})",
       ".spec.logging.apiServer.logSeverity: unsupported value"},
      {kApiServerCrd, R"({"apiServerDeployments": {}})",
       ".spec.apiServerDeployments: unknown field"},
      {kApiServerCrd,
       R"({"apiServerDeployment": {"spec": {"template": {"spec": {"containers": [{}]}}}}})",
       ".spec.apiServerDeployment.spec.template.spec.containers[0].name: required"},
      {kImageSetCrd, R"({"images": [{"image": "calico/node"}]})",
       ".spec.images[0].digest: required"},
      {kImageSetCrd, R"({"images": [{"digest": "sha256:0"}]})", ".spec.images[0].image: required"},
      {kGoldmaneCrd, R"({"metricsPort": "9"})", ".spec.metricsPort: expected integer, got string"},
      {kWhiskerCrd, R"({"whiskerDeployment": []})",
       ".spec.whiskerDeployment: expected object, got array"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.want);
    const json::value object = json::object{{"metadata", {{"name", "default"}}},
                                            {"spec", codec::ParseJson(c.spec).value()}};
    EXPECT_THAT(Violations(*SchemaOf(Crd(c.file)), object, ""), ElementsAre(c.want));
  }
}

TEST(InstallationFieldsTest, AParentHasFieldsAndWhatIsRenderedWholeHasNone) {
  using Use = InstallationField::Use;
  for (const InstallationField& field : api::InstallationFields()) {
    SCOPED_TRACE(std::string(field.path));
    EXPECT_EQ(api::FindInstallationField(field.path), &field) << "twice in the table";
    bool has_fields = false;
    for (const InstallationField& other : api::InstallationFields()) {
      has_fields |= other.path.starts_with(fmt::format("{}.", field.path)) ||
                    other.path.starts_with(fmt::format("{}[]", field.path));
    }
    if (field.use == Use::kParent) EXPECT_TRUE(has_fields);
    if (field.use == Use::kRendered || field.use == Use::kFixed) EXPECT_FALSE(has_fields);
    if (field.use == Use::kFixed) EXPECT_FALSE(field.fixed.empty());
    if (!field.since.empty()) EXPECT_EQ(field.use, Use::kRendered);
  }
  EXPECT_EQ(api::FindInstallationField("spec.nothing"), nullptr);
}

TEST(InstallationSchemaTest, HasEveryFieldThatTheDecoderReads) {
  for (const InstallationField& field : api::InstallationFields()) {
    SCOPED_TRACE(std::string(field.path));
    const json::object* schema = FindSchema(InstallationSchema(), field.path);
    ASSERT_NE(schema, nullptr);
    if (field.type == "int-or-string") {
      EXPECT_EQ(schema->at("x-kubernetes-int-or-string"), true);
    } else if (field.type == "bytes") {
      EXPECT_EQ(schema->at("type"), "string");
      EXPECT_EQ(schema->at("format"), "byte");
    } else {
      EXPECT_EQ(schema->at("type"), json::string(field.type));
    }
    json::array values;
    for (const std::string_view value : field.values) values.push_back(json::string(value));
    const json::value* allowed = schema->if_contains("enum");
    EXPECT_EQ(json::value(values), allowed == nullptr ? json::array() : *allowed);
  }
}

TEST(InstallationSchemaTest, EveryFixedValueIsAllowed) {
  for (const InstallationField& field : api::InstallationFields()) {
    if (field.fixed.empty()) continue;
    SCOPED_TRACE(std::string(field.path));
    const absl::StatusOr<json::value> fixed = codec::ParseJson(field.fixed);
    ASSERT_THAT(fixed, IsOk());
    const json::array values = fixed->is_array() ? fixed->get_array() : json::array{*fixed};
    for (const json::value& value : values) {
      EXPECT_THAT(Violations(*FindSchema(InstallationSchema(), field.path), value, ""), IsEmpty());
      const json::object object = InstallationWith(field.path, value);
      EXPECT_THAT(Installation::Decode(object), IsOk());
      for (const char* release : {"", "v3.27", "v3.32", "v3.33"}) {
        EXPECT_THAT(api::IgnoredFields(object.at("spec").as_object(), release), IsEmpty());
      }
    }
  }
}

TEST(InstallationSchemaTest, DecoderChecksTheTypesOfItsTableAndOfNothingElse) {
  int read = 0;
  int unread = 0;
  for (const std::string& path : Paths(*FindSchema(InstallationSchema(), "spec"), "spec")) {
    SCOPED_TRACE(path);
    const auto fields = api::InstallationFields();
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const InstallationField& f) { return f.path == path; });
    const std::string_view type = field == fields.end() ? "string" : field->type;
    const absl::StatusOr<Installation> installation =
        Installation::Decode(InstallationWith(path, WrongValue(type)));
    if (field != fields.end()) {
      EXPECT_THAT(installation, StatusIs(absl::StatusCode::kInvalidArgument));
      ++read;
    } else {
      EXPECT_THAT(installation, IsOk());
      ++unread;
    }
  }
  EXPECT_EQ(read, static_cast<int>(api::InstallationFields().size()));
  EXPECT_GT(unread, 50);
}

TEST(InstallationSchemaTest, TakesTheInstallationsThatPeopleHave) {
  int count = 0;
  for (const auto& [name, installation] : Installations()) {
    SCOPED_TRACE(name);
    EXPECT_THAT(Violations(InstallationSchema(), installation, ""), IsEmpty());
    EXPECT_THAT(Installation::Decode(installation.as_object()), IsOk());
    ++count;
  }
  EXPECT_GE(count, 24);
}

TEST(InstallationSchemaTest, RefusesWhatCannotBeMeant) {
  struct Case {
    const char* path;
    json::value value;
    const char* want;
  };
  const json::value kManagement = json::object{{"caCert", "YQ=="}, {"signerName", "a.b/c"}};
  const Case kCases[] = {
      {"spec.certificateManagement", json::object{{"signerName", "a.b/c"}},
       ".spec.certificateManagement.caCert: required"},
      {"spec.certificateManagement", json::object{{"caCert", "YQ=="}},
       ".spec.certificateManagement.signerName: required"},
      {"spec.certificateManagement.caCert", "%%%", ".spec.certificateManagement.caCert: no base64"},
      {"spec.certificateManagement.signerName", json::string(572, 'a'),
       ".spec.certificateManagement.signerName: too long"},
      {"spec.certificateManagement.keyAlgorithm", "RSAWithSize1024",
       ".spec.certificateManagement.keyAlgorithm: unsupported value"},
      {"spec.certificateManagement.signatureAlgorithm", "MD5",
       ".spec.certificateManagement.signatureAlgorithm: unsupported value"},
      {"spec.calicoNetwork.mtu", "big", ".spec.calicoNetwork.mtu: expected integer, got string"},
      {"spec.calicoNetwork.bgp", "On", ".spec.calicoNetwork.bgp: unsupported value"},
      {"spec.certificateManagment", json::object(), ".spec.certificateManagment: unknown field"},
      {"spec.calicoNodeDaemonSet.spec.template.spec.containers[].name", "x",
       ".spec.calicoNodeDaemonSet.spec.template.spec.containers[0].name: unsupported value"},
      {"spec.typhaDeployment.spec.minReadySeconds", -1,
       ".spec.typhaDeployment.spec.minReadySeconds: too small"},
      {"spec.nodeMetricsPort", 5000000000, ".spec.nodeMetricsPort: no 32-bit number"},
      {"spec.logging.cni.logFileMaxSize", "many",
       ".spec.logging.cni.logFileMaxSize: does not match the pattern"},
  };
  EXPECT_THAT(Violations(InstallationSchema(),
                         InstallationWith("spec.certificateManagement", kManagement), ""),
              IsEmpty());
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.want);
    EXPECT_THAT(Violations(InstallationSchema(), InstallationWith(c.path, c.value), ""),
                Contains(c.want));
  }
}

// What the API server would keep without looking into it draws one note for the whole field, and a
// wrong shape or a misspelt name inside is never told.
TEST(InstallationSchemaTest, NothingOfTheSpecIsKeptUnseen) {
  const std::string spec = codec::Serialize(*FindSchema(InstallationSchema(), "spec"));
  EXPECT_FALSE(absl::StrContains(spec, "x-kubernetes-preserve-unknown-fields"));
}

TEST(InstallationSchemaTest, WrongShapesInsideOfOverridesAreNamed) {
  struct Case {
    const char* spec;
    std::vector<std::string> want;
  };
  const Case kCases[] = {
      {R"({"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"containers": [
           {"name": "calico-node", "env": [], "resources": {"requests": {"cpu": "250m"}}}]}}}}})",
       {".spec.calicoNodeDaemonSet.spec.template.spec.containers[0].env: unknown field"}},
      {R"({"typhaDeployment": {"spec": {"tolerations": [{"operator": "Exists"}], "replicas": 5}}})",
       {".spec.typhaDeployment.spec.tolerations: unknown field",
        ".spec.typhaDeployment.spec.replicas: unknown field"}},
      {R"({"componentResources": [{"componentName": "Node", "resourceRequirements": {
           "requests": {"cpu": "250m"}, "limit": {"memory": "1Gi"}}}]})",
       {".spec.componentResources[0].resourceRequirements.limit: unknown field"}},
      {R"({"csiNodeDriverDaemonSet": {"spec": {"template": {"spec": {"containers": [
           {"name": "driver"}]}}}}})",
       {".spec.csiNodeDriverDaemonSet.spec.template.spec.containers[0].name: unsupported value"}},
      {R"({"typhaAffinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
           {"nodeSelectorTerms": []}]}}})",
       {".spec.typhaAffinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution: expected "
        "object, got array"}},
      {R"({"typhaAffinity": {"nodeaffinity": {}}})",
       {".spec.typhaAffinity.nodeaffinity: unknown field"}},
      {R"({"controlPlaneNodeSelector": {"nodeSelector": {"a": "b"}, "tolerations": []}})",
       {".spec.controlPlaneNodeSelector.nodeSelector: expected string, got object",
        ".spec.controlPlaneNodeSelector.tolerations: expected string, got array"}},
      {R"({"controlPlaneTolerations": [{"key": "a", "value": true}]})",
       {".spec.controlPlaneTolerations[0].value: expected string, got boolean"}},
      {R"({"kubernetesProvider": "eks"})", {".spec.kubernetesProvider: unsupported value"}},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.spec);
    const json::value installation = json::object{{"metadata", {{"name", "default"}}},
                                                  {"spec", codec::ParseJson(c.spec).value()}};
    EXPECT_THAT(Violations(InstallationSchema(), installation, ""),
                ::testing::UnorderedElementsAreArray(c.want));
  }
}

TEST(InstallationSchemaTest, TakesTheOverridesThatAreRight) {
  for (const char* spec : {
           R"({"typhaAffinity": {"nodeAffinity": {
               "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {
                 "matchExpressions": [{"key": "m", "operator": "In", "values": ["system"]}]}}],
               "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{
                 "matchExpressions": [{"key": "m", "operator": "Exists"}]}]}}}})",
           R"({"calicoNodeDaemonSet": {"metadata": {"labels": {"a": "b"}}, "spec": {
               "minReadySeconds": 1, "template": {"spec": {
                 "containers": [{"name": "calico-node", "readinessProbe": {"periodSeconds": 5},
                                 "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}],
                 "initContainers": [{"name": "mount-bpffs"}],
                 "affinity": {"podAntiAffinity": {
                   "requiredDuringSchedulingIgnoredDuringExecution": [{
                     "topologyKey": "t", "labelSelector": {"matchLabels": {"a": "b"}}}]}},
                 "tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 5}],
                 "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}}}}})",
           R"({"typhaDeployment": {"spec": {"strategy": {"rollingUpdate": {"maxSurge": "25%"}},
               "template": {"spec": {"terminationGracePeriodSeconds": 30,
                 "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
                   "whenUnsatisfiable": "DoNotSchedule"}]}}}},
               "typhaPodDisruptionBudget": {"spec": {"maxUnavailable": "10%"}}})",
       }) {
    SCOPED_TRACE(spec);
    const json::value installation =
        json::object{{"metadata", {{"name", "default"}}}, {"spec", codec::ParseJson(spec).value()}};
    EXPECT_THAT(Violations(InstallationSchema(), installation, ""), IsEmpty());
  }
}

TEST(StatusSchemaTest, TakesWhatTheOperatorWrites) {
  api::TigeraStatus status;
  status.meta.name = "calico";
  status.conditions = {{.type = "Available",
                        .status = "False",
                        .last_transition_time = absl::FromUnixSeconds(1795376522)},
                       {.type = "Degraded",
                        .status = "True",
                        .reason = "PodFailure",
                        .message = "two\nlines",
                        .last_transition_time = absl::FromUnixSeconds(1795376522),
                        .observed_generation = 3}};
  EXPECT_THAT(Violations(*SchemaOf(Crd(kTigeraStatusCrd)), json::value(status.Encode()), ""),
              IsEmpty());

  json::object installation = InstallationWith("spec.registry", "r/");
  installation["status"] = json::object{
      {"conditions", api::EncodeConditions(api::InstallationConditions(status.conditions),
                                           api::EmptyText::kKeep)}};
  EXPECT_THAT(Violations(InstallationSchema(), json::value(installation), ""), IsEmpty());
}

}  // namespace
}  // namespace calico::crds
