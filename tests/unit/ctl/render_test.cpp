#include "ctl/render.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <gtest/gtest.h>

#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

std::string render_units(const Snapshot& snapshot, const RenderOptions& options) {
  UnitTable table;
  for (const UnitView& view : snapshot.units)
    table.add(view, snapshot.daemon.clock);
  return table.render(options);
}

std::string summary(const Snapshot& snapshot) {
  return render_summary(snapshot.daemon, snapshot.counts);
}

class Render : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(Render, TableHasARowForEachUnitAndSaysWhy) {
  EXPECT_EQ(
      render_units(every_state(), {}),
      "UNIT      STATE     SINCE        PID   RESTARTS  WHY\n"
      "backoff   backoff   just now     -     2         next start in 1.2s, killed by SIGSEGV "
      "(core dumped)\n"
      "exited    exited    1min ago     -     0         exited with code 0\n"
      "failed    failed    3min ago     -     0         exited with code 3\n"
      "running   running   2h 1min ago  1234  0\n"
      "starting  starting  just now     -     0\n"
      "stopped   stopped   3s ago       -     0         on request\n"
      "stopping  stopping  2s ago       77    0         SIGKILL in 8.0s\n");
}

TEST_F(Render, SummaryCountsStates) {
  EXPECT_EQ(summary(every_state()),
            "foster user-1000: running, up 1h 30min, 7 units (1 running, 1 starting, 1 stopping, "
            "1 backoff, 1 failed, 1 exited, 1 stopped)\n");
  EXPECT_EQ(summary(snapshot()), "foster user-1000: running, up 1h 30min, 0 units\n");
}

TEST_F(Render, ColoursOnlyTheState) {
  const Snapshot all = snapshot({unit("web", FOSTER_STATE_FAILED, 5)});
  EXPECT_EQ(render_units(all, {.colour = true}),
            "UNIT  STATE   SINCE   PID  RESTARTS  WHY\n"
            "web   \x1b[31mfailed\x1b[0m  5s ago  -    0\n");
}

TEST_F(Render, NarrowTerminalCutsTheReasonFirstAndThenTheName) {
  Snapshot all = snapshot({unit("a-very-long-name-of-a-unit", FOSTER_STATE_FAILED, 5)});
  all.units[0].body.exit_kind = FOSTER_EXIT_SIGNAL;
  all.units[0].body.exit_value = SIGKILL;
  EXPECT_EQ(render_units(all, {.columns = 70}),
            "UNIT                        STATE   SINCE   PID  RESTARTS  WHY\n"
            "a-very-long-name-of-a-unit  failed  5s ago  -    0         killed by …\n");
  EXPECT_EQ(render_units(all, {.columns = 48}),
            "UNIT         STATE   SINCE   PID  RESTARTS  WHY\n"
            "a-very-lon…  failed  5s ago  -    0         kil…\n");
}

TEST_F(Render, NamesCannotSteerTheTerminal) {
  const Snapshot all = snapshot({unit("we\x1b[2Jb\n", FOSTER_STATE_RUNNING, 5)});
  EXPECT_EQ(render_units(all, {}),
            "UNIT      STATE    SINCE   PID  RESTARTS  WHY\n"
            "we?[2Jb?  running  5s ago  -    0\n");
}

TEST_F(Render, OneUnitInDetail) {
  UnitView web = unit("web", FOSTER_STATE_BACKOFF, 1);
  web.body.flags = FOSTER_FLAG_ESSENTIAL;
  web.body.goal = FOSTER_GOAL_UP;
  web.body.cause = FOSTER_CAUSE_EXIT;
  web.body.attempt = 8;
  web.body.exit_attempt = 8;
  web.body.restarts = 5;
  web.body.failures = 2;
  web.body.exit_kind = FOSTER_EXIT_SIGNAL;
  web.body.exit_value = SIGABRT;
  web.body.exit_real_ns = kNow.real_ns - kSecond;
  web.body.exit_boot_ns = kNow.boot.ns - kSecond;
  web.body.exit_user_us = 1'250'000;
  web.body.exit_system_us = 30'000;
  web.body.exit_max_rss_kib = 2560;
  web.body.deadline_boot_ns = kNow.boot.ns + 30 * kSecond;
  web.body.job = 17 << 8 | 1;
  std::strcpy(web.body.status_text, "serving");
  EXPECT_EQ(render_unit(web, kNow, {}),
            "web (simple, essential)\n"
            "  state      backoff since 2026-05-01 11:59:59 (1s ago)\n"
            "  why        next start in 30s, killed by SIGABRT\n"
            "  goal       up\n"
            "  cause      its main process ended\n"
            "  attempt    8\n"
            "  restarts   5 (2 in a row)\n"
            "  next start in 30s\n"
            "  last exit  killed by SIGABRT, 2026-05-01 11:59:59 (1s ago), attempt 8\n"
            "  used       1.250s user, 0.030s system, 2.5 MiB at most (the attempt that ended)\n"
            "  status     serving\n"
            "  job        17 to start\n");
}

