// What a unit's processes say of themselves (sd_notify(3)), the watchdog, and reloads.
#include <algorithm>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

// How long a unit that is ready by notification has to say RELOADING=1 after its reload signal. One
// that does not speak of its reloads is taken to have done with it.
constexpr Duration kReloadingTimeout = std::chrono::seconds(2);
constexpr Duration kReloadTimeout = std::chrono::seconds(30);

bool speaks_of_readiness(const UnitSpec& spec) {
  return ready_kind(spec) == ReadyKind::notify;
}

Duration reload_timeout(const UnitSpec& spec) {
  if (!spec.hooks) return kReloadTimeout;
  return spec.hooks->hooks[static_cast<size_t>(HookPoint::reload)].timeout;
}

bool lives(UnitState state) {
  return state == UnitState::starting || state == UnitState::running ||
         state == UnitState::stopping;
}

}  // namespace

void UnitMachine::notified(const Notified& event, const Turn& turn) {
  const UnitIndex unit = event.unit;
  if (is_beside(record(unit), event.attempt)) return beside_said(event, turn);
  if (event.attempt.value != 0 && event.attempt != record(unit).attempt) return;
  // What comes before the news that the command is executed is of an earlier run.
  const bool executed = spec(unit).type == ServiceType::group || record(unit).running.ns != 0;
  if (!lives(record(unit).state) || !executed) return;
  said_of_itself(unit, event, turn);
  if (event.extend_timeout) extend(unit, *event.extend_timeout, turn);
  said_watchdog(unit, event, turn);
  if (event.reloading && record(unit).state == UnitState::running &&
      spec(unit).type != ServiceType::oneshot) {
    UnitRecord& record = ledger_.change(unit);
    record.ready = false;
    if (record.step != Step::overlap) {
      record.step = Step::reload;
      if (record.hook.attempt.value == 0) record.deadline = turn.now + reload_timeout(spec(unit));
    }
    note_ready(unit, "reloading", turn);
  }
  if (event.ready && speaks_of_readiness(spec(unit))) {
    const UnitRecord& known = record(unit);
    if (known.state == UnitState::starting && !known.ready && known.step >= Step::command) {
      ready(unit, turn);
    } else if (known.state == UnitState::running && !known.ready) {
      ledger_.change(unit).ready = true;
      note_ready(unit, "ready", turn);
      if (record(unit).hook.attempt.value == 0) reload_over(unit, JobResult::done, turn);
    }
  }
  if (event.stopping) stops_itself(unit, turn);
}

void UnitMachine::said_of_itself(UnitIndex unit, const Notified& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (event.status_text) record.status_text = *event.status_text;
  if (event.service_errno) record.service_errno = *event.service_errno;
  const bool may_change = record.state != UnitState::stopping && record.step >= Step::command &&
                          record.step != Step::overlap;
  const bool up = record.state == UnitState::running && record.step != Step::overlap;
  if (!event.main_pid || *event.main_pid <= 0 || (!may_change && !up)) return;
  if (spec(unit).type == ServiceType::oneshot || spec(unit).type == ServiceType::group) return;
  if (*event.main_pid == record.pid) {
    record.claimed_pid = 0;
    return;
  }
  record.claimed_pid = *event.main_pid;
  adopt(unit, record.claimed_pid, turn);
}

/// The deadline under way is at least so far off.
void UnitMachine::extend(UnitIndex unit, Duration by, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const auto put_off = [&](Instant& deadline) {
    if (deadline.ns != 0) deadline = std::max(deadline, turn.now + by);
  };
  switch (record.state) {
    case UnitState::starting:
      return put_off(record.start_deadline);
    case UnitState::running:
      put_off(record.start_deadline);  // of a oneshot
      return put_off(record.runtime_deadline);
    case UnitState::stopping:
      if (!record.killed) put_off(record.deadline);
      return;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      return;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::said_watchdog(UnitIndex unit, const Notified& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const bool up = record.state == UnitState::running && spec(unit).type != ServiceType::oneshot;
  if (event.watchdog_interval) record.watchdog = std::max(*event.watchdog_interval, Duration(0));
  if (up && (event.watchdog || event.watchdog_interval)) {
    const bool watched = record.watchdog > Duration::zero();
    record.watchdog_deadline = watched ? turn.now + record.watchdog : Instant{};
  }
  if (event.watchdog_trigger && (up || record.state == UnitState::starting)) {
    watchdog_failed(unit, "reported by itself that it does not work", turn);
  }
}

void UnitMachine::watchdog_failed(UnitIndex unit, std::string why, const Turn& turn) {
  ledger_.change(unit).detail = std::move(why);
  attempt_failed(unit, Cause::watchdog, turn);
}

/// STOPPING=1: it needs no signal, but it has to end in time.
void UnitMachine::stops_itself(UnitIndex unit, const Turn& turn) {
  note_ready(unit, "stopping", turn);
  const UnitRecord& known = record(unit);
  if (known.state != UnitState::running || known.pid == 0) return;
  if (awaits_successor(unit)) return;  // which takes its place when it has ended
  if (spec(unit).type == ServiceType::oneshot) return;
  enter_stopping(unit, Cause::exit, 0, turn);
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::signal;
  record.deadline = turn.now + spec(unit).stop.timeout;
}

bool UnitMachine::can_reload(UnitIndex unit) const {
  const UnitSpec& spec = this->spec(unit);
  if (spec.type == ServiceType::oneshot || spec.type == ServiceType::group) return false;
  return hook_of(spec, HookPoint::reload) != nullptr ||
         (spec.hooks && spec.hooks->reload_signal != 0);
}

void UnitMachine::reload_requested(UnitIndex unit, const Turn& turn) {
  FOSTER_CHECK(record(unit).state == UnitState::running);
  begin_reload(unit, turn);
}

void UnitMachine::begin_reload(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::reload;
  if (record.hook.attempt.value != 0) return;  // its end leads on
  if (run_first_of(unit, Role::reload, turn)) return;
  if (!spec(unit).hooks) return reload_over(unit, JobResult::failed, turn);
  const int signal = spec(unit).hooks->reload_signal;
  turn.actions.emplace_back(Kill{.unit = unit, .attempt = record.attempt, .signal = signal});
  note_signal(unit, Cause::request, signal, turn);
  if (!speaks_of_readiness(spec(unit))) return reload_over(unit, JobResult::done, turn);
  record.deadline = turn.now + (record.ready ? kReloadingTimeout : reload_timeout(spec(unit)));
}

/// Its command has ended, or the unit has said READY=1 again, or time is up. After a command a unit
/// that is still reloading by its own word is waited for.
void UnitMachine::reload_over(UnitIndex unit, JobResult result, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (record.state != UnitState::running || record.step != Step::reload) return;
  if (result == JobResult::done && !record.ready) {
    record.deadline = turn.now + reload_timeout(spec(unit));
    return;
  }
  record.step = Step::none;
  record.deadline = {};
  record.ready = true;
  if (record.job_verb == Verb::reload) JobTable::finish(record, result);
}

void UnitMachine::reset_requested(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.window_count = 0;
  record.trigger_count = 0;
  record.failures = record.state == UnitState::backoff ? 1 : 0;
  if (record.state != UnitState::failed) return;
  record.goal = Goal::down;
  rest_stopped(unit, Cause::request, turn);
}

void UnitMachine::note_ready(UnitIndex unit, const char* text, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  turn.actions.emplace_back(Note{.kind = NoteKind::ready,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = record.cause,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .text = text});
}

}  // namespace foster::core
