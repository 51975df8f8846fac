// Which units start with the daemon.
#include <gtest/gtest.h>

#include "daemon/manager/enablement.hpp"

namespace foster::manager {
namespace {

UnitSpec unit(const std::string& name) {
  UnitSpec spec;
  spec.name = name;
  spec.command = {"/bin/true"};
  return spec;
}

std::vector<std::string> names(const UnitSet& set, const std::vector<UnitIndex>& units) {
  std::vector<std::string> found;
  for (const UnitIndex one : units)
    found.push_back(set[one].name);
  return found;
}

using Names = std::vector<std::string>;

/// a requires b; c is disabled by its file; d has a timer; group e wants d and c.
UnitSet five_units() {
  std::vector<UnitSpec> units{unit("a"), unit("b"), unit("c"), unit("d"), unit("e")};
  units[0].depends.make().requires_units = {{.name = "b"}};
  units[2].enabled = false;
  units[3].timer.make().every = std::chrono::hours(1);
  units[4].depends.make().wants = {{.name = "c"}, {.name = "d"}};
  return UnitSet(std::move(units));
}

Enablement enablement(const UnitSet& set, const Settings& settings,
                      const std::vector<std::string>& start = {}) {
  return {set, settings, start};
}

TEST(Enablement, WhatTheFilesSay) {
  const UnitSet set = five_units();
  const Enablement all = enablement(set, {});
  EXPECT_EQ(names(set, all.initial(set)), (Names{"a", "b", "e"}));
  EXPECT_EQ(all[{0}], FOSTER_ENABLED);
  EXPECT_EQ(all[{2}], FOSTER_DISABLED_BY_FILE);
  EXPECT_TRUE(all.timer_runs({3}));
}

TEST(Enablement, WhatWasAskedForCountsMore) {
  const UnitSet set = five_units();
  Settings settings;
  settings.units["a"].enabled = false;
  settings.units["c"].enabled = true;
  settings.units["d"].enabled = false;
  settings.units["e"] = {.enabled = true, .masked = true};
  const Enablement all = enablement(set, settings);
  EXPECT_EQ(names(set, all.initial(set)), (Names{"b", "c"}));
  EXPECT_EQ(all[{0}], FOSTER_DISABLED);
  EXPECT_EQ(all[{2}], FOSTER_ENABLED_BY_REQUEST);
  EXPECT_EQ(all[{4}], FOSTER_MASKED);
  EXPECT_FALSE(all.timer_runs({3}));
}

TEST(Enablement, OnlyWhatStartNames) {
  const UnitSet set = five_units();
  const Enablement a = enablement(set, {}, {"a"});
  EXPECT_EQ(names(set, a.initial(set)), Names{"a"});
  EXPECT_EQ(a[{1}], FOSTER_ENABLED);  // a needs it
  EXPECT_EQ(a[{4}], FOSTER_NOT_CHOSEN);
  EXPECT_FALSE(a.timer_runs({3}));
  const Enablement e = enablement(set, {}, {"e"});
  EXPECT_TRUE(e.timer_runs({3}));
  EXPECT_EQ(names(set, enablement(set, {}, {"c"}).initial(set)), Names{"c"});
  EXPECT_EQ(names(set, enablement(set, {}, {"[ab]"}).initial(set)), (Names{"a", "b"}));
}

TEST(Enablement, AnUnknownNameIsAnError) {
  const UnitSet set = five_units();
  const auto result = Enablement::check(set, std::vector<std::string>{"a", "zebra"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "cannot start zebra: there is no such unit");
  EXPECT_TRUE(Enablement::check(set, std::vector<std::string>{"a", "[ab]"}));
  EXPECT_EQ(names(set, enablement(set, {}, {"zebra"}).initial(set)), Names{});
}

TEST(Enablement, FollowsChanges) {
  const UnitSet set = five_units();
  Settings settings;
  Enablement all = enablement(set, settings);
  settings.units["a"].masked = true;
  all.update(set, {0}, settings);
  EXPECT_TRUE(all.masked({0}));
}

}  // namespace
}  // namespace foster::manager
