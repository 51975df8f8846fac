// One unit's automaton (the model is in unit_state.hpp): a function per input, each a switch over
// all states. It works on the unit's record in the ledger and appends the actions that follow.
//
// While stopping with the goal up, the record's cause tells what comes after: `exit` means that
// nobody asked for the stop (the main process is gone, others of its group remain), so the restart
// policy decides; anything else means that a start is owed.
#pragma once

#include <vector>

#include "daemon/core/event.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/ledger.hpp"
#include "daemon/core/random.hpp"

namespace foster::core {

class UnitMachine {
 public:
  UnitMachine(Ledger& ledger, JobTable& jobs, uint64_t seed);

  /// Numbers up to this one have been given out.
  void resume_after(Attempt last) { last_attempt_ = last; }
  [[nodiscard]] Attempt last_attempt() const { return last_attempt_; }

  /// Begin, for one unit with its goal set. `last_signal`: what the keeper was last told to send
  /// it.
  void begun(UnitIndex unit, int last_signal, const Turn& turn);

  JobId requested(UnitIndex unit, Verb verb, const Turn& turn);

  void spawned(const Spawned& event, const Turn& turn);
  void spawn_failed(const SpawnFailed& event, const Turn& turn);
  void exited(const Exited& event, const Turn& turn);
  void group_emptied(const GroupEmptied& event, const Turn& turn);
  void timer_fired(UnitIndex unit, const Turn& turn);
  void shutdown_begun(UnitIndex unit, const Turn& turn);
  void hurried(UnitIndex unit, const Turn& turn);

  /// Units that came to rest by themselves since the last call and will not be started again.
  [[nodiscard]] std::vector<UnitIndex>& gone_for_good() { return gone_for_good_; }

 private:
  void start_requested(UnitIndex unit, const Turn& turn);
  void stop_requested(UnitIndex unit, const Turn& turn);
  void restart_requested(UnitIndex unit, const Turn& turn);

  void start_attempt(UnitIndex unit, Cause cause, const Turn& turn);
  void start_afresh(UnitIndex unit, const Turn& turn);
  void restart_by_itself(UnitIndex unit, Cause cause, const Turn& turn);
  void begin_stop(UnitIndex unit, Cause cause, bool main_gone, const Turn& turn);
  void send_stop_signal(UnitIndex unit, bool main_gone, const Turn& turn);
  void send_kill(UnitIndex unit, const Turn& turn);

  void count_exit(const Exited& event, const Turn& turn);
  void main_gone(UnitIndex unit, const Turn& turn);
  void attempt_over(UnitIndex unit, const Turn& turn);
  void stop_finished(UnitIndex unit, const Turn& turn);
  void ended_by_itself(UnitIndex unit, const Turn& turn);
  void rest_for_good(UnitIndex unit, UnitState state, Cause cause, const Turn& turn);
  void rest_stopped(UnitIndex unit, Cause cause, const Turn& turn);

  Ledger& ledger_;
  Random random_;
  JobTable& jobs_;
  Attempt last_attempt_;
  std::vector<UnitIndex> gone_for_good_;
};

}  // namespace foster::core
