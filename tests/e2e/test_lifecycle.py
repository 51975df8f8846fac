"""Start, stop, restart, look, wait, watch, end."""

import json
import os
import signal
import subprocess

import pytest

from daemon import shell, unit
from events import Fifo, deadline_in, is_alive, readable

SLEEPER = ["/bin/sleep", "infinity"]


def test_units_run_once_the_daemon_is_ready(foster):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER)}).start()
    status = daemon.status()
    assert status["phase"] == "running"
    assert status["instance"] == daemon.id
    assert status["keeper"]["pid"] == daemon.keeper
    assert [(one["name"], one["state"], one["goal"]) for one in status["units"]] == [
        ("a", "running", "up"), ("b", "running", "up")]
    assert all(is_alive(one["pid"]) for one in status["units"])
    assert daemon.shutdown() == 0


def test_stop_start_restart(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    first = daemon.unit("a")["pid"]
    daemon.ctl("stop", "a")
    stopped = daemon.unit("a")
    assert (stopped["state"], stopped["goal"], stopped["pid"]) == ("stopped", "down", None)
    assert not is_alive(first)
    assert stopped["last_exit"]["signal"] == "SIGTERM"

    daemon.ctl("start", "a")
    second = daemon.unit("a")
    assert second["state"] == "running" and second["pid"] not in (None, first)
    daemon.ctl("start", "a")  # a second start changes nothing
    assert daemon.unit("a")["pid"] == second["pid"]

    daemon.ctl("restart", "a")
    third = daemon.unit("a")
    assert third["state"] == "running" and third["pid"] != second["pid"]
    assert (third["attempt"] > second["attempt"]) and third["exits"] == 2
    assert third["restarts"] == 0, "only automatic restarts count"


def test_a_oneshot_is_done_when_it_has_exited(foster, folder):
    script = shell(f"echo ran >> {folder}/ran")
    daemon = foster({"once": unit(script, type="oneshot")}).start()
    assert daemon.unit("once")["state"] == "exited"
    daemon.ctl("start", "once")
    assert (folder / "ran").read_text() == "ran\nran\n"
    assert daemon.unit("once")["exits"] == 2


def test_start_tells_why_it_failed(foster):
    daemon = foster({
        "missing": unit(["/nonexistent/program"], restart={"policy": "never"}),
        "bad": unit(shell("exit 3"), type="oneshot", restart={"policy": "never"}),
    }).start()
    missing = daemon.ctl("start", "missing", check=1)
    assert "cannot execute /nonexistent/program: No such file or directory" in (
        missing.stdout + missing.stderr)
    bad = daemon.ctl("start", "bad", check=1)
    assert "3" in bad.stdout + bad.stderr
    assert daemon.unit("bad")["state"] == "failed"


def test_start_without_waiting_returns_at_once(foster, folder):
    os.mkfifo(folder / "gate")
    daemon = foster({"slow": unit(shell(f"read line < {folder}/gate"), type="oneshot",
                                  restart={"policy": "never"})})
    daemon.launch()
    daemon.until_state("slow", "running")
    with open(folder / "gate", "w", encoding="ascii") as gate:
        gate.write("go\n")
    daemon.ctl("wait", "slow", "--for", "exited")
    daemon.ctl("start", "--no-wait", "slow")
    daemon.until_state("slow", "running")
    daemon.ctl("stop", "slow")


def test_patterns_name_many(foster):
    daemon = foster({name: unit(SLEEPER) for name in ("web-1", "web-2", "db")}).start()
    daemon.ctl("stop", "web-*")
    assert {one["name"]: one["state"] for one in daemon.status()["units"]} == {
        "db": "running", "web-1": "stopped", "web-2": "stopped"}
    listed = daemon.ctl("list", "web-*").stdout
    assert "web-1" in listed and "web-2" in listed and "db" not in listed


@pytest.mark.parametrize("arguments, code", [
    (("start", "nosuch"), 3),
    (("start", "nosuch-*"), 3),
    (("status", "nosuch"), 3),
    (("wait", "nosuch", "--for", "running"), 3),
    (("start",), 2),
    (("strat", "a"), 2),
    (("wait", "a"), 2),
    (("signal", "a", "NOSIGNAL"), 2),
    (("wait", "a", "--for", "failed", "--timeout", "50ms"), 124),
    (("signal", "resting", "HUP"), 1),
    (("version",), 0),
    (("--help",), 0),
    (("status", "--help"), 0),
])
def test_exit_codes(foster, arguments, code):
    daemon = foster({"a": unit(SLEEPER),
                     "resting": unit(["/bin/true"], type="oneshot")}).start()
    daemon.ctl(*arguments, check=code)


def test_without_a_daemon_it_is_exit_code_4(foster):
    daemon = foster()
    for arguments in (("status",), ("start", "a"), ("shutdown",), ("list",), ("events",)):
        done = daemon.ctl(*arguments, check=4)
        assert done.stdout == "" and daemon.id in done.stderr


def test_a_near_name_is_suggested(foster):
    daemon = foster({"postgres": unit(SLEEPER)}).start()
    assert "postgres" in daemon.ctl("start", "postgers", check=3).stderr


def test_wait_sleeps_until_the_state(foster, folder):
    os.mkfifo(folder / "gate")
    daemon = foster({"a": unit(shell(f"read x < {folder}/gate"), type="oneshot")})
    daemon.launch()
    daemon.until_state("a", "running")
    waiting = subprocess.Popen(
        [daemon.programs / "fosterctl", "--instance", daemon.name, "wait", "a", "--for", "exited"],
        env=daemon.environment(), stdout=subprocess.PIPE)
    assert waiting.poll() is None
    with open(folder / "gate", "w", encoding="ascii") as gate:
        gate.write("go\n")
    assert waiting.wait(timeout=60) == 0
    waiting.stdout.close()


def test_wait_before_the_daemon_is_there(foster):
    daemon = foster({"a": unit(SLEEPER)})
    waiting = subprocess.Popen(
        [daemon.programs / "fosterctl", "--instance", daemon.name, "wait", "a", "--for", "running",
         "--timeout", "1min"],
        env=daemon.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemon.start()
    assert waiting.wait(timeout=60) == 0


def test_wait_without_a_daemon_ends_at_its_timeout(foster):
    foster().ctl("wait", "a", "--for", "running", "--timeout", "50ms", check=124)


class Lines:
    """The lines of a program's output, each waited for."""

    def __init__(self, process):
        self.process = process
        self.rest = b""

    def next(self) -> str:
        deadline = deadline_in()
        fd = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            readable([fd], deadline, "a line of output")
            data = os.read(fd, 65536)
            assert data, "the output ended"
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def until(self, condition) -> dict:
        while True:
            found = json.loads(self.next())
            if condition(found):
                return found


def test_watch_shows_changes_as_they_happen(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    watch = subprocess.Popen(
        [daemon.programs / "fosterctl", "--instance", daemon.name, "watch", "--json"],
        env=daemon.environment(), stdout=subprocess.PIPE)
    try:
        lines = Lines(watch)
        lines.until(lambda event: event["unit"] == "a" and event["state"] == "running")
        daemon.ctl("stop", "a")
        lines.until(lambda event: event["unit"] == "a" and event["state"] == "stopped")
        daemon.ctl("start", "a")
        lines.until(lambda event: event["unit"] == "a" and event["state"] == "running")
    finally:
        watch.kill()
        watch.wait()
        watch.stdout.close()


def test_events_tell_the_story(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    daemon.ctl("restart", "a")
    events = [json.loads(line) for line in daemon.ctl("events", "--json").stdout.splitlines()]
    states = [event["state"] for event in events if event["event"] == "state"]
    assert states == ["starting", "running", "stopping", "starting", "running"]
    exits = [event for event in events if event["event"] == "exit"]
    assert len(exits) == 1 and exits[0]["signal"] == "SIGTERM"
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)


def test_signal_reaches_the_main_process(foster):
    daemon = foster({"a": unit(SLEEPER, restart={"policy": "never"})}).start()
    daemon.ctl("signal", "a", "USR1")
    daemon.ctl("wait", "a", "--for", "failed")
    assert daemon.unit("a")["last_exit"]["signal"] == "SIGUSR1"


def test_shutdown_stops_everything_and_returns_when_it_is_over(foster):
    daemon = foster({name: unit(SLEEPER) for name in "abc"}).start()
    pids = [one["pid"] for one in daemon.status()["units"]]
    daemon.ctl("shutdown")
    assert not any(is_alive(pid) for pid in pids)
    assert daemon.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_in_order(foster, number):
    daemon = foster({"a": unit(SLEEPER)}).start()
    pid = daemon.unit("a")["pid"]
    daemon.process.send_signal(number)
    assert daemon.wait() == 0
    assert not is_alive(pid)


def test_a_second_sigterm_hurries(foster, folder):
    stubborn = unit(shell(f"trap '' TERM; echo up > {folder}/up; sleep 1000 & wait; wait; "
                          "while :; do wait; sleep 1000; done"), stop={"timeout": "1h"})
    # Takes long enough to stop for the second signal not to be taken for the first one's echo.
    slow = unit(shell(f"trap 'sleep 0.5; exit 0' TERM; echo up > {folder}/up; sleep 1000 & wait"),
                stop={"scope": "main"})
    up = Fifo(folder / "up")
    daemon = foster({"stubborn": stubborn, "slow": slow})
    daemon.launch()
    up.line()
    up.line()
    daemon.process.send_signal(signal.SIGTERM)
    daemon.until_state("slow", "stopped")
    up.close()
    assert daemon.unit("stubborn")["state"] == "stopping"
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_status_for_people(foster):
    daemon = foster({"a": unit(SLEEPER, top={"description": "Sleeps"})}).start()
    table = daemon.ctl("status").stdout
    assert "a" in table and "running" in table and "\x1b" not in table
    assert "running" in daemon.ctl("status", "a").stdout


def test_version_names_both(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    version = json.loads(daemon.ctl("version", "--json").stdout)
    assert version["client"] == version["daemon"] == daemon.status()["version"]


def test_the_daemon_has_help_and_version(foster):
    daemon = foster()
    for option, words in (("--help", ["--units", "--instance", "--runtime-dir"]),
                          ("--version", ["fosterd"])):
        done = subprocess.run([daemon.programs / "fosterd", option], text=True, check=True,
                              capture_output=True, env=daemon.environment(), timeout=60)
        assert all(word in done.stdout for word in words)
    done = subprocess.run([daemon.programs / "fosterd", "--nosuch"], text=True, check=False,
                          capture_output=True, env=daemon.environment(), timeout=60)
    assert done.returncode == 2 and "--nosuch" in done.stderr


def test_runtime_dir_is_where_one_says(foster, folder):
    daemon = foster({"a": unit(SLEEPER)})
    place = folder / "elsewhere"
    daemon.start(extra=["--runtime-dir", str(place)])
    assert place.is_dir() and not (daemon.runtime_base / daemon.id).exists()
    daemon.ctl("--runtime-dir", place, "stop", "a")
    daemon.ctl("--runtime-dir", place, "shutdown")
    assert daemon.wait() == 0
    assert not (place / "control").exists()


def test_an_essential_unit_takes_the_daemon_with_it(foster):
    daemon = foster({"a": unit(SLEEPER),
                     "essential": unit(shell("exit 9"), top={"essential": True},
                                       restart={"policy": "never"})})
    daemon.launch()
    assert daemon.wait() == 9
