#include "tests/sim/told.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace foster::sim {

using core::ExitKind;
using core::Role;

namespace {

bool is_clean(const UnitSpec& spec, const core::LastExit& how) {
  return how.kind == ExitKind::code && std::ranges::count(spec.success_exit_codes, how.value) > 0;
}

bool begins_stop(Role role) {
  return role == Role::pre_stop || role == Role::stop;
}

}  // namespace

Told::Told(const UnitSet& set) : set_(set), units_(set.size()), committed_(set.size()) {}

void Told::event(const core::Event& event, Instant now) {
  if (const auto* spawned_event = std::get_if<core::Spawned>(&event)) {
    spawned(*spawned_event);
  } else if (const auto* exited_event = std::get_if<core::Exited>(&event)) {
    exited(*exited_event);
  } else if (const auto* emptied = std::get_if<core::GroupEmptied>(&event)) {
    const ToldProcess* gone = find(emptied->unit, emptied->attempt);
    if (gone != nullptr && gone->gone) over(emptied->unit, emptied->attempt);
  } else if (const auto* unspawned = std::get_if<core::SpawnFailed>(&event)) {
    failed(unspawned->unit, unspawned->attempt);
  } else if (const auto* unadopted = std::get_if<core::AdoptFailed>(&event)) {
    over(unadopted->unit, unadopted->attempt);
  } else if (const auto* seen = std::get_if<core::ReadySeen>(&event)) {
    ToldUnit& unit = units_[seen->unit.value];
    if (seen->attempt == unit.main && !unit.main_gone) unit.ready = true;
    if (seen->attempt == unit.successor) unit.successor_ready = true;
  } else if (const auto* said = std::get_if<core::Notified>(&event)) {
    this->said(*said, now);
  } else if (const auto* listening = std::get_if<core::Listening>(&event)) {
    units_[listening->unit.value].listens = true;
  } else if (const auto* change = std::get_if<core::MaskChange>(&event)) {
    units_[change->unit.value].masked = change->masked;
  }
  for (uint32_t i = 0; i < units_.size(); ++i)
    units_[i].ever_up = units_[i].ever_up || can_be_up({i}, now);
}

void Told::said(const core::Notified& event, Instant now) {
  ToldUnit& unit = units_[event.unit.value];
  if (event.attempt.value != 0 && event.attempt == unit.successor) {
    unit.successor_ready = unit.successor_ready || event.ready;
  }
  if (event.attempt.value != 0 && event.attempt != unit.main) return;
  if (event.ready && unit.executed && has_main(unit)) unit.ready = true;
  if (event.stopping && unit.executed && !unit.main_gone && !unit.stopping) {
    if (!unit.stops_itself) unit.stop_began = now;
    unit.stops_itself = true;
  }
  if (event.extend_timeout) unit.extended += *event.extend_timeout + (now - unit.asked);
}

void Told::action(const core::Action& action, Instant now) {
  const auto* note = std::get_if<core::Note>(&action);
  if (note != nullptr && note->kind == core::NoteKind::state) {
    // What is started without having listened first has its sockets opened for that.
    bool& listens = units_[note->unit.value].listens;
    listens = !core::at_rest(note->state) && (listens || note->state == core::UnitState::starting);
  }
  if (note != nullptr && note->kind == core::NoteKind::ready && note->attempt.value != 0 &&
      note->attempt == units_[note->unit.value].successor) {
    return change_places(note->unit, now);
  }
  if (note != nullptr && note->kind == core::NoteKind::state &&
      note->state == core::UnitState::starting) {
    if (is_succeeded(note->unit)) return take_over(note->unit, now);
    return begins(note->unit);
  }
  if (const auto* spawn = std::get_if<core::Spawn>(&action)) return asked(*spawn, now);
  if (const auto* kill = std::get_if<core::Kill>(&action)) return sent(*kill, now);
  if (const auto* adopt = std::get_if<core::Adopt>(&action)) {
    units_[adopt->unit.value].living.push_back(
        {.attempt = adopt->attempt, .adopting = true, .asked = now});
  } else if (const auto* end = std::get_if<core::Acknowledge>(&action); end && end->abandon) {
    for (uint32_t i = 0; i < units_.size(); ++i)
      over({i}, end->attempt);
  }
}

/// The main process goes on as the former one, of which only the end is of interest.
void Told::change_places(UnitIndex index, Instant now) {
  ToldUnit& unit = units_[index.value];
  unit.main = std::exchange(unit.successor, Attempt{});
  unit.executed = unit.ready = true;
  unit.main_gone = unit.stops_itself = false;
  unit.asked = unit.successor_asked;
  unit.changed_places = now;
}

