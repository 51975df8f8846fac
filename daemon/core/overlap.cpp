// Restarts that overlap: the successor starts beside the main process, takes its place once it is
// ready, and the former main process is stopped then.
#include <algorithm>
#include <csignal>
#include <utility>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

/// Whether it may still come to be the main process.
bool has_prospects(const SideRun& successor) {
  return successor.attempt.value != 0 && !successor.killed && !successor.ended;
}

std::string end_text(const LastExit& how) {
  return "the new process " + how_text(how) + " before it was ready";
}

}  // namespace

/// Not where the old process would answer for the new one.
bool UnitMachine::can_overlap(UnitIndex unit) const {
  const bool fits =
      spec(unit).type == ServiceType::simple || spec(unit).type == ServiceType::notify;
  return fits && !asked_at_an_address(ready_kind(spec(unit)));
}

bool UnitMachine::can_overlap_now(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  const bool settled = record.step == Step::none || record.step == Step::reload;
  return can_overlap(unit) && record.state == UnitState::running && settled &&
         record.claimed_pid == 0 && !adopting(unit);
}

bool UnitMachine::overlaps(const UnitRecord& record) {
  return record.successor.attempt.value != 0 || record.former.attempt.value != 0;
}

bool UnitMachine::awaits_successor(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  return record.state == UnitState::running && has_prospects(record.successor);
}

void UnitMachine::begin_overlap(UnitIndex unit, const Turn& turn) {
  FOSTER_CHECK(can_overlap_now(unit));
  UnitRecord& record = ledger_.change(unit);
  if (record.hook.attempt.value != 0) kill_side(unit, record.hook, turn);  // of a reload
  record.step = Step::overlap;
  record.deadline = {};
  record.check_next = {};
  record.detail.clear();
  spawn_successor(unit, turn);
}

void UnitMachine::spawn_successor(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.successor = {.role = Role::successor, .attempt = next_attempt()};
  record.successor_status.clear();
  const Duration timeout = start_timeout(spec(unit));
  if (timeout > Duration::zero()) record.successor.deadline = turn.now + timeout;
  turn.actions.emplace_back(
      Spawn{.unit = unit, .attempt = record.successor.attempt, .role = Role::successor});
}

/// Of a successor or a former main process; may come again after a handover.
void UnitMachine::beside_spawned(const Spawned& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  const bool of_successor = event.attempt == record.successor.attempt;
  SideRun& run = of_successor ? record.successor : record.former;
  if (run.ended) return;
  const bool news = std::exchange(run.pid, event.pid) == 0;
  if (!of_successor || !news || !awaits_successor(event.unit)) return;
  if (run.ready || ready_kind(spec(event.unit)) == ReadyKind::none) {
    return change_places(event.unit, turn);
  }
  check_due(event.unit, turn);
}

void UnitMachine::successor_ready(UnitIndex unit, const Turn& turn) {
  if (!awaits_successor(unit)) return;
  ledger_.change(unit).successor.ready = true;
  // It may have been quicker than the news of its spawn.
  if (record(unit).successor.pid != 0) change_places(unit, turn);
}

void UnitMachine::change_places(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.former = {.attempt = record.attempt, .pid = record.pid};
  take_place(unit, turn);
  record.cause = Cause::request;
  record.blocker = 0;
  record.ready = true;
  note_ready(unit, "ready", turn);
  if (record.check.attempt.value != 0) {
    // As a health check it would count against the new process.
    record.check.role = Role::ready_check;
    kill_side(unit, record.check, turn);
  }
  begin_health(unit, turn);
  record.check_next = {};
  stop_beside(unit, record.former, turn);
}

/// The successor's attempt is the unit's from now on.
void UnitMachine::take_place(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const SideRun successor = std::exchange(record.successor, SideRun{});
  record.attempt = successor.attempt;
  record.pid = successor.pid;
  record.ready = successor.ready;
  record.over = false;
  record.started = turn.now;
  record.running = successor.pid != 0 ? turn.now : Instant{};
  record.runtime_deadline = {};
  record.watchdog_deadline = {};
  record.watchdog = spec(unit).health ? spec(unit).health->watchdog : Duration::zero();
  record.service_errno = 0;
  record.status_text = std::exchange(record.successor_status, {});
}

/// The main process has ended before its successor was ready: that is on its way up now like after
/// any start.
void UnitMachine::successor_takes_over(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const Instant deadline = record.successor.deadline;
  if (record.over) {
    turn.actions.emplace_back(Acknowledge{record.attempt});
  } else {
    record.former = {.ended = true, .attempt = record.attempt};
  }
  take_place(unit, turn);
  record.was_up = false;
  ledger_.enter(unit, UnitState::starting, Cause::exit, turn);
  record.step = Step::command;
  record.start_deadline = deadline;
  if (record.former.attempt.value != 0) stop_beside(unit, record.former, turn);
  if (record.pid != 0) main_known(unit, turn);
}

/// The stop signal, and the time that is left until SIGKILL.
void UnitMachine::stop_beside(UnitIndex unit, SideRun& run, const Turn& turn) {
  run.deadline = turn.now + spec(unit).stop.timeout;
  signal_beside(unit, run, turn);
}

void UnitMachine::signal_beside(UnitIndex unit, const SideRun& run, const Turn& turn) {
  const StopSpec& stop = spec(unit).stop;
  const bool group = run.ended || stop.scope == SignalScope::group || stop.signal == SIGKILL;
  turn.actions.emplace_back(Kill{.unit = unit,
                                 .attempt = run.attempt,
                                 .signal = stop.signal,
                                 .group = group,
                                 .with_continue = true});
  note_beside(unit, run, stop.signal, turn);
}

