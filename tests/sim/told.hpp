// What the core can know of the world: which processes it has asked for, and what it was told of
// them. Kept from the events and actions alone, never from the core's own records, so that what the
// core believes can be compared with it. What a manager did not publish before it crashed it has
// never been told; the keeper tells it again.
#pragma once

#include <vector>

#include "common/unit/unit_set.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/event.hpp"

namespace foster::sim {

/// Of the unit's own command.
[[nodiscard]] inline bool is_main(core::Role role) {
  return role == core::Role::main || role == core::Role::successor;
}

/// An attempt that was asked for and whose end was not told yet.
struct ToldProcess {
  Attempt attempt;
  core::Role role = core::Role::main;
  uint16_t index = 0;
  bool executed = false;
  bool adopting = false;   // it lives already; the keeper has not said whether it has it now
  bool gone = false;       // its main process; others of its group are left
  bool runs = false;       // in truth, as a new manager is told with it
  bool over = false;       // in truth: the news of it are still to be told again to a new manager
  bool condemned = false;  // SIGKILL was sent to it, and may be again
  Instant asked;
};

struct ToldUnit {
  std::vector<ToldProcess> living;
  /// What a new manager was told that the keeper has; it may have been over and counted before.
  std::vector<Attempt> handed_over;

  // Of the newest run, from its very first step on.
  Attempt main;
  bool executed = false;
  bool main_gone = false;
  bool adopted = false;
  bool ready = false;
  bool stopping = false;       // a stop command or signal was given out
  bool told_to_stop = false;   // or a pre-stop command
  bool stops_itself = false;   // it has said so
  uint16_t pre_started = 0;    // pre-start commands that have succeeded
  uint16_t commands_done = 0;  // of a oneshot
  uint16_t post_started = 0;   // post-start commands that have succeeded
  Instant asked;
  Instant stop_began;
  // Of an overlapped restart: who is to be the main process, and what was told of it.
  Attempt successor;
  bool successor_executed = false;
  bool successor_ready = false;
  bool successor_doomed = false;  // it was killed, or has ended
  Instant successor_asked;
  Instant changed_places;
  Duration extended{0};  // what EXTEND_TIMEOUT_USEC can have added

  bool uncertain = false;  // the region was lost in the middle of it
  bool listens = false;    // its sockets are open
  bool ever_up = false;
  bool ever_completed = false;
  uint32_t runs = 0;  // that have begun
  bool masked = false;
};

class Told {
 public:
  explicit Told(const UnitSet& set);

  void event(const core::Event& event, Instant now);
  void action(const core::Action& action, Instant now);

  /// These units' records were published: the next manager begins with this.
  void committed(UnitIndex unit) { committed_[unit.value] = units_[unit.value]; }
  void lost() { units_ = committed_; }
  /// The region is gone with all that was published.
  void forget();
  /// A new manager: of what was asked for only this has reached the keeper.
  void only_these_live(UnitIndex unit, const std::vector<ToldProcess>& processes);
  void handed_over(UnitIndex unit, std::vector<Attempt> attempts) {
    units_[unit.value].handed_over = std::move(attempts);
  }
  /// Kept in a file of its own.
  void mask(UnitIndex unit, bool masked) {
    units_[unit.value].masked = committed_[unit.value].masked = masked;
  }

  [[nodiscard]] const ToldUnit& operator[](UnitIndex unit) const { return units_[unit.value]; }
  [[nodiscard]] bool lives(UnitIndex unit) const;
  [[nodiscard]] const ToldProcess* find(UnitIndex unit, Attempt attempt) const;
  /// A group has no processes, so that nothing speaks against its being up.
  [[nodiscard]] bool can_be_up(UnitIndex unit, Instant now) const;
  /// Its readiness was told, or it has none, or its timeout counts as readiness.
  [[nodiscard]] bool can_be_ready(UnitIndex unit, Instant now) const;
  /// All its commands have exited 0, in order.
  [[nodiscard]] bool completed(UnitIndex unit) const;
  /// The unit's successor may take the place of the main process.
  [[nodiscard]] bool can_change_places(UnitIndex unit, Instant now) const;
  /// The main process has ended, and its successor goes on without it.
  [[nodiscard]] bool is_succeeded(UnitIndex unit) const;

 private:
  [[nodiscard]] bool is_ready(UnitIndex unit, bool told, Instant asked, Instant now) const;
  void said(const core::Notified& event, Instant now);
  void change_places(UnitIndex unit, Instant now);
  void take_over(UnitIndex unit, Instant now);
  void successor_gone(UnitIndex unit, Attempt attempt);
  void begins(UnitIndex unit);
  void asked(const core::Spawn& action, Instant now);
  void sent(const core::Kill& action, Instant now);
  void exited(const core::Exited& event);
  void failed(UnitIndex unit, Attempt attempt);
  void over(UnitIndex unit, Attempt attempt);
  void spawned(const core::Spawned& event);
  [[nodiscard]] bool has_main(const ToldUnit& unit) const;
  [[nodiscard]] ToldProcess* process(UnitIndex unit, Attempt attempt);

  const UnitSet& set_;
  std::vector<ToldUnit> units_;
  std::vector<ToldUnit> committed_;
};

}  // namespace foster::sim
