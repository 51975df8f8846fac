#include "tests/sim/health_oracle.hpp"

#include <algorithm>
#include <utility>

namespace foster::sim {

using core::Cause;
using core::Health;
using core::Role;
using core::UnitRecord;
using core::UnitState;

namespace {

bool is_running_check(const Told& told, UnitIndex unit, Attempt attempt) {
  const ToldProcess* process = told.find(unit, attempt);
  return process != nullptr && process->role == Role::health_check && !process->gone &&
         !told[unit].uncertain;
}

}  // namespace

HealthOracle::HealthOracle(const UnitSet& set, Verdict& verdict)
    : set_(set), verdict_(verdict), runs_(set.size()) {}

void HealthOracle::manager_began(const core::Supervisor& manager) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    runs_[i] = {.state = record.state,
                .cause = record.cause,
                .attempt = record.attempt,
                .since = record.since,
                .unsure = true,
                .overlaps = record.step == core::Step::overlap};
  }
}

void HealthOracle::about_to_handle(const Told& told, const core::Event* event, Instant now) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    runs_[i].triggered = runs_[i].too_much_memory = false;
    runs_[i].asked = told[{i}].asked;
  }
  if (const auto* exited = as<core::Exited>(event)) {
    if (!is_running_check(told, exited->unit, exited->attempt)) return;
    const bool good = exited->how.kind == core::ExitKind::code && exited->how.value == 0;
    if (!good) runs_[exited->unit.value].check_failed = true;
    if (!exited->group_remains) check_ended(exited->unit, now);
    return;
  }
  if (const auto* emptied = as<core::GroupEmptied>(event)) {
    const ToldProcess* process = told.find(emptied->unit, emptied->attempt);
    if (process == nullptr || process->role != Role::health_check || !process->gone) return;
    if (told[emptied->unit].uncertain) return;
    return check_ended(emptied->unit, now);
  }
  if (const auto* failed = as<core::SpawnFailed>(event)) {
    if (!is_running_check(told, failed->unit, failed->attempt)) return;
    runs_[failed->unit.value].check_failed = true;
    return check_ended(failed->unit, now);
  }
  if (const auto* measured = as<core::MemoryMeasured>(event)) {
    const UnitSpec& spec = set_[measured->unit];
    Run& run = runs_[measured->unit.value];
    run.too_much_memory =
        spec.health && spec.health->memory_max != 0 && measured->bytes > spec.health->memory_max;
  }
  const auto* said = as<core::Notified>(event);
  if (said == nullptr) return;
  Run& run = runs_[said->unit.value];
  if (said->watchdog) run.last_ping = now;
  if (said->watchdog_trigger) run.triggered = true;
  if (said->watchdog_interval) run.unsure = true;
}

/// Its whole group is gone: what it has left behind does not count against the unit.
void HealthOracle::check_ended(UnitIndex unit, Instant now) {
  Run& run = runs_[unit.value];
  const bool bad = std::exchange(run.check_failed, false);
  if (run.state != UnitState::running) return;
  if (!bad) {
    run.failed_checks = 0;
  } else if (now >= run.since + set_[unit].health->start_period) {
    ++run.failed_checks;
  }
}

void HealthOracle::handled(const Judged& judged, const Told& told) {
  for (const core::Action& action : judged.actions) {
    const auto* kill = std::get_if<core::Kill>(&action);
    if (kill == nullptr || !is_running_check(told, kill->unit, kill->attempt)) continue;
    runs_[kill->unit.value].check_failed = true;
  }
  for (uint32_t i = 0; i < set_.size(); ++i) {
    judge(judged, told, {i});
    follow(judged.manager.record({i}), runs_[i], {i});
  }
}

void HealthOracle::judge(const Judged& judged, const Told& told, UnitIndex unit) {
  const UnitRecord& record = judged.manager.record(unit);
  const Run& run = runs_[unit.value];
  const bool same_run = record.state == run.state && record.since == run.since;
  if (!same_run && record.cause != run.cause) judge_cause(judged, told, unit);
  if (same_run && judged.event == nullptr) judge_missed(judged, told, unit);
  if (same_run && record.state == UnitState::running) judge_checks(judged, unit);
}

