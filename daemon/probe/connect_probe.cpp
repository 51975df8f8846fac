#include "daemon/probe/connect_probe.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "common/ipc/unique_fd.hpp"

namespace foster::probe {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* first) const { freeaddrinfo(first); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const TcpTarget& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const int failed = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &first);
  if (failed == EAI_SYSTEM) return system_failure("resolve " + target.host, errno);
  if (failed != 0) return failure("resolve " + target.host, gai_strerror(failed));
  return Addresses(first);
}

/// A socket that connects to a free port of its own range on its own machine may come to be
/// connected to itself: nobody listens there.
bool connected_to_itself(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_length = sizeof own;
  socklen_t peer_length = sizeof peer;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_length) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_length) == 0 &&
         own_length == peer_length && std::memcmp(&own, &peer, own_length) == 0;
}

/// 0 once connected, EINPROGRESS while it is not decided, or what went wrong.
int outcome(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  if (error != 0) return error;
  return connected_to_itself(fd) ? ECONNREFUSED : 0;
}

class Attempts {
 public:
  /// Whether the address has accepted at once.
  bool begin(const addrinfo& address) {
    UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      error_ = errno;
      return false;
    }
    if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) {
      error_ = outcome(fd.get());
      return error_ == 0;
    }
    if (errno == EINPROGRESS) {
      waiting_.push_back({fd.get(), POLLOUT, 0});
      open_.push_back(std::move(fd));
    } else {
      error_ = errno;
    }
    return false;
  }

  /// Waits until one has accepted: 0, or all have failed: the error of the last.
  int await() {
    for (size_t undecided = waiting_.size(); undecided > 0;) {
      if (poll(waiting_.data(), waiting_.size(), -1) < 0 && errno != EINTR) return errno;
      for (pollfd& one : waiting_) {
        if (one.fd < 0 || one.revents == 0) continue;
        error_ = outcome(one.fd);
        if (error_ == 0) return 0;
        one.fd = -1;
        --undecided;
      }
    }
    return error_;
  }

 private:
  std::vector<UniqueFd> open_;
  std::vector<pollfd> waiting_;
  int error_ = ENOENT;
};

int connect_unix(const sockaddr_un& address, socklen_t length, int type) {
  const UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  int error = 0;
  do {
    error = connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
  } while (error == EINTR);
  return error;
}

}  // namespace

Result<void> probe_tcp(const TcpTarget& target) {
  const auto addresses = resolve(target);
  if (!addresses) return std::unexpected(addresses.error());
  Attempts attempts;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next)
    if (attempts.begin(*at)) return {};
  const int error = attempts.await();
  if (error == 0) return {};
  return system_failure("connect to " + target.text, error);
}

Result<void> probe_unix(const UnixTarget& target) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool abstract = target.path.starts_with('@');
  if (target.path.size() >= sizeof address.sun_path)
    return failure("connect to " + target.path,
                   "the path is longer than a socket's address can be");
  target.path.copy(address.sun_path, target.path.size());
  if (abstract) address.sun_path[0] = '\0';
  const size_t length = offsetof(sockaddr_un, sun_path) + target.path.size() + (abstract ? 0 : 1);
  int error = EPROTOTYPE;
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    error = connect_unix(address, static_cast<socklen_t>(length), type);
    if (error != EPROTOTYPE) break;
  }
  if (error == 0) return {};
  return system_failure("connect to " + target.path, error);
}

}  // namespace foster::probe
