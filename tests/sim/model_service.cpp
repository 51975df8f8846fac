// How processes of each role live in the model: when they get ready, what they say, how they end.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "tests/sim/model_keeper.hpp"

namespace foster::sim {

using core::ExitKind;
using core::Notified;
using core::Role;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

bool says_ready(const UnitSpec& spec) {
  return spec.type == ServiceType::notify || (spec.ready && spec.ready->kind == ReadyKind::notify);
}

/// Whether the shell of the manager sees the readiness by itself.
bool is_watched(const UnitSpec& spec) {
  if (!spec.ready) return false;
  return spec.ready->kind == ReadyKind::descriptor || spec.ready->kind == ReadyKind::file ||
         spec.ready->kind == ReadyKind::output;
}

Duration watchdog_of(const UnitSpec& spec) {
  return spec.health ? spec.health->watchdog : Duration::zero();
}

}  // namespace

void ModelKeeper::plan_faults(Child& child) {
  if (maybe(swarm_.spawn_fails, 4)) {
    child.error = one_of<int, 6>(random_, {ENOENT, EACCES, EAGAIN, ENOMEM, EPERM, 0});
    child.will_fail = true;
  }
  child.spawned_untold = maybe(swarm_.exits_unspawned, 3);
  child.spawned_late = maybe(swarm_.spawned_told_late, 3);
  child.ignores_stop = maybe(swarm_.ignores_stop, 3);
  child.others_ignore_stop = maybe(swarm_.ignores_stop, 2);
  child.survives_kill_long = maybe(swarm_.survives_kill_long, 4);
  child.has_others = maybe(swarm_.group_remains, 3);
}

void ModelKeeper::plan_life(Child& child, Instant now) {
  schedule({.at = now + soon(), .kind = Kind::executed, .attempt = child.attempt});
  if (child.will_fail) return;
  if (is_main(child.role)) {
    plan_main(child, now);
  } else {
    plan_side(child, now);
  }
}

void ModelKeeper::plan_main(Child& child, Instant now) {
  switch (spec(child).type) {
    case ServiceType::forking:
      if (!maybe(swarm_.main_unfound, 3)) child.daemon_pid = ++last_pid_;
      child.apart = swarm_.daemon_apart && coin(apart_);
      if (maybe(swarm_.hooks_hang, 8)) return;  // it never leaves its daemon alone
      schedule({.at = now + milliseconds(between(random_, 1, 50)),
                .kind = Kind::exits,
                .attempt = child.attempt,
                .value = maybe(true, 8) ? 1 : 0});
      return;
    case ServiceType::simple:
    case ServiceType::notify:
      if (uses_notify(spec(child)) && maybe(swarm_.names_main, 3)) {
        child.daemon_pid = ++last_pid_;
        child.apart = swarm_.daemon_apart && coin(apart_);
        schedule({.at = now + milliseconds(between(random_, 1, 500)),
                  .kind = Kind::names_main,
                  .attempt = child.attempt});
      }
      plan_ready(child, now);
      return plan_run(child, now);
    case ServiceType::oneshot:
    case ServiceType::group:
      return plan_run(child, now);
  }
}

