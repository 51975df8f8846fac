// The way down: dependents, pre-stop, the stop command or signal, post-stop.
#include <algorithm>
#include <csignal>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

bool main_lives(const UnitRecord& record) {
  return record.attempt > record.exit_attempt && !record.over;
}

/// A unit that was `listening`, and was up by its sockets alone.
bool only_listened(const UnitSpec& spec, const UnitRecord& record) {
  return starts_on_connection(spec) && record.was_up && record.started.ns == 0;
}

/// A oneshot that has exited and stopped by that, or one whose command was not run: all that is
/// left is to wait for its dependents.
bool was_done_before(const UnitSpec& spec, const UnitRecord& record) {
  if (only_listened(spec, record)) return true;
  return spec.type == ServiceType::oneshot && !spec.remain_after_exit && record.was_up &&
         !decided_by_policy(record.cause);
}

}  // namespace

void UnitMachine::enter_stopping(UnitIndex unit, Cause cause, uint32_t blocker, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const bool before_pre_start =
      record.state == UnitState::starting && record.step == Step::conditions;
  release_command(unit, turn);
  record.claimed_pid = 0;
  if (before_pre_start) {
    std::erase_if(questions_, [unit](const Question& asked) { return asked.unit == unit; });
  }
  const bool overlap_failed = record.step == Step::overlap && decided_by_policy(cause);
  if (record.job_verb == Verb::reload || overlap_failed) {
    JobTable::finish(record, JobResult::failed);
  }
  ledger_.enter(unit, UnitState::stopping, cause, turn, blocker);
  record.step = before_pre_start ? Step::post_stop : Step::dependents;
  if (record.hook.attempt.value != 0) kill_side(unit, record.hook, turn);
  if (record.check.attempt.value != 0) kill_side(unit, record.check, turn);
  stop_overlap(unit, turn);
  stop_former_main(unit, turn);
}

bool UnitMachine::nothing_left(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  if (!record.over || record.hook.attempt.value != 0 || record.check.attempt.value != 0 ||
      adopting(unit) || overlaps(record) || has_former_mains(unit) || may_have_kin(unit)) {
    return false;
  }
  return hook_of(spec(unit), HookPoint::post_stop) == nullptr || record.step == Step::conditions;
}

/// What the unit does by itself: there is no waiting for others.
void UnitMachine::attempt_failed(UnitIndex unit, Cause cause, const Turn& turn) {
  if (nothing_left(unit)) {
    release_command(unit, turn);
    return ended_by_itself(unit, cause, turn);
  }
  enter_stopping(unit, cause, 0, turn);
  go_on_stopping(unit, turn);
}

void UnitMachine::go_on_stopping(UnitIndex unit, const Turn& turn) {
  while (record(unit).state == UnitState::stopping && record(unit).hook.attempt.value == 0) {
    const Step before = record(unit).step;
    stop_next_step(unit, turn);
    if (record(unit).state != UnitState::stopping || record(unit).step == before) return;
  }
}

/// Goes on from the step that is done; stays at it where it is not.
void UnitMachine::stop_next_step(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const Duration timeout = spec(unit).stop.timeout;
  switch (record.step) {
    case Step::dependents:
      if (held_by_dependents(unit)) return;
      record.step = Step::pre_stop;
      if (stop_hooks_apply(unit)) run_first_of(unit, Role::pre_stop, turn);
      return;
    case Step::pre_stop:
      record.step = Step::stop_command;
      if (!stop_hooks_apply(unit)) return;
      if (run_first_of(unit, Role::stop, turn)) record.deadline = turn.now + timeout;
      return;
    case Step::stop_command:
      record.step = Step::signal;
      if (record.over) return;
      if (record.deadline.ns == 0) record.deadline = turn.now + timeout;
      if (!record.killed) send_stop_signal(unit, turn);
      return;
    case Step::signal:
      stop_former_main(unit, turn);
      if (!record.over || record.check.attempt.value != 0 || adopting(unit) || overlaps(record)) {
        return;
      }
      if (may_have_kin(unit)) {
        if (record.kin_asked != record.attempt) end_kin(unit, turn);
        return;
      }
      record.deadline = {};
      if (spec(unit).type == ServiceType::oneshot && record.goal == Goal::up && !record.was_up &&
          ended_cleanly(unit, record.cause)) {
        return command_done(unit, turn);
      }
      record.step = Step::post_stop;
      if (!hurried_ && !was_done_before(spec(unit), record)) {
        run_first_of(unit, Role::post_stop, turn);
      }
      return;
    case Step::post_stop:
      return stop_finished(unit, turn);
    case Step::none:
    case Step::conditions:
    case Step::pre_start:
    case Step::command:
    case Step::find_main:
    case Step::ready:
    case Step::post_start:
    case Step::reload:
    case Step::overlap:
      break;
  }
  FOSTER_CHECK(false);
}

