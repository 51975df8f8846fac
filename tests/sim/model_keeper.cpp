#include "tests/sim/model_keeper.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/check.hpp"

namespace foster::sim {

using core::ExitKind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

ModelKeeper::ModelKeeper(size_t units, const Swarm& swarm, Random random)
    : swarm_(swarm), random_(random), truth_(units) {}

void ModelKeeper::connect(std::deque<core::Event>* inbox) {
  inbox_ = inbox;
  for (const Child& child : children_)
    tell_again(child);
}

std::string ModelKeeper::spawn(const core::Spawn& action, ServiceType type, Instant now) {
  if (action.attempt <= last_attempt_) return "an attempt's number was given out twice";
  for (const Child& other : children_) {
    if (other.unit == action.unit && other.phase != Phase::over) {
      return "a unit has two live attempts";
    }
  }
  last_attempt_ = action.attempt;
  Child child{.unit = action.unit, .attempt = action.attempt, .pid = ++last_pid_};
  plan_life(child, type, now);
  children_.push_back(child);
  return {};
}

void ModelKeeper::plan_life(Child& child, ServiceType type, Instant now) {
  if (maybe(swarm_.spawn_fails, 4)) {
    constexpr int kErrors[] = {ENOENT, EACCES, EAGAIN, ENOMEM, EPERM, 0};
    child.error = kErrors[random_.next() % std::size(kErrors)];
    child.will_fail = true;
  }
  child.spawned_untold = maybe(swarm_.exits_unspawned, 3);
  child.spawned_late = maybe(swarm_.spawned_told_late, 3);
  child.ignores_stop = maybe(swarm_.ignores_stop, 3);
  child.others_ignore_stop = maybe(swarm_.ignores_stop, 2);
  child.survives_kill_long = maybe(swarm_.survives_kill_long, 4);
  child.has_others = maybe(swarm_.group_remains, 3);
  schedule({.at = now + soon(), .kind = Kind::executed, .attempt = child.attempt});
  if (!child.will_fail) plan_end(child, type, now);
}

void ModelKeeper::plan_end(const Child& child, ServiceType type, Instant now) {
  Happening end{.kind = Kind::exits, .attempt = child.attempt};
  if (healed_) {
    if (type == ServiceType::simple) return;
    end.at = now + milliseconds(between(random_, 1, 100));
    return schedule(end);
  }
  if (type == ServiceType::simple && once_in(random_, 4)) return;  // runs until it is stopped
  if (once_in(random_, 4)) {
    end.how = once_in(random_, 4) ? ExitKind::core_dump : ExitKind::signal;
    end.value = SIGSEGV;
  } else if (once_in(random_, 2)) {
    end.value = static_cast<int>(between(random_, 0, 4));
  }
  if (maybe(swarm_.exits_at_once, 2)) {
    end.at = now;
  } else if (once_in(random_, 4)) {
    end.at = now + seconds(between(random_, 1, 100));
  } else {
    end.at = now + microseconds(between(random_, 1, 100'000));
  }
  schedule(end);
}

bool ModelKeeper::told_to_stop(Attempt attempt) const {
  const auto child = std::ranges::find(children_, attempt, &Child::attempt);
  return swarm_.kill_errors || child == children_.end() || child->last_signal != 0;
}

void ModelKeeper::kill(const core::Kill& action, int stop_signal, Instant now) {
  Child* child = find(action.attempt);
  core::KillFailed failed{action.unit, action.attempt, action.signal, ESRCH};
  if (child != nullptr && maybe(swarm_.kill_errors, 10)) {
    failed.error = EPERM;
    return tell(failed);
  }
  if (child == nullptr) return tell(failed);
  child->last_signal = action.signal;
  if (child->will_fail) return tell(failed);
  const bool main_alive = child->phase == Phase::forked || child->phase == Phase::running;
  if (main_alive) signal_main(*child, action.signal, stop_signal, now);
  if (action.group && child->phase == Phase::over) {
    tell(core::GroupEmptied{action.unit, action.attempt});
  } else if (action.group) {
    signal_others(*child, action.signal, stop_signal, now);
  } else if (!main_alive) {
    tell(failed);
  }
}

void ModelKeeper::signal_main(Child& child, int signal, int stop_signal, Instant now) {
  Happening end{.at = now + soon(), .kind = Kind::exits, .attempt = child.attempt};
  end.how = ExitKind::signal;
  end.value = signal;
  if (signal == SIGKILL) {
    if (child.survives_kill_long) end.at = now + seconds(between(random_, 1, 60));
    return schedule(end);
  }
  if (child.ignores_stop || (signal != stop_signal && once_in(random_, 2))) return;
  if (once_in(random_, 2)) {
    end.how = ExitKind::code;
    end.value = static_cast<int>(between(random_, 0, 3));
    end.at = now + milliseconds(between(random_, 0, 200));
  }
  schedule(end);
}

void ModelKeeper::signal_others(Child& child, int signal, int stop_signal, Instant now) {
  if (!child.has_others) return;
  if (signal != SIGKILL && (child.others_ignore_stop || signal != stop_signal)) return;
  schedule({.at = now + soon(), .kind = Kind::group_empties, .attempt = child.attempt});
}

std::string ModelKeeper::acknowledge(const core::Acknowledge& action) {
  const auto found = std::ranges::find(children_, action.attempt, &Child::attempt);
  if (found == children_.end())
    return {};  // acknowledged before, by a manager that has crashed since
  if (found->phase != Phase::over) return "an attempt was acknowledged before it was over";
  children_.erase(found);
  return {};
}

std::optional<Instant> ModelKeeper::next_happening() const {
  if (happenings_.empty()) return std::nullopt;
  return happenings_.top().at;
}

void ModelKeeper::happen(Instant now) {
  const Happening happening = happenings_.top();
  happenings_.pop();
  Child* child = find(happening.attempt);
  if (child == nullptr) return;
  switch (happening.kind) {
    case Kind::executed:
      return executed(*child, now);
    case Kind::exits:
      return exits(*child, happening, now);
    case Kind::group_empties:
      return group_empties(*child);
  }
}

void ModelKeeper::executed(Child& child, Instant now) {
  if (child.phase != Phase::forked) return;
  if (child.will_fail) {
    child.phase = Phase::over;
    return tell(core::SpawnFailed{child.unit, child.attempt, child.error, "cannot execute: fault"});
  }
  child.phase = Phase::running;
  if (!child.spawned_untold && !child.spawned_late) {
    child.told_spawned = true;
    tell(core::Spawned{child.unit, child.attempt, child.pid});
  } else {
    // Such a child does not live long enough for the report to overtake its end.
    schedule({.at = now, .kind = Kind::exits, .attempt = child.attempt, .value = 1});
  }
}

void ModelKeeper::exits(Child& child, const Happening& happening, Instant now) {
  if (child.phase == Phase::lingering || child.phase == Phase::over || child.will_fail) return;
  child.told_exited = true;
  child.group_remained = child.has_others;
  child.phase = child.has_others ? Phase::lingering : Phase::over;
  child.how = {.kind = happening.how, .value = happening.value, .at = now, .at_real_ns = now.ns};
  Truth& truth = truth_[child.unit.value];
  ++truth.reaped;
  truth.last_reaped = child.attempt;
  truth.last_how = child.how;
  tell(core::Exited{child.unit, child.attempt, child.how, child.group_remained});
  if (child.spawned_late && !child.told_spawned) {
    child.told_spawned = true;
    tell(core::Spawned{child.unit, child.attempt, child.pid});
  }
  if (child.has_others && !child.others_ignore_stop) {
    const Duration lingers = milliseconds(between(random_, 0, 20'000));
    schedule({.at = now + lingers, .kind = Kind::group_empties, .attempt = child.attempt});
  }
}

void ModelKeeper::group_empties(Child& child) {
  child.has_others = false;
  if (child.phase != Phase::lingering) return;
  child.phase = Phase::over;
  child.told_emptied = true;
  tell(core::GroupEmptied{child.unit, child.attempt});
}

void ModelKeeper::forget_counted() {
  for (Truth& truth : truth_)
    truth.reaped = 0;
  for (const Child& child : children_) {
    if (child.told_exited) ++truth_[child.unit.value].reaped;
  }
}

void ModelKeeper::tell(core::Event event) {
  if (inbox_ != nullptr) inbox_->push_back(std::move(event));
}

void ModelKeeper::tell_again(const Child& child) {
  if (child.will_fail) {
    if (child.phase != Phase::over) return;
    return tell(core::SpawnFailed{child.unit, child.attempt, child.error, "cannot execute: fault"});
  }
  if (child.told_spawned) tell(core::Spawned{child.unit, child.attempt, child.pid});
  if (!child.told_exited) return;
  // A keeper may tell both of its news, or the end as it stands now.
  const bool as_it_was = once_in(random_, 2);
  const bool remains = as_it_was ? child.group_remained : child.phase == Phase::lingering;
  tell(core::Exited{child.unit, child.attempt, child.how, remains});
  if (child.told_emptied && as_it_was) tell(core::GroupEmptied{child.unit, child.attempt});
}

void ModelKeeper::schedule(Happening happening) {
  happening.order = ++order_;
  happenings_.push(happening);
}

Duration ModelKeeper::soon() {
  return microseconds(between(random_, 20, 2000));
}

Child* ModelKeeper::find(Attempt attempt) {
  const auto found = std::ranges::find(children_, attempt, &Child::attempt);
  return found == children_.end() ? nullptr : &*found;
}

bool ModelKeeper::maybe(bool fault, uint64_t n) {
  return fault && !healed_ && once_in(random_, n);
}

}  // namespace foster::sim
