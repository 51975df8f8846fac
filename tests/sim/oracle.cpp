#include "tests/sim/oracle.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>

#include "daemon/core/invariants.hpp"

namespace foster::sim {

using core::Cause;
using core::ExitKind;
using core::Goal;
using core::JobResult;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

namespace {

template <class T>
const T* as(const core::Event* event) {
  return event == nullptr ? nullptr : std::get_if<T>(event);
}

bool should_be_clean(const UnitSpec& spec, const core::LastExit& end) {
  return end.kind == ExitKind::code && std::ranges::count(spec.success_exit_codes, end.value) > 0;
}

/// 128 + signal, as a shell has it; what could not be executed is 127 or 126.
int shell_code(const core::LastExit& end) {
  if (end.kind == ExitKind::code) return end.value;
  if (end.kind == ExitKind::spawn) return end.value == ENOENT ? 127 : 126;
  return 128 + end.value;
}

}  // namespace

Oracle::Oracle(const UnitSet& set) : set_(set), rates_(set.size()) {
  committed_.units.resize(set.size());
  pending_ = committed_;
}

void Oracle::fail(std::string_view what) {
  if (violation_.empty()) violation_ = what;
}

void Oracle::fail(UnitIndex unit, std::string_view what) {
  fail(set_[unit].name + ": " + std::string(what));
}

void Oracle::manager_began(const core::Supervisor& manager) {
  settled_ = false;
  was_shutting_down_ = manager.shutting_down();
}

void Oracle::region_lost() {
  committed_ = {std::vector<UnitCount>(set_.size()), {}};
  pending_ = committed_;
  rates_.assign(set_.size(), {});
}

void Oracle::handled(const core::Supervisor& manager, const core::Event* event,
                     std::span<const core::Action> actions, Instant now) {
  for (const core::Action& action : actions)
    judge_action(manager, event, action, now);
  std::optional<Instant> earliest;
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    const char* broken = core::broken_invariant(set_[{i}], record);
    if (broken != nullptr) fail({i}, broken);
    judge_jobs({i}, record, event, actions);
    if (record.deadline.ns == 0) continue;
    if (!earliest.has_value() || record.deadline < *earliest) earliest = record.deadline;
  }
  if (earliest != manager.next_deadline()) fail("the next deadline is not the earliest one");
  if (manager.last_job() < pending_.highest_job) fail("a job was given a number above the last");
  judge_shutdown(manager, event);
  was_shutting_down_ = manager.shutting_down();
}

void Oracle::judge_jobs(UnitIndex unit, const UnitRecord& record, const core::Event* event,
                        std::span<const core::Action> actions) {
  UnitCount& count = pending_.units[unit.value];
  // What may be open after this event, or have ended in it: the job before it, those it brought.
  std::vector<std::pair<JobId, Verb>> under_way;
  if (count.open.value != 0) under_way.emplace_back(count.open, count.open_verb);
  const auto* request = as<core::Request>(event);
  const auto* reply =
      request == nullptr || actions.empty() ? nullptr : std::get_if<core::Reply>(&actions.back());
  if (request != nullptr && reply == nullptr) return fail("a request led to no reply");
  if (reply != nullptr) {
    for (const core::JobRef& job : reply->jobs) {
      if (job.unit != unit) continue;
      if (std::ranges::count(under_way, job.job, &std::pair<JobId, Verb>::first) > 0) continue;
      if (job.job <= committed_.highest_job) fail(unit, "a job's number was given out twice");
      pending_.highest_job = std::max(pending_.highest_job, job.job);
      under_way.emplace_back(job.job, request->verb);
    }
  }
  for (const core::JobOutcome& outcome : record.job_outcomes) {
    if (outcome.job == count.newest_finished) break;
    const auto found = std::ranges::find(under_way, outcome.job, &std::pair<JobId, Verb>::first);
    if (found == under_way.end()) return fail(unit, "a job finished that was not under way");
    judge_outcome(unit, record, found->second, outcome.result);
    under_way.erase(found);
  }
  count.newest_finished = record.job_outcomes[0].job;
  if (record.job_verb == Verb::none) {
    if (!under_way.empty()) fail(unit, "a job was lost");
    count.open = {};
    count.open_verb = Verb::none;
    return;
  }
  if (under_way.size() != 1 || under_way[0].first != record.job) {
    return fail(unit, "the job under way is not the one that was accepted");
  }
  count.open = record.job;
  count.open_verb = record.job_verb;
  if (under_way[0].second != record.job_verb) fail(unit, "a job changed its verb");
}

