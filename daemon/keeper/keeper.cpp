#include "daemon/keeper/keeper.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <new>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/check.hpp"
#include "daemon/keeper/inherited.hpp"
#include "daemon/keeper/last_stop.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/manager_link.hpp"
#include "daemon/keeper/memory.hpp"
#include "daemon/keeper/reaper.hpp"
#include "daemon/keeper/signals.hpp"
#include "daemon/keeper/spawn.hpp"
#include "daemon/keeper/telling.hpp"

namespace foster::keeper {
namespace {

constexpr int kEventsMax = 64;
constexpr int kCannotStartExitCode = 71;  // EX_OSERR

/// Without these three, the first descriptors that the keeper opens would be a service's stdio.
void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    const int null_fd = open("/dev/null", O_RDWR);
    // Without /dev/null as well: any descriptor that keeps the place, reading as an empty file.
    int ends[2];
    if (null_fd < 0 && pipe(ends) == 0 && ends[1] > STDERR_FILENO) close(ends[1]);
  }
}

void raise_descriptor_limit(Keeper& keeper) {
  if (getrlimit(RLIMIT_NOFILE, &keeper.descriptor_limit) != 0) return;
  rlimit raised = keeper.descriptor_limit;
  raised.rlim_cur = raised.rlim_max;
  setrlimit(RLIMIT_NOFILE, &raised);  // at worst it stays as it is
}

[[noreturn]] void cannot_start(const char* what) {
  log(Level::error, "cannot start: %s: %s", what, strerrordesc_np(errno));
  exit(kCannotStartExitCode);
}

void prepare(Keeper& keeper) {
  open_standard_descriptors();
  keeper.pid = getpid();
  take_inherited(keeper);
  keeper.is_init = keeper.pid == 1;
  keeper.signals.reset(open_signals());
  if (!keeper.signals) cannot_start("no signal descriptor");
  if (!keeper.is_init && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) cannot_start("no subreaper");
  raise_descriptor_limit(keeper);
  const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  keeper.null_fd = null_fd >= 0 ? null_fd : -errno;
  keeper.epoll.reset(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{EPOLLIN, {.u64 = kSignalsKey}};
  if (!keeper.epoll ||
      epoll_ctl(keeper.epoll.get(), EPOLL_CTL_ADD, keeper.signals.get(), &event) != 0)
    cannot_start("no epoll");
  find_manager_programs();
}

void report_readable(Keeper& keeper, uint64_t attempt) {
  ChildEntry* child = keeper.children.by_attempt(attempt);
  if (child != nullptr) static_cast<void>(take_report(keeper, *child));
}

/// For epoll_wait: rounded up, so as not to come back too early and turn on the spot.
int timeout_ms(int64_t deadline_ns) {
  if (deadline_ns == 0) return -1;
  const int64_t left = deadline_ns - now_ns();
  return left <= 0 ? 0 : static_cast<int>((left + kMillisecond - 1) / kMillisecond);
}

void turn(Keeper& keeper) {
  const int64_t deadline = act_on_deadlines(keeper);
  watch_fresh(keeper);
  tell_manager(keeper);
  epoll_event events[kEventsMax];
  const int count = epoll_wait(keeper.epoll.get(), events, kEventsMax, timeout_ms(deadline));
  for (int i = 0; i < count; ++i) {
    const uint64_t key = events[i].data.u64;
    if (key == kSignalsKey)
      take_signals(keeper);
    else if (key == kManagerKey)
      manager_readable(keeper);
    else
      report_readable(keeper, key);
  }
  if (keeper.finish_asked) finish(keeper, keeper.finish_code);
  if (stop_is_ours(keeper)) stop_without_manager(keeper);
}

}  // namespace

int64_t now_ns() {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return int64_t{at.tv_sec} * kSecond + at.tv_nsec;
}

bool take_signals(Keeper& keeper) {
  signalfd_siginfo signals[16];
  const ssize_t size = read(keeper.signals.get(), signals, sizeof signals);
  bool stop = false;
  bool deaths = false;
  for (ssize_t i = 0; i < size / static_cast<ssize_t>(sizeof signals[0]); ++i) {
    const int signal = static_cast<int>(signals[i].ssi_signo);
    stop = stop || asks_to_stop(signal);
    deaths = deaths || signal == SIGCHLD;
    if (signal != SIGCHLD) signal_came(keeper, signal);
  }
  if (deaths) reap(keeper);
  return stop;
}

void run(char** argv, char** envp) {
  void* memory = take_unforked(sizeof(Keeper));
  if (memory == nullptr) cannot_start("no memory");
  Keeper& keeper = *new (memory) Keeper;
  keeper.argv = argv;
  keeper.envp = envp;
  prepare(keeper);
  start_manager(keeper);
  for (;;)
    turn(keeper);
}

}  // namespace foster::keeper
