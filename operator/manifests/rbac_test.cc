// Nobody gets more rights than he needs: neither the programs by the manifests of this folder, nor
// Calico by what the operator makes.

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/calico/definitions.h"
#include "crds/crds.h"
#include "operator/manifests/manifests.h"
#include "operator/render/derived_values.h"
#include "operator/render/releases.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/combinations.h"
#include "operator/render/testing/objects.h"
#include "pkg/base/testing/golden.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::manifests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Objects = std::vector<std::pair<std::string, json::object>>;  // with where they come from

Objects Shipped() {
  Objects objects;
  for (const base::EmbeddedFile& file : Manifests()) {
    auto documents = codec::ParseYamlDocuments(file.content);
    if (!documents.ok()) ADD_FAILURE() << file.name << ": " << documents.status();
    if (!documents.ok()) continue;
    for (json::value& document : *documents) {
      objects.emplace_back(std::string(file.name), std::move(document.as_object()));
    }
  }
  return objects;
}

Objects Rendered() {
  render::ReferenceCase c = render::LoadReferenceCase("c-cm-ecdsa");
  c.inputs.has_admission_policies = true;
  c.inputs.api_server = render::ApiServerInput{.uid = "uid", .spec = {}};
  Objects objects;
  for (json::object& object : render::RenderDefault(c.installation, c.inputs)) {
    objects.emplace_back("rendered", std::move(object));
  }
  return objects;
}

std::set<std::string> Strings(const json::object& rule, std::string_view key) {
  std::set<std::string> strings;
  const json::value* const list = rule.if_contains(key);
  if (list == nullptr) return strings;
  for (const json::value& text : list->as_array()) strings.emplace(text.as_string());
  return strings;
}

// What is wrong with one rule of a role.
std::vector<std::string> CheckRule(const json::object& rule, bool is_cluster_wide) {
  std::vector<std::string> problems;
  for (const char* key : {"apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"}) {
    for (const std::string& text : Strings(rule, key)) {
      if (text.find('*') != std::string::npos) problems.push_back(fmt::format("{} *", key));
    }
  }
  const std::set<std::string> verbs = Strings(rule, "verbs");
  const bool is_named = !Strings(rule, "resourceNames").empty();
  // With one of these a thief gives himself any right.
  for (const char* verb : {"escalate", "bind", "impersonate"}) {
    if (verbs.contains(verb)) problems.emplace_back(verb);
  }
  for (const char* verb : {"approve", "sign"}) {
    if (verbs.contains(verb) && !is_named) problems.push_back(fmt::format("{} of any name", verb));
  }
  const bool writes_roles = Strings(rule, "apiGroups").contains("rbac.authorization.k8s.io") &&
                            std::any_of(verbs.begin(), verbs.end(), [](const std::string& verb) {
                              return verb != "get" && verb != "list" && verb != "watch";
                            });
  if (writes_roles && !is_named) problems.emplace_back("roles of any name are written");
  if (is_cluster_wide && Strings(rule, "resources").contains("secrets") && !is_named) {
    problems.emplace_back("Secrets of all namespaces");
  }
  return problems;
}

// The controller manager sees tiers, else it deletes no policy whose owner has gone. What everybody
// may do with policies decide the rights to their tiers, in Calico's API server.
const std::set<std::string> kOpenBindings = {
    "calico-tier-getter system:kube-controller-manager",
    "calico-tiered-policy-passthrough system:authenticated"};

// A file of its own, which nobody needs elsewhere.
constexpr std::string_view kForDockerEnterprise = "calico-cluster-admin";

