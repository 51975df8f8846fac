#!/usr/bin/env python3
"""Breaks the core's rules one at a time and demands that the simulator notices each.

A simulator that finds nothing proves nothing until it has been seen to find something. Each
mutation replaces one exact piece of a copy of one source, which is compiled and linked in front of
the built libraries; then foster-sim runs until it reports a violation, an invariant aborts, or the
seeds run out. A piece that is no longer in the source exactly once is an error: the list has to
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

OBJECTS = ("tests/sim/foster-sim.p/main.cpp.o", "tests/sim/libfoster-sim-model.a",
           "daemon/core/libfoster-core.a", "common/unit/libfoster-unit.a",
           "common/libfoster-common.a")
FLAGS = ("-std=c++2b", "-O1", "-D_GNU_SOURCE", "-w")
RUN = ("--seeds", "1..2000", "--events", "3000")
RUN_TIMEOUT_S = 120


@dataclass(frozen=True)
class Mutation:
    rule: str  # what is broken
    source: str
    old: str
    new: str


MUTATIONS = (
    Mutation("the restart rate has a limit", "restart_policy",
             "record.window_count >= spec.limit", "record.window_count >= 1000 * spec.limit"),
    Mutation("only success exit codes are clean", "restart_policy",
             "return end.kind == ExitKind::code &&", "return end.kind == ExitKind::code ||"),
    Mutation("a oneshot that succeeded is done", "restart_policy",
             "if (spec.type == ServiceType::oneshot && end.clean) return false;", ""),
    Mutation("never means never", "restart_policy",
             "case RestartPolicy::never:\n      return false;",
             "case RestartPolicy::never:\n      return true;"),
    Mutation("the delay has a maximum", "restart_policy",
             "double delay = std::min(grown, cap);", "double delay = grown;"),
    Mutation("an exit is counted once", "unit_machine",
             "event.attempt > record.exit_attempt && event.attempt <= record.attempt",
             "event.attempt <= record.attempt"),
    Mutation("the end of an attempt is acknowledged", "unit_machine",
             "turn.actions.emplace_back(Acknowledge{ledger_.record(unit).attempt});", ""),
    Mutation("a failed spawn that is told again is acknowledged again", "unit_machine",
             "    turn.actions.emplace_back(Acknowledge{event.attempt});\n    return;\n",
             "    return;\n"),
    Mutation("the group must be empty before the next attempt", "unit_machine",
             "} else if (!event.group_remains) {", "} else if (fresh) {"),
    Mutation("what is wanted up is started after a stop", "unit_machine",
             "  if (record.goal == Goal::up) {\n    if (record.cause == Cause::exit)",
             "  if (record.goal == Goal::down) {\n    if (record.cause == Cause::exit)"),
    Mutation("SIGKILL goes to the group", "unit_machine",
             ".signal = SIGKILL, .group = true}", ".signal = SIGKILL, .group = false}"),
    Mutation("SIGKILL is repeated until it works", "unit_machine",
             "  ledger_.set_deadline(unit, turn.now + std::max(timeout, kShortestKillInterval));\n",
             ""),
    Mutation("a stop signal that a crash swallowed is sent again", "unit_machine",
             "        send_stop_signal(unit, record.exit_attempt == record.attempt, turn);\n", ""),
    Mutation("the stop signal goes first", "unit_machine",
             "  send_stop_signal(unit, main_gone, turn);\n", ""),
    Mutation("news of an attempt that has ended change nothing", "unit_machine",
             "if (event.attempt != known.attempt || event.attempt <= known.exit_attempt) return;",
             "if (event.attempt != known.attempt) return;"),
    Mutation("a failed start fails its job", "unit_machine",
             "end.clean ? JobResult::done : JobResult::failed", "JobResult::done"),
    Mutation("a stop is done at rest", "unit_machine",
             "  JobTable::finish(record, JobResult::done);\n"
             "  ledger_.enter(unit, UnitState::stopped, cause, turn);",
             "  ledger_.enter(unit, UnitState::stopped, cause, turn);"),
    Mutation("a shutdown takes the place of starts", "unit_machine",
             "if (record.job_verb != Verb::stop) JobTable::finish(record, JobResult::superseded);",
             ""),
    Mutation("a contrary verb supersedes", "job_table",
             "  finish(record, JobResult::superseded);\n", ""),
    Mutation("outcomes are kept newest first", "job_table",
             "  record.job_outcomes[0] = {record.job, result};",
             "  record.job_outcomes[kJobOutcomes - 1] = {record.job, result};"),
    Mutation("what lives is not started again after a crash", "recovery",
             "if (live.value == 0 || live != record.attempt) return nothing_runs(record, now);",
             "return nothing_runs(record, now);"),
    Mutation("a spawn that a crash swallowed is made up for", "recovery",
             "      drop_process(record, UnitState::stopped, now);\n      break;",
             "      break;"),
    Mutation("a finished job's number is not given out again after a torn publish", "recovery",
             "last = std::max(last, outcome.job);", "last = std::max(last, found.last_job);"),
    Mutation("attempts are numbered on after a crash", "supervisor",
             "  impl_->machine.resume_after(last_attempt);\n", ""),
    Mutation("a shutdown goes on after a crash", "supervisor",
             "  if (exit_code.has_value()) impl_->shutdown.resume(*exit_code);\n", ""),
    Mutation("a shutdown refuses starts", "supervisor",
             "shutdown.under_way() && event.verb != Verb::stop", "false"),
    Mutation("an essential unit's end is the daemon's", "supervisor",
             "    if (!ledger.spec(unit).essential) continue;\n", "    continue;\n"),
    Mutation("the daemon ends after its units", "supervisor",
             "shutdown.under_way() && ledger.all_at_rest() && shutdown.end()",
             "shutdown.under_way() && shutdown.end()"),
    Mutation("a signal needs a process", "supervisor",
             "if (ledger.record(unit).pid != 0) continue;", "continue;"),
    Mutation("a changed record is published, the second time too", "ledger",
             "is_changed_[unit.value] = 0;", "is_changed_[unit.value] |= 0;"),
    Mutation("the start is said to have settled", "ledger",
             "  if (settled_in(unit, state)) settle(unit);\n", ""),
    Mutation("the earliest deadline comes first", "deadlines",
             "    if (heap_[parent] <= moving) break;", "    break;"),
)


def mutated_text(root: Path, mutation: Mutation) -> str:
    text = (root / "daemon/core" / f"{mutation.source}.cpp").read_text()
    count = text.count(mutation.old)
    if count != 1:
        sys.exit(f"{mutation.source}.cpp has this {count} times, not once:\n{mutation.old}")
    return text.replace(mutation.old, mutation.new)


def build_and_run(arguments: argparse.Namespace, folder: Path, number: int,
                  mutation: Mutation) -> str | None:
    """What gave the mutation away; None when nothing did."""
    source = folder / f"mutation-{number}.cpp"
    program = folder / f"mutation-{number}"
    source.write_text(mutated_text(arguments.source_root, mutation))
    objects = [str(arguments.build_root / built) for built in OBJECTS]
    subprocess.run([arguments.compiler, *FLAGS, f"-I{arguments.source_root}", str(source),
                    "-o", str(program), *objects], check=True)
    try:
        result = subprocess.run([str(program), *RUN], capture_output=True, text=True,
                                timeout=RUN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return "it hangs"
    finally:
        source.unlink()
        program.unlink(missing_ok=True)
    if result.returncode == 0:
        return None
    said = (result.stderr + result.stdout).splitlines()
    return said[0] if said else f"exit code {result.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source-root", type=Path, required=True)
    parser.add_argument("--build-root", type=Path, required=True)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--only", help="only rules that contain this text")
    arguments = parser.parse_args()
    chosen = [mutation for mutation in MUTATIONS
              if arguments.only is None or arguments.only in mutation.rule]
    escaped = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda pair: build_and_run(arguments, Path(folder), *pair),
                         enumerate(chosen))
        for mutation, how in zip(chosen, found):
            print(f"{'caught ' if how else 'ESCAPED'} {mutation.rule}: {how}", flush=True)
            escaped += how is None
    print(f"{len(chosen) - escaped} of {len(chosen)} mutations caught")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
