#include "common/unit/unit_set.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <string>
#include <tuple>

#include "common/check.hpp"
#include "common/unit/set_builder.hpp"

namespace foster {
namespace {

constexpr std::string_view kPatternCharacters = "*?[\\";

bool duplicate_names(const std::vector<UnitSpec>& units) {
  return std::ranges::adjacent_find(units, {}, &UnitSpec::name) != units.end();
}

}  // namespace

UnitSet::UnitSet(std::vector<UnitSpec> units) : units_(std::move(units)) {
  std::ranges::sort(units_, {}, &UnitSpec::name);
  FOSTER_CHECK(!duplicate_names(units_));
  graph_ = Graph(units_);
  FOSTER_CHECK(graph_.start_order(units_.size()).size() == units_.size());
}

std::optional<UnitIndex> UnitSet::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      units_, name, {}, [](const UnitSpec& unit) { return std::string_view(unit.name); });
  if (found == units_.end() || found->name != name) return std::nullopt;
  return UnitIndex{static_cast<uint32_t>(found - units_.begin())};
}

std::vector<UnitIndex> UnitSet::matching(std::string_view pattern) const {
  std::vector<UnitIndex> found;
  if (pattern.find_first_of(kPatternCharacters) == std::string_view::npos) {
    if (const std::optional<UnitIndex> unit = find(pattern)) found.push_back(*unit);
    return found;
  }
  const std::string text(pattern);
  for (uint32_t i = 0; i < units_.size(); ++i) {
    if (fnmatch(text.c_str(), units_[i].name.c_str(), 0) == 0) found.push_back({i});
  }
  return found;
}

CheckedSet build_unit_set(const std::vector<SourceFile>& sources,
                          std::vector<Diagnostic> unreadable, const SetOptions& options) {
  return SetBuilder(sources, std::move(unreadable), options).build();
}

}  // namespace foster
