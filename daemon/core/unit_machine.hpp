// One unit's automaton (the model is in unit_state.hpp): a function per input, each a switch over
// all states. It works on the unit's record in the ledger and appends the actions that follow.
// What a unit's move means for others is propagation's business: it asks the gate whether this unit
// may go on, and calls the functions of the second group.
//
// While stopping with the goal up, the record's cause tells what comes after: causes of the unit's
// own making (restart_policy: decided_by_policy) lead to the restart policy; anything else means
// that a start is owed.
//
// The sources by theme: unit_machine (inputs), start_sequence, listening (starts by a connection),
// stop_sequence, endings, side_runs (processes of hooks and checks), overlap (restarts beside the
// old main process), readiness, health, notify, adoption (a main process that is found or named),
// resume (what a former manager left).
#pragma once

#include <vector>

#include "daemon/core/event.hpp"
#include "daemon/core/gate.hpp"
#include "daemon/core/job_table.hpp"
#include "daemon/core/ledger.hpp"
#include "daemon/core/random.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::core {

/// A process that not even SIGKILL ends is asked again, but not in a busy loop, however short its
/// timeout.
inline constexpr Duration kShortestKillInterval = std::chrono::seconds(1);

/// What the keeper was last told to send to a unit's processes; 0: nothing.
struct LastSignals {
  int main = 0;
  int successor = 0;
  int former = 0;
};

/// A main process that MAINPID, or the daemon that it has left, has taken over from, until it and
/// its group are gone.
struct FormerMain {
  UnitIndex unit;
  Attempt attempt;
  int32_t pid = 0;
  bool ended = false;  // and its end was counted; others of its group live
};

/// A start that the unit's end has brought about: of its on-failure unit, or its limit's.
struct OwedStart {
  UnitIndex unit;
  UnitIndex trigger;
};

struct StartWish {
  UnitIndex unit;
  Cause cause = Cause::request;
  uint32_t trigger = 0;  // of on_failure: one more than the unit that has failed
};

struct StopWish {
  UnitIndex unit;
  Goal goal = Goal::down;  // up: it is started again when it may
  Cause cause = Cause::request;
  uint32_t blocker = 0;  // for whose sake, with causes dependency and conflict
  bool restart = false;  // part of a restart
};

class UnitMachine {
 public:
  UnitMachine(Ledger& ledger, JobTable& jobs, uint64_t seed);

  /// Numbers up to this one have been given out.
  void resume_after(Attempt last) { last_attempt_ = last; }
  [[nodiscard]] Attempt last_attempt() const { return last_attempt_; }
  void remember_former(const FormerMain& former) { former_mains_.push_back(former); }

  // Inputs.
  void spawned(const Spawned& event, const Turn& turn);
  void spawn_failed(const SpawnFailed& event, const Turn& turn);
  void exited(const Exited& event, const Turn& turn);
  void group_emptied(const GroupEmptied& event, const Turn& turn);
  void conditions_checked(const ConditionsChecked& event, const Turn& turn);
  void ready_seen(const ReadySeen& event, const Turn& turn);
  void notified(const Notified& event, const Turn& turn);
  void main_found(const MainFound& event, const Turn& turn);
  void main_not_found(const MainNotFound& event, const Turn& turn);
  void kin_ended(const KinEnded& event, const Turn& turn);
  void adopt_failed(const AdoptFailed& event, const Turn& turn);
  void memory_measured(const MemoryMeasured& event, const Turn& turn);
  void sockets_opened(UnitIndex unit);
  void listen_failed(const ListenFailed& event, const Turn& turn);
  void timer_fired(UnitIndex unit, const Turn& turn);
  void hurried(UnitIndex unit, const Turn& turn);
  [[nodiscard]] bool can_reload(UnitIndex unit) const;
  void reload_requested(UnitIndex unit, const Turn& turn);
  void reset_requested(UnitIndex unit, const Turn& turn);
  /// Whether units of its type are restarted with an overlap, and whether this one can be now.
  [[nodiscard]] bool can_overlap(UnitIndex unit) const;
  [[nodiscard]] bool can_overlap_now(UnitIndex unit) const;
  void begin_overlap(UnitIndex unit, const Turn& turn);

