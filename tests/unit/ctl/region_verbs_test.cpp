// The verbs that look at the region, on one that the test itself writes, with a child of the test's
// for a keeper.

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/instance.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/region/writer.hpp"
#include "ctl/command_table.hpp"
#include "ctl/daemon_watch.hpp"
#include "ctl/session.hpp"

namespace foster::ctl {
namespace {

using Words = std::vector<std::string>;

pid_t start_keeper() {
  const pid_t pid = fork();
  if (pid == 0) {
    for (;;)
      pause();
  }
  return pid;
}

struct Ran {
  ExitCode code = ExitCode::done;
  std::string out;
  std::string err;
};

std::string content_of(int memory) {
  std::string text(static_cast<size_t>(lseek(memory, 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(memory, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

ExitCode call(const Environment& environment, const Words& words, Output& out, Output& err) {
  Session session(environment, out, err);
  const CommandLine line = parse_command_line(words, environment);
  EXPECT_NE(line.command, nullptr) << line.text;
  if (line.command == nullptr) return line.code;
  const ExitCode code = line.command->run(session, line.arguments);
  out.flush();
  err.flush();
  return code;
}

/// A verb that is under way in a thread of its own.
class UnderWay {
 public:
  UnderWay(const Environment& environment, Words words) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    output_.reset(ends[0]);
    thread_ = std::thread([this, environment, words = std::move(words), write_end = ends[1]] {
      Output both(write_end);
      Output err(write_end);
      code_ = call(environment, words, both, err);
      close(write_end);
    });
  }
  ~UnderWay() {
    if (thread_.joinable()) thread_.join();
  }

  /// Nobody reads what it writes from here on.
  void hang_up() { output_.reset(); }

  /// The next line that it writes; empty at its end.
  std::string line() {
    std::string text;
    for (char c = 0; read(output_.get(), &c, 1) == 1 && c != '\n';)
      text += c;
    return text;
  }

  ExitCode end() {
    thread_.join();
    return code_;
  }

 private:
  UniqueFd output_;
  ExitCode code_ = ExitCode::done;
  std::thread thread_;
};

class RegionVerbs : public testing::Test {
 protected:
  void SetUp() override {
    environment_.uid = geteuid();
    environment_.instance = "ctltest" + std::to_string(getpid());
    id_ = instance_id(environment_.uid, environment_.instance);
    begin_daemon();
  }

  void TearDown() override {
    if (writer_) writer_->remove();
    end_keeper();
  }

  void begin_daemon() {
    keeper_ = start_keeper();
    Result<region::Writer> writer = region::Writer::open(
        {.object_name = region_object_name(id_), .instance = id_},
        {.manager_pid = getpid(), .keeper_pid = keeper_, .version_text = "9.9"});
    ASSERT_TRUE(writer) << writer.error().message;
    writer_.emplace(std::move(*writer));
    const std::vector<std::string> names{"db", "web-1", "web-2"};
    ASSERT_TRUE(writer_->lay_out(names));
    publish(0, FOSTER_STATE_STOPPED, 0);
  }

  void end_keeper() {
    if (keeper_ == 0) return;
    kill(keeper_, SIGKILL);
    waitpid(keeper_, nullptr, 0);
    keeper_ = 0;
  }

  /// A unit changes its state, with the event that tells of it.
  void publish(uint32_t slot, uint8_t state, uint64_t attempt,
               uint32_t phase = FOSTER_PHASE_RUNNING) {
    static constexpr std::string_view kNames[] = {"db", "web-1", "web-2"};
    region::SlotUpdate update{slot, writer_->body(slot)};
    const Instant now = now_since_boot();
    update.body.state = state;
    update.body.attempt = attempt;
    update.body.since_boot_ns = now.ns;
    update.body.since_real_ns = wall_clock_ns();
    foster_event event{};
    event.kind = FOSTER_EVENT_STATE;
    event.state = state;
    event.attempt = attempt;
    event.boot_ns = now.ns;
    event.real_ns = wall_clock_ns();
    kNames[slot].copy(event.name, sizeof event.name - 1);
    ASSERT_TRUE(writer_->publish({&update, 1}, {&event, 1}, {.phase = phase}));
  }

  Ran run(const Words& words) {
    const UniqueFd out_memory(memfd_create("out", MFD_CLOEXEC));
    const UniqueFd err_memory(memfd_create("err", MFD_CLOEXEC));
    Output out(out_memory.get());
    Output err(err_memory.get());
    Ran ran;
    ran.code = call(environment_, words, out, err);
    ran.out = content_of(out_memory.get());
    ran.err = content_of(err_memory.get());
    return ran;
  }

  Environment environment_;
  std::string id_;
  pid_t keeper_ = 0;
  std::optional<region::Writer> writer_;
};

std::string tail_of(const std::string& line) {
  const size_t time_length = std::strlen("2026-05-01 12:00:00.000 ");
  return line.size() < time_length ? line : line.substr(time_length);
}

TEST_F(RegionVerbs, ListShowsAllSomeOrThoseThatMatch) {
  publish(1, FOSTER_STATE_RUNNING, 1);
  EXPECT_EQ(run({"list"}).out, "db\tstopped\nweb-1\trunning\nweb-2\tstopped\n");
  EXPECT_EQ(run({"list", "web-*"}).out, "web-1\trunning\nweb-2\tstopped\n");
  EXPECT_EQ(run({"list", "web-2", "db", "d[a-c]"}).out, "db\tstopped\nweb-2\tstopped\n");
}

TEST_F(RegionVerbs, WhyGraphAndTreeComeFromTheRegion) {
  const std::vector<std::string> names{"db", "web-1", "web-2"};
  const std::vector<foster_edge> edges{{1, 0, FOSTER_EDGE_REQUIRES}, {2, 0, FOSTER_EDGE_AFTER}};
  ASSERT_TRUE(writer_->lay_out(names, edges));
  region::SlotUpdate update{1, writer_->body(1)};
  update.body.state = FOSTER_STATE_WAITING;
  update.body.blocker = 1;
  ASSERT_TRUE(writer_->publish({&update, 1}, {}, {.phase = FOSTER_PHASE_RUNNING}));
  const Ran why = run({"why", "web-1"});
  EXPECT_EQ(why.code, ExitCode::done);
  EXPECT_TRUE(
      why.out.starts_with("web-1 is waiting for db (requires)\n"
                          "  db has never been started: nobody has asked for it\n"))
      << why.out;
  EXPECT_EQ(run({"graph", "web-1"}).out,
            "db  stopped\nweb-1  waiting for db\n  requires   db  stopped\n");
  EXPECT_NE(run({"graph", "--dot"}).out.find("\"web-2\" -> \"db\" [label=\"after\""),
            std::string::npos);
  EXPECT_EQ(run({"tree", "db", "--reverse"}).out,
            "db  stopped\n├─ web-1 (requires)  waiting for db\n└─ web-2 (after)  stopped\n");
  EXPECT_EQ(run({"wait", "web-1", "--for", "waiting"}).out, "web-1: waiting for db\n");
  EXPECT_EQ(run({"why", "webb"}).code, ExitCode::no_such_unit);
}

TEST_F(RegionVerbs, StatusNamesTheDependentsThatAStopWaitsFor) {
  const std::vector<std::string> names{"db", "web-1", "web-2"};
  const std::vector<foster_edge> edges{
      {1, 0, FOSTER_EDGE_REQUIRES}, {1, 0, FOSTER_EDGE_AFTER}, {2, 0, FOSTER_EDGE_AFTER}};
  ASSERT_TRUE(writer_->lay_out(names, edges));
  std::vector<region::SlotUpdate> updates{{0, writer_->body(0)}, {1, writer_->body(1)}};
  for (region::SlotUpdate& update : updates)
    update.body.state = FOSTER_STATE_STOPPING;
  updates[0].body.step = FOSTER_STEP_DEPENDENTS;
  ASSERT_TRUE(writer_->publish(updates, {}, {.phase = FOSTER_PHASE_RUNNING}));
  const Ran ran = run({"status", "db"});
  EXPECT_NE(ran.out.find("state      stopping: waiting for web-1 to stop"), std::string::npos)
      << ran.out;
}

TEST_F(RegionVerbs, TimersAreInOrderOfTheirTimes) {
  std::vector<region::SlotUpdate> updates{{0, writer_->body(0)}, {2, writer_->body(2)}};
  updates[0].body.timer_next_real_ns = wall_clock_ns() + 7'300'000'000'000;
  updates[1].body.timer_next_real_ns = wall_clock_ns() + 3'700'000'000'000;
  ASSERT_TRUE(writer_->publish(updates, {}, {.phase = FOSTER_PHASE_RUNNING}));
  const std::string text = run({"timers"}).out;
  EXPECT_TRUE(text.starts_with("UNIT   NEXT ")) << text;
  EXPECT_LT(text.find("\nweb-2  "), text.find("\ndb     "));
  EXPECT_NE(text.find("  in 1h 1min  stopped  -\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("web-1"), std::string::npos);
  EXPECT_NE(run({"timers", "--json", "db"}).out.find("\"next_us\": "), std::string::npos);
}

TEST_F(RegionVerbs, EventsOfTheDaemonItselfCanBeNamed) {
  foster_event event{};
  event.kind = FOSTER_EVENT_SHUTDOWN;
  event.real_ns = wall_clock_ns();
  ASSERT_TRUE(writer_->publish({}, {&event, 1}, {.phase = FOSTER_PHASE_RUNNING}));
  const Ran ran = run({"events", "foster"});
  EXPECT_EQ(ran.code, ExitCode::done) << ran.err;
  EXPECT_EQ(tail_of(ran.out), "foster: begins to stop, exit code 0\n");
}

TEST_F(RegionVerbs, UnknownNamesAreAllSaidWithTheNearestOnes) {
  const Ran ran = run({"status", "dbb", "db", "nothing-*", "we-1"});
  EXPECT_EQ(ran.code, ExitCode::no_such_unit);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "fosterctl: no such unit: dbb (did you mean db?)\n"
            "fosterctl: no such unit: nothing-*\n"
            "fosterctl: no such unit: we-1 (did you mean web-1?)\n");
}

TEST_F(RegionVerbs, StatusOfADeadDaemonShowsItsLastStateAndFails) {
  end_keeper();
  const Ran ran = run({"status"});
  EXPECT_EQ(ran.code, ExitCode::no_daemon);
  EXPECT_TRUE(ran.out.starts_with("fosterd is gone (it was pid ")) << ran.out;
  EXPECT_NE(ran.out.find("\ndb     stopped"), std::string::npos) << ran.out;
}

TEST_F(RegionVerbs, WithoutADaemonThereIsNothingToShow) {
  environment_.instance += "x";
  const Ran ran = run({"status"});
  EXPECT_EQ(ran.code, ExitCode::no_daemon);
  EXPECT_TRUE(ran.err.starts_with("fosterctl: no daemon runs as instance ")) << ran.err;
  EXPECT_NE(ran.err.find(id_), std::string::npos) << ran.err;
}

TEST_F(RegionVerbs, VersionIsTheDaemonsToo) {
  EXPECT_EQ(run({"version"}).out, "fosterctl " FOSTER_VERSION "\nfosterd 9.9\n");
}

TEST_F(RegionVerbs, ChangesAreNotAskedOfADeadDaemon) {
  end_keeper();
  for (const char* verb : {"start", "stop", "restart"})
    EXPECT_EQ(run({verb, "db"}).code, ExitCode::no_daemon);
}

TEST_F(RegionVerbs, WaitEndsAtOnceWhenItIsSoAlready) {
  const Ran ran = run({"wait", "*", "--for", "down"});
  EXPECT_EQ(ran.code, ExitCode::done);
  EXPECT_EQ(ran.out, "db: stopped\nweb-1: stopped\nweb-2: stopped\n");
}

TEST_F(RegionVerbs, WaitTimesOut) {
  const Ran ran = run({"wait", "db", "--for", "running", "--timeout", "1ms"});
  EXPECT_EQ(ran.code, ExitCode::timed_out);
  EXPECT_TRUE(ran.err.starts_with("fosterctl: timed out: db: stopped")) << ran.err;
}

TEST_F(RegionVerbs, WaitSeesTheChange) {
  UnderWay wait(environment_, {"wait", "db", "web-1", "--for", "running"});
  publish(0, FOSTER_STATE_RUNNING, 1);
  publish(1, FOSTER_STATE_STARTING, 2);
  publish(1, FOSTER_STATE_RUNNING, 2);
  EXPECT_EQ(wait.line(), "db: running");
  EXPECT_EQ(wait.end(), ExitCode::done);
}

TEST_F(RegionVerbs, WaitIsNotDeceivedByWhatADeadDaemonLeft) {
  publish(0, FOSTER_STATE_RUNNING, 1);
  end_keeper();
  const Ran ran = run({"wait", "db", "--for", "running", "--timeout", "1ms"});
  EXPECT_EQ(ran.code, ExitCode::timed_out);
  EXPECT_NE(ran.err.find("timed out: fosterd is gone"), std::string::npos) << ran.err;
}

TEST_F(RegionVerbs, WaitAwaitsADaemonThatIsNotThereYet) {
  writer_->remove();
  writer_.reset();
  end_keeper();
  UnderWay wait(environment_, {"wait", "db", "--for", "running"});
  EXPECT_NE(wait.line().find("; waiting for one"), std::string::npos);
  begin_daemon();
  publish(0, FOSTER_STATE_RUNNING, 1);
  EXPECT_EQ(wait.line(), "db: running");
  EXPECT_EQ(wait.end(), ExitCode::done);
}

TEST_F(RegionVerbs, LossOfTheDaemonIsSeenAfterWhatWasWrittenLast) {
  Result<region::Reader> reader = region::Reader::open(region_object_name(id_), geteuid());
  ASSERT_TRUE(reader);
  DaemonWatch watch(*reader, id_);
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::changed);
  end_keeper();
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::changed);
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::changed);
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::gone);
}

TEST_F(RegionVerbs, OrderlyEndIsSeenAfterWhatWasWrittenLast) {
  Result<region::Reader> reader = region::Reader::open(region_object_name(id_), geteuid());
  ASSERT_TRUE(reader);
  DaemonWatch watch(*reader, id_);
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::changed);
  EXPECT_EQ(watch.sleep(now_since_boot()), Wake::timed_out);
  publish(0, FOSTER_STATE_FAILED, 5, FOSTER_PHASE_DOWN);
  writer_->remove();
  writer_.reset();
  foster_slot_body body{};
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::changed);
  EXPECT_EQ(watch.sleep(std::nullopt), Wake::ended);
  ASSERT_TRUE(reader->copy_body(0, body));
  EXPECT_EQ(body.state, FOSTER_STATE_FAILED);
}

TEST_F(RegionVerbs, WaitGoesOnInTheObjectThatReplacesTheFirst) {
  UnderWay watch(environment_, {"watch", "db"});
  EXPECT_EQ(tail_of(watch.line()), "db: stopped");
  UnderWay wait(environment_, {"wait", "db", "--for", "failed"});
  const std::vector<std::string> names{"aaa", "db", "web-1", "web-2"};
  ASSERT_TRUE(writer_->lay_out(names));
  region::SlotUpdate update{1, writer_->body(1)};
  update.body.state = FOSTER_STATE_FAILED;
  ASSERT_TRUE(writer_->publish({&update, 1}, {}, {.phase = FOSTER_PHASE_RUNNING}));
  EXPECT_EQ(wait.line(), "db: failed");
  EXPECT_EQ(wait.end(), ExitCode::done);
  ASSERT_TRUE(writer_->publish({}, {}, {.phase = FOSTER_PHASE_DOWN}));
  EXPECT_EQ(tail_of(watch.line()), "foster: fosterd has ended");
}

TEST_F(RegionVerbs, WatchShowsThePresentAndEachChangeOnce) {
  UnderWay watch(environment_, {"watch", "web-*"});
  EXPECT_EQ(watch.line(), "- web-1: stopped");
  EXPECT_EQ(watch.line(), "- web-2: stopped");
  publish(0, FOSTER_STATE_RUNNING, 1);  // of no interest
  publish(1, FOSTER_STATE_STARTING, 2);
  publish(1, FOSTER_STATE_RUNNING, 2);
  publish(1, FOSTER_STATE_BACKOFF, 2);
  EXPECT_EQ(tail_of(watch.line()), "web-1: starting");
  EXPECT_EQ(tail_of(watch.line()), "web-1: running");
  EXPECT_EQ(tail_of(watch.line()), "web-1: backoff");
  publish(1, FOSTER_STATE_STOPPED, 2, FOSTER_PHASE_DOWN);
  EXPECT_EQ(tail_of(watch.line()), "web-1: stopped");
  EXPECT_EQ(tail_of(watch.line()), "foster: fosterd has ended");
  EXPECT_EQ(watch.end(), ExitCode::done);
}

TEST_F(RegionVerbs, WatchOutlivesALostDaemon) {
  UnderWay watch(environment_, {"watch", "db"});
  EXPECT_EQ(tail_of(watch.line()), "db: stopped");
  end_keeper();
  EXPECT_TRUE(tail_of(watch.line()).starts_with("foster: fosterd is gone (it was pid "));
  begin_daemon();
  EXPECT_EQ(tail_of(watch.line()), "foster: fosterd is back, pid " + std::to_string(keeper_));
  publish(0, FOSTER_STATE_RUNNING, 7);
  EXPECT_EQ(tail_of(watch.line()), "db: running");
  publish(0, FOSTER_STATE_RUNNING, 7, FOSTER_PHASE_DOWN);
  EXPECT_EQ(tail_of(watch.line()), "foster: fosterd has ended");
}

TEST_F(RegionVerbs, WatchEndsWithItsReader) {
  UnderWay watch(environment_, {"watch", "db"});
  EXPECT_EQ(tail_of(watch.line()), "db: stopped");
  watch.hang_up();
  EXPECT_EQ(watch.end(), ExitCode::done);
}

TEST_F(RegionVerbs, WatchEndsWithItsReaderWhileItWaitsForTheDaemon) {
  UnderWay watch(environment_, {"watch", "db"});
  EXPECT_EQ(tail_of(watch.line()), "db: stopped");
  end_keeper();
  EXPECT_TRUE(tail_of(watch.line()).starts_with("foster: fosterd is gone (it was pid "));
  watch.hang_up();
  EXPECT_EQ(watch.end(), ExitCode::done);
}

TEST_F(RegionVerbs, WatchEndsWhenNobodyReads) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  Output out(ends[1]);
  Output err(STDERR_FILENO);
  EXPECT_EQ(call(environment_, {"watch"}, out, err), ExitCode::done);
  EXPECT_TRUE(out.closed());
  EXPECT_EQ(out.error(), 0);
  close(ends[1]);
}

