// What follows when a unit's main process has ended, or its attempt has.
#include <utility>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {

void UnitMachine::count_exit(const Exited& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  const bool of_former = event.attempt == record.former.attempt;
  const FormerMain* const taken_over = former_main(event.attempt);
  const int32_t pid = of_former                         ? record.former.pid
                      : event.attempt == record.attempt ? std::exchange(record.pid, 0)
                      : taken_over != nullptr           ? taken_over->pid
                                                        : 0;
  ++record.exits;
  if (event.attempt < record.exit_attempt) return;  // its successor was quicker
  record.exit_attempt = event.attempt;
  record.last_exit = event.how;
  const bool as_asked = of_former ? ended_by_stop_signal(spec(event.unit), event.how)
                                  : ended_as_asked(spec(event.unit), record, event.how);
  record.last_exit.clean = clean_end(spec(event.unit), event.how) || as_asked;
  note_exit(event, pid, turn);
}

void UnitMachine::note_exit(const Exited& event, int32_t pid, const Turn& turn) {
  turn.actions.emplace_back(Note{.kind = NoteKind::exit,
                                 .unit = event.unit,
                                 .state = record(event.unit).state,
                                 .cause = Cause::exit,
                                 .exit_kind = event.how.kind,
                                 .attempt = event.attempt,
                                 .pid = pid,
                                 .value = event.how.value});
}

/// The newest attempt's main process has been reaped. `fresh`: that has not been known before.
void UnitMachine::main_ended(UnitIndex unit, bool fresh, bool group_empty, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  if (!fresh && (record.over || !group_empty)) {  // told again after a handover
    if (record.over && !holds_command(unit)) {
      turn.actions.emplace_back(Acknowledge{record.attempt});
    }
    return;
  }
  if (group_empty) ledger_.change(unit).over = true;
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:
      return main_ended_while_up(unit, turn);
    case UnitState::stopping:
      stop_former_main(unit, turn);
      if (record.over) {
        turn.actions.emplace_back(Acknowledge{record.attempt});
        return go_on_stopping(unit, turn);
      }
      // Once more for those that are left: with scope main they have not had it yet, and one that
      // was being forked when it came may have lost it.
      if (fresh && record.step == Step::signal && !record.killed) send_stop_signal(unit, turn);
      return;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      break;
  }
  FOSTER_CHECK(false);  // such units' attempts are over
}

void UnitMachine::main_ended_while_up(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  if (record.step == Step::find_main) return;
  if (awaits_successor(unit)) return successor_takes_over(unit, turn);
  const bool daemon_left = record.state == UnitState::starting && record.step == Step::command &&
                           spec.type == ServiceType::forking && record.last_exit.clean;
  if (daemon_left) record.step = Step::find_main;
  if (record.claimed_pid != 0) return adopt(unit, record.claimed_pid, turn);
  if (daemon_left) {
    turn.actions.emplace_back(FindMain{unit, record.attempt});
    return;
  }
  if (record.over) turn.actions.emplace_back(Acknowledge{record.attempt});
  const bool goes_on = spec.type == ServiceType::oneshot && record.last_exit.clean;
  if (record.over && goes_on) return command_done(unit, turn);
  if (record.state == UnitState::running) record.detail.clear();  // of a restart given up before
  attempt_failed(unit, Cause::exit, turn);
}

/// A main process that ends before its unit has shown itself ready has not done its work, whatever
/// its exit code.
bool UnitMachine::ended_cleanly(UnitIndex unit, Cause cause) const {
  const UnitRecord& record = this->record(unit);
  const bool was_ready = record.was_up || (ready_kind(spec(unit)) == ReadyKind::none &&
                                           spec(unit).type != ServiceType::forking);
  return cause == Cause::exit && record.exit_attempt == record.attempt && record.last_exit.clean &&
         was_ready;
}

