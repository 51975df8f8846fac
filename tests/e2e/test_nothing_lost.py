"""Nothing is lost, doubled or left a zombie while the manager is killed 200 times.

Fifty services of four kinds run while someone kills the manager at random moments and someone
else asks for stops, starts and restarts. The services keep a record of their own; at the end
every count must agree. The moments come from a seed, which FOSTER_SEED sets and a failure names.
"""

import os
import random
import re
import signal
import threading
import time
from pathlib import Path

import pytest

import journal
from daemon import SERVICES, processes_with, sockets, unit, zombies_of
from events import PATIENCE_S, FileWatch, is_alive, wait_for_end

KILLS = 200
SEED = int(os.environ.get("FOSTER_SEED", random.SystemRandom().randrange(1 << 32)))

# Those that end by themselves are never stopped by the test, and those that it stops never end by
# themselves and are stopped only once they have recorded their start: so each start stands in the
# journal, and what foster counts must be exactly that. (Who is killed between fork and exec is
# counted by foster and unknown to the journal.)
ENDING = [f"at-once-{number}" for number in range(12)]
ENDING += [f"random-{number}" for number in range(13)]
STEADY = [f"stubborn-{number}" for number in range(12)]
STEADY += [f"forking-{number}" for number in range(13)]


def units(record):
    often = {"policy": "always", "delay": "100ms", "factor": 1.0, "limit": 0}
    made = {}
    for name in ENDING + STEADY:
        kind = name.rpartition("-")[0]
        command = {"at-once": ["exit-with", record, name, "1"],
                   "random": ["random-exit", record, name, "5", "400", "3"],
                   "stubborn": ["ignore-term", record, name],
                   "forking": ["double-fork", record, name, "300"]}[kind]
        made[name] = unit([SERVICES / command[0], *command[1:]], restart=often,
                          stop={"timeout": "150ms"})
    return made


def living(record):
    """The processes that live and have recorded their start: pids by name."""
    found = {}
    for entry in journal.read(record):
        if entry.kind == journal.START and is_alive(entry.pid, entry.boot_ns):
            found.setdefault(entry.id, set()).add(entry.pid)
    return found


class Verbs(threading.Thread):
    """Stops and starts steady services of its own, until told to end.

    No restarts: one whose answer is lost with its manager is asked for again by fosterctl, and may
    then end a process that has not recorded its start yet.
    """

    def __init__(self, daemon, record, names, seed):
        super().__init__()
        self.daemon_under_test = daemon
        self.record = record
        self.names = names
        self.chance = random.Random(seed)
        self.done = threading.Event()
        self.codes = []

    def run(self):
        while not self.done.is_set():
            self.codes.append(self.ask())

    def ask(self) -> int:
        daemon, name = self.daemon_under_test, self.chance.choice(self.names)
        verb = self.chance.choice(["stop", "start"])
        try:
            found = daemon.unit(name)
        except (AssertionError, StopIteration):
            return -1  # between two regions
        recorded = found["pid"] in living(self.record).get(name, ())
        if verb != "start" and (found["job"] is not None or not recorded):
            verb = "start"
        return daemon.ctl(verb, name, "--timeout", "20s", check=None).returncode


class Killer:
    """Kills the manager at moments that a seed decides: a number of publishes after it serves, or
    while it still starts."""

    def __init__(self, daemon, seed):
        self.daemon = daemon
        self.chance = random.Random(seed)
        self.log = FileWatch(daemon.folder / "stderr", FileWatch.MODIFY)
        self.killed = 0

    def newest_manager(self) -> int:
        """As the keeper's log has it: known as soon as it is forked."""
        started = re.findall(r"keeper: manager started pid=(\d+)\n", self.daemon.log())
        return int(started[-1]) if started else self.daemon.manager()

    def kill(self) -> None:
        manager = self.newest_manager()
        while manager == self.killed:
            self.log.wait()
            manager = self.newest_manager()
        if self.chance.random() < 0.75:
            self.until_it_serves(manager)
            self.some_publishes()
        os.kill(manager, signal.SIGKILL)
        self.killed = manager

    def until_it_serves(self, pid: int) -> None:
        self.daemon.until(lambda region: region.header.manager_pid == pid, "the manager to serve")

    def some_publishes(self) -> None:
        region = self.daemon.region()
        deadline = time.monotonic() + 0.05
        for _ in range(self.chance.randrange(30)):
            region.sleep_until_changed(region.header.generation, deadline)
        region.close()


def descriptors_at_rest(daemon) -> list[str]:
    """What the keeper holds while no unit runs: socket, lock, ..., each as often as it is open."""
    daemon.ctl("stop", "*")
    held = Path(f"/proc/{daemon.keeper}/fd")
    return sorted(os.readlink(entry).split(":")[0].rpartition("/")[2] for entry in held.iterdir())


