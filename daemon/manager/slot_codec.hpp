// The core's record of a unit as the status region's slot body, and back. What goes through both is
// the same again: a new manager begins with exactly what the old one knew.
#pragma once

#include <cstdint>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/unit/unit_spec.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::manager {

[[nodiscard]] foster_slot_body encode_slot(const core::UnitRecord& record, const UnitSpec& unit,
                                           Instant now, int64_t now_real_ns);

[[nodiscard]] core::UnitRecord decode_slot(const foster_slot_body& body);

/// `name` is the unit's, or empty for the daemon itself.
[[nodiscard]] foster_event encode_event(const core::Note& note, const std::string& name,
                                        Instant now, int64_t now_real_ns);

}  // namespace foster::manager
