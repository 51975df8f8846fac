#include "common/listen/socket_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "common/unit/ip_text.hpp"

namespace foster {
namespace {

template <class Address>
Address& as(SocketAddress& address) {
  return *reinterpret_cast<Address*>(&address.storage);
}
template <class Address>
const Address& as(const SocketAddress& address) {
  return *reinterpret_cast<const Address*>(&address.storage);
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress address;
  auto& name = as<sockaddr_un>(address);
  name.sun_family = AF_UNIX;
  std::copy_n(path.data(), std::min(path.size(), sizeof name.sun_path), name.sun_path);
  const bool abstract = path.starts_with('@');
  if (abstract) name.sun_path[0] = '\0';
  const size_t length = path.size() + (abstract ? 0 : 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return address;
}

Result<SocketAddress> v6_address(const ListenAddress& listen) {
  SocketAddress address;
  auto& name = as<sockaddr_in6>(address);
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(static_cast<uint16_t>(listen.port));
  address.size = sizeof name;
  if (listen.host == "*") return address;
  const Ipv6Bytes bytes = parse_ipv6(listen.host).value_or(Ipv6Bytes{});
  std::ranges::copy(bytes, name.sin6_addr.s6_addr);
  if (listen.interface.empty()) return address;
  name.sin6_scope_id = if_nametoindex(listen.interface.c_str());
  if (name.sin6_scope_id == 0)
    return std::unexpected(Error{"there is no interface " + listen.interface, ENODEV});
  return address;
}

SocketAddress v4_address(const ListenAddress& listen) {
  SocketAddress address = any_v4(listen);
  const Ipv4Bytes bytes = parse_ipv4(listen.host).value_or(Ipv4Bytes{});
  std::memcpy(&as<sockaddr_in>(address).sin_addr, bytes.data(), bytes.size());
  return address;
}

SocketAddress vsock_address(const ListenAddress& listen) {
  SocketAddress address;
  auto& name = as<sockaddr_vm>(address);
  name.svm_family = AF_VSOCK;
  name.svm_port = listen.port;
  uint32_t machine = VMADDR_CID_ANY;
  if (listen.host != "any")
    std::from_chars(listen.host.data(), listen.host.data() + listen.host.size(), machine);
  name.svm_cid = machine;
  address.size = sizeof name;
  return address;
}

std::string v6_text(const sockaddr_in6& name) {
  Ipv6Bytes bytes{};
  std::ranges::copy(name.sin6_addr.s6_addr, bytes.begin());
  std::string text = "[" + ipv6_text(bytes);
  char interface[IF_NAMESIZE];
  if (name.sin6_scope_id != 0)
    text += std::string("%") + (if_indextoname(name.sin6_scope_id, interface) != nullptr
                                    ? interface
                                    : std::to_string(name.sin6_scope_id).c_str());
  return text + "]:" + std::to_string(ntohs(name.sin6_port));
}

std::string vsock_text(const sockaddr_vm& name) {
  const std::string machine =
      name.svm_cid == VMADDR_CID_ANY ? std::string("any") : std::to_string(name.svm_cid);
  return machine + ":" + std::to_string(name.svm_port);
}

}  // namespace

Result<SocketAddress> socket_address(const ListenAddress& address) {
  switch (address.kind) {
    case SocketKind::tcp:
    case SocketKind::udp:
      if (address.host == "*" || address.host.contains(':')) return v6_address(address);
      return v4_address(address);
    case SocketKind::unix_stream:
    case SocketKind::unix_dgram:
    case SocketKind::unix_seqpacket:
      return unix_address(address.path);
    case SocketKind::vsock:
      return vsock_address(address);
    case SocketKind::fifo:
      break;
  }
  return std::unexpected(Error{"a fifo has no address", EINVAL});
}

SocketAddress any_v4(const ListenAddress& address) {
  SocketAddress any;
  auto& name = as<sockaddr_in>(any);
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(address.port));
  any.size = sizeof name;
  return any;
}

int socket_type(SocketKind kind) {
  switch (kind) {
    case SocketKind::tcp:
    case SocketKind::unix_stream:
    case SocketKind::vsock:
      return SOCK_STREAM;
    case SocketKind::udp:
    case SocketKind::unix_dgram:
      return SOCK_DGRAM;
    case SocketKind::unix_seqpacket:
      return SOCK_SEQPACKET;
    case SocketKind::fifo:
      break;
  }
  return 0;
}

SocketAddress local_address(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.get(), &address.size) != 0) address.size = 0;
  return address;
}

SocketAddress peer_address(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getpeername(fd, address.get(), &address.size) != 0) address.size = 0;
  return address;
}

std::string unix_path(const SocketAddress& address) {
  constexpr size_t kHeader = offsetof(sockaddr_un, sun_path);
  if (address.family() != AF_UNIX || address.size <= kHeader) return {};
  const char* path = as<sockaddr_un>(address).sun_path;
  const size_t size = address.size - kHeader;
  if (path[0] == '\0') return "@" + std::string(path + 1, size - 1);
  return {path, strnlen(path, size)};
}

std::string address_text(const SocketAddress& address) {
  if (address.size == 0) return {};
  if (address.family() == AF_INET6) return v6_text(as<sockaddr_in6>(address));
  if (address.family() == AF_VSOCK) return vsock_text(as<sockaddr_vm>(address));
  if (address.family() != AF_INET) return unix_path(address);
  char text[INET_ADDRSTRLEN] = "";
  const auto& name = as<sockaddr_in>(address);
  inet_ntop(AF_INET, &name.sin_addr, text, sizeof text);
  return std::string(text) + ":" + std::to_string(ntohs(name.sin_port));
}

std::string host_text(const SocketAddress& address) {
  std::string text = address.family() == AF_UNIX ? std::string() : address_text(address);
  text.resize(text.empty() ? 0 : text.rfind(':'));
  if (!text.starts_with('[')) return text;
  const auto& bytes = as<sockaddr_in6>(address).sin6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&bytes)) return text.substr(1, text.size() - 2);
  char v4[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, bytes.s6_addr + 12, v4, sizeof v4);
  return v4;
}

uint32_t port_of(const SocketAddress& address) {
  if (address.size == 0) return 0;
  if (address.family() == AF_INET) return ntohs(as<sockaddr_in>(address).sin_port);
  if (address.family() == AF_INET6) return ntohs(as<sockaddr_in6>(address).sin6_port);
  if (address.family() == AF_VSOCK) return as<sockaddr_vm>(address).svm_port;
  return 0;
}

}  // namespace foster