def await_records(daemon, record):
    """Running is a moment before having recorded the start."""
    watch = FileWatch(record, FileWatch.MODIFY)
    names = {one["name"] for one in daemon.status()["units"] if one["name"] in STEADY}
    while not names <= living(record).keys():
        watch.wait()
    watch.close()


def story_of(daemon, record, name) -> str:
    """All that is known of a service: its journal, its living processes, foster's log."""
    entries = [entry for entry in journal.read(record) if entry.id == name]
    log = [line for line in daemon.log().splitlines() if f"unit={name} " in line]
    environments = [f"{pid}: {Path(f'/proc/{pid}/environ').read_bytes()}"
                    for pid in living(record)[name]]
    return "\n".join([str(daemon.unit(name)), *map(str, entries[-20:]), *log[-40:],
                      *environments])


def check_each_runs_once(daemon, record):
    """Every service that should run has one process, which is the one that foster names."""
    await_records(daemon, record)
    found = living(record)
    for one in daemon.status()["units"]:
        name = one["name"]
        if name in STEADY:
            assert one["state"] == "running", one
            assert found[name] == {one["pid"]}, story_of(daemon, record, name)


def check_counts(daemon, record):
    """All is at rest: each start in the journal is one exit that foster counted."""
    starts = journal.count(journal.read(record), journal.START)
    wrong = {}
    for one in daemon.status()["units"]:
        if one["exits"] != starts[one["name"]]:
            wrong[one["name"]] = (one["exits"], starts[one["name"]])
        assert one["name"] in ENDING or one["state"] == "stopped", one
    story = [line for line in daemon.log().splitlines()
             if any(f"unit={name} " in line for name in wrong)]
    assert not wrong, "\n".join(
        [f"foster's count of exits, the services' of their starts: {wrong}", *story[:400]])


def stop_everything(daemon):
    daemon.ctl("stop", *STEADY)
    # The ending ones are made to rest by themselves: their programs are no longer there.
    for name in ("exit-with", "random-exit"):
        os.rename(daemon.folder / name, daemon.folder / f"{name}.gone")
    daemon.until(lambda region: all(
        body.state_word == "backoff" and body.exit_kind == 4 for name, body in
        region.units().items() if name in ENDING), "the ending ones find no program")


def test_nothing_is_lost(foster, folder):
    print(f"FOSTER_SEED={SEED}")
    record = folder / "journal"
    record.touch()
    daemon = foster({}, own_programs=True)
    for name, text in units(record).items():
        for program in ("exit-with", "random-exit"):
            text = text.replace(str(SERVICES / program), str(daemon.folder / program))
        daemon.write(name, text)
    for program in ("exit-with", "random-exit"):
        (daemon.folder / program).symlink_to(SERVICES / program)
    daemon.start()

    verbs = [Verbs(daemon, record, STEADY[number::2], SEED + number) for number in (0, 1)]
    for thread in verbs:
        thread.start()
    killer = Killer(daemon, SEED)
    try:
        for _ in range(KILLS):
            killer.kill()
    finally:
        for thread in verbs:
            thread.done.set()
        for thread in verbs:
            thread.join()
        killer.log.close()

    assert is_alive(daemon.keeper)
    daemon.ctl("start", *STEADY)
    check_each_runs_once(daemon, record)
    assert daemon.status()["manager"]["restarts"] == KILLS
    stop_everything(daemon)
    check_counts(daemon, record)
    check_no_residue(daemon)
    fresh = foster({"a": unit(["/bin/sleep", "infinity"])}).start()
    assert descriptors_at_rest(daemon) == descriptors_at_rest(fresh)
    assert any(code == 0 for thread in verbs for code in thread.codes), "verbs did get through"
    assert daemon.shutdown() == 0


def check_no_residue(daemon):
    # The grandchildren of the forking ones end by themselves; then nothing is left of any service.
    for pid in processes_with(f"FOSTER_INSTANCE={daemon.name}\0".encode()):
        wait_for_end(pid)
    first = set(zombies_of(daemon.keeper))
    daemon.ctl("status")
    assert not first & set(zombies_of(daemon.keeper)), "a zombie stays"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-s"]))


def test_ten_thousand_restarts_leave_no_descriptor_behind(foster):
    restarts = 10_000
    daemon = foster({
        "spinning": unit(["/bin/true"], top={"enabled": False}, receive="live",
                         ready={"descriptor": 9}, restart={
                             "policy": "always", "delay": "0s", "limit": restarts,
                             "limit_interval": "1h"}) + sockets({"listen": "tcp://127.0.0.1:0"}),
        "steady": unit(["/bin/sleep", "infinity"])}).start()
    before = descriptors_at_rest(daemon)
    daemon.ctl("start", "spinning", "--no-wait")
    daemon.ctl("wait", "spinning", "--for", "failed", "--timeout", f"{5 * PATIENCE_S}s")
    assert daemon.unit("spinning")["exits"] == restarts + 1
    assert descriptors_at_rest(daemon) == before
