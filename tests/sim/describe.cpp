#include "tests/sim/describe.hpp"

#include <span>

#include "common/check.hpp"
#include "daemon/core/job_table.hpp"

namespace foster::sim {

using core::Acknowledge;
using core::Begin;
using core::Cause;
using core::EndDaemon;
using core::Exited;
using core::ExitKind;
using core::GroupEmptied;
using core::InitialUnitsSettled;
using core::JobRef;
using core::JobResult;
using core::Kill;
using core::KillFailed;
using core::LastExit;
using core::Note;
using core::NoteKind;
using core::Refusal;
using core::Reply;
using core::Request;
using core::ShutdownRequest;
using core::SignalRequest;
using core::Spawn;
using core::Spawned;
using core::SpawnFailed;
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

  std::string operator()(const Spawn& action) const {
    return "spawn" + who(action.unit, action.attempt);
  }
  std::string operator()(const Kill& action) const {
    return "kill" + who(action.unit, action.attempt) + " " + std::to_string(action.signal) +
           (action.group ? " group" : " main") + (action.with_continue ? " continue" : "");
  }
  std::string operator()(const Acknowledge& action) const {
    return "acknowledge #" + std::to_string(action.attempt.value);
  }
  std::string operator()(const Reply& action) const {
    std::string said = "reply " + std::to_string(action.token) + ":";
    if (action.refusal == Refusal::shutting_down) return said + " shutting down";
    if (action.refusal == Refusal::not_running) {
      return said + " not running" + name(action.refused_for);
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
