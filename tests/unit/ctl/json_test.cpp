#include "ctl/json.hpp"

#include <csignal>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

TEST(Json, StatusHasEveryKeyInAnyState) {
  Snapshot all = snapshot({region::SlotView{.name = "db"}});
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
            R"("job":null,"writer_died":false,"writer_stuck":false}
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

TEST(Json, VersionsOfBothSides) {
  EXPECT_EQ(version_json("1", "2"), "{\"client\":\"1\",\"daemon\":\"2\"}\n");
  EXPECT_EQ(version_json("1", ""), "{\"client\":\"1\",\"daemon\":null}\n");
}

}  // namespace
}  // namespace foster::ctl::test
