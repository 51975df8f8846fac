// The numbers of the status region as words. One spelling for people and for --json alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/region/layout.h"
#include "common/region/reader.hpp"

namespace foster::ctl {

/// A number that this version does not know comes out as "unknown": the region may be newer.
[[nodiscard]] std::string_view state_word(uint8_t state);
[[nodiscard]] std::string_view step_word(uint8_t step);
[[nodiscard]] std::string_view health_word(uint8_t health);
[[nodiscard]] std::string_view enablement_word(uint8_t enablement);
[[nodiscard]] std::string_view role_word(uint8_t role);
[[nodiscard]] std::string_view edge_word(uint32_t kind);
[[nodiscard]] std::string_view goal_word(uint8_t goal);
[[nodiscard]] std::string_view type_word(uint8_t type);
[[nodiscard]] std::string_view cause_word(uint8_t cause);
[[nodiscard]] std::string_view exit_kind_word(uint8_t kind);
[[nodiscard]] std::string_view phase_word(uint32_t phase);
[[nodiscard]] std::string_view event_word(uint8_t kind);
[[nodiscard]] std::string_view verb_word(uint64_t job);
[[nodiscard]] std::string_view liveness_word(region::Liveness liveness);

/// One of FOSTER_FLAG_*.
[[nodiscard]] constexpr bool has_flag(const foster_slot_body& body, uint32_t flag) {
  return (body.flags & flag) != 0;
}

/// A string of the region's fixed size.
[[nodiscard]] std::string_view field_text(const char* field, size_t size);

}  // namespace foster::ctl
