// The way up: conditions, pre-start, the command, readiness, post-start.
#include <algorithm>
#include <utility>

#include "common/check.hpp"
#include "common/unit/duration_text.hpp"
#include "daemon/core/readiness.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {
namespace {

bool needs_no_process(const ConditionSpec& condition) {
  return condition.kind != ConditionKind::command;
}

const Argv& command_of(const UnitSpec& spec, size_t index) {
  return index == 0 ? spec.command : spec.more_commands[index - 1];
}

}  // namespace

void UnitMachine::start_afresh(const StartWish& wish, const Turn& turn) {
  UnitRecord& record = ledger_.change(wish.unit);
  record.failures = 0;
  if (wish.cause != Cause::on_failure) record.window_count = 0;
  if (wish.cause == Cause::request) record.trigger_count = 0;
  record.detail.clear();
  start_attempt(wish, turn);
}

void UnitMachine::start_attempt(const StartWish& wish, const Turn& turn) {
  const UnitIndex unit = wish.unit;
  if (record(unit).masked) return masked_failed(unit, turn);
  const Verdict verdict = gate_.start(unit, wish.cause);
  switch (verdict.passage) {
    case Passage::open:
      return begin_start(unit, wish.cause, wish.trigger, turn);
    case Passage::wait:
      if (wish.trigger != 0) triggers_.push_back({unit, {wish.trigger - 1}});
      return ledger_.enter(unit, UnitState::waiting, wish.cause, turn, verdict.by.value + 1);
    case Passage::failed:
      return dependency_failed(unit, verdict.by, turn);
  }
  FOSTER_CHECK(false);
}

void UnitMachine::reconsider(UnitIndex unit, const Turn& turn) {
  if (record(unit).state != UnitState::waiting) return;
  const Verdict verdict = gate_.start(unit, record(unit).cause);
  switch (verdict.passage) {
    case Passage::open:
      return begin_start(unit, record(unit).cause, take_trigger(unit), turn);
    case Passage::wait:
      if (record(unit).blocker == verdict.by.value + 1) return;
      ledger_.change(unit).blocker = verdict.by.value + 1;
      ledger_.move(unit);
      return;
    case Passage::failed:
      return dependency_failed(unit, verdict.by, turn);
  }
  FOSTER_CHECK(false);
}

void UnitMachine::revive(UnitIndex unit, const Turn& turn) {
  ledger_.change(unit).detail.clear();
  start_attempt({unit, Cause::dependency}, turn);
}

uint32_t UnitMachine::take_trigger(UnitIndex unit) {
  const auto found = std::ranges::find(triggers_, unit, &OwedStart::unit);
  if (found == triggers_.end()) return 0;
  const uint32_t trigger = found->trigger.value + 1;
  triggers_.erase(found);
  return trigger;
}

void UnitMachine::begin_start(UnitIndex unit, Cause cause, uint32_t trigger, const Turn& turn) {
  if (listens_first(spec(unit), cause)) return listen(unit, cause, turn);
  if (record(unit).masked) return masked_failed(unit, turn);
  UnitRecord& record = ledger_.change(unit);
  record.started = {};
  record.running = {};
  record.command_index = 0;
  record.ready = false;
  record.was_up = false;
  record.claimed_pid = 0;
  record.service_errno = 0;
  record.check_failures = 0;
  record.check_successes = 0;
  record.watchdog = spec(unit).health ? spec(unit).health->watchdog : Duration::zero();
  record.status_text.clear();
  ledger_.enter(unit, UnitState::starting, cause, turn, trigger);
  start_from(unit, Step::conditions, turn);
}

void UnitMachine::start_from(UnitIndex unit, Step step, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const UnitSpec& spec = this->spec(unit);
  if (step == Step::conditions && !spec.conditions.empty()) {
    record.step = Step::conditions;
    return check_conditions(unit, turn);
  }
  if (step == Step::conditions || step == Step::pre_start) {
    record.step = Step::pre_start;
    if (run_first_of(unit, Role::pre_start, turn)) return;
  }
  if (spec.type == ServiceType::group) return main_known(unit, turn);
  spawn_main(unit, turn);
}

void UnitMachine::check_conditions(UnitIndex unit, const Turn& turn) {
  if (std::ranges::none_of(spec(unit).conditions, needs_no_process)) {
    return next_condition(unit, 0, turn);
  }
  questions_.push_back({unit, ++last_question_});
  turn.actions.emplace_back(CheckConditions{unit, last_question_});
}

void UnitMachine::conditions_checked(const ConditionsChecked& event, const Turn& turn) {
  const auto asked = [&event](const Question& question) {
    return question.unit == event.unit && question.number == event.token;
  };
  if (std::erase_if(questions_, asked) == 0) return;
  if (!event.met) return skip(event.unit, event.reason, turn);
  next_condition(event.unit, 0, turn);
}

void UnitMachine::next_condition(UnitIndex unit, size_t from, const Turn& turn) {
  const std::vector<ConditionSpec>& conditions = spec(unit).conditions;
  for (size_t i = from; i < conditions.size(); ++i) {
    if (!needs_no_process(conditions[i])) return run_hook(unit, Role::condition, i, turn);
  }
  start_from(unit, Step::pre_start, turn);
}

void UnitMachine::skip(UnitIndex unit, std::string reason, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.detail = std::move(reason);
  JobTable::finish(record, JobResult::done);
  ledger_.enter(unit, UnitState::skipped, Cause::condition, turn);
}