void Oracle::judge_outcome(UnitIndex unit, const UnitRecord& record, Verb verb, JobResult result) {
  const bool oneshot = set_[unit].type == ServiceType::oneshot;
  switch (result) {
    case JobResult::none:
      return fail(unit, "a job finished without a result");
    case JobResult::superseded:
      return;
    case JobResult::failed:
      if (verb == Verb::stop) fail(unit, "a stop failed");
      if (record.last_exit.clean) fail(unit, "a start failed though the end was clean");
      return;
    case JobResult::done:
      break;
  }
  if (verb == Verb::stop) {
    if (!core::at_rest(record.state)) fail(unit, "a stop is done before the unit is at rest");
  } else if (oneshot) {
    if (record.state != UnitState::exited) fail(unit, "a oneshot's start is done too early");
  } else if (record.state != UnitState::running && !record.last_exit.clean) {
    fail(unit, "a start is done without the unit having run");
  }
}

void Oracle::judge_action(const core::Supervisor& manager, const core::Event* event,
                          const core::Action& action, Instant now) {
  if (const auto* spawn = std::get_if<core::Spawn>(&action)) return judge_spawn(manager, *spawn);
  if (const auto* kill = std::get_if<core::Kill>(&action)) {
    return judge_kill(manager, event, *kill, now);
  }
  if (const auto* reply = std::get_if<core::Reply>(&action)) {
    return judge_reply(manager, event, *reply);
  }
  if (std::holds_alternative<core::InitialUnitsSettled>(action)) {
    if (settled_) fail("the initial units settled twice");
    settled_ = true;
  }
}

void Oracle::judge_spawn(const core::Supervisor& manager, const core::Spawn& spawn) {
  const UnitRecord& record = manager.record(spawn.unit);
  if (was_shutting_down_) fail(spawn.unit, "it was started during a shutdown");
  if (record.goal != Goal::up) fail(spawn.unit, "it was started though it is wanted down");
  if (record.attempt != spawn.attempt || record.state != UnitState::starting) {
    fail(spawn.unit, "it was started without its record saying so");
  }
}

void Oracle::judge_kill(const core::Supervisor& manager, const core::Event* event,
                        const core::Kill& kill, Instant now) {
  const UnitRecord& record = manager.record(kill.unit);
  const StopSpec& stop = set_[kill.unit].stop;
  if (kill.attempt != record.attempt) fail(kill.unit, "a signal was sent to an old attempt");
  if (as<core::SignalRequest>(event) != nullptr) return;
  if (record.state != UnitState::stopping) fail(kill.unit, "it is killed but not stopping");
  if (kill.signal == stop.signal && event != nullptr) {
    if (!kill.with_continue && kill.signal != SIGKILL)
      fail(kill.unit, "a stopped process cannot take its stop signal");
    if (!kill.group && stop.scope == SignalScope::group) fail(kill.unit, "the group is spared");
    return;
  }
  if (kill.signal != SIGKILL) return fail(kill.unit, "it is sent a signal that nobody asked for");
  if (!kill.group) fail(kill.unit, "SIGKILL spares the group");
  const bool due = now >= record.since + stop.timeout;
  const bool hurried = as<core::ShutdownRequest>(event) != nullptr && was_shutting_down_;
  const bool repeated = as<core::Begin>(event) != nullptr && record.killed;
  if (!hurried && !repeated && !(due && event == nullptr)) fail(kill.unit, "SIGKILL is premature");
}

