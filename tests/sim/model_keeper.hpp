// The keeper and the kernel as the core sees them, as a model: children that start, end, ignore
// signals and leave others of their group behind, and news of them that are told again until
// acknowledged.
#pragma once

#include <deque>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "tests/sim/swarm.hpp"

namespace foster::sim {

enum class Phase { forked, running, lingering, over };

/// What is known of one attempt until its end is acknowledged.
struct Child {
  UnitIndex unit;
  Attempt attempt;
  Phase phase = Phase::forked;
  int32_t pid = 0;
  int last_signal = 0;

  bool will_fail = false;  // its spawn, with this error
  int error = 0;
  bool spawned_untold = false;
  bool spawned_late = false;
  bool ignores_stop = false;
  bool others_ignore_stop = false;
  bool survives_kill_long = false;
  bool has_others = false;
  int exit_code = 0;  // of its planned end

  bool told_spawned = false;
  bool told_exited = false;
  bool told_emptied = false;
  bool group_remained = false;
  core::LastExit how;
};

/// What the world has really seen of a unit, for the oracle to compare with what was counted.
struct Truth {
  uint64_t reaped = 0;
  Attempt last_reaped;
  core::LastExit last_how;
};

class ModelKeeper {
 public:
  ModelKeeper(size_t units, const Swarm& swarm, Random random);

  /// News for the manager that is connected now; without one they are only kept.
  void connect(std::deque<core::Event>* inbox);
  void disconnect() { inbox_ = nullptr; }

  // The actions. A broken promise of the core is returned as a sentence, otherwise it is empty.
  std::string spawn(const core::Spawn& action, ServiceType type, Instant now);
  void kill(const core::Kill& action, int stop_signal, Instant now);
  /// False when the attempt has never been sent anything, and nothing has hindered that.
  [[nodiscard]] bool told_to_stop(Attempt attempt) const;
  std::string acknowledge(const core::Acknowledge& action);

  /// From now on nothing goes wrong any more that has not been decided yet.
  void heal() { healed_ = true; }

  [[nodiscard]] std::optional<Instant> next_happening() const;
  void happen(Instant now);

  [[nodiscard]] const std::vector<Child>& children() const { return children_; }
  /// Whatever was acknowledged cannot be counted any more: the counts were lost with the region.
  void forget_counted();
  [[nodiscard]] const Truth& truth(UnitIndex unit) const { return truth_[unit.value]; }
  [[nodiscard]] Attempt last_attempt() const { return last_attempt_; }

 private:
  enum class Kind { executed, exits, group_empties };
  struct Happening {
    Instant at;
    uint64_t order = 0;
    Kind kind = Kind::executed;
    Attempt attempt;
    core::ExitKind how = core::ExitKind::code;
    int value = 0;
    bool operator>(const Happening& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void schedule(Happening happening);
  void executed(Child& child, Instant now);
  void exits(Child& child, const Happening& happening, Instant now);
  void group_empties(Child& child);
  void signal_main(Child& child, int signal, int stop_signal, Instant now);
  void signal_others(Child& child, int signal, int stop_signal, Instant now);
  void plan_life(Child& child, ServiceType type, Instant now);
  void plan_end(const Child& child, ServiceType type, Instant now);
  void tell(core::Event event);
  void tell_again(const Child& child);
  [[nodiscard]] Duration soon();
  [[nodiscard]] Child* find(Attempt attempt);
  [[nodiscard]] bool maybe(bool fault, uint64_t n);

  Swarm swarm_;
  Random random_;
  bool healed_ = false;
  std::deque<core::Event>* inbox_ = nullptr;
  std::vector<Child> children_;
  std::vector<Truth> truth_;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> happenings_;
  uint64_t order_ = 0;
  int32_t last_pid_ = 1;
  Attempt last_attempt_;
};

}  // namespace foster::sim
