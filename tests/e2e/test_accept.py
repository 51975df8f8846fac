"""accept = true: foster accepts, and starts an instance of a template for each connection."""

import os
import resource
import socket

import pytest

from daemon import shell, sockets, unit
from events import PATIENCE_S, wait_for_end

# Says what it was given, then gives back what it is sent.
ECHO = shell('echo "$REMOTE_ADDR $REMOTE_PORT $REMOTE_UID|$LISTEN_FDS $LISTEN_FDNAMES '
             '$LISTEN_PID|$$" >&3; exec cat <&3 >&3')


def echo(command=None, listen: str = "tcp://127.0.0.1:0", top=None, **keys) -> dict[str, str]:
    text = unit(command or ECHO, top=top)
    return {"echo@": text + sockets({"listen": listen, "accept": True, **keys})}


def port_of(daemon, socket_number: int = 0) -> int:
    region = daemon.region()
    try:
        return region.units()["echo@"].socket_ports[socket_number]
    finally:
        region.close()


class Client:
    def __init__(self, port: int, source: str = "127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S,
                                               source_address=(source, 0))
        self.file = self.socket.makefile("rwb")

    def line(self) -> str:
        """Empty when the connection has been closed."""
        try:
            return self.file.readline().decode().rstrip("\n")
        except ConnectionResetError:
            return ""

    def say(self, text: str) -> str:
        self.file.write(text.encode() + b"\n")
        self.file.flush()
        return self.line()

    def pid(self) -> int:
        return int(self.line().split("|")[2])

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture(name="connect")
def a_connect():
    clients = []

    def connect(*arguments) -> Client:
        clients.append(Client(*arguments))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def keeper_descriptors(daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.keeper}/fd"))


def until_refused(port: int) -> None:
    """The keeper closes the socket as soon as it is told; what comes before that is reset then."""
    while True:
        try:
            client = Client(port)
        except (ConnectionRefusedError, ConnectionResetError):
            return
        assert client.line() == ""
        client.close()


def until_idle(daemon) -> None:
    """No instance is busy."""
    daemon.until(lambda region: all(unit.state_word in ("stopped", "exited", "failed")
                                    for name, unit in region.units().items()
                                    if name.startswith("echo@") and name != "echo@"),
                 "every instance has ended")


def test_each_connection_has_an_instance_of_its_own(foster, connect):
    daemon = foster(echo()).start()
    assert daemon.unit("echo@")["state"] == "listening"
    assert daemon.unit("echo@")["pid"] in (0, None)
    port = port_of(daemon)
    one, other = connect(port), connect(port)
    pids = []
    for client in (one, other):
        remote, given, pid = client.line().split("|")
        assert remote == f"127.0.0.1 {client.socket.getsockname()[1]} "
        assert given == f"1 connection {pid}"
        pids.append(int(pid))
    assert pids[0] != pids[1]
    for name, pid in zip(("echo@1", "echo@2"), pids):
        daemon.until_unit(name, lambda body, pid=pid: body.pid == pid, f"{name} is {pid}")
    assert one.say("first") == "first"
    assert other.say("second") == "second"
    one.close()
    assert daemon.until_state("echo@1", "exited")
    assert other.say("still there") == "still there"
    assert daemon.unit("echo@")["state"] == "listening"


def test_others_depend_on_the_unit_that_listens(foster, connect):
    daemon = foster(echo(shell("exit 3"), top={"enabled": False}) |
                    {"web": unit(["/bin/sleep", "infinity"],
                                 depends={"requires": ["echo@"]})}).start()
    daemon.until_state("web", "running")
    assert daemon.unit("echo@")["state"] == "listening"
    assert connect(port_of(daemon)).line() == ""
    daemon.until_state("echo@1", "failed")
    told = daemon.ctl("why", "echo@1").stdout
    assert "disabled" not in told and "fosterctl start" not in told
    assert "echo@1 is started by a connection to echo@" in told


def test_what_is_too_much_is_closed(foster, connect):
    daemon = foster(echo(max_connections=2)).start()
    port = port_of(daemon)
    one, other = connect(port), connect(port)
    one.pid(), other.pid()
    assert connect(port).line() == ""
    assert connect(port).line() == ""
    one.close()
    daemon.until_state("echo@1", "exited")
    assert connect(port).say("x").startswith("127.0.0.1 ")
    assert daemon.log().count("connections are refused") == 1, "at a rate"


def test_each_socket_has_its_own_maximum(foster, connect):
    listens = {"listen": "tcp://127.0.0.1:0", "accept": True}
    daemon = foster({"echo@": unit(ECHO) + sockets(
        {**listens, "name": "small", "max_connections": 1},
        {**listens, "name": "large", "max_connections": 3})}).start()
    small, large = port_of(daemon, 0), port_of(daemon, 1)
    connect(small).pid()
    assert connect(small).line() == "", "the other's room is not its own"
    for _ in range(3):
        connect(large).pid()
    assert connect(large).line() == ""


def test_a_source_has_its_share(foster, connect):
    daemon = foster(echo(listen="tcp://*:0", max_connections_per_source=1)).start()
    port = port_of(daemon)
    connect(port, "127.0.0.1").pid()
    assert connect(port, "127.0.0.1").line() == ""
    assert connect(port, "127.0.0.2").line().startswith("127.0.0.2 "), "v4 on a socket of v6"
    daemon.kill_manager()
    assert connect(port, "127.0.0.2").line() == "", "a successor knows them"
    connect(port, "127.0.0.3").pid()


