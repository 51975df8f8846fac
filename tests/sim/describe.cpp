#include "tests/sim/describe.hpp"

#include <span>

#include "common/check.hpp"
#include "daemon/core/job_table.hpp"

namespace foster::sim {

using core::Acknowledge;
using core::Adopt;
using core::AdoptFailed;
using core::Begin;
using core::Cause;
using core::CheckConditions;
using core::ConditionsChecked;
using core::ConnectionSeen;
using core::EndDaemon;
using core::EndKin;
using core::Exited;
using core::ExitKind;
using core::FindMain;
using core::GroupEmptied;
using core::Health;
using core::InitialUnitsSettled;
using core::JobRef;
using core::JobResult;
using core::Kill;
using core::KillFailed;
using core::KinEnded;
using core::LastExit;
using core::ListenFailed;
using core::Listening;
using core::MainFound;
using core::MainNotFound;
using core::MaskChange;
using core::MeasureMemory;
using core::MemoryMeasured;
using core::Note;
using core::NoteKind;
using core::Notified;
using core::ReadySeen;
using core::Refusal;
using core::Reply;
using core::Request;
using core::Role;
using core::ShutdownRequest;
using core::SignalRequest;
using core::Spawn;
using core::Spawned;
using core::SpawnFailed;
using core::Step;
using core::TimerElapsed;
using core::UnitState;

namespace {

class Describer {
 public:
  explicit Describer(const UnitSet& set) : set_(set) {}

  std::string operator()(const Begin& event) const {
    return event.first_manager ? "begin" : "begin again";
  }
  std::string operator()(const Request& event) const {
    return core::verb_text(event.verb) + names(event.units) + " (token " +
           std::to_string(event.token) + ")";
  }
  std::string operator()(const SignalRequest& event) const {
    return "signal " + std::to_string(event.signal) + names(event.units) + " (token " +
           std::to_string(event.token) + ")";
  }
  std::string operator()(const ShutdownRequest& event) const {
    return "shutdown with " + std::to_string(event.exit_code);
  }
  std::string operator()(const Spawned& event) const {
    return "spawned" + who(event.unit, event.attempt) + " pid " + std::to_string(event.pid);
  }
  std::string operator()(const SpawnFailed& event) const {
    return "spawn failed" + who(event.unit, event.attempt) + ": " + event.message;
  }
  std::string operator()(const Exited& event) const {
    return "exited" + who(event.unit, event.attempt) + ": " + describe(event.how) +
           (event.group_remains ? ", group remains" : "");
  }
  std::string operator()(const GroupEmptied& event) const {
    return "group emptied" + who(event.unit, event.attempt);
  }
  std::string operator()(const KillFailed& event) const {
    return "kill failed" + who(event.unit, event.attempt) + ": errno " +
           std::to_string(event.error);
  }
  std::string operator()(const MaskChange& event) const {
    return (event.masked ? "mask" : "unmask") + name(event.unit);
  }
  std::string operator()(const TimerElapsed& event) const {
    return "timer elapsed" + name(event.unit);
  }
  std::string operator()(const ConditionsChecked& event) const {
    return "conditions" + name(event.unit) + " (token " + std::to_string(event.token) + ")" +
           (event.met ? " met" : " not met: " + event.reason);
  }
  std::string operator()(const ReadySeen& event) const {
    return "ready seen" + who(event.unit, event.attempt);
  }
  std::string operator()(const Listening& event) const { return "listening" + name(event.unit); }
  std::string operator()(const ConnectionSeen& event) const {
    return "connection" + name(event.unit);
  }
  std::string operator()(const ListenFailed& event) const {
    return "listen failed" + name(event.unit) + ": " + event.message;
  }
  std::string operator()(const Notified& event) const;
  std::string operator()(const MainFound& event) const {
    return "main found" + who(event.unit, event.attempt) + " pid " + std::to_string(event.pid);
  }
  std::string operator()(const MainNotFound& event) const {
    return "main not found" + who(event.unit, event.attempt) + ": " + event.message;
  }
  std::string operator()(const KinEnded& event) const {
    return "kin ended" + who(event.unit, event.attempt);
  }
  std::string operator()(const AdoptFailed& event) const {
    return "adopt failed" + who(event.unit, event.attempt) + ": errno " +
           std::to_string(event.error);
  }
  std::string operator()(const MemoryMeasured& event) const {
    return "memory" + who(event.unit, event.attempt) + ": " + std::to_string(event.bytes);
  }

