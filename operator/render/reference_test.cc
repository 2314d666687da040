// Our objects beside those of Tigera's operator v1.42.4: every difference must be in a table here,
// with its reason, and every line of the tables must be needed.

#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"

namespace calico::render {
namespace {

using Flat = std::map<std::string, std::string>;  // path -> JSON of a scalar

// What the API server fills in where we say nothing.
struct Default {
  std::string_view path;  // a suffix
  std::string_view value;
};
constexpr Default kServerDefaults[] = {
    {".terminationMessagePath", R"("/dev/termination-log")"},
    {".terminationMessagePolicy", R"("File")"},
    {".successThreshold", "1"},
    {".fieldRef.apiVersion", R"("v1")"},
    {".hostPath.type", R"("")"},
    {".resources", "{}"},
    {".value", R"("")"},
    {"template.spec.restartPolicy", R"("Always")"},
    {"template.spec.schedulerName", R"("default-scheduler")"},
    {"template.spec.securityContext", "{}"},
    {"template.spec.serviceAccount", R"("calico-node")"},
    {"template.spec.serviceAccount", R"("calico-typha")"},
    {"metadata.annotations.deprecated.daemonset.template.generation", R"("2")"},
    {"metadata.annotations.deployment.kubernetes.io/revision", R"("1")"},
    {"metadata.labels.kubernetes.io/metadata.name", R"("calico-system")"},
    {"spec.finalizers[0]", R"("kubernetes")"},
    {"spec.clusterIP", "*"},
    {"spec.clusterIPs[0]", "*"},
    {"spec.type", R"("ClusterIP")"},
    {"spec.sessionAffinity", R"("None")"},
    {"spec.ipFamilies[0]", R"("IPv4")"},
    {"spec.ipFamilyPolicy", R"("SingleStack")"},
    {"spec.internalTrafficPolicy", R"("Cluster")"},
};

// Where we differ on purpose. `*` stands for any text.
struct Deliberate {
  std::string_view where;  // "Kind/name path"
  std::string_view why;
};
constexpr Deliberate kDeliberate[] = {
    {"* metadata.labels.app.kubernetes.io/managed-by", "another operator manages them"},
    {"* metadata.ownerReferences[default].uid", "left out of the reference data"},
    {"Namespace/calico-system metadata.ownerReferences*", "goes last"},
    {"*/calico-cni-plugin metadata.ownerReferences*", "goes last, when no pod needs it"},
    {"* metadata.finalizers[0]", "the garbage collector takes everything; nothing to protect"},
    {"* spec.template.metadata.annotations.tigera-operator.hash.operator.tigera.io/node-certs",
     "the same certificate under another name"},
    {"* spec.template.metadata.annotations.tigera-operator.hash.operator.tigera.io/typha-certs",
     "the same certificate under another name"},
    {"* spec.template.metadata.annotations.hash.operator.tigera.io/system",
     "no public roots are mounted"},
    {"ConfigMap/tigera-ca-bundle metadata.annotations.*", "nobody reads them"},
    {"ConfigMap/tigera-ca-bundle data.ca-bundle.crt",
     "public roots: the images have their own, and no peer may trust them"},
    {"ConfigMap/tigera-ca-bundle data.ca.crt", "the CA once, not three times"},
    {"ConfigMap/tigera-ca-bundle data.tigera-ca-bundle.crt", "the CA once, not three times"},
    {"*.volumeMounts[/etc/pki/tls/cert.pem].*", "no public roots are mounted"},
    {"*.initContainers[*-key-cert-provisioner].image", "our own image and its version"},
    {"*.initContainers[*-key-cert-provisioner].env[POD_UID].*", "the name of the request has it"},
    {"*.initContainers[*-key-cert-provisioner].env[POD_IPS].*", "every address is certified"},
    {"*.initContainers[*-key-cert-provisioner].env[EXTENDED_KEY_USAGES].*",
     "a server needs no client's certificate, nor the other way round"},
    {"*.initContainers[*-key-cert-provisioner].env[KUBERNETES_SERVICE_*",
     "the API server must be reached before the service network works"},
    {"*.initContainers[*-key-cert-provisioner].resources.limits.cpu",
     "a limit of 10m stretches the making of a key a hundredfold"},
    {"*.initContainers[*-key-cert-provisioner].securityContext.readOnlyRootFilesystem",
     "writes to its volume only"},
    {"DaemonSet/calico-node *.initContainers[node-certs-key-cert-provisioner].securityContext."
     "privileged",
     "needs no privilege"},
    {"DaemonSet/calico-node *.initContainers[node-certs-key-cert-provisioner].securityContext."
     "allowPrivilegeEscalation",
     "needs no privilege"},
    {"ClusterRole/tigera-csr-creator rules[0].verbs[*", "get and list: it resumes a closed watch"},
};

bool Matches(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t i = star; i <= text.size(); ++i) {
    if (Matches(rest, text.substr(i))) return true;
  }
  return false;
}

std::string ElementKey(const json::value& element, size_t index) {
  for (const std::string_view key : {"mountPath", "name"}) {
    if (element.is_object() && element.get_object().contains(key)) {
      return std::string(TextAt(element.get_object(), key));
    }
  }
  return fmt::to_string(index);
}

void Flatten(const json::value& value, const std::string& path, Flat& flat) {
  if (value.is_object() && !value.get_object().empty()) {
    for (const auto& member : value.get_object()) {
      const std::string key(member.key().data(), member.key().size());
      Flatten(member.value(), path.empty() ? key : path + "." + key, flat);
    }
  } else if (value.is_array() && !value.get_array().empty()) {
    size_t index = 0;
    for (const json::value& element : value.get_array()) {
      Flatten(element, fmt::format("{}[{}]", path, ElementKey(element, index++)), flat);
    }
  } else {
    flat.emplace(path, codec::Serialize(value));
  }
}

std::string Identity(const json::object& object) {
  return fmt::format("{}/{}", KindOf(object), NameOf(object));
}

bool IsServerDefault(std::string_view path, std::string_view value) {
  for (const Default& entry : kServerDefaults) {
    if (path.ends_with(entry.path) && (entry.value == "*" || entry.value == value)) return true;
  }
  return false;
}

class ReferenceTest : public testing::Test {
 protected:
  static void TearDownTestSuite() {
    for (const Deliberate& entry : kDeliberate) {
      EXPECT_TRUE(used_.contains(entry.where)) << "not needed: " << entry.where;
    }
  }

