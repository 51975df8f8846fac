#include "daemon/core/restart_policy.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"

namespace foster::core {

bool clean_end(const UnitSpec& spec, const LastExit& end) {
  return end.kind == ExitKind::code &&
         std::ranges::find(spec.success_exit_codes, end.value) != spec.success_exit_codes.end();
}

bool restart_wanted(const UnitSpec& spec, const LastExit& end) {
  if (spec.type == ServiceType::oneshot && end.clean) return false;
  switch (spec.restart.policy) {
    case RestartPolicy::always:
      return true;
    case RestartPolicy::on_failure:
      return !end.clean;
    case RestartPolicy::on_abnormal:
      return end.kind == ExitKind::signal || end.kind == ExitKind::core_dump;
    case RestartPolicy::on_watchdog:
    case RestartPolicy::never:
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
      break;
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::core
