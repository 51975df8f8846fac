// Stands beside fosterd as "foster-manager" and gives its end of the channel away to the test,
// which then speaks for it. It lives until the test hangs up, says how to exit, or kills it.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "daemon/protocol/keeper_protocol.hpp"

namespace {

int connect_to_test(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(99);
  return fd;
}

void give_away(int connection, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  if (sendmsg(connection, &message, MSG_NOSIGNAL) != 1) _exit(98);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "exit") == 0) return std::atoi(argv[2]);
  const char* path = std::getenv("KEEPER_TEST_SOCKET");
  if (path == nullptr) return 97;
  const int connection = connect_to_test(path);
  give_away(connection, foster::protocol::kManagerFd);
  close(foster::protocol::kManagerFd);
  unsigned char code = 0;
  return read(connection, &code, 1) == 1 ? code : 0;
}
