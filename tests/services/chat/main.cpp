// foster-chat: a chat room. Whoever connects and says a line is heard by all.
//
//   foster-chat [--drain SECONDS]
//
// Its sockets come from its supervisor. On SIGTERM it lets nobody in any more, and ends when all
// have left, or have been told to after SECONDS (default 2).
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/signalfd.h>

#include "tests/services/chat/room.hpp"
#include "tests/services/chat/supervisor.hpp"

namespace {

constexpr int kUsage = 64;
constexpr int kNoSocket = 78;

int signals_by_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

int main(int argc, char** argv) {
  double drain_s = 2;
  if (argc == 3 && strcmp(argv[1], "--drain") == 0) {
    drain_s = atof(argv[2]);
  } else if (argc != 1) {
    fprintf(stderr, "usage: foster-chat [--drain SECONDS]\n");
    return kUsage;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  std::vector<int> sockets = chat::listening_sockets();
  const int receive = chat::receive_socket();
  if (sockets.empty() && receive < 0) {
    fprintf(stderr, "chat: no socket to listen on was passed\n");
    return kNoSocket;
  }
  chat::Seat* seats = chat::map_seats();
  if (!seats) {
    perror("chat: cannot get shared memory");
    return EXIT_FAILURE;
  }
  chat::Room room(seats, std::move(sockets), receive, signals_by_descriptor());
  chat::notify("READY=1\nSTATUS=open");
  room.run(int(drain_s * 1000));
  return EXIT_SUCCESS;
}
