// What a unit says once its files are merged: for `fosterctl cat`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/unit/unit_document.hpp"

namespace foster {

/// A key as it holds, and where that was said.
struct ListedKey {
  std::string section;  // "service", "[socket]"; empty for keys before the first section
  std::string key;      // as TOML has it; one of a table's keys: "environment.LANG"
  std::string value;    // as TOML, on one line, with specifiers expanded
  std::string file;
  uint32_t line = 0;
  bool begins = false;  // the first of a section of which there may be several
};

/// The file that a unit, a template or an instance begins with, then the drop-ins that are merged
/// over it.
struct UnitListing {
  std::string name;
  std::vector<std::string> files;
  std::vector<ListedKey> keys;  // those before the first section, then section by section; within
                                // one in order of file and line
  std::vector<Diagnostic> diagnostics;  // of files that are no TOML; their keys may be missing
};

/// An instance need not be among those that are there, as long as its template is. The specifiers
/// of a template stay as they are.
[[nodiscard]] Result<UnitListing> list_unit(const std::vector<SourceFile>& sources,
                                            std::string_view name);

/// A value as TOML writes it on one line.
[[nodiscard]] std::string toml_text(const ConfigValue& value);

}  // namespace foster
