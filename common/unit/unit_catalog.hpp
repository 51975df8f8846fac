// Which files make which unit. Of several files for one unit the one of the highest layer counts,
// whole; an empty file there, or /dev/null, says that there is no such unit. Drop-ins are the
// "*.toml" in the directory "web.toml.d" of every layer, in order of their names; of two with one
// name that of the higher layer counts, and an empty one counts for nothing.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_builder.hpp"
#include "common/unit/unit_document.hpp"

namespace foster {

class UnitCatalog {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  /// What the layers together say of one unit or template. Numbers are indexes of sources.
  struct Entry {
    size_t base = kNone;
    bool masked = false;           // `base` says that there is no such unit
    std::vector<size_t> drop_ins;  // in their order
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  /// The files of one unit, in the order in which they are merged.
  struct Files {
    std::vector<size_t> sources;
    FileRange of_template;
  };

  /// The sources must outlive it.
  explicit UnitCatalog(std::span<const SourceFile> sources);

  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] const Entry* find(std::string_view name) const;

  /// Whether the name is that of a unit, a template, or an instance that its template can make.
  [[nodiscard]] bool provides(std::string_view name) const;
  [[nodiscard]] bool masked(std::string_view name) const;
  [[nodiscard]] bool has_template_for(std::string_view name) const;

  /// Of a unit, template or instance that is provided.
  [[nodiscard]] Files files_of(std::string_view name) const;

  /// Files that make no unit: their names are wrong, or another of the same layer is there already.
  [[nodiscard]] const std::vector<size_t>& stray() const { return stray_; }
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  void base(size_t source, std::string name);
  void drop_ins();
  void drop_ins_of(std::string_view name, std::vector<size_t> sources);
  void add_template(std::string_view name, std::vector<size_t>& sources) const;

  std::span<const SourceFile> sources_;
  Entries entries_;
  std::vector<size_t> stray_;
  std::vector<Diagnostic> diagnostics_;
};

/// "web" for the path of a drop-in such as "/units/web.toml.d/10-limits.toml"; empty for any other.
[[nodiscard]] std::string_view drop_in_owner(std::string_view path);

}  // namespace foster