def test_connections_outlive_the_manager(foster, connect):
    daemon = foster(echo(max_connections=2)).start()
    port = port_of(daemon)
    one = connect(port)
    pid = one.pid()
    daemon.kill_manager()
    assert one.say("still there") == "still there"
    other = connect(port)
    assert other.pid() != pid
    assert connect(port).line() == "", "the one of before counts"
    one.close()
    other.close()
    until_idle(daemon)
    assert connect(port).pid() != pid


def test_connections_come_through_the_end_of_a_manager(foster, connect):
    """Accepted by the one or by the next, started by the one or by the next. The one that it has in
    its hands at that moment ends with it."""
    daemon = foster(echo()).start()
    port = port_of(daemon)
    for _ in range(3):
        clients = [connect(port) for _ in range(20)]
        daemon.kill_manager()
        said = [client.line() for client in clients]
        pids = {line.split("|")[2] for line in said if line}
        assert len(pids) == len([line for line in said if line]) >= 19
        for client in clients:
            client.close()
        until_idle(daemon)


def test_an_instance_is_not_restarted_and_nothing_is_left_of_it(foster, connect):
    daemon = foster(echo(shell("echo $$ >&3; exit 1"))).start()
    port = port_of(daemon)
    assert connect(port).line().isdigit()
    until_idle(daemon)
    before = keeper_descriptors(daemon)
    for _ in range(100):
        client = connect(port)
        assert client.line().isdigit()
        assert client.line() == "", "its end ends the connection"
        client.close()
    until_idle(daemon)
    assert keeper_descriptors(daemon) == before
    assert daemon.unit("echo@1")["restarts"] == 0
    assert daemon.unit("echo@1")["state"] == "failed"
    assert daemon.unit("echo@")["state"] == "listening"


def test_the_connection_is_the_process_s_alone(foster, connect):
    daemon = foster(echo(shell("echo $$ >&3; exec 3>&-; exec sleep 1000"))).start()
    client = connect(port_of(daemon))
    pid = int(client.line())
    assert client.line() == "", "closed by the process, which goes on"
    assert daemon.unit("echo@1")["pid"] == pid


def test_one_that_cannot_be_started_is_closed(foster, connect):
    daemon = foster(echo(["/nonexistent/program"])).start()
    port = port_of(daemon)
    assert connect(port).line() == ""
    daemon.until_state("echo@1", "failed")
    assert connect(port).line() == ""


def test_a_stop_ends_the_listening_alone(foster, connect):
    daemon = foster(echo()).start()
    port = port_of(daemon)
    client = connect(port)
    pid = client.pid()
    daemon.ctl("stop", "echo@")
    until_refused(port)
    assert client.say("still there") == "still there"
    daemon.ctl("stop", "echo@1")
    wait_for_end(pid)
    assert client.line() == ""


def test_users_of_a_unix_socket(foster, folder):
    path = folder / "echo.sock"
    daemon = foster(echo(listen=f"unix://{path}", max_connections_per_source=1)).start()
    del daemon
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        for client in (one, other):
            client.settimeout(PATIENCE_S)
            client.connect(str(path))
        with one.makefile("rb") as first, other.makefile("rb") as second:
            assert first.readline().startswith(f"  {os.getuid()}|1 connection ".encode())
            assert second.read() == b""


def test_without_descriptors_connections_are_closed(foster, connect):
    """And not left waiting, which would wake the manager for ever."""
    daemon = foster(echo()).start()
    port = port_of(daemon)
    connect(port).pid()
    folder = f"/proc/{daemon.manager()}/fd"
    used = {int(number) for number in os.listdir(folder)}
    spare = max(number for number in used if os.readlink(f"{folder}/{number}") == "/dev/null")
    free = next(number for number in range(len(used) + 1) if number not in used)
    before = resource.prlimit(daemon.manager(), resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.manager(), resource.RLIMIT_NOFILE, (max(free, spare + 1), before[1]))
    for _ in range(3):
        assert connect(port).line() == ""
    assert "Too many open files" in daemon.log()
    resource.prlimit(daemon.manager(), resource.RLIMIT_NOFILE, before)
    connect(port).pid()


def test_instances_start_by_nothing_but_a_connection(foster, connect):
    daemon = foster(echo() | {"other": unit(["/bin/sleep", "infinity"])}).start()
    pid = connect(port_of(daemon)).pid()
    for verb in ("start", "restart"):
        refused = daemon.ctl(verb, "echo@1", check=2)
        assert "started by a connection" in refused.stderr
    daemon.ctl("restart", "*")
    assert daemon.unit("echo@1")["pid"] == pid
    assert "max-connections" in daemon.ctl("scale", "echo", "2", check=2).stderr


def run_with(daemon, statement: str) -> None:
    """With a copy of the socket that foster accepts from."""
    script = f"import socket; one = socket.socket(fileno=3); one.{statement}"
    daemon.ctl("take", "echo@", "echo", "--", "/usr/bin/python3", "-c", script)


def test_one_that_shares_the_socket_has_it_block(foster, connect):
    daemon = foster(echo()).start()
    port = port_of(daemon)
    run_with(daemon, "setblocking(True)")
    first = connect(port)
    assert first.pid()
    assert daemon.ctl("status").stdout
    assert connect(port).pid()


def test_one_that_shares_the_socket_shuts_it_down(foster):
    daemon = foster(echo()).start()
    run_with(daemon, "shutdown(socket.SHUT_RDWR)")
    daemon.until_state("echo@", "failed")
    assert "somebody has shut the socket down" in daemon.ctl("status", "echo@").stdout
    daemon.ctl("start", "echo@")
    assert port_of(daemon)
