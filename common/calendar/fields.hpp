// What the fields of a calendar event can be.
#pragma once

#include <cstdint>

namespace foster::calendar {

inline constexpr int32_t kSecond = 1'000'000;  // in the unit of the field of seconds

struct FieldRange {
  int32_t first;
  int32_t last;
};

inline constexpr FieldRange kYears{1970, 2199};
inline constexpr FieldRange kMonths{1, 12};
inline constexpr FieldRange kDays{1, 31};
inline constexpr FieldRange kHours{0, 23};
inline constexpr FieldRange kMinutes{0, 59};
inline constexpr FieldRange kSeconds{0, 60 * kSecond - 1};

}  // namespace foster::calendar
