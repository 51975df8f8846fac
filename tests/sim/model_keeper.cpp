#include "tests/sim/model_keeper.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/check.hpp"

namespace foster::sim {

using core::ExitKind;
using core::Role;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

bool is_check(Role role) {
  return role == Role::ready_check || role == Role::health_check;
}

/// Whether a process of `next` may not be spawned while one of `living` is there: the main one
/// comes after everything that was before it, hooks follow each other, and so do checks.
bool excludes(Role next, Role living) {
  if (next == Role::main) return true;
  if (next == Role::successor) return living == Role::condition || living == Role::pre_start;
  if (is_main(living)) {
    return next == Role::condition || next == Role::pre_start || next == Role::post_stop;
  }
  return is_check(next) == is_check(living);
}

}  // namespace

ModelKeeper::ModelKeeper(const UnitSet& set, const Swarm& swarm, Random random)
    : set_(set), swarm_(swarm), random_(random), truth_(set.size()), apart_(aside(random)) {}

void ModelKeeper::connect(std::deque<core::Event>* inbox) {
  inbox_ = inbox;
  for (const Child& child : children_)
    tell_again(child);
  for (core::Event& event : unread_)
    tell(std::move(event));
  unread_.clear();
}

/// Answers belong to the manager that has asked, refusals as well.
void ModelKeeper::disconnect() {
  inbox_ = nullptr;
  kin_asked_.clear();
  std::erase_if(children_, [](const Child& child) { return child.refused; });
}

std::string ModelKeeper::spawn(const core::Spawn& action, Instant now) {
  if (action.attempt <= last_attempt_) return "an attempt's number was given out twice";
  for (const Child& other : children_) {
    if (other.unit != action.unit || other.phase == Phase::over) continue;
    if (other.adopted_by.value != 0) continue;  // its group is the other attempt's
    if (other.leftover) continue;
    if (!excludes(action.role, other.role)) continue;
    return action.role == Role::main && is_main(other.role)
               ? "a unit has two live attempts"
               : "a process is started beside one that has to be gone before";
  }
  const bool doubled = is_main(action.role) &&
                       std::ranges::find(strays_, action.unit, &Stray::unit) != strays_.end();
  if (doubled) return "a command is run while a daemon of the one before it lives";
  if (!fits_beside(action)) return "a successor is started without one main process beside it";
  last_attempt_ = action.attempt;
  Child child{.unit = action.unit,
              .attempt = action.attempt,
              .role = action.role,
              .index = action.index,
              .about = action.main_attempt,
              .pid = ++last_pid_};
  plan_faults(child);
  plan_life(child, now);
  children_.push_back(child);
  return {};
}

/// A successor has one main process beside it, and no more.
bool ModelKeeper::fits_beside(const core::Spawn& action) const {
  if (action.role != Role::successor) return true;
  const auto mains = std::ranges::count_if(children_, [&](const Child& other) {
    return other.unit == action.unit && is_main(other.role) && other.adopted_by.value == 0 &&
           !other.superseded && other.phase != Phase::over;
  });
  return mains <= 1;
}

std::string ModelKeeper::adopt(const core::Adopt& action, Instant now) {
  if (action.attempt <= last_attempt_) return "an attempt's number was given out twice";
  last_attempt_ = action.attempt;
  Child* from = find(action.from);
  const bool orphan = from != nullptr && (from->apart || from->phase == Phase::lingering ||
                                          from->phase == Phase::over);
  if (!orphan || action.pid == 0 || from->daemon_pid != action.pid ||
      maybe(swarm_.adopt_fails, 3)) {
    refuse({.unit = action.unit, .attempt = action.attempt}, now);
    return {};
  }
  Child child{.unit = action.unit,
              .attempt = action.attempt,
              .phase = Phase::running,
              .pid = action.pid,
              .adopted = true,
              .told_spawned = true};
  plan_faults(child);
  child.will_fail = child.spawned_untold = child.spawned_late = false;
  if (from->apart) {
    from->superseded = true;
    std::erase_if(strays_, [&](const Stray& stray) { return stray.pid == action.pid; });
  } else {
    child.has_others = from->has_others;
    from->adopted_by = action.attempt;
  }
  from->daemon_pid = 0;
  plan_run(child, now);
  plan_ready(child, now);
  children_.push_back(child);
  tell(core::Spawned{child.unit, child.attempt, child.pid});
  return {};
}

/// As an attempt that is over, until the answer is told.
void ModelKeeper::refuse(Child child, Instant now) {
  child.phase = Phase::over;
  child.refused = true;
  children_.push_back(child);
  schedule({.at = now + soon(), .kind = Kind::refuses, .attempt = child.attempt});
}

