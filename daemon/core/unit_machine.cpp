#include "daemon/core/unit_machine.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::core {
namespace {

// A process that not even SIGKILL ends is asked again, but not in a busy loop, however short its
// timeout.
constexpr Duration kShortestKillInterval = std::chrono::seconds(1);

}  // namespace

UnitMachine::UnitMachine(Ledger& ledger, JobTable& jobs, uint64_t seed)
    : ledger_(ledger), random_(seed), jobs_(jobs) {}

void UnitMachine::begun(UnitIndex unit, int last_signal, const Turn& turn) {
  const UnitRecord& record = ledger_.record(unit);
  const Cause asked = record.cause == Cause::shutdown ? Cause::shutdown : Cause::request;
  switch (record.state) {
    case UnitState::stopped:
      if (record.goal == Goal::up) {
        start_attempt(unit, record.cause == Cause::none ? Cause::boot : record.cause, turn);
      } else {
        JobTable::finish(ledger_.change(unit), JobResult::done);
      }
      break;
    case UnitState::starting:
    case UnitState::running:
      if (record.goal == Goal::down) begin_stop(unit, asked, false, turn);
      break;
    case UnitState::backoff:
      if (record.goal == Goal::down) rest_stopped(unit, asked, turn);
      break;
    case UnitState::stopping:
      if (last_signal == SIGKILL) break;
      if (record.killed) {
        send_kill(unit, turn);
      } else if (last_signal != ledger_.spec(unit).stop.signal) {
        send_stop_signal(unit, record.exit_attempt == record.attempt, turn);
      }
      break;
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
  }
}

JobId UnitMachine::requested(UnitIndex unit, Verb verb, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (JobTable::joins(record, verb)) return record.job;
  const JobId job = jobs_.open(record, verb);
  switch (verb) {
    case Verb::start:
      start_requested(unit, turn);
      break;
    case Verb::stop:
      stop_requested(unit, turn);
      break;
    case Verb::restart:
      restart_requested(unit, turn);
      break;
    case Verb::reload:
    case Verb::reset:
      JobTable::finish(record, JobResult::done);
      break;
    case Verb::none:
      FOSTER_CHECK(false);
  }
  return job;
}

void UnitMachine::start_requested(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.goal = Goal::up;
  switch (record.state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::backoff:
      start_afresh(unit, turn);
      break;
    case UnitState::starting:
      record.failures = 0;
      record.window_count = 0;
      break;
    case UnitState::running:
      if (ledger_.spec(unit).type == ServiceType::simple) JobTable::finish(record, JobResult::done);
      break;
    case UnitState::stopping:
      record.failures = 0;
      record.window_count = 0;
      record.cause = Cause::request;
      break;
  }
}

void UnitMachine::restart_requested(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  switch (record.state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::backoff:
    case UnitState::stopping:
      start_requested(unit, turn);
      break;
    case UnitState::starting:
    case UnitState::running:
      record.failures = 0;
      record.window_count = 0;
      begin_stop(unit, Cause::request, false, turn);
      break;
  }
}

void UnitMachine::stop_requested(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.goal = Goal::down;
  switch (record.state) {
    case UnitState::stopped:
      JobTable::finish(record, JobResult::done);
      break;
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::backoff:
      rest_stopped(unit, Cause::request, turn);
      break;
    case UnitState::starting:
    case UnitState::running:
      begin_stop(unit, Cause::request, false, turn);
      break;
    case UnitState::stopping:
      if (record.cause != Cause::shutdown) record.cause = Cause::request;
      break;
  }
}

void UnitMachine::spawned(const Spawned& event, const Turn& turn) {
  const UnitRecord& known = ledger_.record(event.unit);
  if (event.attempt != known.attempt || event.attempt <= known.exit_attempt) return;
  switch (known.state) {
    case UnitState::starting: {
      UnitRecord& record = ledger_.change(event.unit);
      record.pid = event.pid;
      record.running = turn.now;
      record.detail.clear();
      if (ledger_.spec(event.unit).type == ServiceType::simple) {
        JobTable::finish(record, JobResult::done);
      }
      ledger_.enter(event.unit, UnitState::running, record.cause, turn);
      break;
    }
    case UnitState::stopping: {
      UnitRecord& record = ledger_.change(event.unit);
      record.pid = event.pid;
      if (record.running.ns == 0) record.running = turn.now;
      break;
    }
    case UnitState::running:  // told again after a handover
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
  }
}