  /// Whether a connection may start the unit, which listens; otherwise it has failed.
  [[nodiscard]] bool may_answer_connection(UnitIndex unit, const Turn& turn);

  // What the graph makes of things.
  /// Wanted up from now on.
  void want_up(const StartWish& wish, const Turn& turn);
  /// First half of a stop: the unit is on its way down, or there at once. `go_on_stopping` is the
  /// second, when all that are to stop together have been told.
  void want_stopped(const StopWish& wish, const Turn& turn);
  void go_on_stopping(UnitIndex unit, const Turn& turn);
  /// Something has changed for a unit that waits.
  void reconsider(UnitIndex unit, const Turn& turn);
  /// `by` has failed for good and this one, which has nothing that lives, cannot do without.
  void dependency_failed(UnitIndex unit, UnitIndex by, const Turn& turn);
  /// What had made it fail is up again.
  void revive(UnitIndex unit, const Turn& turn);

  /// Begin, for one unit: goes on where a former manager was.
  void resume(UnitIndex unit, const LastSignals& signals, const Turn& turn);
  /// Begin, after all were resumed: what is wanted up and has nothing that lives is started.
  void begun(UnitIndex unit, const Turn& turn);

  /// Units that came to rest by themselves since the last call and will not be started again.
  [[nodiscard]] std::vector<UnitIndex>& gone_for_good() { return gone_for_good_; }
  [[nodiscard]] std::vector<OwedStart>& owed_starts() { return owed_starts_; }
  /// Whether the limit of the unit to be started leaves room for it; otherwise that has failed.
  [[nodiscard]] bool may_answer_failure(const OwedStart& start, const Turn& turn);

 private:
  /// A question under way whose answer is told by its number.
  struct Question {
    UnitIndex unit;
    uint64_t number = 0;
  };
  struct Adoption {
    UnitIndex unit;
    Attempt attempt;
    int32_t pid = 0;
    bool orphaned = false;  // asked after the end of the former main process
  };

  [[nodiscard]] const UnitRecord& record(UnitIndex unit) const { return ledger_.record(unit); }
  [[nodiscard]] const UnitSpec& spec(UnitIndex unit) const { return ledger_.spec(unit); }
  Attempt next_attempt() { return {++last_attempt_.value}; }

  // start_sequence
  void start_afresh(const StartWish& wish, const Turn& turn);
  void start_attempt(const StartWish& wish, const Turn& turn);
  void begin_start(UnitIndex unit, Cause cause, uint32_t trigger, const Turn& turn);
  void start_from(UnitIndex unit, Step step, const Turn& turn);
  void check_conditions(UnitIndex unit, const Turn& turn);
  void next_condition(UnitIndex unit, size_t from, const Turn& turn);
  void skip(UnitIndex unit, std::string reason, const Turn& turn);
  void spawn_main(UnitIndex unit, const Turn& turn);
  void main_spawned(UnitIndex unit, int32_t pid, const Turn& turn);
  void main_known(UnitIndex unit, const Turn& turn);
  void finish_start(UnitIndex unit, const Turn& turn);
  void up(UnitIndex unit, const Turn& turn);
  void start_hook_over(UnitIndex unit, const SideRun& run, const Turn& turn);
  void start_timed_out(UnitIndex unit, const Turn& turn);
  void command_done(UnitIndex unit, const Turn& turn);
  [[nodiscard]] uint32_t take_trigger(UnitIndex unit);

  // listening
  void listen(UnitIndex unit, Cause cause, const Turn& turn);

  // readiness
  void await_ready(UnitIndex unit, const Turn& turn);
  void ready(UnitIndex unit, const Turn& turn);

