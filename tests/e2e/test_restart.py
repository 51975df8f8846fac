"""What happens when a service ends by itself."""

import os
import signal

import pytest

from daemon import SERVICES, shell, unit
from journal import START, count, read

SLEEPER = ["/bin/sleep", "infinity"]


@pytest.mark.parametrize("policy, code, state", [
    ("never", 0, "exited"),
    ("never", 1, "failed"),
    ("on-failure", 0, "exited"),
    ("on-failure", 1, "backoff"),
    ("always", 0, "backoff"),
    ("always", 1, "backoff"),
])
def test_the_policy_decides(foster, policy, code, state):
    daemon = foster({"a": unit(shell(f"exit {code}"),
                               restart={"policy": policy, "delay": "1h", "max_delay": "1h"})})
    daemon.launch()
    found = daemon.until_state("a", state)
    assert found["exits"] == 1 and found["last_exit"]["value"] == code


def test_success_exit_codes_are_no_failure(foster):
    daemon = foster({"a": unit(shell("exit 3"), success_exit_codes=[0, 3])})
    daemon.launch()
    daemon.until_state("a", "exited")
    assert daemon.unit("a")["last_exit"]["clean"] is True


@pytest.mark.parametrize("number, name", [(9, "SIGKILL"), (15, "SIGTERM"), (10, "SIGUSR1")])
def test_a_death_by_signal_is_a_failure(foster, number, name):
    daemon = foster({"a": unit(SLEEPER, restart={"delay": "10ms"})}).start()
    first = daemon.unit("a")["pid"]
    os.kill(first, number)
    daemon.until_unit("a", lambda body: body.exits == 1 and body.state_word == "running", "again")
    found = daemon.unit("a")
    assert found["pid"] != first and found["restarts"] == 1
    assert found["last_exit"]["signal"] == name


def test_delays_grow_to_their_limit(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit([SERVICES / "exit-with", journal, "a", "1"],
                               restart={"delay": "40ms", "factor": 2.0, "max_delay": "160ms",
                                        "limit": 6, "limit_interval": "1min"})})
    daemon.launch()
    daemon.until_state("a", "failed")
    starts = [record.boot_ns for record in read(journal) if record.kind == START]
    assert len(starts) == 7, "six restarts are allowed"
    gaps_ms = [(after - before) / 1e6 for before, after in zip(starts, starts[1:])]
    for gap, least in zip(gaps_ms, (40, 80, 160, 160, 160, 160)):
        assert gap >= least


def test_too_many_restarts_fail_with_the_reason(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit([SERVICES / "exit-with", journal, "a", "1"],
                               restart={"policy": "always", "delay": "0s", "limit": 5,
                                        "limit_interval": "1min"})})
    daemon.launch()
    daemon.until_state("a", "failed")
    found = daemon.unit("a")
    assert found["cause"] == "rate_limited" and "5" in found["why"]
    assert found["exits"] == 6 and count(read(journal), START)["a"] == 6
    # A start by hand is one more attempt, with a new window.
    daemon.ctl("start", "a", "--no-wait")
    daemon.ctl("wait", "a", "--for", "failed")
    assert daemon.unit("a")["exits"] > 6


def test_a_program_that_is_not_there_is_tried_again(foster, folder):
    program = folder / "late"
    daemon = foster({"a": unit([program], restart={"delay": "50ms", "limit": 0})})
    daemon.launch()
    daemon.until_unit("a", lambda body: body.failures >= 2, "tried twice")
    assert "No such file or directory" in daemon.unit("a")["detail"]
    made = folder / "made"
    made.write_text("#!/bin/sh\nexec sleep infinity\n")
    made.chmod(0o755)
    made.rename(program)
    daemon.ctl("wait", "a", "--for", "running")


def test_a_stop_during_backoff_is_final(foster):
    daemon = foster({"a": unit(shell("exit 1"), restart={"delay": "1h", "max_delay": "1h"})})
    daemon.start()
    daemon.until_state("a", "backoff")
    daemon.ctl("stop", "a")
    assert daemon.unit("a")["state"] == "stopped"


def test_a_start_during_backoff_does_not_wait(foster, folder):
    os.mkfifo(folder / "gate")
    daemon = foster({"a": unit(shell(f"[ -e {folder}/good ] || exit 1; exec sleep infinity"),
                               restart={"delay": "1h", "max_delay": "1h"})})
    daemon.start()
    daemon.until_state("a", "backoff")
    (folder / "good").touch()
    daemon.ctl("start", "a")
    assert daemon.unit("a")["state"] == "running"


def test_many_die_at_once_and_all_return(foster):
    names = [f"s{number}" for number in range(50)]
    daemon = foster({name: unit(SLEEPER, restart={"delay": "0s"}) for name in names}).start()
    before = {one["name"]: one["pid"] for one in daemon.status()["units"]}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    daemon.until(lambda region: all(body.exits == 1 and body.state_word == "running"
                                    for body in region.units().values()), "all are back")
    after = {one["name"]: one["pid"] for one in daemon.status()["units"]}
    assert set(after) == set(names)
    assert all(one["restarts"] == 1 for one in daemon.status()["units"])


def test_the_delay_starts_afresh_after_a_good_run(foster, folder):
    # A good run is long by far; on a busy machine a bad one may count as good too, which then only
    # makes the test prove less.
    script = shell(f"[ -e {folder}/good ] && sleep 0.5; exit 1")
    daemon = foster({"a": unit(script, restart={"delay": "20ms", "reset_after": "300ms", "limit": 0,
                                                "max_delay": "30ms"})})
    daemon.launch()
    daemon.until_unit("a", lambda body: body.exits >= 3, "three ends")
    (folder / "good").touch()
    daemon.until_unit("a", lambda body: body.exits >= 5, "good runs too")
    daemon.until_unit("a", lambda body: body.failures <= 1, "counted from one again")
    daemon.ctl("stop", "a")
