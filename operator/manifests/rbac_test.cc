// Nobody gets more rights than he needs: neither the programs by the manifests of this folder, nor
// Calico by what the operator makes.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/manifests/manifests.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::manifests {
namespace {

using testing::Contains;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;

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
  Objects objects;
  for (json::object& object : render::RenderNewest(c.installation, c.inputs)) {
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
  for (const char* verb : {"escalate", "bind", "impersonate", "approve", "sign"}) {
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
      if (broad.contains(role)) found.push_back("bound to " + role);
      if (kind == "ClusterRoleBinding" && role == copies_secrets) {
        found.push_back("bound everywhere to " + role);
      }
      for (const json::value& subject : object.at("subjects").as_array()) {
        if (subject.at("kind").as_string() != "ServiceAccount") found.emplace_back("a group");
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

TEST(RbacTest, RenderedRolesAreNarrow) {
  const Objects objects = Rendered();
  EXPECT_THAT(CountOf(objects, "ClusterRole"), Gt(2U));
  EXPECT_THAT(Check(objects), IsEmpty());
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
              Contains(HasSubstr("bind of any name")));
  EXPECT_THAT(check("{kind: ClusterRole, metadata: {name: a}, rules: [{apiGroups: [''], resources: "
                    "[secrets], verbs: [list]}]}"),
              Contains(HasSubstr("Secrets of all namespaces")));
  EXPECT_THAT(check("{kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {name: "
                    "cluster-admin}, subjects: [{kind: ServiceAccount, name: b}]}"),
              Contains(HasSubstr("bound to cluster-admin")));
}

}  // namespace
}  // namespace calico::manifests