  std::string operator()(const Spawn& action) const;
  std::string operator()(const Adopt& action) const {
    return "adopt" + who(action.unit, action.attempt) + " from #" +
           std::to_string(action.from.value) + " pid " + std::to_string(action.pid);
  }
  std::string operator()(const FindMain& action) const {
    return "find main" + who(action.unit, action.attempt);
  }
  std::string operator()(const EndKin& action) const {
    return "end kin" + who(action.unit, action.attempt) + " " + std::to_string(action.signal);
  }
  std::string operator()(const CheckConditions& action) const {
    return "check conditions" + name(action.unit) + " (token " + std::to_string(action.token) + ")";
  }
  std::string operator()(const MeasureMemory& action) const {
    return "measure memory" + who(action.unit, action.attempt);
  }
  std::string operator()(const Kill& action) const {
    return "kill" + who(action.unit, action.attempt) + " " + std::to_string(action.signal) +
           (action.group ? " group" : " main") + (action.with_continue ? " continue" : "");
  }
  std::string operator()(const Acknowledge& action) const {
    return "acknowledge #" + std::to_string(action.attempt.value) +
           (action.abandon ? " abandon" : "");
  }
  std::string operator()(const Reply& action) const {
    std::string said = "reply " + std::to_string(action.token) + ":";
    switch (action.refusal) {
      case Refusal::none:
        break;
      case Refusal::shutting_down:
        return said + " shutting down";
      case Refusal::not_running:
        return said + " not running" + name(action.refused_for);
      case Refusal::masked:
        return said + " masked" + name(action.refused_for);
      case Refusal::cannot_reload:
        return said + " cannot reload" + name(action.refused_for);
      case Refusal::cannot_overlap:
        return said + " cannot overlap" + name(action.refused_for);
    }
    for (const JobRef& job : action.jobs) {
      said += name(job.unit) + " job " + std::to_string(job.job.value);
    }
    return said;
  }
  std::string operator()(const Note& action) const;
  std::string operator()(const InitialUnitsSettled&) const { return "settled"; }
  std::string operator()(const EndDaemon& action) const {
    return "end with " + std::to_string(action.exit_code);
  }

 private:
  [[nodiscard]] std::string name(UnitIndex unit) const { return " " + set_[unit].name; }
  [[nodiscard]] std::string who(UnitIndex unit, Attempt attempt) const {
    return name(unit) + " #" + std::to_string(attempt.value);
  }
  [[nodiscard]] std::string names(std::span<const UnitIndex> units) const {
    std::string all;
    for (const UnitIndex unit : units)
      all += name(unit);
    return all;
  }

  const UnitSet& set_;
};

std::string Describer::operator()(const Notified& event) const {
  std::string said = "notified" + name(event.unit);
  if (event.attempt.value != 0) said += " #" + std::to_string(event.attempt.value);
  if (event.ready) said += " READY";
  if (event.reloading) said += " RELOADING";
  if (event.stopping) said += " STOPPING";
  if (event.watchdog) said += " WATCHDOG";
  if (event.watchdog_trigger) said += " WATCHDOG=trigger";
  if (event.main_pid) said += " MAINPID=" + std::to_string(*event.main_pid);
  if (event.watchdog_interval) {
    said += " WATCHDOG_USEC=" + std::to_string(event.watchdog_interval->count() / 1000);
  }
  if (event.extend_timeout) {
    said += " EXTEND_TIMEOUT_USEC=" + std::to_string(event.extend_timeout->count() / 1000);
  }
  if (event.service_errno) said += " ERRNO=" + std::to_string(*event.service_errno);
  if (event.status_text) said += " STATUS=" + *event.status_text;
  return said;
}

std::string Describer::operator()(const Spawn& action) const {
  std::string said = "spawn" + who(action.unit, action.attempt);
  if (action.role != Role::main) said += std::string(" ") + text(action.role);
  if (action.index != 0) said += " command " + std::to_string(action.index);
  if (action.main_attempt.value != 0) said += " for #" + std::to_string(action.main_attempt.value);
  if (action.trigger != 0) said += " because of" + name({action.trigger - 1});
  return said;
}

std::string Describer::operator()(const Note& action) const {
  const std::string unit = action.about_unit ? set_[action.unit].name + ": " : std::string();
  switch (action.kind) {
    case NoteKind::state:
      return unit + text(action.state) + " (" + text(action.cause) + ")" +
             (action.text.empty() ? "" : ", " + action.text);
    case NoteKind::exit:
      return unit + "noted " + describe(LastExit{.kind = action.exit_kind, .value = action.value});
    case NoteKind::signal:
      return unit + "noted signal " + std::to_string(action.value) +
             (action.text.empty() ? "" : ", " + action.text);
    case NoteKind::request:
      return unit + "noted request " + action.text;
    case NoteKind::hook:
      return unit + "noted hook, " + action.text;
    case NoteKind::health:
      return unit + "noted health, " + action.text;
    case NoteKind::ready:
      return unit + "noted ready";
    case NoteKind::shutdown:
      return "noted shutdown with " + std::to_string(action.value);
  }
  FOSTER_CHECK(false);
}

}  // namespace

const char* text(UnitState state) {
  switch (state) {
    case UnitState::stopped:
      return "stopped";
    case UnitState::starting:
      return "starting";
    case UnitState::running:
      return "running";
    case UnitState::stopping:
      return "stopping";
    case UnitState::backoff:
      return "backoff";
    case UnitState::exited:
      return "exited";
    case UnitState::failed:
      return "failed";
    case UnitState::waiting:
      return "waiting";
    case UnitState::skipped:
      return "skipped";
    case UnitState::listening:
      return "listening";
  }
  FOSTER_CHECK(false);
}

const char* text(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "none";
    case Cause::boot:
      return "boot";
    case Cause::request:
      return "request";
    case Cause::exit:
      return "exit";
    case Cause::spawn_failed:
      return "spawn failed";
    case Cause::rate_limited:
      return "rate limited";
    case Cause::shutdown:
      return "shutdown";
    case Cause::stop_timeout:
      return "stop timeout";
    case Cause::dependency:
      return "dependency";
    case Cause::conflict:
      return "conflict";
    case Cause::condition:
      return "condition";
    case Cause::start_timeout:
      return "start timeout";
    case Cause::hook:
      return "hook";
    case Cause::health:
      return "health";
    case Cause::watchdog:
      return "watchdog";
    case Cause::max_runtime:
      return "max runtime";
    case Cause::timer:
      return "timer";
    case Cause::on_failure:
      return "on failure";
    case Cause::masked:
      return "masked";
    case Cause::connection:
      return "connection";
  }
  FOSTER_CHECK(false);
}

