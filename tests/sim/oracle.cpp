#include "tests/sim/oracle.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <optional>

#include "common/check.hpp"
#include "daemon/core/invariants.hpp"
#include "tests/sim/rest_oracle.hpp"

namespace foster::sim {

using core::Cause;
using core::ExitKind;
using core::Goal;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

namespace {

bool contains(const std::vector<int>& codes, int code) {
  return std::ranges::count(codes, code) > 0;
}

bool should_be_clean(const UnitSpec& spec, const core::LastExit& end) {
  return end.kind == ExitKind::code && contains(spec.success_exit_codes, end.value);
}

/// 128 + signal, as a shell has it; what could not be executed is 127 or 126.
int shell_code(const core::LastExit& end) {
  if (end.kind == ExitKind::code) return end.value;
  if (end.kind == ExitKind::spawn) return end.value == ENOENT ? 127 : 126;
  return 128 + end.value;
}

bool has_readiness(const UnitSpec& spec) {
  return spec.type == ServiceType::notify || spec.type == ServiceType::forking ||
         (spec.ready && spec.ready->kind != ReadyKind::none);
}

/// What ends before it has shown itself ready has failed, whatever its exit code.
bool ended_cleanly(const UnitSpec& spec, const UnitRecord& record) {
  const bool was_ready = record.was_up || !has_readiness(spec);
  return record.cause == Cause::exit && record.last_exit.clean && was_ready;
}

/// Whether an end of this kind is followed by a restart; nothing where a unit's own account of its
/// end and what put an end to it may be weighed either way.
std::optional<bool> should_restart(const UnitSpec& spec, const UnitRecord& record, Cause cause) {
  const core::LastExit& end = record.last_exit;
  if (spec.restart.policy == RestartPolicy::never && spec.restart.force_exit_codes.empty()) {
    return false;
  }
  if (cause == Cause::exit && end.kind == ExitKind::code) {
    if (contains(spec.restart.prevent_exit_codes, end.value)) return false;
    if (contains(spec.restart.force_exit_codes, end.value)) return true;
  } else if (cause != Cause::exit && !spec.restart.prevent_exit_codes.empty()) {
    return std::nullopt;
  } else if (cause != Cause::exit && !spec.restart.force_exit_codes.empty()) {
    return std::nullopt;
  }
  const bool clean = ended_cleanly(spec, record);
  const bool signalled = end.kind == ExitKind::signal || end.kind == ExitKind::core_dump;
  switch (spec.restart.policy) {
    case RestartPolicy::never:
      return false;
    case RestartPolicy::always:
      return !(clean && spec.type == ServiceType::oneshot);
    case RestartPolicy::on_failure:
      return !clean;
    case RestartPolicy::on_abnormal:
      if (cause == Cause::exit) return signalled;
      if (cause == Cause::spawn_failed) return false;
      return std::nullopt;
    case RestartPolicy::on_watchdog:
      if (cause == Cause::exit || cause == Cause::spawn_failed) return false;
      if (cause == Cause::watchdog) return true;
      return std::nullopt;
  }
  FOSTER_CHECK(false);
}

/// Ends that the restart policy does not decide about.
bool is_beyond_policy(Cause cause) {
  return cause == Cause::dependency || cause == Cause::rate_limited || cause == Cause::masked ||
         cause == Cause::health || cause == Cause::conflict;
}

}  // namespace

Oracle::Oracle(const UnitSet& set)
    : set_(set),
      verdict_(set),
      order_(set, verdict_),
      goals_(set, verdict_),
      health_(set, verdict_),
      hooks_(set, verdict_),
      jobs_(set, verdict_),
      rates_(set.size()) {}

void Oracle::manager_began(const core::Supervisor& manager, const ModelKeeper& keeper) {
  settled_ = false;
  was_shutting_down_ = manager.shutting_down();
  for (uint32_t i = 0; i < set_.size(); ++i)
    rates_[i].backoff = manager.record({i}).since;
  order_.manager_began(manager);
  goals_.manager_began(manager);
  health_.manager_began(manager);
  for (uint32_t i = 0; i < set_.size(); ++i) {
    std::vector<ToldProcess> processes;
    std::vector<Attempt> attempts;
    for (const Child& child : keeper.children()) {
      const bool known = order_.told().find({i}, child.attempt) != nullptr;
      const bool over = child.phase == Phase::over;
      if (child.unit.value == i) attempts.push_back(child.attempt);
      if (child.unit.value != i || (over && !known)) continue;
      processes.push_back(
          {.attempt = child.attempt, .role = child.role, .index = child.index, .over = over});
    }
    order_.told().only_these_live({i}, processes);
    order_.told().handed_over({i}, std::move(attempts));
  }
}

void Oracle::turn_lost() {
  order_.turn_lost();
  jobs_.lost();
}

void Oracle::region_lost() {
  order_.told().forget();
  hooks_.region_lost();
  jobs_.region_lost();
  rates_.assign(set_.size(), {});
}

void Oracle::about_to_handle(const core::Event* event, Instant now) {
  health_.about_to_handle(order_.told(), event, now);
}

void Oracle::handled(const core::Supervisor& manager, const core::Event* event,
                     std::span<const core::Action> actions, Instant now) {
  const Judged judged{manager, event, actions, now, was_shutting_down_};
  order_.handled(judged);
  if (order_.hurried()) hooks_.hurried();
  goals_.handled(judged);
  health_.handled(judged, order_.told());
  jobs_.handled(judged);
  for (const core::Action& action : actions) {
    if (!std::holds_alternative<core::InitialUnitsSettled>(action)) continue;
    if (settled_) fail("the initial units settled twice");
    settled_ = true;
  }
  const bool ends = !actions.empty() && std::holds_alternative<core::EndDaemon>(actions.back());
  judge_records(manager, ends);
  judge_shutdown(manager, event, actions);
  was_shutting_down_ = manager.shutting_down();
}

void Oracle::judge_records(const core::Supervisor& manager, bool ends) {
  std::optional<Instant> earliest;
  const auto consider = [&](Instant at) {
    if (at.ns != 0 && (!earliest.has_value() || at < *earliest)) earliest = at;
  };
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    const char* broken = core::broken_invariant(set_[{i}], record);
    if (broken != nullptr) fail({i}, broken);
    judge_backoff({i}, record);
    consider(record.deadline);
    consider(record.start_deadline);
    consider(record.watchdog_deadline);
    consider(record.runtime_deadline);
    consider(record.check_next);
    consider(record.hook.deadline);
    consider(record.check.deadline);
    consider(record.successor.deadline);
    consider(record.former.deadline);
  }
  if (ends) earliest = {};
  if (earliest == manager.next_deadline()) return;
  // The first request of a shutdown that a unit began does not hurry it.
  if (order_.hurried() && !ends) consider(order_.last_moment());
  if (earliest != manager.next_deadline()) fail("the next deadline is not the earliest one");
}

