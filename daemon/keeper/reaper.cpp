#include "daemon/keeper/reaper.hpp"

#include <cerrno>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/manager_link.hpp"
#include "daemon/keeper/signals.hpp"
#include "daemon/keeper/spawn.hpp"

namespace foster::keeper {
namespace {

uint64_t microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

/// EPERM: it is there, and others own it.
bool exists(pid_t target) {
  return kill(target, 0) == 0 || errno == EPERM;
}

void group_emptied(Keeper& keeper, ChildEntry& child) {
  keeper.children.enter(child, ChildPhase::over);
  // Often the rest of a group dies with its main process and is reaped in the same turn: then the
  // manager hears of one end, not of two.
  if ((child.untold & kExitedNews) != 0)
    child.group_remained = false;
  else
    keeper.children.announce(child, kGroupEmptiedNews);
}

void child_died(Keeper& keeper, ChildEntry& child, int status, const rusage& usage) {
  FOSTER_CHECK(take_report(keeper, child));  // dead: its end of the pipe is closed
  if (child.spawn_failed) {
    keeper.children.enter(child, ChildPhase::over);
    keeper.children.announce(child, kSpawnFailedNews);
    return;
  }
  child.wait_status = status;
  child.exited_ns = now_ns();
  child.user_us = microseconds(usage.ru_utime);
  child.system_us = microseconds(usage.ru_stime);
  child.max_rss_kib = static_cast<uint32_t>(usage.ru_maxrss);
  child.group_remained = exists(-child.pid);
  keeper.children.enter(child, child.group_remained ? ChildPhase::lingering : ChildPhase::over);
  keeper.children.announce(child, kExitedNews);
  if (child.foreground) static_cast<void>(take_terminal(getpgrp()));
}

/// Someone whose own parent died before it. `group` is 0 when no group is waited for.
void orphan_died(Keeper& keeper, pid_t pid, pid_t group) {
  pid_taken(keeper, pid);
  ChildEntry* child = group > 0 ? keeper.children.by_pid(group) : nullptr;
  if (child != nullptr && child->phase == ChildPhase::lingering)
    static_cast<void>(group_remains(keeper, *child));
}

void reap_one(Keeper& keeper, pid_t pid) {
  // Still a zombie: its group can be asked for, and nobody else can have its pid.
  const pid_t group = keeper.children.lingering() > 0 ? getpgid(pid) : 0;
  int status = 0;
  rusage usage{};
  FOSTER_CHECK(wait4(pid, &status, WNOHANG, &usage) == pid);
  if (pid == keeper.manager.pid) return manager_ended(keeper, status);
  ChildEntry* child = keeper.children.by_pid(pid);
  if (child != nullptr && child->phase < ChildPhase::lingering)
    child_died(keeper, *child, status, usage);
  else
    orphan_died(keeper, pid, group);
}

}  // namespace

void reap(Keeper& keeper) {
  for (;;) {
    siginfo_t peeked{};
    if (waitid(P_ALL, 0, &peeked, WEXITED | WNOHANG | WNOWAIT) != 0) {
      FOSTER_CHECK(errno == ECHILD);
      return;
    }
    if (peeked.si_pid == 0) return;
    reap_one(keeper, peeked.si_pid);
  }
}

bool group_remains(Keeper& keeper, ChildEntry& child) {
  FOSTER_CHECK(child.phase == ChildPhase::lingering);
  if (!exists(child.pid) && exists(-child.pid)) return true;
  group_emptied(keeper, child);
  return false;
}

void pid_taken(Keeper& keeper, pid_t pid) {
  ChildEntry* child = keeper.children.by_pid(pid);
  if (child != nullptr && child->phase == ChildPhase::lingering) group_emptied(keeper, *child);
}

}  // namespace foster::keeper
