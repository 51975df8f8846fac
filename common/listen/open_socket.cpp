#include "common/listen/open_socket.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <sys/socket.h>

#include "common/listen/place_holder.hpp"
#include "common/listen/socket_address.hpp"
#include "common/listen/socket_file.hpp"

namespace foster {
namespace {

std::unexpected<Error> reason(std::string text, int code) {
  return std::unexpected(Error{std::move(text), code});
}

std::unexpected<Error> reason(int code) {
  return reason(strerrordesc_np(code), code);
}

Result<void> cannot_set(std::string_view key, int code) {
  return reason("cannot set " + std::string(key) + ": " + strerrordesc_np(code), code);
}

/// Sets an option of a socket that a key of the unit file asks for.
Result<void> set_flag(int fd, int level, int option, std::string_view key) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) == 0) return {};
  return cannot_set(key, errno);
}

struct Flag {
  bool wanted;
  int level;
  int option;
  std::string_view key;
};

Result<void> set_flags(int fd, std::span<const Flag> flags) {
  for (const Flag& flag : flags) {
    if (!flag.wanted) continue;
    if (Result<void> set = set_flag(fd, flag.level, flag.option, flag.key); !set) return set;
  }
  return {};
}

Result<void> set_internet_options(int fd, int family, const SocketSpec& spec) {
  const bool v6 = family == AF_INET6;
  const bool v4 = !v6 || !spec.ipv6_only;
  if (v6) {
    const int only = spec.ipv6_only ? 1 : 0;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
      return cannot_set("ipv6-only", errno);
  }
  const bool tcp = spec.kind == SocketKind::tcp;
  const Flag flags[] = {
      // Connections of a former run that are not over yet do not stand in the way; who listens
      // does.
      {tcp, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"},
      {spec.reuse_port, SOL_SOCKET, SO_REUSEPORT, "reuse-port"},
      {spec.keep_alive && tcp, SOL_SOCKET, SO_KEEPALIVE, "keep-alive"},
      {spec.no_delay && tcp, IPPROTO_TCP, TCP_NODELAY, "no-delay"},
      {spec.transparent && v4, IPPROTO_IP, IP_TRANSPARENT, "transparent"},
      {spec.transparent && v6, IPPROTO_IPV6, IPV6_TRANSPARENT, "transparent"},
      {spec.free_bind && v4, IPPROTO_IP, IP_FREEBIND, "free-bind"},
      {spec.free_bind && v6, IPPROTO_IPV6, IPV6_FREEBIND, "free-bind"},
  };
  if (Result<void> set = set_flags(fd, flags); !set) return set;
  const auto length = static_cast<socklen_t>(spec.device.size() + 1);
  const bool any = spec.device.empty();
  if (any || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec.device.c_str(), length) == 0)
    return {};
  if (errno == ENODEV) return reason("there is no interface " + spec.device, ENODEV);
  return cannot_set("device", errno);
}

/// The first way is not held back by net.core.rmem_max, and is root's.
Result<void> set_buffer(int fd, uint32_t size) {
  const auto bytes = static_cast<int>(size);
  const bool done = size == 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0;
  if (!done) return cannot_set("receive-buffer", errno);
  return {};
}

/// The lowest port that everyone may take.
uint32_t first_free_port() {
  constexpr uint32_t kUsual = 1024;
  const UniqueFd file(open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC));
  char text[16];
  const ssize_t size = file ? read(file.get(), text, sizeof text) : 0;
  uint32_t port = kUsual;
  if (size > 0) std::from_chars(text, text + size, port);
  return port;
}

/// What bind(2) or listen(2) meant.
std::unexpected<Error> explained(const ListenAddress& address, int code) {
  const bool internet = address.kind == SocketKind::tcp || address.kind == SocketKind::udp;
  if (code == EADDRINUSE) return std::unexpected(in_use(address));
  if (code == EADDRNOTAVAIL && internet)
    return reason("no interface has this address: see free-bind", code);
  if (code == EADDRNOTAVAIL) return reason("this machine has no such address", code);
  const uint32_t free_port = code == EACCES && internet ? first_free_port() : 0;
  if (address.port > 0 && address.port < free_port)
    return reason(std::string(strerrordesc_np(code)) + ": ports below " +
                      std::to_string(free_port) + " are for root",
                  code);
  return reason(code);
}

