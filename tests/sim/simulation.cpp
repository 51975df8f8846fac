#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "daemon/core/recovery.hpp"
#include "tests/sim/describe.hpp"

namespace foster::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Far more than any run needs once nothing goes wrong any more.
constexpr uint64_t kEventsToConverge = 300'000;
constexpr Duration kTimeToConverge = seconds(3000);
// Longer than anything takes that was decided before: then nothing more will change.
constexpr Duration kQuiet = seconds(130);
// A successor that would do anything does it at once, or after a restart delay.
constexpr Duration kQuietAfterRecovery = seconds(40);
// What a process takes to die of SIGKILL at most, and to be told of.
constexpr Duration kDeath = seconds(70);

Duration longest_hook(const UnitSpec& spec, HookPoint point) {
  const HookSpec* hook = hook_of(spec, point);
  if (hook == nullptr) return Duration::zero();
  return (hook->timeout + kDeath) * hook->commands.size();
}

/// By then a shutdown has ended, even if all units stop one after another.
Duration longest_shutdown(const UnitSet& set) {
  Duration sum = kDeath;
  for (const UnitSpec& spec : set.units()) {
    sum += spec.stop.timeout + kDeath + longest_hook(spec, HookPoint::pre_start) +
           longest_hook(spec, HookPoint::post_start) + longest_hook(spec, HookPoint::pre_stop) +
           longest_hook(spec, HookPoint::stop) + longest_hook(spec, HookPoint::post_stop);
  }
  return sum;
}

}  // namespace

Simulation::Simulation(const Options& options)
    : options_(options),
      random_(options.seed),
      swarm_(random_swarm(random_)),
      set_(random_units(random_)),
      keeper_(*set_, swarm_, Random(random_.next())),
      oracle_(*set_),
      masked_(set_->size(), false) {
  region_.records.resize(set_->size());
}

Outcome Simulation::run() {
  for (uint32_t i = 0; options_.trace && i < set_->size(); ++i)
    trace(describe(*set_, UnitIndex{i}));
  manager_starts();
  while (stage_ != Stage::over && oracle_.violation().empty()) {
    step();
    if (stage_ == Stage::faulty && events_ + client_visits_ >= options_.events) heal();
    if (events_ > options_.events + kEventsToConverge) oracle_.fail("it does not converge");
  }
  return {oracle_.violation(), events_, crashes_, hash_};
}

void Simulation::step() {
  Instant at;
  const Next next = choose(at);
  if (next == Next::nothing || all_quiet()) return nothing_more();
  now_ = std::max(now_, at);
  if (overdue()) return;
  switch (next) {
    case Next::nothing:
      break;
    case Next::keeper:
      if (inbox_.empty()) turn_at_ = now_ + microseconds(between(random_, 0, 500));
      keeper_.happen(now_);
      break;
    case Next::client:
      client_acts();
      break;
    case Next::timer:
      turn(true);
      break;
    case Next::turn:
      turn(false);
      break;
    case Next::manager:
      manager_starts();
      break;
  }
}

Simulation::Next Simulation::choose(Instant& at) const {
  Next next = Next::nothing;
  const auto consider = [&](Next candidate, Instant when) {
    if (next != Next::nothing && at <= when) return;
    next = candidate;
    at = when;
  };
  if (const std::optional<Instant> happening = keeper_.next_happening()) {
    consider(Next::keeper, *happening);
  }
  if (stage_ == Stage::faulty) consider(Next::client, client_at_);
  if (manager_ == nullptr) {
    consider(Next::manager, manager_at_);
    return next;
  }
  if (timer_at_.has_value()) consider(Next::timer, *timer_at_);
  if (!inbox_.empty()) consider(Next::turn, turn_at_);
  return next;
}

bool Simulation::overdue() {
  const bool healing = stage_ == Stage::healing || stage_ == Stage::recovering;
  if (healing && now_ > healed_at_ + kTimeToConverge) oracle_.fail("it does not converge");
  if (stage_ == Stage::ending && now_ > shutdown_asked_ + longest_shutdown(*set_)) {
    oracle_.fail("the shutdown takes longer than all timeouts together");
  }
  return !oracle_.violation().empty();
}

