"""The store of descriptors: FDSTORE=1 and its kin of sd_notify(3), from Python's socket.send_fds
and from systemd-notify(1)."""

import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from daemon import shell, sockets, unit
from events import Fifo, wait_for_end
from test_sockets import keeper_descriptors

# A service that does what it is told line by line, and answers on another FIFO:
#   given                     what it was started with: names and what can be read of each
#   store NAME TEXT [more]    a memfd with the text; more lines of the message, '/' between them
#   many NAME COUNT           one message with that many descriptors
#   strange NAME              a memfd whose own name is no UTF-8
#   pipe NAME                 stores a pipe's read end; "hang" closes the write end
#   say TEXT                  a message without descriptors
#   run PROGRAM ...           as a process of its own
#   loop COUNT                as many messages, each with a new descriptor
SERVICE = """
import json, os, socket, subprocess, sys
messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
messages.connect(os.environ["NOTIFY_SOCKET"])

def memory(text):
    fd = os.memfd_create("x")
    os.write(fd, text.encode())
    return fd

def send(text, fds):
    socket.send_fds(messages, [text.encode()], fds)
    for fd in fds:
        os.close(fd)

def barrier():
    end, other = os.pipe()
    socket.send_fds(messages, [b"BARRIER=1"], [other])
    os.close(other)
    os.read(end, 1)
    os.close(end)

def given():
    found = []
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    for i in range(int(os.environ.get("LISTEN_FDS", "0"))):
        try:
            text = os.pread(3 + i, 100, 0).decode()
        except OSError:
            text = ""
        found.append([names[i], text])
    return found

kept = []
messages.send(b"READY=1")
answers = open(sys.argv[2], "w", buffering=1)
for line in open(sys.argv[1], encoding="utf-8"):
    word, *rest = line.split()
    if word == "given":
        answers.write(json.dumps(given()) + "\\n")
        continue
    if word == "store":
        more = "".join("\\n" + one for one in rest[2:])
        name = "" if rest[0] == "-" else f"\\nFDNAME={rest[0]}"
        send(f"FDSTORE=1{name}{more}", [memory(rest[1])])
    if word == "again":
        fd = memory("again")
        for _ in range(3):
            socket.send_fds(messages, [f"FDSTORE=1\\nFDNAME={rest[0]}".encode()], [fd])
        os.close(fd)
    if word == "many":
        send(f"FDSTORE=1\\nFDNAME={rest[0]}", [memory(str(i)) for i in range(int(rest[1]))])
    if word == "strange":
        send(f"FDSTORE=1\\nFDNAME={rest[0]}", [os.memfd_create(b"caf\\xe9")])
    if word == "pipe":
        end, other = os.pipe()
        kept.append(other)
        send(f"FDSTORE=1\\nFDNAME={rest[0]}", [end])
    if word == "hang":
        os.close(kept.pop())
    if word == "say":
        messages.send(" ".join(rest).replace("/", "\\n").encode())
    if word == "run":
        subprocess.run(rest, check=True)
    if word == "loop":
        for i in range(int(rest[0])):
            send("FDSTORE=1\\nFDNAME=loop", [memory(str(i))])
    barrier()
    answers.write("done\\n")
"""


class Service:
    """Its two FIFOs, and the text of its unit."""

    def __init__(self, folder):
        self.script = folder / "service.py"
        self.script.write_text(SERVICE)
        self.orders = Fifo(folder / "orders")
        self.answers = folder / "answers"
        os.mkfifo(self.answers)
        self._reader = os.fdopen(os.open(self.answers, os.O_RDWR), "r")

    def unit(self, **keys) -> str:
        return unit(["/usr/bin/python3", "-S", self.script, self.orders.path, self.answers],
                    type="notify", restart={"policy": "always"}, **keys)

    def told(self, order: str) -> str:
        self.orders.say(order)
        return self.answer()

    def answer(self) -> str:
        return self._reader.readline().strip()

    def given(self) -> list:
        return json.loads(self.told("given"))

    def close(self) -> None:
        self.orders.close()
        self._reader.close()


@pytest.fixture(name="service")
def a_service(folder):
    made = Service(folder)
    yield made
    made.close()


def held(daemon) -> int:
    region = daemon.region()
    try:
        return region.units()["web"].held_count
    finally:
        region.close()


def crash(daemon, name: str = "web") -> None:
    before = daemon.unit(name)
    os.kill(before["pid"], signal.SIGKILL)
    daemon.until_unit(name, lambda body: body.attempt > before["attempt"] and
                      body.state_word == "running", "another process")


