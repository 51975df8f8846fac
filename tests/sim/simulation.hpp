// One run: the real core, the model of the world, and between them the manager's loop, which can
// die at any point of a turn. Everything follows from the seed; the same seed gives the same trace.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/supervisor.hpp"
#include "tests/sim/model_keeper.hpp"
#include "tests/sim/model_region.hpp"
#include "tests/sim/oracle.hpp"
#include "tests/sim/swarm.hpp"

namespace foster::sim {

struct Options {
  uint64_t seed = 0;
  uint64_t events = 20'000;  // with faults; then everything is healed and must converge
  bool trace = false;
};

struct Outcome {
  std::string violation;  // empty: all promises were kept
  uint64_t events = 0;
  uint64_t crashes = 0;
  uint64_t hash = 0;  // of the trace
};

class Simulation {
 public:
  explicit Simulation(const Options& options);
  Outcome run();

 private:
  enum class Stage { faulty, healing, recovering, ending, over };
  /// Where a unit has come to.
  struct Place {
    core::UnitState state = core::UnitState::stopped;
    core::Goal goal = core::Goal::down;
    Attempt attempt;
    bool operator==(const Place&) const = default;
  };
  enum class Next { nothing, keeper, client, timer, turn, manager };

  void step();
  [[nodiscard]] Next choose(Instant& at) const;
  [[nodiscard]] bool all_quiet() const;
  [[nodiscard]] bool overdue();
  void nothing_more();
  void converged();
  void recovered();
  [[nodiscard]] std::vector<Place> places() const;
  void heal();

  void manager_starts();
  [[nodiscard]] core::Recovered found() const;
  void crash(const char* where);
  void lose_region();
  [[nodiscard]] bool crashes(uint64_t rate, const char* where);

  void turn(bool timer_due);
  void lose_actions(size_t from);
  void handle(const core::Event* event);
  [[nodiscard]] bool publish();
  void write_header();
  void perform(const core::Action& action);
  void perform_kill(const core::Kill& kill);
  void set_timer();

  void follow(const core::UnitRecord& record, UnitIndex unit);

  // client.cpp: what users do.
  void client_acts();
  void ask(core::Verb verb);
  void ask_overlap();
  void connects();
  void open_sockets(UnitIndex unit);
  void send_signal();
  void change_mask();
  void timer_elapses();
  [[nodiscard]] std::vector<UnitIndex> some_units();
  [[nodiscard]] UnitIndex some_unit();
  void maybe_leap();

  void mix(uint64_t value);
  void mix_event(const core::Event* event);
  void trace(const std::string& line) const;

  Options options_;
  Random random_;
  Swarm swarm_;
  std::shared_ptr<const UnitSet> set_;
  ModelKeeper keeper_;
  ModelRegion region_;
  Oracle oracle_;
  std::vector<bool> masked_;  // as the manager's settings file has it

  Stage stage_ = Stage::faulty;
  Instant now_{1'000'000'000};
  std::unique_ptr<core::Supervisor> manager_;
  bool first_manager_ = true;
  bool first_turn_ = true;  // of this manager
  Instant manager_at_;      // when it is started again
  std::deque<core::Event> inbox_;
  Instant turn_at_;
  std::optional<Instant> timer_at_;
  Instant client_at_;
  std::vector<core::Action> actions_;
  std::vector<uint64_t> tokens_;  // of this turn
  uint64_t last_token_ = 0;
  Instant last_change_;  // of any unit's state or goal
  Instant healed_at_;
  Instant shutdown_asked_;
  std::vector<Place> places_;  // before the last manager

  uint64_t events_ = 0;
  uint64_t client_visits_ = 0;  // they use up the run as well, so that a quiet one ends
  uint64_t crashes_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace foster::sim
