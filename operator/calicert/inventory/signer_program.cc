// What a Deployment of csr-signer says about the program in it.

#include <string_view>

#include "operator/calicert/inventory/signer_state.h"

namespace calico::calicert::inventory {
namespace {

const json::object& ObjectAt(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const json::object* const found = codec::FindObject(object, key);
  return found == nullptr ? kEmpty : *found;
}

// Calls `each` for the objects of a list.
template <class Each>
void ForEach(const json::object& object, std::string_view key, const Each& each) {
  const json::array* const list = codec::FindArray(object, key);
  if (list == nullptr) return;
  for (const json::value& item : *list) {
    if (item.is_object()) each(item.get_object());
  }
}

// The values of `--name=value` and `--name value`.
std::vector<std::string> ValuesOf(const json::object& container, std::string_view name) {
  std::vector<std::string> words;
  for (const char* const key : {"command", "args"}) {
    const json::array* const list = codec::FindArray(container, key);
    if (list == nullptr) continue;
    for (const json::value& word : *list) {
      if (word.is_string()) words.emplace_back(codec::View(word.get_string()));
    }
  }
  std::vector<std::string> values;
  const std::string flag = "--" + std::string(name);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(flag + "=")) values.push_back(words[i].substr(flag.size() + 1));
    if (words[i] == flag && i + 1 < words.size()) values.push_back(words[i + 1]);
  }
  return values;
}

std::string LastOf(const std::vector<std::string>& values) {
  return values.empty() ? std::string() : values.back();
}

struct FileInVolume {
  std::string source;  // Secret or ConfigMap
  std::string key;
};

// Which object a file of the container comes from.
FileInVolume Locate(const json::object& pod_spec, const json::object& container,
                    const std::string& path, std::string_view kind, std::string_view name_field) {
  FileInVolume located;
  ForEach(container, "volumeMounts", [&](const json::object& mount) {
    const std::string folder = std::string(codec::TextAt(mount, "mountPath")) + "/";
    if (!path.starts_with(folder)) return;
    ForEach(pod_spec, "volumes", [&](const json::object& volume) {
      if (codec::TextAt(volume, "name") != codec::TextAt(mount, "name")) return;
      const std::string_view source = codec::TextAt(ObjectAt(volume, kind), name_field);
      if (source.empty()) return;
      located = {std::string(source), path.substr(folder.size())};
      // `items` may give a key another file name.
      ForEach(ObjectAt(volume, kind), "items", [&](const json::object& item) {
        if (codec::TextAt(item, "path") == located.key) located.key = codec::TextAt(item, "key");
      });
    });
  });
  return located;
}

}  // namespace

SignerProgram ProgramOf(const json::object& deployment) {
  SignerProgram program;
  const json::object& spec = ObjectAt(ObjectAt(ObjectAt(deployment, "spec"), "template"), "spec");
  program.service_account = codec::TextAt(spec, "serviceAccountName");
  if (program.service_account.empty()) program.service_account = "default";
  const json::object& status = ObjectAt(deployment, "status");
  if (const json::value* const ready = status.if_contains("readyReplicas")) {
    if (ready->is_int64()) program.ready_replicas = static_cast<int>(ready->get_int64());
  }
  ForEach(spec, "containers", [&](const json::object& container) {
    const std::vector<std::string> names = ValuesOf(container, "signer-name");
    if (names.empty()) return;
    program.signer_names = names;
    program.policy_file = LastOf(ValuesOf(container, "policy"));
    const FileInVolume ca =
        Locate(spec, container, LastOf(ValuesOf(container, "ca-cert")), "secret", "secretName");
    program.ca_secret = ca.source;
    program.ca_key = ca.key;
    const FileInVolume policy = Locate(spec, container, program.policy_file, "configMap", "name");
    program.policy_map = policy.source;
    program.policy_key = policy.key;
  });
  return program;
}

}  // namespace calico::calicert::inventory
