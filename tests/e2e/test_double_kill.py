"""fosterd and its manager killed at the same moment: the next fosterd ends what they left behind
before it starts anything, and nothing runs twice."""

import os
import signal
import subprocess

from daemon import shell, unit
from events import Fifo, freeze, is_alive, wait_for_end

SLEEPER = ["/bin/sleep", "infinity"]


def kill_both(daemon) -> None:
    manager = daemon.manager()
    freeze(manager)  # so that it cannot clear up after the keeper
    daemon.process.kill()
    daemon.wait()
    os.kill(manager, signal.SIGKILL)
    wait_for_end(manager)


def test_what_is_left_is_ended_first(foster, folder):
    fifo = Fifo(folder / "pids")
    daemon = foster({
        "group": unit(shell(f"sleep infinity & echo $! > {fifo.path}; wait")),
        "session": unit(shell(f"setsid sleep infinity & echo $! > {fifo.path}; wait")),
        "plain": unit(SLEEPER),
    }).start()
    left = [int(line) for line in fifo.lines(2)]
    mains = [found["pid"] for found in daemon.status()["units"]]
    kill_both(daemon)
    for pid in mains:
        wait_for_end(pid)
    assert all(is_alive(pid) for pid in left), "what this is about"
    daemon.start()
    assert not any(is_alive(pid) for pid in left)
    assert all(is_alive(int(line)) for line in fifo.lines(2))
    told = [line for line in daemon.log().splitlines() if "left behind is ended" in line]
    assert len(told) == 2
    assert all(any(line.endswith(f"pid={pid}") for line in told) for pid in left)
    assert all(found["state"] == "running" for found in daemon.status()["units"])


def test_a_daemon_that_was_adopted_does_not_run_twice(foster):
    daemon = foster({"a": unit(shell("sleep infinity &"), type="forking")}).start()
    before = daemon.until_state("a", "running")["pid"]
    kill_both(daemon)
    assert is_alive(before), "it is not tied to the keeper's life"
    daemon.start()
    assert not is_alive(before)
    after = daemon.until_state("a", "running")["pid"]
    assert after != before and is_alive(after)


def test_others_are_left_alone(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    # As if it were of another user's instance with the same name.
    other = subprocess.Popen(SLEEPER, env={"FOSTER_INSTANCE": daemon.name, "FOSTER_UNIT": "a",
                                           "FOSTER_ATTEMPT": "1", "FOSTER_INVOCATION": "1-1"})
    try:
        kill_both(daemon)
        daemon.start()
        assert other.poll() is None
        assert daemon.unit("a")["state"] == "running"
    finally:
        other.kill()
        other.wait()


def test_a_killed_keeper_alone_leaves_nothing(foster, folder):
    fifo = Fifo(folder / "pids")
    daemon = foster({"a": unit(shell(f"setsid sleep infinity & echo $! > {fifo.path}; wait"))})
    daemon.start()
    left = int(fifo.line())
    manager = daemon.manager()
    daemon.process.kill()
    daemon.wait()
    wait_for_end(manager)
    assert not is_alive(left), "the manager has seen to it before it ended"
