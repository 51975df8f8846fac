"""Units whose command leaves a daemon behind, and those whose main process changes."""

import os
import signal
from pathlib import Path

from daemon import shell, unit, zombies_of
from events import Fifo, is_alive, wait_for_end

# A daemon of the old kind, whose command may end before its pid file is there.
DAEMON = ("setsid sh -c 'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; "
          "exec sleep infinity' &")


def with_pid_file(folder, **keys) -> str:
    path = folder / "daemon.pid"
    return unit(shell(DAEMON.format(pid_file=path)), type="forking", pid_file=str(path), **keys)


def test_the_only_process_left_is_the_main_one(foster):
    daemon = foster({"a": unit(shell("sleep infinity &"), type="forking")}).start()
    found = daemon.unit("a")
    assert found["state"] == "running" and is_alive(found["pid"])
    daemon.ctl("stop", "a")
    assert not is_alive(found["pid"])
    assert daemon.unit("a")["state"] == "stopped"
    assert not zombies_of(daemon.keeper)


def test_the_pid_file_names_the_main_process(foster, folder):
    daemon = foster({"a": with_pid_file(folder)}).start()
    found = daemon.unit("a")
    assert found["pid"] == int((folder / "daemon.pid").read_text())
    daemon.ctl("restart", "a")
    again = daemon.unit("a")
    assert again["pid"] == int((folder / "daemon.pid").read_text()) != found["pid"]
    assert not is_alive(found["pid"])


def test_a_daemon_that_dies_is_started_again(foster, folder):
    daemon = foster({"a": with_pid_file(folder, restart={"delay": "10ms"})}).start()
    for _ in range(5):
        pid = daemon.unit("a")["pid"]
        os.kill(pid, signal.SIGKILL)
        daemon.until_unit("a", lambda body, pid=pid: body.state_word == "running"
                          and body.pid not in (0, pid), "running again")
    assert daemon.unit("a")["restarts"] == 5


def test_the_manager_may_die_while_a_daemon_runs(foster, folder):
    daemon = foster({"a": with_pid_file(folder, restart={"delay": "10ms"}),
                     "b": unit(shell("sleep infinity &"), type="forking")}).start()
    before = {one["name"]: one["pid"] for one in daemon.status()["units"]}
    daemon.kill_manager()
    after = daemon.status()["units"]
    assert {one["name"]: one["pid"] for one in after} == before
    assert [(one["state"], one["restarts"]) for one in after] == [("running", 0)] * 2
    os.kill(before["a"], signal.SIGKILL)
    daemon.until_unit("a", lambda body: body.state_word == "running" and body.restarts == 1,
                      "running again")


def test_the_manager_may_die_at_any_moment_of_the_start(foster, folder):
    fifo = Fifo(folder / "told")
    gate = Fifo(folder / "gate")
    daemon = foster({"a": unit(
        shell(f"echo begun > {fifo.path}; read line < {gate.path}; "
              f"(echo daemon > {fifo.path}; exec sleep infinity) &"), type="forking")})
    daemon.launch()
    assert fifo.line() == "begun"
    daemon.kill_manager()
    gate.say("go")
    assert fifo.line() == "daemon"
    daemon.kill_manager()
    found = daemon.until_state("a", "running")
    assert found["restarts"] == 0 and is_alive(found["pid"])


def test_a_command_that_fails_leaves_a_failed_unit(foster):
    daemon = foster({"a": unit(shell("sleep infinity & exit 3"), type="forking",
                               restart={"policy": "never"})})
    daemon.launch()
    found = daemon.until_state("a", "failed")
    assert found["last_exit"]["value"] == 3


def test_a_daemon_that_is_not_there_is_told(foster, folder):
    daemon = foster({"a": unit(["/bin/true"], type="forking", restart={"policy": "never"},
                               pid_file=str(folder / "never"), ready={"timeout": "300ms"}),
                     "b": unit(["/bin/true"], type="forking", restart={"policy": "never"})})
    daemon.launch()
    for name in "ab":
        assert daemon.until_state(name, "failed")["why"]


