// A look at the region as text for people. Pure functions of what was read, the clock included.
#pragma once

#include <string>
#include <string_view>

#include "common/region/layout.h"
#include "ctl/snapshot.hpp"
#include "ctl/table.hpp"

namespace foster::ctl {

/// What is wrong with the daemon's own processes, a line each; empty when all is well.
/// `last_change` is what the look's age is counted from.
[[nodiscard]] std::string render_notices(const DaemonView& daemon, Instant last_change);

/// "foster user-1000: running, up 3h 5min, 12 units (10 running, 2 failed)".
[[nodiscard]] std::string render_summary(const DaemonView& daemon, const UnitCounts& counts);

/// UNIT STATE HEALTH SINCE PID RESTARTS WHY; without HEALTH where no unit has any.
class UnitTable {
 public:
  UnitTable();
  void add(const UnitView& unit, const Clock& clock);
  [[nodiscard]] std::string render(const RenderOptions& options) const {
    return table_.render(options);
  }

 private:
  Table table_;
};

/// All about one unit, a fact a line.
[[nodiscard]] std::string render_unit(const UnitView& unit, const Clock& clock,
                                      const RenderOptions& options);

/// "web: running, pid 123", "web: failed, exited with code 3": what a verb says when it is done.
[[nodiscard]] std::string render_outcome(const UnitView& unit, const Clock& clock);

/// "2026-05-01 12:00:03.120 web: running, pid 123". No newline.
[[nodiscard]] std::string render_event(const foster_event& event, const RenderOptions& options);

/// A unit's present state as the event that led to it.
[[nodiscard]] foster_event present_state(const UnitView& unit);

[[nodiscard]] Colour state_colour(uint8_t state);
[[nodiscard]] Colour health_colour(uint8_t health);

}  // namespace foster::ctl
