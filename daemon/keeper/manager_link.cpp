#include "daemon/keeper/manager_link.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "daemon/keeper/commands.hpp"
#include "daemon/keeper/last_stop.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/reaper.hpp"
#include "daemon/keeper/signals.hpp"
#include "daemon/keeper/telling.hpp"

namespace foster::keeper {
namespace {

constexpr int64_t kServedWell = kSecond;
constexpr int64_t kDelayReadyFirst = 10 * kMillisecond;
constexpr int64_t kDelayReadyMax = 500 * kMillisecond;
constexpr int64_t kDelayUnreadyFirst = 100 * kMillisecond;
constexpr int64_t kDelayUnreadyMax = 5 * kSecond;
constexpr int64_t kHungUpGrace = 5 * kSecond;
constexpr int64_t kTakeSignalWithin = 5 * kSecond;
constexpr uint32_t kFirstTriesMax = 5;
constexpr int kNoManagerExitCode = 70;       // EX_SOFTWARE
constexpr int kCannotExecuteExitCode = 127;  // as a shell has it

char programs[3][PATH_MAX + 64];

void close_channel(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  if (!manager.channel) return;
  // Children forked meanwhile may hold copies until they execute: see close_report.
  epoll_ctl(keeper.epoll.get(), EPOLL_CTL_DEL, manager.channel.get(), nullptr);
  manager.channel.reset();
}

[[noreturn]] void cannot_execute(int error) {
  char text[256];
  const int size = snprintf(text, sizeof text, "fosterd: cannot execute foster-manager: %s\n",
                            strerrordesc_np(error));
  [[maybe_unused]] const ssize_t told = write(STDERR_FILENO, text, static_cast<size_t>(size));
  _exit(kCannotExecuteExitCode);
}

/// Between fork and execve.
[[noreturn]] void become_manager(char** argv, char** envp, int channel) {
  reset_signals_for_manager();
  setpgid(0, 0);
  // dup2 leaves a descriptor that is in its place already as it was, CLOEXEC included.
  const bool placed = channel == protocol::kManagerFd ? fcntl(channel, F_SETFD, 0) == 0
                                                      : dup2(channel, protocol::kManagerFd) >= 0;
  int error = placed ? ENOENT : errno;
  for (const char* program : programs) {
    if (!placed || program[0] == '\0') continue;
    execve(program, argv, envp);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  cannot_execute(error);
}

void log_end(pid_t pid, int status) {
  if (WIFEXITED(status))
    log(Level::warning, "manager ended pid=%d code=%d", pid, WEXITSTATUS(status));
  else
    log(Level::warning, "manager ended pid=%d signal=%d core=%d", pid, WTERMSIG(status),
        WCOREDUMP(status) ? 1 : 0);
}

int64_t grown(int64_t delay, int64_t first, int64_t most) {
  if (delay == 0) return first;
  return delay * 2 < most ? delay * 2 : most;
}

/// The end of a manager when none has been ready so far and nothing runs: most likely its answer to
/// the command line.
void ended_at_first(Keeper& keeper, int status) {
  ManagerLink& manager = keeper.manager;
  if (WIFEXITED(status)) end(keeper, WEXITSTATUS(status));
  if (++manager.deaths_by_signal <= kFirstTriesMax) return;
  log(Level::error, "the manager cannot start: killed each time tries=%u signal=%d",
      manager.deaths_by_signal, WTERMSIG(status));
  end(keeper, kNoManagerExitCode);
}

void schedule_start(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  const int64_t now = now_ns();
  int64_t delay = 0;
  manager.last_was_ready = manager.ready_at_ns != 0;
  if (manager.last_was_ready && now - manager.ready_at_ns >= kServedWell) {
    manager.delay_ready_ns = manager.delay_unready_ns = 0;
  } else if (manager.last_was_ready) {
    delay = manager.delay_ready_ns =
        grown(manager.delay_ready_ns, kDelayReadyFirst, kDelayReadyMax);
    manager.delay_unready_ns = 0;
  } else {
    delay = manager.delay_unready_ns =
        grown(manager.delay_unready_ns, kDelayUnreadyFirst, kDelayUnreadyMax);
  }
  manager.ready_at_ns = 0;
  manager.start_at_ns = now + delay;
  if (delay > 0)
    log(Level::info, "manager starts again in_ms=%lld",
        static_cast<long long>(delay / kMillisecond));
}

/// As it wished: without a pause, and without a word about failures before.
void start_afresh(Keeper& keeper) {
  log(Level::info, "the manager starts afresh");
  keeper.manager.last_was_ready = true;
  keeper.manager.ready_at_ns = 0;
  keeper.manager.start_at_ns = now_ns();
}

void retry_start(Keeper& keeper, const char* what, int error) {
  log(Level::error, "cannot start the manager: %s: %s", what, strerrordesc_np(error));
  schedule_start(keeper);
}

/// A manager that does not take SIGTERM hangs. Its successor stops things in their order and clears
/// the instance away, which the keeper cannot; so one successor is tried before the keeper does it
/// alone.
void replace_hung_manager(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  log(Level::warning, "the manager does not take a signal to stop, killing it pid=%d", manager.pid);
  manager.replaced_to_stop = true;
  manager.take_by_ns = now_ns() + kTakeSignalWithin;
  kill(manager.pid, SIGKILL);
}

}  // namespace

void find_manager_programs() {
  char self[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  if (size < 0) {
    // getauxval(3) gives the address of the name as a number.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    const char* executed = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    size = snprintf(self, sizeof self, "%s", executed == nullptr ? "" : executed);
  }
  self[size < PATH_MAX ? size : 0] = '\0';
  char* slash = std::strrchr(self, '/');
  if (slash != nullptr) {
    *slash = '\0';
    snprintf(programs[0], sizeof programs[0], "%s/foster-manager", self);
    snprintf(programs[1], sizeof programs[1], "%s/../libexec/foster/foster-manager", self);
  }
  snprintf(programs[2], sizeof programs[2], "%s/foster-manager", FOSTER_LIBEXECDIR);
}

void start_manager(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  manager.start_at_ns = 0;
  UniqueFd theirs;
  const int error = ipc::make_pair(manager.channel, theirs);
  if (error != 0) return retry_start(keeper, "no channel", error);
  epoll_event event{EPOLLIN, {.u64 = kManagerKey}};
  if (epoll_ctl(keeper.epoll.get(), EPOLL_CTL_ADD, manager.channel.get(), &event) != 0) {
    const int watch_error = errno;
    manager.channel.reset();
    return retry_start(keeper, "its channel cannot be watched", watch_error);
  }
  char** argv = keeper.argv;
  char** envp = keeper.envp;
  const pid_t pid = fork();
  if (pid == 0) become_manager(argv, envp, theirs.get());
  if (pid < 0) {
    const int fork_error = errno;
    close_channel(keeper);
    return retry_start(keeper, "no process", fork_error);
  }
  pid_taken(keeper, pid);
  manager.pid = pid;
  ++manager.starts;
  begin_handover(keeper);
  manager.untold_signals |= manager.untaken_signals;
  if (manager.starts > 1) log(Level::info, "manager started pid=%d", pid);
}

void manager_readable(Keeper& keeper) {
  if (!keeper.manager.channel || take_commands(keeper) != Reading::over) return;
  close_channel(keeper);
  if (keeper.manager.pid != 0) keeper.manager.end_by_ns = now_ns() + kHungUpGrace;
}

void manager_ended(Keeper& keeper, int status) {
  ManagerLink& manager = keeper.manager;
  const pid_t pid = std::exchange(manager.pid, 0);
  // What it asked for before it died has been asked for.
  while (manager.channel && take_commands(keeper) == Reading::done)
    continue;
  close_channel(keeper);
  manager.end_by_ns = 0;
  if (keeper.ending || keeper.finish_asked) return;
  if (std::exchange(manager.goes, false)) return start_afresh(keeper);
  const bool at_first = !manager.ever_ready && keeper.children.alive() == 0;
  if (!at_first || !WIFEXITED(status)) log_end(pid, status);
  if (at_first) ended_at_first(keeper, status);
  schedule_start(keeper);
}

void cannot_tell(Keeper& keeper, int error) {
  if (error != EPIPE && error != ECONNRESET)
    give_up_manager(keeper, "cannot tell the manager", error);
  // What it has sent is still read once it is reaped; there is nothing more to tell it.
  keeper.manager.out.clear();
  keeper.manager.deaf = true;
}

void give_up_manager(const Keeper& keeper, const char* why, int error) {
  log(Level::error, "%s, killing it: %s pid=%d", why, strerrordesc_np(error), keeper.manager.pid);
  if (keeper.manager.pid != 0) kill(keeper.manager.pid, SIGKILL);
}

void manager_ready(Keeper& keeper) {
  keeper.manager.ever_ready = true;
  if (keeper.manager.ready_at_ns == 0) keeper.manager.ready_at_ns = now_ns();
}

void manager_goes(Keeper& keeper) {
  // One that does not even serve is put off like any that fails.
  keeper.manager.goes = keeper.manager.ready_at_ns != 0;
}

void signal_came(Keeper& keeper, int signal) {
  ManagerLink& manager = keeper.manager;
  for (int i = 0; i < kForwardedSignals; ++i) {
    if (forwarded_signal(i) != signal) continue;
    const uint32_t bit = uint32_t{1} << i;
    manager.untold_signals |= bit;
    if (!asks_to_stop(signal)) return;
    const bool again_without_manager = manager.untaken_signals != 0 && !manager.channel;
    manager.untaken_signals |= bit;
    if (again_without_manager)
      manager.take_by_ns = now_ns();
    else if (manager.take_by_ns == 0)
      manager.take_by_ns = now_ns() + kTakeSignalWithin;
  }
}

void signal_taken(Keeper& keeper, int signal) {
  ManagerLink& manager = keeper.manager;
  for (int i = 0; i < kForwardedSignals; ++i)
    if (forwarded_signal(i) == signal) manager.untaken_signals &= ~(uint32_t{1} << i);
  if (manager.untaken_signals != 0) return;
  manager.take_by_ns = 0;
  manager.replaced_to_stop = false;
}

bool stop_is_ours(Keeper& keeper) {
  const ManagerLink& manager = keeper.manager;
  if (manager.untaken_signals == 0) return false;
  // A manager that was fine before it died will be back in a moment and stop things in their order;
  // one that could not even start is not waited for.
  if (!manager.channel && !manager.last_was_ready) return true;
  if (now_ns() < manager.take_by_ns) return false;
  const bool hangs = manager.pid != 0 && manager.ready_at_ns != 0;
  if (!hangs || manager.replaced_to_stop) return true;
  replace_hung_manager(keeper);
  return false;
}

int64_t act_on_deadlines(Keeper& keeper) {
  ManagerLink& manager = keeper.manager;
  const auto due = [](int64_t at) { return at != 0 && now_ns() >= at; };
  if (due(manager.end_by_ns)) {
    log(Level::warning, "manager hung up and did not end, killing it pid=%d", manager.pid);
    manager.end_by_ns = 0;
    kill(manager.pid, SIGKILL);
  }
  if (manager.start_at_ns != 0 && (due(manager.start_at_ns) || manager.untaken_signals != 0))
    start_manager(keeper);
  int64_t next = 0;
  for (const int64_t at : {manager.end_by_ns, manager.start_at_ns, manager.take_by_ns})
    if (at != 0 && (next == 0 || at < next)) next = at;
  return next;
}

}  // namespace foster::keeper
