// The real core with a world in which nothing happens but what a string of events says: processes
// are spawned at once and live until the string ends them. After the string everything is healed:
// what is to stop stops, what is to get ready gets ready, and time goes on until nothing is left to
// do.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daemon/core/supervisor.hpp"
#include "tests/exhaustive/small_graphs.hpp"
#include "tests/sim/goal_oracle.hpp"
#include "tests/sim/job_oracle.hpp"
#include "tests/sim/order_oracle.hpp"

namespace foster::exhaustive {

enum class What : uint8_t {
  start,
  stop,
  restart,
  exit_0,
  exit_1,
  ready,
  spawn_fails,  // the next one
  timer_due,
  crash,  // of the manager
  connect,
  overlap,
  younger_exits,  // of two main processes
  younger_ready,
};

/// What may happen to a unit of such a set.
[[nodiscard]] std::span<const What> per_unit(Manner manner);

struct Step {
  What what = What::start;
  uint32_t unit = 0;
};

[[nodiscard]] std::string describe(const UnitSet& set, Step step);

class SmallWorld {
 public:
  SmallWorld(std::shared_ptr<const UnitSet> set, bool trace);

  [[nodiscard]] bool possible(Step step) const;
  void happen(Step step);
  /// Nothing goes wrong any more: everything must come to rest, then end.
  void heal_and_end();

  [[nodiscard]] const std::string& violation() const { return verdict_.violation(); }
  [[nodiscard]] uint64_t events() const { return events_; }

 private:
  struct Process {
    Attempt attempt;  // 0: none
    core::Role role = core::Role::main;
    bool ready = false;
    bool told_to_stop = false;
  };

  void begin(bool first_manager);
  void give(const core::Event& event);
  void take_time();
  void judge(const core::Event* event, std::span<const core::Action> actions);
  void settle();
  void open_sockets();
  void perform(const core::Action& action);
  void perform(const core::Spawn& spawn);
  void perform(const core::Kill& kill);
  void ends(uint32_t unit, core::ExitKind kind, int value);
  void younger_ends(uint32_t unit, core::ExitKind kind, int value);
  void tell_end(uint32_t unit, Attempt attempt, core::ExitKind kind, int value);
  void gets_ready(uint32_t unit);
  void younger_gets_ready(uint32_t unit);
  bool heal_one();
  bool heal_unit(uint32_t unit);
  void heal();
  void crash();
  void say(const std::string& line) const;

  std::shared_ptr<const UnitSet> set_;
  bool trace_;
  sim::Verdict verdict_;
  sim::OrderOracle order_;
  sim::GoalOracle goals_;
  sim::JobOracle jobs_;
  std::unique_ptr<core::Supervisor> manager_;
  std::vector<Process> processes_;  // of two main processes the older
  std::vector<Process> younger_;
  std::vector<bool> spawn_fails_;
  std::deque<core::Event> news_;
  std::vector<core::Action> actions_;
  Instant now_{1'000'000'000};
  Attempt last_attempt_;
  uint64_t token_ = 0;
  uint64_t events_ = 0;
  bool was_shutting_down_ = false;
  bool healed_ = false;
  bool ended_ = false;
};

}  // namespace foster::exhaustive
