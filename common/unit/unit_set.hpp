// All units of an instance, checked together. Immutable once built: a new set replaces the old one
// whole, or not at all.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.hpp"
#include "common/unit/diagnostic.hpp"
#include "common/unit/graph.hpp"
#include "common/unit/unit_parser.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

class UnitSet {
 public:
  /// Units in any order; names must differ and no cycle may be in their order (both checked). They
  /// are kept sorted by name.
  explicit UnitSet(std::vector<UnitSpec> units);

  [[nodiscard]] size_t size() const { return units_.size(); }
  [[nodiscard]] const UnitSpec& operator[](UnitIndex unit) const { return units_[unit.value]; }
  [[nodiscard]] const std::vector<UnitSpec>& units() const { return units_; }
  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] std::optional<UnitIndex> find(std::string_view name) const;
  /// Every unit whose name matches the fnmatch(3)-style pattern, in order of name.
  [[nodiscard]] std::vector<UnitIndex> matching(std::string_view pattern) const;

 private:
  std::vector<UnitSpec> units_;
  Graph graph_;
};

struct CheckedSet {
  std::shared_ptr<const UnitSet> set;   // null when a diagnostic is an error
  std::vector<Diagnostic> diagnostics;  // of all files, in order of file, line, column
  std::vector<std::string> templates;   // "worker" for worker@.toml, by name; right ones or wrong
};

/// How many instances a template has, by the template's name without its @.
using InstanceCounts = std::map<std::string, uint32_t, std::less<>>;

struct SetOptions {
  /// Chosen while foster runs: instead of what a template's `instances` says. A template that is
  /// not there is passed over.
  InstanceCounts instances;
  /// The sources are not all that there are: to name a unit that is not among them is no mistake.
  bool partial = false;
};

/// Parses every source, makes the instances of templates, and checks the units against each other
/// (two files for one name, names that are none, cycles, ...). `unreadable` are the diagnostics of
/// files that could not be read; they make the set null too.
///
/// An instance is there when its template's `instances` (or the options) ask for it, when it has a
/// file of its own, or when another unit names it; in the last case it is not started with the
/// daemon for its own sake.
[[nodiscard]] CheckedSet build_unit_set(const std::vector<SourceFile>& sources,
                                        std::vector<Diagnostic> unreadable,
                                        const SetOptions& options = {});

}  // namespace foster