bool Oracle::ends_all(UnitIndex unit, const UnitRecord& record) const {
  const bool limited = record.state == UnitState::failed && record.cause == Cause::rate_limited &&
                       set_[unit].restart.limit_action == LimitAction::stop_all;
  const bool gone = record.state == UnitState::exited || record.state == UnitState::failed;
  return limited || (gone && set_[unit].essential);
}

/// Whether this end of a unit is the daemon's, with the code that it has.
bool Oracle::begins_shutdown(const core::Supervisor& manager, const core::Note& note) const {
  const bool gone = note.state == UnitState::exited || note.state == UnitState::failed;
  if (note.kind != core::NoteKind::state || !gone) return false;
  const UnitSpec& spec = set_[note.unit];
  const bool limited =
      note.cause == Cause::rate_limited && spec.restart.limit_action == LimitAction::stop_all;
  if (!limited && !spec.essential) return false;
  const int code = shell_code(manager.record(note.unit).last_exit);
  // A failure is one, even where the last process ended with 0.
  const bool failed_all_the_same = note.state == UnitState::failed && manager.exit_code() == 1;
  return note.cause != Cause::exit || manager.exit_code() == code || failed_all_the_same;
}

void Oracle::judge_shutdown(const core::Supervisor& manager, const core::Event* event,
                            std::span<const core::Action> actions) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    const bool own_end = record.cause != Cause::dependency;
    if (!manager.shutting_down()) {
      if (own_end && ends_all({i}, record)) fail({i}, "essential, gone, and the daemon goes on");
    } else if (record.goal != Goal::down) {
      fail({i}, "it is wanted up in a shutdown");
    }
  }
  if (!manager.shutting_down() || was_shutting_down_) return;
  if (const auto* request = as<core::ShutdownRequest>(event)) {
    if (manager.exit_code() != request->exit_code) fail("the shutdown has another exit code");
    return;
  }
  for (const core::Action& action : actions) {
    const auto* note = std::get_if<core::Note>(&action);
    if (note != nullptr && begins_shutdown(manager, *note)) return;
  }
  fail("a shutdown began that nobody asked for");
}

