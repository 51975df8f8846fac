#include "daemon/manager/role_environment.hpp"

#include <csignal>
#include <map>
#include <string>

#include "tests/os/manager/rig.hpp"

namespace foster::manager {
namespace {

using Variables = std::map<std::string, std::string>;

class RoleEnvironment : public Rig {
 protected:
  /// As the core has it while the unit runs, with how it ended the last time.
  static core::UnitRecord record(const core::LastExit& last) {
    core::UnitRecord made;
    made.goal = core::Goal::up;
    made.state = core::UnitState::stopping;
    made.step = core::Step::post_stop;
    made.cause = core::Cause::exit;
    made.attempt = {7};
    made.exit_attempt = {7};
    made.last_exit = last;
    return made;
  }

  Variables of(const core::Spawn& spawn) {
    const Environment environment = role_environment(core(), spawn);
    return {environment.begin(), environment.end()};
  }

  Variables after(const core::LastExit& last) {
    set_unit(unit_, record(last));
    return of({.unit = {0}, .attempt = {8}, .role = core::Role::post_stop, .main_attempt = {7}});
  }

  UnitSpec unit_;
};

TEST_F(RoleEnvironment, TheMainProcessIsToldNothing) {
  set_unit(unit_, record({}));
  EXPECT_EQ(of({.unit = {0}, .attempt = {8}}), Variables());
}

TEST_F(RoleEnvironment, TheWatchdogIsTheMainProcesss) {
  unit_.health.make().watchdog = std::chrono::milliseconds(1500);
  set_unit(unit_, record({}));
  const Variables expected{{"WATCHDOG_USEC", "1500000"}, {"WATCHDOG_PID", "0000000000"}};
  EXPECT_EQ(of({.unit = {0}, .attempt = {8}}), expected);
  EXPECT_FALSE(
      of({.unit = {0}, .attempt = {8}, .role = core::Role::pre_start}).contains("WATCHDOG_USEC"));
}

TEST_F(RoleEnvironment, PostStopLearnsHowItEnded) {
  const Variables code{{"FOSTER_HOOK", "post-stop"},
                       {"FOSTER_EXIT_KIND", "exited"},
                       {"FOSTER_EXIT_CODE", "5"},
                       {"FOSTER_RESULT", "exit-code"}};
  EXPECT_EQ(after({.kind = core::ExitKind::code, .value = 5}), code);
  const Variables clean = after({.kind = core::ExitKind::code, .value = 0, .clean = true});
  EXPECT_EQ(clean.at("FOSTER_RESULT"), "success");
  const Variables killed{{"FOSTER_HOOK", "post-stop"},
                         {"FOSTER_EXIT_KIND", "killed"},
                         {"FOSTER_EXIT_SIGNAL", "SIGKILL"},
                         {"FOSTER_RESULT", "signal"}};
  EXPECT_EQ(after({.kind = core::ExitKind::signal, .value = SIGKILL}), killed);
  const Variables dumped = after({.kind = core::ExitKind::core_dump, .value = SIGSEGV});
  EXPECT_EQ(dumped.at("FOSTER_EXIT_KIND"), "dumped");
  EXPECT_EQ(dumped.at("FOSTER_RESULT"), "core-dump");
}

TEST_F(RoleEnvironment, AnEndOfAnEarlierAttemptIsNotToldAsThisOnes) {
  set_unit(unit_, record({.kind = core::ExitKind::code, .value = 5}));
  const Variables found = of({.unit = {0}, .attempt = {9}, .role = core::Role::post_stop});
  EXPECT_EQ(found.at("FOSTER_EXIT_KIND"), "none");
  EXPECT_FALSE(found.contains("FOSTER_EXIT_CODE"));
}

TEST_F(RoleEnvironment, WhoAnswersAFailureIsToldOfIt) {
  unit_.name = "web";
  core::UnitRecord failed = record({.kind = core::ExitKind::signal, .value = SIGABRT});
  failed.cause = core::Cause::rate_limited;
  set_unit(unit_, failed);
  const Variables expected{{"FOSTER_FAILED_UNIT", "web"},
                           {"FOSTER_FAILED_CAUSE", "rate-limited"},
                           {"FOSTER_FAILED_EXIT_KIND", "killed"},
                           {"FOSTER_FAILED_EXIT_SIGNAL", "SIGABRT"}};
  EXPECT_EQ(of({.unit = {0}, .attempt = {8}, .trigger = 1}), expected);
}

}  // namespace
}  // namespace foster::manager
