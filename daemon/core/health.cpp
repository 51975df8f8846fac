// Whether a unit that is up still does its work: checks, memory. The watchdog is in notify.cpp.
#include <algorithm>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

// Of one try, so that a connection that hangs does not stand in the way of the next.
constexpr Duration kReadyCheckTimeout = std::chrono::seconds(10);

constexpr uint64_t kMebi = 1024 * 1024;

bool has_checks(const UnitSpec& spec) {
  return spec.health && (spec.health->kind != HealthKind::none || spec.health->memory_max != 0);
}

Duration check_interval(Duration wanted) {
  return std::max(wanted, Duration(std::chrono::milliseconds(1)));
}

}  // namespace

void UnitMachine::begin_health(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.check_failures = 0;
  record.check_successes = 0;
  if (record.watchdog > Duration::zero()) record.watchdog_deadline = turn.now + record.watchdog;
  const UnitSpec& spec = this->spec(unit);
  if (!spec.health) return;
  if (spec.health->max_runtime > Duration::zero()) {
    record.runtime_deadline = turn.now + spec.health->max_runtime;
  }
  if (spec.health->kind != HealthKind::none) record.health = Health::starting;
  if (has_checks(spec)) record.check_next = turn.now + check_interval(spec.health->interval);
}

/// While there are two main processes, only the new one's readiness is asked for.
void UnitMachine::successor_check_due(UnitIndex unit, const Turn& turn) {
  if (!awaits_successor(unit) || !is_checked(ready_kind(spec(unit)))) return;
  const UnitRecord& known = record(unit);
  if (known.successor.pid == 0 || known.check.attempt.value != 0) return;
  run_check(unit, Role::ready_check, kReadyCheckTimeout, turn);
}

void UnitMachine::successor_checked(UnitIndex unit, const SideRun& run, const Turn& turn) {
  if (run.role != Role::ready_check) return check_due(unit, turn);
  if (!awaits_successor(unit)) return;
  if (!run.failed) return successor_ready(unit, turn);
  if (!spec(unit).ready) return;
  ledger_.change(unit).check_next = turn.now + check_interval(spec(unit).ready->interval);
}

void UnitMachine::resume_checks(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  if (!has_checks(spec) || record.check.attempt.value != 0 || record.check_next.ns != 0) return;
  record.check_next = turn.now + check_interval(spec.health->interval);
}

void UnitMachine::check_due(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  const bool free = record.check.attempt.value == 0;
  record.check_next = {};
  if (record.step == Step::overlap) return successor_check_due(unit, turn);
  if (record.state == UnitState::starting) {
    if (free && record.step == Step::ready) {
      run_check(unit, Role::ready_check, kReadyCheckTimeout, turn);
    }
    return;
  }
  if (record.state != UnitState::running || !has_checks(spec)) return;
  if (spec.health->memory_max != 0 && record.pid != 0) {
    turn.actions.emplace_back(MeasureMemory{unit, record.attempt});
  }
  if (spec.health->kind != HealthKind::none && free) {
    run_check(unit, Role::health_check, spec.health->timeout, turn);
  } else {
    record.check_next = turn.now + check_interval(spec.health->interval);
  }
}

void UnitMachine::check_over(UnitIndex unit, const SideRun& run, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  switch (record.state) {
    case UnitState::starting:
      if (record.step != Step::ready) return;
      if (run.role == Role::ready_check && !run.failed) return ready(unit, turn);
      ++record.check_failures;
      if (spec.ready) record.check_next = turn.now + check_interval(spec.ready->interval);
      return;
    case UnitState::running:
      if (record.step == Step::overlap) return successor_checked(unit, run, turn);
      if (run.role != Role::health_check) return resume_checks(unit, turn);
      if (!spec.health) return;
      record.check_next = turn.now + check_interval(spec.health->interval);
      return health_checked(unit, !run.failed, turn);
    case UnitState::stopping:
      return go_on_stopping(unit, turn);
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      break;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::health_checked(UnitIndex unit, bool good, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const HealthSpec& health = *spec(unit).health;
  if (good) {
    record.check_failures = 0;
    record.check_successes = std::min(record.check_successes + 1, health.successes);
    if (record.check_successes < health.successes || record.health == Health::healthy) return;
    record.health = Health::healthy;
    return note_health(unit, "healthy", turn);
  }
  // After an overlap it is another process that has come up, in the same state.
  if (turn.now < std::max(record.since, record.started) + health.start_period) return;
  record.check_successes = 0;
  record.check_failures = std::min(record.check_failures + 1, health.failures);
  if (record.check_failures < health.failures || record.health == Health::unhealthy) return;
  const uint32_t count = health.failures;
  unhealthy(unit,
            std::to_string(count) + (count == 1 ? " health check" : " health checks in a row") +
                " failed",
            turn);
}

void UnitMachine::memory_measured(const MemoryMeasured& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  const UnitSpec& spec = this->spec(event.unit);
  if (known.state != UnitState::running || event.attempt != known.attempt || !spec.health) return;
  if (known.step == Step::overlap) return;
  const uint64_t most = spec.health->memory_max;
  if (most == 0 || event.bytes <= most || known.health == Health::unhealthy) return;
  unhealthy(event.unit,
            "uses " + std::to_string(event.bytes / kMebi) + " MiB of memory, more than " +
                std::to_string(most / kMebi) + " MiB",
            turn);
}

void UnitMachine::unhealthy(UnitIndex unit, std::string why, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.health = Health::unhealthy;
  note_health(unit, "unhealthy: " + why, turn);
  switch (spec(unit).health->action) {
    case HealthAction::restart:
    case HealthAction::stop:
      record.detail = std::move(why);
      return attempt_failed(unit, Cause::health, turn);
    case HealthAction::none:
      return;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::note_health(UnitIndex unit, std::string text, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  turn.actions.emplace_back(Note{.kind = NoteKind::health,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = record.cause,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .text = std::move(text)});
}

}  // namespace foster::core
