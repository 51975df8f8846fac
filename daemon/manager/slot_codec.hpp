// The core's record of a unit as the status region's slot body, and back. What goes through both is
// the same again: a new manager begins with exactly what the old one knew.
#pragma once

#include <array>
#include <cstdint>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/unit/unit_spec.hpp"
#include "daemon/core/action.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::manager {

/// What a slot shows that is not the core's to know.
struct SlotFacts {
  int64_t timer_next_real_ns = 0;  // 0: the unit has no timer, or it will not elapse any more
  uint8_t enablement = FOSTER_ENABLED;
  uint16_t socket_count = 0;
  uint16_t held_count = 0;
  std::array<uint16_t, FOSTER_PORTS> socket_ports{};
};

/// The present, by both clocks.
struct Now {
  Instant boot;
  int64_t real_ns = 0;
};

[[nodiscard]] foster_slot_body encode_slot(const core::UnitRecord& record, const UnitSpec& unit,
                                           const SlotFacts& facts, Now now);

/// `blocker` counts in the order of the slots, and `masked` is what the slot's enablement says.
[[nodiscard]] core::UnitRecord decode_slot(const foster_slot_body& body);

/// `name` is the unit's, or empty for the daemon itself.
[[nodiscard]] foster_event encode_event(const core::Note& note, const std::string& name, Now now);

}  // namespace foster::manager