void UnitMachine::spawn_failed(const SpawnFailed& event, const Turn& turn) {
  const UnitRecord& known = ledger_.record(event.unit);
  if (event.attempt != known.attempt || event.attempt <= known.exit_attempt) {
    turn.actions.emplace_back(Acknowledge{event.attempt});
    return;
  }
  FOSTER_CHECK(known.state != UnitState::running);
  UnitRecord& record = ledger_.change(event.unit);
  record.exit_attempt = event.attempt;
  record.last_exit = {.kind = ExitKind::spawn,
                      .value = event.error,
                      .at = turn.now,
                      .at_real_ns = turn.now_real_ns};
  record.detail = event.message;
  attempt_over(event.unit, turn);
}

void UnitMachine::exited(const Exited& event, const Turn& turn) {
  const UnitRecord& record = ledger_.record(event.unit);
  const bool fresh = event.attempt > record.exit_attempt && event.attempt <= record.attempt;
  if (fresh) count_exit(event, turn);
  if (event.attempt != record.attempt) {
    if (!event.group_remains) turn.actions.emplace_back(Acknowledge{event.attempt});
  } else if (!event.group_remains) {
    attempt_over(event.unit, turn);
  } else if (fresh) {
    main_gone(event.unit, turn);
  }
}

void UnitMachine::group_emptied(const GroupEmptied& event, const Turn& turn) {
  const UnitRecord& record = ledger_.record(event.unit);
  if (event.attempt != record.attempt) {
    turn.actions.emplace_back(Acknowledge{event.attempt});
  } else if (event.attempt <= record.exit_attempt) {
    attempt_over(event.unit, turn);
  }
}

void UnitMachine::timer_fired(UnitIndex unit, const Turn& turn) {
  switch (ledger_.record(unit).state) {
    case UnitState::backoff:
      restart_by_itself(unit, ledger_.record(unit).cause, turn);
      break;
    case UnitState::stopping:
      send_kill(unit, turn);
      break;
    case UnitState::stopped:
    case UnitState::starting:
    case UnitState::running:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      FOSTER_CHECK(false);
  }
}

void UnitMachine::shutdown_begun(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.goal = Goal::down;
  if (record.job_verb != Verb::stop) JobTable::finish(record, JobResult::superseded);
  switch (record.state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
    case UnitState::backoff:
      rest_stopped(unit, Cause::shutdown, turn);
      break;
    case UnitState::starting:
    case UnitState::running:
      begin_stop(unit, Cause::shutdown, false, turn);
      break;
    case UnitState::stopping:
      record.cause = Cause::shutdown;
      break;
  }
}

void UnitMachine::hurried(UnitIndex unit, const Turn& turn) {
  switch (ledger_.record(unit).state) {
    case UnitState::stopped:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
    case UnitState::stopping:
      send_kill(unit, turn);
      break;
    case UnitState::starting:
    case UnitState::running:
    case UnitState::backoff:
      FOSTER_CHECK(false);  // the shutdown that is hurried stopped all of these when it began
  }
}

void UnitMachine::start_attempt(UnitIndex unit, Cause cause, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  ++last_attempt_.value;
  record.attempt = last_attempt_;
  record.started = turn.now;
  record.running = {};
  ledger_.enter(unit, UnitState::starting, cause, turn);
  turn.actions.emplace_back(Spawn{unit, record.attempt});
}

void UnitMachine::start_afresh(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.failures = 0;
  record.window_count = 0;
  record.detail.clear();
  start_attempt(unit, Cause::request, turn);
}

void UnitMachine::restart_by_itself(UnitIndex unit, Cause cause, const Turn& turn) {
  ++ledger_.change(unit).restarts;
  ledger_.settle(unit);
  start_attempt(unit, cause, turn);
}

void UnitMachine::begin_stop(UnitIndex unit, Cause cause, bool main_gone, const Turn& turn) {
  ledger_.enter(unit, UnitState::stopping, cause, turn);
  ledger_.set_deadline(unit, turn.now + ledger_.spec(unit).stop.timeout);
  send_stop_signal(unit, main_gone, turn);
}

void UnitMachine::send_stop_signal(UnitIndex unit, bool main_gone, const Turn& turn) {
  const StopSpec& stop = ledger_.spec(unit).stop;
  const UnitRecord& record = ledger_.record(unit);
  turn.actions.emplace_back(
      Kill{.unit = unit,
           .attempt = record.attempt,
           .signal = stop.signal,
           .group = main_gone || stop.scope == SignalScope::group || stop.signal == SIGKILL,
           .with_continue = true});
  turn.actions.emplace_back(Note{.kind = NoteKind::signal,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = record.cause,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .value = stop.signal});
}

