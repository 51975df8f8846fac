// From what a file says to a UnitSpec: finds each key in the table, has it read, and checks what
// several keys say together.
#pragma once

#include <string>
#include <vector>

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

struct BuiltUnit {
  UnitSpec spec;
  std::vector<std::string> instances;  // of a template: those that it asks for
  /// So many of the files that the document is made of are a template's and its drop-ins.
  uint32_t template_files = 0;
};

/// Fills the unit from the document. `whole` is false when parts of the text could not be read:
/// then nothing is said about what is missing or about keys together. The unit is of use only when
/// nothing was found.
void build_unit(const ConfigValue& document, bool whole, BuiltUnit& unit, Findings& findings);

}  // namespace foster
