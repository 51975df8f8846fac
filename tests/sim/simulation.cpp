#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "tests/sim/describe.hpp"

namespace foster::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Far more than any run needs once nothing goes wrong any more.
constexpr uint64_t kEventsToConverge = 200'000;

}  // namespace

Simulation::Simulation(const Options& options)
    : options_(options),
      random_(options.seed),
      swarm_(random_swarm(random_)),
      set_(random_units(random_)),
      keeper_(set_->size(), swarm_, Random(random_.next())),
      oracle_(*set_) {
  region_.records.resize(set_->size());
}

Outcome Simulation::run() {
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
  if (next == Next::nothing) return nothing_left();
  now_ = std::max(now_, at);
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

void Simulation::nothing_left() {
  if (stage_ == Stage::ending) return oracle_.fail("the shutdown never ends");
  oracle_.converged(*manager_, keeper_);
  trace("-- converged; shutting down");
  stage_ = Stage::ending;
  if (manager_->shutting_down()) return oracle_.fail("the shutdown never ends");
  inbox_.emplace_back(core::ShutdownRequest{7});
}

void Simulation::heal() {
  trace("-- healed");
  stage_ = Stage::healing;
  keeper_.heal();
  const Swarm none;
  swarm_ = none;
}

void Simulation::manager_starts() {
  trace("-- a manager starts");
  manager_ = std::make_unique<core::Supervisor>(set_, core::Options{random_.next()});
  manager_->recover(found(), now_);
  oracle_.manager_began(*manager_);
  inbox_.emplace_back(core::Begin{first_manager_});
  keeper_.connect(&inbox_);
  first_manager_ = false;
  first_turn_ = true;
  turn_at_ = now_;
}

core::Recovered Simulation::found() const {
  core::Recovered found{.last_attempt = std::max(region_.last_attempt, keeper_.last_attempt()),
                        .last_job = region_.last_job,
                        .shutting_down = region_.shutting_down,
                        .exit_code = region_.exit_code};
  for (uint32_t i = 0; i < set_->size(); ++i) {
    core::RecoveredUnit unit{.unit = {i}, .record = region_.records[i]};
    for (const Child& child : keeper_.children()) {
      if (child.unit != unit.unit || child.attempt < unit.live_attempt) continue;
      unit.live_attempt = child.attempt;
      unit.pid = child.pid;
      unit.last_signal = child.last_signal;
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
  if (crashes(swarm_.crash_before_actions, "before its actions")) return;
  for (const core::Action& action : actions_) {
    if (crashes(swarm_.crash_between_actions, "between two actions")) return;
    perform(action);
  }
  first_turn_ = false;
  oracle_.turn_done(tokens_);
  turn_at_ = now_ + microseconds(between(random_, 0, 100));
  set_timer();
}

void Simulation::handle(const core::Event* event) {
  ++events_;
  const size_t before = actions_.size();
  mix_event(event);
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
    region_.records[unit.value] = manager_->record(unit);
    mix(static_cast<uint64_t>(manager_->record(unit).state));
  }
  oracle_.published(region_, units, keeper_);
  if (torn) {
    crash("while it publishes");
    return false;
  }
  oracle_.published_whole(*manager_, region_);
  return true;
}

void Simulation::write_header() {
  region_.last_attempt = manager_->last_attempt();
  region_.last_job = manager_->last_job();
  region_.shutting_down = manager_->shutting_down();
  region_.exit_code = manager_->exit_code();
}

void Simulation::perform(const core::Action& action) {
  if (const auto* spawn = std::get_if<core::Spawn>(&action)) {
    const std::string broken = keeper_.spawn(*spawn, (*set_)[spawn->unit].type, now_);
    if (!broken.empty()) oracle_.fail(spawn->unit, broken);
  } else if (const auto* kill = std::get_if<core::Kill>(&action)) {
    perform_kill(*kill);
  } else if (const auto* acknowledge = std::get_if<core::Acknowledge>(&action)) {
    const std::string broken = keeper_.acknowledge(*acknowledge);
    if (!broken.empty()) oracle_.fail(broken);
  } else if (const auto* reply = std::get_if<core::Reply>(&action)) {
    oracle_.replied(*reply);
  } else if (const auto* end = std::get_if<core::EndDaemon>(&action)) {
    oracle_.ended(*end, *manager_, keeper_);
    stage_ = Stage::over;
  }
}

void Simulation::perform_kill(const core::Kill& kill) {
  const int stop_signal = (*set_)[kill.unit].stop.signal;
  // The first turn of a manager may repeat a SIGKILL when the stop signal before it was lost as
  // well.
  const bool last_resort = kill.signal == SIGKILL && kill.group && stop_signal != SIGKILL;
  if (last_resort && !first_turn_ && !keeper_.told_to_stop(kill.attempt)) {
    oracle_.fail(kill.unit, "SIGKILL comes without the stop signal before it");
  }
  keeper_.kill(kill, stop_signal, now_);
}

void Simulation::set_timer() {
  timer_at_ = manager_->next_deadline();
  if (!timer_at_.has_value() || !swarm_.timers_late) return;
  timer_at_ = std::max(*timer_at_, now_) + milliseconds(between(random_, 0, 3000));
}

void Simulation::client_acts() {
  const int64_t longest = once_in(random_, 50) ? 60'000 : 20;
  client_at_ = now_ + milliseconds(between(random_, 0, longest));
  maybe_leap();
  ++client_visits_;
  if (manager_ == nullptr) return;
  if (inbox_.empty()) turn_at_ = now_;
  if (once_in(random_, swarm_.shutdown)) {
    inbox_.emplace_back(core::ShutdownRequest{static_cast<int>(between(random_, 0, 99))});
    if (once_in(random_, 2)) swarm_.shutdown = 20;  // someone is impatient
  }
  const auto ask = [&](core::Verb verb) {
    inbox_.emplace_back(core::Request{++last_token_, verb, some_units()});
  };
  switch (random_.next() % 4) {
    case 0:
      if (swarm_.starts) ask(core::Verb::start);
      break;
    case 1:
      if (swarm_.stops) ask(core::Verb::stop);
      break;
    case 2:
      if (swarm_.restarts) ask(core::Verb::restart);
      break;
    case 3:
      if (!swarm_.signals) break;
      constexpr int kSignals[] = {SIGHUP, SIGUSR1, SIGTERM, SIGKILL};
      const int signal = kSignals[random_.next() % std::size(kSignals)];
      inbox_.emplace_back(core::SignalRequest{++last_token_, signal, some_units()});
      break;
  }
}

std::vector<UnitIndex> Simulation::some_units() {
  std::vector<UnitIndex> units;
  const uint64_t share = 1 + random_.next() % 4;
  for (uint32_t i = 0; i < set_->size(); ++i) {
    if (once_in(random_, share)) units.push_back({i});
  }
  if (units.empty()) units.push_back({static_cast<uint32_t>(random_.next() % set_->size())});
  if (swarm_.asks_twice && once_in(random_, 4)) units.push_back(units.front());
  return units;
}

void Simulation::maybe_leap() {
  if (!swarm_.clock_leaps || !once_in(random_, 50)) return;
  now_ = now_ + seconds(between(random_, 1, 10'000));
  trace("-- the clock leaps");
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
