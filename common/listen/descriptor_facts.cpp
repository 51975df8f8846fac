// What the kernel tells of a descriptor.

#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen/open_socket.hpp"
#include "common/listen/socket_address.hpp"

namespace foster {
namespace {

std::optional<int> socket_option(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, option, &value, &size) != 0) return std::nullopt;
  return value;
}

std::string_view kind_text(int family, int type, int protocol) {
  const bool stream = type == SOCK_STREAM;
  const bool datagram = type == SOCK_DGRAM;
  if (family == AF_INET || family == AF_INET6) {
    if (stream && protocol == IPPROTO_TCP) return "tcp";
    if (datagram && protocol == IPPROTO_UDP) return "udp";
    return type == SOCK_RAW ? "raw internet socket" : "internet socket";
  }
  if (family == AF_UNIX) return stream ? "unix" : datagram ? "unix-dgram" : "unix-seqpacket";
  if (family == AF_VSOCK) return "vsock";
  if (family == AF_NETLINK) return "netlink";
  if (family == AF_PACKET) return "packet socket";
  return "socket";
}

std::string socket_text(int fd) {
  const int family = socket_option(fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
  const int type = socket_option(fd, SOL_SOCKET, SO_TYPE).value_or(0);
  const int protocol = socket_option(fd, SOL_SOCKET, SO_PROTOCOL).value_or(0);
  std::string text(kind_text(family, type, protocol));
  const std::string here = address_text(local_address(fd));
  const SocketAddress peer = peer_address(fd);
  if (!here.empty()) text += " " + here;
  if (is_listening(fd)) return text + ", listening";
  // Netlink's peer is the kernel from the beginning.
  if (peer.size == 0 || family == AF_NETLINK) return text;
  const std::string there = address_text(peer);
  return text + ", connected" + (there.empty() ? "" : " to " + there);
}

/// What /proc calls it: a path, "pipe:[17]", "anon_inode:[eventfd]".
std::string link_of(int fd) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<size_t>(size));
}

std::string with_path(std::string_view kind, const std::string& path) {
  return std::string(kind) + (path.empty() ? "" : " " + path);
}

std::string file_text(const std::string& path) {
  constexpr std::string_view kMemfd = "/memfd:";
  constexpr std::string_view kDeleted = " (deleted)";
  if (!path.starts_with(kMemfd)) return with_path("file", path);
  std::string name = path.substr(kMemfd.size());
  if (name.ends_with(kDeleted)) name.resize(name.size() - kDeleted.size());
  return with_path("memfd", name);
}

/// "eventfd" for "anon_inode:[eventfd]" and for "anon_inode:eventfd".
std::string anonymous_text(std::string link) {
  constexpr std::string_view kAnonymous = "anon_inode:";
  if (!link.starts_with(kAnonymous)) return link.empty() ? "descriptor" : link;
  link.erase(0, kAnonymous.size());
  if (link.starts_with('[') && link.ends_with(']')) link = link.substr(1, link.size() - 2);
  return link;
}

/// The inode of the file that a unix socket is bound to: asked for by sock_diag(7).
class FileQuestion {
 public:
  explicit FileQuestion(uint32_t socket_inode) {
    request_.header.nlmsg_len = sizeof request_;
    request_.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request_.header.nlmsg_flags = NLM_F_REQUEST;
    request_.body.sdiag_family = AF_UNIX;
    request_.body.udiag_states = UINT32_MAX;
    request_.body.udiag_ino = socket_inode;
    request_.body.udiag_show = UDIAG_SHOW_VFS;
    request_.body.udiag_cookie[0] = kAnyCookie;
    request_.body.udiag_cookie[1] = kAnyCookie;
  }

  std::optional<uint32_t> ask() {
    const UniqueFd kernel(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!kernel || send(kernel.get(), &request_, sizeof request_, 0) < 0) return std::nullopt;
    alignas(nlmsghdr) char answer[4096];
    const ssize_t size = recv(kernel.get(), answer, sizeof answer, 0);
    if (size < 0) return std::nullopt;
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
    auto left = static_cast<unsigned>(size);
    if (!NLMSG_OK(header, left) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
    const size_t body = NLMSG_LENGTH(sizeof(unix_diag_msg));
    if (header->nlmsg_len < body) return std::nullopt;
    auto* attribute =
        reinterpret_cast<rtattr*>(answer + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(unix_diag_msg)));
    for (auto rest = static_cast<int>(header->nlmsg_len - body); RTA_OK(attribute, rest);
         attribute = RTA_NEXT(attribute, rest)) {
      if (attribute->rta_type != UNIX_DIAG_VFS) continue;
      unix_diag_vfs file{};
      std::memcpy(&file, RTA_DATA(attribute), sizeof file);
      return file.udiag_vfs_ino;
    }
    return std::nullopt;
  }

 private:
  static constexpr uint32_t kAnyCookie = UINT32_MAX;

  struct {
    nlmsghdr header{};
    unix_diag_req body{};
  } request_;
};

/// Whether `file` is what the socket is bound to. A kernel that cannot be asked is taken to agree:
/// the path was the socket's own.
bool bound_to(int fd, const struct stat& file) {
  struct stat own {};
  if (fstat(fd, &own) != 0) return false;
  const auto inode = FileQuestion(static_cast<uint32_t>(own.st_ino)).ask();
  return !inode || *inode == static_cast<uint32_t>(file.st_ino);
}

bool any_address(const SocketAddress& address) {
  if (address.family() == AF_INET)
    return reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr.s_addr == INADDR_ANY;
  const auto* name = reinterpret_cast<const sockaddr_in6*>(address.get());
  return address.family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&name->sin6_addr);
}