TEST_F(Render, UnitInDetailSaysStepHealthAndWhatIsSetForIt) {
  UnitView web = unit("web", FOSTER_STATE_STARTING, 4);
  web.body.type = FOSTER_TYPE_NOTIFY;
  web.body.goal = FOSTER_GOAL_UP;
  web.body.cause = FOSTER_CAUSE_TIMER;
  web.body.step = FOSTER_STEP_PRE_START;
  web.body.hook_role = FOSTER_ROLE_PRE_START;
  web.body.hook_index = 1;
  web.body.hook_attempt = 5;
  web.body.hook_pid = 70;
  web.body.hook_deadline_boot_ns = kNow.boot.ns + 20 * kSecond;
  web.body.health = FOSTER_HEALTH_UNHEALTHY;
  web.body.check_failures = 2;
  web.body.check_role = FOSTER_ROLE_HEALTH_CHECK;
  web.body.check_attempt = 6;
  web.body.check_pid = 71;
  web.body.enablement = FOSTER_DISABLED;
  web.body.timer_next_real_ns = kNow.real_ns + 3600 * kSecond;
  web.body.start_deadline_boot_ns = kNow.boot.ns + 26 * kSecond;
  web.body.service_errno = 28;
  EXPECT_EQ(render_unit(web, kNow, {}),
            "web (notify)\n"
            "  state      starting: pre-start, command 2 since 2026-05-01 11:59:56 (4s ago)\n"
            "  why        pre-start, command 2, gives up in 26s\n"
            "  health     unhealthy (2 failed in a row)\n"
            "  goal       up\n"
            "  cause      started by its timer\n"
            "  start      disabled by fosterctl\n"
            "  timer      2026-05-01 13:00:00 (in 1h 0min)\n"
            "  hook       pre-start, pid 70, SIGKILL in 20s\n"
            "  check      health-check, pid 71\n"
            "  attempt    0\n"
            "  restarts   0 (0 in a row)\n"
            "  error      28: No space left on device\n");
}

TEST_F(Render, TableHasAColumnForHealthWhereThereIsAny) {
  Snapshot all =
      snapshot({unit("db", FOSTER_STATE_RUNNING, 5), unit("web", FOSTER_STATE_RUNNING, 5)});
  all.units[1].body.health = FOSTER_HEALTH_UNHEALTHY;
  all.units[1].body.check_failures = 3;
  EXPECT_EQ(render_units(all, {}),
            "UNIT  STATE    HEALTH     SINCE   PID  RESTARTS  WHY\n"
            "db    running  -          5s ago  -    0\n"
            "web   running  unhealthy  5s ago  -    0         3 checks failed\n");
  EXPECT_EQ(render_units(all, {.columns = 56}),
            "UNIT  STATE    HEALTH     SINCE   PID  RESTARTS  WHY\n"
            "db    running  -          5s ago  -    0\n"
            "web   running  unhealthy  5s ago  -    0         3 chec…\n");
}

TEST_F(Render, NeverStartedUnitInDetail) {
  EXPECT_EQ(render_unit(UnitView{{.name = "db"}, {}, {}}, kNow, {}),
            "db (simple)\n"
            "  state      stopped\n"
            "  why        never started\n"
            "  goal       down\n"
            "  attempt    0\n"
            "  restarts   0 (0 in a row)\n");
}

TEST_F(Render, SaysWhatIsWrongWithTheDaemon) {
  DaemonView daemon = snapshot().daemon;
  const Instant last_change{kNow.boot.ns - 12 * kSecond};
  EXPECT_EQ(render_notices(daemon, last_change), "");
  daemon.manager = region::Liveness::dead;
  EXPECT_EQ(
      render_notices(daemon, last_change),
      "manager: not running, the keeper is starting it again; the state below is as it last was "
      "(last change 12s ago)\n");
  daemon.manager = region::Liveness::frozen;
  EXPECT_EQ(
      render_notices(daemon, last_change),
      "manager: frozen (pid 101 is stopped by a signal or a debugger); the state below is as it "
      "last was (last change 12s ago)\n");
  daemon.manager = region::Liveness::busy;
  daemon.header.turn_started_boot_ns = kNow.boot.ns - 5 * kSecond;
  EXPECT_EQ(
      render_notices(daemon, last_change),
      "manager: busy with one thing for 5s (pid 101); the state below is as it last was (last "
      "change 12s ago)\n");
  daemon.keeper = region::Liveness::dead;
  EXPECT_EQ(render_notices(daemon, last_change),
            "fosterd is gone (it was pid 100); the state below is as it last was (last change 12s "
            "ago)\n");
}