void ModelKeeper::refused(Attempt attempt) {
  const Child child = *find(attempt);
  std::erase_if(children_, [&](const Child& other) { return other.attempt == attempt; });
  tell(core::AdoptFailed{child.unit, attempt, ECHILD});
}

bool ModelKeeper::is_successor(Attempt attempt) const {
  const auto child = std::ranges::find(children_, attempt, &Child::attempt);
  return child != children_.end() && child->role == Role::successor;
}

bool ModelKeeper::told_to_stop(Attempt attempt) const {
  const auto child = std::ranges::find(children_, attempt, &Child::attempt);
  return swarm_.kill_errors || child == children_.end() || child->last_signal != 0;
}

void ModelKeeper::kill(const core::Kill& action, Instant now) {
  Child* child = find(action.attempt);
  core::KillFailed failed{action.unit, action.attempt, action.signal, ESRCH};
  if (child != nullptr && maybe(swarm_.kill_errors, 10)) {
    failed.error = EPERM;
    return tell(failed);
  }
  if (child == nullptr) return tell(failed);
  child->last_signal = action.signal;
  if (child->will_fail) return tell(failed);
  // The processes of its group are another attempt's by now.
  if (Child* heir = find(child->adopted_by); heir != nullptr && action.group) {
    if (heir->phase == Phase::running) signal_main(*heir, action.signal, now);
    signal_others(*heir, action.signal, now);
  }
  const bool main_alive = child->phase == Phase::forked || child->phase == Phase::running;
  if (main_alive) signal_main(*child, action.signal, now);
  if (action.group && child->phase == Phase::over) {
    tell(core::GroupEmptied{action.unit, action.attempt});
  } else if (action.group) {
    signal_others(*child, action.signal, now);
  } else if (!main_alive) {
    tell(failed);
  }
}

void ModelKeeper::signal_main(Child& child, int signal, Instant now) {
  Happening end{.at = now + soon(), .kind = Kind::exits, .attempt = child.attempt};
  end.how = ExitKind::signal;
  end.value = signal;
  if (signal == SIGKILL) {
    if (child.survives_kill_long) end.at = now + seconds(between(random_, 1, 60));
    return schedule(end);
  }
  const int stop_signal = spec(child).stop.signal;
  if (spec(child).hooks && signal == spec(child).hooks->reload_signal && signal != stop_signal) {
    return;
  }
  if (child.ignores_stop || (signal != stop_signal && coin(random_))) return;
  if (coin(random_)) {
    end.how = ExitKind::code;
    end.value = static_cast<int>(between(random_, 0, 3));
    end.at = now + milliseconds(between(random_, 0, 200));
  }
  schedule(end);
}

void ModelKeeper::signal_others(Child& child, int signal, Instant now) {
  if (!child.has_others && (child.daemon_pid == 0 || child.apart)) return;
  if (signal != SIGKILL && (child.others_ignore_stop || signal != spec(child).stop.signal)) return;
  schedule({.at = now + soon(), .kind = Kind::group_empties, .attempt = child.attempt});
}