  void Compare(std::string_view name) {
    const ReferenceCase reference = LoadReferenceCase(name);
    std::map<std::string, Flat> ours;
    for (const json::object& object : RenderDefault(reference.installation, reference.inputs)) {
      Flatten(object, "", ours[Identity(object)]);
    }
    std::map<std::string, Flat> theirs;
    for (const json::object& object : reference.objects) {
      Flatten(object, "", theirs[Identity(object)]);
    }
    // Ours alone: the admission policies.
    for (const char* policy : {"calico-system-csr-names", "calico-system-status"}) {
      EXPECT_EQ(ours.erase(fmt::format("ValidatingAdmissionPolicy/{}", policy)), 1U);
      EXPECT_EQ(ours.erase(fmt::format("ValidatingAdmissionPolicyBinding/{}", policy)), 1U);
    }
    // Theirs alone: an operator that may bind roles may give itself any, so this one comes with
    // ours and is not made by it.
    EXPECT_EQ(theirs.erase("RoleBinding/tigera-operator-secrets"), 1U);
    // Left out of the reference data.
    for (const char* identity :
         {"ConfigMap/active-operator", "CSIDriver/csi.tigera.io",
          "ClusterRole/calico-kube-controllers", "ClusterRoleBinding/calico-kube-controllers",
          "DaemonSet/csi-node-driver", "Deployment/calico-kube-controllers",
          "ServiceAccount/calico-kube-controllers", "ServiceAccount/csi-node-driver"}) {
      EXPECT_EQ(ours.erase(identity), 1U) << identity;
    }
    for (const auto& [identity, flat] : theirs) {
      EXPECT_TRUE(ours.contains(identity)) << identity << " is not rendered";
      CompareObjects(identity, flat, ours[identity]);
      ours.erase(identity);
    }
    for (const auto& [identity, flat] : ours) ADD_FAILURE() << identity << " is ours alone";
  }

 private:
  void CompareObjects(const std::string& identity, const Flat& theirs, const Flat& ours) {
    for (const auto& [path, value] : theirs) {
      const auto found = ours.find(path);
      if (found == ours.end()) {
        if (!IsServerDefault(path, value)) Explain(identity, path, value, "absent");
      } else if (found->second != value) {
        Explain(identity, path, value, found->second);
      }
    }
    for (const auto& [path, value] : ours) {
      if (!theirs.contains(path) && !(path.ends_with(".value") && value == R"("")")) {
        Explain(identity, path, "absent", value);
      }
    }
  }

  void Explain(const std::string& identity, const std::string& path, const std::string& theirs,
               const std::string& ours) {
    const std::string where = fmt::format("{} {}", identity, path);
    bool explained = false;
    for (const Deliberate& entry : kDeliberate) {
      if (!Matches(entry.where, where)) continue;
      used_.insert(entry.where);
      explained = true;
    }
    EXPECT_TRUE(explained) << where << "\n  theirs: " << theirs.substr(0, 200)
                           << "\n  ours:   " << ours.substr(0, 200);
  }

  static std::set<std::string_view> used_;
};
std::set<std::string_view> ReferenceTest::used_;

TEST_F(ReferenceTest, CertificateManagementWithDefaults) { Compare("b-cm-default"); }

TEST_F(ReferenceTest, CertificateManagementWithEverythingSet) { Compare("c-cm-ecdsa"); }

TEST_F(ReferenceTest, CniConfigHoldsTheSame) {
  for (const std::string_view name : {"b-cm-default", "c-cm-ecdsa"}) {
    ReferenceCase reference = LoadReferenceCase(name);
    const auto config = [](std::vector<json::object> objects) {
      for (json::object& object : objects) {
        if (Identity(object) != "ConfigMap/cni-config") continue;
        return *codec::ParseJson(TextAt(ObjectAt(object, {"data"}), "config"));
      }
      return json::value();
    };
    EXPECT_EQ(config(RenderDefault(reference.installation, reference.inputs)),
              config(reference.objects));
  }
}

}  // namespace
}  // namespace calico::render