void ModelKeeper::plan_run(const Child& child, Instant now) {
  Happening end{.kind = Kind::exits, .attempt = child.attempt};
  const bool ends_alone = spec(child).type == ServiceType::oneshot;
  if (healed_) {
    if (!ends_alone) return;
    end.at = now + milliseconds(between(random_, 1, 100));
    return schedule(end);
  }
  if (!ends_alone && coin(random_)) return;  // runs until it is stopped
  if (once_in(random_, ends_alone ? 8 : 4)) {
    end.how = once_in(random_, 4) ? ExitKind::core_dump : ExitKind::signal;
    end.value = SIGSEGV;
  } else if (once_in(random_, ends_alone ? 4 : 2)) {
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

void ModelKeeper::plan_ready(const Child& child, Instant now) {
  if (!maybe(swarm_.never_ready, 4)) {
    schedule({.at = now + milliseconds(between(random_, 3, healed_ ? 20 : 400)),
              .kind = Kind::gets_ready,
              .attempt = child.attempt});
  }
  if (watchdog_of(spec(child)) > Duration::zero()) {
    schedule({.at = now + soon(), .kind = Kind::pings, .attempt = child.attempt});
  }
  if (uses_notify(spec(child)) && maybe(swarm_.says_anything, 1)) {
    schedule({.at = now + milliseconds(between(random_, 1, 2000)),
              .kind = Kind::speaks,
              .attempt = child.attempt});
  }
}

void ModelKeeper::plan_side(const Child& child, Instant now) {
  if (maybe(swarm_.hooks_hang, 6)) return;
  const int code = side_exit_code(child);
  Happening end{.at = now + milliseconds(between(random_, 3, healed_ ? 20 : 100)),
                .kind = Kind::exits,
                .attempt = child.attempt,
                .value = code};
  if (code == 1 && coin(random_)) {
    end.how = ExitKind::signal;
    end.value = SIGSEGV;
  }
  if (maybe(swarm_.exits_at_once, 3)) end.at = now;
  schedule(end);
}

int ModelKeeper::side_exit_code(const Child& child) {
  const Child* main = find(child.about);
  switch (child.role) {
    case Role::ready_check:
      return healed_ || (main != nullptr && main->phase == Phase::running && main->ready &&
                         !maybe(swarm_.checks_fail, 2))
                 ? 0
                 : 1;
    case Role::health_check:
      return maybe(swarm_.checks_fail, 3) ? 1 : 0;
    case Role::condition:
      return maybe(swarm_.conditions_fail, 3) ? 1 : 0;
    case Role::pre_start:
    case Role::post_start:
    case Role::pre_stop:
    case Role::stop:
    case Role::post_stop:
    case Role::reload:
      return maybe(swarm_.hooks_fail, 4) ? 1 : 0;
    case Role::main:
    case Role::successor:
      break;
  }
  return 0;
}

void ModelKeeper::gets_ready(Child& child) {
  if (child.phase != Phase::running) return;
  child.ready = true;
  if (is_watched(spec(child)) && child.told_spawned) {
    tell(core::ReadySeen{child.unit, child.attempt});
  }
  if (says_ready(spec(child))) notify(child, Notified{.unit = child.unit, .ready = true});
}

void ModelKeeper::pings(Child& child, Instant now) {
  if (child.phase != Phase::running) return;
  child.pings = !maybe(swarm_.pings_stop, 10);
  if (!child.pings) return;
  notify(child, Notified{.unit = child.unit, .watchdog = true});
  const Duration every = watchdog_of(spec(child)) / 3;
  schedule({.at = now + every, .kind = Kind::pings, .attempt = child.attempt});
}

void ModelKeeper::speaks(Child& child, Instant now) {
  if (child.phase != Phase::running || healed_) return;
  Notified message{.unit = child.unit};
  message.ready = once_in(random_, 4);
  message.reloading = once_in(random_, 4);
  message.stopping = once_in(random_, 8);
  message.watchdog = once_in(random_, 4);
  message.watchdog_trigger = once_in(random_, 16);
  if (once_in(random_, 8)) message.main_pid = static_cast<int32_t>(between(random_, 2, 40));
  if (once_in(random_, 8)) message.watchdog_interval = watchdog_of(spec(child));
  if (once_in(random_, 8)) message.extend_timeout = milliseconds(between(random_, 1, 2000));
  if (once_in(random_, 8)) message.service_errno = static_cast<int32_t>(between(random_, 1, 40));
  if (coin(random_)) message.status_text = "working";
  notify(child, std::move(message));
  schedule({.at = now + milliseconds(between(random_, 1, 5000)),
            .kind = Kind::speaks,
            .attempt = child.attempt});
}

void ModelKeeper::names_main(Child& child, Instant now) {
  if (child.phase != Phase::running || child.daemon_pid == 0) return;
  notify(child, Notified{.unit = child.unit, .main_pid = child.daemon_pid});
  schedule({.at = now + milliseconds(between(random_, 0, 500)),
            .kind = Kind::exits,
            .attempt = child.attempt});
}

/// The shell tells successors from former main processes by the sender's group.
Attempt ModelKeeper::sender(const Child& child) const {
  const bool beside = std::ranges::any_of(children_, [&](const Child& other) {
    return other.unit == child.unit && other.attempt != child.attempt &&
           (other.role == Role::successor || child.role == Role::successor) && is_main(other.role);
  });
  if (!beside) return {};
  return child.adopted_by.value != 0 ? child.adopted_by : child.attempt;
}

void ModelKeeper::notify(const Child& child, Notified message) {
  if (!uses_notify(spec(child))) return;
  message.attempt = sender(child);
  if (inbox_ == nullptr) {
    if (unread_.size() < 100) unread_.emplace_back(std::move(message));
  } else if (child.told_spawned) {
    tell(std::move(message));
  }
}

void ModelKeeper::find_main(const core::FindMain& action) {
  const Child* child = find(action.attempt);
  if (child == nullptr || child->daemon_pid == 0) {
    if (maybe(swarm_.never_ready, 2)) return unanswered_.push_back(action);
    return tell(core::MainNotFound{action.unit, action.attempt, "no process is left"});
  }
  tell(core::MainFound{action.unit, action.attempt, child->daemon_pid});
}

void ModelKeeper::end_kin(const core::EndKin& action, Instant now) {
  if (action.signal == 0) return;
  kin_asked_.push_back(action);
  const auto stray = std::ranges::find(strays_, action.attempt, &Stray::attempt);
  if (stray == strays_.end()) return kin_ends(action.attempt);
  if (action.signal != SIGKILL && stray->ignores_stop) return;
  schedule({.at = now + soon(), .kind = Kind::kin_ends, .attempt = action.attempt});
}

void ModelKeeper::kin_ends(Attempt attempt) {
  std::erase_if(strays_, [attempt](const Stray& stray) { return stray.attempt == attempt; });
  const auto asked = std::ranges::find(kin_asked_, attempt, &core::EndKin::attempt);
  if (asked == kin_asked_.end()) return;
  tell(core::KinEnded{asked->unit, attempt});
  std::erase_if(kin_asked_, [attempt](const core::EndKin& one) { return one.attempt == attempt; });
}

void ModelKeeper::check_conditions(const core::CheckConditions& action) {
  const bool met = !maybe(swarm_.conditions_fail, 3);
  tell(core::ConditionsChecked{action.unit, action.token, met, met ? "" : "/etc/x is missing"});
}

void ModelKeeper::measure_memory(const core::MeasureMemory& action) {
  const uint64_t bytes = maybe(swarm_.memory_high, 8) ? 2'000'000 : 1'000'000;
  tell(core::MemoryMeasured{action.unit, action.attempt, bytes});
}

void ModelKeeper::heal(Instant now) {
  healed_ = true;
  for (const core::FindMain& question : std::exchange(unanswered_, {}))
    tell(core::MainNotFound{question.unit, question.attempt, "no process is left"});
  for (const Child& child : children_) {
    if (!is_main(child.role) || child.phase == Phase::over) continue;
    schedule({.at = now + milliseconds(50), .kind = Kind::gets_ready, .attempt = child.attempt});
    if (spec(child).type == ServiceType::forking && !child.adopted) {
      schedule({.at = now + milliseconds(20), .kind = Kind::exits, .attempt = child.attempt});
    }
    if (watchdog_of(spec(child)) == Duration::zero() || child.pings) continue;
    schedule({.at = now + soon(), .kind = Kind::pings, .attempt = child.attempt});
  }
}

}  // namespace foster::sim
