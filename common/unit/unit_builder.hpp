// From what a file says to a UnitSpec: finds each key in the table, has it read, and checks what
// several keys say together.
#pragma once

#include <string>
#include <vector>

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// Some of the files that a unit is made of, by their numbers (Place::file).
struct FileRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  [[nodiscard]] bool contains(uint32_t file) const { return file >= begin && file < end; }
};

struct BuiltUnit {
  UnitSpec spec;
  std::vector<std::string> instances;  // of a template: those that it asks for
  FileRange of_template;  // the files of its document that are a template's and its drop-ins
};

/// Fills the unit, whose name stands in it already, from the document. `whole` is false when parts
/// of the text could not be read: then nothing is said about what is missing or about keys
/// together. The unit is of use only when nothing was found.
void build_unit(const ConfigValue& document, bool whole, BuiltUnit& unit, Findings& findings);

}  // namespace foster
