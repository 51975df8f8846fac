#include "daemon/core/ledger.hpp"

#include <algorithm>
#include <utility>

#include "common/check.hpp"

namespace foster::core {

Ledger::Ledger(std::shared_ptr<const UnitSet> set)
    : set_(std::move(set)),
      records_(set_->size()),
      deadlines_(set_->size()),
      is_changed_(set_->size(), 0),
      is_unsettled_(set_->size(), 0) {
  changed_.reserve(set_->size());
}

UnitRecord& Ledger::change(UnitIndex unit) {
  mark(unit);
  return records_[unit.value];
}

void Ledger::adopt(UnitIndex unit, UnitRecord record) {
  mark(unit);
  UnitRecord& mine = records_[unit.value];
  if (!at_rest(mine.state)) --active_count_;
  mine = std::move(record);
  if (!at_rest(mine.state)) ++active_count_;
  set_deadline(unit, mine.deadline);
}

void Ledger::enter(UnitIndex unit, UnitState state, Cause cause, const Turn& turn) {
  UnitRecord& record = change(unit);
  if (!at_rest(record.state)) --active_count_;
  if (!at_rest(state)) ++active_count_;
  if (record.deadline.ns != 0) set_deadline(unit, {});
  record.state = state;
  record.cause = cause;
  record.since = turn.now;
  record.killed = false;
  if (settled_in(unit, state)) settle(unit);
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

void Ledger::set_deadline(UnitIndex unit, Instant at) {
  change(unit).deadline = at;
  if (at.ns != 0) {
    deadlines_.set(unit, at);
  } else {
    deadlines_.clear(unit);
  }
}

void Ledger::await_settling(UnitIndex unit) {
  if (is_unsettled_[unit.value] != 0 || settled_in(unit, records_[unit.value].state)) return;
  is_unsettled_[unit.value] = 1;
  ++unsettled_count_;
}

void Ledger::settle(UnitIndex unit) {
  if (is_unsettled_[unit.value] == 0) return;
  is_unsettled_[unit.value] = 0;
  --unsettled_count_;
}

void Ledger::take_due(Instant now, std::vector<UnitIndex>& due) {
  deadlines_.take_due(now, due);
  for (const UnitIndex unit : due)
    change(unit).deadline = {};
}

std::vector<UnitIndex> Ledger::take_changed() {
  std::vector<UnitIndex> taken = std::exchange(changed_, {});
  std::ranges::sort(taken);
  for (const UnitIndex unit : taken)
    is_changed_[unit.value] = 0;
  return taken;
}

bool Ledger::settled_in(UnitIndex unit, UnitState state) const {
  switch (state) {
    case UnitState::starting:
    case UnitState::stopping:
      return false;
    case UnitState::running:
      return spec(unit).type == ServiceType::simple;
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
      return true;
  }
  FOSTER_CHECK(false);
}

void Ledger::mark(UnitIndex unit) {
  if (is_changed_[unit.value] != 0) return;
  is_changed_[unit.value] = 1;
  changed_.push_back(unit);
}

}  // namespace foster::core
