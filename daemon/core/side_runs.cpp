// Processes beside the main one: hooks, condition commands, checks.
#include <algorithm>
#include <csignal>
#include <utility>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

constexpr Duration kConditionTimeout = std::chrono::seconds(30);
// Of a hook that the unit file has lost while it ran.
constexpr Duration kForgottenTimeout = std::chrono::seconds(30);
constexpr Duration kKillInterval = std::chrono::seconds(1);

HookPoint point_of(Role role) {
  switch (role) {
    case Role::pre_start:
      return HookPoint::pre_start;
    case Role::post_start:
      return HookPoint::post_start;
    case Role::pre_stop:
      return HookPoint::pre_stop;
    case Role::stop:
      return HookPoint::stop;
    case Role::post_stop:
      return HookPoint::post_stop;
    case Role::reload:
      return HookPoint::reload;
    case Role::main:
    case Role::condition:
    case Role::ready_check:
    case Role::health_check:
    case Role::successor:
      break;
  }
  FOSTER_CHECK(false);
}

const char* role_text(Role role) {
  switch (role) {
    case Role::main:
      return "main";
    case Role::condition:
      return "condition";
    case Role::pre_start:
      return "pre-start";
    case Role::post_start:
      return "post-start";
    case Role::pre_stop:
      return "pre-stop";
    case Role::stop:
      return "stop";
    case Role::post_stop:
      return "post-stop";
    case Role::reload:
      return "reload";
    case Role::ready_check:
      return "ready check";
    case Role::health_check:
      return "health check";
    case Role::successor:
      return "successor";
  }
  FOSTER_CHECK(false);
}

bool is_check(Role role) {
  return role == Role::ready_check || role == Role::health_check;
}

/// Whose failure the record's detail tells: of hooks and conditions on the way up.
bool belongs_to_start(Role role) {
  return role == Role::condition || role == Role::pre_start || role == Role::post_start;
}

Duration hook_timeout(const UnitSpec& spec, Role role) {
  if (role == Role::condition) return kConditionTimeout;
  if (!spec.hooks) return kForgottenTimeout;
  return spec.hooks->hooks[static_cast<size_t>(point_of(role))].timeout;
}

std::string program_of(const UnitSpec& spec, const SideRun& run) {
  if (run.role == Role::condition) {
    return run.index < spec.conditions.size() && !spec.conditions[run.index].command.empty()
               ? spec.conditions[run.index].command[0]
               : "command";
  }
  if (is_check(run.role)) return "command";
  const HookSpec* hook = hook_of(spec, point_of(run.role));
  return hook != nullptr && run.index < hook->commands.size() ? hook->commands[run.index][0]
                                                              : "command";
}

}  // namespace

bool UnitMachine::is_side(const UnitRecord& record, Attempt attempt) {
  return attempt.value != 0 && (attempt == record.hook.attempt || attempt == record.check.attempt);
}

/// Whether it is of an overlapped restart.
bool UnitMachine::is_beside(const UnitRecord& record, Attempt attempt) {
  return attempt.value != 0 &&
         (attempt == record.successor.attempt || attempt == record.former.attempt);
}

SideRun* UnitMachine::side_run(UnitIndex unit, Attempt attempt) {
  UnitRecord& record = ledger_.change(unit);
  if (attempt == record.hook.attempt) return &record.hook;
  return attempt == record.check.attempt ? &record.check : nullptr;
}

void UnitMachine::run_hook(UnitIndex unit, Role role, size_t index, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  FOSTER_CHECK(record.hook.attempt.value == 0);
  const Duration timeout = hook_timeout(spec(unit), role);
  record.hook = {.role = role, .index = static_cast<uint16_t>(index), .attempt = next_attempt()};
  if (timeout > Duration::zero()) record.hook.deadline = turn.now + timeout;
  const bool about_main = role != Role::condition && role != Role::pre_start;
  turn.actions.emplace_back(
      Spawn{.unit = unit,
            .attempt = record.hook.attempt,
            .role = role,
            .index = record.hook.index,
            .main_attempt = about_main ? record.attempt : Attempt{},
            .trigger = record.cause == Cause::on_failure ? record.blocker : 0});
  turn.actions.emplace_back(
      Note{.kind = NoteKind::hook,
           .unit = unit,
           .state = record.state,
           .cause = record.cause,
           .attempt = record.hook.attempt,
           .text = std::string(role_text(role)) + ": " + program_of(spec(unit), record.hook)});
}

/// False when the unit has no such hook.
bool UnitMachine::run_first_of(UnitIndex unit, Role role, const Turn& turn) {
  if (hook_of(spec(unit), point_of(role)) == nullptr) return false;
  run_hook(unit, role, 0, turn);
  return true;
}

