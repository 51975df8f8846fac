#include "daemon/core/recovery.hpp"

#include <algorithm>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/invariants.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::core {
namespace {

bool side_lives(const UnitRecord& record) {
  return record.hook.attempt.value != 0 || record.check.attempt.value != 0 ||
         record.successor.attempt.value != 0 || record.former.attempt.value != 0;
}

/// What was lost with the rest is not made up for.
void keep_only_living(SideRun& run) {
  if (run.attempt.value == 0) run = {};
  run.killed = run.attempt.value != 0;
}

bool has_steps(UnitState state) {
  return state == UnitState::starting || state == UnitState::running ||
         state == UnitState::stopping;
}

void leave_everything(UnitRecord& record, Instant now) {
  record.since = now;
  record.step = Step::none;
  record.blocker = 0;
  record.pid = 0;
  record.claimed_pid = 0;
  record.killed = false;
  record.over = true;
  record.health = Health::none;
  record.deadline = {};
  record.start_deadline = {};
  record.watchdog_deadline = {};
  record.runtime_deadline = {};
  record.check_next = {};
}

/// Nothing lives but perhaps a process of a hook or check; with the goal up it is started again.
void drop_process(UnitRecord& record, Instant now) {
  leave_everything(record, now);
  keep_only_living(record.hook);
  keep_only_living(record.check);
  keep_only_living(record.successor);
  keep_only_living(record.former);
  record.state = UnitState::stopped;
  if (!side_lives(record)) return;
  record.state = UnitState::stopping;
  record.step = Step::signal;
  if (record.goal == Goal::up || record.cause == Cause::none) record.cause = Cause::boot;
}

/// Processes of a main process that has ended are left, and our own state is of no use for them:
/// they are stopped before anything else is done. So is a main process where there is to be none.
void stop_what_lives(UnitRecord& record, const UnitSpec& spec, Attempt live, Instant now) {
  leave_everything(record, now);
  record.state = UnitState::stopping;
  record.step = Step::signal;
  record.attempt = live;
  record.over = false;
  record.deadline = now + spec.stop.timeout;
  keep_only_living(record.hook);
  keep_only_living(record.check);
  keep_only_living(record.successor);
  keep_only_living(record.former);
  if (record.goal == Goal::up) {
    record.cause = Cause::boot;
  } else if (record.cause != Cause::shutdown) {
    record.cause = Cause::request;
  }
}

// The keeper has an attempt whose end we have not recorded, and our own state is of no use for it:
// begin as if its spawn had just been asked for. The keeper tells the rest again.
void begin_with(UnitRecord& record, const UnitSpec& spec, Attempt live, Instant now) {
  if (spec.type == ServiceType::group) return stop_what_lives(record, spec, live, now);
  leave_everything(record, now);
  record.state = UnitState::starting;
  // Of a forking unit it is more likely the daemon than the command that leaves it.
  record.step = spec.type == ServiceType::forking ? Step::find_main : Step::command;
  record.attempt = live;
  record.started = now;
  record.running = {};
  if (start_timeout(spec) > Duration::zero()) record.start_deadline = now + start_timeout(spec);
  record.command_index = 0;
  record.ready = false;
  record.was_up = false;
  record.watchdog = spec.health ? spec.health->watchdog : Duration::zero();
  record.over = false;
  keep_only_living(record.hook);
  keep_only_living(record.check);
  keep_only_living(record.former);
  if (record.cause == Cause::none) record.cause = Cause::boot;
}

/// A process that the record tells of and the keeper has not heard of keeps its role, so that it is
/// spawned again, but has no number.
void reconcile_side(SideRun& run, Attempt live) {
  run.ended = false;
  run.failed = false;
  if (run.attempt == live) return;
  run.attempt = {};
  run.pid = 0;
  run.deadline = {};
}

/// What the keeper has though no record tells of it: it is killed, and its end waited for.
void take_leftovers(UnitRecord& record, const RecoveredUnit& found) {
  record.hook = {};
  record.check = {};
  record.successor = {};
  record.former = {};
  const Attempt beside = std::max(found.live_overlapped, found.live_successor);
  // With its number its end is counted.
  const int32_t pid = beside == found.live_overlapped ? found.overlapped_pid : 0;
  if (beside.value != 0) record.former = {.killed = true, .attempt = beside, .pid = pid};
  if (found.live_hook.value != 0) {
    record.hook = {.role = Role::reload, .killed = true, .attempt = found.live_hook};
  }
  if (found.live_check.value != 0) {
    // Not as a health check, which would count as failed.
    record.check = {.role = Role::ready_check, .killed = true, .attempt = found.live_check};
  }
}

// The newest attempt is not at the keeper: its spawn never got there, or its end was taken in.
void without_main(UnitRecord& record, const UnitSpec& spec, Instant now) {
  record.over = true;
  const bool counted = record.attempt == record.exit_attempt;
  const bool mainless = spec.type == ServiceType::group || spec.type == ServiceType::oneshot;
  switch (record.state) {
    case UnitState::starting:
      if (record.step <= Step::command || mainless) return;
      if (record.step == Step::find_main && counted) return;
      return drop_process(record, now);
    case UnitState::running:
      if (spec.type == ServiceType::group || (counted && record.claimed_pid != 0)) return;
      if (spec.type == ServiceType::oneshot) {
        const bool spawn_lost = record.step == Step::command && record.pid == 0 && !counted;
        if (spawn_lost || (record.step == Step::post_start && counted)) return;
      }
      return drop_process(record, now);
    case UnitState::stopping:
      record.pid = 0;
      if (record.step == Step::signal) record.deadline = {};
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

/// Steps that are only reached when the newest attempt that there was is over.
bool beyond_attempt(const UnitRecord& record) {
  if (record.state == UnitState::starting) return record.step <= Step::pre_start;
  const bool works_on = record.state == UnitState::running && record.claimed_pid == 0;
  const bool unsignalled =
      record.state == UnitState::stopping && record.step == Step::signal && record.deadline.ns == 0;
  return works_on || unsignalled || record.step == Step::post_stop;
}

/// `published`: the record is as the former manager left it before it acted, so that the keeper
/// knows of no attempt that it does not tell of but an adopted one.
void reconcile(UnitRecord& record, const RecoveredUnit& found, const UnitSpec& spec, bool published,
               Instant now) {
  const Attempt live = found.live_attempt;
  const bool end_recorded = live <= record.exit_attempt;
  if (live > record.attempt && published && has_steps(record.state)) {
    record.attempt = live;  // the keeper has adopted what the unit had named
    record.pid = record.step == Step::find_main ? 0 : found.pid;
    if (record.claimed_pid == found.pid) record.claimed_pid = 0;
    record.over = false;
    if (record.state == UnitState::stopping && record.step >= Step::signal) {
      // What was waited for before is the new one's end now, which nothing has been sent to yet.
      record.step = Step::signal;
      record.killed = false;
      record.deadline = now + spec.stop.timeout;
    }
    return;
  }
  if (!published && live.value != 0 && live == record.exit_attempt) {
    return stop_what_lives(record, spec, live, now);
  }
  if (!end_recorded && (live != record.attempt || !published)) {
    return begin_with(record, spec, live, now);
  }
  if (live.value == 0 || live != record.attempt) return without_main(record, spec, now);
  if (!has_steps(record.state)) {
    if (!end_recorded) begin_with(record, spec, live, now);
    return;
  }
  record.over = end_recorded && beyond_attempt(record);
}

/// It was the main process before that of `next_role`.
void take_for_former(RecoveredUnit& unit, Attempt attempt, int32_t pid, Role next_role) {
  if (attempt.value == 0) return;
  // A record names the one that an overlapped restart replaces.
  LiveFormer former{attempt, pid};
  if (next_role != Role::main && !was_known(unit) && attempt > unit.live_overlapped) {
    former = {std::exchange(unit.live_overlapped, attempt),
              std::exchange(unit.overlapped_pid, pid)};
  }
  if (former.attempt.value != 0) unit.live_formers.push_back(former);
}

}  // namespace

void add_live_main(RecoveredUnit& unit, const LiveMain& found) {
  const bool recorded = unit.record.has_value();
  if (recorded && found.attempt == unit.record->successor.attempt) {
    unit.live_successor = found.attempt;
    unit.successor_signal = found.last_signal;
  } else if (recorded && found.attempt == unit.record->former.attempt) {
    unit.live_overlapped = found.attempt;
    unit.overlapped_pid = unit.record->former.pid;
    unit.overlapped_signal = found.last_signal;
  } else if (was_known(unit) && found.role == Role::successor && found.over &&
             found.attempt != unit.record->attempt) {
    return;  // it has failed, and what is left of it is the news of that
  } else if (found.attempt < unit.live_attempt) {
    take_for_former(unit, found.attempt, found.pid, unit.live_role);
  } else {
    take_for_former(unit, unit.live_attempt, unit.pid, found.role);
    unit.live_attempt = found.attempt;
    unit.live_role = found.role;
    unit.pid = found.pid;
    unit.last_signal = found.last_signal;
  }
}

bool was_known(const RecoveredUnit& found) {
  return found.record.has_value() &&
         (found.record->since.ns != 0 || found.record->attempt.value != 0);
}

UnitRecord recovered_record(const RecoveredUnit& found, const UnitSpec& spec, Instant now) {
  UnitRecord record;
  const bool known = was_known(found);
  if (known) record = *found.record;
  record.masked = found.masked;
  record.over = found.live_attempt != record.attempt || !has_steps(record.state) ||
                (found.live_attempt <= record.exit_attempt && beyond_attempt(record));
  const bool sound = broken_invariant(spec, record) == nullptr;
  if (known && sound) {
    reconcile_side(record.hook, found.live_hook);
    reconcile_side(record.check, found.live_check);
    reconcile_side(record.successor, found.live_successor);
    reconcile_side(record.former, found.live_overlapped);
    record.former.ended = record.former.attempt.value != 0 && record.former.pid == 0;
  } else if (known || found.live_attempt.value != 0 || found.live_hook.value != 0 ||
             found.live_check.value != 0 || found.live_overlapped.value != 0 ||
             found.live_successor.value != 0) {
    JobTable::finish(record, JobResult::superseded);
    record.attempt = std::max(record.attempt, record.exit_attempt);
    take_leftovers(record, found);
    if (!known && found.live_attempt.value != 0) record.goal = Goal::up;
    drop_process(record, now);
  }
  reconcile(record, found, spec, known && sound, now);
  return record;
}

std::optional<int> shutdown_found(const Recovered& found, const UnitSet& set) {
  if (found.shutting_down) return found.exit_code;
  std::optional<int> code;
  for (const RecoveredUnit& unit : found.units) {
    if (!was_known(unit) || unit.record->goal == Goal::up) continue;
    const UnitRecord& record = *unit.record;
    const UnitSpec& spec = set[unit.unit];
    const bool ended = record.state == UnitState::exited || record.state == UnitState::failed;
    const bool ends_all = spec.essential || (record.cause == Cause::rate_limited &&
                                             spec.restart.limit_action == LimitAction::stop_all);
    if (ended && ends_all && record.last_exit.kind != ExitKind::none) {
      return final_exit_code(record);
    }
    if (record.cause == Cause::shutdown) code = 0;
  }
  return code;
}

JobId last_job_found(const Recovered& found) {
  JobId last = found.last_job;
  for (const RecoveredUnit& unit : found.units) {
    if (!unit.record.has_value()) continue;
    last = std::max(last, unit.record->job);
    for (const JobOutcome& outcome : unit.record->job_outcomes)
      last = std::max(last, outcome.job);
  }
  return last;
}

}  // namespace foster::core
