// Judges what is started and stopped when: never before what it needs is up, never stopped before
// those that need it are gone, never beside what it conflicts with, never while masked; and whether
// each signal was due.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "daemon/core/shutdown.hpp"
#include "daemon/core/supervisor.hpp"
#include "tests/sim/told.hpp"
#include "tests/sim/verdict.hpp"

namespace foster::sim {

/// The event that is being judged (null: the time was reached), and what came of it.
struct Judged {
  const core::Supervisor& manager;
  const core::Event* event = nullptr;
  std::span<const core::Action> actions;
  Instant now;
  bool was_shutting_down = false;
};

/// Null where the event has led to none.
[[nodiscard]] const core::Reply* reply_of(const Judged& judged);

template <class T>
[[nodiscard]] const T* as(const core::Event* event) {
  return event == nullptr ? nullptr : std::get_if<T>(event);
}

class OrderOracle {
 public:
  OrderOracle(const UnitSet& set, Verdict& verdict)
      : set_(set),
        verdict_(verdict),
        told_(set),
        noted_(set.size(), core::UnitState::stopped),
        connections_(set.size()) {}

  void manager_began(const core::Supervisor& manager);
  void handled(const Judged& judged);
  /// What was not published was never decided.
  void turn_lost();

  [[nodiscard]] Told& told() { return told_; }
  [[nodiscard]] const Told& told() const { return told_; }
  [[nodiscard]] bool hurried() const { return hurried_; }
  /// A hurried shutdown ends then, whatever is left.
  [[nodiscard]] Instant last_moment() const {
    return hurried_since_ + core::Shutdown::kHurriedAtMost;
  }

 private:
  void judge(const Judged& judged, const core::Action& action);
  void judge_start(const Judged& judged, const core::Note& note);
  void judge_successor_told(const Judged& judged, UnitIndex unit);
  void judge_listening(const Judged& judged, const core::Note& note);
  void judge_connections(const Judged& judged, const core::Note& note);
  void judge_needs(const Judged& judged, const Edge& edge);
  void judge_after(const Edge& edge);
  void judge_step(const Judged& judged, const core::Spawn& spawn);
  void judge_spawn(const Judged& judged, const core::Spawn& spawn);
  void judge_stop(const Judged& judged, UnitIndex unit);
  void judge_kill(const Judged& judged, const core::Kill& kill);
  void judge_side_kill(const Judged& judged, const core::Kill& kill, const ToldProcess& process);
  void judge_beside_kill(const Judged& judged, const core::Kill& kill);
  void judge_sigkill(const Judged& judged, const core::Kill& kill);
  void judge_notes(const Judged& judged);
  [[nodiscard]] Duration timeout_of(UnitIndex unit, core::Role role) const;

  const UnitSet& set_;
  Verdict& verdict_;
  Told told_;
  std::vector<core::UnitState> noted_;            // by unit, as of the action that is being judged
  std::vector<std::deque<Instant>> connections_;  // by unit: when one started it
  bool hurried_ = false;
  Instant hurried_since_;
};

}  // namespace foster::sim
