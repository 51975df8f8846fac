#include "daemon/keeper/adoption.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "daemon/keeper/reaper.hpp"
#include "daemon/keeper/spawn.hpp"

namespace foster::keeper {
namespace {

/// How long a dead orphan is remembered. A number that is read from a file may be older than that,
/// and then says nothing about who died.
constexpr int64_t kRemembered = 10 * kSecond;

/// wait(2) knows a process's children, also those that came to it as orphans; nothing is reaped.
bool is_child(pid_t pid) {
  siginfo_t peeked{};
  return waitid(P_PID, static_cast<id_t>(pid), &peeked, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/// Takes it out: an orphan dies for one attempt only.
Death take_orphan(Keeper& keeper, pid_t pid) {
  for (Death& death : keeper.orphans.deaths)
    if (death.pid == pid && now_ns() - death.at_ns <= kRemembered) return std::exchange(death, {});
  return {};
}

/// A group that may be signalled as an attempt's: neither ours nor one of another pid namespace,
/// which has no number here.
bool may_be_group(pid_t group) {
  return group > 1 && group != getpgrp();
}

void failed(Keeper& keeper, ChildEntry& child, int error) {
  child.error = error;
  keeper.children.enter(child, ChildPhase::over);
  keeper.children.announce(child, kAdoptFailedNews);
}

}  // namespace

void adopt(Keeper& keeper, const protocol::Adopt& order) {
  ChildEntry* child = enter_attempt(keeper, order.attempt);
  if (child == nullptr) return;
  child->tag = order.tag;
  const ChildEntry* from = keeper.children.by_attempt(order.from);
  if (from == nullptr || order.pid <= 1) return failed(keeper, *child, EINVAL);
  std::memcpy(child->unit, from->unit, sizeof child->unit);
  if (keeper.children.by_pid(order.pid) != nullptr || order.pid == keeper.manager.pid)
    return failed(keeper, *child, EEXIST);
  child->forked_ns = child->executed_ns = now_ns();
  if (is_child(order.pid)) {
    const pid_t group = getpgid(order.pid);
    if (!may_be_group(group)) return failed(keeper, *child, EPERM);
    keeper.children.adopted(*child, order.pid, group);
    return keeper.children.announce(*child, kSpawnedNews);
  }
  const Death dead = take_orphan(keeper, order.pid);
  if (dead.pid == 0) return failed(keeper, *child, ECHILD);
  keeper.children.adopted(*child, dead.pid, dead.pid);
  keeper.children.announce(*child, kSpawnedNews);
  main_died(keeper, *child, dead);
}

}  // namespace foster::keeper