std::vector<std::string> Check(const Objects& objects) {
  // Bound by a RoleBinding in calico-system alone; its names are the user's choice.
  const std::string copies_secrets = "tigera-operator-secrets";
  std::vector<std::string> problems;
  for (const auto& [where, object] : objects) {
    const std::string kind(object.at("kind").as_string());
    const std::string name(object.at("metadata").at("name").as_string());
    std::vector<std::string> found;
    if (kind == "Role" || kind == "ClusterRole") {
      const bool is_cluster_wide = kind == "ClusterRole" && name != copies_secrets;
      for (const json::value& rule : object.at("rules").as_array()) {
        for (std::string& problem : CheckRule(rule.as_object(), is_cluster_wide)) {
          found.push_back(std::move(problem));
        }
      }
    } else if (kind == "RoleBinding" || kind == "ClusterRoleBinding") {
      const std::string role(object.at("roleRef").at("name").as_string());
      const std::set<std::string> broad = {"cluster-admin", "admin", "edit"};
      if (broad.contains(role) && name != kForDockerEnterprise) found.push_back("bound to " + role);
      if (kind == "ClusterRoleBinding" && role == copies_secrets) {
        found.push_back("bound everywhere to " + role);
      }
      for (const json::value& subject : object.at("subjects").as_array()) {
        const bool is_known = subject.at("kind").as_string() == "ServiceAccount" ||
                              kOpenBindings.contains(fmt::format(
                                  "{} {}", name, std::string_view(subject.at("name").as_string())));
        if (!is_known) found.emplace_back("a group");
      }
    }
    for (const std::string& problem : found) {
      problems.push_back(fmt::format("{}: {} {}: {}", where, kind, name, problem));
    }
  }
  return problems;
}

size_t CountOf(const Objects& objects, std::string_view kind) {
  return std::count_if(objects.begin(), objects.end(), [&](const auto& entry) {
    return std::string_view(entry.second.at("kind").as_string()) == kind;
  });
}

TEST(RbacTest, ShippedRolesAreNarrow) {
  const Objects objects = Shipped();
  EXPECT_THAT(CountOf(objects, "ClusterRole"), Gt(2U));
  EXPECT_THAT(Check(objects), IsEmpty());
}

// Not by what everybody applies.
TEST(RbacTest, AdministratorsAreMadeByTheFileForDockerEnterpriseAlone) {
  for (const auto& [file, object] : Shipped()) {
    const bool is_it = object.at("metadata").at("name").as_string() == kForDockerEnterprise;
    EXPECT_EQ(is_it, file == "docker-enterprise.yaml") << file;
  }
}

TEST(RbacTest, RenderedRolesAreNarrow) {
  const Objects objects = Rendered();
  EXPECT_THAT(CountOf(objects, "ClusterRole"), Gt(2U));
  EXPECT_THAT(Check(objects), IsEmpty());
}

// One right: a verb on a resource of a group, of one name or (empty) of all; or a path.
using Atoms = std::set<std::string>;

void AddAtoms(const json::object& role, Atoms& atoms) {
  for (const json::value& value : role.at("rules").as_array()) {
    const json::object& rule = value.as_object();
    std::set<std::string> names = Strings(rule, "resourceNames");
    if (names.empty()) names.emplace();
    for (const std::string& verb : Strings(rule, "verbs")) {
      for (const std::string& path : Strings(rule, "nonResourceURLs")) {
        atoms.insert(fmt::format("{} {}", verb, path));
      }
      for (const std::string& group : Strings(rule, "apiGroups")) {
        for (const std::string& resource : Strings(rule, "resources")) {
          for (const std::string& name : names) {
            atoms.insert(fmt::format("{} {}/{} {}", verb, group, resource, name));
          }
        }
      }
    }
  }
}

// What the roles grant that any release renders for any Installation.
Atoms RenderedAtoms() {
  Atoms atoms;
  render::Releases& releases = render::Releases::Embedded();
  for (const std::string& version : releases.versions()) {
    const absl::StatusOr<const render::Release*> release = releases.Find(version);
    if (!release.ok()) ADD_FAILURE() << release.status();
    if (!release.ok()) continue;
    render::ForCombinations(**release, [&](const render::Facts& facts) {
      const absl::StatusOr<std::vector<json::object>> objects =
          (*release)->Select(facts, render::SampleValues());
      ASSERT_THAT(objects, base::IsOk()) << version;
      for (const json::object& object : *objects) {
        const std::string_view kind = object.at("kind").as_string();
        if (kind == "ClusterRole" || kind == "Role") AddAtoms(object, atoms);
      }
    });
  }
  return atoms;
}

const json::object* Find(const Objects& objects, std::string_view kind, std::string_view name) {
  for (const auto& [where, object] : objects) {
    if (std::string_view(object.at("kind").as_string()) != kind) continue;
    if (std::string_view(object.at("metadata").at("name").as_string()) == name) return &object;
  }
  return nullptr;
}

