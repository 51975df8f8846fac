// A unit from the files that it is made of: its own or its template's, and drop-ins.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unit/unit_builder.hpp"
#include "common/unit/unit_document.hpp"

namespace foster {

struct UnitPart {
  const SourceFile* source;
  const UnitDocument* document;
};

struct AssembledUnit {
  BuiltUnit built;
  bool usable = false;                  // no part of it has a mistake
  std::vector<Diagnostic> diagnostics;  // of its keys, by place; those of the documents left out
};

/// The parts' documents, the later merged over the earlier.
[[nodiscard]] ConfigValue merged_document(std::span<const UnitPart> parts);

[[nodiscard]] Findings findings_for(std::span<const UnitPart> parts);

/// The first part is the unit's file or its template's; `of_template` says which of them are a
/// template's. `complete` is false where the unit's own file is missing: then nothing
/// is said about what is missing.
[[nodiscard]] AssembledUnit assemble_unit(std::string_view name, std::span<const UnitPart> parts,
                                          FileRange of_template, bool complete = true);

}  // namespace foster