bool Simulation::all_quiet() const {
  if (manager_ == nullptr || !inbox_.empty() || manager_->shutting_down()) return false;
  if (stage_ == Stage::healing) return now_ > last_change_ + kQuiet;
  return stage_ == Stage::recovering && now_ > last_change_ + kQuietAfterRecovery;
}

void Simulation::nothing_more() {
  switch (stage_) {
    case Stage::faulty:
      return heal();
    case Stage::healing:
      return converged();
    case Stage::recovering:
      return recovered();
    case Stage::ending:
    case Stage::over:
      return oracle_.fail("the shutdown never ends");
  }
}

void Simulation::converged() {
  trace("-- converged");
  if (manager_->shutting_down()) return oracle_.fail("the shutdown never ends");
  oracle_.converged(*manager_, keeper_);
  places_ = places();
  stage_ = Stage::recovering;
  crash("though all is well");
  last_change_ = manager_at_;
}

/// A successor that finds everything at its place leaves it there.
void Simulation::recovered() {
  if (manager_ == nullptr) return manager_starts();
  oracle_.converged(*manager_, keeper_);
  const std::vector<Place> now_there = places();
  for (uint32_t i = 0; i < set_->size(); ++i) {
    if (now_there[i] != places_[i]) oracle_.fail({i}, "a new manager has led to another place");
  }
  trace("-- shutting down");
  stage_ = Stage::ending;
  inbox_.emplace_back(core::ShutdownRequest{7});
  shutdown_asked_ = turn_at_ = now_;
}

std::vector<Simulation::Place> Simulation::places() const {
  std::vector<Place> result;
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const core::UnitRecord& record = manager_->record({i});
    result.push_back({record.state, record.goal, record.attempt});
  }
  return result;
}

void Simulation::heal() {
  trace("-- healed");
  stage_ = Stage::healing;
  if (inbox_.empty()) turn_at_ = now_;
  keeper_.heal(now_);
  healed_at_ = last_change_ = now_;
  const Swarm none;
  swarm_ = none;
}

void Simulation::manager_starts() {
  trace("-- a manager starts");
  manager_ = std::make_unique<core::Supervisor>(set_, core::Options{random_.next()});
  manager_->recover(found(), now_);
  oracle_.manager_began(*manager_, keeper_);
  for (uint32_t i = 0; i < set_->size(); ++i)
    oracle_.masked({i}, masked_[i]);
  core::Begin begin{.first_manager = first_manager_};
  for (uint32_t i = 0; i < set_->size(); ++i) {
    if ((*set_)[{i}].enabled && !region_.records[i].has_value()) begin.initial.push_back({i});
  }
  inbox_.emplace_back(std::move(begin));
  for (uint32_t i = 0; i < set_->size(); ++i)
    open_sockets({i});
  keeper_.connect(&inbox_);
  first_manager_ = false;
  first_turn_ = true;
  turn_at_ = now_;
}

namespace {

/// What the status region has no room for.
void forget_unpublished(core::UnitRecord& record) {
  const core::UnitRecord fresh;
  record.over = fresh.over;
  record.kin_asked = record.kin_ended = {};
  record.hook.ended = record.hook.failed = false;
  record.check.ended = record.check.failed = false;
  record.successor.ended = record.former.ended = false;
  record.successor_status.clear();
}

/// The newest of each kind counts.
void add_live(core::RecoveredUnit& unit, const Child& child) {
  using core::Role;
  if (child.role == Role::ready_check || child.role == Role::health_check) {
    unit.live_check = std::max(unit.live_check, child.attempt);
  } else if (!is_main(child.role)) {
    unit.live_hook = std::max(unit.live_hook, child.attempt);
  } else {
    core::add_live_main(unit, {child.attempt, child.role, child.pid, child.last_signal,
                               child.phase == Phase::over});
  }
}

}  // namespace

core::Recovered Simulation::found() const {
  core::Recovered found{.last_attempt = std::max(region_.last_attempt, keeper_.last_attempt()),
                        .last_job = region_.last_job,
                        .shutting_down = region_.shutting_down,
                        .exit_code = region_.exit_code};
  for (uint32_t i = 0; i < set_->size(); ++i) {
    core::RecoveredUnit unit{.unit = {i}, .record = region_.records[i], .masked = masked_[i]};
    if (unit.record.has_value()) forget_unpublished(*unit.record);
    for (const Child& child : keeper_.children()) {
      if (child.unit == unit.unit) add_live(unit, child);
    }
    found.units.push_back(std::move(unit));
  }
  return found;
}