Atoms Without(const Atoms& all, const Atoms& some) {
  Atoms rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(),
                      std::inserter(rest, rest.end()));
  return rest;
}

// The API server takes a role only from who holds all that it grants. What the operator holds
// besides, for its own work, is in the golden file, so that a change of it is seen.
TEST(RbacTest, TheOperatorHoldsWhatItGrantsAndNoMoreThanItsOwnWorkNeeds) {
  const Objects objects = Shipped();
  const json::object* const role = Find(objects, "ClusterRole", "calico-operator");
  const json::object* const binding = Find(objects, "ClusterRoleBinding", "calico-operator");
  ASSERT_NE(role, nullptr);
  ASSERT_NE(binding, nullptr);
  EXPECT_EQ(binding->at("roleRef").at("name"), "calico-operator");
  EXPECT_EQ(
      codec::Serialize(binding->at("subjects")),
      R"([{"kind":"ServiceAccount","name":"tigera-operator","namespace":"tigera-operator"}])");
  Atoms held;
  AddAtoms(*role, held);
  const Atoms granted = RenderedAtoms();
  EXPECT_THAT(granted, SizeIs(Gt(100U)));
  EXPECT_THAT(Without(granted, held), IsEmpty());
  EXPECT_THAT(fmt::format("{}\n", fmt::join(Without(held, granted), "\n")),
              base::MatchesGolden("manifests/operator_rights.txt"));
}

// Each of these is a way to what the signer believes, or to another node, that an admission policy
// closes (calico-system-csr-names, calico-system-status) or that leads nowhere: the CNI plugin may
// do less than calico-node, and a Service can take an address, which denies a certificate that
// carries it and gives none (docs/ARCHITECTURE.md). Another one needs a policy first.
TEST(RbacTest, EveryWriteOfCalicosRolesIsThoughtOf) {
  Atoms writes;
  for (const std::string& right : RenderedAtoms()) {
    const bool reads =
        right.starts_with("get ") || right.starts_with("list ") || right.starts_with("watch ");
    const bool is_calicos_own = right.find("projectcalico.org/") != std::string::npos;
    if (!reads && !is_calicos_own) writes.insert(right);
  }
  EXPECT_THAT(writes,
              ElementsAre("create /serviceaccounts/token calico-cni-plugin",
                          "create certificates.k8s.io/certificatesigningrequests ",
                          "delete certificates.k8s.io/certificatesigningrequests ",
                          "patch /nodes/status ", "patch /pods/status ", "update /nodes/status ",
                          "update /services ", "update /services/status ",
                          "use security.openshift.io/securitycontextconstraints nonroot-v2",
                          "use security.openshift.io/securitycontextconstraints privileged"));
}

// What is rendered must have one of the names that the operator may write.
TEST(RbacTest, TheOperatorMayWriteEveryRoleBindingAndPolicyThatIsRendered) {
  const Objects objects = Shipped();
  Atoms held;
  AddAtoms(*Find(objects, "ClusterRole", "calico-operator"), held);
  const std::map<std::string_view, std::string_view> resources = {
      {"APIService", "apiregistration.k8s.io/apiservices"},
      {"CSIDriver", "storage.k8s.io/csidrivers"},
      {"Role", "rbac.authorization.k8s.io/roles"},
      {"RoleBinding", "rbac.authorization.k8s.io/rolebindings"},
      {"ClusterRole", "rbac.authorization.k8s.io/clusterroles"},
      {"ClusterRoleBinding", "rbac.authorization.k8s.io/clusterrolebindings"},
      {"ValidatingAdmissionPolicy", "admissionregistration.k8s.io/validatingadmissionpolicies"},
      {"ValidatingAdmissionPolicyBinding",
       "admissionregistration.k8s.io/validatingadmissionpolicybindings"}};
  Atoms needed;
  for (const auto& [where, object] : Rendered()) {
    const auto found = resources.find(std::string_view(object.at("kind").as_string()));
    if (found == resources.end()) continue;
    for (const char* verb : {"create", "patch", "delete"}) {
      needed.insert(fmt::format("{} {} {}", verb, found->second,
                                std::string_view(object.at("metadata").at("name").as_string())));
    }
  }
  EXPECT_THAT(needed, SizeIs(Gt(20U)));
  for (const std::string& right : needed) EXPECT_TRUE(held.contains(right)) << right;
}

