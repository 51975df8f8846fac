#include "common/ipc/close_aside.hpp"

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace foster::ipc {
namespace {

/// Whether closing it may have to wait for a server or a device.
bool must_flush(int fd) {
  struct statx status {};
  // Without asking the server of a file, which may be gone.
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return false;
  switch (status.stx_mode & S_IFMT) {
    case S_IFSOCK:
      end_lingering(fd);
      return false;
    case S_IFIFO:
    case 0:  // no file of any kind: eventfd, timerfd, epoll and the like
      return false;
    case S_IFREG:
      return fcntl(fd, F_GET_SEALS) < 0;  // only what is in memory has seals
    default:
      return true;
  }
}

/// It sees a copy of the memory but the same descriptors, and no longer than the caller lives:
/// sharing them keeps them open.
[[noreturn]] void close_and_end(int fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  close(fd);
  _exit(0);
}

}  // namespace

/// For the socket and not for our descriptor, because a process just forked that has a copy may be
/// the last to close it.
void end_lingering(int fd) {
  linger wish{};
  socklen_t size = sizeof wish;
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &wish, &size) != 0) return;
  if (wish.l_onoff == 0 || wish.l_linger == 0) return;
  const linger never{};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &never, sizeof never);
}

void close_aside(int fd, Reaping reaping) {
  // Children that end without SIGCHLD are waited for by nobody else.
  const bool own = reaping == Reaping::at_next_call;
  while (own && waitpid(-1, nullptr, __WCLONE | WNOHANG) > 0)
    continue;
  long pid = -1;
  if (must_flush(fd)) {
    const int flags = CLONE_FILES | (own ? 0 : SIGCHLD);
    pid = syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  }
  if (pid == 0) close_and_end(fd);
  if (pid < 0) close(fd);  // it need not wait, or there is no process to be had
}

}  // namespace foster::ipc
