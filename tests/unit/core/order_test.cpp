// What units mean to each other: order, causes, revival, ordered stops, conflicts.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

using Names = std::vector<Reference> DependsSpec::*;

UnitSpec depends(UnitSpec spec, Names how, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    (spec.depends.make().*how).push_back(to(name));
  return spec;
}

UnitSpec on_demand(UnitSpec spec) {
  spec.enabled = false;
  return spec;
}

UnitSpec never_restarted(UnitSpec spec) {
  spec.restart.policy = RestartPolicy::never;
  return spec;
}

/// db, and web that depends on it: attempts 1 and 2.
std::vector<UnitSpec> db_and_web(Names how, UnitSpec db = simple("db")) {
  return {std::move(db), depends(simple("web"), how, {"db"})};
}

void both_up(Scenario& s) {
  s.begin();
  s.spawned("db");
  s.spawned("web");
  s.expect_state("web", UnitState::running, Cause::boot);
  s.forget();
}

TEST(Order, WhatIsRequiredIsUpFirst) {
  Scenario s({simple("db"), depends(simple("app"), &DependsSpec::requires_units, {"db"})});
  s.begin();
  s.expect("db: starting (boot)", "spawn db #1", "app: waiting (boot)");
  EXPECT_EQ(s.record("app").blocker, s.index("db").value + 1);
  s.spawned("db");
  s.expect("db: running (boot)", "app: starting (boot)", "spawn app #2");
  s.spawned("app");
  s.expect("app: running (boot)", "settled");
}

TEST(Order, AStartPullsInWhatItNeedsAllTheWayDown) {
  Scenario s({on_demand(simple("a")),
              on_demand(depends(simple("b"), &DependsSpec::requires_units, {"a"})),
              on_demand(depends(group("c"), &DependsSpec::wants, {"b"}))});
  s.begin();
  s.expect("settled");
  s.start("c");
  s.expect("a: starting (request)", "spawn a #1", "c: starting (request)", "c: running (request)",
           "b: waiting (request)", "reply 1: c job 1");
  s.expect_job("c", 1, JobResult::done);
  s.spawned("a");
  s.expect("a: running (request)", "b: starting (request)", "spawn b #2");
}

TEST(Order, AfterIsOrderAlone) {
  Scenario s({on_demand(simple("db")), depends(simple("web"), &DependsSpec::after, {"db"})});
  s.begin();
  s.expect("web: starting (boot)", "spawn web #1");
  s.spawned("web");
  s.forget();
  s.start("db");
  s.expect("db: starting (request)", "spawn db #2", "reply 1: db job 1");
}

TEST(Order, AfterWaitsForWhatIsOnItsWayUpAndNotForWhatFails) {
  Scenario s({simple("db"), depends(simple("web"), &DependsSpec::after, {"db"})});
  s.begin();
  s.expect("db: starting (boot)", "spawn db #1", "web: waiting (boot)");
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: starting (exit)", "spawn db #2", "web: starting (boot)",
           "spawn web #3");
}

TEST(Order, CompletedWaitsForTheEndOfAOneshot) {
  Scenario s({oneshot("migrate"), depends(simple("web"), &DependsSpec::completed, {"migrate"})});
  s.begin();
  s.spawned("migrate");
  s.expect_state("web", UnitState::waiting, Cause::boot);
  s.exited("migrate", exit_code(0));
  s.expect_state("web", UnitState::starting, Cause::boot);
}

TEST(Order, AFailedOneshotFailsWhoWaitsForItAndItsSuccessBringsThemUp) {
  Scenario s({oneshot("migrate"), depends(simple("web"), &DependsSpec::completed, {"migrate"})});
  s.begin();
  s.forget();
  s.exited("migrate", exit_code(1));
  s.expect("acknowledge #1", "migrate: failed (exit)", "web: failed (dependency)", "settled");
  EXPECT_EQ(s.record("web").goal, Goal::up);
  s.start("migrate");
  s.exited("migrate", exit_code(0));
  s.expect_state("web", UnitState::starting, Cause::dependency);
}

TEST(Order, AFailedRequirementFailsItsDependentsWithThatCause) {
  Scenario s(db_and_web(&DependsSpec::requires_units, never_restarted(simple("db"))));
  both_up(s);
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: failed (exit)", "web: stopping (dependency)",
           "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: failed (dependency)");
  EXPECT_EQ(s.record("web").blocker, s.index("db").value + 1);
  s.start("db");
  s.spawned("db");
  s.expect_state("web", UnitState::starting, Cause::dependency);
}

TEST(Order, WhatFailedBeforeOneBeginsToWaitForAnotherIsNotOverlooked) {
  Scenario s({simple("base"), never_restarted(simple("cache")),
              depends(simple("web"), &DependsSpec::requires_units, {"base", "cache"})});
  for (const char* unit : {"base", "cache", "web"})
    s.running(unit);
  s.exited("cache", exit_code(1));
  s.expect_state("web", UnitState::stopping, Cause::dependency);
  s.stop("base");
  s.exited("web", killed_by(SIGTERM));
  s.expect_state("web", UnitState::failed, Cause::dependency);
}

