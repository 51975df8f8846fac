#include "tests/exhaustive/small_world.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "daemon/core/invariants.hpp"
#include "tests/sim/describe.hpp"
#include "tests/sim/rest_oracle.hpp"

namespace foster::exhaustive {

using core::ExitKind;
using core::Role;
using core::UnitRecord;
using core::UnitState;
using core::Verb;

namespace {

// Far more than any of the small sets needs to come to rest.
constexpr int kStepsToHeal = 2000;

const char* text(What what) {
  switch (what) {
    case What::start:
      return "start";
    case What::stop:
      return "stop";
    case What::restart:
      return "restart";
    case What::exit_0:
      return "exit 0";
    case What::exit_1:
      return "exit 1";
    case What::ready:
      return "ready";
    case What::spawn_fails:
      return "spawn fails";
    case What::timer_due:
      return "timer due";
    case What::crash:
      return "crash";
  }
  return "";
}

}  // namespace

std::string describe(const UnitSet& set, Step step) {
  const bool of_all = step.what == What::timer_due || step.what == What::crash;
  return of_all ? text(step.what) : text(step.what) + (" " + set[{step.unit}].name);
}

SmallWorld::SmallWorld(std::shared_ptr<const UnitSet> set, bool trace)
    : set_(std::move(set)),
      trace_(trace),
      verdict_(*set_),
      order_(*set_, verdict_),
      goals_(*set_, verdict_),
      jobs_(*set_, verdict_),
      manager_(std::make_unique<core::Supervisor>(set_, core::Options{1})),
      processes_(set_->size()),
      spawn_fails_(set_->size(), false) {
  begin(true);
}

void SmallWorld::begin(bool first_manager) {
  was_shutting_down_ = manager_->shutting_down();
  order_.manager_began(*manager_);
  goals_.manager_began(*manager_);
  core::Begin begin{.first_manager = first_manager};
  for (uint32_t i = 0; first_manager && i < set_->size(); ++i)
    begin.initial.push_back({i});
  give(begin);
  settle();
}

bool SmallWorld::possible(Step step) const {
  const Process& process = processes_[step.unit];
  const bool lives = process.attempt.value != 0;
  switch (step.what) {
    case What::start:
    case What::stop:
    case What::restart:
    case What::crash:
      return true;
    case What::exit_0:
    case What::exit_1:
      return lives;
    case What::ready:
      return lives && !process.ready && (*set_)[{step.unit}].type == ServiceType::notify;
    case What::spawn_fails:
      return !lives && !spawn_fails_[step.unit];
    case What::timer_due:
      return manager_->next_deadline().has_value();
  }
  return false;
}

void SmallWorld::happen(Step step) {
  say("-- " + describe(*set_, step));
  now_ = now_ + std::chrono::milliseconds(1);
  const auto request = [&](Verb verb) {
    news_.emplace_back(core::Request{++token_, verb, {{step.unit}}});
  };
  switch (step.what) {
    case What::start:
      request(Verb::start);
      break;
    case What::stop:
      request(Verb::stop);
      break;
    case What::restart:
      request(Verb::restart);
      break;
    case What::exit_0:
      ends(step.unit, ExitKind::code, 0);
      break;
    case What::exit_1:
      ends(step.unit, ExitKind::code, 1);
      break;
    case What::ready:
      gets_ready(step.unit);
      break;
    case What::spawn_fails:
      spawn_fails_[step.unit] = true;
      break;
    case What::timer_due:
      take_time();
      break;
    case What::crash:
      crash();
      break;
  }
  settle();
}

void SmallWorld::give(const core::Event& event) {
  if (trace_) say(sim::describe(*set_, event));
  actions_.clear();
  manager_->handle(event, now_, now_.ns, actions_);
  judge(&event, actions_);
}

void SmallWorld::take_time() {
  now_ = std::max(now_, *manager_->next_deadline());
  say("time reached");
  actions_.clear();
  manager_->time_reached(now_, now_.ns, actions_);
  judge(nullptr, actions_);
}

void SmallWorld::judge(const core::Event* event, std::span<const core::Action> actions) {
  ++events_;
  if (trace_) {
    for (const core::Action& action : actions)
      say("    " + sim::describe(*set_, action));
  }
  const sim::Judged judged{*manager_, event, actions, now_, was_shutting_down_};
  order_.handled(judged);
  goals_.handled(judged);
  jobs_.handled(judged);
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const UnitRecord& record = manager_->record({i});
    const char* broken = core::broken_invariant((*set_)[{i}], record);
    if (broken != nullptr) verdict_.fail({i}, broken);
    order_.told().committed({i});
    jobs_.committed({i}, record);
  }
  jobs_.all_committed(manager_->last_job());
  was_shutting_down_ = manager_->shutting_down();
  const std::vector<core::Action> performed(actions.begin(), actions.end());
  for (const core::Action& action : performed)
    perform(action);
}