foster_event event(uint8_t kind, std::string_view name) {
  foster_event made{};
  made.kind = kind;
  made.real_ns = kNow.real_ns + 45'000'000;
  std::memcpy(made.name, name.data(), name.size());
  return made;
}

TEST_F(Render, EventsAreALineEach) {
  foster_event state = event(FOSTER_EVENT_STATE, "web");
  state.state = FOSTER_STATE_RUNNING;
  state.cause = FOSTER_CAUSE_BOOT;
  state.pid = 5;
  EXPECT_EQ(render_event(state, {}),
            "2026-05-01 12:00:00.045 web: running, pid 5, started with the daemon");
  foster_event exit = event(FOSTER_EVENT_EXIT, "web");
  exit.exit_kind = FOSTER_EXIT_CODE;
  exit.value = 7;
  exit.pid = 5;
  exit.attempt = 2;
  EXPECT_EQ(render_event(exit, {}),
            "2026-05-01 12:00:00.045 web: exited with code 7 (pid 5, attempt 2)");
  foster_event signal = event(FOSTER_EVENT_SIGNAL, "web");
  signal.value = SIGTERM;
  signal.pid = 5;
  EXPECT_EQ(render_event(signal, {}), "2026-05-01 12:00:00.045 web: SIGTERM sent to pid 5");
  foster_event request = event(FOSTER_EVENT_REQUEST, "web");
  std::strcpy(request.text, "restart");
  EXPECT_EQ(render_event(request, {}), "2026-05-01 12:00:00.045 web: asked to restart");
  foster_event manager = event(FOSTER_EVENT_MANAGER, "");
  manager.value = 2;
  manager.pid = 9;
  EXPECT_EQ(render_event(manager, {}),
            "2026-05-01 12:00:00.045 foster: manager started again (2), pid 9");
  EXPECT_EQ(render_event(event(FOSTER_EVENT_SHUTDOWN, ""), {}),
            "2026-05-01 12:00:00.045 foster: begins to stop, exit code 0");
  EXPECT_EQ(render_event(event(99, "web"), {}),
            "2026-05-01 12:00:00.045 web: something that this fosterctl does not know");
}

TEST_F(Render, EventsOfHooksAndChecksAreTheirTexts) {
  foster_event hook = event(FOSTER_EVENT_HOOK, "web");
  EXPECT_EQ(render_event(hook, {}), "2026-05-01 12:00:00.045 web: a hook began or ended");
  std::strcpy(hook.text, "pre-start: exited with code 1");
  EXPECT_EQ(render_event(hook, {}), "2026-05-01 12:00:00.045 web: pre-start: exited with code 1");
  EXPECT_EQ(render_event(event(FOSTER_EVENT_READY, "web"), {}),
            "2026-05-01 12:00:00.045 web: ready");
  EXPECT_EQ(render_event(event(FOSTER_EVENT_HEALTH, "web"), {}),
            "2026-05-01 12:00:00.045 web: its health has changed");
  foster_event failed = event(FOSTER_EVENT_STATE, "web");
  failed.state = FOSTER_STATE_FAILED;
  failed.cause = FOSTER_CAUSE_WATCHDOG;
  EXPECT_EQ(render_event(failed, {}),
            "2026-05-01 12:00:00.045 web: failed, did not feed its watchdog");
}

TEST_F(Render, OutcomesSayWhatAVerbCameTo) {
  UnitView web = unit("web", FOSTER_STATE_RUNNING, 0);
  web.body.pid = 12;
  EXPECT_EQ(render_outcome(web, kNow), "web: running, pid 12");
  web.body.state = FOSTER_STATE_STOPPED;
  web.body.attempt = 1;
  web.body.cause = FOSTER_CAUSE_REQUEST;
  EXPECT_EQ(render_outcome(web, kNow), "web: stopped");
  web.body.cause = FOSTER_CAUSE_STOP_TIMEOUT;
  EXPECT_EQ(render_outcome(web, kNow), "web: stopped, did not stop in time and was killed");
  web.body.state = FOSTER_STATE_FAILED;
  web.body.cause = FOSTER_CAUSE_SPAWN_FAILED;
  web.body.exit_kind = FOSTER_EXIT_SPAWN;
  set_detail(web.body, "cannot execute /x: No such file or directory");
  EXPECT_EQ(render_outcome(web, kNow), "web: failed, cannot execute /x: No such file or directory");
}

}  // namespace
}  // namespace foster::ctl::test
