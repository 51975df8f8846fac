// All units of an instance, checked together. Immutable once built: a new set replaces the old one
// whole, or not at all.
#pragma once

#include <memory>
#include <optional>
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
};

/// Parses every source and checks the units against each other (two files for one name, ...).
/// `unreadable` are the diagnostics of files that could not be read; they make the set null too.
[[nodiscard]] CheckedSet build_unit_set(const std::vector<SourceFile>& sources,
                                        std::vector<Diagnostic> unreadable);

}  // namespace foster