Result<UniqueFd> new_socket(int family, const SocketSpec& spec) {
  UniqueFd fd(socket(family, socket_type(spec.kind) | SOCK_CLOEXEC, 0));
  if (fd) return fd;
  if (errno == EAFNOSUPPORT && family == AF_INET6) return reason("there is no IPv6 here", errno);
  if (errno == EAFNOSUPPORT && family == AF_VSOCK) return reason("there is no vsock here", errno);
  return reason(errno);
}

Result<UniqueFd> bound_internet(const ListenAddress& address, const SocketSpec& spec) {
  Result<SocketAddress> name = socket_address(address);
  if (!name) return std::unexpected(name.error());
  Result<UniqueFd> fd = new_socket(name->family(), spec);
  if (!fd && fd.error().system_error == EAFNOSUPPORT && address.host == "*") {
    name = any_v4(address);
    fd = new_socket(AF_INET, spec);
  }
  if (!fd) return fd;
  const bool internet = name->family() != AF_VSOCK;
  Result<void> set =
      internet ? set_internet_options(fd->get(), name->family(), spec) : Result<void>();
  if (set) set = set_buffer(fd->get(), spec.receive_buffer);
  if (!set) return std::unexpected(set.error());
  if (bind(fd->get(), name->get(), name->size) != 0) return explained(address, errno);
  return fd;
}

Result<UniqueFd> bound_unix(const ListenAddress& address, const SocketSpec& spec,
                            const SocketOwner& owner, MadeFiles& made) {
  Result<UniqueFd> fd = new_socket(AF_UNIX, spec);
  if (!fd) return fd;
  Result<void> done = set_buffer(fd->get(), spec.receive_buffer);
  if (done) done = bind_unix(fd->get(), address, spec, owner, made);
  if (!done) return std::unexpected(done.error());
  return fd;
}

Result<UniqueFd> bound(const ListenAddress& address, const SocketSpec& spec,
                       const SocketOwner& owner, MadeFiles& made) {
  switch (spec.kind) {
    case SocketKind::tcp:
    case SocketKind::udp:
    case SocketKind::vsock:
      return bound_internet(address, spec);
    case SocketKind::unix_stream:
    case SocketKind::unix_dgram:
    case SocketKind::unix_seqpacket:
      return bound_unix(address, spec, owner, made);
    case SocketKind::fifo:
      break;
  }
  return open_fifo(address, spec, owner, made);
}

bool connection_oriented(SocketKind kind) {
  const int type = socket_type(kind);
  return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

Result<UniqueFd> opened(const SocketSpec& spec, const SocketOwner& owner) {
  const Result<ListenAddress> address = parse_listen_address(spec.listen);
  if (!address) return reason("it is no address to listen at: " + address.error().message, EINVAL);
  MadeFiles made;
  Result<UniqueFd> fd = bound(*address, spec, owner, made);
  if (!fd) return fd;
  if (connection_oriented(spec.kind) && listen(fd->get(), static_cast<int>(spec.backlog)) != 0)
    return explained(*address, errno);
  const int flags = fcntl(fd->get(), F_GETFL);
  const int wanted = spec.accept ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags < 0 || (wanted != flags && fcntl(fd->get(), F_SETFL, wanted) != 0))
    return reason(errno);
  made.keep();
  return fd;
}

}  // namespace

Result<UniqueFd> open_socket_as(const SocketSpec& spec, const SocketOwner& owner) {
  Result<UniqueFd> fd = opened(spec, owner);
  if (!fd) return context("listen on " + spec.listen, std::move(fd.error()));
  return fd;
}

}  // namespace foster
