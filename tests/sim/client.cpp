// What users ask of the manager in a simulation, and when.
#include <csignal>

#include "daemon/core/readiness.hpp"
#include "tests/sim/simulation.hpp"

namespace foster::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Simulation::client_acts() {
  const int64_t longest = once_in(random_, 50) ? 60'000 : 20;
  client_at_ = now_ + milliseconds(between(random_, 0, longest));
  maybe_leap();
  ++client_visits_;
  if (manager_ == nullptr) return;
  if (inbox_.empty()) turn_at_ = now_;
  if (once_in(random_, swarm_.shutdown)) {
    inbox_.emplace_back(core::ShutdownRequest{static_cast<int>(between(random_, 0, 99))});
    if (coin(random_)) swarm_.shutdown = 20;  // someone is impatient
  }
  if (swarm_.connections && coin(random_)) connects();
  if (swarm_.overlaps && once_in(random_, 4)) ask_overlap();
  switch (random_.next() % 8) {
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
      if (swarm_.signals) send_signal();
      break;
    case 4:
      if (swarm_.reloads) ask(core::Verb::reload);
      break;
    case 5:
      if (swarm_.resets) ask(core::Verb::reset);
      break;
    case 6:
      if (swarm_.masks) change_mask();
      break;
    case 7:
      if (swarm_.timers) timer_elapses();
      break;
  }
}

void Simulation::ask(core::Verb verb) {
  inbox_.emplace_back(core::Request{++last_token_, verb, some_units()});
}

/// Of units whose types allow it, most of the time.
void Simulation::ask_overlap() {
  std::vector<UnitIndex> units = some_units();
  const auto refused = [this](UnitIndex unit) {
    const ServiceType type = (*set_)[unit].type;
    const bool fits = type == ServiceType::simple || type == ServiceType::notify;
    return !fits || asked_at_an_address(core::ready_kind((*set_)[unit]));
  };
  if (!once_in(random_, 8)) std::erase_if(units, refused);
  if (units.empty()) return;
  inbox_.emplace_back(core::Request{++last_token_, core::Verb::overlap, std::move(units)});
}

/// The shell follows what is published. A new one tells of sockets that it has found open, too.
void Simulation::open_sockets(UnitIndex unit) {
  const std::optional<core::UnitRecord>& record = region_.records[unit.value];
  if (!record || record->state != core::UnitState::listening) return;
  if (record->ready && !first_turn_) return;
  if (swarm_.listen_fails && once_in(random_, 4)) {
    inbox_.emplace_back(core::ListenFailed{unit, "cannot listen: fault"});
  } else {
    inbox_.emplace_back(core::Listening{unit});
  }
}

/// The shell watches what is published as listening; what it has seen may be old news by now.
void Simulation::connects() {
  const UnitIndex unit = some_unit();
  const std::optional<core::UnitRecord>& record = region_.records[unit.value];
  if (!starts_on_connection((*set_)[unit]) || !record) return;
  if (record->state != core::UnitState::listening && !once_in(random_, 8)) return;
  if (swarm_.listen_fails && once_in(random_, 8)) {
    inbox_.emplace_back(core::ListenFailed{unit, "cannot listen: fault"});
  } else {
    inbox_.emplace_back(core::ConnectionSeen{unit});
  }
}

void Simulation::send_signal() {
  const int signal = one_of<int, 4>(random_, {SIGHUP, SIGUSR1, SIGTERM, SIGKILL});
  inbox_.emplace_back(core::SignalRequest{++last_token_, signal, some_units()});
}

void Simulation::change_mask() {
  const UnitIndex unit = some_unit();
  masked_[unit.value] = coin(random_);
  inbox_.emplace_back(core::MaskChange{unit, masked_[unit.value]});
}

void Simulation::timer_elapses() {
  const UnitIndex unit = some_unit();
  if ((*set_)[unit].timer) inbox_.emplace_back(core::TimerElapsed{unit});
}

UnitIndex Simulation::some_unit() {
  return {static_cast<uint32_t>(random_.next() % set_->size())};
}

std::vector<UnitIndex> Simulation::some_units() {
  std::vector<UnitIndex> units;
  const uint64_t share = 1 + random_.next() % 4;
  for (uint32_t i = 0; i < set_->size(); ++i) {
    if (once_in(random_, share)) units.push_back({i});
  }
  if (units.empty()) units.push_back(some_unit());
  if (swarm_.asks_twice && once_in(random_, 4)) units.push_back(units.front());
  return units;
}

void Simulation::maybe_leap() {
  if (!swarm_.clock_leaps || !once_in(random_, 50)) return;
  now_ = now_ + seconds(between(random_, 1, 10'000));
  trace("-- the clock leaps");
}

}  // namespace foster::sim
