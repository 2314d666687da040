#include "operator/render/release.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "operator/render/derived_values.h"
#include "operator/render/object_path.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/merge.h"
#include "pkg/kube/schema/shape.h"

namespace calico::render {
namespace {

using Objects = std::vector<json::object>;

constexpr std::string_view kReleaseFile = "release.yaml";
constexpr std::string_view kShared = "shared/";

constexpr std::pair<std::string_view, Release::Feature> kFeatures[] = {
    {"CustomOverridesAnnotation", Release::Feature::kCustomOverridesAnnotation},
    {"HostNetworkedLabel", Release::Feature::kHostNetworkedLabel},
    {"LabelsOnPods", Release::Feature::kLabelsOnPods},
    {"TlsCipherSuites", Release::Feature::kTlsCipherSuites},
};

std::string_view NamespaceOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata == nullptr ? std::string_view() : TextAt(*metadata, "namespace");
}

std::string Identity(const json::object& object) {
  const std::string_view ns = NamespaceOf(object);
  return fmt::format("{} {}{}{}", KindOf(object), ns, ns.empty() ? "" : "/", NameOf(object));
}

bool IsSame(const json::object& a, const json::object& b) {
  return NameOf(a) == NameOf(b) && KindOf(a) == KindOf(b) && NamespaceOf(a) == NamespaceOf(b) &&
         TextAt(a, "apiVersion") == TextAt(b, "apiVersion");
}

absl::Status Bad(std::string_view file, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", file, what));
}

// An error of an object, with the file that it stands in.
absl::Status In(std::string_view file, const json::object& object, const absl::Status& status) {
  if (status.ok()) return status;
  return base::Annotate(status, fmt::format("{}: {}", file, Identity(object)));
}

// A copy of `objects` with values.
absl::StatusOr<Objects> Expanded(std::string_view file, const Objects& objects,
                                 const MarkerValues& values) {
  Objects result = objects;
  for (json::object& object : result) {
    CALICO_RETURN_IF_ERROR(In(file, object, ExpandMarkers(object, values)));
  }
  return result;
}

// Merges every patch into the one object that it is for.
absl::Status MergeAll(std::string_view file, const Objects& patches, Objects& objects) {
  for (const json::object& patch : patches) {
    const auto target = std::find_if(objects.begin(), objects.end(),
                                     [&](const json::object& it) { return IsSame(it, patch); });
    if (target == objects.end()) {
      return Bad(file, fmt::format("{}: no manifest has such an object", Identity(patch)));
    }
    absl::StatusOr<json::object> merged =
        kube::Merge(kube::Schema::Kubernetes(), std::move(*target), patch);
    if (!merged.ok()) return In(file, patch, merged.status());
    *target = *std::move(merged);
  }
  return absl::OkStatus();
}

}  // namespace

// Reads the files of one folder, each once.
class ReleaseReader {
 public:
  ReleaseReader(std::string_view version, std::span<const base::EmbeddedFile> files)
      : folder_(fmt::format("{}/", version)), files_(files) {
    release_.version_ = std::string(version);
  }

  absl::StatusOr<Release> Read() {
    CALICO_ASSIGN_OR_RETURN(const Objects documents, ReadFile(std::string(kReleaseFile)));
    if (documents.size() != 1) return Bad(Name(kReleaseFile), "expected one document");
    const json::object& index = documents.front();
    absl::StatusOr<ImageTable> images = ImageTable::Parse(index);
    if (!images.ok()) return base::Annotate(images.status(), Name(kReleaseFile));
    release_.images_ = *std::move(images);
    const std::string name = Name(kReleaseFile);
    codec::Decoder decoder(name);
    const codec::ObjectReader reader = decoder.Read(index);
    release_.calico_version_ = reader.RequiredString("calicoVersion");
    const std::vector<std::string> manifests = reader.StringList("manifests");
    const std::vector<std::string> fragments = reader.StringList("fragments");
    const std::vector<std::string> features = reader.StringList("features");
    CALICO_RETURN_IF_ERROR(decoder.status());
    for (const std::string& name : features) CALICO_RETURN_IF_ERROR(AddFeature(name));
    for (const std::string& name : manifests) CALICO_RETURN_IF_ERROR(ReadManifest(name));
    for (const std::string& name : fragments) CALICO_RETURN_IF_ERROR(ReadFragment(name));
    CALICO_RETURN_IF_ERROR(CheckAllRead());
    return std::move(release_);
  }

