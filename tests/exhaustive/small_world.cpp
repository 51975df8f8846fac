#include "tests/exhaustive/small_world.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "daemon/core/invariants.hpp"
#include "daemon/core/recovery.hpp"
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
    case What::connect:
      return "connect";
    case What::overlap:
      return "overlap";
    case What::younger_exits:
      return "younger exits";
    case What::younger_ready:
      return "younger ready";
  }
  return "";
}

constexpr What kOrdinary[] = {What::start,  What::stop,  What::restart,    What::exit_0,
                              What::exit_1, What::ready, What::spawn_fails};
constexpr What kListening[] = {What::start,  What::stop,   What::restart,    What::connect,
                               What::exit_0, What::exit_1, What::spawn_fails};
constexpr What kReplaced[] = {What::stop,         What::overlap,     What::exit_1,
                              What::ready,        What::spawn_fails, What::younger_exits,
                              What::younger_ready};

int32_t pid_of(Attempt attempt) {
  return 100 + static_cast<int32_t>(attempt.value);
}

}  // namespace

std::span<const What> per_unit(Manner manner) {
  switch (manner) {
    case Manner::restarting:
    case Manner::ready_once:
      return kOrdinary;
    case Manner::listening:
      return kListening;
    case Manner::replaced:
      return kReplaced;
  }
  return {};
}

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
      younger_(set_->size()),
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
    case What::connect:
      return manager_->record({step.unit}).state == UnitState::listening;
    case What::overlap:
      return (*set_)[{step.unit}].type == ServiceType::notify;
    case What::younger_exits:
      return younger_[step.unit].attempt.value != 0;
    case What::younger_ready:
      return younger_[step.unit].attempt.value != 0 && !younger_[step.unit].ready;
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
    case What::connect:
      news_.emplace_back(core::ConnectionSeen{{step.unit}});
      break;
    case What::overlap:
      request(Verb::overlap);
      break;
    case What::younger_exits:
      younger_ends(step.unit, ExitKind::code, 1);
      break;
    case What::younger_ready:
      younger_gets_ready(step.unit);
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
  open_sockets();
  while (!news_.empty() && !ended_) {
    const core::Event event = std::move(news_.front());
    news_.pop_front();
    give(event);
    open_sockets();
  }
}

void SmallWorld::open_sockets() {
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const UnitRecord& record = manager_->record({i});
    if (record.state != UnitState::listening || record.ready) continue;
    const bool fails = spawn_fails_[i];
    spawn_fails_[i] = false;
    if (fails)
      give(core::ListenFailed{{i}, "cannot listen"});
    else
      give(core::Listening{{i}});
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
  Process& younger = younger_[spawn.unit.value];
  const bool beside = spawn.role == Role::successor && process.attempt.value != 0;
  if (younger.attempt.value != 0 || (process.attempt.value != 0 && !beside)) {
    return verdict_.fail(spawn.unit, "it has too many processes");
  }
  if (spawn_fails_[spawn.unit.value]) {
    spawn_fails_[spawn.unit.value] = false;
    news_.emplace_back(core::SpawnFailed{spawn.unit, spawn.attempt, ENOENT, "cannot execute"});
    return;
  }
  (beside ? younger : process) = {.attempt = spawn.attempt, .role = spawn.role};
  news_.emplace_back(core::Spawned{spawn.unit, spawn.attempt, pid_of(spawn.attempt)});
}

void SmallWorld::perform(const core::Kill& kill) {
  Process& process = processes_[kill.unit.value];
  Process& younger = younger_[kill.unit.value];
  if (kill.attempt == younger.attempt) {
    younger.told_to_stop = true;
    if (kill.signal == SIGKILL) younger_ends(kill.unit.value, ExitKind::signal, SIGKILL);
    return;
  }
  if (process.attempt != kill.attempt || process.attempt.value == 0) return;
  process.told_to_stop = true;
  if (kill.signal == SIGKILL) ends(kill.unit.value, ExitKind::signal, SIGKILL);
}

void SmallWorld::ends(uint32_t unit, ExitKind kind, int value) {
  tell_end(unit, processes_[unit].attempt, kind, value);
  processes_[unit] = std::exchange(younger_[unit], Process{});
}

void SmallWorld::younger_ends(uint32_t unit, ExitKind kind, int value) {
  tell_end(unit, younger_[unit].attempt, kind, value);
  younger_[unit] = {};
}

void SmallWorld::tell_end(uint32_t unit, Attempt attempt, ExitKind kind, int value) {
  const core::LastExit how{.kind = kind, .value = value, .at = now_, .at_real_ns = now_.ns};
  news_.emplace_back(core::Exited{{unit}, attempt, how, false});
}

void SmallWorld::gets_ready(uint32_t unit) {
  processes_[unit].ready = true;
  news_.emplace_back(
      core::Notified{.unit = {unit}, .attempt = processes_[unit].attempt, .ready = true});
}

void SmallWorld::younger_gets_ready(uint32_t unit) {
  younger_[unit].ready = true;
  news_.emplace_back(
      core::Notified{.unit = {unit}, .attempt = younger_[unit].attempt, .ready = true});
}

bool SmallWorld::heal_unit(uint32_t unit) {
  const Process& process = processes_[unit];
  const Process& younger = younger_[unit];
  const ServiceType type = (*set_)[{unit}].type;
  if (process.attempt.value == 0) return false;
  if (process.told_to_stop) {
    ends(unit, ExitKind::signal, SIGTERM);
  } else if (younger.told_to_stop) {
    younger_ends(unit, ExitKind::signal, SIGTERM);
  } else if (type == ServiceType::oneshot) {
    ends(unit, ExitKind::code, 0);
  } else if (type == ServiceType::notify && !process.ready) {
    gets_ready(unit);
  } else if (younger.attempt.value != 0 && !younger.ready) {
    younger_gets_ready(unit);
  } else {
    return false;
  }
  return true;
}

bool SmallWorld::heal_one() {
  for (uint32_t i = 0; i < set_->size(); ++i)
    if (heal_unit(i)) return true;
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
    for (const Process& process : {processes_[i], younger_[i]}) {
      if (process.attempt.value == 0) continue;
      const int signal = process.told_to_stop ? (*set_)[{i}].stop.signal : 0;
      core::add_live_main(unit, {.attempt = process.attempt,
                                 .role = process.role,
                                 .pid = pid_of(process.attempt),
                                 .last_signal = signal});
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
