// Judges a run. It counts instead of looking at outcomes: each job finishes exactly once, each exit
// is counted exactly once, each request is answered at most once. What a manager did not publish
// before it crashed never happened, so the counts of a turn are kept apart until its publish.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/sim/goal_oracle.hpp"
#include "tests/sim/health_oracle.hpp"
#include "tests/sim/hook_oracle.hpp"
#include "tests/sim/job_oracle.hpp"
#include "tests/sim/model_keeper.hpp"
#include "tests/sim/model_region.hpp"
#include "tests/sim/order_oracle.hpp"

namespace foster::sim {

class Oracle {
 public:
  explicit Oracle(const UnitSet& set);

  [[nodiscard]] const std::string& violation() const { return verdict_.violation(); }
  void fail(std::string_view what) { verdict_.fail(what); }
  void fail(UnitIndex unit, std::string_view what) { verdict_.fail(unit, what); }

  void manager_began(const core::Supervisor& manager, const ModelKeeper& keeper);
  /// The turn's work was lost with the manager.
  void turn_lost();

  /// The region is gone, and with it all counts and numbers but those of the keeper.
  void region_lost();
  /// A unit was masked or not, whether or not a manager heard of it.
  void masked(UnitIndex unit, bool masked) { order_.told().mask(unit, masked); }

  void about_to_handle(const core::Event* event, Instant now);
  /// After each event (null: the time was reached): what the records say now, and what it led to.
  void handled(const core::Supervisor& manager, const core::Event* event,
               std::span<const core::Action> actions, Instant now);

  /// These units' records stand in the region now: all that changed, or, torn, a part of them.
  void published(const ModelRegion& region, std::span<const UnitIndex> units,
                 const ModelKeeper& keeper);
  /// After a whole publish, the region must hold everything as it is.
  void published_whole(const core::Supervisor& manager, const ModelRegion& region);

  /// The world was really asked for this.
  void performed(const core::Spawn& spawn) { hooks_.performed(spawn); }
  void lost(const core::Spawn& spawn) { hooks_.lost(spawn); }
  void replied(const core::Reply& reply) { jobs_.replied(reply); }
  void turn_done(std::span<const uint64_t> tokens) { jobs_.turn_done(tokens); }
  [[nodiscard]] bool hurried() const { return order_.hurried(); }

  /// All faults are healed and nothing more happens: everything must have come to its end.
  void converged(const core::Supervisor& manager, const ModelKeeper& keeper);
  /// The daemon was told to end.
  void ended(const core::EndDaemon& end, const core::Supervisor& manager, const ModelKeeper& keeper,
             Instant now);

 private:
  struct Rate {
    std::vector<Instant> restarts;
    uint32_t counted = 0;
    uint64_t exits = 0;
    Instant backoff;  // the newest that was judged
  };

  void judge_records(const core::Supervisor& manager, bool ends);
  [[nodiscard]] bool begins_shutdown(const core::Supervisor& manager, const core::Note& note) const;
  void judge_shutdown(const core::Supervisor& manager, const core::Event* event,
                      std::span<const core::Action> actions);
  [[nodiscard]] bool ends_all(UnitIndex unit, const core::UnitRecord& record) const;
  void judge_record(UnitIndex unit, const core::UnitRecord& record, const ModelKeeper& keeper);
  void judge_backoff(UnitIndex unit, const core::UnitRecord& record);
  void judge_end_of_run(UnitIndex unit, const core::UnitRecord& record);
  void judge_rate(UnitIndex unit, const core::UnitRecord& record);
  void judge_exits(UnitIndex unit, const core::UnitRecord& record, const ModelKeeper& keeper);

  const UnitSet& set_;
  Verdict verdict_;
  OrderOracle order_;
  GoalOracle goals_;
  HealthOracle health_;
  HookOracle hooks_;
  JobOracle jobs_;
  std::vector<Rate> rates_;
  bool was_shutting_down_ = false;
  bool settled_ = false;
};

}  // namespace foster::sim
