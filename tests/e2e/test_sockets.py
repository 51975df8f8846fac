"""[[socket]]: opened before the service, kept over everything, first-connection."""

import json
import os
import re
import signal
import socket
import stat
import time
from pathlib import Path

import pytest

from clients import free_port
from conftest import needs_root
from daemon import shell, sockets, unit
from events import PATIENCE_S, deadline_in, wait_for_end, wait_for_file
from region import PHASES

# Serves one client after the other on its first descriptor: "die" and "leave" end it, anything else
# is answered with its pid and the names of what it was given.
SERVER = """
import os, socket
assert int(os.environ["LISTEN_PID"]) == os.getpid()
assert len(os.environ["LISTEN_FDNAMES"].split(":")) == int(os.environ["LISTEN_FDS"])
server = socket.socket(fileno=3)
while True:
    client, _ = server.accept()
    said = client.recv(100)
    if said in (b"die", b"leave"):
        os._exit(said == b"die")
    client.sendall(f"{os.getpid()} {os.environ['LISTEN_FDNAMES']}".encode())
    client.close()
"""

# Writes what each of its descriptors is to a file.
TELLER = """
import json, os, signal, socket, stat, sys
told = []
for number in range(3, 3 + int(os.environ["LISTEN_FDS"])):
    kind = stat.S_IFMT(os.fstat(number).st_mode)
    if kind == stat.S_IFSOCK:
        one = socket.socket(fileno=number)
        where = one.getsockname()
        told.append([one.family.name, one.type.name,
                     where.decode() if isinstance(where, bytes) else where])
    else:
        told.append([stat.filemode(kind)[0], "", os.readlink(f"/proc/self/fd/{number}")])
with open(sys.argv[1] + ".new", "w") as file:
    json.dump({"names": os.environ["LISTEN_FDNAMES"].split(":"), "told": told}, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
"""


@pytest.fixture(name="server")
def a_server(folder) -> list[str]:
    script = folder / "server.py"
    script.write_text(SERVER)
    return ["/usr/bin/python3", "-S", str(script)]


def port_of(daemon, name: str = "web") -> int:
    region = daemon.region()
    try:
        return region.units()[name].socket_ports[0]
    finally:
        region.close()


def say(port: int, text: str = "who") -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(text.encode())
        return client.recv(100).decode()


def say_last(port: int, text: str) -> None:
    """What ends the server may reset the connection."""
    try:
        say(port, text)
    except ConnectionResetError:
        pass


def answered_by(port: int) -> int:
    return int(say(port).split()[0])


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def sleep_of(pid: int) -> str | None:
    """Which sleep of the process this is; None while it is awake."""
    text = Path(f"/proc/{pid}/status").read_text()
    if not re.search(r"^State:\s+S", text, re.M):
        return None
    return re.search(r"^voluntary_ctxt_switches:.*", text, re.M).group()


def shut_down(daemon, name: str) -> None:
    """As anybody can who has a copy of the socket."""
    script = "import socket; socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)"
    daemon.ctl("take", name, "http", "--", "/usr/bin/python3", "-c", script)


def keeper_descriptors(daemon) -> list[str]:
    """While the keeper sleeps: it does so only where it waits for events, and then has nothing open
    for a moment alone. Of its falling asleep the kernel tells nobody."""
    folder = f"/proc/{daemon.keeper}/fd"
    deadline = deadline_in()
    while True:
        asleep = sleep_of(daemon.keeper)
        found = []
        for one in os.listdir(folder):
            try:
                found.append(re.sub(r"\[\d+\]", "", os.readlink(f"{folder}/{one}")))
            except FileNotFoundError:
                asleep = None
        if asleep is not None and sleep_of(daemon.keeper) == asleep:
            return sorted(found)
        assert time.monotonic() < deadline, "the keeper does not come to rest"
        os.sched_yield()


def listening(server, port: int = 0, **keys) -> str:
    return unit(server, **keys) + sockets({"listen": f"tcp://127.0.0.1:{port}", "name": "http"})