void UnitMachine::send_kill(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const bool first = !record.killed;
  record.killed = true;
  const Duration timeout = ledger_.spec(unit).stop.timeout;
  ledger_.set_deadline(unit, turn.now + std::max(timeout, kShortestKillInterval));
  turn.actions.emplace_back(
      Kill{.unit = unit, .attempt = record.attempt, .signal = SIGKILL, .group = true});
  if (!first) return;
  turn.actions.emplace_back(Note{.kind = NoteKind::signal,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = Cause::stop_timeout,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .value = SIGKILL});
}

void UnitMachine::count_exit(const Exited& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  const int32_t pid = event.attempt == record.attempt ? std::exchange(record.pid, 0) : 0;
  ++record.exits;
  record.exit_attempt = event.attempt;
  record.last_exit = event.how;
  record.last_exit.clean = clean_end(ledger_.spec(event.unit), event.how);
  turn.actions.emplace_back(Note{.kind = NoteKind::exit,
                                 .unit = event.unit,
                                 .state = record.state,
                                 .cause = Cause::exit,
                                 .exit_kind = event.how.kind,
                                 .attempt = event.attempt,
                                 .pid = pid,
                                 .value = event.how.value});
}

void UnitMachine::main_gone(UnitIndex unit, const Turn& turn) {
  const UnitRecord& record = ledger_.record(unit);
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:
      begin_stop(unit, Cause::exit, true, turn);
      break;
    case UnitState::stopping:
      if (ledger_.spec(unit).stop.scope == SignalScope::main && !record.killed) {
        send_stop_signal(unit, true, turn);
      }
      break;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
  }
}

void UnitMachine::attempt_over(UnitIndex unit, const Turn& turn) {
  turn.actions.emplace_back(Acknowledge{ledger_.record(unit).attempt});
  switch (ledger_.record(unit).state) {
    case UnitState::starting:
    case UnitState::running:
      ended_by_itself(unit, turn);
      break;
    case UnitState::stopping:
      stop_finished(unit, turn);
      break;
    case UnitState::stopped:  // told again after a handover
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      break;
  }
}

void UnitMachine::stop_finished(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (record.goal == Goal::up) {
    if (record.cause == Cause::exit) return ended_by_itself(unit, turn);
    record.detail.clear();
    return start_attempt(unit, record.cause, turn);
  }
  if (record.cause == Cause::shutdown) return rest_stopped(unit, Cause::shutdown, turn);
  rest_stopped(unit, record.killed ? Cause::stop_timeout : Cause::request, turn);
}

void UnitMachine::ended_by_itself(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = ledger_.spec(unit);
  const LastExit& end = record.last_exit;
  const Cause cause = end.kind == ExitKind::spawn ? Cause::spawn_failed : Cause::exit;
  JobTable::finish(record, end.clean ? JobResult::done : JobResult::failed);
  if (!restart_wanted(spec, end)) {
    return rest_for_good(unit, end.clean ? UnitState::exited : UnitState::failed, cause, turn);
  }
  if (long_enough_to_reset(spec.restart, record)) record.failures = 0;
  if (!take_restart(spec.restart, record, turn.now)) {
    record.detail = rate_limit_text(spec.restart);
    return rest_for_good(unit, UnitState::failed, Cause::rate_limited, turn);
  }
  const Duration delay = restart_delay(spec.restart, record.failures, random_);
  ++record.failures;
  if (delay == Duration::zero()) return restart_by_itself(unit, cause, turn);
  ledger_.enter(unit, UnitState::backoff, cause, turn);
  ledger_.set_deadline(unit, turn.now + delay);
}

void UnitMachine::rest_for_good(UnitIndex unit, UnitState state, Cause cause, const Turn& turn) {
  ledger_.enter(unit, state, cause, turn);
  gone_for_good_.push_back(unit);
}

void UnitMachine::rest_stopped(UnitIndex unit, Cause cause, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.detail.clear();
  if (cause == Cause::stop_timeout) {
    record.detail = "did not stop within " + format_duration(ledger_.spec(unit).stop.timeout) +
                    " and was killed";
  }
  JobTable::finish(record, JobResult::done);
  ledger_.enter(unit, UnitState::stopped, cause, turn);
}

}  // namespace foster::core
