// A unit's keys as one file, each with the place it is from. Pure.
#pragma once

#include <string>

#include "common/unit/unit_listing.hpp"

namespace foster::ctl {

/// TOML that means the same as the files together: they are named in comments above, and behind
/// each key stands the one that said it.
[[nodiscard]] std::string render_listing(const UnitListing& listing);

}  // namespace foster::ctl