void Told::take_over(UnitIndex index, Instant now) {
  ToldUnit& unit = units_[index.value];
  unit.main = std::exchange(unit.successor, Attempt{});
  unit.executed = unit.successor_executed;
  unit.ready = unit.successor_ready;
  unit.main_gone = unit.adopted = unit.stops_itself = false;
  unit.post_started = unit.commands_done = 0;
  unit.asked = unit.successor_asked;
  unit.changed_places = now;
  ++unit.runs;
}

bool Told::is_succeeded(UnitIndex index) const {
  const ToldUnit& unit = units_[index.value];
  return unit.main_gone && unit.successor.value != 0 && !unit.successor_doomed && !unit.stopping;
}

void Told::successor_gone(UnitIndex index, Attempt attempt) {
  ToldUnit& unit = units_[index.value];
  if (attempt == unit.successor) unit.successor_doomed = true;
}

/// A run begins. What still lives of the last one is kept, so that it can be objected to.
void Told::begins(UnitIndex index) {
  ToldUnit& unit = units_[index.value];
  std::vector<ToldProcess> living = std::move(unit.living);
  std::vector<Attempt> handed_over = std::move(unit.handed_over);
  unit = {.living = std::move(living),
          .handed_over = std::move(handed_over),
          .listens = unit.listens,
          .ever_up = unit.ever_up,
          .ever_completed = unit.ever_completed,
          .runs = unit.runs + 1,
          .masked = unit.masked};
}

void Told::asked(const core::Spawn& action, Instant now) {
  ToldUnit& unit = units_[action.unit.value];
  unit.living.push_back(
      {.attempt = action.attempt, .role = action.role, .index = action.index, .asked = now});
  if (begins_stop(action.role)) unit.told_to_stop = true;
  if (action.role == Role::stop && !unit.stopping) {
    unit.stopping = true;
    unit.stop_began = now;
  }
  if (action.role == Role::successor) {
    unit.successor = action.attempt;
    unit.successor_executed = unit.successor_ready = unit.successor_doomed = false;
    unit.successor_asked = now;
  }
  if (action.role != Role::main) return;
  if (action.index == 0) unit.asked = now;
  unit.main = action.attempt;
  unit.executed = unit.main_gone = false;
}

void Told::sent(const core::Kill& action, Instant now) {
  ToldUnit& unit = units_[action.unit.value];
  ToldProcess* to = process(action.unit, action.attempt);
  if (action.signal == SIGKILL) successor_gone(action.unit, action.attempt);
  if (to != nullptr && action.signal == SIGKILL) to->condemned = true;
  // A command that was over is signalled all the same by a manager that has not been told yet.
  const bool was_over = to == nullptr && action.attempt == unit.main &&
                        std::ranges::count(unit.handed_over, action.attempt) > 0;
  if (!was_over && (to == nullptr || !is_main(to->role))) return;
  if (action.attempt != unit.main && unit.changed_places.ns != 0) return;
  if (action.attempt == unit.successor) return;
  // With the region goes what tells the main process; it is the newest that lives then.
  const bool newer = std::ranges::any_of(unit.living, [&](const ToldProcess& process) {
    return is_main(process.role) && process.attempt > action.attempt;
  });
  if (unit.uncertain && newer) return;
  const bool stops = action.signal == SIGKILL || action.signal == SIGABRT ||
                     action.signal == set_[action.unit].stop.signal;
  if (!stops) return;
  unit.told_to_stop = true;
  if (unit.stopping) return;
  unit.stopping = true;
  if (!unit.stops_itself) unit.stop_began = now;
}

void Told::spawned(const core::Spawned& event) {
  ToldProcess* known = process(event.unit, event.attempt);
  if (known == nullptr || known->executed) return;
  known->executed = true;
  known->adopting = false;
  ToldUnit& unit = units_[event.unit.value];
  if (event.attempt == unit.successor) unit.successor_executed = true;
  if (!is_main(known->role) || event.attempt < unit.main) return;
  if (event.attempt == unit.successor) return;
  unit.adopted = unit.adopted || known->attempt != unit.main;
  unit.main = known->attempt;
  unit.executed = true;
  unit.main_gone = known->gone;
}

