// TOML text to UnitSpec; the only source that knows toml++ stands behind this header. Never stops
// at the first mistake: every one is reported, with its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/unit_document.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

struct ParsedUnit {
  std::optional<UnitSpec> spec;  // set only when there was no error
  std::vector<Diagnostic> diagnostics;
};

/// A file on its own, without drop-ins.
[[nodiscard]] ParsedUnit parse_unit(const SourceFile& source);

}  // namespace foster
