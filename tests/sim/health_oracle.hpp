// Judges what ends a run from outside: its health checks, its watchdog, its time, its memory. Each
// acts when it is due, once, and for no other reason.
#pragma once

#include <vector>

#include "tests/sim/order_oracle.hpp"

namespace foster::sim {

class HealthOracle {
 public:
  HealthOracle(const UnitSet& set, Verdict& verdict);

  void manager_began(const core::Supervisor& manager);
  /// Before `told` learns of the event.
  void about_to_handle(const Told& told, const core::Event* event, Instant now);
  void handled(const Judged& judged, const Told& told);

 private:
  struct Run {
    core::UnitState state = core::UnitState::stopped;  // before the event
    core::Cause cause = core::Cause::none;
    Attempt attempt;
    Instant since;
    Instant asked;               // its command was, before the event
    bool unsure = false;         // it has outlived a manager: what that one counted is not known
    bool overlaps = false;       // there are two main processes
    uint32_t failed_checks = 0;  // in a row
    bool check_failed = false;   // the one under way
    bool too_much_memory = false;
    bool triggered = false;
    Instant last_ping;
    Duration watchdog{0};
  };

  void check_ended(UnitIndex unit, Instant now);
  void judge(const Judged& judged, const Told& told, UnitIndex unit);
  void judge_cause(const Judged& judged, const Told& told, UnitIndex unit);
  void judge_missed(const Judged& judged, const Told& told, UnitIndex unit);
  void judge_checks(const Judged& judged, UnitIndex unit);
  void follow(const core::UnitRecord& record, Run& run, UnitIndex unit);
  [[nodiscard]] Instant watchdog_due(const Run& run) const;

  const UnitSet& set_;
  Verdict& verdict_;
  std::vector<Run> runs_;
};

}  // namespace foster::sim
