// What is said of units that listen, hold descriptors, or have two processes for a while.

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "ctl/condition.hpp"
#include "ctl/explanation.hpp"
#include "ctl/json.hpp"
#include "ctl/reason.hpp"
#include "ctl/render.hpp"
#include "ctl/words.hpp"
#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

class DescriptorWords : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  static std::string row(const UnitView& view) {
    UnitTable table;
    table.add(view, kNow);
    const std::string text = table.render({});
    return text.substr(text.find('\n') + 1);
  }

  static std::string why(const UnitView& view) {
    const UnitGraph graph({view}, {});
    return render_explanation(explain(graph, 0, snapshot().daemon));
  }

  static UnitView listening() {
    UnitView web = unit("web", FOSTER_STATE_LISTENING, 5);
    web.body.goal = FOSTER_GOAL_UP;
    web.body.cause = FOSTER_CAUSE_BOOT;
    web.body.socket_count = 3;
    web.body.socket_ports[0] = 80;
    web.body.socket_ports[2] = 443;
    return web;
  }

  static UnitView overlapping() {
    UnitView web = unit("web", FOSTER_STATE_RUNNING, 60);
    web.body.goal = FOSTER_GOAL_UP;
    web.body.step = FOSTER_STEP_OVERLAP;
    web.body.attempt = 4;
    web.body.pid = 40;
    return web;
  }
};

TEST_F(DescriptorWords, AUnitThatListensIsUpAndNotRunning) {
  const UnitView web = listening();
  EXPECT_TRUE(holds(Condition::listening, web.body));
  EXPECT_TRUE(holds(Condition::up, web.body));
  EXPECT_TRUE(holds(Condition::ready, web.body));
  EXPECT_FALSE(holds(Condition::running, web.body));
  EXPECT_FALSE(holds(Condition::down, web.body));
  EXPECT_EQ(condition_of("listening"), Condition::listening);
  EXPECT_EQ(state_colour(FOSTER_STATE_LISTENING), Colour::green);
}

TEST_F(DescriptorWords, AUnitThatListensSaysForWhat) {
  const UnitView web = listening();
  EXPECT_EQ(row(web), "web   listening  5s ago  -    0         for a connection\n");
  EXPECT_EQ(render_outcome(web, kNow), "web: listening, for a connection");
  EXPECT_EQ(why(web),
            "web is listening since 11:59:55 (5s) on 3 sockets, and is started by the first that "
            "comes to one of them\n"
            "What would change it:\n"
            "  web starts by itself once something comes to one of its sockets\n");
  const Snapshot all = snapshot({web});
  EXPECT_NE(render_summary(all.daemon, all.counts).find("1 unit (1 listening)"), std::string::npos);
}

TEST_F(DescriptorWords, OneUnitShowsItsSocketsAndWhatIsHeldForIt) {
  UnitView web = listening();
  web.body.held_count = 1;
  const std::string text = render_unit(web, kNow, {});
  EXPECT_NE(text.find("  sockets    3 open, ports 80, 443\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  held       1 descriptor, passed or stored\n"), std::string::npos) << text;
  EXPECT_NE(status_json(snapshot({web})).find(R"("sockets":3,"ports":[80,null,443],"held":1,)"),
            std::string::npos);
}

TEST_F(DescriptorWords, PortsThatAreNotShownAreHintedAt) {
  UnitView web = listening();
  web.body.socket_count = FOSTER_PORTS + 1;
  EXPECT_NE(render_unit(web, kNow, {}).find("  sockets    5 open, ports 80, 443, ...\n"),
            std::string::npos);
  web.body.socket_ports[2] = 0;
  EXPECT_NE(render_unit(web, kNow, {}).find("  sockets    5 open, ports 80, ...\n"),
            std::string::npos);
}

TEST_F(DescriptorWords, StartedByAConnection) {
  UnitView web = unit("web", FOSTER_STATE_RUNNING, 5);
  web.body.cause = FOSTER_CAUSE_CONNECTION;
  web.body.pid = 9;
  EXPECT_EQ(why(web), "web is running since 11:59:55 (5s), pid 9, started by a connection\n");
}

