// The heap of deadlines, against a plain sorted list.
#include "daemon/core/deadlines.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/core/random.hpp"

namespace foster::core::test {
namespace {

TEST(Deadlines, ComeInOrderOfTimeThenOfUnit) {
  Deadlines deadlines(4);
  deadlines.set({2}, {20});
  deadlines.set({3}, {10});
  deadlines.set({1}, {20});
  deadlines.set({0}, {30});
  std::vector<UnitIndex> due;
  deadlines.take_due({20}, due);
  EXPECT_EQ(due, (std::vector<UnitIndex>{{3}, {1}, {2}}));
  EXPECT_EQ(deadlines.earliest(), Instant{30});
}

TEST(Deadlines, AgreeWithASortedListWhateverIsDone) {
  constexpr size_t kUnits = 50;
  Deadlines deadlines(kUnits);
  std::vector<int64_t> expected(kUnits, 0);
  Random random(11);
  std::vector<UnitIndex> due;
  for (int step = 0; step < 100'000; ++step) {
    const auto unit = static_cast<uint32_t>(random.next() % kUnits);
    const auto at = static_cast<int64_t>(1 + random.next() % 1000);
    if (random.next() % 3 == 0) {
      deadlines.clear({unit});
      expected[unit] = 0;
    } else {
      deadlines.set({unit}, {at});
      expected[unit] = at;
    }
    if (random.next() % 100 == 0) {
      deadlines.take_due({at}, due);
      for (const UnitIndex taken : due) {
        EXPECT_TRUE(expected[taken.value] > 0 && expected[taken.value] <= at);
        expected[taken.value] = 0;
      }
    }
    int64_t earliest = 0;
    for (const int64_t deadline : expected) {
      if (deadline != 0 && (earliest == 0 || deadline < earliest)) earliest = deadline;
    }
    ASSERT_EQ(deadlines.earliest().value_or(Instant{0}).ns, earliest);
  }
}

}  // namespace
}  // namespace foster::core::test
