// Release: what one Calico release needs, as the folder manifests/<version>/ says it.
//
//   release.yaml       the images, and the files below in their order
//   NAME.yaml          a manifest: objects that every Installation gets
//   fragments/NAME.yaml  what some Installations get: a document with `when:` (facts.h), then
//                      either patches of objects of the manifests (merge.h), or, with
//                      `addTo: MANIFEST`, further objects, listed after that manifest's own;
//                      with `owner: APIServer` they belong to that kind, not to the Installation
//
// A file that the folder lacks is taken from manifests/shared/, where files live that several
// releases have.
//
// Manifests hold what is the same for every Installation, fragments what differs by kind. Values
// (the CA, addresses, ports, fields of the Installation) are put in where these files have a marker
// (markers.h).
#ifndef CALICO_OPERATOR_RENDER_RELEASE_H_
#define CALICO_OPERATOR_RENDER_RELEASE_H_

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/render/facts.h"
#include "operator/render/images.h"
#include "operator/render/markers.h"
#include "pkg/base/embedded_file.h"
#include "pkg/codec/json.h"

namespace calico::render {

class Release {
 public:
  // Reads a whole folder. Everything is checked here: every object and patch has only fields of its
  // kind, every marker a path that there is and a place that takes what is there, every patch finds
  // its object and merges, every file is listed and every listed file is there.
  // Errors: InvalidArgument naming the file, the object and the path.
  static absl::StatusOr<Release> Load(std::string_view version,
                                      std::span<const base::EmbeddedFile> files);

  // The objects for these facts: those of the manifests in their order, patched by the fragments
  // in theirs, with a value for every marker.
  // Errors: InvalidArgument for fragments that do not go together and for markers without a value,
  // naming file, object and path.
  absl::StatusOr<std::vector<json::object>> Select(const Facts& facts,
                                                   const MarkerValues& values) const;

  // The facts that its fragments ask about; no other makes a difference.
  std::set<std::string_view> FactsInUse() const;
  // Whether an object of this release belongs to the kind APIServer, and goes with it.
  bool IsOfApiServer(const json::object& object) const;
  const ImageTable& images() const { return images_; }
  // What some releases do and others do not, by its name in `features` of release.yaml.
  enum class Feature {
    kCustomOverridesAnnotation,  // CustomOverridesAnnotation: workloads tell what was overridden
    kHostNetworkedLabel,         // HostNetworkedLabel: on pods of the host's network
    kLabelsOnPods,               // LabelsOnPods: pods have every label of their workload, not two
    kTlsCipherSuites,            // TlsCipherSuites: spec.tlsCipherSuites reaches the programs
  };
  bool Has(Feature feature) const { return features_.contains(feature); }
  // The files that it was read from, its own and shared ones.
  const std::set<std::string>& files() const { return files_; }
  // The folder: "v3.32".
  const std::string& version() const { return version_; }
  // Of Calico: "v3.32.1".
  const std::string& calico_version() const { return calico_version_; }

 private:
  friend class ReleaseReader;

  struct Manifest {
    std::string name;
    std::string file;
    std::vector<json::object> objects;
  };
  struct Fragment {
    std::string file;
    When when;
    std::string add_to;  // a manifest; empty: `objects` are patches
    std::string owner;   // the kind to which `objects` belong; empty: Installation
    std::vector<json::object> objects;
  };

  std::string version_;
  std::string calico_version_;
  ImageTable images_;
  std::set<Feature> features_;
  std::set<std::string> files_;
  std::vector<Manifest> manifests_;
  std::vector<Fragment> fragments_;
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_RELEASE_H_