def test_what_is_stored_comes_back_behind_the_sockets(foster, service):
    daemon = foster({"web": service.unit() + sockets({"listen": "tcp://127.0.0.1:0"})}).start()
    assert service.given() == [["web", ""]]
    service.told("store state one")
    service.told("store - two")
    assert held(daemon) == 2
    crash(daemon)
    everything = [["web", ""], ["state", "one"], ["stored", "two"]]
    assert service.given() == everything
    daemon.kill_manager()
    assert held(daemon) == 2
    daemon.ctl("restart", "web")
    assert service.given() == everything
    assert "memfd" in daemon.ctl("fds", "web").stdout
    daemon.ctl("stop", "web")
    daemon.ctl("start", "web")
    assert service.given() == [["web", ""]], "a stop gives up what was stored"


def test_a_manager_that_dies_meanwhile_loses_none(foster, service):
    daemon = foster({"web": service.unit()}).start()
    for number in range(4):
        manager = daemon.manager()
        os.kill(manager, signal.SIGSTOP)
        service.orders.say(f"store state {number}")
        os.kill(manager, signal.SIGKILL)
        daemon.until(lambda region, old=manager: region.header.manager_pid not in (0, old), "next")
        assert service.answer() == "done"
        assert service.told("say STATUS=there") == "done"
        service.told("say STATUS=more")
    crash(daemon)
    assert held(daemon) == 4, daemon.log()


def test_the_same_open_file_is_stored_once(foster, service):
    daemon = foster({"web": service.unit()}).start()
    service.told("again state")
    assert held(daemon) == 1


def test_what_has_a_strange_name_can_be_looked_at(foster, service):
    daemon = foster({"web": service.unit()}).start()
    service.told("strange state")
    assert "caf\N{REPLACEMENT CHARACTER}" in daemon.ctl("fds", "web").stdout


def test_removing_by_name(foster, service):
    daemon = foster({"web": service.unit()}).start()
    for order in ("store a one", "store a two", "store b three"):
        service.told(order)
    service.told("say FDSTOREREMOVE=1/FDNAME=a")
    assert held(daemon) == 1
    crash(daemon)
    assert service.given() == [["b", "three"]]


def test_what_hangs_up_is_dropped_unless_it_says_not_to(foster, service):
    daemon = foster({"web": service.unit()}).start()
    service.told("pipe talk")
    assert held(daemon) == 1
    service.told("hang")
    daemon.until_unit("web", lambda body: body.held_count == 0, "the pipe to be dropped")
    service.told("store file text FDPOLL=0")
    assert held(daemon) == 1


def test_never_preserved(foster, service):
    daemon = foster({"web": service.unit(store_preserve="never")}).start()
    service.told("store state one")
    assert held(daemon) == 1
    crash(daemon)
    assert service.given() == []
    assert held(daemon) == 0


def test_always_preserved(foster, service):
    daemon = foster({"web": service.unit(store_preserve="always")}).start()
    service.told("store state one")
    daemon.ctl("stop", "web")
    daemon.kill_manager()
    assert held(daemon) == 1
    daemon.ctl("start", "web")
    assert service.given() == [["state", "one"]]
    daemon.ctl("drop", "web", "state")
    assert held(daemon) == 0


def test_no_more_than_the_maximum(foster, service):
    daemon = foster({"web": service.unit(store_max=3)}).start()
    service.told("many all 5")
    assert held(daemon) == 3
    service.told("store more one")
    assert held(daemon) == 3
    assert "store-max" in daemon.log()
    crash(daemon)
    assert service.given() == [["all", "0"], ["all", "1"], ["all", "2"]]


def test_each_unit_s_refusal_is_told(foster, service):
    storing = ("import os, socket; messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
               "messages.connect(os.environ['NOTIFY_SOCKET']); "
               "[socket.send_fds(messages, [b'FDSTORE=1'], [0]) for _ in range(3)]; "
               "messages.send(b'READY=1'); import signal; signal.pause()")
    other = unit(["/usr/bin/python3", "-S", "-c", storing], type="notify", store_max=0)
    daemon = foster({"web": service.unit(store_max=1), "one": other, "two": other}).start()
    service.told("many all 3")
    for name in ("one", "two"):
        daemon.until_state(name, "running")
    said = [line for line in daemon.log().splitlines() if "is not stored" in line]
    assert len(said) == 3, said
    for name, why in (("web", "as many as store-max allows"), ("one", "store-max is 0"),
                      ("two", "store-max is 0")):
        assert len([line for line in said if f"unit={name} " in line and why in line]) == 1, said


