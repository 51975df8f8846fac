// The last lines that the units of an explanation have written, where foster keeps them
// (common/output_tail).
#pragma once

#include "ctl/arguments.hpp"
#include "ctl/environment.hpp"
#include "ctl/explanation.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {

/// For each unit of the chain that did not end well. Nothing where they are not kept, or are not
/// ours to read.
void add_last_output(const UnitGraph& graph, const OpenRegion& region, const Arguments& arguments,
                     const Environment& environment, Explanation& explanation);

}  // namespace foster::ctl