void UnitMachine::ended_by_itself(UnitIndex unit, Cause cause, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.pid = 0;
  record.claimed_pid = 0;
  const UnitSpec& spec = this->spec(unit);
  const Ending ending{cause, ended_cleanly(unit, cause)};
  const bool again = restart_wanted(spec, ending, record.last_exit);
  const bool listens = ending.clean && starts_on_connection(spec) && !spec.remain_after_exit;
  const bool runs_again = again && !listens && spec.type == ServiceType::oneshot;
  const bool done = ending.clean && !runs_again && record.job_verb != Verb::reload;
  JobTable::finish(record, done ? JobResult::done : JobResult::failed);
  if (again && !listens) return restart_after(unit, cause, turn);
  if (!ending.clean) return fail_for_good(unit, cause, 0, turn);
  if (listens) return listen(unit, cause, turn);
  ledger_.enter(unit, UnitState::exited, cause, turn);
  gone_for_good_.push_back(unit);
}

void UnitMachine::restart_after(UnitIndex unit, Cause cause, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const RestartSpec& policy = spec(unit).restart;
  if (long_enough_to_reset(policy, record)) record.failures = 0;
  if (!take_restart(policy, record, turn.now)) {
    return limit_reached(unit, rate_limit_text(policy), turn);
  }
  const Duration delay = restart_delay(policy, record.failures, random_);
  ++record.failures;
  if (delay == Duration::zero()) return restart_by_itself(unit, cause, turn);
  ledger_.enter(unit, UnitState::backoff, cause, turn);
  record.deadline = turn.now + delay;
}

void UnitMachine::restart_by_itself(UnitIndex unit, Cause cause, const Turn& turn) {
  ++ledger_.change(unit).restarts;
  ledger_.settle(unit);
  start_attempt({unit, cause}, turn);
}

void UnitMachine::limit_reached(UnitIndex unit, const std::string& text, const Turn& turn) {
  const RestartSpec& policy = spec(unit).restart;
  std::string& detail = ledger_.change(unit).detail;
  // What is too long for the region is cut at its end.
  detail = detail.empty() ? text : detail + " (" + text + ")";
  if (policy.limit_action == LimitAction::start_unit && policy.limit_unit) {
    start_owed(unit, policy.limit_unit->name);
  }
  fail_for_good(unit, Cause::rate_limited, 0, turn);
}

bool UnitMachine::may_answer_failure(const OwedStart& start, const Turn& turn) {
  UnitRecord& record = ledger_.change(start.unit);
  const RestartSpec& policy = spec(start.unit).restart;
  if (take_restart(policy, record, turn.now)) return true;
  // It comes back once that is gone.
  if (record.state == UnitState::failed && record.cause == Cause::dependency) return false;
  record.detail = rate_limit_text(policy) + " for the failures of others";
  ledger_.enter(start.unit, UnitState::failed, Cause::rate_limited, turn, start.trigger.value + 1);
  gone_for_good_.push_back(start.unit);
  return false;
}

void UnitMachine::start_owed(UnitIndex unit, const std::string& name) {
  if (const auto found = ledger_.set().find(name)) owed_starts_.push_back({*found, unit});
}

void UnitMachine::fail_for_good(UnitIndex unit, Cause cause, uint32_t blocker, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.pid = 0;
  JobTable::finish(record, JobResult::failed);
  ledger_.enter(unit, UnitState::failed, cause, turn, blocker);
  gone_for_good_.push_back(unit);
  if (cause == Cause::dependency || !spec(unit).hooks) return;
  const auto& on_failure = spec(unit).hooks->on_failure;
  if (on_failure) start_owed(unit, on_failure->name);
}

/// How it ended before has nothing to do with it.
void UnitMachine::masked_failed(UnitIndex unit, const Turn& turn) {
  ledger_.change(unit).detail.clear();
  fail_for_good(unit, Cause::masked, 0, turn);
}

void UnitMachine::dependency_failed(UnitIndex unit, UnitIndex by, const Turn& turn) {
  ledger_.change(unit).detail.clear();
  fail_for_good(unit, Cause::dependency, by.value + 1, turn);
}

void UnitMachine::rest_stopped(UnitIndex unit, Cause cause, const Turn& turn, uint32_t blocker) {
  UnitRecord& record = ledger_.change(unit);
  record.pid = 0;
  record.detail.clear();
  if (cause == Cause::stop_timeout) {
    record.detail =
        "did not stop within " + format_duration(spec(unit).stop.timeout) + " and was killed";
  }
  JobTable::finish(record, JobResult::done);
  ledger_.enter(unit, UnitState::stopped, cause, turn, blocker);
}

}  // namespace foster::core
