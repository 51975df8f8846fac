// Every sentence that `why` may say, as text.

#include "ctl/explanation.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <gtest/gtest.h>

#include "ctl/json.hpp"
#include "tests/unit/ctl/samples.hpp"

namespace foster::ctl::test {
namespace {

/// A world of units by name; edges and blockers are said by name as well.
class World {
 public:
  explicit World(std::vector<UnitView> units) : units_(std::move(units)) {
    daemon_ = snapshot().daemon;
  }

  UnitView& operator[](std::string_view name) { return units_[index(name)]; }
  foster_region_header& header() { return daemon_.header; }

  World& edge(std::string_view from, std::string_view to, uint32_t kind) {
    edges_.push_back({index(from), index(to), kind});
    return *this;
  }

  World& blocked(std::string_view name, std::string_view by, uint8_t cause) {
    UnitView& unit = (*this)[name];
    unit.blocker = by;
    unit.body.blocker = index(by) + 1;
    unit.body.cause = cause;
    return *this;
  }

  [[nodiscard]] UnitGraph graph() const { return {units_, edges_}; }
  [[nodiscard]] Explanation explained(std::string_view name) const {
    return explain(graph(), index(name), daemon_);
  }
  [[nodiscard]] std::string why(std::string_view name) const {
    return render_explanation(explained(name));
  }

 private:
  [[nodiscard]] uint32_t index(std::string_view name) const {
    for (uint32_t i = 0; i < units_.size(); ++i)
      if (units_[i].name == name) return i;
    ADD_FAILURE() << name;
    return 0;
  }

