#include "daemon/core/ledger.hpp"

#include <algorithm>
#include <utility>

#include "common/check.hpp"

namespace foster::core {
namespace {

void leave_state(UnitRecord& record, UnitState next) {
  record.deadline = {};
  record.killed = false;
  record.step = Step::none;
  if (next == UnitState::running) return;  // of a oneshot: its start goes on
  record.start_deadline = {};
  record.check_next = {};
  record.watchdog_deadline = {};
  record.runtime_deadline = {};
  record.health = Health::none;
}

}  // namespace

Instant next_due(const UnitRecord& record) {
  Instant earliest;
  const auto consider = [&earliest](Instant at) {
    if (at.ns != 0 && (earliest.ns == 0 || at < earliest)) earliest = at;
  };
  consider(record.deadline);
  consider(record.start_deadline);
  consider(record.watchdog_deadline);
  consider(record.runtime_deadline);
  consider(record.check_next);
  consider(record.hook.deadline);
  consider(record.check.deadline);
  consider(record.successor.deadline);
  consider(record.former.deadline);
  return earliest;
}

Ledger::Ledger(std::shared_ptr<const UnitSet> set)
    : set_(std::move(set)),
      records_(set_->size()),
      deadlines_(set_->size()),
      marks_(set_->size(), 0) {
  changed_.reserve(set_->size());
}

UnitRecord& Ledger::change(UnitIndex unit) {
  mark(unit, kChanged, changed_);
  mark(unit, kTouched, touched_);
  return records_[unit.value];
}

void Ledger::adopt(UnitIndex unit, UnitRecord record) {
  UnitRecord& mine = change(unit);
  if (!at_rest(mine.state)) --active_count_;
  mine = std::move(record);
  if (!at_rest(mine.state)) ++active_count_;
}

void Ledger::enter(UnitIndex unit, UnitState state, Cause cause, const Turn& turn,
                   uint32_t blocker) {
  UnitRecord& record = change(unit);
  if (!at_rest(record.state)) --active_count_;
  if (!at_rest(state)) ++active_count_;
  leave_state(record, state);
  record.state = state;
  record.cause = cause;
  record.blocker = blocker;
  record.since = turn.now;
  if (settled_in(unit, state)) settle(unit);
  move(unit);
  turn.actions.emplace_back(Note{.kind = NoteKind::state,
                                 .unit = unit,
                                 .state = state,
                                 .cause = cause,
                                 .exit_kind = record.last_exit.kind,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .value = record.last_exit.value,
                                 .text = record.detail});
}

void Ledger::await_settling(UnitIndex unit) {
  uint8_t& marks = marks_[unit.value];
  if ((marks & kUnsettled) != 0 || settled_in(unit, records_[unit.value].state)) return;
  marks |= kUnsettled;
  ++unsettled_count_;
}

void Ledger::settle(UnitIndex unit) {
  uint8_t& marks = marks_[unit.value];
  if ((marks & kUnsettled) == 0) return;
  marks &= static_cast<uint8_t>(~kUnsettled);
  --unsettled_count_;
}

void Ledger::move(UnitIndex unit) {
  mark(unit, kMoved, moved_);
}

void Ledger::take_moved(std::vector<UnitIndex>& moved) {
  moved.clear();
  moved.swap(moved_);
  std::ranges::sort(moved);
  unmark(moved, kMoved);
}

void Ledger::rearm(std::vector<UnitIndex>& touched) {
  touched.clear();
  touched.swap(touched_);
  unmark(touched, kTouched);
  for (const UnitIndex unit : touched)
    deadlines_.set(unit, next_due(record(unit)));
}

void Ledger::take_due(Instant now, std::vector<UnitIndex>& due) {
  deadlines_.take_due(now, due);
  for (const UnitIndex unit : due)
    mark(unit, kTouched, touched_);
}

std::vector<UnitIndex> Ledger::take_changed() {
  std::vector<UnitIndex> taken = std::exchange(changed_, {});
  std::ranges::sort(taken);
  unmark(taken, kChanged);
  return taken;
}

bool Ledger::settled_in(UnitIndex unit, UnitState state) const {
  switch (state) {
    case UnitState::starting:
    case UnitState::stopping:
    case UnitState::waiting:  // until its blocker has shown that it will be long in coming
      return false;
    case UnitState::running:
      return spec(unit).type != ServiceType::oneshot;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return true;
    case UnitState::listening:
      return records_[unit.value].ready;
  }
  FOSTER_CHECK(false);
}

void Ledger::mark(UnitIndex unit, Mark mark, std::vector<UnitIndex>& list) {
  uint8_t& marks = marks_[unit.value];
  if ((marks & mark) != 0) return;
  marks |= mark;
  list.push_back(unit);
}

void Ledger::unmark(const std::vector<UnitIndex>& units, Mark mark) {
  for (const UnitIndex unit : units)
    marks_[unit.value] &= static_cast<uint8_t>(~mark);
}

}  // namespace foster::core