void UnitMachine::note_beside(UnitIndex unit, const SideRun& run, int signal, const Turn& turn) {
  turn.actions.emplace_back(Note{.kind = NoteKind::signal,
                                 .unit = unit,
                                 .state = record(unit).state,
                                 .cause = record(unit).cause,
                                 .attempt = run.attempt,
                                 .pid = run.pid,
                                 .value = signal});
}

void UnitMachine::kill_beside(UnitIndex unit, SideRun& run, const Turn& turn) {
  if (!run.killed && !run.ended) note_beside(unit, run, SIGKILL, turn);
  kill_side(unit, run, turn);
}

/// Whatever there is beside the main process is stopped with it.
void UnitMachine::stop_overlap(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (has_prospects(record.successor)) stop_beside(unit, record.successor, turn);
}

void UnitMachine::kill_overlap(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  for (SideRun* run : {&record.successor, &record.former})
    if (run->attempt.value != 0) kill_beside(unit, *run, turn);
}

void UnitMachine::successor_timed_out(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  if (awaits_successor(unit)) {
    const bool runs_anyway = spec.ready && spec.ready->on_timeout == ReadyTimeout::run;
    if (runs_anyway) {
      record.successor.deadline = {};
      return successor_ready(unit, turn);
    }
    record.detail = "the new process was not ready within " + format_duration(start_timeout(spec));
  }
  kill_beside(unit, record.successor, turn);
}

void UnitMachine::successor_failed(const SpawnFailed& event, const Turn& turn) {
  if (awaits_successor(event.unit)) {
    ledger_.change(event.unit).detail = "the new process: " + event.message;
  }
  beside_over(event.unit, event.attempt, turn);
}

void UnitMachine::successor_exited(const Exited& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  SideRun& run = record.successor;
  if (awaits_successor(event.unit)) record.detail = end_text(event.how);
  if (!run.ended) note_exit(event, run.pid, turn);
  run.killed = true;  // for a manager to come: it is no news any more when it was spawned
  run.ended = true;
  run.pid = 0;
  if (!event.group_remains) return beside_over(event.unit, event.attempt, turn);
  kill_side(event.unit, run, turn);
}

/// It is counted as the main process that it was.
void UnitMachine::former_exited(const Exited& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  // Its number is known until its end has been counted, whatever has ended since.
  const bool fresh = record.former.pid != 0 && event.attempt < record.attempt;
  if (fresh) count_exit(event, turn);
  record.former.ended = true;
  record.former.pid = 0;
  if (!event.group_remains) return beside_over(event.unit, event.attempt, turn);
  if (fresh && !record.former.killed) signal_beside(event.unit, record.former, turn);
}

/// Nothing is left of it.
void UnitMachine::beside_over(UnitIndex unit, Attempt attempt, const Turn& turn) {
  turn.actions.emplace_back(Acknowledge{attempt});
  UnitRecord& record = ledger_.change(unit);
  const bool of_successor = attempt == record.successor.attempt;
  (of_successor ? record.successor : record.former) = {};
  if (record.state == UnitState::stopping) return go_on_stopping(unit, turn);
  const bool spawn_was_lost = record.state == UnitState::starting && record.step == Step::command &&
                              record.over && !overlaps(record);
  if (spawn_was_lost) return spawn_main(unit, turn);
  overlap_over(unit, of_successor ? JobResult::failed : JobResult::done, turn);
}

void UnitMachine::overlap_over(UnitIndex unit, JobResult result, const Turn& turn) {
  const UnitRecord& known = record(unit);
  if (known.state != UnitState::running || known.step != Step::overlap || overlaps(known)) return;
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::none;
  JobTable::finish(record, result);
  resume_checks(unit, turn);
}

void UnitMachine::beside_said(const Notified& event, const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  const bool of_successor = event.attempt == record.successor.attempt;
  SideRun& run = of_successor ? record.successor : record.former;
  if (event.extend_timeout && run.deadline.ns != 0 && !run.killed) {
    run.deadline = std::max(run.deadline, turn.now + *event.extend_timeout);
  }
  if (!of_successor) return;
  if (event.status_text) record.successor_status = *event.status_text;
  const bool names_another = event.main_pid && run.pid != 0 && *event.main_pid != run.pid;
  if (names_another && awaits_successor(event.unit)) {
    record.detail = "the new process named another as the main one, which it cannot be here";
    return kill_beside(event.unit, run, turn);
  }
  if (event.ready && ready_kind(spec(event.unit)) == ReadyKind::notify) {
    successor_ready(event.unit, turn);
  }
}

/// A successor that the keeper has not heard of is recorded without a number, and spawned again.
void UnitMachine::resume_overlap(UnitIndex unit, const LastSignals& signals, const Turn& turn) {
  const UnitRecord& known = record(unit);
  const bool overlapping = known.state == UnitState::running && known.step == Step::overlap;
  const SideRun successor = known.successor;
  if (!overlapping && !overlaps(known) && successor.role != Role::successor) return;
  UnitRecord& record = ledger_.change(unit);
  const bool lost = successor.attempt.value == 0 && successor.role == Role::successor;
  if (lost) {
    record.successor = {};
    if (overlapping && !successor.killed) spawn_successor(unit, turn);
  } else if (successor.killed) {
    kill_beside(unit, record.successor, turn);
  } else if (record.state == UnitState::stopping && signals.successor == 0) {
    stop_overlap(unit, turn);
  }
  if (record.former.attempt.value != 0 && record.former.killed) {
    kill_beside(unit, record.former, turn);
  } else if (record.former.attempt.value != 0 && signals.former != spec(unit).stop.signal) {
    stop_beside(unit, record.former, turn);
  }
  overlap_over(unit, lost ? JobResult::failed : JobResult::done, turn);
}

}  // namespace foster::core
