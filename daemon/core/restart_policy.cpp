#include "daemon/core/restart_policy.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"

namespace foster::core {
namespace {

bool contains(const std::vector<int>& codes, int code) {
  return std::ranges::find(codes, code) != codes.end();
}

bool abnormal(Cause cause, const LastExit& end) {
  const bool by_signal = end.kind == ExitKind::signal || end.kind == ExitKind::core_dump;
  return cause == Cause::start_timeout || cause == Cause::watchdog || cause == Cause::max_runtime ||
         (cause == Cause::exit && by_signal);
}

}  // namespace

bool clean_end(const UnitSpec& spec, const LastExit& end) {
  return end.kind == ExitKind::code && contains(spec.success_exit_codes, end.value);
}

bool ended_by_stop_signal(const UnitSpec& spec, const LastExit& end) {
  return end.kind == ExitKind::signal && end.value == spec.stop.signal;
}

bool ended_as_asked(const UnitSpec& spec, const UnitRecord& record, const LastExit& end) {
  const bool asked = record.cause == Cause::request || record.cause == Cause::shutdown ||
                     record.cause == Cause::dependency || record.cause == Cause::conflict;
  return record.state == UnitState::stopping && asked && ended_by_stop_signal(spec, end);
}

bool restart_wanted(const UnitSpec& spec, const Ending& ending, const LastExit& end) {
  if (ending.cause == Cause::health) {
    return spec.health && spec.health->action == HealthAction::restart;
  }
  const bool exited = ending.cause == Cause::exit && end.kind == ExitKind::code;
  if (exited && contains(spec.restart.prevent_exit_codes, end.value)) return false;
  if (exited && contains(spec.restart.force_exit_codes, end.value)) return true;
  if (spec.type == ServiceType::oneshot && ending.clean) return false;
  switch (spec.restart.policy) {
    case RestartPolicy::always:
      return true;
    case RestartPolicy::on_failure:
      return !ending.clean;
    case RestartPolicy::on_abnormal:
      return abnormal(ending.cause, end);
    case RestartPolicy::on_watchdog:
      return ending.cause == Cause::watchdog;
    case RestartPolicy::never:
      return false;
  }
  FOSTER_CHECK(false);
}

bool decided_by_policy(Cause cause) {
  switch (cause) {
    case Cause::exit:
    case Cause::spawn_failed:
    case Cause::start_timeout:
    case Cause::hook:
    case Cause::health:
    case Cause::watchdog:
    case Cause::max_runtime:
      return true;
    case Cause::none:
    case Cause::boot:
    case Cause::request:
    case Cause::rate_limited:
    case Cause::shutdown:
    case Cause::stop_timeout:
    case Cause::dependency:
    case Cause::conflict:
    case Cause::condition:
    case Cause::timer:
    case Cause::on_failure:
    case Cause::masked:
    case Cause::connection:
      return false;
  }
  FOSTER_CHECK(false);
}

Duration restart_delay(const RestartSpec& spec, uint32_t failures, Random& random) {
  if (spec.delay <= Duration::zero()) return Duration::zero();
  const double cap = static_cast<double>(spec.max_delay.count());
  const double grown = static_cast<double>(spec.delay.count()) * std::pow(spec.factor, failures);
  double delay = std::min(grown, cap);
  if (spec.jitter > 0) delay *= 1 + spec.jitter * (2 * random.fraction() - 1);
  return Duration(static_cast<int64_t>(std::max(delay, 0.0)));
}

bool long_enough_to_reset(const RestartSpec& spec, const UnitRecord& record) {
  if (record.last_exit.kind == ExitKind::spawn) return false;
  const Instant began = record.running.ns != 0 ? record.running : record.started;
  if (began.ns == 0) return false;  // it did not come to its command
  return record.last_exit.at - began >= spec.reset_after;
}

bool take_restart(const RestartSpec& spec, UnitRecord& record, Instant now) {
  if (spec.limit == 0) return true;
  if (record.window_count == 0 || now - record.window_start >= spec.limit_interval) {
    record.window_start = now;
    record.window_count = 0;
  }
  if (record.window_count >= spec.limit) return false;
  ++record.window_count;
  return true;
}

std::string rate_limit_text(const RestartSpec& spec) {
  return "restarted " + std::to_string(spec.limit) + (spec.limit == 1 ? " time" : " times") +
         " within " + format_duration(spec.limit_interval);
}

int exit_code_for(const LastExit& end) {
  switch (end.kind) {
    case ExitKind::code:
      return end.value;
    case ExitKind::signal:
    case ExitKind::core_dump:
      return 128 + end.value;
    case ExitKind::spawn:
      return end.value == ENOENT ? 127 : 126;
    case ExitKind::none:
      return 1;
  }
  FOSTER_CHECK(false);
}

int final_exit_code(const UnitRecord& record) {
  const int code = exit_code_for(record.last_exit);
  return record.state == UnitState::failed && code == 0 ? 1 : code;
}

}  // namespace foster::core