void Oracle::judge_reply(const core::Supervisor& manager, const core::Event* event,
                         const core::Reply& reply) {
  if (const auto* request = as<core::Request>(event)) {
    const bool refuse = was_shutting_down_ && request->verb != Verb::stop;
    if (reply.token != request->token) fail("a reply has another request's token");
    if (refuse != (reply.refusal == core::Refusal::shutting_down)) {
      fail("a request was refused wrongly, or not refused");
    }
    if (!refuse && reply.jobs.size() != request->units.size()) fail("a request's unit got no job");
    return;
  }
  const auto* request = as<core::SignalRequest>(event);
  if (request == nullptr) return fail("a reply to nothing");
  bool runs = true;
  for (const UnitIndex unit : request->units)
    runs = runs && manager.record(unit).pid != 0;
  if (runs != (reply.refusal == core::Refusal::none)) fail("a signal was refused wrongly");
}

void Oracle::judge_shutdown(const core::Supervisor& manager, const core::Event* event) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    const bool gone = record.state == UnitState::exited || record.state == UnitState::failed;
    if (!manager.shutting_down()) {
      if (gone && set_[{i}].essential) fail({i}, "essential, gone, and the daemon goes on");
    } else if (record.goal != Goal::down) {
      fail({i}, "it is wanted up in a shutdown");
    }
  }
  if (!manager.shutting_down() || was_shutting_down_) return;
  if (const auto* request = as<core::ShutdownRequest>(event)) {
    if (manager.exit_code() != request->exit_code) fail("the shutdown has another exit code");
    return;
  }
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    const bool gone = record.state == UnitState::exited || record.state == UnitState::failed;
    if (!gone || !set_[{i}].essential) continue;
    if (manager.exit_code() == shell_code(record.last_exit)) return;
  }
  fail("a shutdown began that nobody asked for");
}

void Oracle::published(const ModelRegion& region, std::span<const UnitIndex> units,
                       const ModelKeeper& keeper) {
  for (const UnitIndex unit : units) {
    const UnitRecord& record = *region.records[unit.value];
    committed_.units[unit.value] = pending_.units[unit.value];
    committed_.highest_job =
        std::max({committed_.highest_job, record.job, record.job_outcomes[0].job});
    judge_record(unit, record, keeper);
  }
  committed_.highest_job = std::max(committed_.highest_job, region.last_job);
}

void Oracle::published_whole(const core::Supervisor& manager, const ModelRegion& region) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    if (!region.records[i].has_value() || *region.records[i] != manager.record({i})) {
      fail({i}, "its record changed without being among the changed ones");
    }
  }
}

void Oracle::judge_record(UnitIndex unit, const UnitRecord& record, const ModelKeeper& keeper) {
  const Truth& truth = keeper.truth(unit);
  Rate& rate = rates_[unit.value];
  if (record.exits > truth.reaped) fail(unit, "an exit was counted twice");
  if (record.exits < rate.exits) fail(unit, "an exit was uncounted");
  rate.exits = record.exits;
  if (record.exit_attempt == truth.last_reaped && record.exit_attempt.value != 0) {
    const core::LastExit& how = record.last_exit;
    if (how.kind != truth.last_how.kind || how.value != truth.last_how.value) {
      fail(unit, "an exit was recorded otherwise than it happened");
    }
  }
  if (record.last_exit.clean != should_be_clean(set_[unit], record.last_exit)) {
    fail(unit, "an end was judged wrongly");
  }
  if (record.pid != 0) {
    const auto& children = keeper.children();
    const auto child = std::ranges::find(children, record.attempt, &Child::attempt);
    if (child == children.end() || child->pid != record.pid) fail(unit, "its pid is not its own");
  }
  judge_end_of_attempts(unit, record);
  judge_rate(unit, record);
}

