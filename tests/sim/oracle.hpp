// Judges a run. It counts instead of looking at outcomes: each job finishes exactly once, each exit
// is counted exactly once, each request is answered at most once. What a manager did not publish
// before it crashed never happened, so the counts of a turn are kept apart until its publish.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "daemon/core/supervisor.hpp"
#include "tests/sim/model_keeper.hpp"
#include "tests/sim/model_region.hpp"

namespace foster::sim {

class Oracle {
 public:
  explicit Oracle(const UnitSet& set);

  /// The first promise that was broken, as a sentence; empty while none was.
  [[nodiscard]] const std::string& violation() const { return violation_; }
  void fail(std::string_view what);
  void fail(UnitIndex unit, std::string_view what);

  void manager_began(const core::Supervisor& manager);
  /// The turn's work was lost with the manager.
  void turn_lost() { pending_ = committed_; }

  /// The region is gone, and with it all counts and numbers but those of the keeper.
  void region_lost();

  /// After each event (null: the time was reached): what the records say now, and what it led to.
  void handled(const core::Supervisor& manager, const core::Event* event,
               std::span<const core::Action> actions, Instant now);

  /// These units' records stand in the region now: all that changed, or, torn, a part of them.
  void published(const ModelRegion& region, std::span<const UnitIndex> units,
                 const ModelKeeper& keeper);
  /// After a whole publish, the region must hold everything as it is.
  void published_whole(const core::Supervisor& manager, const ModelRegion& region);

  void replied(const core::Reply& reply);
  /// A turn was performed to its end, so these must have been answered.
  void turn_done(std::span<const uint64_t> tokens);

  /// All faults are healed and nothing more happens: everything must have come to its end.
  void converged(const core::Supervisor& manager, const ModelKeeper& keeper);
  /// The daemon was told to end.
  void ended(const core::EndDaemon& end, const core::Supervisor& manager,
             const ModelKeeper& keeper);

 private:
  struct UnitCount {
    JobId open;
    core::Verb open_verb = core::Verb::none;
    JobId newest_finished;
  };
  struct Pending {
    std::vector<UnitCount> units;
    JobId highest_job;
  };
  struct Rate {
    std::vector<Instant> restarts;
    uint32_t counted = 0;
    uint64_t exits = 0;
  };

  void judge_jobs(UnitIndex unit, const core::UnitRecord& record, const core::Event* event,
                  std::span<const core::Action> actions);
  void judge_outcome(UnitIndex unit, const core::UnitRecord& record, core::Verb verb,
                     core::JobResult result);
  void judge_action(const core::Supervisor& manager, const core::Event* event,
                    const core::Action& action, Instant now);
  void judge_spawn(const core::Supervisor& manager, const core::Spawn& spawn);
  void judge_kill(const core::Supervisor& manager, const core::Event* event, const core::Kill& kill,
                  Instant now);
  void judge_reply(const core::Supervisor& manager, const core::Event* event,
                   const core::Reply& reply);
  void judge_shutdown(const core::Supervisor& manager, const core::Event* event);
  void judge_record(UnitIndex unit, const core::UnitRecord& record, const ModelKeeper& keeper);
  void judge_backoff(UnitIndex unit, const core::UnitRecord& record);
  void judge_end_of_attempts(UnitIndex unit, const core::UnitRecord& record);
  void judge_rate(UnitIndex unit, const core::UnitRecord& record);

  const UnitSet& set_;
  std::string violation_;
  Pending committed_;
  Pending pending_;
  std::vector<Rate> rates_;
  std::vector<uint8_t> answered_;  // by token
  bool was_shutting_down_ = false;
  bool settled_ = false;
};

}  // namespace foster::sim
