// Scenarios of the core as text. A step says what happens and then what must follow:
//
//   Scenario s({simple("web")});
//   s.begin();
//   s.expect("web: starting (boot)", "spawn web #1", ...);
//
// `expect` compares every action since the last expectation, in order, as tests/sim/describe.hpp
// words them; notes of requests and signals are left out, they have tests of their own. Time is
// logical.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/supervisor.hpp"

namespace foster::core::test {

using namespace std::chrono_literals;

/// A simple unit that is restarted at once after a failure, without a limit.
[[nodiscard]] UnitSpec simple(std::string name);
/// A oneshot that is not restarted.
[[nodiscard]] UnitSpec oneshot(std::string name);

/// A unit without a process.
[[nodiscard]] UnitSpec group(std::string name);
/// With one command for each of these hooks.
[[nodiscard]] UnitSpec with_hooks(UnitSpec spec, const std::vector<HookPoint>& points);
[[nodiscard]] Reference to(std::string name);

[[nodiscard]] LastExit exit_code(int code);
[[nodiscard]] LastExit killed_by(int signal);

class Scenario {
 public:
  explicit Scenario(std::vector<UnitSpec> units, std::optional<Recovered> found = std::nullopt);

  // What happens. Attempts are the unit's newest unless told otherwise.
  void begin(bool first_manager = true);
  void start(std::string_view unit) { request(Verb::start, {unit}); }
  void stop(std::string_view unit) { request(Verb::stop, {unit}); }
  void restart(std::string_view unit) { request(Verb::restart, {unit}); }
  void request(Verb verb, const std::vector<std::string_view>& units);
  void signal(int signal, const std::vector<std::string_view>& units);
  void shutdown(int code = 0) { handle(ShutdownRequest{code}); }
  void spawned(std::string_view unit, uint64_t attempt = 0);
  void spawn_failed(std::string_view unit, int error, std::string message = "cannot");
  void exited(std::string_view unit, LastExit how, uint64_t attempt = 0);
  void main_exited(std::string_view unit, LastExit how, uint64_t attempt = 0);  // others remain
  void group_emptied(std::string_view unit, uint64_t attempt = 0);
  void kill_failed(std::string_view unit, int signal, int error);
  void ready_seen(std::string_view unit, uint64_t attempt = 0);
  void mask(std::string_view unit, bool masked) { handle(MaskChange{index(unit), masked}); }
  /// A process of a hook or check, from its start to its end.
  void ran(std::string_view unit, uint64_t attempt, int code = 0);
  /// The sockets of what is listening are open at once, unless they shall fail.
  void handle(const Event& event);
  void sockets_fail() { sockets_fail_ = true; }
  /// Time goes on; what falls due within it is done at its very moment.
  void pass(Duration time);
  /// The manager is away for so long: what falls due is done only at the end.
  void leap(Duration time);

  /// Begun, spawned, and everything that came of it forgotten.
  void running(std::string_view unit);
  /// All that has happened up to now is of no interest.
  void forget() { actions_.clear(); }

  template <class... Lines>
  void expect(Lines... lines) {
    expect_lines({std::string(lines)...});
  }
  void expect_nothing() { expect_lines({}); }
  void expect_state(std::string_view unit, UnitState state, Cause cause);
  void expect_step(std::string_view unit, UnitState state, Step step);
  void expect_job(std::string_view unit, uint64_t job, JobResult result);

  [[nodiscard]] const UnitRecord& record(std::string_view unit) const;
  [[nodiscard]] UnitIndex index(std::string_view unit) const;
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Supervisor& supervisor() { return supervisor_; }
  [[nodiscard]] std::vector<std::string> take_lines();
  [[nodiscard]] const std::vector<Action>& actions() const { return actions_; }

 private:
  void expect_lines(const std::vector<std::string>& lines);
  [[nodiscard]] Attempt attempt_or_newest(std::string_view unit, uint64_t attempt) const;
  void judge();
  void open_sockets();

  std::shared_ptr<const UnitSet> set_;
  Supervisor supervisor_;
  Instant now_{1'000'000'000'000};
  uint64_t token_ = 0;
  bool sockets_fail_ = false;
  std::vector<Action> actions_;
};

/// The state of a unit as a manager that crashed has left it, for `found`.
[[nodiscard]] UnitRecord left(UnitState state, uint64_t attempt);
[[nodiscard]] Recovered after_crash(UnitRecord record, uint64_t live_attempt, int last_signal = 0);

}  // namespace foster::core::test