void Oracle::judge_end_of_attempts(UnitIndex unit, const UnitRecord& record) {
  const UnitSpec& spec = set_[unit];
  const bool clean = record.last_exit.clean;
  const bool again = spec.restart.policy == RestartPolicy::always
                         ? !(clean && spec.type == ServiceType::oneshot)
                         : spec.restart.policy == RestartPolicy::on_failure && !clean;
  if (record.state == UnitState::backoff) {
    if (!again) fail(unit, "it is restarted against its policy");
    judge_backoff(unit, record);
  } else if (record.state == UnitState::exited) {
    if (!clean || again) fail(unit, "it exited, but should be restarted or have failed");
  } else if (record.state == UnitState::failed && record.cause == Cause::rate_limited) {
    if (!again || spec.restart.limit == 0) fail(unit, "it has no rate to be limited");
    if (record.window_count < spec.restart.limit) fail(unit, "its rate was below its limit");
  } else if (record.state == UnitState::failed) {
    if (clean || again) fail(unit, "it failed, but should be restarted or have exited");
  }
}

void Oracle::judge_backoff(UnitIndex unit, const UnitRecord& record) {
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
    rate.restarts.push_back(record.started);
  if (record.failures == 0 && record.window_count == 0) rate.restarts.clear();
  if (spec.limit == 0) return rate.restarts.clear();
  while (!rate.restarts.empty() && record.started - rate.restarts.front() >= spec.limit_interval) {
    rate.restarts.erase(rate.restarts.begin());
  }
  // Windows follow each other, so an interval can touch two; and the first restart in it may have
  // been decided before it began.
  if (rate.restarts.size() > 2 * spec.limit + 1) fail(unit, "it is restarted too often");
}

void Oracle::replied(const core::Reply& reply) {
  if (answered_.size() <= reply.token) answered_.resize(2 * reply.token + 64, 0);
  if (answered_[reply.token] != 0) fail("a request was answered twice");
  answered_[reply.token] = 1;
}

void Oracle::turn_done(std::span<const uint64_t> tokens) {
  for (const uint64_t token : tokens) {
    if (token >= answered_.size() || answered_[token] == 0) fail("a request was not answered");
  }
}

void Oracle::converged(const core::Supervisor& manager, const ModelKeeper& keeper) {
  size_t living = 0;
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    if (record.exits != keeper.truth({i}).reaped) fail({i}, "an exit was not counted");
    if (record.job_verb != Verb::none) fail({i}, "a job never finished");
    if (record.state == UnitState::running) ++living;
    if (record.state != UnitState::running && !core::at_rest(record.state)) {
      fail({i}, "it never came to where it should be");
    }
    if (record.state == UnitState::running && set_[{i}].type == ServiceType::oneshot) {
      fail({i}, "a oneshot never ended");
    }
  }
  for (const Child& child : keeper.children()) {
    const UnitRecord& record = manager.record(child.unit);
    if (child.phase == Phase::over) fail(child.unit, "an end was never acknowledged");
    if (record.state != UnitState::running || record.attempt != child.attempt) {
      fail(child.unit, "a process runs that nobody knows of");
    }
  }
  if (living != keeper.children().size()) fail("a unit that should run has no process");
  if (!manager.shutting_down() && !manager.settled()) fail("the initial units never settled");
}

void Oracle::ended(const core::EndDaemon& end, const core::Supervisor& manager,
                   const ModelKeeper& keeper) {
  if (end.exit_code != manager.exit_code()) fail("the daemon ends with another code");
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitRecord& record = manager.record({i});
    if (!core::at_rest(record.state)) fail({i}, "the daemon ends before it is at rest");
    if (record.exits != keeper.truth({i}).reaped) fail({i}, "an exit was not counted");
    if (record.job_verb != Verb::none) fail({i}, "a job never finished");
  }
  for (const Child& child : keeper.children()) {
    if (child.phase != Phase::over) fail(child.unit, "the daemon leaves a process behind");
  }
}

}  // namespace foster::sim