TEST_F(DescriptorWords, SocketsThatCannotBeOpenedAreTheReason) {
  UnitView web = unit("web", FOSTER_STATE_FAILED, 5);
  web.body.cause = FOSTER_CAUSE_SPAWN_FAILED;
  web.body.attempt = 3;
  web.body.exit_kind = FOSTER_EXIT_CODE;  // of a run long ago
  set_detail(web.body, "cannot listen on tcp://*:80: Address already in use");
  EXPECT_EQ(why_text(web, kNow), "cannot listen on tcp://*:80: Address already in use");
}

TEST_F(DescriptorWords, AProcessBesideTheMainOneIsTold) {
  UnitView web = overlapping();
  web.body.successor_attempt = 5;
  web.body.successor_pid = 50;
  web.body.successor_deadline_boot_ns = kNow.boot.ns + 9 * kSecond;
  EXPECT_EQ(state_text(web), "running: a new process is on its way up beside it");
  EXPECT_EQ(why_text(web, kNow),
            "a new process is on its way up beside it, gives up on it in 9.0s");
  EXPECT_NE(render_unit(web, kNow, {}).find("  successor  pid 50, attempt 5, given up in 9.0s\n"),
            std::string::npos);
  EXPECT_NE(status_json(snapshot({web})).find(R"("step":"overlap")"), std::string::npos);
  EXPECT_NE(status_json(snapshot({web}))
                .find(R"("successor":{"pid":50,"attempt":5,"give_up_us":1777636809000000},)"
                      R"("former":null)"),
            std::string::npos);
}

TEST_F(DescriptorWords, TheProcessBeforeIsToldUntilItIsGone) {
  UnitView web = overlapping();
  web.body.former_attempt = 3;
  web.body.former_pid = 30;
  web.body.former_deadline_boot_ns = kNow.boot.ns + 2 * kSecond;
  EXPECT_EQ(why_text(web, kNow), "the process before it is on its way down, SIGKILL in 2.0s");
  EXPECT_NE(render_unit(web, kNow, {}).find("  former     pid 30, attempt 3, SIGKILL in 2.0s\n"),
            std::string::npos);
  web.body.flags = FOSTER_FLAG_FORMER_KILLED;
  EXPECT_EQ(why_text(web, kNow), "the process before it is on its way down, SIGKILL was sent");
}

TEST_F(DescriptorWords, AnInstanceForAConnectionIsStartedByNothingElse) {
  UnitView echo = unit("echo@1", FOSTER_STATE_FAILED, 5);
  echo.listener = "echo@";
  echo.body.cause = FOSTER_CAUSE_EXIT;
  echo.body.attempt = 2;
  echo.body.exit_kind = FOSTER_EXIT_CODE;
  echo.body.exit_value = 3;
  echo.body.enablement = FOSTER_DISABLED_BY_FILE;
  EXPECT_EQ(why_text(echo, kNow), "exited with code 3");
  EXPECT_EQ(why(echo),
            "echo@1 has failed at 11:59:55 (5s ago): exited with code 3\n"
            "What would change it:\n"
            "  echo@1 is started by a connection to echo@, and by nothing else\n");
  EXPECT_NE(render_unit(echo, kNow, {}).find("  start      by a connection to echo@\n"),
            std::string::npos);
  echo = unit("echo@1", FOSTER_STATE_STOPPED, 5);
  echo.listener = "echo@";
  echo.body.enablement = FOSTER_DISABLED_BY_FILE;
  EXPECT_EQ(why(echo),
            "echo@1 has never been started: no connection to echo@ has come to it\n"
            "What would change it:\n"
            "  echo@1 is started by a connection to echo@, and by nothing else\n");
}

TEST_F(DescriptorWords, EveryNewNumberHasItsWord) {
  EXPECT_EQ(state_word(FOSTER_STATE_LISTENING), "listening");
  EXPECT_EQ(step_word(FOSTER_STEP_OVERLAP), "overlap");
  EXPECT_EQ(cause_word(FOSTER_CAUSE_CONNECTION), "connection");
  EXPECT_EQ(role_word(FOSTER_ROLE_SUCCESSOR), "successor");
  EXPECT_EQ(verb_word(9 << 8 | 6), "overlap");
}

}  // namespace
}  // namespace foster::ctl::test