// Elsewhere than in its own namespace the operator reaches Secrets of these names alone; there it
// may write those of certificates, and make new ones, which a role cannot tie to a name.
TEST(RbacTest, TheOperatorReachesNoSecretsButThoseOfCertificates) {
  const Objects objects = Shipped();
  const auto of_secrets = [](const json::object& role) {
    Atoms all;
    Atoms secrets;
    AddAtoms(role, all);
    for (const std::string& right : all) {
      if (right.find(" /secrets") != std::string::npos) secrets.insert(right);
    }
    return secrets;
  };
  Atoms everywhere;
  for (const char* verb : {"list", "watch", "create", "patch", "delete"}) {
    for (const char* name : {"node-certs", "typha-certs", "calico-apiserver-certs"}) {
      everywhere.insert(fmt::format("{} /secrets {}", verb, name));
    }
  }
  EXPECT_EQ(of_secrets(*Find(objects, "ClusterRole", "calico-operator")), everywhere);
  Atoms own = {"list /secrets ", "watch /secrets ", "create /secrets "};
  for (const char* verb : {"patch", "delete"}) {
    for (const char* name :
         {"tigera-ca-private", "node-certs", "typha-certs", "calico-apiserver-certs"}) {
      own.insert(fmt::format("{} /secrets {}", verb, name));
    }
  }
  EXPECT_EQ(of_secrets(*Find(objects, "Role", "tigera-operator")), own);
}

TEST(RbacTest, TheOperatorMayManageTheDefinitionsInsideOfItAndNoOther) {
  Atoms held;
  AddAtoms(*Find(Shipped(), "ClusterRole", "calico-operator"), held);
  std::set<std::string> names;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    names.emplace(codec::ParseYaml(file.content)->at("metadata").at("name").as_string());
  }
  for (const char* release : {"v3.27", "v3.32", "v3.33"}) {
    const std::vector<json::object> definitions = crds::CalicoDefinitions(release).value();
    for (const json::object& definition : definitions) {
      names.emplace(definition.at("metadata").at("name").as_string());
    }
  }
  Atoms needed;
  for (const std::string& name : names) {
    for (const char* verb : {"create", "get", "patch"}) {
      needed.insert(
          fmt::format("{} apiextensions.k8s.io/customresourcedefinitions {}", verb, name));
    }
  }
  // calico-kube-controllers reads them all.
  for (const char* verb : {"get", "list", "watch"}) {
    needed.insert(fmt::format("{} apiextensions.k8s.io/customresourcedefinitions ", verb));
  }
  Atoms own;
  for (const std::string& right : held) {
    if (right.find("apiextensions.k8s.io/") != std::string::npos) own.insert(right);
  }
  EXPECT_EQ(own, needed);
}

TEST(RbacTest, WideOnesAreFound) {
  const auto check = [](std::string_view yaml) {
    return Check({{"test", codec::ParseYaml(yaml)->as_object()}});
  };
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: ['*'], "
                    "resources: [x], verbs: [get]}]}"),
              Contains(HasSubstr("apiGroups *")));
  EXPECT_THAT(check("{kind: Role, metadata: {name: a}, rules: [{apiGroups: [''], resources: "
                    "[pods/*], verbs: [get]}]}"),
              Contains(HasSubstr("resources *")));
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: "
                    "[rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}]}"),
              Contains(HasSubstr("bind")));
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: "
                    "[rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [b], "
                    "verbs: [escalate]}]}"),
              Contains(HasSubstr("escalate")));
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: "
                    "[certificates.k8s.io], resources: [signers], verbs: [approve]}]}"),
              Contains(HasSubstr("approve of any name")));
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: [''], resources: "
                    "[secrets], verbs: [list]}]}"),
              Contains(HasSubstr("Secrets of all namespaces")));
  EXPECT_THAT(check("{kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {name: "
                    "cluster-admin}, subjects: [{kind: ServiceAccount, name: b}]}"),
              Contains(HasSubstr("bound to cluster-admin")));
}

}  // namespace
}  // namespace calico::manifests
