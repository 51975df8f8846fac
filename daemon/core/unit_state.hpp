// The state model.
//
// A unit has a goal (what is wanted) and a state (what is). The machine moves the state towards the
// goal; the graph of units (common/unit/graph.hpp) holds it back where others come first.
//
// clang-format off
//             start, goal up                      up
//   stopped ------------------> starting ------------------> running
//    | ^   ^                      |  |                        |  |
//    | |   |      could not start |  |  stop                  |  | stop, or the main process gone
//    | |   |   (backoff, failed) <+  +-----> stopping <-------+  | while others of its group remain
//    | |   |                                    |                | or post-stop has to run
//    v |   +------- goal down ------------------+                | main process gone, group empty
//  waiting                                      |                |
//      |  stop                                  +--- goal up ----+--> the end of an attempt:
//   backoff, exited, failed, skipped                              restart -> backoff or starting
//                                                                 no restart -> exited or failed
// clang-format on
//
// * `stopped`: never started, or stopped on request. `exited`: ended by itself with success.
//   `failed`: ended otherwise, or could not be started. `skipped`: a condition was not met. These
//   differ only in how they came about: each is at rest, has no process, and takes the same inputs.
// * `waiting`: wanted up, not started yet, because of the unit named by `blocker`. Any state that
//   would start an attempt goes to `waiting` instead while the unit is held back.
// * An attempt is over when its main process is reaped and its process group is empty. Only then
//   may the next one be spawned, so there are never two. Processes of hooks and checks have attempt
//   numbers of their own (a Role tells which), and a unit is not at rest before these are over too.
//
// The steps of a start, each only where the unit has it: conditions (asked of the shell, then
// condition commands), pre-start, the command, readiness, post-start. A failure of any leads to the
// end of the attempt by way of `stopping`: whatever lives is stopped, post-stop runs, and the
// restart policy decides. Only `command` and later steps count as an attempt's run. A main process
// that ends before its unit has shown itself ready has failed, whatever its exit code.
//   * oneshot: `running` while its commands work, each an attempt of its own; `exited` after the
//     last one and post-start.
//   * notify, or [ready]: `starting` at step `ready` until the readiness is seen.
//   * forking: the command's exit with 0 leads to FindMain; MainFound to Adopt, and the adopted
//     process is the main one of a new attempt. Up once adopted (or [ready] is seen). Where it
//     does not come to that, a daemon with a session of its own may live that is nobody's main
//     process: EndKin, at the step `signal` of the stop, ends whatever the command has left.
//   * group: up at once.
//   The start timeout runs from the spawn of the command until the unit is up.
//
// The steps of a stop: dependents (wait until those that must stop before us are at rest),
// pre-stop, the stop command or the stop signal with SIGCONT, then, once the attempt is over,
// post-stop. stop.timeout runs from the stop command or signal; then SIGKILL to every group of the
// unit, and again after each further timeout until they are over. A stop signal follows the stop
// command when the main process outlives it, and goes once more to what is left of the group when
// the main process has ended. Hurried (a second shutdown request): SIGKILL at once,
// no further hooks. post-stop also runs when the main process ended by itself or a start failed
// after pre-start began.
//
// * Hooks and checks that stand in the way of a stop are killed first. What is left of a hook's
//   group when its main process has ended is killed, and waited for.
// * The watchdog sends SIGABRT to the main process in the place of pre-stop, stop command and stop
//   signal. STOPPING=1 begins the step `signal` without a signal.
// * What ran out of time while no manager was there has a second more: its news may be on their
//   way.
// * An action `restart` of [health] restarts whatever the policy says, within the rate limit; an
//   action `stop` makes the unit `failed`.
// * A start while stopping waits for the end of the attempt. A restart is a stop with the goal left
//   up.
// * The restart delay grows by `factor` with each restart in a row and starts afresh after a run of
//   at least reset_after, decided when the run ends: no timer is spent on it.
// * A start job is done when the unit is up (simple and group: running; ready where there is a
//   readiness; oneshot: exited) or skipped. A job fails when the unit comes to `failed`, or, if the
//   first attempt since the request ended badly, at `backoff`, and when the unit it waits for comes
//   to either, or is stopped, or waits for such a unit itself: whoever asked is told at once,
//   foster goes on trying.
// Sockets (the shell opens them, keeps them with the keeper, and closes them once the unit is at
// rest and not wanted up, or has failed).
// * `listening`: wanted up. The shell opens its sockets and says so (Listening): it is `ready`, and
//   started when something comes to one of them (ConnectionSeen). Or it says why it cannot
//   (ListenFailed): `failed`, cause spawn_failed. A unit that starts on its first connection goes
//   there instead of to `starting` whenever a request, the daemon's start or a dependency would
//   start it, and after a clean end, whatever its restart policy; not after a failure: that the
//   policy answers, and starts it at once, for the client waits.
// * What it requires is started with it, and held back for, when the connection comes. Of its edges
//   only conflicts count before, and its place in the order of stops. When what it requires fails
//   while it waits for that or runs, it is `failed`, cause dependency, as any other, and listens
//   again once that is up.
// * For others, and for jobs, such a unit is up as long as its sockets take connections: once it is
//   ready, and while it starts, runs, is restarted by its policy, and waits for what it needs, too.
//   A restart of one that listens has nothing to do.
// * Starts by a connection have a rate limit of their own (trigger_limit): more of them, and the
//   unit is `failed`, cause rate_limited, like one whose process ends at once in a circle.
//
// A restart that overlaps (Verb::overlap, or a requested restart of a unit that says so) leaves the
// unit `running` at step `overlap`: `successor` is a second attempt of the same command on the same
// sockets, beside the main one. No hook is run for it, and health checks are paused.
// * Ready (by what the unit's [ready] or type says, of the successor; at once where there is
//   nothing to wait for): the two change places. The successor is the main process, the old one is
//   `former`: it gets the stop signal, and after stop.timeout SIGKILL to its group, until it is
//   over. The job is done once it is. exits counts it, no restart policy does.
// * The successor ends, or is not ready by the start timeout: it is killed, the job fails, the old
//   one goes on as if nothing had been. exits does not count it.
// * A successor that names another process by MAINPID has failed: the two would not change places
//   with that one.
// * The old one ends meanwhile: the successor is the main process, the unit `starting` until it is
//   ready, as after any start. What the old one has left of its group is `former`.
// * A stop, a failure of the health, and the like: both are stopped. A second restart while one is
//   under way waits for no new process: the job is the same. A reload is refused meanwhile, and
//   RELOADING, MAINPID and, until the places are changed, STOPPING of the main process move
//   nothing.
// * For others nothing happens: neither dependents nor parts are restarted with it.
// * Any other than a unit of type simple or notify that is `running` is restarted in the plain way;
//   Verb::overlap for units of other types is refused.
// * The process that MAINPID takes over from is to end by itself, and is no `former` while the unit
//   is up. Where it or any of its group outlives the new main process it becomes the `former`, and
//   is stopped before the unit is at rest, or started again. So is what a forking unit's command
//   has left of its group.
//
// * A unit that is masked, and that another needs, is `failed` by that, and started when it is not
//   masked any more.
//
// What others mean to a unit. "Up": running and ready, or a oneshot that has `exited` cleanly.
//   A requires B   start A: B's goal is up too, A waits for B to be up (or skipped). B `failed`: A
//                  is stopped and `failed`, cause dependency, its goal still up; B up again: A
//                  starts again. B stopped on request: A is stopped first, then `waiting` with its
//                  goal up, and comes back with B. B restarted on request: A is stopped, and
//                  started after it, unless B says restart-dependents = false. B crashes and is
//                  restarted by itself: A is left alone, unless B then waits for what nobody brings
//                  up: A is stopped and `waiting` as well.
//   A binds-to B   as requires, and A is stopped and `waiting` whenever B is not up any more, for
//                  whatever reason, a crash, a clean end or a skip included.
//   A wants B      start A: B's goal is up too. Nothing else.
//   A completed B  start A: B's goal is up too unless it has exited cleanly already; A waits until
//                  B (a oneshot) has, or was skipped. B `failed` meanwhile: A `failed`, as with
//                  requires. Once A has been started B does not matter.
//   A after B      order alone. Start: A waits while B is wanted and on its way up for the first
//                  time (waiting, starting, a oneshot running), and while B is stopping.
//   A before B     B after A.
//   A conflicts B  starting A stops B (goal down) and waits for it to be at rest; and the reverse.
//                  Of those that one request starts, the later has its way; what they pull in has
//                  not.
//   A part-of B    B stopped or restarted on request: A too; its goal goes with B's. Not an order:
//                  B does not wait for A's end on this account.
// Where A requires, binds-to, completed or after B, stopping A comes before stopping B: B waits in
// step `dependents` for each such A that is stopping. Requires, binds-to, completed and after make
// an acyclic order (UnitSet refuses cycles), so these waits end.
// A start never pulls in a unit whose goal is up already, except that an explicit start of A also
// starts those it requires which are `failed` or `exited` (not oneshots) or stopped, and passes
// through those that are `waiting` to what they wait for. A start that answers a failure counts
// against the restart limit of the unit started, so that two that answer each other come to an end.
// Stopping a unit that was pulled in as a dependency is nobody's business but the user's: units are
// not stopped because nobody needs them any more.
#pragma once

