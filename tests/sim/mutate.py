#!/usr/bin/env python3
"""Breaks the core's rules one at a time and demands that the simulator or the exhaustive suite
notices each.

What finds nothing proves nothing until it has been seen to find something. Each mutation replaces
one exact piece of a copy of one source, which is compiled and linked in front of the built
libraries; then the programs run until one reports a violation, an invariant aborts, or they come to
their end. A piece that is no longer in the source exactly once is an error: the list has to
follow the code.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("tests/sim/libfoster-sim-model.a", "daemon/core/libfoster-core.a",
             "common/unit/libfoster-unit.a", "common/calendar/libfoster-calendar.a",
             "common/libfoster-common.a")
SIM = ("tests/sim/foster-sim.p/main.cpp.o",)
EXHAUSTIVE = tuple(f"tests/exhaustive/foster-exhaustive.p/{name}.cpp.o"
                   for name in ("main", "small_graphs", "small_world"))
FLAGS = ("-std=c++2b", "-O1", "-D_GNU_SOURCE", "-w")
# Tried in this order until one of them notices.
RUNS = ((SIM, ("--seeds", "1..300", "--events", "3000")),
        (EXHAUSTIVE, ()),
        (SIM, ("--seeds", "301..3000", "--events", "3000")))
RUN_TIMEOUT_S = 240


@dataclass(frozen=True)
class Mutation:
    rule: str  # what is broken
    source: str
    old: str
    new: str
    also: tuple[tuple[str, str], ...] = ()  # more such pairs, where a rule stands in two places


MUTATIONS = (
    # Restart policy.
    Mutation("the restart rate has a limit", "restart_policy",
             "record.window_count >= spec.limit", "record.window_count >= 1000 * spec.limit"),
    Mutation("only success exit codes are clean", "restart_policy",
             "return end.kind == ExitKind::code &&", "return end.kind == ExitKind::code ||"),
    Mutation("a oneshot that succeeded is done", "restart_policy",
             "if (spec.type == ServiceType::oneshot && ending.clean) return false;", ""),
    Mutation("never means never", "restart_policy",
             "case RestartPolicy::never:\n      return false;",
             "case RestartPolicy::never:\n      return true;"),
    Mutation("the delay has a maximum", "restart_policy",
             "double delay = std::min(grown, cap);", "double delay = grown;"),
    Mutation("some exit codes prevent a restart", "restart_policy",
             "if (exited && contains(spec.restart.prevent_exit_codes, end.value)) return false;",
             ""),
    # Attempts.
    Mutation("an exit is counted once", "unit_machine",
             "const bool fresh = event.attempt == known.attempt && event.attempt > "
             "known.exit_attempt;",
             "const bool fresh = event.attempt == known.attempt;"),
    Mutation("the end of an attempt is acknowledged", "endings",
             "  if (record.over) turn.actions.emplace_back(Acknowledge{record.attempt});\n"
             "  const bool goes_on",
             "  const bool goes_on"),
    Mutation("a failed spawn is acknowledged", "unit_machine",
             "  turn.actions.emplace_back(Acknowledge{event.attempt});\n  const bool news",
             "  const bool news"),
    Mutation("news of an attempt that has ended change nothing", "unit_machine",
             "if (event.attempt != known.attempt || event.attempt <= known.exit_attempt) return;",
             "if (event.attempt != known.attempt) return;"),
    Mutation("attempts are numbered on after a crash", "supervisor",
             "  impl_->machine.resume_after(last_attempt);\n", ""),
    # Stops.
    Mutation("a former main process is stopped with its unit", "adoption",
             "const bool main_lives = known.exit_attempt < known.attempt && !known.over;",
             "const bool main_lives = true;"),
    Mutation("a daemon that was not found is not doubled", "adoption",
             "return spec(unit).type == ServiceType::forking && !record.was_up",
             "return spec(unit).type == ServiceType::group && !record.was_up"),
    Mutation("SIGKILL goes to the group", "stop_sequence",
             ".signal = SIGKILL, .group = true}", ".signal = SIGKILL, .group = false}"),
    Mutation("SIGKILL is repeated until it works", "stop_sequence",
             "  record.deadline = turn.now + std::max(spec(unit).stop.timeout, "
             "kShortestKillInterval);\n", ""),
    Mutation("the stop signal goes first", "stop_sequence",
             "      if (!record.killed) send_stop_signal(unit, turn);\n", ""),
    Mutation("a stop is done at rest", "endings",
             "  JobTable::finish(record, JobResult::done);\n"
             "  ledger_.enter(unit, UnitState::stopped, cause, turn, blocker);",
             "  ledger_.enter(unit, UnitState::stopped, cause, turn, blocker);"),
    Mutation("what is wanted up is started after a stop", "stop_sequence",
             "  if (record.goal == Goal::up) {\n    if (decided_by_policy(cause))",
             "  if (record.goal == Goal::down) {\n    if (decided_by_policy(cause))"),
    # Jobs.
    Mutation("a failed start fails its job", "endings",
             "done ? JobResult::done : JobResult::failed", "JobResult::done"),
    Mutation("a contrary verb supersedes", "job_table",
             "  finish(record, JobResult::superseded);\n", ""),
    Mutation("a job finishes once", "job_table",
             "  record.job_verb = Verb::none;\n", ""),
    Mutation("a finished job's number is not given out again after a torn publish", "recovery",
             "last = std::max(last, outcome.job);", "last = std::max(last, found.last_job);"),
    # The daemon.
    Mutation("a shutdown goes on after a crash", "supervisor",
             "  if (exit_code.has_value()) impl_->shutdown.resume(*exit_code);\n", ""),
    Mutation("a shutdown refuses starts", "supervisor",
             "if (shutdown.under_way() && event.verb != Verb::stop", "if (false"),
    Mutation("an essential unit's end is the daemon's", "supervisor",
             "  if (!spec.essential && !by_limit) return;\n", "  if (!by_limit) return;\n"),
    Mutation("the daemon ends after its units", "supervisor",
             "(ledger.all_at_rest() || last_moment)", "true"),
    Mutation("a hurried end does not come early", "supervisor",
             "turn.now >= *shutdown.last_moment()", "true"),
    Mutation("sockets are up once they are open", "gate",
             "    case UnitState::listening:\n      return record.ready;",
             "    case UnitState::listening:\n      return true;"),
    Mutation("no overlap where the old process would answer", "overlap",
             "return fits && !asked_at_an_address(ready_kind(spec(unit)));", "return fits;"),
    Mutation("a signal needs a process", "supervisor",
             "if (ledger.record(unit).pid != 0) continue;", "continue;"),
    Mutation("the start is said to have settled", "ledger",
             "  if (settled_in(unit, state)) settle(unit);\n", ""),
    Mutation("the earliest deadline comes first", "deadlines",
             "    if (heap_[parent] <= moving) break;", "    break;"),
    # What others mean to a unit.
    Mutation("a start waits for what it requires", "gate",
             "      return once(up || skipped, other);", "      return Passage::open;"),
    Mutation("a start waits for what it is bound to", "gate",
             "      return once(up, other);", "      return Passage::open;"),
    Mutation("a start waits for what is to complete", "gate",
             "      // Only the first start since", "      return Passage::open;\n      //"),
    Mutation("a start waits for what comes before it in order", "gate",
             "on_its_way_up(spec, other) || other.state == UnitState::stopping",
             "other.state == UnitState::stopping"),
    Mutation("conflicting units do not run together", "gate",
             "return at_rest(other.state) ? Passage::open : Passage::wait;",
             "return Passage::open;"),
    Mutation("whoever conflicts is stopped", "propagation",
             "      if (edge.kind != EdgeKind::conflicts) continue;\n"
             "      const UnitRecord& rival",
             "      if (edge.kind <= EdgeKind::conflicts) continue;\n"
             "      const UnitRecord& rival"),
    Mutation("a stop waits for its dependents", "gate",
             "orders(edge.kind) && ledger_.record(edge.from).state == UnitState::stopping",
             "false"),
    Mutation("a stop takes its dependents along", "propagation",
             "  } else if (!needs_it_up(edge.kind) ||", "  } else if (needs_it_up(edge.kind) ||"),
    Mutation("dependents are spared by a restart that says so", "propagation",
             "!ledger_.spec(wish.unit).restart_dependents", "true"),
    Mutation("parts go with their whole", "propagation",
             "if (along.goal == Goal::down) return add_stop(along);", "return;"),
    Mutation("a failed requirement fails its dependents", "gate",
             "return record.state == UnitState::failed ? Passage::failed : Passage::wait;",
             "return Passage::wait;"),
    Mutation("what is bound to a unit that is gone is stopped", "propagation",
             "if (((fell && edge.kind == EdgeKind::binds_to) || in_vain)", "if (in_vain",
             also=(("edge.kind == EdgeKind::binds_to && is_under_way(other.state)",
                    "edge.kind > EdgeKind::part_of && is_under_way(other.state)"),)),
    Mutation("a dependent comes back with its requirement", "propagation",
             "    return machine_.revive(unit, turn);", "    return;"),
    Mutation("a start pulls in what it needs", "propagation",
             "if (!pulls(edge.kind) || place_[edge.to.value] != 0) return;",
             "if (pulls(edge.kind) || place_[edge.to.value] != 0) return;"),
    # The steps of a start and of a stop.
    Mutation("a masked unit is not started", "start_sequence",
             "masked) return masked_failed(unit, turn);\n  const Verdict",
             "masked && false) return;\n  const Verdict",
             also=(("masked) return masked_failed(unit, turn);\n  UnitRecord",
                    "masked && false) return;\n  UnitRecord"),)),
    Mutation("the command waits for pre-start", "start_sequence",
             "    if (run_first_of(unit, Role::pre_start, turn)) return;",
             "    (void)run_first_of(unit, Role::pre_start, turn);"),
    Mutation("a hook that fails fails the start", "start_sequence",
             "if (run.role != Role::pre_start) return start_from(unit, Step::pre_start, turn);\n"
             "      if (run.failed) return attempt_failed(unit, Cause::hook, turn);",
             "if (run.role != Role::pre_start) return start_from(unit, Step::pre_start, turn);"),
    Mutation("a hook has a timeout", "side_runs",
             "if (timeout > Duration::zero()) record.hook.deadline = turn.now + timeout;", ""),
    Mutation("post-stop runs", "stop_sequence",
             "        run_first_of(unit, Role::post_stop, turn);\n", ""),
    Mutation("a notify unit is up when it says so", "start_sequence",
             "if (record(unit).ready || ready_kind(spec(unit)) == ReadyKind::none) {",
             "if (true) {"),
    Mutation("a start has a timeout", "start_sequence",
             "    record.start_deadline = turn.now + timeout;", "    (void)turn;"),
    Mutation("the commands of a oneshot follow each other", "start_sequence",
             "  ++record.command_index;\n", "  record.command_index += 2;\n"),
    Mutation("a unit that is not well is restarted", "health",
             "      return attempt_failed(unit, Cause::health, turn);", "      return;"),
    Mutation("the watchdog bites", "health",
             "if (record.watchdog > Duration::zero()) record.watchdog_deadline = turn.now + "
             "record.watchdog;", ""),
    Mutation("a run has a longest time", "health",
             "    record.runtime_deadline = turn.now + spec.health->max_runtime;",
             "    (void)turn;"),
    # Connections.
    Mutation("connections start a unit so often at most", "listening",
             "record.trigger_count >= spec.trigger_limit", "false"),
    Mutation("a clean end leads back to listening", "endings",
             "  if (listens) return listen(unit, cause, turn);\n", ""),
    Mutation("a failure does not lead back to listening", "endings",
             "const bool listens = ending.clean && starts_on_connection(spec)",
             "const bool listens = starts_on_connection(spec)"),
    Mutation("what is masked does not listen", "listening",
             "  if (record(unit).masked) return masked_failed(unit, turn);\n",
             ""),
    # Overlapped restarts.
    Mutation("only what is ready takes the place of the main process", "overlap",
             "if (run.ready || ready_kind(spec(event.unit)) == ReadyKind::none) {", "if (true) {"),
    Mutation("the former main process is stopped", "overlap",
             "  record.check_next = {};\n  stop_beside(unit, record.former, turn);",
             "  record.check_next = {};"),
    Mutation("a former main process that does not stop is killed", "unit_machine",
             "  if (due(record(unit).former.deadline)) "
             "kill_beside(unit, ledger_.change(unit).former, turn);",
             "  ledger_.change(unit).former.deadline = {};"),
    Mutation("the end of a former main process is counted", "overlap",
             "  if (fresh) count_exit(event, turn);\n", ""),
    Mutation("the end of a former main process is counted once", "overlap",
             "record.former.pid != 0 && event", "event"),
    Mutation("a successor that is late is given up", "overlap",
             "  kill_beside(unit, record.successor, turn);\n}\n\n"
             "void UnitMachine::successor_failed",
             "  record.successor.deadline = {};\n}\n\nvoid UnitMachine::successor_failed"),
    Mutation("one that has ended takes nobody's place after a crash", "overlap",
             "  run.killed = true;  // for a manager to come", "  //"),
    Mutation("a stop is for both", "stop_sequence", "  stop_overlap(unit, turn);\n", ""),
    Mutation("a unit is at rest once both are over", "stop_sequence",
             "adopting(unit) || overlaps(record)) {\n        return;",
             "adopting(unit)) {\n        return;"),
    Mutation("the job of an overlap ends with it", "overlap",
             "  JobTable::finish(record, result);\n", ""),
    Mutation("the successor goes on when the main process ends", "endings",
             "  if (awaits_successor(unit)) return successor_takes_over(unit, turn);\n", ""),
    Mutation("a failed successor's old news are not a main process", "recovery",
             "was_known(unit) && found.role == Role::successor && found.over &&", "false &&"),
)


def mutated_text(root: Path, mutation: Mutation) -> str:
    text = (root / "daemon/core" / f"{mutation.source}.cpp").read_text()
    for old, new in ((mutation.old, mutation.new), *mutation.also):
        count = text.count(old)
        if count != 1:
            sys.exit(f"{mutation.source}.cpp has this {count} times, not once:\n{old}")
        text = text.replace(old, new)
    return text


def run(program: Path, arguments: tuple[str, ...]) -> str | None:
    """What it found; None when it found nothing."""
    try:
        result = subprocess.run([str(program), *arguments], capture_output=True, text=True,
                                timeout=RUN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return "it hangs"
    if result.returncode == 0:
        return None
    said = (result.stderr + result.stdout).splitlines()
    telling = [line for line in said if line.startswith(("VIOLATION", "foster: broken"))]
    return (telling or said or [f"exit code {result.returncode}"])[0]


def build_and_run(arguments: argparse.Namespace, folder: Path, number: int,
                  text: str) -> str | None:
    """What gave the mutation away; None when nothing did."""
    source = folder / f"mutation-{number}.cpp"
    built = folder / f"mutation-{number}.o"
    program = folder / f"mutation-{number}"
    source.write_text(text)
    subprocess.run([arguments.compiler, *FLAGS, f"-I{arguments.source_root}", "-c", str(source),
                    "-o", str(built)], check=True)
    for objects, options in RUNS:
        linked = [str(arguments.build_root / name) for name in (*objects, *LIBRARIES)]
        subprocess.run([arguments.compiler, str(built), "-o", str(program), *linked], check=True)
        how = run(program, options)
        if how is not None:
            return how
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source-root", type=Path, required=True)
    parser.add_argument("--build-root", type=Path, required=True)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--only", help="only rules that contain this text")
    arguments = parser.parse_args()
    chosen = [mutation for mutation in MUTATIONS
              if arguments.only is None or arguments.only in mutation.rule]
    texts = [mutated_text(arguments.source_root, mutation) for mutation in chosen]
    escaped = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda pair: build_and_run(arguments, Path(folder), *pair),
                         enumerate(texts))
        for mutation, how in zip(chosen, found):
            print(f"{'caught ' if how else 'ESCAPED'} {mutation.rule}: {how}", flush=True)
            escaped += how is None
    print(f"{len(chosen) - escaped} of {len(chosen)} mutations caught")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
