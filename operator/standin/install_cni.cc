// Stand-in for /opt/cni/bin/install of the image quay.io/calico/cni: writes a CNI configuration
// that works without Calico's own plugin (bridge, host-local, portmap), so that the Node becomes
// Ready. The pod range is what a local cluster has written beside it, to which there are routes, or
// 10.244.X.0/24, X the last number of the node's address.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "operator/standin/environment.h"
#include "operator/standin/program.h"

namespace calico::standin {
namespace {

// The last byte of the address that this node uses towards the API server; 0 if there is none.
int LastAddressByte() {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(443);
  inet_pton(AF_INET, Variable("KUBERNETES_SERVICE_HOST", "198.18.0.1").c_str(), &server.sin_addr);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  socklen_t size = sizeof(local);
  const bool known = connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof(server)) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0;
  close(fd);
  return known ? static_cast<int>(ntohl(local.sin_addr.s_addr) & 0xFF) : 0;
}

std::string PodRange(const std::string& folder) {
  std::string range;
  std::ifstream(folder + "pod-cidr") >> range;
  return range.empty() ? fmt::format("10.244.{}.0/24", LastAddressByte()) : range;
}

}  // namespace

int InstallCni(const Arguments&) {
  if (Variable("CNI_NETWORK_CONFIG").find("k8s-pod-network") == std::string::npos) {
    std::fprintf(stderr, "install: CNI_NETWORK_CONFIG does not describe k8s-pod-network\n");
    return 1;
  }
  const std::string folder = "/host/etc/cni/net.d/";
  const std::string path = folder + Variable("CNI_CONF_NAME", "10-calico.conflist");
  const std::string config = fmt::format(
      R"({{"name":"k8s-pod-network","cniVersion":"0.3.1","plugins":[
{{"type":"bridge","bridge":"cali0","isGateway":true,"ipMasq":true,"hairpinMode":true,
"ipam":{{"type":"host-local","ranges":[[{{"subnet":"{}"}}]],
"routes":[{{"dst":"0.0.0.0/0"}}]}}}},
{{"type":"portmap","capabilities":{{"portMappings":true}}}}]}}
)",
      PodRange(folder));
  std::ofstream(path + ".tmp") << config;
  if (std::rename((path + ".tmp").c_str(), path.c_str()) != 0) {
    std::perror(path.c_str());
    return 1;
  }
  std::printf("wrote %s\n", path.c_str());
  return 0;
}

}  // namespace calico::standin
