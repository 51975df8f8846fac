// The keeper, the kernel and the services as the core sees them, as a model: processes that start,
// end, get ready, say something, ignore signals and leave others of their group behind, and news of
// them that are told again until acknowledged. What the shell of the manager watches for the core
// (readiness, $NOTIFY_SOCKET, the main process of a forking unit) is told from here as well.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"
#include "tests/sim/swarm.hpp"
#include "tests/sim/told.hpp"

namespace foster::sim {

enum class Phase { forked, running, lingering, over };

/// What is known of one attempt until its end is acknowledged.
struct Child {
  UnitIndex unit;
  Attempt attempt;
  core::Role role = core::Role::main;
  uint16_t index = 0;
  Attempt about;  // of a check: whose readiness it asks for
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

  int32_t daemon_pid = 0;   // lives in its group, or apart, and may become the main process
  bool apart = false;       // its daemon has a session and a group of its own
  bool superseded = false;  // its daemon, which is apart, has become the main process
  Attempt adopted_by;
  bool refused = false;  // its adoption, which the manager that asked is still to be told
  bool adopted = false;
  bool leftover = false;  // of a hook that nobody knows of: the region was lost
  bool ready = false;     // whatever its unit's readiness is
  bool pings = false;

  bool told_spawned = false;
  bool told_exited = false;
  bool told_emptied = false;
  bool group_remained = false;
  core::LastExit how;
};

/// A daemon in a session of its own that a forking unit's command has left.
struct Stray {
  UnitIndex unit;
  Attempt attempt;  // of the command
  int32_t pid = 0;
  bool ignores_stop = false;
};

/// What the world has really seen of a unit's main processes, for the oracle to compare with what
/// was counted.
struct Truth {
  uint64_t reaped = 0;
  uint64_t reaped_successors = 0;  // which count only where they have become the main process
  Attempt last_reaped;
  core::LastExit last_how;
};

class ModelKeeper {
 public:
  ModelKeeper(const UnitSet& set, const Swarm& swarm, Random random);

  /// News for the manager that is connected now; without one they are only kept.
  void connect(std::deque<core::Event>* inbox);
  void disconnect();

  // The actions. A broken promise of the core is returned as a sentence, otherwise it is empty.
  std::string spawn(const core::Spawn& action, Instant now);
  std::string adopt(const core::Adopt& action, Instant now);
  void find_main(const core::FindMain& action);
  void end_kin(const core::EndKin& action, Instant now);
  void check_conditions(const core::CheckConditions& action);
  void measure_memory(const core::MeasureMemory& action);
  void kill(const core::Kill& action, Instant now);
  std::string acknowledge(const core::Acknowledge& action);

  [[nodiscard]] bool is_successor(Attempt attempt) const;
  /// False when the attempt has never been sent anything, and nothing has hindered that.
  [[nodiscard]] bool told_to_stop(Attempt attempt) const;

  /// From now on nothing goes wrong any more that has not been decided yet, and what lives gets
  /// ready and says so.
  void heal(Instant now);

  [[nodiscard]] std::optional<Instant> next_happening() const;
  void happen(Instant now);

  [[nodiscard]] const std::vector<Child>& children() const { return children_; }
  [[nodiscard]] const std::vector<Stray>& strays() const { return strays_; }
  /// Whatever was acknowledged cannot be counted any more: the counts were lost with the region.
  void forget_counted();
  [[nodiscard]] const Truth& truth(UnitIndex unit) const { return truth_[unit.value]; }
  [[nodiscard]] Attempt last_attempt() const { return last_attempt_; }

 private:
  enum class Kind {
    executed,
    exits,
    group_empties,
    gets_ready,
    pings,
    speaks,
    names_main,
    kin_ends,
    refuses,
  };
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
  void refuse(Child child, Instant now);
  void refused(Attempt attempt);
  void executed(Child& child, Instant now);
  void exits(Child& child, const Happening& happening, Instant now);
  void group_empties(Child& child);
  void heir_over(const Child& heir);
  void kin_ends(Attempt attempt);
  void signal_main(Child& child, int signal, Instant now);
  void signal_others(Child& child, int signal, Instant now);
  void tell(core::Event event);
  void tell_again(const Child& child);
  void repeat_old_news();
  [[nodiscard]] Duration soon();
  [[nodiscard]] Child* find(Attempt attempt);
  [[nodiscard]] bool maybe(bool fault, uint64_t n);

  // model_service.cpp: how processes of each role live.
  void plan_faults(Child& child);
  void plan_life(Child& child, Instant now);
  void plan_main(Child& child, Instant now);
  void plan_run(const Child& child, Instant now);
  void plan_ready(const Child& child, Instant now);
  void plan_side(const Child& child, Instant now);
  [[nodiscard]] int side_exit_code(const Child& child);
  void gets_ready(Child& child);
  void pings(Child& child, Instant now);
  void speaks(Child& child, Instant now);
  void names_main(Child& child, Instant now);
  void notify(const Child& child, core::Notified message);
  [[nodiscard]] Attempt sender(const Child& child) const;
  [[nodiscard]] bool fits_beside(const core::Spawn& action) const;
  [[nodiscard]] const UnitSpec& spec(const Child& child) const { return set_[child.unit]; }

  const UnitSet& set_;
  Swarm swarm_;
  Random random_;
  bool healed_ = false;
  std::deque<core::Event>* inbox_ = nullptr;
  std::vector<Child> children_;
  std::vector<Truth> truth_;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> happenings_;
  std::vector<core::Event> unread_;    // said while no manager read it
  std::vector<core::Event> old_news_;  // some of what the keeper has told
  std::vector<core::FindMain> unanswered_;
  std::vector<Stray> strays_;
  std::vector<core::EndKin> kin_asked_;
  Random apart_;  // for what came later, so that a seed goes on to mean what it meant
  uint64_t order_ = 0;
  int32_t last_pid_ = 1;
  Attempt last_attempt_;
};

}  // namespace foster::sim
