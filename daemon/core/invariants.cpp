#include "daemon/core/invariants.hpp"

#include "common/check.hpp"
#include "daemon/core/readiness.hpp"

namespace foster::core {
namespace {

bool mainless(const UnitSpec& spec) {
  return spec.type == ServiceType::group;
}

bool only_for_processes(const UnitRecord& record) {
  return record.watchdog_deadline.ns != 0 || record.runtime_deadline.ns != 0 ||
         record.check_next.ns != 0 || record.start_deadline.ns != 0;
}

const char* broken_without_process(const UnitRecord& record) {
  if (record.pid != 0) return "a unit without a process has no pid";
  if (!record.over) return "a unit whose newest attempt is not over is not at rest";
  if (record.hook.attempt.value != 0) return "a hook runs only while its unit does something";
  if (record.check.attempt.value != 0) return "a check runs only while its unit does something";
  if (record.successor.attempt.value != 0) return "a successor is of a unit that runs";
  if (record.former.attempt.value != 0) return "a former main process is waited for";
  if (record.killed) return "a unit without a process is not being killed";
  if (record.claimed_pid != 0) return "a unit without a process has named no other";
  if (record.step != Step::none) return "a unit that does nothing is at no step";
  if (record.health != Health::none) return "a unit that does nothing has no health";
  if (only_for_processes(record)) return "a unit without a process waits for no process";
  return nullptr;
}

const char* broken_at_rest(const UnitRecord& record) {
  if (record.deadline.ns != 0) return "a unit at rest waits for nothing";
  if (record.job_verb != Verb::none) return "a job ends when its unit comes to rest";
  return broken_without_process(record);
}

const char* broken_stopped(const UnitRecord& record) {
  if (record.goal != Goal::down) return "a stopped unit is wanted down";
  return broken_at_rest(record);
}

const char* broken_waiting(const UnitRecord& record) {
  if (record.goal != Goal::up) return "a waiting unit is wanted up";
  if (record.blocker == 0) return "a waiting unit waits for another";
  if (record.deadline.ns != 0) return "a waiting unit waits for no timer";
  if (record.job_verb != Verb::none && record.job_verb != Verb::start &&
      record.job_verb != Verb::restart && record.job_verb != Verb::overlap) {
    return "a waiting unit is being started";
  }
  return broken_without_process(record);
}

const char* broken_listening(const UnitSpec& spec, const UnitRecord& record) {
  if (!starts_on_connection(spec)) return "only a unit that starts on a connection listens";
  if (record.goal != Goal::up) return "a listening unit is wanted up";
  if (record.started.ns != 0) return "a listening unit has not begun to start";
  if (record.deadline.ns != 0) return "a listening unit waits for no timer";
  if (record.ready && record.job_verb != Verb::none) return "a job ends once sockets are open";
  return broken_without_process(record);
}

const char* broken_start_step(const UnitSpec& spec, const UnitRecord& record) {
  const bool ended = record.exit_attempt >= record.attempt;
  switch (record.step) {
    case Step::conditions:
    case Step::pre_start:
      return record.pid == 0 ? nullptr : "before the command there is no main process";
    case Step::command:
      return ended ? "a command that works has not ended" : nullptr;
    case Step::find_main:
      if (spec.type != ServiceType::forking) return "only forking units' main processes are found";
      return nullptr;
    case Step::ready:
      if (ready_kind(spec) == ReadyKind::none) return "readiness is waited for where it is shown";
      [[fallthrough]];
    case Step::post_start:
      if (ended && !mainless(spec) && spec.type != ServiceType::oneshot &&
          record.claimed_pid == 0) {
        return "a unit on its way up has its main process";
      }
      return nullptr;
    case Step::none:
    case Step::reload:
    case Step::dependents:
    case Step::pre_stop:
    case Step::stop_command:
    case Step::signal:
    case Step::post_stop:
    case Step::overlap:
      return "a starting unit is at a step of its start";
  }
  FOSTER_CHECK(false);
}

const char* broken_starting(const UnitSpec& spec, const UnitRecord& record) {
  if (record.goal != Goal::up) return "a starting unit is wanted up";
  if (record.deadline.ns != 0) return "a starting unit waits for no restart and no end";
  if (record.was_up) return "a starting unit has not been up yet";
  if (record.killed) return "a starting unit is not being killed";
  if (record.health != Health::none) return "a starting unit has no health";
  if (record.job_verb == Verb::stop) return "a starting unit is not being stopped";
  if (record.job_verb == Verb::reload) return "only what is up is reloaded";
  if (record.successor.attempt.value != 0) return "a unit on its way up has no successor";
  return broken_start_step(spec, record);
}

const char* broken_oneshot(const UnitRecord& record) {
  const bool ended = record.exit_attempt >= record.attempt;
  if (record.step == Step::command) return ended ? "a command that works has not ended" : nullptr;
  if (record.step != Step::post_start) return "a running oneshot works";
  return ended ? nullptr : "a oneshot's commands come before its post-start";
}

const char* broken_overlap(const UnitRecord& record) {
  const bool two = record.successor.attempt.value != 0 || record.former.attempt.value != 0;
  // What a crash has swallowed keeps its role until it is made up for.
  const bool lost = record.successor.role == Role::successor;
  if (record.step != Step::overlap) {
    return two ? "two main processes are an overlap" : nullptr;
  }
  if (!two && !lost) return "an overlap takes two";
  return nullptr;
}

const char* broken_running(const UnitSpec& spec, const UnitRecord& record) {
  if (record.goal != Goal::up) return "a running unit is wanted up";
  if (record.job_verb == Verb::stop) return "a running unit is not being stopped";
  if (record.killed) return "a running unit is not being killed";
  if (spec.type == ServiceType::oneshot) return broken_oneshot(record);
  if (record.step != Step::none && record.step != Step::reload && record.step != Step::overlap) {
    return "a running unit runs, or is being reloaded, or replaced";
  }
  if (const char* broken = broken_overlap(record)) return broken;
  if (record.deadline.ns != 0 && record.step != Step::reload) {
    return "a running unit waits for no timer";
  }
  if (!record.was_up) return "a running unit is up";
  if (record.start_deadline.ns != 0) return "a running unit's start is over";
  const bool replaced = record.step == Step::overlap &&
                        (record.job_verb == Verb::restart || record.job_verb == Verb::overlap);
  if (record.job_verb != Verb::none && record.job_verb != Verb::reload && !replaced) {
    return "a start is done once the unit is up";
  }
  if (mainless(spec)) return record.pid == 0 ? nullptr : "a group has no process";
  if (record.claimed_pid != 0) return nullptr;  // it may be between two main processes
  if (record.pid == 0) return "a running unit has a process";
  if (record.exit_attempt >= record.attempt) return "a running unit's attempt has not ended";
  return nullptr;
}

const char* broken_stopping(const UnitRecord& record) {
  if (record.step < Step::dependents) return "a stopping unit is at a step of its stop";
  if (record.step == Step::signal && !record.over && record.deadline.ns == 0) {
    return "a unit that was signalled has a deadline";
  }
  if (record.exit_attempt > record.attempt) return "only attempts that were made can end";
  if (record.exit_attempt == record.attempt && record.pid != 0) {
    return "a main process that was reaped has no pid";
  }
  if (record.health != Health::none) return "a stopping unit has no health";
  if (only_for_processes(record)) return "a stopping unit waits for its end alone";
  if (record.job_verb == Verb::reload) return "only what is up is reloaded";
  if (record.goal == Goal::down && record.job_verb != Verb::none && record.job_verb != Verb::stop) {
    return "a unit that is wanted down is not being started";
  }
  if (record.goal == Goal::up && record.job_verb == Verb::stop) {
    return "a unit that is being stopped is wanted down";
  }
  return nullptr;
}

const char* broken_backoff(const UnitRecord& record) {
  if (record.goal != Goal::up) return "a unit that is to be restarted is wanted up";
  if (record.deadline.ns == 0) return "a unit in backoff has a deadline";
  if (record.job_verb != Verb::none) return "a job ends with the first attempt";
  if (record.failures == 0) return "a unit in backoff has failed at least once";
  return broken_without_process(record);
}

const char* broken_side_run(const SideRun& run) {
  if (run.attempt.value != 0) return nullptr;
  if (run.pid != 0) return "a hook or check that does not run has no pid";
  if (run.deadline.ns != 0) return "a hook or check that does not run has no deadline";
  return nullptr;
}

}  // namespace

const char* broken_invariant(const UnitSpec& spec, const UnitRecord& record) {
  if (const char* broken = broken_side_run(record.successor)) return broken;
  if (const char* broken = broken_side_run(record.former)) return broken;
  if (const char* broken = broken_side_run(record.hook)) return broken;
  if (const char* broken = broken_side_run(record.check)) return broken;
  switch (record.state) {
    case UnitState::stopped:
      return broken_stopped(record);
    case UnitState::starting:
      return broken_starting(spec, record);
    case UnitState::running:
      return broken_running(spec, record);
    case UnitState::stopping:
      return broken_stopping(record);
    case UnitState::backoff:
      return broken_backoff(record);
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return broken_at_rest(record);
    case UnitState::waiting:
      return broken_waiting(record);
    case UnitState::listening:
      return broken_listening(spec, record);
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::core