  std::vector<UnitView> units_;
  std::vector<foster_edge> edges_;
  DaemonView daemon_;
};

class Why : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

UnitView exited(std::string_view name, uint8_t state, int64_t age, int32_t code) {
  UnitView view = unit(name, state, age);
  view.body.attempt = 1;
  view.body.cause = FOSTER_CAUSE_EXIT;
  view.body.exit_kind = FOSTER_EXIT_CODE;
  view.body.exit_value = code;
  return view;
}

TEST_F(Why, FollowsTheChainDownToItsRoot) {
  UnitView db = exited("db", FOSTER_STATE_BACKOFF, 1, 1);
  db.body.failures = 4;
  db.body.deadline_boot_ns = kNow.boot.ns + 3 * kSecond;
  World world({db, unit("web", FOSTER_STATE_WAITING, 14)});
  world.edge("web", "db", FOSTER_EDGE_REQUIRES).edge("web", "db", FOSTER_EDGE_AFTER);
  world.blocked("web", "db", FOSTER_CAUSE_BOOT);
  EXPECT_EQ(world.why("web"),
            "web is waiting for db (requires) since 11:59:46 (14s)\n"
            "  db is in backoff since 11:59:59 (1s): exited with code 1; next start in 3.0s, 4 "
            "restarts in a row\n"
            "What would change it:\n"
            "  db is tried again at 12:00:03, in 3.0s\n"
            "  fosterctl start db  tries it now\n"
            "  web starts by itself once db is up\n");
}

TEST_F(Why, LastOutputStandsBelowWhoWroteIt) {
  World world({exited("db", FOSTER_STATE_FAILED, 60, 3), unit("web", FOSTER_STATE_WAITING, 60)});
  world.edge("web", "db", FOSTER_EDGE_REQUIRES).blocked("web", "db", FOSTER_CAUSE_BOOT);
  Explanation explanation = world.explained("web");
  explanation.chain[1].output = {"opening /var/lib/db", "no space left"};
  EXPECT_EQ(render_chain(explanation),
            "web is waiting for db (requires) since 11:59:00 (1min)\n"
            "  db has failed at 11:59:00 (1min ago): exited with code 3\n"
            "    the last that it wrote:\n"
            "      | opening /var/lib/db\n"
            "      | no space left\n");
}

TEST_F(Why, FailureOfARequirementLeadsToItsExit) {
  World world({exited("db", FOSTER_STATE_FAILED, 60, 3), unit("web", FOSTER_STATE_FAILED, 60)});
  world.edge("web", "db", FOSTER_EDGE_BINDS_TO).blocked("web", "db", FOSTER_CAUSE_DEPENDENCY);
  world["web"].body.goal = FOSTER_GOAL_UP;
  EXPECT_EQ(world.why("web"),
            "web has failed at 11:59:00 (1min ago): db, which it depends on, has failed\n"
            "  db has failed at 11:59:00 (1min ago): exited with code 3\n"
            "What would change it:\n"
            "  fosterctl start db  tries it again\n"
            "  web starts by itself once db is up\n");
}

TEST_F(Why, StopWaitsForWhatDependsOnIt) {
  UnitView db = unit("db", FOSTER_STATE_STOPPING, 2);
  db.body.step = FOSTER_STEP_DEPENDENTS;
  db.body.cause = FOSTER_CAUSE_REQUEST;
  db.held_by = "api, web";
  UnitView api = unit("api", FOSTER_STATE_STOPPING, 2);
  api.body.step = FOSTER_STEP_PRE_STOP;
  UnitView web = unit("web", FOSTER_STATE_STOPPING, 2);
  web.body.step = FOSTER_STEP_SIGNAL;
  web.body.deadline_boot_ns = kNow.boot.ns + 8 * kSecond;
  World world({api, db, unit("log", FOSTER_STATE_RUNNING, 5), web});
  world.edge("api", "db", FOSTER_EDGE_REQUIRES).edge("api", "db", FOSTER_EDGE_AFTER);
  world.edge("log", "db", FOSTER_EDGE_AFTER).edge("web", "db", FOSTER_EDGE_AFTER);
  world.blocked("web", "db", FOSTER_CAUSE_DEPENDENCY);
  EXPECT_EQ(world.why("db"),
            "db is being stopped since 11:59:58 (2s), on request: waiting for api, web to stop\n"
            "  api is being stopped since 11:59:58 (2s): pre-stop\n"
            "  web is being stopped since 11:59:58 (2s), because of db, which it depends on: "
            "SIGKILL in 8.0s\n"
            "    db stands above already\n"
            "What would change it:\n"
            "  web gets SIGKILL at 12:00:08, in 8.0s\n");
}

TEST_F(Why, NeverStartedSaysWhoDecidedSo) {
  World world({UnitView{{.name = "web"}, {}, {}}});
  const auto first_line = [&](uint8_t enablement) {
    world["web"].body.enablement = enablement;
    const std::string text = world.why("web");
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line(FOSTER_ENABLED), "web has never been started: nobody has asked for it");
  EXPECT_EQ(first_line(FOSTER_DISABLED_BY_FILE),
            "web has never been started: its file says enabled = false");
  EXPECT_EQ(first_line(FOSTER_NOT_CHOSEN),
            "web has never been started: fosterd --start named others");
  EXPECT_EQ(first_line(FOSTER_DISABLED),
            "web has never been started: it was disabled with fosterctl disable");
  EXPECT_EQ(world.why("web"),
            "web has never been started: it was disabled with fosterctl disable\n"
            "What would change it:\n"
            "  fosterctl start web   starts it\n"
            "  fosterctl enable web  has it started with the daemon from now on\n");
  world["web"].body.enablement = FOSTER_MASKED;
  EXPECT_EQ(world.why("web"),
            "web has never been started: it is masked\n"
            "What would change it:\n"
            "  fosterctl unmask web  allows it to be started\n");
  world["web"].body.enablement = FOSTER_ENABLED;
  world.header().phase = FOSTER_PHASE_STARTING;
  EXPECT_EQ(first_line(FOSTER_ENABLED), "web has never been started: the daemon is only starting");
  world.header().phase = FOSTER_PHASE_STOPPING;
  EXPECT_EQ(first_line(FOSTER_ENABLED), "web has never been started: the daemon is stopping");
}

TEST_F(Why, TimerIsToldWithItsNextTime) {
  World world({UnitView{{.name = "backup"}, {}, {}}});
  world["backup"].body.timer_next_real_ns = kNow.real_ns + 26 * 3600 * kSecond;
  EXPECT_EQ(world.why("backup"),
            "backup has never been started: its timer has not been due yet\n"
            "  its timer is due at 2026-05-02 14:00:00, in 1d 2h\n"
            "What would change it:\n"
            "  fosterctl start backup  starts it\n");
}

TEST_F(Why, ConditionThatWasNotMet) {
  World world({unit("web", FOSTER_STATE_SKIPPED, 5)});
  world["web"].body.cause = FOSTER_CAUSE_CONDITION;
  set_detail(world["web"].body, "path /etc/web does not exist");
  EXPECT_EQ(world.why("web"),
            "web was skipped at 11:59:55 (5s ago): path /etc/web does not exist\n"
            "What would change it:\n"
            "  fosterctl start web  checks its conditions again\n");
}

TEST_F(Why, HookThatFailed) {
  World world({exited("web", FOSTER_STATE_FAILED, 5, 0)});
  world["web"].body.cause = FOSTER_CAUSE_HOOK;
  set_detail(world["web"].body, "pre-start: exited with code 7");
  EXPECT_EQ(world.why("web"),
            "web has failed at 11:59:55 (5s ago): pre-start: exited with code 7\n"
            "What would change it:\n"
            "  fosterctl start web  tries it again\n");
}

TEST_F(Why, StartThatIsUnderWay) {
  World world({unit("web", FOSTER_STATE_STARTING, 4)});
  world["web"].body.step = FOSTER_STEP_READY;
  world["web"].body.check_failures = 2;
  world["web"].body.start_deadline_boot_ns = kNow.boot.ns + 26 * kSecond;
  EXPECT_EQ(world.why("web"),
            "web is starting since 11:59:56 (4s): waiting to be ready, 2 tries so far\n"
            "What would change it:\n"
            "  foster gives up on web at 12:00:26, in 26s\n");
}

TEST_F(Why, UnitThatRunsSaysSinceWhenAndWhyItWasStarted) {
  World world({unit("rescue", FOSTER_STATE_RUNNING, 5), exited("web", FOSTER_STATE_FAILED, 5, 3)});
  world["rescue"].body.pid = 12;
  world.blocked("rescue", "web", FOSTER_CAUSE_ON_FAILURE);
  EXPECT_EQ(world.why("rescue"),
            "rescue is running since 11:59:55 (5s), pid 12, started because web has failed\n"
            "  web has failed at 11:59:55 (5s ago): exited with code 3\n"
            "What would change it:\n"
            "  fosterctl start web  tries it again\n");
  UnitView& web = world["web"];
  web = exited("web", FOSTER_STATE_RUNNING, 5, 3);
  web.body.pid = 13;
  web.body.health = FOSTER_HEALTH_UNHEALTHY;
  web.body.check_failures = 3;
  web.body.service_errno = 28;
  std::strcpy(web.body.status_text, "degraded");
  EXPECT_EQ(world.why("web"),
            "web is running since 11:59:55 (5s), pid 13, started again after it exited with code "
            "3\n"
            "  its checks find it unhealthy, 3 in a row\n"
            "  it says: degraded\n"
            "  it reports error 28: No space left on device\n");
}

TEST_F(Why, ConflictNamesTheOtherSide) {
  World world({unit("new", FOSTER_STATE_RUNNING, 5), unit("old", FOSTER_STATE_STOPPED, 5)});
  world["old"].body.attempt = 1;
  world.edge("old", "new", FOSTER_EDGE_CONFLICTS).blocked("old", "new", FOSTER_CAUSE_CONFLICT);
  EXPECT_EQ(world.why("old"),
            "old is stopped since 11:59:55 (5s): because new, which it conflicts with, was "
            "started\n"
            "  new is running since 11:59:55 (5s)\n"
            "What would change it:\n"
            "  fosterctl start old  starts it\n"
            "  both can run once neither's file says that old and new conflict\n");
}

TEST_F(Why, CausesThatGoInACircleEnd) {
  World world({unit("a", FOSTER_STATE_WAITING, 1), unit("b", FOSTER_STATE_WAITING, 1)});
  world.blocked("a", "b", FOSTER_CAUSE_BOOT).blocked("b", "a", FOSTER_CAUSE_BOOT);
  EXPECT_EQ(world.explained("a").chain.size(), 3u);
}

TEST_F(Why, WorkThatIsDone) {
  World world({exited("migrate", FOSTER_STATE_EXITED, 5, 0)});
  world["migrate"].body.type = FOSTER_TYPE_ONESHOT;
  EXPECT_EQ(world.why("migrate"),
            "migrate has done its work at 11:59:55 (5s ago): exited with code 0\n");
}

TEST_F(Why, JsonHasTheChainAndTheRemedies) {
  World world({unit("db", FOSTER_STATE_STOPPED, 5), unit("web", FOSTER_STATE_WAITING, 5)});
  world["db"].body.attempt = 1;
  world["db"].body.cause = FOSTER_CAUSE_REQUEST;
  world.edge("web", "db", FOSTER_EDGE_REQUIRES).blocked("web", "db", FOSTER_CAUSE_BOOT);
  const std::string expected = R"json([
  {
    "name": "web",
    "chain": [
      {
        "name": "web",
        "depth": 0,
        "dependency": null,
        "state": "waiting",
        "step": "none",
        "cause": "boot",
        "since_us": 1777636795000000,
        "repeated": false,
        "sentences": [
          "web is waiting for db (requires) since 11:59:55 (5s)"
        ],
        "output": []
      },
      {
        "name": "db",
        "depth": 1,
        "dependency": "requires",
        "state": "stopped",
        "step": "none",
        "cause": "request",
        "since_us": 1777636795000000,
        "repeated": false,
        "sentences": [
          "db is stopped since 11:59:55 (5s): on request"
        ],
        "output": []
      }
    ],
    "remedies": [
      {
        "command": "fosterctl start db",
        "text": "starts it"
      },
      {
        "command": null,
        "text": "web starts by itself once db is up"
      }
    ]
  }
]
)json";
  EXPECT_EQ(explanation_json(world.graph(), {world.explained("web")}), expected);
}

}  // namespace
}  // namespace foster::ctl::test
