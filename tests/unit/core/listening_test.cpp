// Units that are started by what comes to one of their sockets.
#include <csignal>

#include "tests/unit/core/scenario.hpp"

namespace foster::core::test {
namespace {

UnitSpec listener(std::string name) {
  UnitSpec spec = simple(std::move(name));
  spec.descriptors.make().start_on = StartOn::first_connection;
  return spec;
}

void connect(Scenario& s, std::string_view unit) {
  s.handle(ConnectionSeen{s.index(unit)});
}

TEST(Listening, AConnectionStartsTheUnit) {
  Scenario s({listener("web")});
  s.begin();
  s.expect("web: listening (boot)", "settled");
  connect(s, "web");
  s.expect("web: starting (connection)", "spawn web #1");
  connect(s, "web");
  s.expect_nothing();
  s.spawned("web");
  s.expect("web: running (connection)");
}

TEST(Listening, AStartIsDoneOnceTheSocketsAreThere) {
  Scenario s({listener("web")});
  s.begin();
  s.stop("web");
  s.expect_state("web", UnitState::stopped, Cause::request);
  s.start("web");
  s.expect_state("web", UnitState::listening, Cause::request);
  s.expect_job("web", 2, JobResult::done);
  s.restart("web");
  s.expect_job("web", 3, JobResult::done);
  s.start("web");
  s.expect_job("web", 4, JobResult::done);
  s.expect_state("web", UnitState::listening, Cause::request);
}

TEST(Listening, AStartWhoseSocketsCannotBeOpenedFailsAndStartsNobody) {
  UnitSpec user = simple("user");
  user.depends.make().requires_units.push_back(to("web"));
  Scenario s({listener("web"), user});
  s.begin();
  s.stop("web");
  s.exited("user", killed_by(SIGTERM));
  s.sockets_fail();
  s.forget();
  s.start("user");
  s.expect("web: listening (request)", "reply 2: user job 2",
           "web: failed (spawn failed), cannot listen", "user: failed (dependency)");
  s.expect_job("user", 2, JobResult::failed);
  s.start("web");
  s.expect_job("web", 3, JobResult::failed);
}

TEST(Listening, ACleanEndLeadsBackToItAndAFailureIsRestarted) {
  Scenario s({listener("web")});
  s.begin();
  connect(s, "web");
  s.spawned("web");
  s.exited("web", exit_code(0));
  s.expect_state("web", UnitState::listening, Cause::exit);
  connect(s, "web");
  s.spawned("web");
  s.forget();
  s.exited("web", exit_code(1));
  s.expect("acknowledge #2", "web: starting (exit)", "spawn web #3");
}

TEST(Listening, ARestartOnRequestLeadsBackToIt) {
  Scenario s({listener("web")});
  s.begin();
  connect(s, "web");
  s.spawned("web");
  s.restart("web");
  s.exited("web", killed_by(SIGTERM));
  s.expect_state("web", UnitState::listening, Cause::request);
  s.expect_job("web", 1, JobResult::done);
}

TEST(Listening, OneThatEndsAtOnceInACircleFails) {
  UnitSpec spec = listener("web");
  spec.descriptors.make().trigger_limit = 2;
  Scenario s({spec});
  s.begin();
  for (int i = 0; i < 2; ++i) {
    connect(s, "web");
    s.spawned("web");
    s.exited("web", exit_code(0));
  }
  s.forget();
  connect(s, "web");
  s.expect("web: failed (rate limited), started by a connection 2 times within 2s");
  s.start("web");
  connect(s, "web");
  s.expect_state("web", UnitState::starting, Cause::connection);
}

TEST(Listening, SocketsThatCannotBeOpenedAreAFailure) {
  Scenario s({listener("web")});
  s.begin();
  s.forget();
  s.handle(ListenFailed{s.index("web"), "cannot listen on tcp://:80: in use"});
  s.expect("web: failed (spawn failed), cannot listen on tcp://:80: in use");
  s.handle(ListenFailed{s.index("web"), "again"});
  s.expect_nothing();
}

TEST(Listening, WhatItRequiresIsStartedWithIt) {
  UnitSpec web = listener("web");
  web.depends.make().requires_units.push_back(to("db"));
  UnitSpec db = simple("db");
  db.enabled = false;
  Scenario s({web, db});
  s.begin();
  s.expect("web: listening (boot)", "settled");
  connect(s, "web");
  s.expect("db: starting (connection)", "spawn db #1", "web: waiting (connection)");
  s.spawned("db");
  s.expect("db: running (connection)", "web: starting (connection)", "spawn web #2");
}

TEST(Listening, ItIsUpForOthersWhateverItsProcessDoes) {
  UnitSpec web = listener("web");
  UnitSpec user = simple("user");
  user.depends.make().binds_to.push_back(to("web"));
  Scenario s({web, user});
  s.begin();
  s.expect("web: listening (boot)", "user: waiting (boot)", "user: starting (boot)",
           "spawn user #1");
  s.spawned("user");
  connect(s, "web");
  s.spawned("web");
  s.exited("web", exit_code(1));
  s.spawned("web");
  s.exited("web", exit_code(0));
  s.expect_state("user", UnitState::running, Cause::boot);
  s.forget();
  s.stop("web");
  s.expect("user: stopping (dependency)", "web: stopping (request)",
           "kill user #1 15 group continue", "reply 1: web job 1");
  s.exited("user", killed_by(SIGTERM));
  s.expect("acknowledge #1", "user: waiting (dependency)", "web: stopped (request)");
}

TEST(Listening, AStopOfWhatItRequiresLeavesItListening) {
  UnitSpec web = listener("web");
  web.depends.make().requires_units.push_back(to("db"));
  Scenario s({web, simple("db")});
  s.begin();
  s.spawned("db");
  s.stop("db");
  s.exited("db", killed_by(SIGTERM));
  s.expect_state("web", UnitState::listening, Cause::boot);
}

TEST(Listening, ItFailsWithWhatItRequiresAndListensAgainWithIt) {
  UnitSpec web = listener("web");
  web.depends.make().requires_units.push_back(to("db"));
  UnitSpec db = simple("db");
  db.restart.policy = RestartPolicy::never;
  db.enabled = false;
  Scenario s({web, db});
  s.begin();
  connect(s, "web");
  s.spawned("db");
  s.spawned("web");
  s.forget();
  s.exited("db", exit_code(1));
  s.expect("acknowledge #1", "db: failed (exit)", "web: stopping (dependency)",
           "kill web #2 15 group continue");
  s.exited("web", killed_by(SIGTERM));
  s.expect("acknowledge #2", "web: failed (dependency)");
  EXPECT_EQ(s.record("web").blocker, s.index("db").value + 1);
  s.start("db");
  s.spawned("db");
  s.expect_state("web", UnitState::listening, Cause::dependency);
}

TEST(Listening, ItFailsWithWhatItWaitsFor) {
  UnitSpec web = listener("web");
  web.depends.make().requires_units.push_back(to("db"));
  UnitSpec db = oneshot("db");
  db.enabled = false;
  Scenario s({web, db});
  s.begin();
  connect(s, "web");
  s.spawned("db");
  s.exited("db", exit_code(1));
  s.expect_state("web", UnitState::failed, Cause::dependency);
  s.start("web");
  s.expect_state("web", UnitState::listening, Cause::request);
}

TEST(Listening, WhatHasFailedIsNotInItsWayBeforeSomethingComes) {
  UnitSpec web = listener("web");
  web.enabled = false;
  web.depends.make().completed.push_back(to("setup"));
  web.depends.make().conflicts.push_back(to("rival"));
  UnitSpec setup = oneshot("setup");
  setup.restart.policy = RestartPolicy::never;
  Scenario s({web, setup, simple("rival")});
  s.begin();
  s.spawned("setup");
  s.spawned("rival");
  s.start("web");
  s.expect_state("web", UnitState::waiting, Cause::request);
  s.exited("setup", exit_code(1));
  s.expect_state("setup", UnitState::failed, Cause::exit);
  s.expect_state("web", UnitState::waiting, Cause::request);
  s.exited("rival", killed_by(SIGTERM));
  s.expect_state("web", UnitState::listening, Cause::request);
}

TEST(Listening, NoHookIsRunForOneThatOnlyListened) {
  UnitSpec web = with_hooks(listener("web"), {HookPoint::pre_stop, HookPoint::post_stop});
  UnitSpec user = simple("user");
  user.depends.make().requires_units.push_back(to("web"));
  Scenario s({web, user});
  s.begin();
  s.spawned("user");
  s.stop("web");
  s.forget();
  s.exited("user", killed_by(SIGTERM));
  s.expect("acknowledge #1", "user: waiting (dependency)", "web: stopped (request)");
}

TEST(Listening, AMaskedOneIsNotStarted) {
  Scenario s({listener("web")});
  s.begin();
  s.mask("web", true);
  connect(s, "web");
  s.expect_state("web", UnitState::failed, Cause::masked);
  EXPECT_EQ(s.record("web").detail, "");
  s.mask("web", false);
  s.expect_state("web", UnitState::listening, Cause::request);
}

TEST(Listening, ASuccessorOfTheManagerFindsItSo) {
  UnitRecord record = left(UnitState::listening, 0);
  record.failures = 0;
  record.exits = 0;
  record.last_exit = {};
  record.started = {};
  record.was_up = true;
  Scenario s({listener("web")}, after_crash(record, 0));
  s.begin(false);
  s.expect("settled");
  s.expect_state("web", UnitState::listening, Cause::boot);
}

TEST(Listening, OneThatIsStartedAtOnceNowIsStarted) {
  UnitRecord record = left(UnitState::listening, 0);
  record.failures = 0;
  record.started = {};
  record.was_up = true;
  for (const UnitSpec& spec : {simple("web"), oneshot("web"), group("web")}) {
    Scenario s({spec}, after_crash(record, 0));
    s.begin(false);
    EXPECT_NE(s.record("web").state, UnitState::listening);
    EXPECT_NE(s.record("web").state, UnitState::stopped);
  }
}

TEST(Listening, OneThatWaitedForAConnectionsSakeIsStartedAllTheSame) {
  UnitRecord record = left(UnitState::waiting, 0);
  record.cause = Cause::connection;
  record.blocker = 1;
  record.failures = 0;
  Scenario s({simple("web")}, after_crash(record, 0));
  s.begin(false);
  s.expect("web: starting (connection)", "spawn web #1");
}

}  // namespace
}  // namespace foster::core::test
