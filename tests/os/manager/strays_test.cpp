// Services that run and are in the set no more: what their own files said of their end still holds.
#include <gtest/gtest.h>

#include <csignal>

#include "daemon/manager/strays.hpp"
#include "daemon/manager/unit_loader.hpp"

namespace foster::manager {
namespace {

using namespace std::chrono_literals;

SourceFile file(const std::string& name, const std::string& rest) {
  return {"/u/" + name + ".toml", "[service]\ncommand = [\"/bin/sleep\", \"1\"]\n" + rest};
}

std::shared_ptr<const UnitSet> set_of(const std::vector<SourceFile>& files) {
  const CheckedSet checked = build_unit_set(files, {});
  EXPECT_TRUE(checked.set) << render_all(checked.diagnostics);
  return checked.set;
}

UniqueFd kept(const std::vector<SourceFile>& files) {
  auto memory = keep_units(files);
  EXPECT_TRUE(memory);
  return memory ? std::move(*memory) : UniqueFd();
}

TEST(Strays, StopAsTheirFileSaid) {
  const UniqueFd former = kept({file("old",
                                     "[stop]\nsignal = \"SIGINT\"\ntimeout = \"3s\"\n"
                                     "[restart]\npolicy = \"always\"\n"
                                     "[timer]\nevery = \"1s\"\n")});
  const UniqueFd now = kept({file("new", "")});
  const int texts[] = {now.get(), former.get()};
  const auto set = with_strays(set_of({file("new", "")}), {"old"}, texts, Options{});
  const UnitSpec& old = (*set)[*set->find("old")];
  EXPECT_EQ(old.stop.signal, SIGINT);
  EXPECT_EQ(old.stop.timeout, Duration(3s));
  EXPECT_EQ(old.restart.policy, RestartPolicy::never);
  EXPECT_FALSE(old.enabled);
  EXPECT_FALSE(old.timer);
  EXPECT_TRUE(set->find("new"));
}

TEST(Strays, TheirOrderHoldsAndNothingElseOfWhatTheyDependOn) {
  const UniqueFd former = kept({file("a", "[depends]\nrequires = [\"b\"]\nwants = [\"c\"]\n"),
                                file("b", ""), file("c", "")});
  const int texts[] = {former.get()};
  const auto set = with_strays(set_of({file("c", "")}), {"a", "b"}, texts, Options{});
  const UnitIndex a = *set->find("a");
  ASSERT_EQ(set->graph().needs(a).size(), 1u);
  EXPECT_EQ(set->graph().needs(a)[0], (Edge{a, *set->find("b"), EdgeKind::after}));
}

TEST(Strays, AnOrderThatContradictsTheNewOneIsLeftOut) {
  const UniqueFd former = kept({file("a", "[depends]\nafter = [\"b\"]\n"), file("b", "")});
  const int texts[] = {former.get()};
  const auto set =
      with_strays(set_of({file("b", "[depends]\nafter = [\"-a\"]\n")}), {"a"}, texts, Options{});
  EXPECT_TRUE(set->find("a"));
  EXPECT_EQ(set->graph().edges().size(), 1u);
}

TEST(Strays, InstancesThatAreNoMore) {
  const SourceFile worker = file("worker@", "[stop]\nsignal = \"SIGHUP\"\n");
  const UniqueFd now = kept({worker});
  const int texts[] = {now.get()};
  const CheckedSet two = build_unit_set({worker}, {}, {.instances = {{"worker", 2}}});
  ASSERT_TRUE(two.set);
  const auto set = with_strays(two.set, {"worker@3", "worker@4"}, texts, Options{});
  EXPECT_EQ(set->size(), 4u);
  EXPECT_EQ((*set)[*set->find("worker@4")].stop.signal, SIGHUP);
}

TEST(Strays, WhatNobodyKnowsIsStoppedAsUsual) {
  const auto set = with_strays(set_of({}), {"who"}, {}, Options{});
  EXPECT_EQ((*set)[*set->find("who")].stop.signal, SIGTERM);
}

}  // namespace
}  // namespace foster::manager
