#include "tests/sim/goal_oracle.hpp"

#include <algorithm>

namespace foster::sim {

using core::Cause;
using core::Goal;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

namespace {

void mark_named(const UnitSet& set, const std::string& name, std::vector<bool>& marks) {
  if (const std::optional<UnitIndex> unit = set.find(name)) marks[unit->value] = true;
}

bool tells_of_conflict(const core::Action& action) {
  const auto* note = std::get_if<core::Note>(&action);
  return note != nullptr && note->kind == core::NoteKind::state && note->cause == Cause::conflict;
}

}  // namespace

GoalOracle::GoalOracle(const UnitSet& set, Verdict& verdict)
    : set_(set), verdict_(verdict), goals_(set.size(), Goal::down) {}

void GoalOracle::manager_began(const core::Supervisor& manager) {
  last_job_ = manager.last_job();
  for (uint32_t i = 0; i < set_.size(); ++i)
    goals_[i] = manager.record({i}).goal;
}

void GoalOracle::handled(const Judged& judged) {
  const core::Supervisor& manager = judged.manager;
  bool changed = false;
  for (uint32_t i = 0; i < set_.size(); ++i)
    changed = changed || manager.record({i}).goal != goals_[i];
  if (changed && as<core::Begin>(judged.event) == nullptr) {
    const Marks rise = may_rise(judged);
    const Marks fall = may_fall(judged);
    for (uint32_t i = 0; i < set_.size(); ++i) {
      const Goal goal = manager.record({i}).goal;
      if (goal == goals_[i]) continue;
      if (goal == Goal::up && !rise[i]) verdict_.fail({i}, "it is wanted up for no reason");
      if (goal == Goal::down && !fall[i]) verdict_.fail({i}, "it is wanted down for no reason");
    }
  }
  judge_request(judged);
  manager_began(manager);
}

void GoalOracle::judge_request(const Judged& judged) {
  const auto* request = as<core::Request>(judged.event);
  if (request == nullptr || judged.manager.shutting_down()) return;
  const core::Reply* reply = reply_of(judged);
  if (reply == nullptr || reply->refusal != core::Refusal::none) return;
  if (request->verb == Verb::stop) return judge_stop(judged, *reply);
  for (const UnitIndex unit : request->units) {
    const Goal goal = judged.manager.record(unit).goal;
    // Several may conflict with each other, or with what answers a failure of theirs.
    const bool starts = request->verb == Verb::start || request->verb == Verb::restart ||
                        request->verb == Verb::overlap;
    const bool in_conflict =
        request->units.size() > 1 || std::ranges::any_of(judged.actions, tells_of_conflict);
    if (starts && goal == Goal::down && !in_conflict) {
      verdict_.fail(unit, "it was to be started and is wanted down");
    }
  }
}

/// A whole and its parts. A request that joins a stop under way has nothing to add.
void GoalOracle::judge_stop(const Judged& judged, const core::Reply& reply) {
  Marks marks(set_.size(), false);
  for (const core::JobRef& job : reply.jobs)
    marks[job.unit.value] = marks[job.unit.value] || job.job > last_job_;
  mark_parts(marks);
  for (uint32_t i = 0; i < set_.size(); ++i) {
    // What answers a failure of this event is started after all.
    const UnitRecord& record = judged.manager.record({i});
    const bool is_up = record.goal == Goal::up && record.cause != Cause::on_failure;
    if (marks[i] && is_up) verdict_.fail({i}, "it was to be stopped and is wanted up");
  }
}

GoalOracle::Marks GoalOracle::may_rise(const Judged& judged) const {
  Marks marks(set_.size(), false);
  if (judged.was_shutting_down) return marks;
  if (const auto* request = as<core::Request>(judged.event)) {
    const bool restarts = request->verb == Verb::restart || request->verb == Verb::overlap;
    const bool starts = request->verb == Verb::start || restarts;
    for (const UnitIndex unit : request->units)
      marks[unit.value] = starts;
    if (restarts) mark_parts(marks);
  } else if (const auto* timer = as<core::TimerElapsed>(judged.event)) {
    marks[timer->unit.value] = true;
  } else if (const auto* connection = as<core::ConnectionSeen>(judged.event)) {
    marks[connection->unit.value] = true;
  } else if (const auto* change = as<core::MaskChange>(judged.event)) {
    if (!change->masked) marks[change->unit.value] = true;
  }
  mark_answers(judged, marks);
  mark_pulled(marks);
  return marks;
}

/// Units that are started when another one has failed.
void GoalOracle::mark_answers(const Judged& judged, Marks& marks) const {
  for (const core::Action& action : judged.actions) {
    const auto* note = std::get_if<core::Note>(&action);
    if (note == nullptr || note->kind != core::NoteKind::state) continue;
    if (note->state != UnitState::failed) continue;
    const UnitSpec& spec = set_[note->unit];
    if (spec.hooks && spec.hooks->on_failure) mark_named(set_, spec.hooks->on_failure->name, marks);
    if (spec.restart.limit_unit) mark_named(set_, spec.restart.limit_unit->name, marks);
  }
}

GoalOracle::Marks GoalOracle::may_fall(const Judged& judged) const {
  Marks marks(set_.size(), judged.manager.shutting_down());
  const auto* request = as<core::Request>(judged.event);
  if (request != nullptr) {
    // A reset of what has failed gives it up.
    const bool stops = request->verb != Verb::start && request->verb != Verb::reload;
    for (const UnitIndex unit : request->units)
      marks[unit.value] = marks[unit.value] || stops;
  }
  const bool of_many = request != nullptr && request->units.size() > 1;
  for (const Edge& edge : set_.graph().edges()) {
    if (edge.kind != EdgeKind::conflicts) continue;
    const bool won = judged.manager.record(edge.to).goal == Goal::up;
    if (won || of_many) marks[edge.from.value] = true;
  }
  // Whoever has won may have lost to a third one by now.
  for (const core::Action& action : judged.actions) {
    if (tells_of_conflict(action)) marks[std::get<core::Note>(action).unit.value] = true;
  }
  for (uint32_t i = 0; i < set_.size(); ++i) {
    const UnitSpec& spec = set_[{i}];
    const bool gives_up = spec.health && spec.health->action == HealthAction::stop;
    if (gives_up && judged.manager.record({i}).cause == Cause::health) marks[i] = true;
  }
  mark_parts(marks);
  return marks;
}

void GoalOracle::mark_pulled(Marks& marks) const {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Edge& edge : set_.graph().edges()) {
      if (!pulls(edge.kind) || !marks[edge.from.value] || marks[edge.to.value]) continue;
      marks[edge.to.value] = true;
      grown = true;
    }
  }
}

void GoalOracle::mark_parts(Marks& marks) const {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Edge& edge : set_.graph().edges()) {
      const bool part = edge.kind == EdgeKind::part_of;
      if (!part || !marks[edge.to.value] || marks[edge.from.value]) continue;
      marks[edge.from.value] = true;
      grown = true;
    }
  }
}

}  // namespace foster::sim