std::string ModelKeeper::acknowledge(const core::Acknowledge& action) {
  const auto found = std::ranges::find(children_, action.attempt, &Child::attempt);
  if (found == children_.end())
    return {};  // acknowledged before, by a manager that has crashed since
  if (action.abandon) {
    if (found->adopted_by.value == 0 && found->phase != Phase::over)
      return "an attempt was abandoned that nobody has taken over";
  } else if (found->phase != Phase::over) {
    return "an attempt was acknowledged before it was over";
  }
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
  repeat_old_news();
  if (happening.kind == Kind::kin_ends) return kin_ends(happening.attempt);
  Child* child = find(happening.attempt);
  if (child == nullptr) return;
  switch (happening.kind) {
    case Kind::executed:
      return executed(*child, now);
    case Kind::exits:
      return exits(*child, happening, now);
    case Kind::group_empties:
      return group_empties(*child);
    case Kind::gets_ready:
      return gets_ready(*child);
    case Kind::pings:
      return pings(*child, now);
    case Kind::speaks:
      return speaks(*child, now);
    case Kind::names_main:
      return names_main(*child, now);
    case Kind::kin_ends:
      return;
    case Kind::refuses:
      return refused(child->attempt);
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
  child.group_remained = child.has_others || (child.daemon_pid != 0 && !child.apart);
  child.phase = child.group_remained ? Phase::lingering : Phase::over;
  child.how = {.kind = happening.how, .value = happening.value, .at = now, .at_real_ns = now.ns};
  if (is_main(child.role)) {
    Truth& truth = truth_[child.unit.value];
    ++(child.role == Role::main ? truth.reaped : truth.reaped_successors);
    truth.last_reaped = child.attempt;
    truth.last_how = child.how;
  }
  tell(core::Exited{child.unit, child.attempt, child.how, child.group_remained});
  if (child.spawned_late && !child.told_spawned) {
    child.told_spawned = true;
    tell(core::Spawned{child.unit, child.attempt, child.pid});
  }
  if (child.apart && !child.adopted && spec(child).type == ServiceType::forking) {
    const int32_t pid = child.daemon_pid != 0 ? child.daemon_pid : ++last_pid_;
    strays_.push_back({child.unit, child.attempt, pid, !healed_ && once_in(apart_, 4)});
  }
  if (child.phase == Phase::over) return heir_over(child);
  if (child.group_remained && (child.daemon_pid == 0 || child.apart) && !child.others_ignore_stop) {
    const Duration lingers = milliseconds(between(random_, 0, 20'000));
    schedule({.at = now + lingers, .kind = Kind::group_empties, .attempt = child.attempt});
  }
}

void ModelKeeper::group_empties(Child& child) {
  child.has_others = false;
  if (!child.apart) child.daemon_pid = 0;
  if (child.phase != Phase::lingering) return;
  // What has been taken over is in the same group and may live on there.
  if (const Child* heir = find(child.adopted_by); heir != nullptr && heir->phase != Phase::over) {
    return;
  }
  child.phase = Phase::over;
  child.told_emptied = true;
  tell(core::GroupEmptied{child.unit, child.attempt});
  heir_over(child);
}

/// With it the group is empty that it had in common with the attempt it was taken over from.
void ModelKeeper::heir_over(const Child& heir) {
  for (Child& from : children_) {
    if (from.adopted_by != heir.attempt || from.phase != Phase::lingering) continue;
    from.phase = Phase::over;
    from.told_emptied = true;
    tell(core::GroupEmptied{from.unit, from.attempt});
  }
}

void ModelKeeper::forget_counted() {
  strays_.clear();  // nobody knows of the commands that have left them
  for (Truth& truth : truth_)
    truth.reaped = truth.reaped_successors = 0;
  for (Child& child : children_) {
    child.leftover = child.role != Role::main;
    child.apart = false;  // who takes a command for the daemon asks for no other
    Truth& truth = truth_[child.unit.value];
    if (!child.told_exited || !is_main(child.role)) continue;
    ++(child.role == Role::main ? truth.reaped : truth.reaped_successors);
  }
}

void ModelKeeper::tell(core::Event event) {
  if (inbox_ == nullptr) return;
  if (swarm_.told_twice && !healed_ && once_in(random_, 4) && old_news_.size() < 64) {
    old_news_.push_back(event);
  }
  inbox_->push_back(std::move(event));
}

/// Answers belong to the manager that has asked; of what the keeper tells anything may come again.
void ModelKeeper::repeat_old_news() {
  if (old_news_.empty() || healed_ || inbox_ == nullptr || !once_in(random_, 8)) return;
  const size_t which = random_.next() % old_news_.size();
  const core::Event event = old_news_[which];
  old_news_[which] = old_news_.back();
  old_news_.pop_back();
  const bool news = std::holds_alternative<core::Spawned>(event) ||
                    std::holds_alternative<core::SpawnFailed>(event) ||
                    std::holds_alternative<core::Exited>(event) ||
                    std::holds_alternative<core::GroupEmptied>(event) ||
                    std::holds_alternative<core::KillFailed>(event) ||
                    std::holds_alternative<core::ReadySeen>(event);
  if (news) inbox_->push_back(event);
}

void ModelKeeper::tell_again(const Child& child) {
  if (child.will_fail) {
    if (child.phase != Phase::over) return;
    return tell(core::SpawnFailed{child.unit, child.attempt, child.error, "cannot execute: fault"});
  }
  if (child.told_spawned) tell(core::Spawned{child.unit, child.attempt, child.pid});
  if (child.ready && child.phase == Phase::running) {
    tell(core::ReadySeen{child.unit, child.attempt});
  }
  if (!child.told_exited) return;
  // A keeper may tell both of its news, or the end as it stands now.
  const bool as_it_was = coin(random_);
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
  if (attempt.value == 0) return nullptr;
  const auto found = std::ranges::find(children_, attempt, &Child::attempt);
  return found == children_.end() ? nullptr : &*found;
}

bool ModelKeeper::maybe(bool fault, uint64_t n) {
  return fault && !healed_ && once_in(random_, n);
}

}  // namespace foster::sim
