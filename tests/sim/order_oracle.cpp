#include "tests/sim/order_oracle.hpp"

#include <algorithm>
#include <csignal>

#include "common/check.hpp"
#include "daemon/core/restart_policy.hpp"

namespace foster::sim {

using core::Cause;
using core::Goal;
using core::Role;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

const core::Reply* reply_of(const Judged& judged) {
  for (const core::Action& action : judged.actions) {
    if (const auto* reply = std::get_if<core::Reply>(&action)) return reply;
  }
  return nullptr;
}

void OrderOracle::handled(const Judged& judged) {
  if (as<core::Begin>(judged.event) != nullptr) hurried_ = false;
  if (as<core::ShutdownRequest>(judged.event) != nullptr && judged.was_shutting_down) {
    if (!hurried_) hurried_since_ = judged.now;
    hurried_ = true;
  }
  if (judged.event != nullptr) told_.event(*judged.event, judged.now);
  // Whoever asks for a unit forgives it how often it was started by connections.
  const auto* request = as<core::Request>(judged.event);
  for (size_t i = 0; request != nullptr && i < request->units.size(); ++i)
    connections_[request->units[i].value].clear();
  for (const core::Action& action : judged.actions) {
    judge(judged, action);
    const auto* note = std::get_if<core::Note>(&action);
    if (note != nullptr && note->kind == core::NoteKind::state) {
      noted_[note->unit.value] = note->state;
    }
    // What a user sends stops nothing as far as the order is concerned.
    if (as<core::SignalRequest>(judged.event) == nullptr) told_.action(action, judged.now);
  }
  judge_notes(judged);
}

void OrderOracle::manager_began(const core::Supervisor& manager) {
  for (uint32_t i = 0; i < set_.size(); ++i)
    noted_[i] = manager.record({i}).state;
}

void OrderOracle::turn_lost() {
  told_.lost();
  for (std::deque<Instant>& starts : connections_)
    starts.clear();
}

void OrderOracle::judge_notes(const Judged& judged) {
  for (uint32_t i = 0; i < set_.size(); ++i) {
    if (noted_[i] == judged.manager.record({i}).state) continue;
    verdict_.fail({i}, "its state is not what was last noted of it");
  }
}

void OrderOracle::judge(const Judged& judged, const core::Action& action) {
  if (const auto* note = std::get_if<core::Note>(&action)) {
    const UnitIndex unit = note->unit;
    if (note->kind == core::NoteKind::ready && note->attempt.value != 0 &&
        note->attempt == told_[unit].successor && !told_.can_change_places(unit, judged.now)) {
      verdict_.fail(unit, "the main process was changed for one that is not ready");
    }
    if (note->kind != core::NoteKind::state) return;
    if (note->state == UnitState::listening) return judge_listening(judged, *note);
    if (note->state == UnitState::stopping) return judge_successor_told(judged, unit);
    judge_connections(judged, *note);
    if (note->state == UnitState::starting && !told_.is_succeeded(unit)) {
      judge_start(judged, *note);
    }
  } else if (const auto* spawn = std::get_if<core::Spawn>(&action)) {
    judge_spawn(judged, *spawn);
  } else if (const auto* kill = std::get_if<core::Kill>(&action)) {
    judge_kill(judged, *kill);
  }
}

void OrderOracle::judge_start(const Judged& judged, const core::Note& note) {
  const UnitIndex unit = note.unit;
  if (judged.was_shutting_down) verdict_.fail(unit, "it was started during a shutdown");
  if (told_[unit].masked) verdict_.fail(unit, "it is masked, and was started");
  if (told_.lives(unit)) verdict_.fail(unit, "it was started before its last run was over");
  // What restarts by itself has seen the completion before.
  const bool by_itself = core::decided_by_policy(note.cause);
  for (const Edge& edge : set_.graph().needs(unit)) {
    if (edge.kind != EdgeKind::completed || !by_itself) judge_needs(judged, edge);
  }
}

/// A stop is for both main processes, and the end of the one is no stop of the other.
void OrderOracle::judge_successor_told(const Judged& judged, UnitIndex unit) {
  const ToldUnit& told = told_[unit];
  const bool hopeful = told_.find(unit, told.successor) != nullptr && !told.successor_doomed;
  if (!hopeful || told.uncertain) return;
  const auto* ended = as<core::Exited>(judged.event);
  const bool of_main = ended != nullptr && ended->unit == unit && ended->attempt == told.main;
  if (of_main && noted_[unit.value] == UnitState::running) {
    verdict_.fail(unit, "its main process has ended, and the successor has not got its place");
  }
  const bool told_now = std::ranges::any_of(judged.actions, [&](const core::Action& action) {
    const auto* kill = std::get_if<core::Kill>(&action);
    return kill != nullptr && kill->attempt == told.successor;
  });
  if (!told_now) verdict_.fail(unit, "it stops, and its successor goes on");
}

void OrderOracle::judge_listening(const Judged& judged, const core::Note& note) {
  const UnitIndex unit = note.unit;
  // Who asks for the unit opens another window.
  if (note.cause == Cause::request) connections_[unit.value].clear();
  if (judged.was_shutting_down) verdict_.fail(unit, "it listens in a shutdown");
  if (told_[unit].masked) verdict_.fail(unit, "it is masked, and listens");
  if (told_.lives(unit)) verdict_.fail(unit, "it listens before its last run was over");
  for (const Edge& edge : set_.graph().needs(unit)) {
    const bool conflict = edge.kind == EdgeKind::conflicts;
    if (conflict && told_.lives(edge.to)) verdict_.fail(unit, "it listens beside another");
  }
}

/// Windows follow each other, so that an interval can touch two.
void OrderOracle::judge_connections(const Judged& judged, const core::Note& note) {
  const auto* seen = as<core::ConnectionSeen>(judged.event);
  const bool begins = note.state == UnitState::starting || note.state == UnitState::waiting;
  if (seen == nullptr || seen->unit != note.unit || !begins) return;
  if (note.cause != Cause::connection) return;
  const DescriptorsSpec& spec = *set_[note.unit].descriptors;
  std::deque<Instant>& starts = connections_[note.unit.value];
  starts.push_back(judged.now);
  while (judged.now - starts.front() >= spec.trigger_interval)
    starts.pop_front();
  if (spec.trigger_limit != 0 && starts.size() > 2 * spec.trigger_limit) {
    verdict_.fail(note.unit, "connections start it too often");
  }
}

void OrderOracle::judge_needs(const Judged& judged, const Edge& edge) {
  const UnitState state = noted_[edge.to.value];
  const std::string name = set_[edge.to].name;
  switch (edge.kind) {
    case EdgeKind::requires_unit:
      if (state == UnitState::skipped) return;
      [[fallthrough]];
    case EdgeKind::binds_to:
      if (starts_on_connection(set_[edge.to]) && !core::at_rest(state)) {
        if (state == UnitState::listening && !told_[edge.to].listens)
          verdict_.fail(edge.from, "it was started before the sockets of this were open: " + name);
        return;
      }
      if ((state != UnitState::running && state != UnitState::exited) ||
          !told_.can_be_up(edge.to, judged.now)) {
        verdict_.fail(edge.from, "it was started before what it needs was up: " + name);
      }
      return;
    case EdgeKind::completed:
      if (state != UnitState::skipped && !told_[edge.to].ever_completed) {
        verdict_.fail(edge.from, "it was started before this had completed: " + name);
      }
      return;
    case EdgeKind::after:
      return judge_after(edge);
    case EdgeKind::conflicts:
      if (told_.lives(edge.to) || state == UnitState::listening) {
        verdict_.fail(edge.from, "it was started beside " + name);
      }
      return;
    case EdgeKind::wants:
    case EdgeKind::part_of:
      return;
  }
}

void OrderOracle::judge_after(const Edge& edge) {
  const UnitState state = noted_[edge.to.value];
  const std::string name = set_[edge.to].name;
  if (starts_on_connection(set_[edge.to]) && state == UnitState::starting) return;
  if (state == UnitState::stopping) {
    return verdict_.fail(edge.from, "it was started while this was stopping: " + name);
  }
  if (state == UnitState::starting && !told_[edge.to].ever_up && told_[edge.to].runs == 1) {
    verdict_.fail(edge.from, "it was started before this was up: " + name);
  }
}

/// The steps of a start, each after all that come before it have succeeded.
void OrderOracle::judge_step(const Judged& judged, const core::Spawn& spawn) {
  const ToldUnit& told = told_[spawn.unit];
  const HookSpec* pre_start = hook_of(set_[spawn.unit], HookPoint::pre_start);
  if (told.uncertain) return;
  if (spawn.role == Role::main) {
    const bool prepared = pre_start == nullptr || told.pre_started == pre_start->commands.size();
    if (!prepared) verdict_.fail(spawn.unit, "its command does not wait for pre-start");
    if (told.commands_done != spawn.index) verdict_.fail(spawn.unit, "a command out of order");
  } else if (spawn.role == Role::pre_start && told.pre_started != spawn.index) {
    verdict_.fail(spawn.unit, "a pre-start command out of order");
  } else if (spawn.role == Role::post_start) {
    if (told.post_started != spawn.index) {
      verdict_.fail(spawn.unit, "a post-start command out of order");
    }
    if (!told_.can_be_ready(spawn.unit, judged.now)) {
      verdict_.fail(spawn.unit, "post-start comes before it is ready");
    }
  }
}

void OrderOracle::judge_spawn(const Judged& judged, const core::Spawn& spawn) {
  const UnitState state = noted_[spawn.unit.value];
  judge_step(judged, spawn);
  switch (spawn.role) {
    case Role::main:
    case Role::condition:
    case Role::pre_start:
      if (judged.was_shutting_down) verdict_.fail(spawn.unit, "it was started during a shutdown");
      if (spawn.role == Role::main && told_.lives(spawn.unit) && !told_[spawn.unit].uncertain) {
        verdict_.fail(spawn.unit, "its command was started before all else was over");
      }
      // Without the region the news of an end are taken for a process that lives.
      if (told_[spawn.unit].uncertain) break;
      for (const Edge& edge : set_.graph().needs(spawn.unit)) {
        if (edge.kind == EdgeKind::conflicts && told_.lives(edge.to)) {
          verdict_.fail(spawn.unit, "it runs beside " + set_[edge.to].name);
        }
      }
      break;
    case Role::pre_stop:
    case Role::stop:
      if (spawn.index == 0 && !told_[spawn.unit].told_to_stop) judge_stop(judged, spawn.unit);
      if (hurried_) verdict_.fail(spawn.unit, "a hook runs in a hurried shutdown");
      break;
    case Role::post_stop:
      if (hurried_) verdict_.fail(spawn.unit, "a hook runs in a hurried shutdown");
      for (const ToldProcess& process : told_[spawn.unit].living) {
        if (is_main(process.role) && !process.over)
          verdict_.fail(spawn.unit, "post-stop comes before the end");
      }
      break;
    case Role::post_start:
    case Role::reload:
    case Role::ready_check:
    case Role::health_check:
    case Role::successor:
      if (state != UnitState::starting && state != UnitState::running) {
        verdict_.fail(spawn.unit, "it is looked after though it is not up");
      }
      break;
  }
}

/// The first step of a stop, in the order of which this may come now.
void OrderOracle::judge_stop(const Judged& judged, UnitIndex unit) {
  const UnitRecord& record = judged.manager.record(unit);
  const UnitSpec& spec = set_[unit];
  // One request may both restart it, sparing its dependents, and start what it conflicts with.
  const auto* request = as<core::Request>(judged.event);
  if (request != nullptr && request->verb != Verb::stop && !spec.restart_dependents) return;
  const bool restarted = (record.job_verb == Verb::restart || record.job_verb == Verb::overlap) &&
                         record.cause == Cause::request && spec.restart_dependents;
  const bool orderly = record.goal == Goal::down || restarted;
  const ToldUnit& told = told_[unit];
  if (hurried_ || !orderly || told.main_gone || told.stops_itself || told.uncertain) return;
  for (const Edge& edge : set_.graph().needed_by(unit)) {
    if (!orders(edge.kind) || !told_.lives(edge.from)) continue;
    const bool propagates = edge.kind == EdgeKind::requires_unit || edge.kind == EdgeKind::binds_to;
    const bool stopping = noted_[edge.from.value] == UnitState::stopping;
    if (!propagates && !stopping) continue;
    verdict_.fail(unit, "it is stopped before what depends on it: " + set_[edge.from].name);
  }
}

void OrderOracle::judge_kill(const Judged& judged, const core::Kill& kill) {
  const UnitRecord& record = judged.manager.record(kill.unit);
  const UnitSpec& spec = set_[kill.unit];
  const ToldProcess* process = told_.find(kill.unit, kill.attempt);
  if (process == nullptr) {
    const std::vector<Attempt>& handed_over = told_[kill.unit].handed_over;
    if (std::ranges::count(handed_over, kill.attempt) > 0) return;
    return verdict_.fail(kill.unit, "a signal was sent to an old attempt");
  }
  if (as<core::SignalRequest>(judged.event) != nullptr) return;
  if (!is_main(process->role)) return judge_side_kill(judged, kill, *process);
  const ToldUnit& told = told_[kill.unit];
  const bool former = (told.changed_places.ns != 0 && kill.attempt < told.main) ||
                      (told.uncertain && kill.attempt == record.former.attempt);
  if (kill.attempt == told.successor || former || (told.main_gone && told.successor.value != 0)) {
    return judge_beside_kill(judged, kill);
  }
  const bool reload = record.state == UnitState::running && spec.hooks &&
                      kill.signal == spec.hooks->reload_signal && !kill.group;
  if (reload) return;
  if (record.state != UnitState::stopping) {
    return verdict_.fail(kill.unit, "it is killed but not stopping");
  }
  if (!told_[kill.unit].told_to_stop) judge_stop(judged, kill.unit);
  if (kill.signal == spec.stop.signal && kill.with_continue) {
    if (!kill.group && spec.stop.scope == SignalScope::group) {
      verdict_.fail(kill.unit, "the group is spared");
    }
    return;
  }
  if (kill.signal == SIGABRT && uses_notify(spec) && !kill.group) return;  // its watchdog's
  if (kill.signal != SIGKILL) {
    return verdict_.fail(kill.unit, "it is sent a signal that nobody asked for");
  }
  judge_sigkill(judged, kill);
}

/// Of two main processes, the one that goes: by the stop signal and the stop timeout. One that was
/// to come and failed is killed at once.
void OrderOracle::judge_beside_kill(const Judged& judged, const core::Kill& kill) {
  const UnitSpec& spec = set_[kill.unit];
  const ToldUnit& told = told_[kill.unit];
  if (kill.signal == spec.stop.signal && kill.with_continue) return;
  if (kill.signal != SIGKILL || !kill.group) {
    return verdict_.fail(kill.unit, "it is sent a signal that nobody asked for");
  }
  if (kill.attempt == told.successor || hurried_ || told.uncertain) return;
  const bool repeated = as<core::Begin>(judged.event) != nullptr;
  const bool due = judged.now >= told.changed_places + spec.stop.timeout;
  if (!due && !repeated && !told.stopping) verdict_.fail(kill.unit, "SIGKILL is premature");
}

void OrderOracle::judge_sigkill(const Judged& judged, const core::Kill& kill) {
  const UnitRecord& record = judged.manager.record(kill.unit);
  const ToldUnit& told = told_[kill.unit];
  if (!kill.group) verdict_.fail(kill.unit, "SIGKILL spares the group");
  if (told.uncertain) return;
  const bool due = (told.stopping || told.stops_itself) &&
                   judged.now >= told.stop_began + set_[kill.unit].stop.timeout;
  const bool repeated = as<core::Begin>(judged.event) != nullptr && record.killed;
  if (!hurried_ && !repeated && !due) verdict_.fail(kill.unit, "SIGKILL is premature");
}

void OrderOracle::judge_side_kill(const Judged& judged, const core::Kill& kill,
                                  const ToldProcess& process) {
  const UnitRecord& record = judged.manager.record(kill.unit);
  if (kill.signal != SIGKILL || !kill.group) {
    return verdict_.fail(kill.unit, "a hook or check is sent another signal than SIGKILL");
  }
  const bool due = judged.now >= process.asked + timeout_of(kill.unit, process.role);
  // What is not needed any more may go at once: in a stop, and what a hook has left in its group.
  const bool unneeded =
      (record.state != UnitState::starting && record.state != UnitState::running) ||
      record.step == core::Step::overlap;
  // A new manager kills again what it finds killed.
  const bool repeated = as<core::Begin>(judged.event) != nullptr;
  const bool unknown = told_[kill.unit].uncertain || repeated;
  if (!due && !unneeded && !unknown && !hurried_ && !process.gone && !process.condemned) {
    verdict_.fail(kill.unit, "a hook or check is killed before its time is over");
  }
}

Duration OrderOracle::timeout_of(UnitIndex unit, Role role) const {
  const UnitSpec& spec = set_[unit];
  const auto hook = [&](HookPoint point) {
    const HookSpec* found = hook_of(spec, point);
    return found == nullptr ? Duration::zero() : found->timeout;
  };
  switch (role) {
    case Role::pre_start:
      return hook(HookPoint::pre_start);
    case Role::post_start:
      return hook(HookPoint::post_start);
    case Role::pre_stop:
      return hook(HookPoint::pre_stop);
    case Role::stop:
      return hook(HookPoint::stop);
    case Role::post_stop:
      return hook(HookPoint::post_stop);
    case Role::reload:
      return hook(HookPoint::reload);
    case Role::health_check:
      return spec.health ? spec.health->timeout : Duration::zero();
    case Role::condition:
    case Role::ready_check:  // within the start timeout, which ends it
    case Role::main:
    case Role::successor:
      return Duration::zero();
  }
  FOSTER_CHECK(false);
}

}  // namespace foster::sim
