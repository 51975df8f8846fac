#include "daemon/manager/role_command.hpp"

#include <algorithm>
#include <chrono>

#include "common/check.hpp"

namespace foster::manager {
namespace {

/// A try of a readiness check that hangs longer is given up for the next one.
constexpr Duration kReadyTryMin = std::chrono::seconds(1);

RoleCommand hook_command(const UnitSpec& unit, HookPoint point, uint16_t index) {
  const HookSpec* hook = hook_of(unit, point);
  FOSTER_CHECK(hook != nullptr && index < hook->commands.size());
  return {hook->commands[index]};
}

RoleCommand main_command(const UnitSpec& unit, uint16_t index) {
  FOSTER_CHECK(index <= unit.more_commands.size());
  return {index == 0 ? unit.command : unit.more_commands[index - 1u]};
}

RoleCommand probe_command(const std::string& probe, std::string kind, const std::string& target,
                          uint16_t http_status, Duration timeout) {
  RoleCommand made{{probe, std::move(kind), target}, false};
  if (http_status != 0) {
    made.words.emplace_back("--status");
    made.words.push_back(std::to_string(http_status));
  }
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  made.words.emplace_back("--timeout");
  made.words.push_back(std::to_string(std::max<int64_t>(limit.count(), 1)));
  return made;
}

RoleCommand ready_command(const ReadySpec& ready, const std::string& probe) {
  const Duration timeout = std::max(ready.interval, kReadyTryMin);
  switch (ready.kind) {
    case ReadyKind::command:
      return {ready.command};
    case ReadyKind::tcp:
      return probe_command(probe, "tcp", ready.target, 0, timeout);
    case ReadyKind::unix_socket:
      return probe_command(probe, "unix", ready.target, 0, timeout);
    case ReadyKind::http:
      return probe_command(probe, "http", ready.target, ready.http_status, timeout);
    case ReadyKind::none:
    case ReadyKind::notify:
    case ReadyKind::descriptor:
    case ReadyKind::file:
    case ReadyKind::output:
      break;  // seen without a process
  }
  FOSTER_CHECK(false);
  return {};
}

RoleCommand health_command(const HealthSpec& health, const std::string& probe) {
  switch (health.kind) {
    case HealthKind::command:
      return {health.command};
    case HealthKind::tcp:
      return probe_command(probe, "tcp", health.target, 0, health.timeout);
    case HealthKind::unix_socket:
      return probe_command(probe, "unix", health.target, 0, health.timeout);
    case HealthKind::http:
      return probe_command(probe, "http", health.target, health.http_status, health.timeout);
    case HealthKind::none:
      break;
  }
  FOSTER_CHECK(false);
  return {};
}

}  // namespace

RoleCommand role_command(const UnitSpec& unit, core::Role role, uint16_t index,
                         const std::string& probe) {
  switch (role) {
    case core::Role::main:
    case core::Role::successor:
      return main_command(unit, index);
    case core::Role::condition:
      FOSTER_CHECK(index < unit.conditions.size());
      return {unit.conditions[index].command};
    case core::Role::pre_start:
      return hook_command(unit, HookPoint::pre_start, index);
    case core::Role::post_start:
      return hook_command(unit, HookPoint::post_start, index);
    case core::Role::pre_stop:
      return hook_command(unit, HookPoint::pre_stop, index);
    case core::Role::stop:
      return hook_command(unit, HookPoint::stop, index);
    case core::Role::post_stop:
      return hook_command(unit, HookPoint::post_stop, index);
    case core::Role::reload:
      return hook_command(unit, HookPoint::reload, index);
    case core::Role::ready_check:
      FOSTER_CHECK(unit.ready);
      return ready_command(*unit.ready, probe);
    case core::Role::health_check:
      FOSTER_CHECK(unit.health);
      return health_command(*unit.health, probe);
  }
  FOSTER_CHECK(false);
  return {};
}

}  // namespace foster::manager
