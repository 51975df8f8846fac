#include "tests/services/chat/supervisor.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chat {
namespace {

constexpr int kFirst = 3;

int number_of(const char* variable) {
  const char* text = getenv(variable);
  return text ? atoi(text) : -1;
}

/// kOfNoUse for what nothing can be accepted from; it is closed then.
int prepare(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) {
    close(fd);
    return kOfNoUse;
  }
  // Two processes may wait for the same connection while one takes over from the other.
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace

std::vector<int> listening_sockets() {
  std::vector<int> sockets;
  // Descriptors that are meant for a process that we were forked from are not ours.
  if (number_of("LISTEN_PID") != getpid()) return sockets;
  for (int fd = kFirst; fd < kFirst + number_of("LISTEN_FDS"); fd++) {
    const int prepared = prepare(fd);
    if (prepared >= 0) sockets.push_back(prepared);
  }
  return sockets;
}

int receive_socket() {
  return number_of("FOSTER_RECEIVE_FD");
}

int receive_listening_socket(int receive_fd) {
  char name[256];
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))];
  iovec text{.iov_base = name, .iov_len = sizeof name - 1};
  msghdr packet{};
  packet.msg_iov = &text;
  packet.msg_iovlen = 1;
  packet.msg_control = room;
  packet.msg_controllen = sizeof room;
  const ssize_t size = recvmsg(receive_fd, &packet, MSG_CMSG_CLOEXEC);
  if (size <= 0) return kNoMore;
  const cmsghdr* passed = CMSG_FIRSTHDR(&packet);
  if (!passed || passed->cmsg_level != SOL_SOCKET || passed->cmsg_type != SCM_RIGHTS)
    return kOfNoUse;
  int fd = -1;
  memcpy(&fd, CMSG_DATA(passed), sizeof fd);
  name[size] = '\0';
  fd = prepare(fd);
  printf("chat: %s is %s\n", name, fd < 0 ? "no socket that listens" : "one more way in");
  return fd;
}

void notify(const char* lines) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || strlen(path) >= sizeof address.sun_path) return;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path, strlen(path));
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto size = socklen_t(offsetof(sockaddr_un, sun_path) + strlen(path));
  sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  close(fd);
}

}  // namespace chat