 private:
  std::string Name(std::string_view file) const { return fmt::format("{}{}", folder_, file); }

  absl::Status AddFeature(std::string_view name) {
    for (const auto& [feature_name, feature] : kFeatures) {
      if (feature_name != name) continue;
      release_.features_.insert(feature);
      return absl::OkStatus();
    }
    return Bad(Name(kReleaseFile), fmt::format("features: there is no {}", name));
  }

  // The release's own file, else the shared one; null if there is neither.
  const base::EmbeddedFile* FindFile(std::string_view file) const {
    for (const std::string_view folder : {std::string_view(folder_), kShared}) {
      const std::string ending = fmt::format("/{}{}", folder, file);
      const auto found = std::find_if(files_.begin(), files_.end(), [&](const auto& candidate) {
        return candidate.name.ends_with(ending);
      });
      if (found != files_.end()) return &*found;
    }
    return nullptr;
  }

  absl::StatusOr<Objects> ReadFile(const std::string& file) {
    const base::EmbeddedFile* const found = FindFile(file);
    if (found == nullptr) return Bad(Name(file), "there is no such file");
    if (!release_.files_.emplace(found->name).second) return Bad(Name(file), "is listed twice");
    absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(found->content);
    if (!documents.ok()) return base::Annotate(documents.status(), Name(file));
    Objects objects;
    for (json::value& document : *documents) {
      if (!document.is_object()) return Bad(Name(file), "not an object");
      objects.push_back(std::move(document.get_object()));
    }
    return objects;
  }

  // Objects that are whole, and that no manifest has yet; as they are with sample values.
  absl::StatusOr<Objects> CheckObjects(const std::string& file, const Objects& objects) {
    for (const json::object& object : objects) {
      if (KindOf(object).empty() || NameOf(object).empty()) {
        return Bad(file, "an object without kind or name");
      }
    }
    CALICO_ASSIGN_OR_RETURN(Objects samples, Expanded(file, objects, SampleValues()));
    for (const json::object& object : samples) {
      CALICO_RETURN_IF_ERROR(
          In(file, object, kube::CheckShape(kube::Schema::Kubernetes(), object)));
      if (!seen_.insert(Identity(object)).second) {
        return Bad(file, fmt::format("{} is there twice", Identity(object)));
      }
    }
    return samples;
  }

  absl::Status ReadManifest(const std::string& name) {
    const std::string file = name + ".yaml";
    CALICO_ASSIGN_OR_RETURN(Objects objects, ReadFile(file));
    CALICO_ASSIGN_OR_RETURN(const Objects samples, CheckObjects(Name(file), objects));
    samples_.insert(samples_.end(), samples.begin(), samples.end());
    release_.manifests_.push_back({name, Name(file), std::move(objects)});
    return absl::OkStatus();
  }

  absl::Status ReadFragment(const std::string& name) {
    const std::string file = fmt::format("fragments/{}.yaml", name);
    CALICO_ASSIGN_OR_RETURN(Objects documents, ReadFile(file));
    if (documents.empty()) return Bad(Name(file), "is empty");
    absl::StatusOr<Release::Fragment> fragment = ReadHead(Name(file), documents.front());
    if (!fragment.ok()) return fragment.status();
    documents.erase(documents.begin());
    if (documents.empty()) return Bad(Name(file), "has nothing after its `when`");
    if (fragment->add_to.empty()) {
      CALICO_RETURN_IF_ERROR(CheckPatches(Name(file), documents));
    } else {
      CALICO_ASSIGN_OR_RETURN(const Objects samples, CheckObjects(Name(file), documents));
      samples_.insert(samples_.end(), samples.begin(), samples.end());
    }
    fragment->objects = std::move(documents);
    release_.fragments_.push_back(*std::move(fragment));
    return absl::OkStatus();
  }

