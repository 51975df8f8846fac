// Main processes that the manager has not spawned: daemons that a forking unit's command leaves,
// and those that a unit names by MAINPID.
//
// The command's end stays unacknowledged until the process that takes its place is the keeper's, or
// is given up: the keeper takes the new attempt's unit from the old one.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/check.hpp"
#include "daemon/core/unit_machine.hpp"

namespace foster::core {

bool UnitMachine::adopting(UnitIndex unit) const {
  return std::ranges::find(adoptions_, unit, &Adoption::unit) != adoptions_.end();
}

bool UnitMachine::take_adoption(UnitIndex unit, Attempt attempt, Adoption& taken) {
  const auto found = std::ranges::find_if(adoptions_, [&](const Adoption& asked) {
    return asked.unit == unit && asked.attempt == attempt;
  });
  if (found == adoptions_.end()) return false;
  taken = *found;
  adoptions_.erase(found);
  return true;
}

/// The keeper has not been told yet that the command's end is recorded, because the process that
/// takes its place is still looked for.
bool UnitMachine::holds_command(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  const bool looking = record.state == UnitState::starting && record.step == Step::find_main;
  return record.over && record.attempt.value != 0 && record.exit_attempt == record.attempt &&
         (looking || record.claimed_pid != 0);
}

void UnitMachine::release_command(UnitIndex unit, const Turn& turn) {
  if (holds_command(unit)) {
    turn.actions.emplace_back(Acknowledge{record(unit).attempt});
  }
}

void UnitMachine::adopt(UnitIndex unit, int32_t pid, const Turn& turn) {
  if (adopting(unit)) return;  // once that is answered
  const Attempt attempt = next_attempt();
  const bool orphaned = record(unit).exit_attempt == record(unit).attempt;
  adoptions_.push_back({unit, attempt, pid, orphaned});
  turn.actions.emplace_back(
      Adopt{.unit = unit, .attempt = attempt, .from = record(unit).attempt, .pid = pid});
}

void UnitMachine::main_found(const MainFound& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (known.state != UnitState::starting || known.step != Step::find_main ||
      event.attempt != known.attempt) {
    return;
  }
  ledger_.change(event.unit).claimed_pid = event.pid;
  adopt(event.unit, event.pid, turn);
}

void UnitMachine::main_not_found(const MainNotFound& event, const Turn& turn) {
  const UnitRecord& known = record(event.unit);
  if (known.state != UnitState::starting || known.step != Step::find_main ||
      event.attempt != known.attempt || known.claimed_pid != 0) {
    return;
  }
  ledger_.change(event.unit).detail = event.message;
  attempt_failed(event.unit, Cause::spawn_failed, turn);
}

void UnitMachine::adopted(const Spawned& event, const Turn& turn) {
  Adoption asked;
  FOSTER_CHECK(take_adoption(event.unit, event.attempt, asked));
  UnitRecord& record = ledger_.change(event.unit);
  const bool ended = record.exit_attempt == record.attempt;
  if (ended && record.over) {
    turn.actions.emplace_back(Acknowledge{record.attempt});
  } else {
    remember_former({event.unit, record.attempt, record.pid, ended});
  }
  record.attempt = event.attempt;
  record.pid = event.pid;
  record.over = false;
  record.running = turn.now;
  const bool starting = record.state == UnitState::starting && record.step == Step::find_main;
  if (record.claimed_pid == asked.pid) record.claimed_pid = 0;
  if (record.claimed_pid != 0) adopt(event.unit, record.claimed_pid, turn);
  if (starting) return main_known(event.unit, turn);
  if (record.state != UnitState::stopping) return;
  if (hurried_) return send_kill(event.unit, turn);
  if (record.step != Step::signal) return;
  record.killed = false;  // it has not had the stop signal
  record.deadline = turn.now + spec(event.unit).stop.timeout;
  send_stop_signal(event.unit, turn);
}

void UnitMachine::adopt_failed(const AdoptFailed& event, const Turn& turn) {
  Adoption asked;
  if (take_adoption(event.unit, event.attempt, asked)) return adoption_failed(event, asked, turn);
  // One that a former manager asked for looks like a process until its news come.
  if (former_main(event.attempt) != nullptr) former_main_over(event.unit, event.attempt, turn);
}

void UnitMachine::adoption_failed(const AdoptFailed& event, const Adoption& asked,
                                  const Turn& turn) {
  UnitRecord& record = ledger_.change(event.unit);
  if (record.state == UnitState::stopping) return go_on_stopping(event.unit, turn);
  if (record.state != UnitState::starting && record.state != UnitState::running) return;
  if (record.claimed_pid != asked.pid) {
    if (record.claimed_pid != 0) adopt(event.unit, record.claimed_pid, turn);
    return;
  }
  // It may become the keeper's child when its parent, the present main process, ends.
  if (event.error == ECHILD && record.exit_attempt < record.attempt) return;
  if (event.error == ECHILD && !asked.orphaned && record.exit_attempt == record.attempt) {
    return adopt(event.unit, asked.pid, turn);
  }
  const bool finding = record.step == Step::find_main;
  if (finding || record.exit_attempt == record.attempt) {
    record.detail = "cannot take process " + std::to_string(asked.pid) +
                    " as the main process: " + strerrordesc_np(event.error);
    return attempt_failed(event.unit, finding ? Cause::spawn_failed : Cause::exit, turn);
  }
  record.claimed_pid = 0;
}

FormerMain* UnitMachine::former_main(Attempt attempt) {
  const auto found = std::ranges::find(former_mains_, attempt, &FormerMain::attempt);
  return found == former_mains_.end() ? nullptr : &*found;
}

bool UnitMachine::has_former_mains(UnitIndex unit) const {
  return std::ranges::find(former_mains_, unit, &FormerMain::unit) != former_mains_.end();
}

void UnitMachine::former_main_ended(const Exited& event, const Turn& turn) {
  FormerMain& former = *former_main(event.attempt);
  if (!former.ended) count_exit(event, turn);
  former.ended = true;
  former.pid = 0;
  if (!event.group_remains) former_main_over(event.unit, event.attempt, turn);
}

void UnitMachine::former_main_over(UnitIndex unit, Attempt attempt, const Turn& turn) {
  turn.actions.emplace_back(Acknowledge{attempt});
  std::erase_if(former_mains_,
                [attempt](const FormerMain& former) { return former.attempt == attempt; });
  if (record(unit).state == UnitState::stopping) go_on_stopping(unit, turn);
}

/// Once the newest main process has ended. Those before it that had their processes in its group
/// have got its stop signal, and are gone with it; any that lives on may have a group of its own,
/// and is stopped like the former main process of an overlapped restart: one after the other, each
/// in its own time. From here on the record tells whether its end has been counted.
void UnitMachine::stop_former_main(UnitIndex unit, const Turn& turn) {
  const UnitRecord& known = record(unit);
  const auto found = std::ranges::find(former_mains_, unit, &FormerMain::unit);
  const bool main_lives = known.exit_attempt < known.attempt && !known.over;
  if (found == former_mains_.end() || main_lives || known.former.attempt.value != 0) return;
  UnitRecord& record = ledger_.change(unit);
  if (record.over) record.deadline = {};
  record.former = {.ended = found->ended, .attempt = found->attempt, .pid = found->pid};
  former_mains_.erase(found);
  if (hurried_) {
    kill_beside(unit, record.former, turn);
  } else {
    stop_beside(unit, record.former, turn);
  }
}

void UnitMachine::kill_former_mains(UnitIndex unit, const Turn& turn) {
  for (const FormerMain& former : former_mains_) {
    if (former.unit != unit) continue;
    turn.actions.emplace_back(
        Kill{.unit = unit, .attempt = former.attempt, .signal = SIGKILL, .group = true});
  }
}

/// Its command has run, and the unit was not up by it: the daemon that it may have left has a
/// session of its own, and is nobody's main process.
bool UnitMachine::may_have_kin(UnitIndex unit) const {
  const UnitRecord& record = this->record(unit);
  const bool executed = record.started.ns != 0 && (record.exit_attempt < record.attempt ||
                                                   record.last_exit.kind != ExitKind::spawn);
  return spec(unit).type == ServiceType::forking && !record.was_up && executed &&
         record.kin_ended != record.attempt;
}

void UnitMachine::end_kin(UnitIndex unit, const Turn& turn) {
  UnitRecord& record = ledger_.change(unit);
  const bool kills = record.killed || hurried_;
  record.kin_asked = record.attempt;
  const Duration timeout = spec(unit).stop.timeout;
  record.deadline = turn.now + (kills ? std::max(timeout, kShortestKillInterval) : timeout);
  turn.actions.emplace_back(EndKin{
      .unit = unit, .attempt = record.attempt, .signal = kills ? SIGKILL : spec(unit).stop.signal});
}

void UnitMachine::kin_ended(const KinEnded& event, const Turn& turn) {
  if (event.attempt != record(event.unit).kin_asked) return;
  ledger_.change(event.unit).kin_ended = event.attempt;
  if (record(event.unit).state == UnitState::stopping) go_on_stopping(event.unit, turn);
}

}  // namespace foster::core
