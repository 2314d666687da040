// Asks the machine's name servers.

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <set>

#include "operator/calicert/etcd/assemble.h"

namespace calico::calicert::etcd {
namespace {

constexpr size_t kMostLookups = 200;

std::vector<base::IpAddress> AddressesOf(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  std::vector<base::IpAddress> addresses;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    std::string_view bytes;
    if (item->ai_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(item->ai_addr);
      bytes = {reinterpret_cast<const char*>(&in->sin_addr), 4};
    } else if (item->ai_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(item->ai_addr);
      bytes = {reinterpret_cast<const char*>(&in->sin6_addr), 16};
    }
    if (const auto address = base::IpAddress::FromBytes(bytes); address.ok()) {
      addresses.push_back(*address);
    }
  }
  return addresses;
}

std::vector<std::string> NamesOf(const base::IpAddress& address) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.is_ipv4()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&storage);
    in->sin_family = AF_INET;
    std::memcpy(&in->sin_addr, address.bytes().data(), 4);
    size = sizeof(sockaddr_in);
  } else {
    auto* in = reinterpret_cast<sockaddr_in6*>(&storage);
    in->sin6_family = AF_INET6;
    std::memcpy(&in->sin6_addr, address.bytes().data(), 16);
    size = sizeof(sockaddr_in6);
  }
  char name[NI_MAXHOST] = "";
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, name, sizeof(name), nullptr, 0,
                  NI_NAMEREQD) != 0) {
    return {};
  }
  return {name};
}

}  // namespace

Lookups LookUp(const ClusterCertificates& cluster) {
  std::set<std::string> names;
  std::set<base::IpAddress> addresses;
  for (const MemberCertificates& member : cluster.members) {
    addresses.insert(member.sources.begin(), member.sources.end());
    for (const std::string& host : member.peer_hosts) {
      if (const auto address = base::IpAddress::Parse(host); address.ok()) {
        addresses.insert(*address);
      } else {
        names.insert(host);
      }
    }
    if (!member.peer.has_value()) continue;
    for (const std::string& name : member.peer->chain.front().dns_names()) {
      if (!name.empty() && !name.starts_with("*")) names.insert(name);
    }
  }
  Lookups lookups;
  for (const std::string& name : names) {
    if (lookups.addresses.size() == kMostLookups) break;
    std::vector<base::IpAddress> found = AddressesOf(name);
    addresses.insert(found.begin(), found.end());
    lookups.addresses[name] = std::move(found);
  }
  for (const base::IpAddress& address : addresses) {
    if (lookups.names.size() == kMostLookups) break;
    lookups.names[address] = NamesOf(address);
  }
  return lookups;
}

}  // namespace calico::calicert::etcd
