// Judges who may change what is wanted: goals change because of a request, a timer, an answer to a
// failure or a shutdown, along the edges that carry such a change, and for no other reason.
#pragma once

#include <vector>

#include "tests/sim/order_oracle.hpp"

namespace foster::sim {

class GoalOracle {
 public:
  GoalOracle(const UnitSet& set, Verdict& verdict);

  void manager_began(const core::Supervisor& manager);
  void handled(const Judged& judged);

 private:
  using Marks = std::vector<bool>;  // by unit

  void judge_request(const Judged& judged);
  void judge_stop(const Judged& judged, const core::Reply& reply);
  [[nodiscard]] Marks may_rise(const Judged& judged) const;
  [[nodiscard]] Marks may_fall(const Judged& judged) const;
  void mark_answers(const Judged& judged, Marks& marks) const;
  void mark_pulled(Marks& marks) const;
  void mark_parts(Marks& marks) const;

  const UnitSet& set_;
  Verdict& verdict_;
  std::vector<core::Goal> goals_;  // before the event
  JobId last_job_;                 // likewise
};

}  // namespace foster::sim
