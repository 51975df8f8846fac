#include "daemon/manager/enablement.hpp"

#include <utility>

namespace foster::manager {

Enablement::Enablement(const UnitSet& set, const Settings& settings,
                       std::span<const std::string> start)
    : units_(set.size(), FOSTER_ENABLED) {
  choose(set, start);
  for (uint32_t i = 0; i < set.size(); ++i)
    update(set, {i}, settings);
}

Result<void> Enablement::check(const UnitSet& set, std::span<const std::string> start) {
  for (const std::string& pattern : start)
    if (set.matching(pattern).empty()) return failure("start " + pattern, "there is no such unit");
  return {};
}

void Enablement::choose(const UnitSet& set, std::span<const std::string> start) {
  if (start.empty()) return;
  choices_.assign(set.size(), Choice::not_chosen);
  std::vector<UnitIndex> reached;
  for (const std::string& pattern : start) {
    for (const UnitIndex unit : set.matching(pattern))
      if (std::exchange(choices_[unit.value], Choice::named) == Choice::not_chosen)
        reached.push_back(unit);
  }
  for (size_t done = 0; done < reached.size(); ++done) {
    for (const Edge& edge : set.graph().needs(reached[done])) {
      if (!pulls(edge.kind) || choices_[edge.to.value] != Choice::not_chosen) continue;
      choices_[edge.to.value] = Choice::needed;
      reached.push_back(edge.to);
    }
  }
}

Enablement::Choice Enablement::choice(UnitIndex unit) const {
  return choices_.empty() ? Choice::all : choices_[unit.value];
}

void Enablement::update(const UnitSet& set, UnitIndex unit, const Settings& settings) {
  if (units_[unit.value] == FOSTER_GONE) return;
  const UnitSetting setting = settings.of(set[unit].name);
  const auto decide = [&] {
    if (setting.masked) return FOSTER_MASKED;
    if (choice(unit) == Choice::not_chosen) return FOSTER_NOT_CHOSEN;
    if (setting.enabled) return *setting.enabled ? FOSTER_ENABLED_BY_REQUEST : FOSTER_DISABLED;
    return set[unit].enabled ? FOSTER_ENABLED : FOSTER_DISABLED_BY_FILE;
  };
  units_[unit.value] = decide();
}

bool Enablement::timer_runs(UnitIndex unit) const {
  switch ((*this)[unit]) {
    case FOSTER_ENABLED:
    case FOSTER_ENABLED_BY_REQUEST:
      return true;
    case FOSTER_DISABLED_BY_FILE:
    case FOSTER_DISABLED:
      // Whoever names a unit on the command line wants it, whatever was said elsewhere.
      return choice(unit) == Choice::named;
    case FOSTER_MASKED:
    case FOSTER_NOT_CHOSEN:
    case FOSTER_GONE:
      break;
  }
  return false;
}

std::vector<UnitIndex> Enablement::initial(const UnitSet& set) const {
  std::vector<UnitIndex> units;
  for (uint32_t i = 0; i < set.size(); ++i) {
    const UnitIndex unit{i};
    const bool wanted = choices_.empty() ? timer_runs(unit) : choice(unit) == Choice::named;
    const bool may = !masked(unit) && units_[i] != FOSTER_GONE;
    if (wanted && may && !set[unit].timer) units.push_back(unit);
  }
  return units;
}

}  // namespace foster::manager