  // stop_sequence
  void enter_stopping(UnitIndex unit, Cause cause, uint32_t blocker, const Turn& turn);
  void attempt_failed(UnitIndex unit, Cause cause, const Turn& turn);
  void resume_stopping(UnitIndex unit, int last_signal, const Turn& turn);
  void stop_next_step(UnitIndex unit, const Turn& turn);
  void stop_hook_over(UnitIndex unit, const SideRun& run, const Turn& turn);
  [[nodiscard]] bool held_by_dependents(UnitIndex unit);
  [[nodiscard]] uint32_t origin_of_stop(UnitIndex unit) const;
  [[nodiscard]] bool stop_hooks_apply(UnitIndex unit) const;
  [[nodiscard]] bool nothing_left(UnitIndex unit) const;
  void send_stop_signal(UnitIndex unit, const Turn& turn);
  void send_kill(UnitIndex unit, const Turn& turn);
  void note_signal(UnitIndex unit, Cause cause, int signal, const Turn& turn);
  void stop_finished(UnitIndex unit, const Turn& turn);
  void stop_if_resting(const StopWish& wish, const Turn& turn);

  // endings
  void count_exit(const Exited& event, const Turn& turn);
  void note_exit(const Exited& event, int32_t pid, const Turn& turn);
  void main_ended(UnitIndex unit, bool fresh, bool group_empty, const Turn& turn);
  [[nodiscard]] bool holds_command(UnitIndex unit) const;
  void main_ended_while_up(UnitIndex unit, const Turn& turn);
  void ended_by_itself(UnitIndex unit, Cause cause, const Turn& turn);
  void restart_after(UnitIndex unit, Cause cause, const Turn& turn);
  void limit_reached(UnitIndex unit, const std::string& text, const Turn& turn);
  void restart_by_itself(UnitIndex unit, Cause cause, const Turn& turn);
  void fail_for_good(UnitIndex unit, Cause cause, uint32_t blocker, const Turn& turn);
  void masked_failed(UnitIndex unit, const Turn& turn);
  void rest_stopped(UnitIndex unit, Cause cause, const Turn& turn, uint32_t blocker = 0);
  [[nodiscard]] bool ended_cleanly(UnitIndex unit, Cause cause) const;
  void start_owed(UnitIndex unit, const std::string& name);

  // side_runs
  [[nodiscard]] SideRun* side_run(UnitIndex unit, Attempt attempt);
  [[nodiscard]] static bool is_side(const UnitRecord& record, Attempt attempt);
  [[nodiscard]] static bool is_beside(const UnitRecord& record, Attempt attempt);
  void run_hook(UnitIndex unit, Role role, size_t index, const Turn& turn);
  bool run_first_of(UnitIndex unit, Role role, const Turn& turn);
  void run_check(UnitIndex unit, Role role, Duration timeout, const Turn& turn);
  void kill_side(UnitIndex unit, SideRun& run, const Turn& turn);
  void side_exited(const Exited& event, const Turn& turn);
  void side_over(UnitIndex unit, Attempt attempt, const Turn& turn);
  void side_failed(UnitIndex unit, const SideRun& run, const std::string& how, const Turn& turn);
  void hook_over(UnitIndex unit, const SideRun& run, const Turn& turn);
  void hook_over_while_up(UnitIndex unit, const SideRun& run, const Turn& turn);
  void hook_timed_out(UnitIndex unit, const Turn& turn);
  void resume_side_runs(UnitIndex unit, const Turn& turn);
  [[nodiscard]] bool next_of(UnitIndex unit, const SideRun& run, const Turn& turn);