TEST_F(RegionVerbs, FullDiskIsAnError) {
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  Output out(full.get());
  Output err(STDERR_FILENO);
  call(environment_, {"list"}, out, err);
  EXPECT_EQ(out.error(), ENOSPC);
}

TEST_F(RegionVerbs, EventsAreTheLatestOfThoseThatConcern) {
  publish(1, FOSTER_STATE_STARTING, 1);
  publish(2, FOSTER_STATE_STARTING, 2);
  publish(1, FOSTER_STATE_RUNNING, 1);
  const Ran ran = run({"events", "web-*", "-n", "2", "--json"});
  EXPECT_EQ(ran.code, ExitCode::done);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2);
  EXPECT_NE(ran.out.find(R"("sequence":3)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(R"("sequence":4)"), std::string::npos) << ran.out;
}

TEST_F(RegionVerbs, EventsThatWereOverwrittenUnseenAreMissed) {
  UnderWay follow(environment_, {"events", "db", "--follow", "-n", "1"});
  EXPECT_EQ(tail_of(follow.line()), "db: stopped");
  std::vector<foster_event> many(5000);
  for (foster_event& event : many)
    event.kind = FOSTER_EVENT_STATE;
  ASSERT_TRUE(writer_->publish({}, many, {.phase = FOSTER_PHASE_DOWN}));
  EXPECT_EQ(tail_of(follow.line()), "foster: some events were not seen");
  EXPECT_EQ(tail_of(follow.line()), "foster: fosterd has ended");
}

}  // namespace
}  // namespace foster::ctl
