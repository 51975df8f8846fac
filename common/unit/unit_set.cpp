#include "common/unit/unit_set.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <string>
#include <tuple>

#include "common/check.hpp"
#include "common/unit/unit_name.hpp"

namespace foster {
namespace {

constexpr std::string_view kPatternCharacters = "*?[\\";

bool duplicate_names(const std::vector<UnitSpec>& units) {
  return std::ranges::adjacent_find(units, {}, &UnitSpec::name) != units.end();
}

/// Reports each file that gives its unit a name that an earlier file has given to another.
void check_names(const std::vector<SourceFile>& sources, std::vector<Diagnostic>& diagnostics) {
  std::vector<std::pair<std::string, const SourceFile*>> names;
  names.reserve(sources.size());
  for (const SourceFile& source : sources) {
    if (Result<std::string> name = unit_name_of(source.path))
      names.emplace_back(std::move(*name), &source);
  }
  std::ranges::stable_sort(names, {}, &decltype(names)::value_type::first);
  const SourceFile* first = nullptr;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == 0 || names[i].first != names[i - 1].first) {
      first = names[i].second;
      continue;
    }
    Diagnostic diagnostic;
    diagnostic.file = names[i].second->path;
    diagnostic.message = "a unit of this name is there already: " + first->path;
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
  graph_ = Graph(units_);
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
  check_names(sources, checked.diagnostics);
  sort_diagnostics(checked.diagnostics);
  if (checked.diagnostics.empty()) checked.set = std::make_shared<const UnitSet>(std::move(units));
  return checked;
}

}  // namespace foster