def test_daemons_that_were_not_found_are_not_doubled(foster, folder):
    fifo = Fifo(folder / "told")
    command = f"setsid sh -c 'echo $$ > {fifo.path}; exec sleep infinity' &"
    daemon = foster({"a": unit(shell(command), type="forking", pid_file=str(folder / "never"),
                               ready={"timeout": "1s"}, restart={"delay": "10ms"})})
    daemon.launch()
    before = 0
    for _ in range(3):
        pid = int(fifo.line())
        assert not before or not is_alive(before), "there are two"
        before = pid
    daemon.ctl("stop", "a")
    assert daemon.unit("a")["state"] == "stopped"


def test_a_stop_ends_a_daemon_that_is_not_found_yet(foster, folder):
    fifo = Fifo(folder / "told")
    command = (f"setsid sh -c 'sleep infinity & echo $! > {fifo.path}; echo $$ > {fifo.path}; "
               "exec sleep infinity' &")
    daemon = foster({"a": unit(shell(command), type="forking", pid_file=str(folder / "never"))})
    daemon.launch()
    pids = [int(fifo.line()), int(fifo.line())]
    daemon.until_unit("a", lambda body: body.step_word == "find_main", "looking for it")
    daemon.kill_manager()
    daemon.ctl("stop", "a")
    assert daemon.unit("a")["state"] == "stopped"
    assert not any(is_alive(pid) for pid in pids)


def test_daemons_that_cannot_be_told_apart_are_ended(foster, folder):
    fifo = Fifo(folder / "told")
    command = (f"for i in 1 2; do setsid sh -c 'echo $$ > {fifo.path}; exec sleep infinity' & done")
    daemon = foster({"a": unit(shell(command + f"; read line < {folder}/gate"), type="forking",
                               restart={"policy": "never"})})
    gate = Fifo(folder / "gate")
    daemon.launch()
    pids = [int(fifo.line()), int(fifo.line())]
    gate.say("go")
    daemon.until_state("a", "failed")
    assert not any(is_alive(pid) for pid in pids)
    gate.close()


def test_all_of_a_daemons_group_is_stopped(foster, folder):
    fifo = Fifo(folder / "pids")
    path = folder / "daemon.pid"
    script = (f"setsid sh -c 'sleep infinity & echo $! > {fifo.path}; echo $$ > {path}; "
              "exec sleep infinity' &")
    daemon = foster({"a": unit(shell(script), type="forking", pid_file=str(path))})
    daemon.launch()
    other = int(fifo.line())
    found = daemon.until_state("a", "running")
    daemon.ctl("stop", "a")
    wait_for_end(found["pid"])
    wait_for_end(other)
    assert daemon.unit("a")["state"] == "stopped"


def test_many_that_start_at_once_are_told_apart(foster):
    names = [f"a{number}" for number in range(100)]
    daemon = foster({name: unit(shell("sleep infinity &"), type="forking") for name in names})
    daemon.start()
    found = daemon.status()["units"]
    assert [(one["state"], one["restarts"]) for one in found] == [("running", 0)] * len(names)
    assert len({one["pid"] for one in found}) == len(names)
    for one in found:
        environment = (Path("/proc") / str(one["pid"]) / "environ").read_bytes().split(b"\0")
        assert f"FOSTER_UNIT={one['name']}".encode() in environment


def test_what_the_command_leaves_beside_the_daemon_is_stopped(foster, folder):
    fifo = Fifo(folder / "told")
    path = folder / "daemon.pid"
    script = f"sleep infinity & echo $! > {fifo.path}; " + DAEMON.format(pid_file=path)
    daemon = foster({"a": unit(shell(script), type="forking", pid_file=str(path))})
    daemon.launch()
    beside = int(fifo.line())
    found = daemon.until_state("a", "running")
    assert found["pid"] != beside and is_alive(beside)
    daemon.ctl("stop", "a")
    assert not is_alive(beside) and not is_alive(found["pid"])