  // overlap
  [[nodiscard]] static bool overlaps(const UnitRecord& record);
  [[nodiscard]] bool awaits_successor(UnitIndex unit) const;
  void spawn_successor(UnitIndex unit, const Turn& turn);
  void beside_spawned(const Spawned& event, const Turn& turn);
  void successor_ready(UnitIndex unit, const Turn& turn);
  void change_places(UnitIndex unit, const Turn& turn);
  void take_place(UnitIndex unit, const Turn& turn);
  void successor_takes_over(UnitIndex unit, const Turn& turn);
  void stop_beside(UnitIndex unit, SideRun& run, const Turn& turn);
  void signal_beside(UnitIndex unit, const SideRun& run, const Turn& turn);
  void note_beside(UnitIndex unit, const SideRun& run, int signal, const Turn& turn);
  void kill_beside(UnitIndex unit, SideRun& run, const Turn& turn);
  void stop_overlap(UnitIndex unit, const Turn& turn);
  void kill_overlap(UnitIndex unit, const Turn& turn);
  void successor_timed_out(UnitIndex unit, const Turn& turn);
  void successor_failed(const SpawnFailed& event, const Turn& turn);
  void successor_exited(const Exited& event, const Turn& turn);
  void former_exited(const Exited& event, const Turn& turn);
  void beside_over(UnitIndex unit, Attempt attempt, const Turn& turn);
  void overlap_over(UnitIndex unit, JobResult result, const Turn& turn);
  void beside_said(const Notified& event, const Turn& turn);
  void resume_overlap(UnitIndex unit, const LastSignals& signals, const Turn& turn);

  // health
  void begin_health(UnitIndex unit, const Turn& turn);
  void check_due(UnitIndex unit, const Turn& turn);
  void successor_check_due(UnitIndex unit, const Turn& turn);
  void successor_checked(UnitIndex unit, const SideRun& run, const Turn& turn);
  void resume_checks(UnitIndex unit, const Turn& turn);
  void check_over(UnitIndex unit, const SideRun& run, const Turn& turn);
  void health_checked(UnitIndex unit, bool good, const Turn& turn);
  void unhealthy(UnitIndex unit, std::string why, const Turn& turn);
  void note_health(UnitIndex unit, std::string text, const Turn& turn);

  // notify
  void begin_reload(UnitIndex unit, const Turn& turn);
  void reload_over(UnitIndex unit, JobResult result, const Turn& turn);
  void said_of_itself(UnitIndex unit, const Notified& event, const Turn& turn);
  void extend(UnitIndex unit, Duration by, const Turn& turn);
  void said_watchdog(UnitIndex unit, const Notified& event, const Turn& turn);
  void stops_itself(UnitIndex unit, const Turn& turn);
  void watchdog_failed(UnitIndex unit, std::string why, const Turn& turn);
  void note_ready(UnitIndex unit, const char* text, const Turn& turn);

  // adoption
  [[nodiscard]] bool adopting(UnitIndex unit) const;
  void adopt(UnitIndex unit, int32_t pid, const Turn& turn);
  void adopted(const Spawned& event, const Turn& turn);
  void adoption_failed(const AdoptFailed& event, const Adoption& asked, const Turn& turn);
  void release_command(UnitIndex unit, const Turn& turn);
  [[nodiscard]] FormerMain* former_main(Attempt attempt);
  [[nodiscard]] bool has_former_mains(UnitIndex unit) const;
  void former_main_ended(const Exited& event, const Turn& turn);
  void former_main_over(UnitIndex unit, Attempt attempt, const Turn& turn);
  void stop_former_main(UnitIndex unit, const Turn& turn);
  void kill_former_mains(UnitIndex unit, const Turn& turn);
  [[nodiscard]] bool may_have_kin(UnitIndex unit) const;
  void end_kin(UnitIndex unit, const Turn& turn);
  [[nodiscard]] bool take_adoption(UnitIndex unit, Attempt attempt, Adoption& taken);

  // resume
  void forgive_absence(UnitIndex unit, const Turn& turn);
  void resume_starting(UnitIndex unit, const Turn& turn);
  void resume_running(UnitIndex unit, int last_signal, const Turn& turn);

  Ledger& ledger_;
  Gate gate_;
  Random random_;
  JobTable& jobs_;
  Attempt last_attempt_;
  uint64_t last_question_ = 0;
  bool hurried_ = false;
  std::vector<Question> questions_;  // conditions that are being checked
  std::vector<Adoption> adoptions_;  // that the keeper has not answered
  std::vector<FormerMain> former_mains_;
  std::vector<OwedStart> triggers_;  // of units that wait before they answer a failure
  std::vector<UnitIndex> gone_for_good_;
  std::vector<OwedStart> owed_starts_;
};

}  // namespace foster::core