void Oracle::published(const ModelRegion& region, std::span<const UnitIndex> units,
                       const ModelKeeper& keeper) {
  for (const UnitIndex unit : units) {
    const UnitRecord& record = *region.records[unit.value];
    jobs_.committed(unit, record);
    order_.told().committed(unit);
    judge_record(unit, record, keeper);
  }
  jobs_.all_committed(region.last_job);
}

void Oracle::published_whole(const core::Supervisor& manager, const ModelRegion& region) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    order_.told().committed({i});
    if (!region.records[i].has_value() || *region.records[i] != manager.record({i})) {
      fail({i}, "its record changed without being among the changed ones");
    }
  }
}

void Oracle::judge_record(UnitIndex unit, const UnitRecord& record, const ModelKeeper& keeper) {
  const Truth& truth = keeper.truth(unit);
  Rate& rate = rates_[unit.value];
  if (record.exits > truth.reaped + truth.reaped_successors) {
    fail(unit, "an exit was counted twice");
  }
  if (record.exits < rate.exits) fail(unit, "an exit was uncounted");
  rate.exits = record.exits;
  if (record.exit_attempt == truth.last_reaped && record.exit_attempt.value != 0) {
    const core::LastExit& how = record.last_exit;
    if (how.kind != truth.last_how.kind || how.value != truth.last_how.value) {
      fail(unit, "an exit was recorded otherwise than it happened");
    }
  }
  const bool by_stop_signal =
      record.last_exit.kind == ExitKind::signal && record.last_exit.value == set_[unit].stop.signal;
  if (!(by_stop_signal && record.last_exit.clean) &&  // it may have been asked for
      record.last_exit.clean != should_be_clean(set_[unit], record.last_exit)) {
    fail(unit, "an end was judged wrongly");
  }
  if (record.pid != 0) {
    const auto& children = keeper.children();
    const bool own = std::ranges::any_of(children, [&](const Child& child) {
      return child.unit == unit && is_main(child.role) && child.pid == record.pid;
    });
    if (!own) fail(unit, "its pid is not its own");
  }
  judge_end_of_run(unit, record);
  judge_rate(unit, record);
}

void Oracle::judge_end_of_run(UnitIndex unit, const UnitRecord& record) {
  const UnitSpec& spec = set_[unit];
  if (record.state == UnitState::failed && starts_on_connection(spec)) {
    if (record.started.ns == 0) return;  // it never came to more than to listen
    const uint32_t most = spec.descriptors->trigger_limit;
    if (record.cause == Cause::rate_limited && most != 0 && record.trigger_count >= most) return;
  }
  if (record.state == UnitState::exited && starts_on_connection(spec) && !spec.remain_after_exit) {
    fail(unit, "it exited, but should listen again");
  }
  if (record.state == UnitState::failed && record.cause == Cause::rate_limited) {
    if (spec.restart.limit == 0) fail(unit, "it has no rate to be limited");
    if (record.window_count < spec.restart.limit) fail(unit, "its rate was below its limit");
    return;
  }
  if (is_beyond_policy(record.cause)) return;
  const std::optional<bool> again = should_restart(spec, record, record.cause);
  if (record.state == UnitState::backoff) {
    if (again == false) fail(unit, "it is restarted against its policy");
  } else if (record.state == UnitState::exited) {
    if (!record.last_exit.clean) fail(unit, "it exited, but should have failed");
    if (again == true) fail(unit, "it exited, but should be restarted");
  } else if (record.state == UnitState::failed) {
    if (again == true) fail(unit, "it failed, but should be restarted");
    if (ended_cleanly(spec, record)) {
      fail(unit, "it failed, but should have exited");
    }
  }
}

