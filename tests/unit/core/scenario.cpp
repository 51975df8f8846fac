#include "tests/unit/core/scenario.hpp"

#include <utility>

#include "daemon/core/invariants.hpp"
#include "tests/sim/describe.hpp"

namespace foster::core::test {

UnitSpec simple(std::string name) {
  UnitSpec spec;
  spec.name = std::move(name);
  spec.command = {"/bin/service"};
  spec.restart.delay = 0s;
  spec.restart.limit = 0;
  return spec;
}

UnitSpec oneshot(std::string name) {
  UnitSpec spec = simple(std::move(name));
  spec.type = ServiceType::oneshot;
  spec.restart.policy = RestartPolicy::never;
  return spec;
}

UnitSpec group(std::string name) {
  UnitSpec spec;
  spec.name = std::move(name);
  spec.type = ServiceType::group;
  return spec;
}

UnitSpec with_hooks(UnitSpec spec, const std::vector<HookPoint>& points) {
  for (const HookPoint point : points)
    spec.hooks.make().hooks[static_cast<size_t>(point)].commands = {{"/bin/hook"}};
  return spec;
}

Reference to(std::string name) {
  Reference reference;
  reference.name = std::move(name);
  return reference;
}

LastExit exit_code(int code) {
  return {.kind = ExitKind::code, .value = code};
}

LastExit killed_by(int signal) {
  return {.kind = ExitKind::signal, .value = signal};
}

Scenario::Scenario(std::vector<UnitSpec> units, std::optional<Recovered> found)
    : set_(std::make_shared<const UnitSet>(std::move(units))), supervisor_(set_, Options{}) {
  if (found.has_value()) supervisor_.recover(*found, now_);
}

void Scenario::begin(bool first_manager) {
  Begin begin{.first_manager = first_manager, .initial = {}};
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const UnitRecord& found = supervisor_.record({i});
    const bool is_new = found.since.ns == 0 && found.attempt.value == 0;
    if (is_new && (*set_)[{i}].enabled) begin.initial.push_back({i});
  }
  handle(begin);
}

void Scenario::request(Verb verb, const std::vector<std::string_view>& units) {
  Request request{++token_, verb, {}};
  for (const std::string_view unit : units)
    request.units.push_back(index(unit));
  handle(request);
}

void Scenario::signal(int signal, const std::vector<std::string_view>& units) {
  SignalRequest request{++token_, signal, {}};
  for (const std::string_view unit : units)
    request.units.push_back(index(unit));
  handle(request);
}

void Scenario::spawned(std::string_view unit, uint64_t attempt) {
  const Attempt which = attempt_or_newest(unit, attempt);
  handle(Spawned{index(unit), which, static_cast<int32_t>(1000 + which.value)});
}

void Scenario::spawn_failed(std::string_view unit, int error, std::string message) {
  handle(SpawnFailed{index(unit), record(unit).attempt, error, std::move(message)});
}

void Scenario::exited(std::string_view unit, LastExit how, uint64_t attempt) {
  how.at = now_;
  handle(Exited{index(unit), attempt_or_newest(unit, attempt), how, false});
}

void Scenario::main_exited(std::string_view unit, LastExit how, uint64_t attempt) {
  how.at = now_;
  handle(Exited{index(unit), attempt_or_newest(unit, attempt), how, true});
}

void Scenario::group_emptied(std::string_view unit, uint64_t attempt) {
  handle(GroupEmptied{index(unit), attempt_or_newest(unit, attempt)});
}

void Scenario::kill_failed(std::string_view unit, int signal, int error) {
  handle(KillFailed{index(unit), record(unit).attempt, signal, error});
}

void Scenario::ready_seen(std::string_view unit, uint64_t attempt) {
  handle(ReadySeen{index(unit), attempt_or_newest(unit, attempt)});
}

void Scenario::ran(std::string_view unit, uint64_t attempt, int code) {
  spawned(unit, attempt);
  exited(unit, exit_code(code), attempt);
}

void Scenario::handle(const Event& event) {
  supervisor_.handle(event, now_, now_.ns, actions_);
  judge();
  open_sockets();
}

void Scenario::open_sockets() {
  for (uint32_t i = 0; i < set_->size(); ++i) {
    const UnitRecord& known = supervisor_.record({i});
    if (known.state != UnitState::listening || known.ready) continue;
    if (sockets_fail_) return handle(ListenFailed{{i}, "cannot listen"});
    handle(Listening{{i}});
  }
}

