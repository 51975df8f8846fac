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

/// With more groups than this left behind, a dead orphan is asked for its own group before it is
/// reaped; with fewer, all of them are looked at when the turn's dead are reaped. Adopted processes
/// are always asked.
constexpr uint32_t kFewGroups = 16;

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

void look_at_group(Keeper& keeper, pid_t group) {
  for (ChildEntry* child; (child = keeper.children.lingering_in(group)) != nullptr;)
    if (group_remains(keeper, *child)) return;
}

Death death_of(pid_t pid, int status, const rusage& usage) {
  return {.pid = pid,
          .wait_status = status,
          .at_ns = now_ns(),
          .user_us = microseconds(usage.ru_utime),
          .system_us = microseconds(usage.ru_stime),
          .max_rss_kib = static_cast<uint32_t>(usage.ru_maxrss)};
}

void child_died(Keeper& keeper, ChildEntry& child, const Death& death) {
  FOSTER_CHECK(take_report(keeper, child));  // dead: its end of the pipe is closed
  if (child.spawn_failed) {
    keeper.children.enter(child, ChildPhase::over);
    keeper.children.announce(child, kSpawnFailedNews);
    return;
  }
  main_died(keeper, child, death);
  if (child.foreground) static_cast<void>(take_terminal(getpgrp()));
}

/// What was left behind in a group of this number is either led by the dead process, or gone: the
/// number was free for it.
void leader_died(Keeper& keeper, pid_t pid) {
  for (ChildEntry* child; (child = keeper.children.lingering_in(pid)) != nullptr;) {
    if (!child->led)
      group_emptied(keeper, *child);
    else if (group_remains(keeper, *child))
      return;
  }
}

/// Someone whose own parent died before it. `group` is 0 when it is not known, or not asked for.
void orphan_died(Keeper& keeper, const Death& death, pid_t group) {
  keeper.orphans.add(death);
  leader_died(keeper, death.pid);
  if (group > 0 && group != death.pid) look_at_group(keeper, group);
}

struct Dead {
  pid_t pid = 0;    // 0: nobody
  pid_t group = 0;  // 0: not asked for
};

/// The next of the dead, and its group while it is a zombie that can still be asked for it.
Dead peek() {
  siginfo_t peeked{};
  if (waitid(P_ALL, 0, &peeked, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  return {peeked.si_pid, peeked.si_pid > 0 ? getpgid(peeked.si_pid) : 0};
}

/// Reaps one; false when nobody is left to reap. `orphans` is set when it was nobody's main
/// process and its group is not known.
bool reap_one(Keeper& keeper, bool& orphans) {
  Dead dead;
  const bool ask = keeper.children.lingering() > kFewGroups || keeper.children.adopted_mains() > 0;
  if (ask && (dead = peek()).pid == 0) return false;
  int status = 0;
  rusage usage{};
  const pid_t pid = wait4(ask ? dead.pid : -1, &status, WNOHANG, &usage);
  if (pid <= 0) {
    FOSTER_CHECK(pid == 0 || errno == ECHILD);
    return false;
  }
  if (pid == keeper.manager.pid) {
    manager_ended(keeper, status);
  } else if (ChildEntry* child = keeper.children.by_pid(pid)) {
    if (child->adopted) child->group = dead.group;
    child_died(keeper, *child, death_of(pid, status, usage));
  } else {
    orphan_died(keeper, death_of(pid, status, usage), dead.group);
    orphans = orphans || !ask;
  }
  return true;
}

}  // namespace

void reap(Keeper& keeper) {
  bool orphans = false;
  while (reap_one(keeper, orphans))
    continue;
  if (orphans) look_at_groups(keeper);
}

void main_died(Keeper& keeper, ChildEntry& child, const Death& death) {
  child.wait_status = death.wait_status;
  child.exited_ns = death.at_ns;
  child.user_us = death.user_us;
  child.system_us = death.system_us;
  child.max_rss_kib = death.max_rss_kib;
  look_at_group(keeper, child.group);  // another attempt's, too, where one was adopted
  child.group_remained = exists(-child.group);
  child.led = child.group_remained && child.group != child.pid && exists(child.group);
  keeper.children.enter(child, child.group_remained ? ChildPhase::lingering : ChildPhase::over);
  keeper.children.announce(child, kExitedNews);
}

void look_at_groups(Keeper& keeper) {
  uint32_t left = keeper.children.lingering();
  for (uint32_t slot = 0; left > 0 && slot < keeper.children.slots(); ++slot) {
    ChildEntry* child = keeper.children.at(slot);
    if (child == nullptr || child->phase != ChildPhase::lingering) continue;
    --left;
    static_cast<void>(group_remains(keeper, *child));
  }
}

bool group_remains(Keeper& keeper, ChildEntry& child) {
  FOSTER_CHECK(child.phase == ChildPhase::lingering);
  child.led = child.led && exists(child.group);
  if ((child.led || !exists(child.group)) && exists(-child.group)) return true;
  group_emptied(keeper, child);
  return false;
}

void pid_taken(Keeper& keeper, pid_t pid) {
  for (ChildEntry* child; (child = keeper.children.lingering_in(pid)) != nullptr;)
    group_emptied(keeper, *child);
}

}  // namespace foster::keeper
