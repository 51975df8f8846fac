// Counts requests and jobs: each request is answered once, each job finishes once and with the
// result that its unit's state bears out.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "tests/sim/order_oracle.hpp"

namespace foster::sim {

class JobOracle {
 public:
  JobOracle(const UnitSet& set, Verdict& verdict);

  void handled(const Judged& judged);
  void committed(UnitIndex unit, const core::UnitRecord& record);
  void all_committed(JobId last_job);
  void lost() { pending_ = committed_; }
  void region_lost();

  void replied(const core::Reply& reply);
  /// A turn was performed to its end, so these must have been answered.
  void turn_done(std::span<const uint64_t> tokens);

 private:
  struct UnitCount {
    JobId open;
    core::Verb open_verb = core::Verb::none;
    JobId newest_finished;
  };
  struct Counts {
    std::vector<UnitCount> units;
    JobId highest_job;
  };
  using UnderWay = std::vector<std::pair<JobId, core::Verb>>;

  void judge_jobs(const Judged& judged, UnitIndex unit);
  [[nodiscard]] UnderWay jobs_before(const Judged& judged, UnitIndex unit);
  void judge_outcome(const Judged& judged, UnitIndex unit, core::Verb verb, core::JobResult result);
  void judge_failure(UnitIndex unit, const core::UnitRecord& record, core::Verb verb);
  void judge_success(UnitIndex unit, const core::UnitRecord& record, core::Verb verb);
  void judge_reply(const Judged& judged, const core::Reply& reply);
  void judge_refusal(const Judged& judged, const core::Request& request, const core::Reply& reply);

  const UnitSet& set_;
  Verdict& verdict_;
  Counts committed_;
  Counts pending_;
  std::vector<bool> up_before_;    // by unit, before the event
  std::vector<uint8_t> answered_;  // by token
};

}  // namespace foster::sim
