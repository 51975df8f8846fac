#include "daemon/core/invariants.hpp"

#include "common/check.hpp"

namespace foster::core {
namespace {

const char* broken_at_rest(const UnitRecord& record) {
  if (record.pid != 0) return "a unit at rest has no process";
  if (record.deadline.ns != 0) return "a unit at rest waits for nothing";
  if (record.job_verb != Verb::none) return "a job ends when its unit comes to rest";
  if (record.killed) return "a unit at rest is not being killed";
  return nullptr;
}

const char* broken_stopped(const UnitRecord& record) {
  if (record.goal != Goal::down) return "a stopped unit is wanted down";
  return broken_at_rest(record);
}

const char* broken_ended(const UnitRecord& record) {
  if (record.exit_attempt != record.attempt) return "an ended unit's end is counted";
  return broken_at_rest(record);
}

const char* broken_starting(const UnitRecord& record) {
  if (record.goal != Goal::up) return "a starting unit is wanted up";
  if (record.pid != 0) return "a starting unit's process is not known yet";
  if (record.deadline.ns != 0) return "a starting unit waits for no timer";
  if (record.exit_attempt >= record.attempt) return "a starting unit's attempt has not ended";
  if (record.job_verb == Verb::stop) return "a starting unit is not being stopped";
  return nullptr;
}

const char* broken_running(const UnitSpec& spec, const UnitRecord& record) {
  if (record.goal != Goal::up) return "a running unit is wanted up";
  if (record.pid == 0) return "a running unit has a process";
  if (record.deadline.ns != 0) return "a running unit waits for no timer";
  if (record.exit_attempt >= record.attempt) return "a running unit's attempt has not ended";
  if (record.job_verb == Verb::stop) return "a running unit is not being stopped";
  if (spec.type == ServiceType::simple && record.job_verb != Verb::none) {
    return "a simple unit's start is done once it runs";
  }
  return nullptr;
}

const char* broken_stopping(const UnitRecord& record) {
  if (record.deadline.ns == 0) return "a stopping unit has a deadline";
  if (record.exit_attempt > record.attempt) return "only attempts that were made can end";
  if (record.exit_attempt == record.attempt && record.pid != 0) {
    return "a main process that was reaped has no pid";
  }
  if (record.goal == Goal::down && record.cause == Cause::exit) {
    return "a unit that is wanted down stops because it was asked to";
  }
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
  if (record.pid != 0) return "a unit in backoff has no process";
  if (record.exit_attempt != record.attempt) return "a unit in backoff has ended";
  if (record.job_verb != Verb::none) return "a job ends with the first attempt";
  if (record.failures == 0) return "a unit in backoff has failed at least once";
  return nullptr;
}

}  // namespace

const char* broken_invariant(const UnitSpec& spec, const UnitRecord& record) {
  switch (record.state) {
    case UnitState::stopped:
      return broken_stopped(record);
    case UnitState::starting:
      return broken_starting(record);
    case UnitState::running:
      return broken_running(spec, record);
    case UnitState::stopping:
      return broken_stopping(record);
    case UnitState::backoff:
      return broken_backoff(record);
    case UnitState::waiting:
      return nullptr;
    case UnitState::exited:
    case UnitState::failed:
    case UnitState::skipped:
      return broken_ended(record);
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::core