def test_a_socket_outlives_its_service_the_manager_and_a_load(foster, server):
    daemon = foster({"web": listening(server, restart={"policy": "always"})}).start()
    port = port_of(daemon)
    first = answered_by(port)
    assert first == daemon.unit("web")["pid"]
    assert say(port).split()[1] == "http"

    os.kill(first, signal.SIGKILL)
    wait_for_end(first)  # so that it does not accept any more
    second = answered_by(port)
    assert second != first

    daemon.kill_manager()
    assert port_of(daemon) == port
    assert answered_by(port) == second, "a service does not notice the manager"
    say_last(port, "die")
    third = answered_by(port)

    daemon.write("other", unit(["/bin/sleep", "infinity"]))
    daemon.ctl("load")
    daemon.until_state("other", "running")
    assert answered_by(port) == third
    daemon.ctl("restart", "web")
    assert port_of(daemon) == port
    assert answered_by(port) not in (first, second, third)

    daemon.ctl("stop", "web")
    assert is_refused(port)
    assert port_of(daemon) == 0


def test_a_manager_killed_again_and_again_keeps_the_port(foster, server):
    daemon = foster({"web": listening(server)}).start()
    port = port_of(daemon)
    serving = answered_by(port)
    held = keeper_descriptors(daemon)
    for _ in range(5):
        daemon.kill_manager()
        assert answered_by(port) == serving
    daemon.until(lambda region: PHASES[region.header.phase] == "running", "to be served")
    assert keeper_descriptors(daemon) == held


def test_the_keeper_holds_no_more_after_many_restarts(foster):
    script = shell("echo $LISTEN_FDS; sleep infinity")
    daemon = foster({"web": listening(script)}).start()
    daemon.ctl("stop", "web")
    before = keeper_descriptors(daemon)
    daemon.ctl("start", "web")
    held = keeper_descriptors(daemon)
    assert len(held) == len(before) + 1
    for _ in range(30):
        daemon.ctl("restart", "web")
    assert keeper_descriptors(daemon) == held
    daemon.ctl("stop", "web")
    assert keeper_descriptors(daemon) == before


def test_every_kind_in_the_order_of_the_file(foster, folder):
    teller = folder / "teller.py"
    teller.write_text(TELLER)
    found = folder / "found"
    daemon = foster({"all": unit(["/usr/bin/python3", "-S", teller, found]) + sockets(
        {"listen": "tcp://127.0.0.1:0", "name": "http"},
        {"listen": f"unix://{folder}/x.sock", "mode": "0660", "name": "x"},
        {"listen": f"fifo://{folder}/x.fifo", "name": "pipe"},
        {"listen": "udp://127.0.0.1:0", "name": "dns"},
        {"listen": "unix-dgram://@foster-test-" + folder.name, "name": "abstract"},
        {"listen": f"unix-seqpacket://{folder}/y.sock"})}).start()
    wait_for_file(found)
    told = json.loads(found.read_text())
    assert told["names"] == ["http", "x", "pipe", "dns", "abstract", "all"]
    kinds = [one[:2] for one in told["told"]]
    assert kinds == [["AF_INET", "SOCK_STREAM"], ["AF_UNIX", "SOCK_STREAM"], ["p", ""],
                     ["AF_INET", "SOCK_DGRAM"], ["AF_UNIX", "SOCK_DGRAM"],
                     ["AF_UNIX", "SOCK_SEQPACKET"]]
    ports = [told["told"][0][2][1], 0, 0, told["told"][3][2][1]]
    region = daemon.region()
    assert list(region.units()["all"].socket_ports) == ports
    assert region.units()["all"].socket_count == 6
    region.close()
    assert stat.S_IMODE((folder / "x.sock").stat().st_mode) == 0o660
    daemon.ctl("stop", "all")
    for name in ("x.sock", "x.fifo", "y.sock"):
        assert not (folder / name).exists(), f"{name} is left"


def test_first_connection(foster, server):
    daemon = foster({"web": listening(server, start="first-connection")}).start()
    port = port_of(daemon)
    assert daemon.unit("web")["state"] == "listening"
    assert not daemon.unit("web")["pid"]
    first = answered_by(port)
    assert daemon.until_state("web", "running")["pid"] == first
    say_last(port, "leave")
    daemon.until_state("web", "listening")
    daemon.kill_manager()
    assert port_of(daemon) == port
    second = answered_by(port)
    assert second != first
    say_last(port, "die")
    assert answered_by(port) not in (first, second), "a failure is the restart policy's"
    daemon.ctl("stop", "web")
    assert is_refused(port)
    daemon.ctl("start", "web")
    assert daemon.unit("web")["state"] == "listening"


