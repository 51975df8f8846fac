// The manager's part in what is kept over restarts: which units are enabled, their timers, and the
// requests that change it.
#include <algorithm>

#include "daemon/manager/manager.hpp"

namespace foster::manager {
namespace {

constexpr int64_t kMicrosecond = 1'000;

void apply(SettingVerb verb, const std::vector<std::string>& names, Settings& settings) {
  for (const std::string& name : names) {
    UnitSetting& unit = settings.units[name];
    switch (verb) {
      case SettingVerb::enable:
      case SettingVerb::disable:
        unit.enabled = verb == SettingVerb::enable;
        break;
      case SettingVerb::mask:
      case SettingVerb::unmask:
        unit.masked = verb == SettingVerb::mask;
        break;
    }
  }
}

}  // namespace

SlotFacts Manager::slot_facts(UnitIndex unit) const {
  const HeldCounts held = descriptors_.counts(unit);
  return {.timer_next_real_ns = timers_.next_real_ns(unit),
          .enablement = static_cast<uint8_t>(holdings_.enablement[unit]),
          .socket_count = held.sockets,
          .held_count = held.others,
          .socket_ports = held.ports};
}

void Manager::begin_timers() {
  for (uint32_t i = 0; i < holdings_.set->size(); ++i) {
    const UnitIndex unit{i};
    publisher_.facts_changed(unit);
    if (!core_.set()[unit].timer || !holdings_.enablement.timer_runs(unit)) continue;
    TimerSchedule::Past past{.last_start = core_.record(unit).started};
    const auto remembered = holdings_.remembered.find(i);
    if (remembered != holdings_.remembered.end()) {
      past.seen = true;
      past.due_real_us = remembered->second.timer_next_real_ns / kMicrosecond;
    }
    timers_.add(unit, past);
  }
}

void Manager::change_settings(SettingVerb verb, const std::vector<UnitIndex>& units,
                              const BusShell::Done& done) {
  std::vector<std::string> names;
  names.reserve(units.size());
  for (const UnitIndex unit : units)
    names.push_back(core_.set()[unit].name);
  settings_.change([verb, names](Settings& settings) { apply(verb, names, settings); },
                   [this, units, done](const Result<void>& kept) {
                     if (kept) std::ranges::for_each(units, [this](auto u) { setting_changed(u); });
                     done(kept);
                   });
}

void Manager::setting_changed(UnitIndex unit) {
  Enablement& enablement = holdings_.enablement;
  const bool was_masked = enablement.masked(unit);
  enablement.update(core_.set(), unit, settings_.current());
  if (enablement.masked(unit) != was_masked) queue(core::MaskChange{unit, enablement.masked(unit)});
  publisher_.facts_changed(unit);
  if (!core_.set()[unit].timer || enablement.timer_runs(unit) == timers_.has(unit)) return;
  if (timers_.has(unit))
    timers_.remove(unit);
  else
    timers_.add(unit, {.last_start = core_.record(unit).started});
}

BusShell Manager::bus_shell() {
  using Done = BusShell::Done;
  return {
      .keeper = holdings_.keeper.keeper_pid,
      .templates = holdings_.templates,
      .descriptors = &descriptors_,
      .store_above = [this](const std::string& name, int fd) { return systemd_.store(name, fd); },
      .queue = [this](core::Event event) { queue(std::move(event)); },
      .shutting_down = [this] { return core_.shutting_down(); },
      .set = [this](SettingVerb verb, const std::vector<UnitIndex>& units,
                    const Done& done) { change_settings(verb, units, done); },
      .load = [this](Done done) { renewal_.load(std::move(done)); },
      .scale = [this](const std::string& name, uint32_t count,
                      Done done) { renewal_.scale(name, count, std::move(done)); }};
}

}  // namespace foster::manager
