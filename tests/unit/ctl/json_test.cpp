#include "ctl/json.hpp"

#include <csignal>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

TEST(Json, StatusHasEveryKeyInAnyState) {
  Snapshot all = snapshot({UnitView{{.name = "db"}, {}, {}}});
  EXPECT_EQ(status_json(all),
            R"({
  "instance": "user-1000",
  "version": "0.1.0",
  "phase": "running",
  "exit_code": null,
  "started_us": 1777631400000000,
  "last_change_us": null,
  "manager": {
    "pid": 101,
    "liveness": "alive",
    "restarts": 0,
    "started_us": 1777631400000000
  },
  "keeper": {
    "pid": 100,
    "liveness": "alive"
  },
  "units": [
    {"name":"db","state":"stopped","goal":"down","type":"simple","essential":false,)"
            R"("cause":"none","detail":"","why":"never started","status_text":"",)"
            R"("pid":null,"attempt":0,"restarts":0,"restarts_in_a_row":0,)"
            R"("exits":0,"since_us":null,"started_us":null,"running_us":null,)"
            R"("next_start_us":null,"next_kill_us":null,"last_exit":null,)"
            R"("step":"none","blocker":null,"ready":false,"health":"none","check_failures":0,)"
            R"("enablement":"enabled","give_up_us":null,"watchdog_us":null,"timer_next_us":null,)"
            R"("service_errno":0,"hook":null,"sockets":0,"ports":[],"held":0,"successor":null,)"
            R"("former":null,"job":null,"writer_died":false,"writer_stuck":false}
  ]
}
)");
}

TEST(Json, StatusOfNoUnitsIsAnEmptyList) {
  EXPECT_NE(status_json(snapshot()).find("\"units\": []"), std::string::npos);
}

TEST(Json, UnitThatEndedSaysHow) {
  Snapshot all = every_state();
  const std::string text = status_json(all);
  EXPECT_NE(text.find(R"("next_start_us":1777636801200000,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("next_kill_us":1777636808000000,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("last_exit":{"kind":"core","value":11,"signal":"SIGSEGV","clean":false,)"
                      R"("attempt":0,"at_us":null,"user_us":0,"system_us":0,"max_rss_kib":0},)"),
            std::string::npos)
      << text;
}

TEST(Json, TextThatIsNotUtf8DoesNotSpoilTheDocument) {
  Snapshot all = snapshot({unit("web", FOSTER_STATE_RUNNING, 1)});
  std::strcpy(all.units[0].body.status_text, "caf\xe9 \"x\"\n");
  EXPECT_NE(status_json(all).find("\"caf\xef\xbf\xbd \\\"x\\\"\\n\""), std::string::npos);
}

TEST(Json, ListIsNamesAndStates) {
  Snapshot all = snapshot({unit("web", FOSTER_STATE_RUNNING, 1)});
  EXPECT_EQ(list_json(all), R"([
  {
    "name": "web",
    "state": "running"
  }
]
)");
  EXPECT_EQ(list_json(snapshot()), "[]\n");
}

TEST(Json, EventIsOneLine) {
  foster_event event{};
  event.kind = FOSTER_EVENT_EXIT;
  event.sequence = 9;
  event.real_ns = kNow.real_ns;
  event.exit_kind = FOSTER_EXIT_SIGNAL;
  event.value = SIGKILL;
  event.pid = 4;
  event.attempt = 2;
  std::strcpy(event.name, "web");
  EXPECT_EQ(event_json(event, "exit"),
            R"({"event":"exit","sequence":9,"time_us":1777636800000000,"unit":"web","state":null,)"
            R"("cause":null,"exit_kind":"signal","value":9,"signal":"SIGKILL","pid":4,"attempt":2,)"
            R"("text":""})");
}

TEST(Json, ValueIsNullWhereItMeansNothing) {
  foster_event event{};
  event.kind = FOSTER_EVENT_STATE;
  event.state = FOSTER_STATE_RUNNING;
  event.value = 9;
  EXPECT_NE(event_json(event, "present").find(R"("exit_kind":null,"value":null,"signal":null)"),
            std::string::npos);
  event.kind = FOSTER_EVENT_MANAGER;
  EXPECT_NE(event_json(event, "manager").find(R"("value":9,"signal":null)"), std::string::npos);
}

TEST(Json, UnitSaysWhatItIsAtAndWhatItWaitsFor) {
  Snapshot all = snapshot({unit("web", FOSTER_STATE_STOPPING, 1)});
  UnitView& web = all.units[0];
  web.blocker = "db";
  web.body.step = FOSTER_STEP_PRE_STOP;
  web.body.flags = FOSTER_FLAG_READY;
  web.body.health = FOSTER_HEALTH_UNHEALTHY;
  web.body.enablement = FOSTER_DISABLED;
  web.body.hook_role = FOSTER_ROLE_PRE_STOP;
  web.body.hook_attempt = 8;
  web.body.hook_pid = 77;
  web.body.watchdog_ns = 5 * kSecond;
  web.body.timer_next_real_ns = kNow.real_ns + kSecond;
  const std::string text = status_json(all);
  EXPECT_NE(text.find(R"("step":"pre_stop","blocker":"db","ready":true,"health":"unhealthy",)"
                      R"("check_failures":0,"enablement":"disabled","give_up_us":null,)"
                      R"("watchdog_us":5000000,"timer_next_us":1777636801000000,)"
                      R"("service_errno":0,"hook":{"role":"pre-stop","command":1,"pid":77,)"
                      R"("attempt":8,"next_kill_us":null})"),
            std::string::npos)
      << text;
}

TEST(Json, VersionsOfBothSides) {
  EXPECT_EQ(version_json("1", "2"), "{\"client\":\"1\",\"daemon\":\"2\"}\n");
  EXPECT_EQ(version_json("1", ""), "{\"client\":\"1\",\"daemon\":null}\n");
}

}  // namespace
}  // namespace foster::ctl::test
