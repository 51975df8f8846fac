#include "tests/sim/rest_oracle.hpp"

#include <algorithm>
#include <string>

#include "daemon/core/restart_policy.hpp"

namespace foster::sim {

using core::Cause;
using core::Goal;
using core::UnitRecord;
using core::UnitState;

namespace {

class RestJudge {
 public:
  RestJudge(const UnitSet& set, const core::Supervisor& manager, Verdict& verdict)
      : set_(set), manager_(manager), verdict_(verdict) {}

  void unit(UnitIndex unit);

 private:
  void running(UnitIndex unit);
  void beside(UnitIndex unit);
  void waiting(UnitIndex unit);
  void failed(UnitIndex unit);
  [[nodiscard]] bool holds_back(const Edge& edge) const;
  [[nodiscard]] bool has_failed(const Edge& edge) const;
  [[nodiscard]] bool is_up(UnitIndex unit) const {
    return counts_as_up(set_[unit], manager_.record(unit));
  }

  const UnitSet& set_;
  const core::Supervisor& manager_;
  Verdict& verdict_;
};

void RestJudge::unit(UnitIndex unit) {
  const UnitRecord& record = manager_.record(unit);
  if (record.job_verb != core::Verb::none && record.state != UnitState::waiting) {
    verdict_.fail(unit, "a job never finished");
  }
  if (record.hook.attempt.value != 0) verdict_.fail(unit, "a hook never ended");
  const bool overlaps = record.successor.attempt.value != 0 || record.former.attempt.value != 0;
  if (overlaps || record.step == core::Step::overlap) {
    verdict_.fail(unit, "an overlapped restart never ended");
  }
  if (record.goal == Goal::down) {
    if (!core::at_rest(record.state)) verdict_.fail(unit, "it is wanted down and never got there");
    return;
  }
  switch (record.state) {
    case UnitState::running:
      return running(unit);
    case UnitState::waiting:
      return waiting(unit);
    case UnitState::failed:
      return failed(unit);
    case UnitState::stopped:
      if (!record.masked) verdict_.fail(unit, "it is wanted up and was left stopped");
      return;
    case UnitState::exited:
    case UnitState::skipped:
      return;
    case UnitState::listening:
      return beside(unit);
    case UnitState::starting:
    case UnitState::stopping:
    case UnitState::backoff:
      return verdict_.fail(unit, "it never came to where it should be");
  }
}

void RestJudge::running(UnitIndex unit) {
  if (set_[unit].type == ServiceType::oneshot) verdict_.fail(unit, "a oneshot never ended");
  beside(unit);
  for (const Edge& edge : set_.graph().needs(unit)) {
    const UnitRecord& other = manager_.record(edge.to);
    const std::string name = set_[edge.to].name;
    switch (edge.kind) {
      case EdgeKind::requires_unit: {
        // What ended by itself and cleanly stops nobody. Nor does a masked group of which nothing
        // is known any more, because the region was lost.
        const bool forgotten = other.masked && other.cause == core::Cause::none;
        const bool kept = is_up(edge.to) || forgotten || other.state == UnitState::exited ||
                          other.state == UnitState::skipped;
        if (!kept) verdict_.fail(unit, "it runs without what it requires: " + name);
        break;
      }
      case EdgeKind::binds_to:
        if (!is_up(edge.to)) verdict_.fail(unit, "it runs without what it is bound to: " + name);
        break;
      case EdgeKind::conflicts:
      case EdgeKind::wants:
      case EdgeKind::completed:
      case EdgeKind::after:
      case EdgeKind::part_of:
        break;
    }
  }
}

void RestJudge::beside(UnitIndex unit) {
  for (const Edge& edge : set_.graph().needs(unit)) {
    const UnitRecord& other = manager_.record(edge.to);
    const bool there =
        !core::at_rest(other.state) && other.goal == Goal::up && other.state != UnitState::waiting;
    if (edge.kind != EdgeKind::conflicts || !there) continue;
    verdict_.fail(unit, "it is up beside what it conflicts with: " + set_[edge.to].name);
  }
}

/// Whether the unit at the other end is a reason to wait for ever.
bool RestJudge::holds_back(const Edge& edge) const {
  const UnitRecord& other = manager_.record(edge.to);
  const bool waits = other.state == UnitState::waiting && other.goal == Goal::up;
  switch (edge.kind) {
    case EdgeKind::requires_unit:
      return !is_up(edge.to) && other.state != UnitState::skipped;
    case EdgeKind::binds_to:
      return !is_up(edge.to);
    case EdgeKind::completed:
      return other.state != UnitState::exited && other.state != UnitState::skipped;
    case EdgeKind::after:
      return waits;
    case EdgeKind::conflicts:
      return !core::at_rest(other.state);
    case EdgeKind::wants:
    case EdgeKind::part_of:
      return false;
  }
  return false;
}

void RestJudge::waiting(UnitIndex unit) {
  const UnitRecord& record = manager_.record(unit);
  if (record.blocker == 0) return verdict_.fail(unit, "it waits for nobody");
  const UnitIndex blocker{record.blocker - 1};
  bool held_back = false;
  for (const Edge& edge : set_.graph().needs(unit))
    held_back = held_back || (edge.to == blocker && holds_back(edge));
  if (!held_back) verdict_.fail(unit, "it waits though nothing is in its way");
  const bool failed = std::ranges::any_of(set_.graph().needs(unit), [&](const Edge& edge) {
    return edge.to == blocker && has_failed(edge);
  });
  if (failed) verdict_.fail(unit, "it waits for what has failed: " + set_[blocker].name);
}

bool RestJudge::has_failed(const Edge& edge) const {
  if (edge.kind != EdgeKind::requires_unit && edge.kind != EdgeKind::binds_to &&
      edge.kind != EdgeKind::completed) {
    return false;
  }
  const UnitRecord& other = manager_.record(edge.to);
  return other.state == UnitState::failed && other.goal == Goal::up;
}

void RestJudge::failed(UnitIndex unit) {
  if (manager_.record(unit).cause != Cause::dependency) return;
  for (const Edge& edge : set_.graph().needs(unit)) {
    if (has_failed(edge) || (edge.kind != EdgeKind::after && holds_back(edge))) return;
  }
  verdict_.fail(unit, "what it needs has recovered, and it was left failed");
}

}  // namespace

bool takes_connections(const UnitSpec& spec, const UnitRecord& record) {
  if (!starts_on_connection(spec) || record.goal == Goal::down) return false;
  const bool at_work = record.cause == Cause::connection || core::decided_by_policy(record.cause);
  return record.state == UnitState::listening || record.state == UnitState::starting ||
         record.state == UnitState::running || record.state == UnitState::backoff ||
         ((record.state == UnitState::stopping || record.state == UnitState::waiting) && at_work &&
          !(record.state == UnitState::stopping && record.cause == Cause::connection));
}

bool counts_as_up(const UnitSpec& spec, const UnitRecord& record) {
  if (takes_connections(spec, record)) return true;
  if (spec.type == ServiceType::oneshot) return record.state == UnitState::exited;
  return record.state == UnitState::running;
}

void judge_rest(const UnitSet& set, const core::Supervisor& manager, Verdict& verdict) {
  RestJudge judge(set, manager, verdict);
  for (uint32_t i = 0; i < set.size(); ++i)
    judge.unit({i});
}

}  // namespace foster::sim
