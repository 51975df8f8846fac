// Addresses as the kernel has them (ip(7), ipv6(7), unix(7), vsock(7)).
#pragma once

#include <string>
#include <sys/socket.h>

#include "common/result.hpp"
#include "common/unit/listen_address.hpp"

namespace foster {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Of any kind but a fifo. "*" is every address of v6, which has those of v4 in it. Fails where an
/// interface is named that is not there.
[[nodiscard]] Result<SocketAddress> socket_address(const ListenAddress& address);

/// "*" where there is no IPv6.
[[nodiscard]] SocketAddress any_v4(const ListenAddress& address);

/// Of socket(2).
[[nodiscard]] int socket_type(SocketKind kind);

/// What a socket is bound to, or connected to; of size 0 where it is neither.
[[nodiscard]] SocketAddress local_address(int fd);
[[nodiscard]] SocketAddress peer_address(int fd);

/// The path or "@name" of a unix socket; empty where it has none.
[[nodiscard]] std::string unix_path(const SocketAddress& address);

/// "127.0.0.1:80", "[::1]:80", a path, "@name"; empty where there is nothing to say.
[[nodiscard]] std::string address_text(const SocketAddress& address);

/// The address without its port: "127.0.0.1", "::1", of v4 as v4 even on a socket of v6; the number
/// of a machine by vsock. Empty for others.
[[nodiscard]] std::string host_text(const SocketAddress& address);

/// 0 where there is none, as for unix sockets.
[[nodiscard]] uint32_t port_of(const SocketAddress& address);

}  // namespace foster
