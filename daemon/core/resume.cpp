// What a manager does about a unit that a former one has left in the middle of something. The
// record is sound and agrees with what the keeper knows (recovery.hpp); actions that the crash may
// have swallowed are repeated where the keeper does not show that it has taken them.
#include <csignal>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

// How long what ran out while no manager was there still has: its news may be on their way.
constexpr Duration kGrace = std::chrono::seconds(1);

}  // namespace

/// Nobody is to blame for having been heard by nobody.
void UnitMachine::forgive_absence(UnitIndex unit, const Turn& turn) {
  const auto passed = [&turn](Instant at) { return at.ns != 0 && at <= turn.now; };
  const UnitRecord& known = record(unit);
  const bool any = passed(known.watchdog_deadline) || passed(known.start_deadline) ||
                   passed(known.hook.deadline) || passed(known.check.deadline) ||
                   passed(known.successor.deadline) || passed(known.former.deadline);
  if (!any) return;
  UnitRecord& record = ledger_.change(unit);
  if (passed(record.watchdog_deadline)) record.watchdog_deadline = turn.now + record.watchdog;
  for (Instant* deadline : {&record.start_deadline, &record.hook.deadline, &record.check.deadline,
                            &record.successor.deadline, &record.former.deadline})
    if (passed(*deadline)) *deadline = turn.now + kGrace;
}

void UnitMachine::resume(UnitIndex unit, const LastSignals& signals, const Turn& turn) {
  forgive_absence(unit, turn);
  resume_side_runs(unit, turn);
  resume_overlap(unit, signals, turn);
  switch (record(unit).state) {
    case UnitState::starting:
      return resume_starting(unit, turn);
    case UnitState::running:
      return resume_running(unit, signals.main, turn);
    case UnitState::stopping:
      return resume_stopping(unit, signals.main, turn);
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

/// A process that the keeper has not heard of is recorded without a number.
void UnitMachine::resume_side_runs(UnitIndex unit, const Turn& turn) {
  const SideRun hook = record(unit).hook;
  if (hook.attempt.value != 0 && hook.killed) {
    kill_side(unit, ledger_.change(unit).hook, turn);
  } else if (hook.attempt.value == 0 && hook.role != Role::main) {
    UnitRecord& record = ledger_.change(unit);
    record.hook = {};
    const bool wanted = !hook.killed && record.state != UnitState::stopped;
    if (wanted && hook.role == Role::condition) {
      const std::vector<ConditionSpec>& conditions = spec(unit).conditions;
      if (hook.index < conditions.size()) run_hook(unit, hook.role, hook.index, turn);
    } else if (wanted && hook.index == 0) {
      (void)run_first_of(unit, hook.role, turn);
    } else if (wanted) {
      SideRun before = hook;
      --before.index;
      (void)next_of(unit, before, turn);
    }
  }
  const SideRun check = record(unit).check;
  if (check.attempt.value != 0 && check.killed) {
    kill_side(unit, ledger_.change(unit).check, turn);
  } else if (check.attempt.value == 0 && check.role != Role::main) {
    UnitRecord& record = ledger_.change(unit);
    record.check = {};
    const bool again = record.state == UnitState::starting || record.state == UnitState::running;
    if (again) record.check_next = turn.now;
  }
}

void UnitMachine::resume_starting(UnitIndex unit, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  const bool hook_runs = record.hook.attempt.value != 0;
  if (record.claimed_pid != 0) adopt(unit, record.claimed_pid, turn);
  switch (record.step) {
    case Step::conditions:
      if (!hook_runs) check_conditions(unit, turn);
      return;
    case Step::pre_start:
      if (!hook_runs) start_from(unit, Step::pre_start, turn);
      return;
    case Step::command:
      // One that was a successor waits for what is left of the one before it: see beside_over.
      if (record.over && record.former.attempt.value == 0) spawn_main(unit, turn);
      return;
    case Step::find_main:
      if (record.exit_attempt < record.attempt) return;  // adopted; the keeper tells of it again
      if (record.claimed_pid == 0) turn.actions.emplace_back(FindMain{unit, record.attempt});
      return;
    case Step::ready:
      if (is_checked(ready_kind(spec(unit))) && record.check.attempt.value == 0 &&
          record.check_next.ns == 0) {
        check_due(unit, turn);
      }
      return;
    case Step::post_start:
      if (!hook_runs) finish_start(unit, turn);
      return;
    case Step::none:
    case Step::reload:
    case Step::dependents:
    case Step::pre_stop:
    case Step::stop_command:
    case Step::signal:
    case Step::post_stop:
    case Step::overlap:
      break;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::resume_running(UnitIndex unit, int last_signal, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  if (record.claimed_pid != 0) adopt(unit, record.claimed_pid, turn);
  const bool hook_runs = record.hook.attempt.value != 0;
  switch (record.step) {
    case Step::command:
      if (record.over) spawn_main(unit, turn);
      return;
    case Step::post_start:
      if (!hook_runs) finish_start(unit, turn);
      return;
    case Step::reload:
      if (hook_runs || record.job_verb != Verb::reload) return;
      if (hook_of(spec(unit), HookPoint::reload) == nullptr && spec(unit).hooks &&
          last_signal == spec(unit).hooks->reload_signal) {
        return;
      }
      return begin_reload(unit, turn);
    case Step::none:
    case Step::overlap:
      return;
    case Step::conditions:
    case Step::pre_start:
    case Step::find_main:
    case Step::ready:
    case Step::dependents:
    case Step::pre_stop:
    case Step::stop_command:
    case Step::signal:
    case Step::post_stop:
      break;
  }
  FOSTER_CHECK(false);
}

/// What can go on at once does so after all units were resumed.
void UnitMachine::resume_stopping(UnitIndex unit, int last_signal, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  if (record.over || last_signal == SIGKILL) return;
  if (record.killed) return send_kill(unit, turn);
  if (record.step != Step::signal) return;
  const bool stops_itself = record.cause == Cause::exit && record.exit_attempt < record.attempt;
  if (stops_itself) return;
  const bool aborts = record.cause == Cause::watchdog && record.exit_attempt < record.attempt;
  if (last_signal != (aborts ? SIGABRT : spec(unit).stop.signal)) send_stop_signal(unit, turn);
}

void UnitMachine::begun(UnitIndex unit, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  switch (record.state) {
    case UnitState::stopped:
      if (record.goal == Goal::up) {
        start_attempt({unit, record.cause == Cause::none ? Cause::boot : record.cause}, turn);
      } else if (record.job_verb != Verb::none) {
        JobTable::finish(ledger_.change(unit), JobResult::done);
      }
      return;
    case UnitState::waiting:
      return reconsider(unit, turn);
    case UnitState::stopping:
      return go_on_stopping(unit, turn);
    case UnitState::starting:
    case UnitState::running:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
    case UnitState::listening:
      return;
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::core