void Simulation::crash(const char* where) {
  trace(std::string("-- the manager crashes ") + where);
  ++crashes_;
  keeper_.disconnect();
  manager_.reset();
  inbox_.clear();
  timer_at_.reset();
  oracle_.turn_lost();
  if (swarm_.region_lost && once_in(random_, 10)) lose_region();
  const int64_t longest = once_in(random_, 4) ? 20'000'000 : 5'000;
  manager_at_ = now_ + microseconds(between(random_, 0, longest));
}

void Simulation::lose_region() {
  trace("-- the region is lost");
  region_ = {};
  region_.records.resize(set_->size());
  keeper_.forget_counted();
  oracle_.region_lost();
}

bool Simulation::crashes(uint64_t rate, const char* where) {
  if (!once_in(random_, rate)) return false;
  crash(where);
  return true;
}

void Simulation::turn(bool timer_due) {
  actions_.clear();
  tokens_.clear();
  const size_t most = swarm_.big_turns ? inbox_.size() : std::min<size_t>(inbox_.size(), 2);
  const int64_t count = inbox_.empty() ? 0 : between(random_, 1, static_cast<int64_t>(most));
  for (int64_t i = 0; i < count; ++i) {
    const core::Event event = std::move(inbox_.front());
    inbox_.pop_front();
    handle(&event);
    if (crashes(swarm_.crash_before_publish, "before it publishes")) return;
  }
  const std::optional<Instant> deadline = manager_->next_deadline();
  const bool reached = deadline.has_value() && *deadline <= now_;
  if (timer_due || (reached && !swarm_.timers_late)) handle(nullptr);
  if (!publish()) return;
  if (crashes(swarm_.crash_before_actions, "before its actions")) return lose_actions(0);
  for (size_t i = 0; i < actions_.size(); ++i) {
    if (crashes(swarm_.crash_between_actions, "between two actions")) return lose_actions(i);
    perform(actions_[i]);
  }
  first_turn_ = false;
  oracle_.turn_done(tokens_);
  turn_at_ = now_ + microseconds(between(random_, 0, 100));
  set_timer();
}

void Simulation::lose_actions(size_t from) {
  for (size_t i = from; i < actions_.size(); ++i) {
    if (const auto* spawn = std::get_if<core::Spawn>(&actions_[i])) oracle_.lost(*spawn);
  }
}

void Simulation::handle(const core::Event* event) {
  ++events_;
  const size_t before = actions_.size();
  mix_event(event);
  oracle_.about_to_handle(event, now_);
  if (event == nullptr) {
    trace("time reached");
    manager_->time_reached(now_, now_.ns, actions_);
  } else {
    if (options_.trace) trace(describe(*set_, *event));
    manager_->handle(*event, now_, now_.ns, actions_);
  }
  const std::span<const core::Action> fresh = std::span(actions_).subspan(before);
  if (before > 0 && std::holds_alternative<core::EndDaemon>(actions_[before - 1])) {
    if (!fresh.empty()) oracle_.fail("an action follows the end");
    return;
  }
  for (const core::Action& action : fresh) {
    mix(action.index());
    if (options_.trace) trace("    " + describe(*set_, action));
  }
  oracle_.handled(*manager_, event, fresh, now_);
  if (event == nullptr) return;
  if (const auto* request = std::get_if<core::Request>(event)) tokens_.push_back(request->token);
  if (const auto* signal = std::get_if<core::SignalRequest>(event)) {
    tokens_.push_back(signal->token);
  }
}

bool Simulation::publish() {
  const std::vector<UnitIndex> changed = manager_->take_changed();
  const bool torn = once_in(random_, swarm_.crash_in_publish);
  const int64_t whole = static_cast<int64_t>(changed.size());
  const int64_t written = torn ? between(random_, 0, whole) : whole;
  const std::span<const UnitIndex> units(changed.data(), static_cast<size_t>(written));
  if (!torn || swarm_.header_first) write_header();
  for (const UnitIndex unit : units) {
    follow(manager_->record(unit), unit);
    region_.records[unit.value] = manager_->record(unit);
    mix(static_cast<uint64_t>(manager_->record(unit).state));
  }
  oracle_.published(region_, units, keeper_);
  if (torn) {
    crash("while it publishes");
    lose_actions(0);
    return false;
  }
  oracle_.published_whole(*manager_, region_);
  for (const UnitIndex unit : changed)
    open_sockets(unit);
  return true;
}

