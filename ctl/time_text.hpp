// Moments and spans of time, and amounts of memory, as people read them.
#pragma once

#include <cstdint>
#include <string>

#include "common/instant.hpp"

namespace foster::ctl {

/// The present, by both clocks: what is shown depends on it, and tests choose it.
struct Clock {
  Instant boot;
  int64_t real_ns = 0;
};

/// "just now", "12s ago", "2h 5min ago".
[[nodiscard]] std::string age_text(Duration age);
/// The same without "ago": "12s".
[[nodiscard]] std::string span_text(Duration span);
/// "now", "in 1.2s", "in 3min".
[[nodiscard]] std::string deadline_text(Duration left);
/// "2026-05-01 12:00:03" in local time.
[[nodiscard]] std::string date_text(int64_t real_ns);
/// "12:00:03" on the day of `clock`, with the date on any other.
[[nodiscard]] std::string moment_text(int64_t real_ns, const Clock& clock);
/// The wall clock's word for a moment that is known by the clock since boot.
[[nodiscard]] int64_t real_time_of(int64_t boot_ns, const Clock& clock);
/// "1.5 MiB".
[[nodiscard]] std::string kib_text(uint64_t kib);

}  // namespace foster::ctl
