"""Descriptors that users give to units: pass, fds, drop and take."""

import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys

import pytest

import events
import raw_bus
from conftest import needs_root
from daemon import SERVICES, ordinary_user, sockets, unit
from events import PATIENCE_S, Fifo, freeze
from raw_bus import RawBus, Refused

SLEEPER = ["/bin/sleep", "infinity"]
OTHER = 54321  # a user that has nothing to do with any of it
EXAMPLES = {"python": ["/usr/bin/python3", os.path.join(os.environ["FOSTER_SOURCE"],
                                                        "units/examples/live.py")],
            "c": [str(SERVICES / "live-example")]}

# Says what it has got, and then answers each who comes to its first descriptor.
NEXT_START = """
import os, signal, socket, sys
names = os.environ.get("LISTEN_FDNAMES", "")
count = int(os.environ.get("LISTEN_FDS", "0"))
assert count == 0 or int(os.environ["LISTEN_PID"]) == os.getpid()
with open(sys.argv[1], "w", encoding="ascii") as told:
    told.write(f"{count} {names}\\n")
while count:
    client, _ = socket.socket(fileno=os.dup(3)).accept()
    client.sendall(b"served\\n")
    client.close()
signal.pause()
"""


# Takes what comes, and keeps nothing.
READER = """
import os, socket
channel = socket.socket(fileno=int(os.environ["FOSTER_RECEIVE_FD"]))
while True:
    _, descriptors, _, _ = socket.recv_fds(channel, 255, 1)
    os.close(descriptors[0])
"""


@pytest.fixture(name="told")
def what_the_service_tells(folder):
    fifo = Fifo(folder / "told")
    yield fifo
    fifo.close()


def next_start(folder, told, **keys) -> str:
    script = folder / "next_start.py"
    script.write_text(NEXT_START)
    return unit(["/usr/bin/python3", str(script), str(told.path)], **keys)


def live(example: str = "python", **keys) -> str:
    return unit(EXAMPLES[example], receive="live", **keys)


def held(daemon, name: str) -> list[dict]:
    return json.loads(daemon.ctl("fds", name, "--json").stdout)


def port_of(entry: dict) -> int:
    return int(re.search(r":(\d+), listening", entry["what"]).group(1))