def test_a_connection_is_seen_by_the_next_manager(foster, server):
    daemon = foster({"web": listening(server, start="first-connection")}).start()
    port = port_of(daemon)
    manager = daemon.manager()
    os.kill(manager, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        os.kill(manager, signal.SIGKILL)
        client.sendall(b"who")
        assert client.recv(100)


def test_all_kinds_are_watched(foster, folder):
    log = folder / "log"
    ends = shell(f"echo $FOSTER_UNIT >> {log}; exec sleep infinity")
    first = {"start": "first-connection"}
    daemon = foster({
        "udp": unit(ends, **first) + sockets({"listen": "udp://127.0.0.1:0"}),
        "fifo": unit(ends, **first) + sockets({"listen": f"fifo://{folder}/fifo"}),
        "dgram": unit(ends, **first) + sockets({"listen": f"unix-dgram://{folder}/dgram"}),
        "second": unit(ends, **first) + sockets(
            {"listen": "tcp://127.0.0.1:0", "name": "one"},
            {"listen": f"unix://{folder}/second", "name": "two"})}).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", ("127.0.0.1", port_of(daemon, "udp")))
    with open(folder / "fifo", "wb", buffering=0) as fifo:
        fifo.write(b"x")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", str(folder / "dgram"))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "second"))
        for name in ("udp", "fifo", "dgram", "second"):
            daemon.until_state(name, "running")


def test_one_that_ends_at_once_on_activation_does_not_spin(foster):
    daemon = foster({"web": listening(["/bin/true"], start="first-connection",
                                      trigger_limit=5, trigger_interval="1h")}).start()
    port = port_of(daemon)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S):
        status = daemon.until_state("web", "failed")
    assert status["cause"] == "rate_limited"
    assert status["attempt"] == 5
    assert is_refused(port)


