// Counts what really ran of each unit's hooks, over crashes of the manager as well: each command of
// a hook at most once in a run, in order, and post-stop once for each run that has begun.
#pragma once

#include <vector>

#include "daemon/core/action.hpp"
#include "tests/sim/verdict.hpp"

namespace foster::sim {

class HookOracle {
 public:
  HookOracle(const UnitSet& set, Verdict& verdict)
      : set_(set), verdict_(verdict), runs_(set.size()) {}

  /// The keeper was really asked for this process.
  void performed(const core::Spawn& spawn);
  /// The keeper was not asked for it, though the core has published that it was: whether that began
  /// a run depends on how one looks at it.
  void lost(const core::Spawn& spawn);
  /// From now on there are no hooks any more.
  void hurried() { hurried_ = true; }
  /// A manager without a region does not know what has run.
  void region_lost();
  /// Every unit is at rest for good.
  void ended(UnitIndex unit);

 private:
  struct Run {
    bool begun = false;
    bool main = false;
    bool unknown = false;
    uint16_t post_start = 0;  // commands that have run
    uint16_t pre_stop = 0;
    uint16_t stop = 0;
    uint16_t post_stop = 0;
  };

  void begin(UnitIndex unit);
  void count(const core::Spawn& spawn, uint16_t& ran);

  const UnitSet& set_;
  Verdict& verdict_;
  std::vector<Run> runs_;
  bool hurried_ = false;
};

}  // namespace foster::sim
