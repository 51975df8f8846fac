// TOML text to UnitSpec. The only file behind this header that knows toml++. Never stops at the
// first mistake: every one is reported, with its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// Larger files are refused unread: no unit file is that long, and a device or a log might be.
inline constexpr size_t kUnitFileMax = 1024 * 1024;

struct SourceFile {
  std::string path;
  std::string text;
};

struct ParsedUnit {
  std::optional<UnitSpec> spec;  // set only when there was no error
  std::vector<Diagnostic> diagnostics;
};

[[nodiscard]] ParsedUnit parse_unit(const SourceFile& source);

}  // namespace foster
