#include "daemon/core/unit_machine.hpp"

#include <utility>

#include "common/check.hpp"

namespace foster::core {

UnitMachine::UnitMachine(Ledger& ledger, JobTable& jobs, uint64_t seed)
    : ledger_(ledger), gate_(ledger), random_(seed), jobs_(jobs) {}

void UnitMachine::spawned(const Spawned& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (is_side(known, event.attempt)) {
    SideRun* run = side_run(event.unit, event.attempt);
    if (!run->ended) run->pid = event.pid;
    return;
  }
  if (is_beside(known, event.attempt)) return beside_spawned(event, turn);
  for (const Adoption& asked : adoptions_) {
    if (asked.unit == event.unit && asked.attempt == event.attempt) return adopted(event, turn);
  }
  if (event.attempt != known.attempt || event.attempt <= known.exit_attempt) return;
  switch (known.state) {
    case UnitState::starting:
      if (known.step == Step::command || known.step == Step::find_main) {
        main_spawned(event.unit, event.pid, turn);
      } else {  // told again after a handover
        ledger_.change(event.unit).pid = event.pid;
      }
      break;
    case UnitState::running:
      if (known.pid != 0) break;  // told again after a handover
      main_spawned(event.unit, event.pid, turn);
      break;
    case UnitState::stopping: {
      UnitRecord& record = ledger_.change(event.unit);
      record.pid = event.pid;
      if (record.running.ns == 0) record.running = turn.now;
      break;
    }
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      break;
  }
}

void UnitMachine::spawn_failed(const SpawnFailed& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (is_side(known, event.attempt)) {
    side_failed(event.unit, *side_run(event.unit, event.attempt), event.message, turn);
    return side_over(event.unit, event.attempt, turn);
  }
  if (is_beside(known, event.attempt)) return successor_failed(event, turn);
  if (former_main(event.attempt) != nullptr) {
    return former_main_over(event.unit, event.attempt, turn);
  }
  turn.actions.emplace_back(Acknowledge{event.attempt});
  const bool news =
      event.attempt == known.attempt && (event.attempt > known.exit_attempt || !known.over);
  if (!news) return;
  UnitRecord& record = ledger_.change(event.unit);
  record.exit_attempt = event.attempt;
  record.over = true;
  record.last_exit = {.kind = ExitKind::spawn,
                      .value = event.error,
                      .at = turn.now,
                      .at_real_ns = turn.now_real_ns};
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:  // a oneshot's next command
      record.detail = event.message;
      attempt_failed(event.unit, Cause::spawn_failed, turn);
      break;
    case UnitState::stopping:
      go_on_stopping(event.unit, turn);
      break;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      break;
  }
}

void UnitMachine::exited(const Exited& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (is_side(known, event.attempt)) return side_exited(event, turn);
  if (is_beside(known, event.attempt)) {
    return event.attempt == known.former.attempt ? former_exited(event, turn)
                                                 : successor_exited(event, turn);
  }
  if (former_main(event.attempt) != nullptr) return former_main_ended(event, turn);
  const bool fresh = event.attempt == known.attempt && event.attempt > known.exit_attempt;
  if (fresh) count_exit(event, turn);
  if (event.attempt < known.attempt) {
    // Of a run that is long over.
    turn.actions.emplace_back(Acknowledge{event.attempt, event.group_remains});
  } else if (event.attempt > known.attempt) {
    if (!event.group_remains) turn.actions.emplace_back(Acknowledge{event.attempt});
  } else {
    main_ended(event.unit, fresh, !event.group_remains, turn);
  }
}

void UnitMachine::group_emptied(const GroupEmptied& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (is_side(known, event.attempt)) {
    if (side_run(event.unit, event.attempt)->ended) side_over(event.unit, event.attempt, turn);
    return;
  }
  if (is_beside(known, event.attempt)) {
    const bool of_former = event.attempt == known.former.attempt;
    const bool ended = of_former ? known.former.ended : known.successor.ended;
    if (ended) beside_over(event.unit, event.attempt, turn);
  } else if (former_main(event.attempt) != nullptr) {
    former_main_over(event.unit, event.attempt, turn);
  } else if (event.attempt != known.attempt) {
    turn.actions.emplace_back(Acknowledge{event.attempt});
  } else if (event.attempt <= known.exit_attempt) {
    main_ended(event.unit, false, true, turn);
  }
}

void UnitMachine::timer_fired(UnitIndex unit, const Turn& turn) {
  const auto due = [&turn](Instant at) { return at.ns != 0 && at <= turn.now; };
  // Each may change the state, and with it what else is due.
  if (due(record(unit).start_deadline)) start_timed_out(unit, turn);
  if (due(record(unit).hook.deadline)) hook_timed_out(unit, turn);
  if (due(record(unit).check.deadline)) {
    UnitRecord& record = ledger_.change(unit);
    kill_side(unit, record.check, turn);
  }
  if (due(record(unit).successor.deadline)) successor_timed_out(unit, turn);
  if (due(record(unit).former.deadline)) kill_beside(unit, ledger_.change(unit).former, turn);
  if (due(record(unit).check_next)) check_due(unit, turn);
  if (due(record(unit).watchdog_deadline)) watchdog_failed(unit, "did not report in time", turn);
  if (due(record(unit).runtime_deadline)) {
    ledger_.change(unit).detail = "ran for as long as it may";
    attempt_failed(unit, Cause::max_runtime, turn);
  }
  if (!due(record(unit).deadline)) return;
  switch (record(unit).state) {
    case UnitState::backoff:
      restart_by_itself(unit, record(unit).cause, turn);
      break;
    case UnitState::stopping:
      send_kill(unit, turn);
      break;
    case UnitState::running:
      // A unit that did not say RELOADING=1 does not speak of its reloads: it has had its time.
      reload_over(unit, record(unit).ready ? JobResult::done : JobResult::failed, turn);
      break;
    case UnitState::stopped:
    case UnitState::starting:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      FOSTER_CHECK(false);
  }
}