/// Once, as it begins: a reset may change the counts later on.
void Oracle::judge_backoff(UnitIndex unit, const UnitRecord& record) {
  if (record.state != UnitState::backoff || rates_[unit.value].backoff == record.since) return;
  rates_[unit.value].backoff = record.since;
  const RestartSpec& spec = set_[unit].restart;
  double expected = static_cast<double>(spec.delay.count());
  for (uint32_t i = 1; i < record.failures; ++i) {
    expected = std::min(expected * spec.factor, static_cast<double>(spec.max_delay.count()));
  }
  expected = std::min(expected, static_cast<double>(spec.max_delay.count()));
  const double delay = static_cast<double>((record.deadline - record.since).count());
  const double slack = expected * spec.jitter + 2;
  if (std::abs(delay - expected) > slack) fail(unit, "its restart delay is not as specified");
}

void Oracle::judge_rate(UnitIndex unit, const UnitRecord& record) {
  const RestartSpec& spec = set_[unit].restart;
  Rate& rate = rates_[unit.value];
  if (record.restarts < rate.counted) fail(unit, "a restart was uncounted");
  for (; rate.counted < record.restarts; ++rate.counted)
    rate.restarts.push_back(record.since);
  if (record.window_count == 0) rate.restarts.clear();
  if (spec.limit == 0) return rate.restarts.clear();
  while (!rate.restarts.empty() && record.since - rate.restarts.front() >= spec.limit_interval) {
    rate.restarts.erase(rate.restarts.begin());
  }
  // Windows follow each other, so an interval can touch two; and the first restart in it may have
  // been decided before it began.
  if (rate.restarts.size() > 2 * spec.limit + 1) fail(unit, "it is restarted too often");
}

/// Of those that were to take the place of the main process some have.
void Oracle::judge_exits(UnitIndex unit, const UnitRecord& record, const ModelKeeper& keeper) {
  const Truth& truth = keeper.truth(unit);
  if (record.exits < truth.reaped) fail(unit, "an exit was not counted");
  if (record.exits > truth.reaped + truth.reaped_successors) fail(unit, "an exit was made up");
}

void Oracle::converged(const core::Supervisor& manager, const ModelKeeper& keeper) {
  judge_rest(set_, manager, verdict_);
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    judge_exits({i}, record, keeper);
    const bool has_process = std::ranges::any_of(keeper.children(), [&](const Child& child) {
      return child.unit.value == i && is_main(child.role) && child.attempt == record.attempt &&
             child.phase == Phase::running;
    });
    const bool needs_process =
        record.state == UnitState::running && set_[{i}].type != ServiceType::group;
    if (needs_process && !has_process) fail({i}, "it should run and has no process");
  }
  for (const Child& child : keeper.children()) {
    if (child.role == core::Role::health_check) continue;  // may be under way at any time
    const UnitRecord& record = manager.record(child.unit);
    if (child.phase == Phase::over) fail(child.unit, "an end was never acknowledged");
    const bool taken_over = child.superseded || child.adopted_by.value != 0;
    if (taken_over && child.phase == Phase::lingering) continue;
    if (record.state != UnitState::running || record.attempt != child.attempt) {
      fail(child.unit, "a process runs that nobody knows of");
    }
  }
  for (const Stray& stray : keeper.strays())
    fail(stray.unit, "a daemon runs that nobody knows of");
  if (!manager.shutting_down() && !manager.settled()) fail("the initial units never settled");
}

void Oracle::ended(const core::EndDaemon& end, const core::Supervisor& manager,
                   const ModelKeeper& keeper, Instant now) {
  if (order_.hurried() && now >= order_.last_moment()) return;
  if (end.exit_code != manager.exit_code()) fail("the daemon ends with another code");
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    if (!core::at_rest(record.state)) fail({i}, "the daemon ends before it is at rest");
    judge_exits({i}, record, keeper);
    if (record.job_verb != Verb::none) fail({i}, "a job never finished");
    const bool remains = set_[{i}].type == ServiceType::oneshot && set_[{i}].remain_after_exit;
    if (!remains) hooks_.ended({i});
  }
  for (const Child& child : keeper.children()) {
    if (child.phase != Phase::over) fail(child.unit, "the daemon leaves a process behind");
  }
  for (const Stray& stray : keeper.strays())
    fail(stray.unit, "foster leaves a daemon behind");
}

}  // namespace foster::sim