def said_at(address) -> str:
    """What is said to a client that comes there."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(PATIENCE_S)
        client.connect(address)
        return client.makefile().readline().strip()


def listening_socket() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_a_running_service_gets_it_live(foster, folder, example):
    daemon = foster({"web": live(example)}).start()
    path = str(folder / "x.sock")
    done = daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http",
                      "--listen", f"unix://{path}", "--name", "local")
    assert done.stdout == "web: http was handed over\nweb: local was handed over\n"
    http, local = held(daemon, "web")
    assert (http["name"], http["origin"], local["name"]) == ("http", "passed", "local")
    assert http["from"] == f"uid {os.getuid()}"
    assert said_at(("127.0.0.1", port_of(http))) == "you have come by http"
    assert said_at(path) == "you have come by local"
    assert daemon.unit("web")["held"] == 2


def test_a_manager_that_dies_interrupts_nothing(foster):
    daemon = foster({"web": live()}).start()
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "before")
    daemon.kill_manager()
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "after")
    ports = {entry["name"]: port_of(entry) for entry in held(daemon, "web")}
    assert said_at(("127.0.0.1", ports["before"])) == "you have come by before"
    assert said_at(("127.0.0.1", ports["after"])) == "you have come by after"
    pid = daemon.unit("web")["pid"]
    daemon.ctl("restart", "web")
    assert daemon.unit("web")["pid"] != pid
    assert said_at(("127.0.0.1", ports["before"])) == "you have come by before"
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "again")
    assert said_at(("127.0.0.1", port_of(held(daemon, "web")[2]))) == "you have come by again"


def test_what_is_asked_of_a_manager_that_dies_is_done_once(foster):
    daemon = foster({"web": unit(SLEEPER)}).start()
    manager = daemon.manager()
    freeze(manager)
    with listening_socket() as listening:
        asked = subprocess.Popen(
            [daemon.programs / "fosterctl", "--instance", daemon.name, "pass", "web", "--fd",
             str(listening.fileno())],
            pass_fds=[listening.fileno()], env=daemon.environment(), stdout=subprocess.PIPE,
            text=True)
        os.kill(manager, 9)
        out, _ = asked.communicate(timeout=PATIENCE_S)
    assert (asked.returncode, out) == (0, "web: web is there at its next start\n")
    assert [entry["name"] for entry in held(daemon, "web")] == ["web"]


def test_a_service_that_does_not_run_has_it_at_its_next_start(foster, folder, told):
    daemon = foster({"web": next_start(folder, told, top={"enabled": False})}).start()
    done = daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0")
    assert done.stdout == "web: web is there at its next start\n"
    daemon.ctl("start", "web")
    assert told.line() == "1 web"
    assert said_at(("127.0.0.1", port_of(held(daemon, "web")[0]))) == "served"


def test_one_that_runs_and_receives_nothing_live_has_it_at_its_next_start(foster, folder, told):
    daemon = foster({"web": next_start(folder, told)}).start()
    assert told.line() == "0 "
    done = daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http")
    assert done.stdout == "web: http is there at its next start\n"
    daemon.ctl("restart", "web")
    assert told.line() == "1 http"
    assert said_at(("127.0.0.1", port_of(held(daemon, "web")[0]))) == "served"


def test_a_load_loses_nothing_of_what_is_for_the_next_start(foster, folder, told):
    daemon = foster({"web": next_start(folder, told)}).start()
    assert told.line() == "0 "
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http")
    daemon.ctl("load")
    daemon.ctl("stop", "web")
    daemon.ctl("start", "web")
    assert told.line() == "1 http"
    daemon.ctl("load")
    daemon.ctl("stop", "web")
    assert not daemon.unit("web")["held"], "a process has had it"


def test_a_descriptor_that_was_inherited(foster, folder, told):
    daemon = foster({"web": next_start(folder, told, top={"enabled": False})}).start()
    ctl = [daemon.programs / "fosterctl", "--instance", daemon.name]
    with listening_socket() as one, open(folder / "file", "wb") as file:
        for descriptor, name in ((one.fileno(), "one"), (0, "zero")):
            subprocess.run([*ctl, "pass", "web", "--fd", str(descriptor), "--name", name],
                           pass_fds=[one.fileno()], stdin=file, env=daemon.environment(),
                           check=True, timeout=PATIENCE_S)
        address = one.getsockname()
    first, second = held(daemon, "web")
    assert f"127.0.0.1:{address[1]}" in first["what"]
    assert str(folder / "file") in second["what"]
    daemon.ctl("start", "web")
    assert told.line() == "2 one:zero"
    assert said_at(address) == "served"
    assert "descriptor 77" in daemon.ctl("pass", "web", "--fd", "77", check=2).stderr


def test_what_is_dropped_is_not_there_any_more(foster, folder, told):
    text = next_start(folder, told, top={"enabled": False})
    own = sockets({"listen": "tcp://127.0.0.1:0", "name": "own"})
    daemon = foster({"web": text, "own": unit(SLEEPER) + own}).start()
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http")
    address = ("127.0.0.1", port_of(held(daemon, "web")[0]))
    assert daemon.ctl("drop", "web", "http").stdout == "web: dropped http\n"
    assert held(daemon, "web") == []
    assert daemon.ctl("fds", "web").stdout == "nothing is held\n"
    with pytest.raises(ConnectionRefusedError):
        said_at(address)
    daemon.ctl("start", "web")
    assert told.line() == "0 "
    assert "fosterctl fds web" in daemon.ctl("drop", "web", "http", check=3).stderr
    assert "[[socket]]" in daemon.ctl("drop", "own", "own", check=1).stderr
    assert [entry["origin"] for entry in held(daemon, "own")] == ["socket"]


def test_a_command_takes_it(foster):
    daemon = foster({"web": unit(SLEEPER)}).start()
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http")
    script = ("import os, socket, sys; e = os.environ;"
              "print(e['LISTEN_FDS'], e['LISTEN_FDNAMES'], int(e['LISTEN_PID']) == os.getpid(),"
              " socket.socket(fileno=3).getsockname()[1], *sys.argv[1:]); sys.exit(7)")
    done = daemon.ctl("take", "web", "http", "--", sys.executable, "-c", script, "-x", "--", "y",
                      check=7)
    assert done.stdout == f"1 http True {port_of(held(daemon, 'web')[0])} -x -- y\n"
    assert [entry["name"] for entry in held(daemon, "web")] == ["http"]
    assert "htpp" in daemon.ctl("take", "web", "htpp", "--", "true", check=3).stderr
    missing = daemon.ctl("take", "web", "http", "--", "/no/such/program", check=1)
    assert "cannot execute /no/such/program: No such file" in missing.stderr


def test_a_port_in_use_says_who_has_it(foster):
    daemon = foster({"web": unit(SLEEPER)}).start()
    with listening_socket() as listening:
        port = listening.getsockname()[1]
        done = daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "a",
                          "--listen", f"tcp://127.0.0.1:{port}", "--name", "b", check=1)
    assert "already in use" in done.stderr and f"process {os.getpid()}" in done.stderr
    assert held(daemon, "web") == []


@needs_root
def test_only_those_who_may_change_things_pass_and_take(foster, folder):
    daemon = foster({"web": unit(SLEEPER)}, own_programs=True).start()
    daemon.ctl("pass", "web", "--listen", "tcp://127.0.0.1:0", "--name", "http")
    for words in (("pass", "web", "--fd", "0"), ("drop", "web", "http"),
                  ("take", "web", "http", "--", "true")):
        assert "only root" in daemon.ctl(*words, uid=OTHER, check=5).stderr
    assert "http" in daemon.ctl("fds", "web", uid=OTHER).stdout
    script = ("import sys; from raw_bus import RawBus\n"
              "try: RawBus(sys.argv[1])\n"
              "except AssertionError: print('no descriptors')")
    for module in (raw_bus, events):
        shutil.copy(module.__file__, folder)  # the sources may be out of their reach
    done = subprocess.run(["/usr/bin/python3", "-B", "-c", script, str(control(daemon))],
                          user=OTHER, group=OTHER, extra_groups=[], text=True,
                          capture_output=True, check=False, cwd="/", timeout=PATIENCE_S,
                          env={"PYTHONPATH": str(folder)})
    assert done.stdout == "no descriptors\n", done.stderr
    assert [entry["name"] for entry in held(daemon, "web")] == ["http"]


@needs_root
def test_the_caller_opens_it_with_their_own_rights(foster):
    who = ordinary_user()
    daemon = foster({"web": unit(SLEEPER)}, uid=who.pw_uid).start()
    done = daemon.ctl("pass", "web", "--listen", "unix:///root/foster-e2e.sock", check=5)
    assert "Permission denied" in done.stderr


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 1)  # SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)


@needs_root
def test_the_socket_is_of_the_callers_own_network(foster):
    daemon = foster({"web": live()}).start()
    script = f"""
