"""Restarts under load: nobody is refused, no connection breaks, whether the new process starts
after the old one has ended or beside it."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from clients import CHAT, Guest, Load, chat_unit, free_port, port_of
from daemon import shell, unit
from events import Fifo, deadline_in, is_alive

SOURCE = Path(os.environ.get("FOSTER_SOURCE", Path(__file__).resolve().parents[2]))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
RESTARTS = 100
PLAIN = ("overlap = true", "overlap = false")
MISHAPS = ("refused", "reset", "cut", "other")


def need(*tools):
    missing = [tool for tool in tools if shutil.which(tool, path=PATH) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def socket_at(port: int) -> str:
    return f'\n[[socket]]\nlisten = "tcp://127.0.0.1:{port}"\n'


@pytest.fixture(name="nginx")
def nginx_on_a_socket_of_foster(foster, folder):
    port = free_port()
    (folder / "index.html").write_text("raised by foster\n")
    (folder / "nginx.conf").write_text(
        f"worker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n")
    text = unit(["/usr/sbin/nginx", "-e", "stderr", "-c", f"{folder}/nginx.conf", "-g",
                 "daemon off;"], environment={"NGINX": "3;"}, stop={"signal": "SIGQUIT"})
    daemon = foster({"nginx": text + socket_at(port)}).start()
    assert port_of(daemon, "nginx") == port
    return daemon


def running_since(daemon, name: str) -> int:
    region = daemon.region()
    try:
        return region.units()[name].since_boot_ns
    finally:
        region.close()


def restart_many_times(daemon, name: str, *options: str) -> None:
    pids = [daemon.unit(name)["pid"]]
    since = running_since(daemon, name)
    for _ in range(RESTARTS):
        daemon.ctl("restart", name, *options)
        pids.append(daemon.unit(name)["pid"])
        assert pids[-1] != pids[-2] and not is_alive(pids[-2])
    found = daemon.unit(name)
    assert (found["state"], found["exits"], found["restarts"]) == ("running", RESTARTS, 0)
    # With an overlap there is no moment at which it does not run.
    assert (running_since(daemon, name) == since) == ("--overlap" in options)


def none_was_harmed(load: Load) -> None:
    counts = load.counts()
    assert counts["answers"] > 20
    assert {mishap: counts[mishap] for mishap in MISHAPS} == dict.fromkeys(MISHAPS, 0), counts


def test_the_load_tells_mishaps_apart():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with Load("chat", server.getsockname()[1], 1) as load:
            broken, _ = server.accept()
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broken.close()
            unanswered, _ = server.accept()
            assert unanswered.recv(100).startswith(b"word ")
            unanswered.close()
            last, _ = server.accept()
            counts = load.counts()
            assert [counts[mishap] for mishap in MISHAPS] == [0, 1, 1, 0]
            server.close()
            last.close()
            deadline = deadline_in()
            while load.counts()["refused"] == 0:
                assert time.monotonic() < deadline, "nobody listens, and that is not told"


@pytest.mark.parametrize("options", [[], ["--overlap"]], ids=["plain", "overlap"])
def test_chat_under_load(foster, options):
    daemon = foster({"chat": chat_unit(SOURCE, PLAIN)}).start()
    daemon.until_state("chat", "running")
    with Load("chat", port_of(daemon, "chat")) as load:
        restart_many_times(daemon, "chat", *options)
        none_was_harmed(load)


@pytest.mark.parametrize("options", [[], ["--overlap"]], ids=["plain", "overlap"])
def test_the_manager_dies_in_each_of_them(foster, options):
    daemon = foster({"chat": chat_unit(SOURCE, PLAIN)}).start()
    daemon.until_state("chat", "running")
    with Load("chat", port_of(daemon, "chat")) as load:
        for exits in range(1, 11):
            old = daemon.unit("chat")["pid"]
            daemon.ctl("restart", "chat", "--no-wait", *options)
            daemon.kill_manager()
            daemon.until_unit("chat", lambda body, old=old, exits=exits: body.pid not in (0, old)
                              and body.state_word == "running" and body.step_word == "none"
                              and body.exits == exits, "another process, and the old one gone")
            assert not is_alive(old)
        none_was_harmed(load)


@need("nginx", "wrk")
@pytest.mark.parametrize("options", [[], ["--overlap"]], ids=["plain", "overlap"])
def test_nginx_under_load(nginx, options):
    port = port_of(nginx, "nginx")
    # A kept-alive connection may be closed by nginx in the moment of the next request, which HTTP
    # cannot tell from a fault.
    wrk = subprocess.Popen(
        ["wrk", "-t", "1", "-c", "2", "-d", "1h", "--timeout", "60s", "-H", "Connection: close",
         f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)
    try:
        with Load("http", port, 2) as load:
            restart_many_times(nginx, "nginx", *options)
            none_was_harmed(load)
        wrk.send_signal(signal.SIGINT)
        said, _ = wrk.communicate(timeout=60)
    finally:
        wrk.kill()
        wrk.wait()
    assert "Requests/sec" in said and "Socket errors" not in said and "Non-2xx" not in said, said


def test_the_two_processes_are_there_together(foster, folder):
    gate = Fifo(folder / "gate")
    daemon = foster({"chat": chat_unit(SOURCE).replace(
        json.dumps(str(CHAT)), f'"/bin/sh", "-c", "read go <{gate.path}; exec {CHAT} --drain 5"'
        ', "sh"')})
    daemon.launch()
    gate.say("go")
    daemon.until_state("chat", "running")
    first = daemon.unit("chat")["pid"]
    with Guest(port_of(daemon, "chat")) as anna:
        daemon.ctl("restart", "chat", "--no-wait")
        daemon.until_unit("chat", lambda body: body.step_word == "overlap"
                          and body.successor_pid > 0, "two processes")
        anna.say("still the old room")
        assert anna.hear() == "guest 0: still the old room"
        daemon.kill_manager()
        gate.say("go")
        daemon.until_unit("chat", lambda body: body.pid not in (0, first), "the new room")
        # The old one lets its guest finish.
        anna.say("one more word")
        assert anna.hear() == "guest 0: one more word"
    daemon.until_unit("chat", lambda body: body.step_word == "none", "the old one ended")
    with Guest(port_of(daemon, "chat")) as ben:
        assert ben.process == daemon.unit("chat")["pid"]
    assert not is_alive(first)
    gate.close()


@pytest.mark.parametrize("fault", ["exit 3", "exec sleep infinity"], ids=["ends", "never-ready"])
def test_what_cannot_take_over_leaves_the_old_one(foster, folder, fault):
    script = f"test ! -e {folder}/broken || {fault}; exec {CHAT} --drain 0"
    daemon = foster({"chat": unit(shell(script), type="notify", ready={"timeout": "2s"})
                     + socket_at(0)}).start()
    daemon.until_state("chat", "running")
    first = daemon.unit("chat")["pid"]
    (folder / "broken").touch()
    with Guest(port_of(daemon, "chat")) as anna:
        done = daemon.ctl("restart", "chat", "--overlap", check=1)
        reason = ("the new process exited with 3 before it was ready" if fault == "exit 3"
                  else "the new process was not ready within 2s")
        assert f"chat: {reason}; the old one goes on" in done.stderr
        assert f"its last restart was given up: {reason}\n" in daemon.ctl("why", "chat").stdout
        found = daemon.unit("chat")
        assert (found["state"], found["pid"], found["exits"]) == ("running", first, 0)
        anna.say("are you well?")
        assert anna.hear() == "guest 0: are you well?"
    (folder / "broken").unlink()
    daemon.ctl("restart", "chat", "--overlap")
    assert daemon.unit("chat")["pid"] != first


def test_a_check_by_command_knows_the_new_process(foster, folder):
    daemon = foster({"web": unit(["/bin/sleep", "infinity"], restart={"overlap": True},
                                 ready={"command": shell(f"test -e {folder}/$MAINPID"),
                                        "interval": "20ms"})})
    daemon.launch()
    daemon.until_unit("web", lambda body: body.pid > 0, "its process")
    first = daemon.unit("web")["pid"]
    (folder / str(first)).touch()
    daemon.until_state("web", "running")
    daemon.ctl("restart", "web", "--no-wait")
    daemon.until_unit("web", lambda body: body.successor_pid > 0, "the new process")
    region = daemon.region()
    second = region.units()["web"].successor_pid
    region.close()
    assert daemon.unit("web")["pid"] == first
    (folder / str(second)).touch()
    daemon.until_unit("web", lambda body: body.pid == second and body.step_word == "none",
                      "the new one alone")
    assert not is_alive(first)


@pytest.mark.parametrize("ready", [False, True], ids=["on-its-way-up", "on-its-way-down"])
def test_a_unit_that_goes_in_the_middle_is_stopped_with_both(foster, folder, ready):
    gate = Fifo(folder / "gate")
    script = f"read go <{gate.path}; exec {CHAT} --drain 60"
    daemon = foster({"chat": unit(shell(script), type="notify", restart={"overlap": True},
                                  stop={"timeout": "2s"}) + socket_at(0),
                     "other": unit(["/bin/sleep", "infinity"])})
    daemon.launch()
    gate.say("go")
    daemon.until_state("chat", "running")
    with Guest(port_of(daemon, "chat")):
        first = daemon.unit("chat")["pid"]
        daemon.ctl("restart", "chat", "--no-wait")
        daemon.until_unit("chat", lambda body: body.successor_pid > 0, "two processes")
        pids = [first, daemon.unit("chat")["successor"]["pid"]]
        if ready:
            gate.say("go")
            daemon.until_unit("chat", lambda body: body.former_pid == first, "the new room")
        (daemon.units / "chat.toml").unlink()
        daemon.ctl("load")
        daemon.until_unit("chat", lambda body: body.state_word == "stopped", "both stopped")
    assert not any(is_alive(pid) for pid in pids)
    assert daemon.unit("other")["state"] == "running"
    gate.close()
