// Which units start with the daemon: what their files say, what was asked for at run time, and what
// --start chose. No system calls here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/region/layout.h"
#include "common/result.hpp"
#include "common/unit/unit_set.hpp"
#include "daemon/manager/settings.hpp"

namespace foster::manager {

class Enablement {
 public:
  /// `start`: names and patterns of --start; empty: whatever is enabled. Names that mean no unit
  /// are passed over; see `check`.
  Enablement(const UnitSet& set, const Settings& settings, std::span<const std::string> start);

  /// An error when one of the names means no unit.
  [[nodiscard]] static Result<void> check(const UnitSet& set, std::span<const std::string> start);

  [[nodiscard]] foster_enablement operator[](UnitIndex unit) const { return units_[unit.value]; }
  [[nodiscard]] bool masked(UnitIndex unit) const { return (*this)[unit] == FOSTER_MASKED; }
  /// Whether the unit's timer, if it has one, counts.
  [[nodiscard]] bool timer_runs(UnitIndex unit) const;

  /// The units that are started with the daemon: not those with a timer, which starts them.
  [[nodiscard]] std::vector<UnitIndex> initial(const UnitSet& set) const;

  /// No unit file describes the unit any more.
  void gone(UnitIndex unit) { units_[unit.value] = FOSTER_GONE; }

  /// The settings of the unit are others now.
  void update(const UnitSet& set, UnitIndex unit, const Settings& settings);

 private:
  /// What --start comes to.
  enum class Choice : uint8_t { all, named, needed, not_chosen };

  void choose(const UnitSet& set, std::span<const std::string> start);
  [[nodiscard]] Choice choice(UnitIndex unit) const;

  std::vector<foster_enablement> units_;
  std::vector<Choice> choices_;  // empty without --start
};

}  // namespace foster::manager