TEST(Order, ACrashThatIsRestartedLeavesDependentsAlone) {
  Scenario s(db_and_web(&DependsSpec::requires_units));
  both_up(s);
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: starting (exit)", "spawn db #3");
  s.expect_state("web", UnitState::running, Cause::boot);
}

TEST(Order, WhatIsBoundIsStoppedByACrash) {
  Scenario s(db_and_web(&DependsSpec::binds_to));
  both_up(s);
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: starting (exit)", "spawn db #3", "web: stopping (dependency)",
           "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: waiting (dependency)");
  s.spawned("db");
  s.expect("db: running (exit)", "web: starting (dependency)", "spawn web #4");
}

TEST(Order, AStopStopsDependentsFirstAndTheyComeBackWithIt) {
  Scenario s(db_and_web(&DependsSpec::requires_units));
  both_up(s);
  s.stop("db");
  s.expect("web: stopping (dependency)", "db: stopping (request)", "kill web #2 15 group continue",
           "reply 1: db job 1");
  s.expect_step("db", UnitState::stopping, Step::dependents);
  EXPECT_EQ(s.record("db").blocker, s.index("web").value + 1);
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: waiting (dependency)", "kill db #1 15 group continue");
  EXPECT_EQ(s.record("web").goal, Goal::up);
  s.exited("db", killed_by(SIGTERM));
  s.expect("acknowledge #1", "db: stopped (request)");
  s.start("db");
  s.spawned("db");
  s.expect_state("web", UnitState::starting, Cause::dependency);
}

TEST(Order, AStartPassesThroughWhatWaitsToWhatIsStopped) {
  Scenario s({simple("base"), depends(simple("mid"), &DependsSpec::requires_units, {"base"}),
              depends(on_demand(simple("top")), &DependsSpec::requires_units, {"mid"})});
  s.begin();
  s.spawned("base");
  s.spawned("mid");
  s.stop("base");
  s.exited("mid", killed_by(SIGTERM));
  s.exited("base", killed_by(SIGTERM));
  s.expect_state("mid", UnitState::waiting, Cause::dependency);
  s.start("top");
  s.expect_state("base", UnitState::starting, Cause::request);
  s.spawned("base");
  s.spawned("mid");
  s.spawned("top");
  s.expect_state("top", UnitState::running, Cause::request);
}

TEST(Order, ARestartTakesDependentsAlong) {
  Scenario s(db_and_web(&DependsSpec::requires_units));
  both_up(s);
  s.restart("db");
  s.exited("web", killed_by(SIGTERM));
  s.exited("db", killed_by(SIGTERM));
  s.spawned("db");
  s.expect("web: stopping (dependency)", "db: stopping (request)", "kill web #2 15 group continue",
           "reply 1: db job 1", "acknowledge #2", "web: waiting (dependency)",
           "kill db #1 15 group continue", "acknowledge #1", "db: starting (request)",
           "spawn db #3", "db: running (request)", "web: starting (dependency)", "spawn web #4");
  s.expect_job("db", 1, JobResult::done);
}

TEST(Order, ARestartCanSpareDependents) {
  UnitSpec db = simple("db");
  db.restart_dependents = false;
  Scenario s(db_and_web(&DependsSpec::requires_units, db));
  both_up(s);
  s.restart("db");
  s.expect("db: stopping (request)", "kill db #1 15 group continue", "reply 1: db job 1");
  s.exited("db", killed_by(SIGTERM));
  s.spawned("db");
  s.expect_state("web", UnitState::running, Cause::boot);
}

TEST(Order, OneSlowStopHoldsUpNobodyElse) {
  Scenario s({simple("a"), simple("b")});
  s.begin();
  s.spawned("a");
  s.spawned("b");
  s.stop("a");
  s.forget();
  s.restart("b");
  s.expect("b: stopping (request)", "kill b #2 15 group continue", "reply 2: b job 2");
  s.exited("b", killed_by(SIGTERM));
  s.spawned("b");
  s.expect_job("b", 2, JobResult::done);
  s.expect_state("a", UnitState::stopping, Cause::request);
}

TEST(Order, AConflictStopsTheOther) {
  Scenario s({simple("a"), on_demand(depends(simple("b"), &DependsSpec::conflicts, {"a"}))});
  s.running("a");
  s.start("b");
  s.expect("a: stopping (conflict)", "kill a #1 15 group continue", "b: waiting (request)",
           "reply 1: b job 1");
  EXPECT_EQ(s.record("a").goal, Goal::down);
  s.exited("a", killed_by(SIGTERM));
  s.expect("acknowledge #1", "a: stopped (conflict)", "b: starting (request)", "spawn b #2");
  EXPECT_EQ(s.record("a").blocker, s.index("b").value + 1);
  s.spawned("b");
  s.start("a");
  s.expect_state("b", UnitState::stopping, Cause::conflict);
}