/// False when that was the hook's last command.
bool UnitMachine::next_of(UnitIndex unit, const SideRun& run, const Turn& turn) {
  const HookSpec* hook = hook_of(spec(unit), point_of(run.role));
  const size_t next = run.index + size_t{1};
  if (hook == nullptr || next >= hook->commands.size()) return false;
  run_hook(unit, run.role, next, turn);
  return true;
}

void UnitMachine::run_check(UnitIndex unit, Role role, Duration timeout, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  FOSTER_CHECK(record.check.attempt.value == 0);
  record.check = {.role = role, .attempt = next_attempt(), .deadline = turn.now + timeout};
  const bool of_successor = awaits_successor(unit) && role == Role::ready_check;
  turn.actions.emplace_back(
      Spawn{.unit = unit,
            .attempt = record.check.attempt,
            .role = role,
            .main_attempt = of_successor ? record.successor.attempt : record.attempt});
}

void UnitMachine::kill_side(UnitIndex unit, SideRun& run, const Turn& turn) {
  if (!run.ended) run.killed = true;  // what is left of one that has ended says nothing of it
  run.deadline = turn.now + kKillInterval;
  turn.actions.emplace_back(
      Kill{.unit = unit, .attempt = run.attempt, .signal = SIGKILL, .group = true});
}

void UnitMachine::side_failed(UnitIndex unit, const SideRun& run, const std::string& how,
                              const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  SideRun& mine = *side_run(unit, run.attempt);
  mine.failed = true;
  if (is_check(run.role)) return;
  std::string text =
      std::string(role_text(run.role)) + ": " + program_of(spec(unit), run) + " " + how;
  const bool on_the_way_up =
      record.state == UnitState::starting || record.state == UnitState::running;
  if (on_the_way_up && belongs_to_start(run.role)) record.detail = text;
  turn.actions.emplace_back(Note{.kind = NoteKind::hook,
                                 .unit = unit,
                                 .state = record.state,
                                 .cause = Cause::hook,
                                 .attempt = run.attempt,
                                 .pid = run.pid,
                                 .text = std::move(text)});
}

void UnitMachine::side_exited(const Exited& event, const Turn& turn) {
  SideRun& run = *side_run(event.unit, event.attempt);
  const bool good = event.how.kind == ExitKind::code && event.how.value == 0;
  if (!run.ended && run.killed) run.failed = true;  // why has been told when it was killed
  if (!run.ended && !run.killed && !good) {
    side_failed(event.unit, run, how_text(event.how), turn);
  }
  run.ended = true;
  run.pid = 0;
  if (!event.group_remains) return side_over(event.unit, event.attempt, turn);
  kill_side(event.unit, run, turn);
}

void UnitMachine::side_over(UnitIndex unit, Attempt attempt, const Turn& turn) {
  turn.actions.emplace_back(Acknowledge{attempt});
  const SideRun run = std::exchange(*side_run(unit, attempt), SideRun{});
  if (is_check(run.role)) {
    check_over(unit, run, turn);
  } else {
    hook_over(unit, run, turn);
  }
}

void UnitMachine::hook_timed_out(UnitIndex unit, const Turn& turn) {
  SideRun& run = ledger_.change(unit).hook;
  const bool first = !run.killed && !run.ended;
  if (first) {
    side_failed(unit, run,
                "did not end within " + format_duration(hook_timeout(spec(unit), run.role)) +
                    " and was killed",
                turn);
  }
  kill_side(unit, run, turn);
  // A reload has failed then, whenever its command is gone: the next one has nothing of it.
  if (first && run.role == Role::reload) reload_over(unit, JobResult::failed, turn);
}

void UnitMachine::hook_over(UnitIndex unit, const SideRun& run, const Turn& turn) {
  switch (record(unit).state) {
    case UnitState::starting:
      return start_hook_over(unit, run, turn);
    case UnitState::running:
      return hook_over_while_up(unit, run, turn);
    case UnitState::stopping:
      return stop_hook_over(unit, run, turn);
    case UnitState::stopped:
    case UnitState::backoff:
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::waiting:
    case UnitState::skipped:
    case UnitState::listening:
      break;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::hook_over_while_up(UnitIndex unit, const SideRun& run, const Turn& turn) {
  const Step step = record(unit).step;
  if (step == Step::post_start) return start_hook_over(unit, run, turn);
  if (step != Step::reload) return;  // what a former manager left has gone
  // What a reload, or a restart that overlapped, has left was in the way of this one.
  if (run.role != Role::reload || run.killed) return begin_reload(unit, turn);
  if (run.failed) return reload_over(unit, JobResult::failed, turn);
  if (!next_of(unit, run, turn)) reload_over(unit, JobResult::done, turn);
}

}  // namespace foster::core