void UnitMachine::want_up(const StartWish& wish, const Turn& turn) {
  const UnitIndex unit = wish.unit;
  UnitRecord& record = ledger_.change(unit);
  record.goal = Goal::up;
  switch (record.state) {
    case UnitState::exited:
      if (spec(unit).remain_after_exit && record.job_verb != Verb::restart) {
        JobTable::finish(record, JobResult::done);
        break;
      }
      start_afresh(wish, turn);
      break;
    case UnitState::stopped:
    case UnitState::failed:
    case UnitState::skipped:
    case UnitState::backoff:
      start_afresh(wish, turn);
      break;
    case UnitState::listening:
      if (wish.cause == Cause::connection) {
        start_attempt(wish, turn);
      } else if (record.ready) {
        JobTable::finish(record, JobResult::done);
      }
      break;
    case UnitState::waiting:
    case UnitState::starting:
      record.failures = 0;
      record.window_count = 0;
      if (record.state != UnitState::waiting) break;
      ledger_.move(unit);  // whoever asks is told at once what will be long in coming
      reconsider(unit, turn);
      break;
    case UnitState::running:
      if (spec(unit).type != ServiceType::oneshot) JobTable::finish(record, JobResult::done);
      break;
    case UnitState::stopping:
      record.failures = 0;
      record.window_count = 0;
      record.cause = wish.cause;
      break;
  }
}

void UnitMachine::want_stopped(const StopWish& wish, const Turn& turn) {
  const UnitIndex unit = wish.unit;
  UnitRecord& record = ledger_.change(unit);
  if (wish.goal == Goal::down) {
    record.goal = Goal::down;
    if (record.job_verb != Verb::stop) JobTable::finish(record, JobResult::superseded);
  }
  switch (record.state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
    case UnitState::backoff:
    case UnitState::waiting:
      stop_if_resting(wish, turn);
      break;
    case UnitState::listening:  // needs no other yet
      if (wish.goal == Goal::down) stop_if_resting(wish, turn);
      break;
    case UnitState::starting:
    case UnitState::running:
      if (wish.restart) record.failures = 0;
      enter_stopping(unit, wish.cause, wish.blocker, turn);
      break;
    case UnitState::stopping:
      if (wish.restart) record.failures = 0;
      if (record.cause == Cause::shutdown) break;
      // What has failed has failed, though it could not have stayed up either.
      if (wish.goal == Goal::up && wish.cause == Cause::dependency && record.cause != Cause::exit &&
          decided_by_policy(record.cause)) {
        break;
      }
      record.cause = wish.cause;
      if (record.step != Step::dependents) record.blocker = wish.blocker;
      break;
  }
}

/// Such a unit has no process. One that has exited and stays up all the same takes part in the
/// order of stops, and has its hooks run; one that listens takes part in it, too.
void UnitMachine::stop_if_resting(const StopWish& wish, const Turn& turn) {
  UnitRecord& record = ledger_.change(wish.unit);
  const UnitSpec& spec = this->spec(wish.unit);
  const bool listens = record.state == UnitState::listening;
  const bool stays_up =
      listens || (record.state == UnitState::exited && spec.type == ServiceType::oneshot);
  const bool has_hooks = spec.remain_after_exit && (hook_of(spec, HookPoint::pre_stop) != nullptr ||
                                                    hook_of(spec, HookPoint::stop) != nullptr ||
                                                    hook_of(spec, HookPoint::post_stop) != nullptr);
  const bool held = (listens || wish.cause != Cause::shutdown) && gate_.stop(wish.unit).has_value();
  if (stays_up && (has_hooks || held)) {
    enter_stopping(wish.unit, wish.cause, wish.blocker, turn);
    return;
  }
  if (wish.goal == Goal::up) return;
  if (record.state == UnitState::stopped && wish.cause != Cause::conflict) {
    JobTable::finish(record, JobResult::done);
    return;
  }
  // The end of the daemon leaves the story of what had ended before as it is.
  if (wish.cause == Cause::shutdown && at_rest(record.state)) return;
  rest_stopped(wish.unit, wish.cause, turn, wish.blocker);
}

void UnitMachine::hurried(UnitIndex unit, const Turn& turn) {
  hurried_ = true;
  switch (record(unit).state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      break;
    case UnitState::stopping: {
      UnitRecord& record = ledger_.change(unit);
      if (record.step != Step::post_stop) record.step = Step::signal;
      send_kill(unit, turn);
      go_on_stopping(unit, turn);
      break;
    }
    case UnitState::starting:
    case UnitState::running:
    case UnitState::backoff:
    case UnitState::waiting:
    case UnitState::listening:
      FOSTER_CHECK(false);  // the shutdown that is hurried stopped all of these when it began
  }
}

}  // namespace foster::core