TEST(Order, APartGoesWithTheWhole) {
  Scenario s(db_and_web(&DependsSpec::part_of));
  both_up(s);
  s.restart("db");
  s.exited("web", killed_by(SIGTERM));
  s.exited("db", killed_by(SIGTERM));
  s.spawned("db");
  s.spawned("web");
  s.expect_state("web", UnitState::running, Cause::dependency);
  s.stop("db");
  s.exited("web", killed_by(SIGTERM));
  s.expect_state("web", UnitState::stopped, Cause::dependency);
  EXPECT_EQ(s.record("web").goal, Goal::down);
  s.exited("db", killed_by(SIGTERM));
}

TEST(Order, AShutdownGoesInReverseAndWaits) {
  Scenario s(db_and_web(&DependsSpec::after));
  both_up(s);
  s.shutdown();
  s.expect("web: stopping (shutdown)", "db: stopping (shutdown)", "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: stopped (shutdown)", "kill db #1 15 group continue");
  s.exited("db", killed_by(SIGTERM));
  s.expect("acknowledge #1", "db: stopped (shutdown)", "end with 0");
}

TEST(Order, AHurriedShutdownWaitsForNobody) {
  Scenario s(db_and_web(&DependsSpec::after));
  both_up(s);
  s.shutdown();
  s.forget();
  s.shutdown();
  s.expect("kill db #1 9 group", "kill web #2 9 group");
}

TEST(Order, AStartJobFailsWhenWhatItWaitsForWillBeLongInComing) {
  UnitSpec db = simple("db");
  db.restart.delay = 10s;
  Scenario s({db, depends(simple("mid"), &DependsSpec::requires_units, {"db"}),
              depends(simple("web"), &DependsSpec::requires_units, {"mid"})});
  s.begin();
  s.start("web");
  s.forget();
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: backoff (exit)", "settled");
  s.expect_job("web", 1, JobResult::failed);
  s.expect_state("web", UnitState::waiting, Cause::boot);
  s.pass(10s);
  s.spawned("db");
  s.spawned("mid");
  s.spawned("web");
  s.expect_state("web", UnitState::running, Cause::boot);
}

TEST(Order, AnExplicitStartTriesWhatHasFailedAgain) {
  Scenario s({never_restarted(simple("db")),
              depends(simple("web"), &DependsSpec::requires_units, {"db"})});
  s.begin();
  s.exited("db", exit_code(1));
  s.forget();
  s.start("web");
  s.expect("db: starting (request)", "spawn db #2", "web: waiting (request)", "reply 1: web job 1");
}

TEST(Order, AMaskedRequirementFailsItsDependents) {
  Scenario s({on_demand(simple("db")),
              on_demand(depends(simple("web"), &DependsSpec::requires_units, {"db"}))});
  s.begin();
  s.mask("db", true);
  s.forget();
  s.start("db");
  s.expect("reply 1: masked db");
  s.start("web");
  s.expect("db: failed (masked)", "web: failed (dependency)", "reply 2: web job 1");
  s.mask("db", false);
  s.expect("db: starting (request)", "spawn db #1");
  s.spawned("db");
  s.expect("db: running (request)", "web: starting (dependency)", "spawn web #2");
}

TEST(Order, AChainAndAFanAreDoneWithEachEdgeOnce) {
  constexpr uint32_t kUnits = 10'000;
  std::vector<UnitSpec> units;
  for (uint32_t i = 0; i < kUnits; ++i) {
    UnitSpec spec = group("u" + std::to_string(100'000 + i));
    if (i > 0) spec = depends(spec, &DependsSpec::requires_units, {units.back().name});
    units.push_back(spec);
  }
  UnitSpec all = group("v");
  for (uint32_t i = 0; i < kUnits; i += 9)
    all = depends(all, &DependsSpec::requires_units, {units[i].name});
  units.push_back(all);
  Supervisor core(std::make_shared<const UnitSet>(units), Options{});
  std::vector<Action> actions;
  core.handle(Begin{true, {{kUnits}}}, {1}, 1, actions);
  for (uint32_t i = 0; i <= kUnits; ++i)
    ASSERT_EQ(core.record({i}).state, UnitState::running);
  EXPECT_TRUE(core.settled());
  core.handle(Request{1, Verb::stop, {{0}}}, {2}, 2, actions);
  for (uint32_t i = 1; i <= kUnits; ++i)
    ASSERT_EQ(core.record({i}).state, UnitState::waiting);
  core.handle(Request{2, Verb::start, {{0}}}, {3}, 3, actions);
  ASSERT_EQ(core.record({kUnits}).state, UnitState::running);
}

}  // namespace
}  // namespace foster::core::test