#include <cstdint>
#include <string>

#include "common/ids.hpp"
#include "common/instant.hpp"
#include "common/signal_name.hpp"

namespace foster::core {

enum class UnitState : uint8_t {
  stopped,
  starting,
  running,
  stopping,
  backoff,
  exited,
  failed,
  waiting,
  skipped,
  listening,
};

/// What a unit is at within its state.
enum class Step : uint8_t {
  none,
  conditions,
  pre_start,
  command,    // oneshot: its commands work; else the spawn has been asked for
  find_main,  // forking: the shell looks for the main process
  ready,
  post_start,
  reload,      // while running
  dependents,  // from here on while stopping
  pre_stop,
  stop_command,
  signal,  // signalled; whatever still lives is waited for
  post_stop,
  overlap,  // while running: a successor is on its way up, or the one before on its way down
};

/// What a process of a unit is for. Passed to the keeper and back as the plan's tag.
enum class Role : uint8_t {
  main,
  condition,
  pre_start,
  post_start,
  pre_stop,
  stop,
  post_stop,
  reload,
  ready_check,
  health_check,
  successor,  // the main command again, beside the main process. It keeps this role at the keeper
              // once it is the main process itself
};

enum class Health : uint8_t { none, starting, healthy, unhealthy };

enum class Goal : uint8_t { down, up };

enum class Cause : uint8_t {
  none,
  boot,
  request,
  exit,
  spawn_failed,
  rate_limited,
  shutdown,
  stop_timeout,
  dependency,     // of `blocker`
  conflict,       // `blocker` was started
  condition,      // not met: see detail
  start_timeout,  // not ready in time
  hook,           // a hook failed: see detail
  health,         // its checks failed, or too much memory
  watchdog,       // it did not say WATCHDOG=1 in time, or said WATCHDOG=trigger
  max_runtime,
  timer,
  on_failure,  // of `trigger`
  masked,
  connection,  // something came to one of its sockets
};

enum class ExitKind : uint8_t { none, code, signal, core_dump, spawn };

enum class Verb : uint8_t { none, start, stop, restart, reload, reset, overlap };

enum class JobResult : uint8_t { none, done, failed, superseded };

struct JobOutcome {
  JobId job;
  JobResult result = JobResult::none;
  bool operator==(const JobOutcome&) const = default;
};

inline constexpr size_t kJobOutcomes = 4;

/// How the last attempt ended.
struct LastExit {
  ExitKind kind = ExitKind::none;
  int value = 0;       // exit code, signal number, or the errno of a failed spawn
  bool clean = false;  // a success by the unit's own rules
  Instant at;
  int64_t at_real_ns = 0;
  uint64_t user_us = 0;
  uint64_t system_us = 0;
  uint64_t max_rss_kib = 0;
  bool operator==(const LastExit&) const = default;
};

/// "exited with 3", "was killed by SIGSEGV"; of an end that was one.
[[nodiscard]] inline std::string how_text(const LastExit& end) {
  return end.kind == ExitKind::code ? "exited with " + std::to_string(end.value)
                                    : "was killed by " + signal_name(end.value);
}

/// A process beside the main one: of a hook or a condition, or of a check. At most one of each at a
/// time. `ended` and `failed` are not published: the keeper tells an end again that has not been
/// acknowledged.
struct SideRun {
  Role role = Role::main;
  uint16_t index = 0;   // which of the hook's commands, or of the conditions
  bool killed = false;  // SIGKILL was sent to it: out of time, or in the way of a stop
  bool ended = false;   // its main process has; what remains of its group is being killed
  bool failed = false;  // in ending
  bool ready = false;   // of a successor: seen before the news of its spawn, or of its killing
  Attempt attempt;      // 0: none
  int32_t pid = 0;
  Instant deadline;  // then SIGKILL to its group
  bool operator==(const SideRun&) const = default;
};

/// All that is to be known of a unit, and all that has to survive the manager: the publisher writes
/// it to the status region as it is, and the next manager begins with what it finds there.
struct UnitRecord {
  UnitState state = UnitState::stopped;
  Goal goal = Goal::down;
  Cause cause = Cause::none;
  Step step = Step::none;
  Health health = Health::none;
  Verb job_verb = Verb::none;  // of the job under way
  bool killed = false;         // SIGKILL was sent in the stop under way
  bool masked = false;         // may not be started
  bool ready = false;          // the newest attempt has been seen ready (READY=1, ...)
  bool was_up = false;         // the newest attempt has been up
  bool over = true;            // the newest attempt's process group is empty. Not published: the
                               // keeper knows
  uint16_t command_index = 0;  // of a oneshot: which of its commands
  /// One more than the UnitIndex of the unit that holds this one back, or that made it stop, fail
  /// or start; 0: none. By `cause`, and `waiting`.
  uint32_t blocker = 0;
  int32_t pid = 0;               // of its main process while that lives and is known
  int32_t claimed_pid = 0;       // the main process to be that is not the keeper's child yet
  int32_t service_errno = 0;     // ERRNO= it has said
  uint32_t restarts = 0;         // automatic ones
  uint32_t failures = 0;         // restarts in a row
  uint32_t window_count = 0;     // of the rate limit
  uint32_t check_failures = 0;   // in a row
  uint32_t check_successes = 0;  // in a row

