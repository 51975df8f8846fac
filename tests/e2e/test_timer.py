"""Units that the clock starts. Clocks that are set and long absences are for the unit tests, which
have both clocks in their hand."""

import json
import os
import time

from daemon import shell, unit
from events import Fifo

SLEEPER = ["/bin/sleep", "infinity"]


def job(fifo, **timer):
    return unit(shell(f"echo ran > {fifo.path}"), type="oneshot", timer=timer)


def test_every(foster, folder):
    ran = Fifo(folder / "ran")
    began = time.monotonic()
    daemon = foster({"job": job(ran, every="300ms")}).start()
    assert daemon.unit("job")["attempt"] == 0, "a unit with a timer is not started at boot"
    ran.lines(3)
    assert time.monotonic() - began >= 0.85
    assert daemon.region().units()["job"].timer_next_real_ns > 0
    assert "job" in daemon.ctl("timers").stdout
    ran.close()


def test_after_boot_is_once(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": job(ran, after_boot="200ms"), "tick": unit(["/bin/true"])}).start()
    ran.line()
    daemon.until_unit("job", lambda body: body.state_word == "exited", "exited")
    daemon.until_unit("job", lambda body: body.timer_next_real_ns == 0, "no next time")
    daemon.kill_manager()
    assert daemon.region().units()["job"].timer_next_real_ns == 0
    assert daemon.unit("job")["exits"] == 1
    ran.close()


def test_calendar(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": job(ran, calendar=["*:*:*"])}).start()
    ran.lines(2)
    next_ns = daemon.region().units()["job"].timer_next_real_ns
    assert next_ns % 1_000_000_000 == 0
    assert daemon.unit("job")["state"] in ("exited", "running", "starting")
    ran.close()


def test_no_overlap(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": unit(shell(f"echo ran > {ran.path}; sleep infinity"), type="oneshot",
                                 timer={"every": "100ms"}),
                     "tick": job(ran, every="100ms")}).start()
    daemon.until_unit("tick", lambda body: body.exits >= 5, "five ticks")
    assert daemon.unit("job")["exits"] == 0
    daemon.until_unit("job", lambda body: body.attempt > 0, "started")
    attempt = daemon.unit("job")["attempt"]
    ticks = daemon.unit("tick")["exits"]
    daemon.until_unit("tick", lambda body: body.exits >= ticks + 5, "five more")
    assert daemon.unit("job")["attempt"] == attempt
    ran.close()


def test_a_start_by_hand_puts_off_the_next(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": job(ran, every="1h")}).start()
    before = daemon.region().units()["job"].timer_next_real_ns
    daemon.ctl("start", "job")
    ran.line()
    daemon.until_unit("job", lambda body: body.timer_next_real_ns > before, "put off")
    ran.close()


def test_the_next_time_survives_the_manager(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": job(ran, every="1h", jitter="10min")}).start()
    daemon.ctl("start", "job")
    daemon.until_unit("job", lambda body: body.state_word == "exited", "exited")
    before = daemon.region().units()["job"].timer_next_real_ns
    daemon.kill_manager()
    after = daemon.region().units()["job"].timer_next_real_ns
    assert abs(after - before) < 1_000_000_000
    ran.close()


def test_persistent_makes_up_for_a_time_without_the_daemon(foster, folder):
    ran = Fifo(folder / "ran")
    state = folder / "state"
    state.mkdir()
    two_days_ago = int((time.time() - 2 * 86400) * 1e6)
    (state / "settings.json").write_text(
        json.dumps({"version": 1, "last-runs-us": {"late": two_days_ago}}))
    daemon = foster({"late": job(ran, calendar=["daily UTC"], persistent=True),
                     "new": job(ran, calendar=["yearly"], persistent=True)})
    daemon.start(extra=["--state-dir", state])
    ran.line()
    daemon.until_unit("late", lambda body: body.exits == 1, "made up for")
    assert daemon.unit("new")["attempt"] == 0
    assert daemon.shutdown() == 0
    kept = json.loads((state / "settings.json").read_text())["last-runs-us"]
    assert set(kept) == {"late", "new"} and kept["late"] > two_days_ago
    ran.close()


def test_check_says_when_an_event_comes(foster):
    daemon = foster()
    done = daemon.ctl("check", "--calendar", "Mon..Fri 09:00", "--calendar", "2020-01-01")
    lines = done.stdout.splitlines()
    assert lines[0] == "Mon..Fri *-*-* 09:00:00"
    assert len(lines) == 1 + 5 + 2 and all(" 09:00:00 " in line for line in lines[1:6])
    assert lines[6:] == ["2020-01-01 00:00:00", "  never"]
    wrong = daemon.ctl("check", "--calendar", "Mon..Fri 25:00", check=1)
    assert '"25" at 10 is no hour, which goes from 0 to 23' in wrong.stderr


def test_disabled_timers_do_not_run(foster, folder):
    ran = Fifo(folder / "ran")
    daemon = foster({"job": job(ran, every="1h")})
    daemon.start(extra=["--state-dir", folder / "state"])
    daemon.ctl("disable", "job")
    daemon.until_unit("job", lambda body: body.timer_next_real_ns == 0, "no next time")
    daemon.ctl("enable", "job")
    daemon.until_unit("job", lambda body: body.timer_next_real_ns > 0, "a next time")
    ran.close()


def test_timers_cost_nothing_while_nothing_is_due(foster):
    daemon = foster({f"job{i}": unit(["/bin/true"], type="oneshot", timer={"every": "1h"})
                     for i in range(20)} | {"tick": unit(["/bin/true"], type="oneshot")}).start()
    manager = daemon.manager()
    fds = os.listdir(f"/proc/{manager}/fd")
    kinds = [os.readlink(f"/proc/{manager}/fd/{fd}") for fd in fds]
    assert sum("timerfd" in kind for kind in kinds) <= 2, "the core's, and one for all timers"
