// Made-up looks at a region, for the tests of what fosterctl makes of them.
#pragma once

#include <string_view>
#include <vector>

#include "ctl/snapshot.hpp"

namespace foster::ctl::test {

inline constexpr int64_t kSecond = 1'000'000'000;

/// 2026-05-01 12:00:00 UTC, 10,000 seconds after boot.
inline constexpr Clock kNow{Instant{10'000 * kSecond}, 1'777'636'800 * kSecond};

/// A unit of that name which came into `state` `age_seconds` ago.
[[nodiscard]] UnitView unit(std::string_view name, uint8_t state, int64_t age_seconds);

void set_detail(foster_slot_body& body, std::string_view text);

/// An instance "user-1000" whose daemon started 90 minutes ago, all well, with these units.
[[nodiscard]] Snapshot snapshot(std::vector<UnitView> units = {});

/// One unit in each state, with what belongs to it.
[[nodiscard]] Snapshot every_state();

}  // namespace foster::ctl::test
