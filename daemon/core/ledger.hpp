// Every unit's record, and what must never differ from the records: which of them changed, what
// falls due when, how many units are not at rest, how many have not settled since the start.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/deadlines.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::core {

/// The moment at which something is handled, and where the actions go that follow from it.
struct Turn {
  Instant now;
  int64_t now_real_ns = 0;
  std::vector<Action>& actions;
};

/// The earliest of all that the unit has to be looked at for; {0}: nothing.
[[nodiscard]] Instant next_due(const UnitRecord& record);

class Ledger {
 public:
  explicit Ledger(std::shared_ptr<const UnitSet> set);

  [[nodiscard]] const UnitSet& set() const { return *set_; }
  [[nodiscard]] size_t size() const { return records_.size(); }
  [[nodiscard]] const UnitSpec& spec(UnitIndex unit) const { return (*set_)[unit]; }
  [[nodiscard]] const UnitRecord& record(UnitIndex unit) const { return records_[unit.value]; }

  /// The record to write to; the unit counts as changed. `state` only by `enter`.
  [[nodiscard]] UnitRecord& change(UnitIndex unit);

  /// Takes over a whole record, at recovery.
  void adopt(UnitIndex unit, UnitRecord record);

  /// The unit comes into a state, which ends what belonged to the one before (deadlines, step,
  /// blocker), and is noted.
  void enter(UnitIndex unit, UnitState state, Cause cause, const Turn& turn, uint32_t blocker = 0);

  /// The unit counts among those that the start waits for, until it has shown how it fares.
  void await_settling(UnitIndex unit);
  void settle(UnitIndex unit);
  [[nodiscard]] bool all_settled() const { return unsettled_count_ == 0; }

  /// Others have to be told how this unit is now, though its state may be the old one.
  void move(UnitIndex unit);
  /// Units that came into a state since the last call, each once, in order.
  void take_moved(std::vector<UnitIndex>& moved);

  /// Puts right when the units touched since the last call fall due; `touched` has them after it.
  void rearm(std::vector<UnitIndex>& touched);

  [[nodiscard]] bool all_at_rest() const { return active_count_ == 0; }
  [[nodiscard]] std::optional<Instant> earliest_deadline() const { return deadlines_.earliest(); }
  void take_due(Instant now, std::vector<UnitIndex>& due);
  [[nodiscard]] std::vector<UnitIndex> take_changed();

 private:
  enum Mark : uint8_t { kChanged = 1, kTouched = 2, kMoved = 4, kUnsettled = 8 };

  [[nodiscard]] bool settled_in(UnitIndex unit, UnitState state) const;
  void mark(UnitIndex unit, Mark mark, std::vector<UnitIndex>& list);
  void unmark(const std::vector<UnitIndex>& units, Mark mark);

  std::shared_ptr<const UnitSet> set_;
  std::vector<UnitRecord> records_;
  Deadlines deadlines_;
  std::vector<UnitIndex> changed_;
  std::vector<UnitIndex> touched_;
  std::vector<UnitIndex> moved_;
  std::vector<uint8_t> marks_;  // by unit, of Mark
  size_t unsettled_count_ = 0;
  size_t active_count_ = 0;
};

}  // namespace foster::core
