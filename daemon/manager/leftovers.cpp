#include "daemon/manager/leftovers.hpp"

#include <dirent.h>
#include <poll.h>
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

struct Leftover {
  pid_t pid = 0;
  UniqueFd process;
};

/// Opened before it is looked at: what is signalled later is then what was seen.
UniqueFd open_process(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

std::vector<Leftover> find(const std::string& invocation) {
  std::vector<Leftover> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(opendir("/proc"), closedir);
  if (!processes) return found;
  while (const dirent* entry = readdir(processes.get())) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid <= 1 || InitialEnvironment(pid).value(kVariable) != invocation) continue;
    UniqueFd process = open_process(pid);
    if (process && InitialEnvironment(pid).value(kVariable) == invocation)
      found.push_back({pid, std::move(process)});
  }
  return found;
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
  const Instant until = now_since_boot() + kEndsWithin;
  for (int looks = 0; looks < kLooksMax; ++looks) {
    const std::vector<Leftover> found = find(invocation);
    if (found.empty()) return;
    for (const Leftover& left : found)
      end(left);
    for (const Leftover& left : found)
      if (!wait_for_end(left, until)) return;
  }
}

}  // namespace foster::manager