  Attempt attempt;    // the newest; 0 = never started
  Attempt kin_asked;  // whose kin is being ended (EndKin), or has been. Not published: asked again
  Attempt kin_ended;  // and of which nothing is left. Likewise
  Attempt exit_attempt;  // the newest whose end has been counted
  uint64_t exits = 0;    // main processes reaped
  Instant window_start;  // of the rate limit

  Instant since;           // of the state
  Instant started;         // the spawn of `attempt` was asked for
  Instant running;         // `attempt` was known to execute
  Instant deadline;        // backoff: next restart; stopping: next SIGKILL; running at step reload:
                           // given up then; {0} otherwise
  Instant start_deadline;  // the unit is to be up by then
  Instant watchdog_deadline;
  Instant runtime_deadline;
  Instant check_next;    // the next readiness or health check, when none is under way
  Duration watchdog{0};  // in force: the unit file's, or what WATCHDOG_USEC said
  SideRun hook;
  SideRun check;
  SideRun successor;           // of an overlapped restart, until it is the main process
  SideRun former;              // the main process before this one, on its way down
  Instant trigger_start;       // of the window of the trigger limit
  uint32_t trigger_count = 0;  // starts by a connection within it
  LastExit last_exit;
  std::string status_text;       // STATUS= it has said
  std::string successor_status;  // the same of its successor, which has it once it is the main
                                 // process; not published
  std::string detail;            // a sentence to `cause`, may be empty; at most 87 bytes are shown

  JobId job;                              // the job under way
  JobOutcome job_outcomes[kJobOutcomes];  // newest first

  bool operator==(const UnitRecord&) const = default;
};

[[nodiscard]] constexpr bool at_rest(UnitState state) {
  return state == UnitState::stopped || state == UnitState::exited || state == UnitState::failed ||
         state == UnitState::skipped;
}

}  // namespace foster::core
