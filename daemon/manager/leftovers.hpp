// What a daemon leaves behind that was killed together with its manager: the main processes end
// with their keeper, but others of their groups live on, and the next daemon would run everything
// beside them a second time.
#pragma once

#include <string>

#include "common/region/layout.h"

namespace foster::manager {

/// Names one run of fosterd among all of a boot. Each process that it starts has it in its
/// environment, as FOSTER_INVOCATION.
[[nodiscard]] std::string invocation_of(const foster_region_header& header);

/// Ends (SIGKILL) every process that this run has started, and waits until they are gone.
void end_leftovers(const std::string& invocation);

}  // namespace foster::manager
