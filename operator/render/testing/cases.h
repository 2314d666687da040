// Two Installations that Tigera's operator was run with, and what it was told besides.
#ifndef CALICO_OPERATOR_RENDER_TESTING_CASES_H_
#define CALICO_OPERATOR_RENDER_TESTING_CASES_H_

#include <string>
#include <string_view>
#include <vector>

#include "operator/render/inputs.h"
#include "operator/render/testing/objects.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

struct ReferenceCase {
  api::Installation installation;  // complete
  Inputs inputs;
};

// `name` is a folder of testdata/golden/reference; with every default of `release`. Failures end
// the test program.
ReferenceCase LoadReferenceCase(std::string_view name,
                                std::string_view release = DefaultRelease().version());

// An Installation of this spec with every default of `release`.
api::Installation Completed(json::object spec, std::string_view release);

// Gives a field of the spec ("calicoNetwork.mtu") a value; null removes it.
void SetField(ReferenceCase& c, std::string_view path, json::value value);

// The documents of a YAML file of testdata/golden.
std::vector<json::object> LoadGoldenYaml(const std::string& path);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_TESTING_CASES_H_