void UnitMachine::spawn_main(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::command;
  record.attempt = next_attempt();
  record.started = turn.now;
  record.over = false;
  record.pid = 0;
  const Duration timeout = start_timeout(spec(unit));
  if (record.command_index == 0 && timeout > Duration::zero()) {
    record.start_deadline = turn.now + timeout;
  }
  turn.actions.emplace_back(
      Spawn{.unit = unit,
            .attempt = record.attempt,
            .index = record.command_index,
            .trigger = record.cause == Cause::on_failure ? record.blocker : 0});
}

void UnitMachine::main_spawned(UnitIndex unit, int32_t pid, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.pid = pid;
  record.running = turn.now;
  record.detail.clear();
  switch (spec(unit).type) {
    case ServiceType::simple:
    case ServiceType::notify:
      return main_known(unit, turn);
    case ServiceType::oneshot:
      if (record.state == UnitState::running) return;
      ledger_.enter(unit, UnitState::running, record.cause, turn, record.blocker);
      record.step = Step::command;
      if (spec(unit).health && spec(unit).health->max_runtime > Duration::zero()) {
        record.runtime_deadline = turn.now + spec(unit).health->max_runtime;
      }
      return;
    case ServiceType::forking:
      if (record.step == Step::find_main) main_known(unit, turn);  // adopted before a handover
      return;
    case ServiceType::group:
      break;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::main_known(UnitIndex unit, const Turn& turn) {
  if (record(unit).ready || ready_kind(spec(unit)) == ReadyKind::none) {
    return finish_start(unit, turn);
  }
  await_ready(unit, turn);
}

/// What the unit itself has to do is done, but for post-start.
void UnitMachine::finish_start(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.step = Step::post_start;
  record.check_next = {};
  if (record.hook.attempt.value != 0) return;  // its end leads on
  if (!run_first_of(unit, Role::post_start, turn)) up(unit, turn);
}

void UnitMachine::up(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.was_up = true;
  record.start_deadline = {};
  record.detail.clear();
  if (spec(unit).type == ServiceType::oneshot) {
    record.runtime_deadline = {};
    record.step = Step::none;
    const Ending success{Cause::exit, true};
    const bool stays =
        spec(unit).remain_after_exit && !restart_wanted(spec(unit), success, record.last_exit);
    if (!stays && !nothing_left(unit)) {
      return attempt_failed(unit, Cause::exit, turn);
    }
    return ended_by_itself(unit, Cause::exit, turn);
  }
  record.ready = true;
  JobTable::finish(record, JobResult::done);
  ledger_.enter(unit, UnitState::running, record.cause, turn, record.blocker);
  begin_health(unit, turn);
  if (!overlaps(record)) return;
  record.step = Step::overlap;
  record.check_next = {};
}

/// A oneshot's command has ended with success, and nothing is left of it.
void UnitMachine::command_done(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  if (record.state != UnitState::running) {
    ledger_.enter(unit, UnitState::running, record.cause, turn);
  }
  if (record.command_index >= spec(unit).more_commands.size()) return finish_start(unit, turn);
  ++record.command_index;
  FOSTER_CHECK(!command_of(spec(unit), record.command_index).empty());
  spawn_main(unit, turn);
}

void UnitMachine::start_hook_over(UnitIndex unit, const SideRun& run, const Turn& turn) {
  switch (record(unit).step) {
    case Step::conditions: {
      if (run.role != Role::condition) return check_conditions(unit, turn);
      const std::vector<ConditionSpec>& conditions = spec(unit).conditions;
      const bool negated = run.index < conditions.size() && conditions[run.index].negated;
      if (run.failed == negated) {
        ledger_.change(unit).detail.clear();
        return next_condition(unit, run.index + size_t{1}, turn);
      }
      std::string reason = negated ? "a command that was to fail succeeded" : record(unit).detail;
      return skip(unit, std::move(reason), turn);
    }
    case Step::pre_start:
      if (run.role != Role::pre_start) return start_from(unit, Step::pre_start, turn);
      if (run.failed) return attempt_failed(unit, Cause::hook, turn);
      if (!next_of(unit, run, turn)) start_from(unit, Step::command, turn);
      return;
    case Step::post_start:
      if (run.role != Role::post_start) return finish_start(unit, turn);
      if (run.failed) return attempt_failed(unit, Cause::hook, turn);
      if (!next_of(unit, run, turn)) up(unit, turn);
      return;
    case Step::command:  // what a former manager left has gone
    case Step::find_main:
    case Step::ready:
      return;
    case Step::none:
    case Step::reload:
    case Step::dependents:
    case Step::pre_stop:
    case Step::stop_command:
    case Step::signal:
    case Step::post_stop:
    case Step::overlap:
      break;
  }
  FOSTER_CHECK(false);
}

void UnitMachine::start_timed_out(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  record.start_deadline = {};
  const UnitSpec& spec = this->spec(unit);
  const bool runs_anyway = spec.ready && spec.ready->on_timeout == ReadyTimeout::run;
  if (runs_anyway && record.step == Step::ready) return ready(unit, turn);
  if (runs_anyway && record.step == Step::command && spec.type != ServiceType::forking &&
      spec.type != ServiceType::oneshot) {
    record.ready = true;
    return;
  }
  record.detail = "was not up within " + format_duration(start_timeout(spec));
  attempt_failed(unit, Cause::start_timeout, turn);
}

}  // namespace foster::core