bool same_internet(const SocketAddress& own, const SocketAddress& wanted) {
  if (own.family() != wanted.family()) return false;
  if (own.family() == AF_INET) {
    const auto* one = reinterpret_cast<const sockaddr_in*>(own.get());
    const auto* other = reinterpret_cast<const sockaddr_in*>(wanted.get());
    return one->sin_addr.s_addr == other->sin_addr.s_addr;
  }
  const auto* one = reinterpret_cast<const sockaddr_in6*>(own.get());
  const auto* other = reinterpret_cast<const sockaddr_in6*>(wanted.get());
  return IN6_ARE_ADDR_EQUAL(&one->sin6_addr, &other->sin6_addr) &&
         (other->sin6_scope_id == 0 || one->sin6_scope_id == other->sin6_scope_id);
}

bool fits_internet(int fd, const ListenAddress& address, const SocketSpec& spec) {
  const SocketAddress own = local_address(fd);
  const Result<SocketAddress> wanted = socket_address(address);
  if (!wanted || own.size == 0) return false;
  if (address.port != 0 && port_of(own) != address.port) return false;
  const bool tcp = address.kind == SocketKind::tcp;
  const int protocol = socket_option(fd, SOL_SOCKET, SO_PROTOCOL).value_or(0);
  if (tcp ? protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP : protocol != IPPROTO_UDP)
    return false;
  const bool any = address.host == "*";
  if (any ? !any_address(own) : !same_internet(own, *wanted)) return false;
  if (own.family() != AF_INET6 || !any_address(own)) return true;
  const int only = !any && spec.ipv6_only ? 1 : 0;
  return socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == only;
}

bool fits_vsock(int fd, const ListenAddress& address) {
  const SocketAddress own = local_address(fd);
  if (own.family() != AF_VSOCK || own.size == 0) return false;
  return address_text(own) == address.host + ":" + std::to_string(address.port);
}

bool fits_unix(int fd, const ListenAddress& address) {
  if (unix_path(local_address(fd)) != address.path) return false;
  struct stat file {};
  return !has_file(address) ||
         (lstat(address.path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) && bound_to(fd, file));
}

bool same_file(int fd, const std::string& path) {
  struct stat own {};
  struct stat file {};
  return fstat(fd, &own) == 0 && lstat(path.c_str(), &file) == 0 && S_ISFIFO(own.st_mode) &&
         own.st_dev == file.st_dev && own.st_ino == file.st_ino;
}

/// shutdown(2): what was listening is dead for all who have it.
bool is_shut_down(int fd) {
  pollfd asked{fd, POLLRDHUP, 0};
  return poll(&asked, 1, 0) == 1 && (asked.revents & (POLLHUP | POLLRDHUP)) != 0;
}

bool is_socket_of(int fd, SocketKind kind) {
  const int type = socket_type(kind);
  if (socket_option(fd, SOL_SOCKET, SO_TYPE) != type) return false;
  return (type == SOCK_DGRAM || is_listening(fd)) && !is_shut_down(fd);
}

}  // namespace

bool is_fifo_there(const SocketSpec& spec) {
  const Result<ListenAddress> address = parse_listen_address(spec.listen);
  struct stat file {};
  return address && address->kind == SocketKind::fifo && lstat(address->path.c_str(), &file) == 0 &&
         S_ISFIFO(file.st_mode);
}

void remove_socket_file(const SocketSpec& spec, int fd) {
  const Result<ListenAddress> address = parse_listen_address(spec.listen);
  if (!address || !has_file(*address)) return;
  struct stat file {};
  const bool own = address->kind == SocketKind::fifo
                       ? same_file(fd, address->path)
                       : unix_path(local_address(fd)) == address->path &&
                             lstat(address->path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) &&
                             bound_to(fd, file);
  if (own) unlink(address->path.c_str());
}

std::string descriptor_text(int fd) {
  struct statx file {};
  // Without asking a server, which may be gone.
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &file) != 0)
    return "no descriptor";
  if (S_ISSOCK(file.stx_mode)) return socket_text(fd);
  const std::string link = link_of(fd);
  const std::string path = link.starts_with('/') ? link : std::string();
  switch (file.stx_mode & S_IFMT) {
    case S_IFIFO:
      return path.empty() ? "pipe" : with_path("fifo", path);
    case S_IFREG:
      return file_text(path);
    case S_IFDIR:
      return with_path("directory", path);
    case S_IFCHR:
    case S_IFBLK:
      return with_path("device", path);
    default:
      return anonymous_text(link);
  }
}

uint16_t bound_port(int fd) {
  const uint32_t port = port_of(local_address(fd));
  return port > UINT16_MAX ? 0 : static_cast<uint16_t>(port);
}

bool is_listening(int fd) {
  return socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0;
}

bool fits_spec(int fd, const SocketSpec& spec) {
  const Result<ListenAddress> address = parse_listen_address(spec.listen);
  if (!address) return false;
  if (address->kind == SocketKind::fifo) return same_file(fd, address->path);
  if (!is_socket_of(fd, address->kind)) return false;
  switch (address->kind) {
    case SocketKind::tcp:
    case SocketKind::udp:
      return fits_internet(fd, *address, spec);
    case SocketKind::vsock:
      return fits_vsock(fd, *address);
    case SocketKind::unix_stream:
    case SocketKind::unix_dgram:
    case SocketKind::unix_seqpacket:
      return fits_unix(fd, *address);
    case SocketKind::fifo:
      break;
  }
  return false;
}

}  // namespace foster
