#include "common/unit/unit_set.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <string>
#include <tuple>

#include "common/check.hpp"

namespace foster {
namespace {

constexpr std::string_view kPatternCharacters = "*?[\\";

bool duplicate_names(const std::vector<UnitSpec>& units) {
  return std::ranges::adjacent_find(units, {}, &UnitSpec::name) != units.end();
}

/// Reports every unit whose name another file has as well, and leaves only the first of each.
void check_names(std::vector<UnitSpec>& units, std::vector<Diagnostic>& diagnostics) {
  std::ranges::stable_sort(units, {}, &UnitSpec::name);
  for (size_t i = 1; i < units.size(); ++i) {
    if (units[i].name != units[i - 1].name) continue;
    size_t first = i - 1;
    while (first > 0 && units[first - 1].name == units[i].name)
      --first;
    Diagnostic diagnostic;
    diagnostic.file = units[i].file;
    diagnostic.message =
        "the unit \"" + units[i].name + "\" is already there: " + units[first].file;
    diagnostics.push_back(std::move(diagnostic));
  }
}

void sort_diagnostics(std::vector<Diagnostic>& diagnostics) {
  std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::tie(diagnostic.file, diagnostic.line, diagnostic.column);
  });
}

}  // namespace

UnitSet::UnitSet(std::vector<UnitSpec> units) : units_(std::move(units)) {
  std::ranges::sort(units_, {}, &UnitSpec::name);
  FOSTER_CHECK(!duplicate_names(units_));
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
                          std::vector<Diagnostic> unreadable) {
  CheckedSet checked;
  checked.diagnostics = std::move(unreadable);
  std::vector<UnitSpec> units;
  units.reserve(sources.size());
  for (const SourceFile& source : sources) {
    ParsedUnit parsed = parse_unit(source);
    if (parsed.spec) units.push_back(std::move(*parsed.spec));
    std::ranges::move(parsed.diagnostics, std::back_inserter(checked.diagnostics));
  }
  check_names(units, checked.diagnostics);
  sort_diagnostics(checked.diagnostics);
  if (checked.diagnostics.empty()) checked.set = std::make_shared<const UnitSet>(std::move(units));
  return checked;
}

}  // namespace foster
