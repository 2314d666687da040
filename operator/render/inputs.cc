#include "operator/render/inputs.h"

#include <fmt/format.h>

namespace calico::render {

std::string ApiEndpoint::Url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("https://[{}]:{}", host, port)
               : fmt::format("https://{}:{}", host, port);
}

}  // namespace calico::render
