// What foster holds of descriptors for a unit, as the manager lists it, for people and programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/table.hpp"
#include "ctl/time_text.hpp"

namespace foster::ctl {

struct HeldEntry {
  std::string unit;
  std::string origin;  // socket, passed, stored, inherited
  std::string name;    // its FDNAME
  int64_t since_real_ns = 0;
  std::string from;  // empty: foster itself
  std::string what;
};

/// A line of foster-request's answer.
[[nodiscard]] std::optional<HeldEntry> parse_held(std::string_view unit, std::string_view line);

/// UNIT NAME ORIGIN WHAT SINCE FROM; without UNIT where all are of one.
[[nodiscard]] std::string render_held(const std::vector<HeldEntry>& entries, const Clock& clock,
                                      const RenderOptions& options);

}  // namespace foster::ctl