void Scenario::pass(Duration time) {
  const Instant until = now_ + time;
  while (supervisor_.next_deadline().has_value() && *supervisor_.next_deadline() <= until) {
    now_ = std::max(now_, *supervisor_.next_deadline());
    supervisor_.time_reached(now_, now_.ns, actions_);
    judge();
    open_sockets();
  }
  now_ = until;
}

void Scenario::leap(Duration time) {
  now_ = now_ + time;
  supervisor_.time_reached(now_, now_.ns, actions_);
  judge();
}

void Scenario::running(std::string_view unit) {
  if (record(unit).attempt.value == 0) begin();
  spawned(unit);
  EXPECT_STREQ(sim::text(record(unit).state), "running") << unit;
  forget();
}

void Scenario::expect_state(std::string_view unit, UnitState state, Cause cause) {
  EXPECT_STREQ(sim::text(record(unit).state), sim::text(state)) << unit;
  EXPECT_STREQ(sim::text(record(unit).cause), sim::text(cause)) << unit;
}

void Scenario::expect_step(std::string_view unit, UnitState state, Step step) {
  EXPECT_STREQ(sim::text(record(unit).state), sim::text(state)) << unit;
  EXPECT_EQ(static_cast<int>(record(unit).step), static_cast<int>(step)) << unit;
}

void Scenario::expect_job(std::string_view unit, uint64_t job, JobResult result) {
  if (result == JobResult::none) {
    EXPECT_EQ(record(unit).job.value, job) << unit;
    return;
  }
  int times = 0;
  for (const JobOutcome& outcome : record(unit).job_outcomes) {
    if (outcome.job.value != job) continue;
    ++times;
    EXPECT_STREQ(sim::text(outcome.result), sim::text(result)) << unit << " job " << job;
  }
  EXPECT_EQ(times, 1) << unit << " job " << job;
}

const UnitRecord& Scenario::record(std::string_view unit) const {
  return supervisor_.record(index(unit));
}

UnitIndex Scenario::index(std::string_view unit) const {
  return set_->find(unit).value();
}

std::vector<std::string> Scenario::take_lines() {
  std::vector<std::string> lines;
  for (const Action& action : actions_) {
    const Note* note = std::get_if<Note>(&action);
    if (note != nullptr && note->kind != NoteKind::state) continue;
    lines.push_back(sim::describe(*set_, action));
  }
  actions_.clear();
  return lines;
}

void Scenario::expect_lines(const std::vector<std::string>& lines) {
  EXPECT_EQ(take_lines(), lines);
}

Attempt Scenario::attempt_or_newest(std::string_view unit, uint64_t attempt) const {
  return attempt == 0 ? record(unit).attempt : Attempt{attempt};
}

void Scenario::judge() {
  for (const UnitSpec& unit : set_->units()) {
    EXPECT_STREQ(broken_invariant(unit, record(unit.name)), nullptr) << unit.name;
  }
}

UnitRecord left(UnitState state, uint64_t attempt) {
  UnitRecord record;
  record.state = state;
  record.goal = Goal::up;
  record.cause = Cause::boot;
  record.attempt = {attempt};
  record.since = {900'000'000'000};
  record.started = record.since;
  if (state == UnitState::starting) record.step = Step::command;
  if (state == UnitState::running) {
    record.pid = static_cast<int32_t>(1000 + attempt);
    record.ready = true;
    record.was_up = true;
  }
  if (state == UnitState::stopping) record.step = Step::signal;
  if (state == UnitState::stopping || state == UnitState::backoff) {
    record.deadline = {1'005'000'000'000};
  }
  if (state != UnitState::starting && state != UnitState::running && state != UnitState::stopping) {
    record.exit_attempt = {attempt};
    record.last_exit = exit_code(1);
    record.exits = 1;
    record.failures = 1;
  }
  if (state == UnitState::stopped) record.goal = Goal::down;
  return record;
}

Recovered after_crash(UnitRecord record, uint64_t live_attempt, int last_signal) {
  Recovered found;
  found.last_attempt = {std::max(record.attempt.value, live_attempt)};
  found.last_job = {10};
  found.units.push_back({.unit = {0},
                         .record = std::move(record),
                         .live_attempt = {live_attempt},
                         .pid = live_attempt == 0 ? 0 : static_cast<int32_t>(1000 + live_attempt),
                         .last_signal = last_signal});
  return found;
}

}  // namespace foster::core::test