  absl::StatusOr<Release::Fragment> ReadHead(const std::string& file, const json::object& head) {
    for (const auto& member : head) {
      if (member.key() == "when" || member.key() == "addTo" || member.key() == "owner") {
        continue;
      }
      return Bad(file, fmt::format("unknown field {}", std::string_view(member.key())));
    }
    codec::Decoder decoder(file);
    const codec::ObjectReader reader = decoder.Read(head);
    const codec::ObjectReader condition = reader.RequiredObject("when");
    Release::Fragment fragment{
        .file = file, .add_to = reader.String("addTo"), .owner = reader.String("owner")};
    CALICO_RETURN_IF_ERROR(decoder.status());
    absl::StatusOr<When> when = When::Parse(condition.object());
    if (!when.ok()) return base::Annotate(when.status(), file);
    fragment.when = *std::move(when);
    const bool is_known =
        fragment.add_to.empty() ||
        std::any_of(release_.manifests_.begin(), release_.manifests_.end(),
                    [&](const auto& manifest) { return manifest.name == fragment.add_to; });
    if (!is_known) return Bad(file, fmt::format("addTo: no manifest {}", fragment.add_to));
    if (fragment.owner.empty()) return fragment;
    if (fragment.add_to.empty()) return Bad(file, "owner: only what is added has one");
    if (fragment.owner != api::kApiServers.kind) {
      return Bad(file, fmt::format("owner: expected {}", api::kApiServers.kind));
    }
    return fragment;
  }

  // On all that there is at most; Select does it again with what applies.
  absl::Status CheckPatches(const std::string& file, const Objects& patches) const {
    CALICO_ASSIGN_OR_RETURN(const Objects samples, Expanded(file, patches, SampleValues()));
    Objects objects = samples_;
    return MergeAll(file, samples, objects);
  }

  absl::Status CheckAllRead() const {
    for (const base::EmbeddedFile& file : files_) {
      const bool is_ours = file.name.find("/" + folder_) != std::string_view::npos;
      if (is_ours && !release_.files_.contains(std::string(file.name))) {
        return Bad(file.name, fmt::format("is not listed in {}", kReleaseFile));
      }
    }
    return absl::OkStatus();
  }

  const std::string folder_;
  const std::span<const base::EmbeddedFile> files_;
  Release release_;
  std::set<std::string> seen_;
  Objects samples_;  // of the manifests, and of the fragments that add objects
};

absl::StatusOr<Release> Release::Load(std::string_view version,
                                      std::span<const base::EmbeddedFile> files) {
  return ReleaseReader(version, files).Read();
}

absl::StatusOr<std::vector<json::object>> Release::Select(const Facts& facts,
                                                          const MarkerValues& values) const {
  Objects objects;
  const auto add = [&](std::string_view file, const Objects& more) -> absl::Status {
    CALICO_ASSIGN_OR_RETURN(Objects expanded, Expanded(file, more, values));
    std::move(expanded.begin(), expanded.end(), std::back_inserter(objects));
    return absl::OkStatus();
  };
  for (const Manifest& manifest : manifests_) {
    CALICO_RETURN_IF_ERROR(add(manifest.file, manifest.objects));
    for (const Fragment& fragment : fragments_) {
      if (fragment.add_to != manifest.name || !fragment.when.Holds(facts)) continue;
      CALICO_RETURN_IF_ERROR(add(fragment.file, fragment.objects));
    }
  }
  for (const Fragment& fragment : fragments_) {
    if (!fragment.add_to.empty() || !fragment.when.Holds(facts)) continue;
    CALICO_ASSIGN_OR_RETURN(const Objects patches,
                            Expanded(fragment.file, fragment.objects, values));
    CALICO_RETURN_IF_ERROR(MergeAll(fragment.file, patches, objects));
  }
  return objects;
}

bool Release::IsOfApiServer(const json::object& object) const {
  return std::any_of(fragments_.begin(), fragments_.end(), [&](const Fragment& fragment) {
    return fragment.owner == api::kApiServers.kind &&
           std::any_of(fragment.objects.begin(), fragment.objects.end(),
                       [&](const json::object& it) { return IsSame(it, object); });
  });
}

std::set<std::string_view> Release::FactsInUse() const {
  std::set<std::string_view> facts;
  for (const Fragment& fragment : fragments_) {
    for (const auto& [name, values] : fragment.when.values()) facts.insert(name);
  }
  return facts;
}

}  // namespace calico::render