void HealthOracle::judge_cause(const Judged& judged, const Told& told, UnitIndex unit) {
  const UnitRecord& record = judged.manager.record(unit);
  const UnitSpec& spec = set_[unit];
  const Run& run = runs_[unit.value];
  switch (record.cause) {
    case Cause::health:
      if (run.unsure || run.too_much_memory || told[unit].uncertain) return;
      if (!spec.health || run.failed_checks < spec.health->failures) {
        verdict_.fail(unit, "it is taken for unhealthy without reason");
      }
      return;
    case Cause::watchdog:
      if (!run.unsure && !run.triggered && judged.now < watchdog_due(run)) {
        verdict_.fail(unit, "its watchdog bites too early");
      }
      return;
    case Cause::max_runtime:
      if (!spec.health || spec.health->max_runtime == Duration::zero() ||
          judged.now < run.asked + spec.health->max_runtime) {
        verdict_.fail(unit, "its run was cut short");
      }
      return;
    case Cause::start_timeout:
      if (start_timeout(spec) == Duration::zero() ||
          (!told[unit].uncertain && judged.now < run.asked + start_timeout(spec))) {
        verdict_.fail(unit, "its start was cut short");
      }
      return;
    case Cause::none:
    case Cause::boot:
    case Cause::request:
    case Cause::exit:
    case Cause::spawn_failed:
    case Cause::rate_limited:
    case Cause::shutdown:
    case Cause::stop_timeout:
    case Cause::dependency:
    case Cause::conflict:
    case Cause::condition:
    case Cause::hook:
    case Cause::timer:
    case Cause::on_failure:
    case Cause::masked:
    case Cause::connection:
      return;
  }
}

/// The time was reached, and the unit is as it was: nothing of it may be overdue.
void HealthOracle::judge_missed(const Judged& judged, const Told& told, UnitIndex unit) {
  const UnitSpec& spec = set_[unit];
  const Run& run = runs_[unit.value];
  const ToldUnit& known = told[unit];
  if (run.state == UnitState::starting && known.asked.ns != 0 && !known.uncertain && !run.unsure) {
    const bool fails = !spec.ready || spec.ready->on_timeout == ReadyTimeout::fail;
    const Duration limit = start_timeout(spec) + known.extended;
    const bool over = start_timeout(spec) != Duration::zero() && judged.now > known.asked + limit;
    if (fails && over) verdict_.fail(unit, "its start takes too long and nobody minds");
  }
  if (run.state != UnitState::running || !spec.health) return;
  const Duration longest = spec.health->max_runtime;
  if (longest != Duration::zero() && !run.unsure && known.extended == Duration::zero() &&
      judged.now >= run.since + longest) {
    verdict_.fail(unit, "it runs too long and nobody minds");
  }
  if (run.watchdog != Duration::zero() && !run.unsure && judged.now >= watchdog_due(run)) {
    verdict_.fail(unit, "its watchdog is asleep");
  }
}

void HealthOracle::judge_checks(const Judged& judged, UnitIndex unit) {
  const UnitSpec& spec = set_[unit];
  const Run& run = runs_[unit.value];
  if (run.unsure || !spec.health) return;
  const bool acts = spec.health->action != HealthAction::none;
  if (run.too_much_memory && acts) verdict_.fail(unit, "it uses too much memory and goes on");
  if (run.failed_checks < spec.health->failures) return;
  if (acts) verdict_.fail(unit, "it is unhealthy and nobody minds");
  if (judged.manager.record(unit).health != Health::unhealthy) {
    verdict_.fail(unit, "it is unhealthy and not said to be");
  }
}

void HealthOracle::follow(const UnitRecord& record, Run& run, UnitIndex unit) {
  if (record.state != run.state || record.since != run.since) {
    const Instant last_ping = run.last_ping;
    // One that goes on without its former main process was asked for before that ended.
    const bool overlapped = run.overlaps;
    run = {};
    run.last_ping = last_ping;
    run.unsure = overlapped;
    if (set_[unit].health) run.watchdog = set_[unit].health->watchdog;
  }
  // Its checks pause, and are those of another process then.
  run.overlaps = record.step == core::Step::overlap;
  run.unsure = run.unsure || run.overlaps;
  run.state = record.state;
  run.cause = record.cause;
  run.attempt = record.attempt;
  run.since = record.since;
}

Instant HealthOracle::watchdog_due(const Run& run) const {
  return std::max(run.since, run.last_ping) + run.watchdog;
}

}  // namespace foster::sim
