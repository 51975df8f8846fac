// `%n` and the like in the strings of a unit file: what the unit's own name says, put in before the
// strings are judged. Nothing from outside the file: a unit means the same on every machine.
//   %n, %N  the unit's name: "worker-a@3"
//   %p      what stands before the @, or all of it: "worker-a"
//   %j      of that, what stands behind its last '-': "a"
//   %i      what stands behind the @: "3"; in instances of templates alone
//   %I      the same with '/' for each '-': a path without its leading slash
//   %%      a percent sign
#pragma once

#include <string_view>

#include "common/unit/config_value.hpp"
#include "common/unit/findings.hpp"

namespace foster {

/// Expands every string of the document except under the key `instances`, and reports what is no
/// specifier.
void expand_specifiers(ConfigValue& document, std::string_view unit_name, Findings& findings);

}  // namespace foster
