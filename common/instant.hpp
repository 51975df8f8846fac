// Time as foster computes with it: nanoseconds of CLOCK_BOOTTIME, which goes on during suspend,
// never leaps, and means the same in every process of this boot (clock_gettime(2)). Only the shells
// of the programs read the clock; everything else is handed an Instant.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <ctime>

namespace foster {

using Duration = std::chrono::nanoseconds;

struct Instant {
  int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;

  friend Instant operator+(Instant at, Duration by) { return {at.ns + by.count()}; }
  friend Instant operator-(Instant at, Duration by) { return {at.ns - by.count()}; }
  friend Duration operator-(Instant later, Instant earlier) {
    return Duration(later.ns - earlier.ns);
  }
};

/// The one place that reads the clock. Not for daemon/core, which is told the time.
[[nodiscard]] inline Instant now_since_boot() {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return {static_cast<int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec};
}

/// Wall-clock nanoseconds since 1970, for showing to people only.
[[nodiscard]] inline int64_t wall_clock_ns() {
  timespec at{};
  clock_gettime(CLOCK_REALTIME, &at);
  return static_cast<int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

}  // namespace foster