const char* text(Role role) {
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
      return "ready-check";
    case Role::health_check:
      return "health-check";
    case Role::successor:
      return "successor";
  }
  FOSTER_CHECK(false);
}

const char* text(Step step) {
  switch (step) {
    case Step::none:
      return "none";
    case Step::conditions:
      return "conditions";
    case Step::pre_start:
      return "pre-start";
    case Step::command:
      return "command";
    case Step::find_main:
      return "find main";
    case Step::ready:
      return "ready";
    case Step::post_start:
      return "post-start";
    case Step::reload:
      return "reload";
    case Step::dependents:
      return "dependents";
    case Step::pre_stop:
      return "pre-stop";
    case Step::stop_command:
      return "stop command";
    case Step::signal:
      return "signal";
    case Step::post_stop:
      return "post-stop";
    case Step::overlap:
      return "overlap";
  }
  FOSTER_CHECK(false);
}

const char* text(Health health) {
  switch (health) {
    case Health::none:
      return "none";
    case Health::starting:
      return "starting";
    case Health::healthy:
      return "healthy";
    case Health::unhealthy:
      return "unhealthy";
  }
  FOSTER_CHECK(false);
}

const char* text(JobResult result) {
  switch (result) {
    case JobResult::none:
      return "none";
    case JobResult::done:
      return "done";
    case JobResult::failed:
      return "failed";
    case JobResult::superseded:
      return "superseded";
  }
  FOSTER_CHECK(false);
}

std::string describe(const UnitSet& set, const core::Event& event) {
  return std::visit(Describer(set), event);
}

std::string describe(const UnitSet& set, const core::Action& action) {
  return std::visit(Describer(set), action);
}

std::string describe(const UnitSet& set, UnitIndex unit) {
  constexpr const char* kTypes[] = {"simple", "oneshot", "notify", "forking", "group"};
  constexpr const char* kPolicies[] = {"always", "on-failure", "on-abnormal", "on-watchdog",
                                       "never"};
  const UnitSpec& spec = set[unit];
  std::string said = spec.name + ": " + kTypes[static_cast<size_t>(spec.type)] + ", restart " +
                     kPolicies[static_cast<size_t>(spec.restart.policy)];
  if (spec.ready) said += ", ready";
  if (spec.hooks) said += ", hooks";
  if (spec.health) said += ", health";
  if (!spec.conditions.empty()) said += ", conditions";
  if (spec.essential) said += ", essential";
  if (spec.remain_after_exit) said += ", remains";
  if (!spec.restart_dependents) said += ", spares dependents";
  for (const Edge& edge : set.graph().needs(unit))
    said += std::string("; ") + edge_text(edge.kind) + " " + set[edge.to].name;
  return said;
}

std::string describe(const LastExit& end) {
  const std::string value = std::to_string(end.value);
  switch (end.kind) {
    case ExitKind::none:
      return "no exit";
    case ExitKind::code:
      return "exit " + value;
    case ExitKind::signal:
      return "signal " + value;
    case ExitKind::core_dump:
      return "signal " + value + " with core";
    case ExitKind::spawn:
      return "spawn error " + value;
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::sim
