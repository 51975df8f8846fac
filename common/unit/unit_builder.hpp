// From what a file says to a UnitSpec: finds each key in the table, has it read, and checks what
// several keys say together.
#pragma once

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// Fills the spec from the document. `whole` is false when parts of the text could not be read:
/// then nothing is said about what is missing or about keys together. The spec is of use only when
/// nothing was found.
void build_unit(const ConfigValue& document, bool whole, UnitSpec& spec, Findings& findings);

}  // namespace foster