bool UnitMachine::held_by_dependents(UnitIndex unit) {
  if (decided_by_policy(record(unit).cause) || hurried_) return false;
  const std::optional<UnitIndex> dependent = gate_.stop(unit);
  UnitRecord& record = ledger_.change(unit);
  record.blocker = dependent ? dependent->value + 1 : origin_of_stop(unit);
  return dependent.has_value();
}

/// For whose sake it stops: while it waits for others, its blocker is one of these.
uint32_t UnitMachine::origin_of_stop(UnitIndex unit) const {
  const Cause cause = record(unit).cause;
  if (cause != Cause::conflict && cause != Cause::dependency) return 0;
  for (const Edge& edge : ledger_.set().graph().needs(unit)) {
    const UnitRecord& other = record(edge.to);
    const bool rival = edge.kind == EdgeKind::conflicts && other.goal == Goal::up;
    const bool leaves = (edge.kind == EdgeKind::requires_unit || edge.kind == EdgeKind::binds_to ||
                         edge.kind == EdgeKind::part_of) &&
                        !is_up(spec(edge.to), other);
    if (cause == Cause::conflict ? rival : leaves) return edge.to.value + 1;
  }
  return 0;
}

bool UnitMachine::stop_hooks_apply(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  if (!record.was_up || hurried_ || record.cause == Cause::watchdog) return false;
  if (main_lives(record)) return true;
  const ServiceType type = spec(unit).type;
  const bool mainless = type == ServiceType::group || type == ServiceType::oneshot;
  return mainless && !was_done_before(spec(unit), record) && !decided_by_policy(record.cause);
}

void UnitMachine::stop_hook_over(UnitIndex unit, const SideRun& run, const Turn& turn) {
  const Step step = record(unit).step;
  const bool of_this_step = (step == Step::pre_stop && run.role == Role::pre_stop) ||
                            (step == Step::stop_command && run.role == Role::stop) ||
                            (step == Step::post_stop && run.role == Role::post_stop);
  const bool more = of_this_step && !run.failed && !record(unit).killed && !hurried_;
  if (more && next_of(unit, run, turn)) return;
  go_on_stopping(unit, turn);
}

void UnitMachine::send_stop_signal(UnitIndex unit, const Turn& turn) {
  const StopSpec& stop = spec(unit).stop;
  const UnitRecord& record = this->record(unit);
  const bool main_gone = record.exit_attempt >= record.attempt;
  const bool aborts = record.cause == Cause::watchdog && !main_gone;
  const int signal = aborts ? SIGABRT : stop.signal;
  const bool group =
      main_gone || (!aborts && stop.scope == SignalScope::group) || signal == SIGKILL;
  turn.actions.emplace_back(Kill{.unit = unit,
                                 .attempt = record.attempt,
                                 .signal = signal,
                                 .group = group,
                                 .with_continue = true});
  note_signal(unit, record.cause, signal, turn);
}

void UnitMachine::send_kill(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const bool first = !record.killed;
  record.killed = true;
  record.deadline = {};
  if (record.hook.attempt.value != 0) kill_side(unit, record.hook, turn);
  if (record.check.attempt.value != 0) kill_side(unit, record.check, turn);
  kill_overlap(unit, turn);
  if (hurried_) kill_former_mains(unit, turn);
  if (record.over) {
    if (may_have_kin(unit) && record.kin_asked == record.attempt) end_kin(unit, turn);
    return;
  }
  record.deadline = turn.now + std::max(spec(unit).stop.timeout, kShortestKillInterval);
  turn.actions.emplace_back(
      Kill{.unit = unit, .attempt = record.attempt, .signal = SIGKILL, .group = true});
  if (first) note_signal(unit, Cause::stop_timeout, SIGKILL, turn);
}

void UnitMachine::note_signal(UnitIndex unit, Cause cause, int signal, const Turn& turn) {
  const UnitRecord& record = this->record(unit);
  turn.actions.emplace_back(Note{.kind = NoteKind::signal,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = cause,
                                 .attempt = record.attempt,
                                 .pid = record.pid,
                                 .value = signal});
}

void UnitMachine::stop_finished(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const Cause cause = record.cause;
  if (record.goal == Goal::up) {
    if (decided_by_policy(cause)) return ended_by_itself(unit, cause, turn);
    record.detail.clear();
    return start_attempt({unit, cause}, turn);
  }
  if (record.killed && cause != Cause::shutdown) {
    return rest_stopped(unit, Cause::stop_timeout, turn);
  }
  const bool for_others = cause == Cause::conflict || cause == Cause::dependency;
  if (for_others || cause == Cause::shutdown) {
    return rest_stopped(unit, cause, turn, for_others ? record.blocker : 0);
  }
  rest_stopped(unit, Cause::request, turn);
}

}  // namespace foster::core
