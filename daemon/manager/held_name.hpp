// The name under which the keeper holds a descriptor for a unit. It says all that a manager's
// successor has to know of it, so that nothing else has to be kept. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace foster::manager {

enum class Origin : uint8_t { socket, passed, stored, inherited };

/// "socket", "passed", ...
[[nodiscard]] const char* origin_text(Origin origin);

struct HeldName {
  Origin origin = Origin::socket;
  bool poll = false;            // dropped when the other end hangs up
  bool given = false;           // a process of the unit has had it
  bool file_was_there = false;  // a fifo that somebody else has made, who may need it
  uint64_t serial = 0;          // tells apart what has the same name, in the order of its coming
  int64_t since_real_ns = 0;
  std::string unit;
  std::string name;  // its FDNAME
  std::string from;  // who gave it; empty: foster itself. Cut where it is too long
};

[[nodiscard]] std::string held_name_text(const HeldName& name);
/// Nothing for names that are not of this kind: the keeper holds other things, too. Descriptors
/// that the daemon inherited are of no unit; most have been named by the keeper itself.
[[nodiscard]] std::optional<HeldName> parse_held_name(std::string_view text);

}  // namespace foster::manager