void SmallWorld::settle() {
  while (!news_.empty() && !ended_) {
    const core::Event event = std::move(news_.front());
    news_.pop_front();
    give(event);
  }
}

void SmallWorld::perform(const core::Action& action) {
  if (const auto* spawn = std::get_if<core::Spawn>(&action)) return perform(*spawn);
  if (const auto* kill = std::get_if<core::Kill>(&action)) return perform(*kill);
  if (const auto* reply = std::get_if<core::Reply>(&action)) return jobs_.replied(*reply);
  if (std::holds_alternative<core::EndDaemon>(action)) ended_ = true;
}

void SmallWorld::perform(const core::Spawn& spawn) {
  Process& process = processes_[spawn.unit.value];
  last_attempt_ = spawn.attempt;
  if (process.attempt.value != 0) return verdict_.fail(spawn.unit, "it has two processes");
  if (spawn_fails_[spawn.unit.value]) {
    spawn_fails_[spawn.unit.value] = false;
    news_.emplace_back(core::SpawnFailed{spawn.unit, spawn.attempt, ENOENT, "cannot execute"});
    return;
  }
  process = {.attempt = spawn.attempt};
  news_.emplace_back(core::Spawned{spawn.unit, spawn.attempt, 100});
}

void SmallWorld::perform(const core::Kill& kill) {
  Process& process = processes_[kill.unit.value];
  if (process.attempt != kill.attempt || process.attempt.value == 0) return;
  process.told_to_stop = true;
  if (kill.signal == SIGKILL) ends(kill.unit.value, ExitKind::signal, SIGKILL);
}

void SmallWorld::ends(uint32_t unit, ExitKind kind, int value) {
  Process& process = processes_[unit];
  const core::LastExit how{.kind = kind, .value = value, .at = now_, .at_real_ns = now_.ns};
  news_.emplace_back(core::Exited{{unit}, process.attempt, how, false});
  process = {};
}

void SmallWorld::gets_ready(uint32_t unit) {
  processes_[unit].ready = true;
  news_.emplace_back(core::Notified{.unit = {unit}, .ready = true});
}

bool SmallWorld::heal_one() {
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const Process& process = processes_[i];
    const ServiceType type = (*set_)[{i}].type;
    if (process.attempt.value == 0) continue;
    if (process.told_to_stop) {
      ends(i, ExitKind::signal, SIGTERM);
      return true;
    }
    if (type == ServiceType::oneshot) {
      ends(i, ExitKind::code, 0);
      return true;
    }
    if (type == ServiceType::notify && !process.ready) {
      gets_ready(i);
      return true;
    }
  }
  if (!manager_->next_deadline().has_value()) return false;
  take_time();
  return true;
}

void SmallWorld::heal() {
  spawn_fails_.assign(set_->size(), false);
  for (int i = 0; i < kStepsToHeal && !ended_; ++i) {
    if (!heal_one()) return;
    settle();
    if (!violation().empty()) return;
  }
  if (!ended_) verdict_.fail("it does not come to rest");
}

void SmallWorld::heal_and_end() {
  say("-- healed");
  heal();
  if (!violation().empty()) return;
  sim::judge_rest(*set_, *manager_, verdict_);
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const bool runs = manager_->record({i}).state == UnitState::running;
    if (runs != (processes_[i].attempt.value != 0)) {
      verdict_.fail({i}, "its process is not what its state says");
    }
  }
  if (!violation().empty()) return;
  say("-- shutdown");
  news_.emplace_back(core::ShutdownRequest{3});
  settle();
  heal();
  if (!ended_) verdict_.fail("the shutdown never ends");
  for (uint32_t i = 0; i < set_->size(); ++i) {
    if (processes_[i].attempt.value != 0) verdict_.fail({i}, "its process is left behind");
  }
}

/// All was published and performed; only what is not published is lost.
void SmallWorld::crash() {
  core::Recovered found{.last_attempt = last_attempt_, .last_job = manager_->last_job()};
  for (uint32_t i = 0; i < set_->size(); ++i) {
    core::RecoveredUnit unit{.unit = {i}, .record = manager_->record({i})};
    unit.record->over = UnitRecord().over;
    unit.live_attempt = processes_[i].attempt;
    if (unit.live_attempt.value != 0) {
      unit.pid = 100;
      unit.last_signal = processes_[i].told_to_stop ? (*set_)[{i}].stop.signal : 0;
    }
    found.units.push_back(std::move(unit));
  }
  manager_ = std::make_unique<core::Supervisor>(set_, core::Options{1});
  manager_->recover(found, now_);
  begin(false);
}

void SmallWorld::say(const std::string& line) const {
  if (trace_) std::printf("%10.3f %s\n", static_cast<double>(now_.ns) / 1e9, line.c_str());
}

}  // namespace foster::exhaustive
