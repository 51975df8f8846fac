"""All contestants, again and again, turn by turn: noise of the machine hits each of them alike."""

import dataclasses
import sys
import time

from harness.contestants import Foster
from harness.journal import BenchError
from harness.session import Session


@dataclasses.dataclass
class Plan:
    rounds: int = 5
    warm_up: bool = True
    many: int = 1000
    few: int = 100
    single: int = 40  # services while one of them is killed
    orphans: int = 10000  # 0: not measured
    idle_s: float = 10.0
    settle_s: float = 2.0  # runit restarts a service at once only if it ran for a second
    kills_s: float = 3.0
    status_times: int = 50
    status_s: float = 2.0


class Results:
    """Samples by contestant and measure."""

    def __init__(self):
        self.samples = {}
        self.failures = []

    def add(self, contestant, measure, value):
        self.samples.setdefault(contestant, {}).setdefault(measure, []).append(value)

    def fail(self, contestant, why):
        self.failures.append((contestant, why))


def run(plan, contestants, tools):
    results = Results()
    scenarios = [_many, _few, _single] + ([_orphans] if plan.orphans else [])
    passes = plan.rounds + (1 if plan.warm_up else 0)
    for number in range(passes):
        warming_up = plan.warm_up and number == 0
        kept = Results() if warming_up else results
        this_plan = dataclasses.replace(plan, idle_s=0.1) if warming_up else plan
        # Each round begins with another contestant, so that nobody always comes after the same one.
        turn = number % len(contestants)
        order = contestants[turn:] + contestants[:turn]
        for scenario in scenarios:
            for contestant in order:
                _say(f"round {number + 1} of {passes}: {contestant.name}, {scenario.__name__[1:]}")
                _try(scenario, this_plan, contestant, tools, kept)
        if warming_up:
            results.failures += kept.failures
    _say("")
    return results


def _try(scenario, plan, contestant, tools, results):
    def keep(measure, value):
        results.add(contestant.name, measure, value)

    what = scenario.__name__[1:]
    try:
        service = tools.orphans if scenario is _orphans else tools.service
        with Session(contestant, _COUNTS[scenario](plan), tools, service) as session:
            try:
                scenario(plan, session, keep)
            except BenchError as error:
                results.fail(contestant.name, f"{what}: {error}\n{session.log_tail()}")
    except OSError as error:
        results.fail(contestant.name, f"{what}: {error}")


def _many(plan, session, keep):
    keep("start_many", session.start())
    time.sleep(plan.settle_s)
    keep("pss", session.pss_kib())
    keep("wakeups", session.wakeups(plan.idle_s))
    times, budget_s = plan.status_times, plan.status_s
    keep("status_one", session.time_command(session.contestant.status_one(), times, budget_s))
    keep("status_all", session.time_command(session.contestant.status_all(), times, budget_s))
    if isinstance(session.contestant, Foster):
        one_ns, all_us = session.read_in_process()
        keep("read_one", one_ns)
        keep("read_all", all_us)
    keep("kill_all", session.kill_all())
    time.sleep(plan.settle_s)
    keep("stop", session.stop())


def _few(plan, session, keep):
    keep("start_few", session.start())
    time.sleep(plan.settle_s)
    keep("pss_few", session.pss_kib())
    session.stop()


def _single(plan, session, keep):
    session.start()
    time.sleep(plan.settle_s)
    keep("kill_one", session.kill_one_by_one(plan.kills_s))
    session.stop()


def _orphans(plan, session, keep):
    keep("orphans", session.reap_orphans(plan.orphans))


_COUNTS = {
    _many: lambda plan: plan.many,
    _few: lambda plan: plan.few,
    _single: lambda plan: plan.single,
    _orphans: lambda plan: 1,
}


def _say(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)
