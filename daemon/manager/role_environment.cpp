#include "daemon/manager/role_environment.hpp"

#include <chrono>
#include <string>

#include "common/signal_name.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

/// Null for the service itself.
const char* role_word(core::Role role) {
  switch (role) {
    case core::Role::main:
    case core::Role::successor:
      return nullptr;
    case core::Role::condition:
      return "condition";
    case core::Role::pre_start:
      return "pre-start";
    case core::Role::post_start:
      return "post-start";
    case core::Role::pre_stop:
      return "pre-stop";
    case core::Role::stop:
      return "stop";
    case core::Role::post_stop:
      return "post-stop";
    case core::Role::reload:
      return "reload";
    case core::Role::ready_check:
      return "ready";
    case core::Role::health_check:
      return "health";
  }
  return nullptr;
}

const char* exit_kind_word(core::ExitKind kind) {
  switch (kind) {
    case core::ExitKind::none:
      return "none";
    case core::ExitKind::code:
      return "exited";
    case core::ExitKind::signal:
      return "killed";
    case core::ExitKind::core_dump:
      return "dumped";
    case core::ExitKind::spawn:
      return "spawn";
  }
  return "none";
}

const char* exit_result(const core::LastExit& last) {
  if (last.clean) return "success";
  switch (last.kind) {
    case core::ExitKind::none:
      return "success";
    case core::ExitKind::code:
      return "exit-code";
    case core::ExitKind::signal:
      return "signal";
    case core::ExitKind::core_dump:
      return "core-dump";
    case core::ExitKind::spawn:
      return "spawn";
  }
  return "success";
}

const char* result_word(core::Cause cause, const core::LastExit& last) {
  switch (cause) {
    case core::Cause::spawn_failed:
      return "spawn";
    case core::Cause::stop_timeout:
    case core::Cause::start_timeout:
    case core::Cause::hook:
    case core::Cause::health:
    case core::Cause::watchdog:
    case core::Cause::max_runtime:
      return cause_word(cause);
    case core::Cause::none:
    case core::Cause::boot:
    case core::Cause::request:
    case core::Cause::exit:
    case core::Cause::rate_limited:
    case core::Cause::shutdown:
    case core::Cause::dependency:
    case core::Cause::conflict:
    case core::Cause::condition:
    case core::Cause::timer:
    case core::Cause::on_failure:
    case core::Cause::masked:
    case core::Cause::connection:
      break;
  }
  return exit_result(last);
}

void add_exit(Environment& environment, const std::string& prefix, const core::LastExit& last) {
  environment.emplace_back(prefix + "EXIT_KIND", exit_kind_word(last.kind));
  if (last.kind == core::ExitKind::code)
    environment.emplace_back(prefix + "EXIT_CODE", std::to_string(last.value));
  if (last.kind == core::ExitKind::signal || last.kind == core::ExitKind::core_dump)
    environment.emplace_back(prefix + "EXIT_SIGNAL", signal_name(last.value));
}

void add_watchdog(Environment& environment, Duration interval) {
  const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(interval);
  environment.emplace_back("WATCHDOG_USEC", std::to_string(limit.count()));
  // The keeper puts the pid there, which nobody knows yet.
  environment.emplace_back("WATCHDOG_PID", std::string(protocol::kPidDigits, '0'));
}

void add_failed(Environment& environment, const std::string& name, const core::UnitRecord& failed) {
  environment.emplace_back("FOSTER_FAILED_UNIT", name);
  environment.emplace_back("FOSTER_FAILED_CAUSE", cause_word(failed.cause));
  add_exit(environment, "FOSTER_FAILED_", failed.last_exit);
}

}  // namespace

const char* cause_word(core::Cause cause) {
  switch (cause) {
    case core::Cause::none:
      return "none";
    case core::Cause::boot:
      return "boot";
    case core::Cause::request:
      return "request";
    case core::Cause::exit:
      return "exit";
    case core::Cause::spawn_failed:
      return "spawn-failed";
    case core::Cause::rate_limited:
      return "rate-limited";
    case core::Cause::shutdown:
      return "shutdown";
    case core::Cause::stop_timeout:
      return "stop-timeout";
    case core::Cause::dependency:
      return "dependency";
    case core::Cause::conflict:
      return "conflict";
    case core::Cause::condition:
      return "condition";
    case core::Cause::start_timeout:
      return "start-timeout";
    case core::Cause::hook:
      return "hook";
    case core::Cause::health:
      return "health";
    case core::Cause::watchdog:
      return "watchdog";
    case core::Cause::max_runtime:
      return "max-runtime";
    case core::Cause::timer:
      return "timer";
    case core::Cause::on_failure:
      return "on-failure";
    case core::Cause::masked:
      return "masked";
    case core::Cause::connection:
      return "connection";
  }
  return "none";
}

Environment role_environment(const core::Supervisor& core, const core::Spawn& spawn) {
  const UnitSpec& unit = core.set()[spawn.unit];
  const core::UnitRecord& record = core.record(spawn.unit);
  Environment environment;
  if (const char* word = role_word(spawn.role)) {
    environment.emplace_back("FOSTER_HOOK", word);
    const bool of_successor =
        spawn.main_attempt.value != 0 && spawn.main_attempt == record.successor.attempt;
    const int32_t pid = of_successor ? record.successor.pid : record.pid;
    if (pid > 0) environment.emplace_back("MAINPID", std::to_string(pid));
  } else if (unit.health && unit.health->watchdog > Duration::zero()) {
    add_watchdog(environment, unit.health->watchdog);
  }
  if (spawn.role == core::Role::post_stop) {
    const bool ran = spawn.main_attempt.value != 0 && record.exit_attempt == spawn.main_attempt;
    const core::LastExit last = ran ? record.last_exit : core::LastExit{};
    add_exit(environment, "FOSTER_", last);
    environment.emplace_back("FOSTER_RESULT", result_word(record.cause, last));
  }
  if (spawn.trigger != 0) {
    const UnitIndex failed{spawn.trigger - 1};
    add_failed(environment, core.set()[failed].name, core.record(failed));
  }
  return environment;
}

}  // namespace foster::manager
