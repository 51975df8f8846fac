// A file's text as a document of keys and values, read once however many units are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/unit/config_value.hpp"
#include "common/unit/diagnostic.hpp"

namespace foster {

/// Larger files are refused unread: no unit file is that long, and a device or a log might be.
inline constexpr size_t kUnitFileMax = 1024 * 1024;

struct SourceFile {
  std::string path;
  std::string text;
  /// Which of the directories that units are looked for in it comes from: of two files for one
  /// unit the one with the higher number counts alone.
  uint32_t layer = 0;
  bool mask = false;  // /dev/null: there is no such unit, whatever lower layers say
};

struct UnitDocument {
  ConfigValue value;                    // a table; what could be read of it
  bool whole = false;                   // nothing had to be left out
  bool unreadable = false;              // no text at all: there is nothing to say about its keys
  std::vector<Diagnostic> diagnostics;  // of the text as TOML; none when it is whole
};

/// Never stops at the first mistake: what is broken is reported and left out, and the rest read.
[[nodiscard]] UnitDocument parse_document(const SourceFile& source);

/// Puts the keys of a drop-in over those of a document: tables are merged key by key, any other
/// value is replaced. Places of the drop-in are in its file, number `file` of the unit.
void merge_drop_in(ConfigValue& document, ConfigValue drop_in, uint32_t file);

}  // namespace foster