/// Health checks and the like go on for ever; what counts as a change is a unit's way.
void Simulation::follow(const core::UnitRecord& record, UnitIndex unit) {
  const std::optional<core::UnitRecord>& old = region_.records[unit.value];
  const bool same = old.has_value() && old->state == record.state && old->goal == record.goal &&
                    old->attempt == record.attempt && old->job == record.job;
  if (!same) last_change_ = now_;
}

void Simulation::write_header() {
  region_.last_attempt = manager_->last_attempt();
  region_.last_job = manager_->last_job();
  region_.shutting_down = manager_->shutting_down();
  region_.exit_code = manager_->exit_code();
}

void Simulation::perform(const core::Action& action) {
  std::string broken;
  if (const auto* spawn = std::get_if<core::Spawn>(&action)) {
    broken = keeper_.spawn(*spawn, now_);
    if (!broken.empty()) return oracle_.fail(spawn->unit, broken);
    oracle_.performed(*spawn);
  } else if (const auto* adopt = std::get_if<core::Adopt>(&action)) {
    broken = keeper_.adopt(*adopt, now_);
  } else if (const auto* find = std::get_if<core::FindMain>(&action)) {
    keeper_.find_main(*find);
  } else if (const auto* kin = std::get_if<core::EndKin>(&action)) {
    keeper_.end_kin(*kin, now_);
  } else if (const auto* check = std::get_if<core::CheckConditions>(&action)) {
    keeper_.check_conditions(*check);
  } else if (const auto* measure = std::get_if<core::MeasureMemory>(&action)) {
    keeper_.measure_memory(*measure);
  } else if (const auto* kill = std::get_if<core::Kill>(&action)) {
    perform_kill(*kill);
  } else if (const auto* acknowledge = std::get_if<core::Acknowledge>(&action)) {
    broken = keeper_.acknowledge(*acknowledge);
  } else if (const auto* reply = std::get_if<core::Reply>(&action)) {
    oracle_.replied(*reply);
  } else if (const auto* end = std::get_if<core::EndDaemon>(&action)) {
    oracle_.ended(*end, *manager_, keeper_, now_);
    stage_ = Stage::over;
  }
  if (!broken.empty()) oracle_.fail(broken);
}

void Simulation::perform_kill(const core::Kill& kill) {
  const UnitSpec& spec = (*set_)[kill.unit];
  // The first turn of a manager may repeat a SIGKILL when the stop signal before it was lost as
  // well. A stop command may take the signal's place, and those of hooks and checks have none.
  // One that has failed to take the place of the main process gets no other signal.
  const bool of_successor = keeper_.is_successor(kill.attempt);
  const bool last_resort = !of_successor && kill.signal == SIGKILL && kill.group &&
                           spec.stop.signal != SIGKILL && !spec.hooks && !spec.health &&
                           !spec.ready && spec.conditions.empty() && !uses_notify(spec);
  if (last_resort && !first_turn_ && !oracle_.hurried() && !keeper_.told_to_stop(kill.attempt)) {
    oracle_.fail(kill.unit, "SIGKILL comes without the stop signal before it");
  }
  keeper_.kill(kill, now_);
}

void Simulation::set_timer() {
  timer_at_ = manager_->next_deadline();
  if (!timer_at_.has_value() || !swarm_.timers_late) return;
  timer_at_ = std::max(*timer_at_, now_) + milliseconds(between(random_, 0, 3000));
}

void Simulation::mix(uint64_t value) {
  hash_ = (hash_ ^ value) * 0x100000001b3U;
}

void Simulation::mix_event(const core::Event* event) {
  mix(static_cast<uint64_t>(now_.ns));
  if (event == nullptr) return mix(99);
  mix(event->index());
  std::visit(
      [&](const auto& decoded) {
        if constexpr (requires { decoded.attempt; }) mix(decoded.attempt.value);
        if constexpr (requires { decoded.token; }) mix(decoded.token);
      },
      *event);
}

void Simulation::trace(const std::string& line) const {
  if (!options_.trace) return;
  std::printf("%14.6f %s\n", static_cast<double>(now_.ns) / 1e9, line.c_str());
}

}  // namespace foster::sim