import os, subprocess, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_pass import raise_loopback, said_at
raise_loopback()
subprocess.run(sys.argv[1:], check=True)
print(said_at(("127.0.0.1", 80)))
"""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-B", "-c", script,
         str(daemon.programs / "fosterctl"), "--instance", daemon.name, "pass", "web", "--listen",
         "tcp://127.0.0.1:80", "--name", "inner"],
        env=daemon.environment() | {key: os.environ[key] for key in os.environ
                                    if key.startswith(("FOSTER_", "PYTHONPATH"))},
        text=True, capture_output=True, check=False, timeout=PATIENCE_S)
    assert done.stdout == "web: inner was handed over\nyou have come by inner\n", done.stderr


def test_wrong_names_are_told(foster):
    daemon = foster({"web": unit(SLEEPER)}).start()
    done = daemon.ctl("pass", "wbe", "--listen", "tcp://127.0.0.1:0", check=3)
    assert "no such unit: wbe (did you mean web?)" in done.stderr
    assert "no colon" in daemon.ctl("pass", "web", "--fd", "0", "--name", "a:b", check=2).stderr
    assert "no such unit: wbe" in daemon.ctl("fds", "wbe", check=3).stderr
    assert "no such unit: wbe" in daemon.ctl("drop", "wbe", "x", check=3).stderr
    assert held(daemon, "web") == []


def test_what_would_come_to_no_process_is_refused(foster, folder):
    accepting = unit(SLEEPER) + sockets({"listen": "tcp://127.0.0.1:0", "accept": True})
    daemon = foster({"all": unit(None, type="group"), "echo@": accepting}).start()
    path = folder / "x.sock"
    for name, why in (("all", "is a group"), ("echo@", "no process of its own"),
                      ("echo@1", "started for a connection")):
        refused = daemon.ctl("pass", name, "--listen", f"unix://{path}", check=1)
        assert f"cannot pass a descriptor to {name}: " in refused.stderr
        assert why in refused.stderr
        assert "passed" not in [entry["origin"] for entry in held(daemon, name)]
        assert not path.exists()


def control(daemon):
    return daemon.runtime_base / daemon.id / "control"


def test_as_many_as_a_start_can_take_and_no_more(foster, folder, told):
    daemon = foster({"web": next_start(folder, told, top={"enabled": False})}).start()
    passed = 0
    with RawBus(control(daemon)) as bus:
        assert bus.call("Version", "", b"")  # the connection stands, and is one of its files
        before = open_files(daemon.manager())
        # One that can be listened at comes first: the service accepts there.
        files = [listening_socket()]
        with pytest.raises(Refused, match="TooManyDescriptors") as refused:
            while passed < 1000:
                bus.pass_one("web", f"n{passed}", [files[-1].fileno()])
                passed += 1
                files.append(open(os.devnull, "rb"))
        # The connection serves on.
        assert bus.drop("web", f"n{passed - 1}") == 1
        bus.pass_one("web", "last", [files[-1].fileno()])
        names = ":".join([f"n{i}" for i in range(passed - 1)] + ["last"])
        assert open_files(daemon.manager()) == before + passed
    assert str(passed) in refused.value.args[1]
    address = files[0].getsockname()
    daemon.ctl("start", "web")
    assert told.line() == f"{passed} {names}"
    assert said_at(address) == "served"


def test_what_comes_beside_one_descriptor_is_closed(foster):
    daemon = foster({"web": unit(SLEEPER)}).start()
    with RawBus(control(daemon)) as bus, open(os.devnull, "rb") as null:
        assert bus.call("Version", "", b"")
        before = open_files(daemon.manager())
        bus.pass_one("web", "one", [null.fileno()] * 253, index=252)
        with pytest.raises(Refused):
            bus.pass_one("web", "none", [])
        assert open_files(daemon.manager()) == before + 1
    assert [entry["name"] for entry in held(daemon, "web")] == ["one"]
    assert daemon.unit("web")["state"] == "running"


def test_thousands_of_hand_overs_leave_nothing_behind(foster, folder):
    script = folder / "reader.py"
    script.write_text(READER)
    daemon = foster({"web": unit(["/usr/bin/python3", str(script)], receive="live"),
                     "other": unit(SLEEPER)}).start()
    live_ones = 0

    def open_by_both():
        # What is started now, the keeper hears of after all that went before.
        daemon.ctl("restart", "other")
        assert bus.call("Version", "", b"")
        return open_files(daemon.keeper), open_files(daemon.manager())

    with RawBus(control(daemon)) as bus, open(os.devnull, "rb") as null:
        before = open_by_both()
        for _ in range(10_000):
            live_ones += bus.pass_one("web", "x", [null.fileno()])
            assert bus.drop("web", "x") == 1
        assert open_by_both() == before
    assert live_ones > 0
