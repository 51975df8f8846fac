#include "daemon/manager/leftovers.hpp"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "common/instant.hpp"
#include "common/ipc/unique_fd.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

constexpr char kVariable[] = "FOSTER_INVOCATION";
/// What does not end on SIGKILL by then waits for a device. Nothing more can be done about it.
constexpr Duration kEndsWithin = std::chrono::seconds(5);
/// Who forks while it is looked for may be missed, and is found by looking again.
constexpr int kLooksMax = 20;
/// Whose execve(2) takes longer than this is left alone. The kernel tells nobody when one is done.
constexpr Duration kExecutesWithin = std::chrono::seconds(1);

struct Leftover {
  pid_t pid = 0;
  UniqueFd process;
};

/// Opened before it is looked at: what is signalled later is then what was seen.
UniqueFd open_process(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

struct Look {
  std::vector<Leftover> found;
  bool unsure = false;  // of one that was just being executed
};

Look look_for(const std::string& invocation) {
  Look look;
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(opendir("/proc"), closedir);
  if (!processes) return look;
  while (const dirent* entry = readdir(processes.get())) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid <= 1) continue;
    const InitialEnvironment environment(pid);
    if (environment.value(kVariable) != invocation) {
      look.unsure = look.unsure || (environment.empty() && may_be_executing(pid));
      continue;
    }
    UniqueFd process = open_process(pid);
    if (process && InitialEnvironment(pid).value(kVariable) == invocation)
      look.found.push_back({pid, std::move(process)});
    else
      look.unsure = true;
  }
  return look;
}

void end(const Leftover& left) {
  log(Level::warning, "a process that an earlier fosterd left behind is ended",
      {{"unit", InitialEnvironment(left.pid).value("FOSTER_UNIT").value_or("")},
       {"pid", left.pid}});
  if (syscall(SYS_pidfd_send_signal, left.process.get(), SIGKILL, nullptr, 0) != 0 &&
      errno != ESRCH)
    log(Level::error, "cannot end it", {{"pid", left.pid}, {"error", strerrordesc_np(errno)}});
}

/// False when the time was up before it had ended.
bool wait_for_end(const Leftover& left, Instant until) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - now_since_boot());
  pollfd ended{left.process.get(), POLLIN, 0};
  return poll(&ended, 1, static_cast<int>(std::max<int64_t>(rest.count(), 0))) > 0;
}

}  // namespace

std::string invocation_of(const foster_region_header& header) {
  return std::to_string(header.keeper_pid) + "-" + std::to_string(header.keeper_start_ticks);
}

void end_leftovers(const std::string& invocation) {
  const Instant begun = now_since_boot();
  for (int looks = 0; looks < kLooksMax;) {
    const Look look = look_for(invocation);
    if (look.found.empty()) {
      if (!look.unsure || now_since_boot() >= begun + kExecutesWithin) return;
      sched_yield();
      continue;
    }
    ++looks;
    for (const Leftover& left : look.found)
      end(left);
    for (const Leftover& left : look.found)
      if (!wait_for_end(left, begun + kEndsWithin)) return;
  }
}

}  // namespace foster::manager
