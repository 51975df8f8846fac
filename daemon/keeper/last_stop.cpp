#include "daemon/keeper/last_stop.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "daemon/keeper/commands.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/reaper.hpp"

namespace foster::keeper {
namespace {

constexpr int64_t kServiceGrace = 10 * kSecond;
constexpr int64_t kSweepGrace = 2 * kSecond;
// What SIGKILL does not end by then waits for a device, and may do so for ever.
constexpr int64_t kKillGrace = 10 * kSecond;
// Between looks at who has become a child of ours while others are being killed.
constexpr int64_t kKillAgain = 100 * kMillisecond;
constexpr pid_t kPidMax = 1 << 22;

bool has_children() {
  siginfo_t peeked{};
  return waitid(P_ALL, 0, &peeked, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/// Sleeps until a signal comes or it is `until`; reaps. False if the wait is over or cut short.
bool wait_for_signal(Keeper& keeper, int64_t until) {
  const int64_t left = until - now_ns();
  if (left <= 0) return false;
  pollfd signals{keeper.signals.get(), POLLIN, 0};
  poll(&signals, 1, static_cast<int>(left / kMillisecond) + 1);
  return !take_signals(keeper);
}

void signal_services(Keeper& keeper, int signal) {
  for (uint32_t slot = 0; slot < keeper.children.slots(); ++slot) {
    ChildEntry* child = keeper.children.at(slot);
    if (child != nullptr && child->phase != ChildPhase::over)
      kill_attempt(keeper, *child, signal, protocol::KillScope::group, true);
  }
}

bool services_ended(Keeper& keeper, int64_t until) {
  reap(keeper);
  while (keeper.children.alive() > 0) {
    if (!wait_for_signal(keeper, until)) break;
    look_at_groups(keeper);
  }
  return keeper.children.alive() == 0;
}

using OnChild = void (*)(pid_t child, void* with);

/// Every direct child, by the kernel's own list of them; false where the kernel keeps none.
bool each_listed_child(OnChild on_child, void* with) {
  const UniqueFd list(open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  if (!list) return false;
  char text[4096];
  pid_t pid = 0;
  for (ssize_t size; (size = read(list.get(), text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < size; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid > 0) {
        on_child(std::exchange(pid, 0), with);
      }
    }
  }
  return true;
}

/// 0 for what does not begin with a number.
pid_t number_in(const char* text) {
  return static_cast<pid_t>(std::strtol(text, nullptr, 10));
}

pid_t parent_of(const char* pid_text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid_text);
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t size = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return 0;
  text[size] = '\0';
  // "pid (name) S ppid ...", and a name may hold anything, parentheses too.
  const char* name_end = std::strrchr(text, ')');
  return name_end == nullptr || std::strlen(name_end) < 4 ? 0 : number_in(name_end + 4);
}

void each_child(const Keeper& keeper, OnChild on_child, void* with) {
  if (each_listed_child(on_child, with)) return;
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return;
  while (const dirent* entry = readdir(processes)) {
    const pid_t pid = number_in(entry->d_name);
    if (pid > 0 && parent_of(entry->d_name) == keeper.pid) on_child(pid, with);
  }
  closedir(processes);
}

/// Who has been sent SIGTERM: orphans come to the keeper as their parents end, and each is asked
/// once.
struct Asked {
  unsigned char* bits = static_cast<unsigned char*>(std::calloc(kPidMax / 8, 1));
};

void ask_to_end(pid_t child, void* with) {
  auto* bits = static_cast<Asked*>(with)->bits;
  if (bits == nullptr || child >= kPidMax) return;
  const auto bit = static_cast<unsigned char>(1 << (child % 8));
  if ((bits[child / 8] & bit) != 0) return;
  bits[child / 8] = static_cast<unsigned char>(bits[child / 8] | bit);
  kill(child, SIGTERM);
  kill(child, SIGCONT);
}

void kill_child(pid_t child, void*) {
  kill(child, SIGKILL);
}

bool swept_gently(Keeper& keeper) {
  const int64_t until = now_ns() + kSweepGrace;
  Asked asked;
  if (keeper.is_init) {
    kill(-1, SIGTERM);
    kill(-1, SIGCONT);
  }
  for (;;) {
    reap(keeper);
    if (!has_children()) return true;
    if (!keeper.is_init) each_child(keeper, ask_to_end, &asked);
    if (!wait_for_signal(keeper, until)) return false;
  }
}

bool swept_by_force(Keeper& keeper) {
  const int64_t until = now_ns() + kKillGrace;
  for (;;) {
    if (keeper.is_init)
      kill(-1, SIGKILL);
    else
      each_child(keeper, kill_child, nullptr);
    const int64_t again = now_ns() + kKillAgain;
    while (has_children() && wait_for_signal(keeper, again))
      continue;
    if (!has_children()) return true;
    if (now_ns() >= until) return false;
  }
}

void kill_manager(Keeper& keeper) {
  if (keeper.manager.pid != 0) kill(keeper.manager.pid, SIGKILL);
}

}  // namespace

void stop_without_manager(Keeper& keeper) {
  keeper.ending = true;
  log(Level::warning, "stopping all services without a manager services=%u",
      keeper.children.alive());
  kill_manager(keeper);
  signal_services(keeper, SIGTERM);
  bool in_time = services_ended(keeper, now_ns() + kServiceGrace);
  if (!in_time) {
    log(Level::warning, "killing services that did not end services=%u", keeper.children.alive());
    signal_services(keeper, SIGKILL);
    static_cast<void>(services_ended(keeper, now_ns() + kSweepGrace));
  }
  end(keeper, in_time ? 0 : 1);
}

void finish(Keeper& keeper, int code) {
  keeper.ending = true;
  const int64_t until = now_ns() + kSweepGrace;
  reap(keeper);
  // Signals to stop do not cut this short: the manager is about to end, and clears the instance
  // away.
  while (keeper.manager.pid != 0 && now_ns() < until)
    static_cast<void>(wait_for_signal(keeper, until));
  if (keeper.manager.pid != 0) log(Level::warning, "killing the manager, which did not end");
  kill_manager(keeper);
  end(keeper, code);
}

void end(Keeper& keeper, int code) {
  keeper.ending = true;
  reap(keeper);
  if (has_children() && !swept_gently(keeper) && !swept_by_force(keeper))
    log(Level::error, "processes remain that SIGKILL does not end");
  // Nothing here has to be flushed or handed back: the kernel takes it all.
  _exit(code);
}

}  // namespace foster::keeper