@pytest.mark.parametrize("start", ["immediately", "first-connection"])
def test_a_port_in_use_tells_who_has_it(foster, server, start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        daemon = foster({"web": listening(server, port, start=start)})
        daemon.launch()
        daemon.until_unit("web", lambda body: body.state_word in ("failed", "backoff"), "its end")
        assert daemon.terminate() == 0
        assert re.search(rf"cannot listen on tcp://127.0.0.1:{port}: .*process {os.getpid()}",
                         daemon.log())


def test_a_changed_address_is_opened_and_the_old_one_closed(foster, server):
    daemon = foster({"web": listening(server, start="first-connection")}).start()
    old = port_of(daemon)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    daemon.write("web", listening(server, port, start="first-connection"))
    daemon.ctl("load")
    daemon.until_unit("web", lambda body: body.socket_ports[0] == port, "the new port")
    assert answered_by(port)
    assert is_refused(old)


def test_what_needs_a_unit_whose_port_is_taken_is_not_started(foster, folder, server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = foster({
            "web": unit(server, top={"enabled": False}, start="first-connection") +
            sockets({"listen": f"tcp://127.0.0.1:{port}"}),
            "user": unit(shell(f"echo > {folder}/started; exec sleep 1000"), top={"enabled": False},
                         depends={"requires": ["web"]})}).start()
        assert "already in use" in daemon.ctl("start", "web", check=1).stderr
        daemon.ctl("start", "user", check=1)
    assert not (folder / "started").exists()
    daemon.ctl("start", "web")
    daemon.until_state("web", "listening")


def test_two_in_conflict_take_the_same_port_from_each_other(foster, server):
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    text = unit(server, start="first-connection", top={"enabled": False})
    daemon = foster({"blue": text + sockets({"listen": listen}),
                     "green": unit(server, start="first-connection", top={"enabled": False},
                                   depends={"conflicts": ["blue"]}) +
                     sockets({"listen": listen})}).start()
    for name in ("blue", "green", "blue", "green"):
        daemon.ctl("start", name)
        daemon.until_state(name, "listening")


def test_a_removed_unit_leaves_no_socket(foster, folder, server):
    path = folder / "x.sock"
    keys = {"start": "first-connection"}
    daemon = foster({"web": unit(server, **keys) + sockets({"listen": f"unix://{path}"}),
                     "other": unit(["/bin/sleep", "infinity"])}).start()
    assert path.exists()
    (daemon.units / "web.toml").unlink()
    daemon.ctl("load")
    daemon.until(lambda region: "web" not in region.units() and region.units(), "a new set")
    daemon.until(lambda region: PHASES[region.header.phase] == "running", "to be served")
    assert not path.exists()


# Starts fosterd as a supervisor above would: with a listening socket as number 3.
ABOVE = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
other = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as file:
    file.write(str(server.getsockname()[1]))
high = os.dup(other.fileno()), os.dup(server.fileno())
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="nobody:http")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_sockets_from_above_are_claimed_by_their_names(foster, folder, server):
    told = folder / "port"
    daemon = foster({"web": unit(server, restart={"policy": "always"}) + sockets(
        {"listen": "tcp://127.0.0.1:0", "name": "http"})})
    daemon.start(prefix=["/usr/bin/python3", "-c", ABOVE, str(told)])
    port = int(told.read_text())
    assert port_of(daemon) == port
    first = answered_by(port)
    assert "inherited" in daemon.ctl("fds", "web").stdout
    daemon.kill_manager()
    daemon.until_unit("web", lambda body: body.socket_ports[0] == port, "the same port")
    say_last(port, "die")
    assert answered_by(port) != first
    daemon.ctl("stop", "web")
    daemon.kill_manager()
    daemon.ctl("start", "web")
    assert port_of(daemon) == port, "it is not given up with the service"
    assert answered_by(port)


def test_a_command_gets_what_fosterd_was_given(foster, folder):
    script = ('echo "$LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$))" >$1; '
              'readlink /proc/$$/fd/3 /proc/$$/fd/4 >>$1')
    daemon = foster()
    daemon.launch(prefix=["/usr/bin/python3", "-c", ABOVE, str(folder / "port")],
                  command=["/bin/sh", "-c", script, "sh", str(folder / "told")])
    assert daemon.wait() == 0
    told = (folder / "told").read_text().splitlines()
    assert told[0] == "2 nobody:http 1"
    assert [line.startswith("socket:") for line in told[1:3]] == [True, True]
    assert told[1] != told[2]


def test_a_socket_is_handed_up_and_comes_back(foster, folder, server):
    above = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    above.bind(str(folder / "above"))
    above.settimeout(PATIENCE_S)
    daemon = foster({"web": listening(server)})
    daemon.launch(notify=str(folder / "above"))
    daemon.until_state("web", "running")
    port = port_of(daemon)
    daemon.ctl("hand-up", "web", "http")
    stored = None
    while stored is None:
        text, fds, _, _ = socket.recv_fds(above, 4096, 1)
        stored = fds[0] if fds else None
    assert text == b"FDSTORE=1\nFDNAME=http"
    again = socket.socket(fileno=stored)
    assert again.getsockname() == ("127.0.0.1", port)
    daemon.ctl("hand-up", "web", "other", check=3)
    assert "is not closed while fosterd runs" in daemon.ctl("drop", "web", "http", check=1).stderr
    daemon.ctl("stop", "web")
    again.close()
    assert not is_refused(port), "it is as if it had been inherited"
    daemon.kill_manager()
    daemon.ctl("start", "web")
    assert port_of(daemon) == port
    above.close()


def test_a_handed_up_unix_socket_keeps_its_file(foster, folder, server):
    above = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    above.bind(str(folder / "above"))
    path = folder / "x.sock"
    daemon = foster({"web": unit(server) + sockets({"listen": f"unix://{path}"})})
    daemon.launch(notify=str(folder / "above"))
    daemon.until_state("web", "running")
    assert daemon.ctl("hand-up", "web", "web").stdout == (
        "web: web was offered to the supervisor above\n")
    before = path.stat().st_ino
    assert daemon.terminate() == 0
    assert path.stat().st_ino == before, "the next fosterd is given the socket that it is of"
    above.close()


def test_a_unit_whose_name_has_a_colon(foster, server):
    text = unit(server) + sockets({"listen": "tcp://127.0.0.1:0"})
    daemon = foster({"db": text, "db:replica": text}).start()
    port = port_of(daemon, "db:replica")
    assert say(port).split()[1] == "db_replica"
    daemon.ctl("pass", "db:replica", "--listen", "tcp://127.0.0.1:0")
    daemon.ctl("load")
    assert port_of(daemon, "db:replica") == port
    assert daemon.ctl("fds", "db:replica").stdout.count("\ndb_replica ") == 2
    daemon.ctl("restart", "db:replica")
    assert say(port).split()[1] == "db_replica:db_replica"


def test_a_socket_whose_file_is_gone_is_opened_anew(foster, folder, server):
    path = folder / "x.sock"
    daemon = foster({"web": unit(server) + sockets({"listen": f"unix://{path}"})}).start()
    path.unlink()
    daemon.ctl("restart", "web")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        client.sendall(b"who")
        assert int(client.recv(100).split()[0]) == daemon.unit("web")["pid"]


@pytest.mark.parametrize("start", ["immediately", "first-connection"])
def test_a_socket_that_was_shut_down_is_opened_anew(foster, server, start):
    port = free_port()
    daemon = foster({"web": listening(server, port, start=start)}).start()
    first = answered_by(port)
    attempt = daemon.unit("web")["attempt"]
    shut_down(daemon, "web")
    daemon.until_unit("web", lambda body: body.attempt > attempt and body.state_word == "running" or
                      body.state_word == "listening", "a socket that can be used")
    assert answered_by(port) != first


def test_a_load_leaves_a_renamed_socket_to_the_service(foster, folder, server):
    path = folder / "x.sock"
    daemon = foster({"web": unit(server) + sockets({"listen": f"unix://{path}"})}).start()
    before = path.stat().st_ino
    daemon.write("web", unit(server) + sockets({"listen": f"unix://{path}", "name": "http"}))
    daemon.ctl("load")
    assert path.stat().st_ino == before
    daemon.ctl("restart", "web")
    assert path.stat().st_ino == before
    daemon.write("web", unit(server) + sockets({"listen": f"unix://{folder}/y", "name": "http"}))
    daemon.ctl("load")
    assert path.stat().st_ino == before, "the process serves there"
    daemon.ctl("restart", "web")
    assert not path.exists()
    assert (folder / "y").exists()


def test_what_is_given_and_not_claimed_is_told(foster, folder):
    address = f"unix-dgram://{folder}/x"
    daemon = foster({"web": unit(["/bin/sleep", "infinity"]) + sockets(
        {"listen": address, "name": "http"})})
    daemon.launch(prefix=["/usr/bin/python3", "-c", ABOVE, str(folder / "port")])
    daemon.until_state("web", "running")
    told = [line for line in daemon.log().splitlines() if "no unit takes a descriptor" in line]
    assert len(told) == 2
    assert "nobody" in told[0] and "no [[socket]] has this name" in told[0]
    assert f"of web is {address}" in told[1]


def test_nobody_above_keeps_a_socket(foster, server):
    daemon = foster({"web": listening(server)})
    daemon.launch()
    daemon.until_state("web", "running")
    assert "NOTIFY_SOCKET" in daemon.ctl("hand-up", "web", "http", check=1).stderr


def test_hooks_and_checks_get_no_sockets(foster, folder):
    daemon = foster({"web": listening(
        ["/bin/sleep", "infinity"],
        hooks={"post_start": [shell(f"echo ${{LISTEN_FDS-none}} > {folder}/hook")]})}).start()
    assert (folder / "hook").read_text() == "none\n"
    daemon.ctl("stop", "web")


def test_ready_and_output_go_along_with_sockets(foster, folder, server):
    keys = {"ready": {"output": "up"}, "keep_output": True}
    script = shell(f"echo $LISTEN_FDS ${{LISTEN_PID}} $$ > {folder}/x; echo up; exec sleep 1000")
    daemon = foster({"web": listening(script, **keys)}).start()
    count, pid, own = (folder / "x").read_text().split()
    assert (count, pid) == ("1", own)
    opened = os.listdir(f"/proc/{daemon.unit('web')['pid']}/fd")
    assert sorted(opened, key=int) == ["0", "1", "2", "3"]


@needs_root
def test_a_service_of_another_user_gets_its_low_port(foster, folder, server):
    path = folder / "x.sock"
    daemon = foster({"web": unit(server, user="nobody") + sockets(
        {"listen": f"unix://{path}", "user": "nobody", "mode": "0600"})}).start()
    assert path.stat().st_uid == 65534
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"who")
        assert int(client.recv(100).split()[0]) == daemon.unit("web")["pid"]


def test_the_end_of_the_daemon_leaves_no_file(foster, folder, server):
    path = folder / "x.sock"
    daemon = foster({"web": unit(server) + sockets({"listen": f"unix://{path}"}),
                     "idle": unit(server, start="first-connection") + sockets(
                         {"listen": f"unix://{folder}/y.sock"})}).start()
    keeper = daemon.keeper
    assert path.exists()
    assert daemon.terminate() == 0
    wait_for_end(keeper)
    assert not path.exists()
    assert not Path(folder / "y.sock").exists()