void Told::exited(const core::Exited& event) {
  ToldProcess* known = process(event.unit, event.attempt);
  if (known == nullptr) return;
  ToldUnit& unit = units_[event.unit.value];
  const bool first = !known->gone;
  known->gone = true;
  const bool clean = is_clean(set_[event.unit], event.how);
  successor_gone(event.unit, event.attempt);
  if (first && is_main(known->role) && event.attempt == unit.main) {
    unit.main_gone = true;
    if (clean && known->index == unit.commands_done) ++unit.commands_done;
    unit.ever_completed = unit.ever_completed || completed(event.unit);
  }
  const bool success = event.how.kind == ExitKind::code && event.how.value == 0;
  if (first && known->role == Role::pre_start && success) ++unit.pre_started;
  if (first && known->role == Role::post_start && success) ++unit.post_started;
  if (first && known->role == Role::ready_check && success) {
    (unit.successor.value != 0 ? unit.successor_ready : unit.ready) = true;
  }
  if (!event.group_remains) over(event.unit, event.attempt);
}

void Told::failed(UnitIndex unit, Attempt attempt) {
  if (units_[unit.value].main == attempt) units_[unit.value].main_gone = true;
  successor_gone(unit, attempt);
  over(unit, attempt);
}

void Told::over(UnitIndex unit, Attempt attempt) {
  std::erase_if(units_[unit.value].living,
                [&](const ToldProcess& process) { return process.attempt == attempt; });
}

void Told::forget() {
  for (ToldUnit& unit : units_)
    unit = {.uncertain = true,
            .listens = true,
            .ever_up = true,
            .ever_completed = true,
            .masked = unit.masked};
  committed_ = units_;
}

void Told::only_these_live(UnitIndex unit, const std::vector<ToldProcess>& processes) {
  ToldUnit& told = units_[unit.value];
  std::vector<ToldProcess> living;
  for (const ToldProcess& found : processes) {
    const ToldProcess* known = find(unit, found.attempt);
    living.push_back(known != nullptr ? *known : found);
    living.back().over = found.over;
  }
  told.living = std::move(living);
  if (find(unit, told.successor) == nullptr) told.successor = {};
  for (const ToldProcess& found : processes) {
    if (found.runs) spawned({unit, found.attempt, 0});
  }
}

bool Told::lives(UnitIndex unit) const {
  return std::ranges::count(units_[unit.value].living, false, &ToldProcess::over) > 0;
}

const ToldProcess* Told::find(UnitIndex unit, Attempt attempt) const {
  const std::vector<ToldProcess>& living = units_[unit.value].living;
  const auto found = std::ranges::find(living, attempt, &ToldProcess::attempt);
  return found == living.end() ? nullptr : &*found;
}

ToldProcess* Told::process(UnitIndex unit, Attempt attempt) {
  std::vector<ToldProcess>& living = units_[unit.value].living;
  const auto found = std::ranges::find(living, attempt, &ToldProcess::attempt);
  return found == living.end() ? nullptr : &*found;
}

bool Told::can_be_ready(UnitIndex unit, Instant now) const {
  return is_ready(unit, units_[unit.value].ready, units_[unit.value].asked, now);
}

bool Told::can_change_places(UnitIndex unit, Instant now) const {
  const ToldUnit& told = units_[unit.value];
  return told.successor_executed && !told.successor_doomed &&
         is_ready(unit, told.successor_ready, told.successor_asked, now);
}

bool Told::is_ready(UnitIndex unit, bool told, Instant asked, Instant now) const {
  const UnitSpec& spec = set_[unit];
  const bool has_readiness =
      spec.type == ServiceType::notify || (spec.ready && spec.ready->kind != ReadyKind::none);
  if (!has_readiness || told) return true;
  return spec.ready && spec.ready->on_timeout == ReadyTimeout::run &&
         spec.ready->timeout > Duration::zero() && now >= asked + spec.ready->timeout;
}

/// Or will have, unless the keeper refuses it.
bool Told::has_main(const ToldUnit& unit) const {
  return !unit.main_gone || std::ranges::count(unit.living, true, &ToldProcess::adopting) > 0;
}

bool Told::completed(UnitIndex unit) const {
  const ToldUnit& told = units_[unit.value];
  return told.uncertain || told.commands_done == 1 + set_[unit].more_commands.size();
}

bool Told::can_be_up(UnitIndex unit, Instant now) const {
  const UnitSpec& spec = set_[unit];
  const ToldUnit& told = units_[unit.value];
  if (spec.type == ServiceType::group || told.uncertain) return true;
  const HookSpec* post_start = hook_of(spec, HookPoint::post_start);
  if (post_start != nullptr && told.post_started < post_start->commands.size()) return false;
  if (spec.type == ServiceType::oneshot) return completed(unit);
  if (!told.executed || !has_main(told) || told.stopping) return false;
  if (spec.type == ServiceType::forking && !told.adopted) return false;
  return can_be_ready(unit, now);
}

}  // namespace foster::sim
