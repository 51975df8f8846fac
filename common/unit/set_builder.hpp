// From the texts of all files to a checked set: units, instances of templates, and what they say of
// each other.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/graph_check.hpp"
#include "common/unit/unit_assembly.hpp"
#include "common/unit/unit_catalog.hpp"
#include "common/unit/unit_set.hpp"

namespace foster {

class SetBuilder {
 public:
  /// The sources must outlive it.
  SetBuilder(std::span<const SourceFile> sources, std::vector<Diagnostic> unreadable,
             const SetOptions& options);

  [[nodiscard]] CheckedSet build();

 private:
  /// Why an instance is there.
  enum class Asked : uint8_t { by_file, by_reference };

  /// A template of which there is no instance is checked by one that could be.
  struct Placeholder {
    std::string maker;
    UnitSpec unit;
  };

  const UnitDocument& document(size_t source);
  std::vector<UnitPart> parts_of(const UnitCatalog::Files& files);
  AssembledUnit assemble(const std::string& name);
  void stray_file(size_t source);
  void entry(const std::string& name, const UnitCatalog::Entry& entry);
  void orphan_drop_ins(const std::string& owner, const UnitCatalog::Entry& entry);
  void make_template(const std::string& maker);
  void make_listener(const std::string& maker, const UnitSpec& instance);
  std::vector<std::string> instance_names(const std::string& maker, const BuiltUnit& probe) const;
  void make_unit(const std::string& name, Asked asked);
  void refuse(const std::string& name, AssembledUnit unit, bool told_before);
  void make_referenced();
  void judge_unmade(const std::string& name);
  void check_together();
  void quote_lines();
  void report(std::string_view file, std::string message);
  void report_all(std::vector<Diagnostic> diagnostics);

  std::span<const SourceFile> sources_;
  const SetOptions& options_;
  UnitCatalog catalog_;
  std::vector<std::optional<UnitDocument>> documents_;  // by source, once they are needed
  std::vector<UnitSpec> units_;
  std::vector<UnitSpec> refused_;  // those that are not in the set; the names in them are judged
  std::set<std::string, std::less<>> made_;  // names of units, right or wrong
  std::vector<std::string> referenced_;      // instances that others name
  std::vector<std::string> awaiting_;        // instances that have drop-ins and no file
  std::vector<Placeholder> placeholders_;
  OtherNames others_;
  CheckedSet checked_;
};

}  // namespace foster
