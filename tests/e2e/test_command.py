"""fosterd -- COMMAND: one command as the essential service."""

import os
import signal
import subprocess

import pytest

from daemon import shell, unit
from events import is_alive, wait_for_file


@pytest.mark.parametrize("script, code", [
    ("exit 0", 0),
    ("exit 7", 7),
    ("exit 255", 255),
    ("kill -TERM $$", 128 + 15),
    ("kill -KILL $$", 128 + 9),
    ("kill -USR1 $$", 128 + 10),
])
def test_the_commands_end_is_fosterds(foster, script, code):
    daemon = foster()
    daemon.launch(command=["/bin/sh", "-c", script])
    assert daemon.wait() == code


def test_a_command_that_is_not_there(foster):
    daemon = foster()
    daemon.launch(command=["nosuch-command"])
    assert daemon.wait() == 127
    assert "nosuch-command" in daemon.log()


def test_a_command_that_cannot_be_executed(foster, folder):
    (folder / "data").write_text("no program")
    daemon = foster()
    daemon.launch(command=[folder / "data"])
    assert daemon.wait() == 126


def test_no_command_after_the_dashes(foster):
    daemon = foster()
    done = subprocess.run([*daemon.arguments(), "--"], env=daemon.environment(), text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 2 and "command" in done.stderr


def test_it_has_the_daemons_standard_streams(foster):
    daemon = foster()
    done = subprocess.run(
        daemon.arguments(command=["/bin/sh", "-c", "read line; echo \"got $line\"; echo err >&2"]),
        env=daemon.environment(), input="hello\n", text=True, capture_output=True, check=False,
        timeout=60)
    assert done.returncode == 0
    assert done.stdout == "got hello\n"
    assert "err\n" in done.stderr


def test_it_runs_beside_units_and_ends_them(foster, folder):
    os.mkfifo(folder / "gate")
    daemon = foster({"beside": unit(["/bin/sleep", "infinity"])})
    daemon.start(command=["/bin/sh", "-c", f"read x < {folder}/gate; exit 4"])
    status = {one["name"]: one for one in daemon.status()["units"]}
    assert set(status) == {"beside", "sh"} and status["sh"]["essential"]
    with open(folder / "gate", "w", encoding="ascii") as gate:
        gate.write("go\n")
    assert daemon.wait() == 4
    assert not is_alive(status["beside"]["pid"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command(foster, folder, number):
    os.mkfifo(folder / "up")
    daemon = foster()
    daemon.launch(command=["/bin/sh", "-c", f"trap 'exit 3' TERM; echo up > {folder}/up; "
                           "sleep 1000 & wait"])
    with open(folder / "up", encoding="ascii") as up:
        up.readline()
    daemon.process.send_signal(number)
    # It was asked to end: in order is 0, whatever the command made of its signal.
    assert daemon.wait() in (0, 3)


def test_it_ends_with_its_command_also_when_that_is_stopped(foster):
    daemon = foster()
    daemon.launch(command=["/bin/sleep", "infinity"])
    daemon.ctl("wait", "sleep", "--for", "running", "--timeout", "60s")
    daemon.ctl("stop", "sleep", check=None)  # the daemon may be gone before it can tell
    assert daemon.wait() == 128 + signal.SIGTERM


def test_two_signals_at_once_are_one_wish(foster, folder):
    # As timeout(1) sends them: to its child, and to the group that both are in.
    daemon = foster()
    daemon.launch(command=["/bin/sh", "-c", f"trap 'sleep 0.5; echo calm > {folder}/end; exit 3' "
                           f"TERM; echo up > {folder}/up; sleep 1000 & wait"])
    wait_for_file(folder / "up")
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.wait() == 3
    assert (folder / "end").read_text() == "calm\n"


def test_its_environment_is_the_daemons(foster, folder):
    daemon = foster()
    daemon.extra_environment["MARK"] = "passed on"
    daemon.launch(command=["/bin/sh", "-c", f"echo \"$MARK\" > {folder}/mark"])
    assert daemon.wait() == 0
    assert (folder / "mark").read_text() == "passed on\n"


def test_it_is_not_restarted(foster, folder):
    daemon = foster()
    daemon.launch(command=["/bin/sh", "-c", f"echo ran >> {folder}/ran; exit 1"])
    assert daemon.wait() == 1
    assert (folder / "ran").read_text() == "ran\n"


def test_the_shell_helper_leaves_dollars_alone(foster, folder):
    daemon = foster({"a": unit(shell(f"x=1; echo $x > {folder}/x"), type="oneshot")}).start()
    daemon.ctl("status")
    assert (folder / "x").read_text() == "1\n"
