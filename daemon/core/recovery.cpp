#include "daemon/core/recovery.hpp"

#include <algorithm>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/invariants.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::core {
namespace {

void drop_process(UnitRecord& record, UnitState state, Instant now) {
  record.state = state;
  record.since = now;
  record.pid = 0;
  record.killed = false;
  record.deadline = {};
}

// The keeper has an attempt whose end we have not recorded, and our own state is of no use for it:
// begin as if its spawn had just been asked for. The keeper tells the rest again.
void begin_with(UnitRecord& record, Attempt live, Instant now) {
  drop_process(record, UnitState::starting, now);
  record.attempt = live;
  if (record.cause == Cause::none) record.cause = Cause::boot;
}

// The spawn never reached the keeper.
void nothing_runs(UnitRecord& record, Instant now) {
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:
    case UnitState::stopping:
      drop_process(record, UnitState::stopped, now);
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

void reconcile(UnitRecord& record, Attempt live, Instant now) {
  const bool end_recorded = live <= record.exit_attempt;
  if (live != record.attempt && !end_recorded) return begin_with(record, live, now);
  if (live.value == 0 || live != record.attempt) return nothing_runs(record, now);
  switch (record.state) {
    case UnitState::starting:
    case UnitState::running:
    case UnitState::stopping:
      break;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      if (!end_recorded) begin_with(record, live, now);
      break;
  }
}

}  // namespace

bool was_known(const RecoveredUnit& found) {
  return found.record.has_value() &&
         (found.record->since.ns != 0 || found.record->attempt.value != 0);
}

UnitRecord recovered_record(const RecoveredUnit& found, const UnitSpec& spec, Instant now) {
  UnitRecord record;
  if (was_known(found)) record = *found.record;
  if (broken_invariant(spec, record) != nullptr) {
    JobTable::finish(record, JobResult::superseded);
    drop_process(record, UnitState::stopped, now);
    record.attempt = std::max(record.attempt, record.exit_attempt);
  }
  reconcile(record, found.live_attempt, now);
  return record;
}

std::optional<int> shutdown_found(const Recovered& found, const UnitSet& set) {
  if (found.shutting_down) return found.exit_code;
  std::optional<int> code;
  for (const RecoveredUnit& unit : found.units) {
    if (!was_known(unit) || unit.record->goal == Goal::up) continue;
    const UnitRecord& record = *unit.record;
    const bool ended = record.state == UnitState::exited || record.state == UnitState::failed;
    if (ended && set[unit.unit].essential && record.last_exit.kind != ExitKind::none) {
      return exit_code_for(record.last_exit);
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
