#include "tests/sim/job_oracle.hpp"
#include "daemon/core/readiness.hpp"

#include <algorithm>

#include "tests/sim/rest_oracle.hpp"

namespace foster::sim {

using core::Cause;
using core::JobResult;
using core::Refusal;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

namespace {

constexpr auto kJobOf = &std::pair<JobId, Verb>::first;

/// Whether the unit was, within this event, where a job with this verb leads.
bool was_there_meanwhile(const Judged& judged, UnitIndex unit, Verb verb) {
  const auto is_there = [verb](UnitState state) {
    return verb == Verb::stop ? core::at_rest(state)
                              : state == UnitState::running || state == UnitState::exited ||
                                    state == UnitState::skipped || state == UnitState::listening;
  };
  return std::ranges::any_of(judged.actions, [&](const core::Action& action) {
    const auto* note = std::get_if<core::Note>(&action);
    return note != nullptr && note->unit == unit && note->kind == core::NoteKind::state &&
           is_there(note->state);
  });
}

}  // namespace

JobOracle::JobOracle(const UnitSet& set, Verdict& verdict)
    : set_(set), verdict_(verdict), up_before_(set.size(), false) {
  committed_.units.resize(set.size());
  pending_ = committed_;
}

void JobOracle::handled(const Judged& judged) {
  for (uint32_t i = 0; i < set_.size(); ++i)
    judge_jobs(judged, {i});
  for (const core::Action& action : judged.actions) {
    if (const auto* reply = std::get_if<core::Reply>(&action)) judge_reply(judged, *reply);
  }
  for (uint32_t i = 0; i < set_.size(); ++i)
    up_before_[i] = counts_as_up(set_[{i}], judged.manager.record({i}));
  if (judged.manager.last_job() < pending_.highest_job) {
    verdict_.fail("a job was given a number above the last");
  }
}

/// What may be open after this event, or have ended in it: the job before it, those it brought.
JobOracle::UnderWay JobOracle::jobs_before(const Judged& judged, UnitIndex unit) {
  const UnitCount& count = pending_.units[unit.value];
  UnderWay under_way;
  if (count.open.value != 0) under_way.emplace_back(count.open, count.open_verb);
  const auto* request = as<core::Request>(judged.event);
  if (request == nullptr) return under_way;
  const core::Reply* reply = reply_of(judged);
  if (reply == nullptr) {
    verdict_.fail("a request led to no reply");
    return under_way;
  }
  for (const core::JobRef& job : reply->jobs) {
    if (job.unit != unit || job.job.value == 0) continue;
    if (std::ranges::count(under_way, job.job, kJobOf) > 0) continue;
    if (job.job <= committed_.highest_job) {
      verdict_.fail(unit, "a job's number was given out twice");
    }
    pending_.highest_job = std::max(pending_.highest_job, job.job);
    under_way.emplace_back(job.job, request->verb);
  }
  return under_way;
}

void JobOracle::judge_jobs(const Judged& judged, UnitIndex unit) {
  const UnitRecord& record = judged.manager.record(unit);
  UnitCount& count = pending_.units[unit.value];
  UnderWay under_way = jobs_before(judged, unit);
  for (const core::JobOutcome& outcome : record.job_outcomes) {
    if (outcome.job == count.newest_finished) break;
    const auto found = std::ranges::find(under_way, outcome.job, kJobOf);
    if (found == under_way.end()) {
      return verdict_.fail(unit, "a job finished that was not under way");
    }
    judge_outcome(judged, unit, found->second, outcome.result);
    under_way.erase(found);
  }
  count.newest_finished = record.job_outcomes[0].job;
  count.open = record.job_verb == Verb::none ? JobId{} : record.job;
  count.open_verb = record.job_verb;
  if (record.job_verb == Verb::none) {
    if (!under_way.empty()) verdict_.fail(unit, "a job was lost");
    return;
  }
  if (under_way.size() != 1 || under_way[0].first != record.job) {
    return verdict_.fail(unit, "the job under way is not the one that was accepted");
  }
  if (under_way[0].second != record.job_verb) verdict_.fail(unit, "a job changed its verb");
}

void JobOracle::judge_outcome(const Judged& judged, UnitIndex unit, Verb verb, JobResult result) {
  const UnitRecord& record = judged.manager.record(unit);
  switch (result) {
    case JobResult::none:
      return verdict_.fail(unit, "a job finished without a result");
    case JobResult::superseded:
      return;
    case JobResult::failed:
      return judge_failure(unit, record, verb);
    case JobResult::done:
      // What was up may be asked to be, and then stop for another unit of the same request.
      if (verb != Verb::stop && up_before_[unit.value] && as<core::Request>(judged.event)) return;
      if (verb == Verb::reload && up_before_[unit.value]) return;
      if (!was_there_meanwhile(judged, unit, verb)) judge_success(unit, record, verb);
      return;
  }
}

void JobOracle::judge_failure(UnitIndex unit, const UnitRecord& record, Verb verb) {
  if (verb == Verb::stop || verb == Verb::reset) verdict_.fail(unit, "a stop failed");
  if (verb != Verb::start && verb != Verb::restart && verb != Verb::overlap) return;
  if (record.state == UnitState::exited) {
    verdict_.fail(unit, "a start failed though the end was clean");
  }
}

void JobOracle::judge_success(UnitIndex unit, const UnitRecord& record, Verb verb) {
  switch (verb) {
    case Verb::none:
      return verdict_.fail(unit, "a job without a verb");
    case Verb::stop:
      // At rest, it may be started at once, for what the same request has made fail.
      if (record.cause == Cause::on_failure && record.state == UnitState::starting) return;
      if (!core::at_rest(record.state) && record.state != UnitState::waiting) {
        verdict_.fail(unit, "a stop is done before the unit is at rest");
      }
      return;
    case Verb::reset:
      return;
    case Verb::reload:
      if (record.state != UnitState::running) {
        verdict_.fail(unit, "a reload is done in a unit that does not run");
      }
      return;
    case Verb::start:
    case Verb::restart:
    case Verb::overlap:
      break;
  }
  if (record.state == UnitState::skipped || record.state == UnitState::listening) return;
  // Ended, cleanly, and is restarted by its policy, unless something is in the way of that.
  const bool restarted = record.cause == Cause::exit || record.cause == Cause::masked ||
                         record.cause == Cause::dependency || record.cause == Cause::rate_limited;
  if (restarted && record.last_exit.clean) return;
  if (set_[unit].type == ServiceType::oneshot) {
    if (record.state != UnitState::exited) verdict_.fail(unit, "a oneshot's start is done early");
  } else if (record.state != UnitState::running) {
    verdict_.fail(unit, "a start is done without the unit being up");
  }
}

void JobOracle::judge_reply(const Judged& judged, const core::Reply& reply) {
  if (const auto* request = as<core::Request>(judged.event)) {
    return judge_refusal(judged, *request, reply);
  }
  const auto* request = as<core::SignalRequest>(judged.event);
  if (request == nullptr) return verdict_.fail("a reply to nothing");
  bool runs = true;
  for (const UnitIndex unit : request->units)
    runs = runs && judged.manager.record(unit).pid != 0;
  if (runs != (reply.refusal == Refusal::none)) verdict_.fail("a signal was refused wrongly");
}

void JobOracle::judge_refusal(const Judged& judged, const core::Request& request,
                              const core::Reply& reply) {
  if (reply.token != request.token) verdict_.fail("a reply has another request's token");
  const bool stops = request.verb == Verb::stop || request.verb == Verb::reset;
  const bool shutting_down = judged.was_shutting_down && !stops;
  if (shutting_down != (reply.refusal == Refusal::shutting_down)) {
    verdict_.fail("a request was refused wrongly, or not refused");
  }
  const bool starts = request.verb == Verb::start || request.verb == Verb::restart;
  const bool overlaps = std::ranges::all_of(request.units, [&](UnitIndex unit) {
    const bool fits =
        set_[unit].type == ServiceType::simple || set_[unit].type == ServiceType::notify;
    return fits && !asked_at_an_address(core::ready_kind(set_[unit]));
  });
  if (request.verb == Verb::overlap && !overlaps && reply.refusal == Refusal::none) {
    verdict_.fail("an overlap was not refused where there is none");
  }
  const bool masked = std::ranges::any_of(
      request.units, [&](UnitIndex unit) { return judged.manager.record(unit).masked; });
  if (!shutting_down && starts && masked != (reply.refusal == Refusal::masked)) {
    verdict_.fail("a masked unit's start was not refused, or another one's was");
  }
  if (reply.refusal != Refusal::none) return;
  if (reply.jobs.size() != request.units.size()) verdict_.fail("a request's unit got no job");
}

void JobOracle::committed(UnitIndex unit, const UnitRecord& record) {
  committed_.units[unit.value] = pending_.units[unit.value];
  committed_.highest_job =
      std::max({committed_.highest_job, record.job, record.job_outcomes[0].job});
}

void JobOracle::all_committed(JobId last_job) {
  committed_.highest_job = std::max(committed_.highest_job, last_job);
}

void JobOracle::region_lost() {
  committed_ = {std::vector<UnitCount>(set_.size()), {}};
  pending_ = committed_;
}

void JobOracle::replied(const core::Reply& reply) {
  if (answered_.size() <= reply.token) answered_.resize(2 * reply.token + 64, 0);
  if (answered_[reply.token] != 0) verdict_.fail("a request was answered twice");
  answered_[reply.token] = 1;
}

void JobOracle::turn_done(std::span<const uint64_t> tokens) {
  for (const uint64_t token : tokens) {
    if (token >= answered_.size() || answered_[token] == 0) {
      verdict_.fail("a request was not answered");
    }
  }
}

}  // namespace foster::sim