def test_none_are_taken_where_the_maximum_is_zero(foster, service):
    daemon = foster({"web": service.unit(store_max=0)}).start()
    before = keeper_descriptors(daemon)
    service.told("many all 253")
    assert held(daemon) == 0
    assert keeper_descriptors(daemon) == before


def test_as_many_as_a_message_can_carry(foster, service):
    daemon = foster({"web": service.unit(store_max=240)}).start()
    service.told("many all 253")
    count = held(daemon)
    assert 200 < count <= 253
    crash(daemon)
    assert len(service.given()) == count, "what is held can be handed on"
    service.told("many more 253")
    assert held(daemon) == count
    assert daemon.log().count("a descriptor is not stored") >= 1


def test_malformed_wishes(foster, service):
    daemon = foster({"web": service.unit()}).start()
    service.told("say FDSTORE=1")
    assert "without a descriptor" in daemon.log()
    assert held(daemon) == 0
    service.told("store with:colon one")
    service.told("store " + "x" * 300 + " two")
    assert held(daemon) == 2
    crash(daemon)
    assert service.given() == [["stored", "one"], ["stored", "two"]]


def test_one_that_stores_in_a_loop(foster, service):
    daemon = foster({"web": service.unit(), "other": unit(["/bin/sleep", "infinity"])}).start()
    service.told("loop 2000")
    assert held(daemon) == 64
    assert sum("/memfd:x" in one for one in keeper_descriptors(daemon)) == 64
    assert daemon.log().count("a descriptor is not stored") < 20
    daemon.ctl("restart", "other")
    daemon.ctl("stop", "web")
    assert held(daemon) == 0


def test_a_stranger_stores_nothing(foster, service):
    daemon = foster({"web": service.unit()}).start()
    folders = daemon.runtime_base / daemon.id / "notify"
    before = keeper_descriptors(daemon)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        for path in folders.iterdir():
            messages.connect(str(path))
            socket.send_fds(messages, [b"FDSTORE=1"], [messages.fileno()])
            end, other = os.pipe()
            socket.send_fds(messages, [b"BARRIER=1"], [other])
            os.close(other)
            assert os.read(end, 1) == b""
            os.close(end)
    assert held(daemon) == 0
    assert keeper_descriptors(daemon) == before


@pytest.mark.skipif(shutil.which("systemd-notify") is None,
                    reason="systemd-notify is not installed")
def test_systemd_notify_removes_a_descriptor(foster, service):
    daemon = foster({"web": service.unit(notify_access="all")}).start()
    service.told("store state one")
    assert held(daemon) == 1
    service.told("run systemd-notify FDSTOREREMOVE=1 FDNAME=state")
    daemon.until_unit("web", lambda body: body.held_count == 0, "it to be dropped")


def test_the_limit_of_open_files_loses_nothing(foster, service):
    """Past what the limit allows for there is a clear refusal; what is held stays held."""
    limit = ["/bin/sh", "-c", "ulimit -Sn 64; ulimit -Hn 256; exec \"$@\"", "sh"]
    daemon = foster({"web": service.unit(store_max=240),
                     "limit": unit(shell("ulimit -Sn; exec sleep infinity"))})
    daemon.start(prefix=limit)
    assert "64\n" in daemon.output(), "services have the limit that fosterd was started with"
    service.told("many all 50")
    assert held(daemon) == 50
    service.told("loop 300")
    count = held(daemon)
    assert 50 < count < 100
    assert "RLIMIT_NOFILE" in daemon.log()
    daemon.kill_manager()
    assert held(daemon) == count
    assert daemon.unit("web")["state"] == "running"
    daemon.ctl("stop", "web")
    assert held(daemon) == 0


def test_the_end_of_the_service_that_stored_last(foster, folder):
    """What comes in after its end, or just before, is held until the unit is at rest."""
    script = folder / "last.py"
    script.write_text("import os, socket\n"
                      "messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                      "messages.connect(os.environ['NOTIFY_SOCKET'])\n"
                      "socket.send_fds(messages, [b'READY=1\\nFDSTORE=1'], [0])\n")
    daemon = foster({"web": unit(["/usr/bin/python3", "-S", script], type="notify")})
    daemon.launch()
    end = daemon.keeper
    daemon.until_unit("web", lambda body: body.exits == 1, "its end")
    daemon.ctl("stop", "web")
    assert held(daemon) == 0
    daemon.terminate()
    wait_for_end(end)
