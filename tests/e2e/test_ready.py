"""Each way to be ready, by a service that is ready when a test says so."""

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from daemon import shell, unit
from events import Fifo

SLEEP = "exec sleep infinity"


@pytest.fixture(name="gate")
def of_the_service(folder):
    fifo = Fifo(folder / "gate")
    yield fifo
    fifo.close()


def gated(gate, then: str, **keys) -> dict[str, str]:
    """A service that does `then` once the gate opens, and one that needs it."""
    return {"web": unit(shell(f"read line <{gate.path}; {then}; {SLEEP}"), **keys),
            "after": unit(["/bin/sleep", "infinity"], depends={"requires": ["web"]})}


def begin(daemon) -> None:
    daemon.launch()
    daemon.until_unit("web", lambda body: body.step_word == "ready", "waiting to be ready")
    daemon.until_state("after", "waiting")


def open_and_see(daemon, gate) -> None:
    gate.say("go")
    daemon.until_state("after", "running")
    web = daemon.unit("web")
    assert (web["state"], web["ready"], web["restarts"]) == ("running", True, 0)


def test_a_newline_on_a_descriptor(foster, gate):
    daemon = foster(gated(gate, "printf up >&7; echo >&7", ready={"descriptor": 7}))
    begin(daemon)
    open_and_see(daemon, gate)


def test_a_newline_on_a_descriptor_that_a_variable_names(foster, gate):
    daemon = foster(gated(gate, 'eval "echo >&$READY_FD"',
                          ready={"descriptor_variable": "READY_FD"}))
    begin(daemon)
    open_and_see(daemon, gate)


def test_a_newline_survives_the_manager(foster, gate):
    daemon = foster(gated(gate, "echo >&3", ready={"descriptor": 3}))
    begin(daemon)
    daemon.kill_manager()
    open_and_see(daemon, gate)


@pytest.mark.parametrize("kind", ["descriptor", "file"])
def test_a_successor_s_survives_the_manager(foster, folder, gate, kind):
    say, ready = {"descriptor": ("echo >&3", {"descriptor": 3}),
                  "file": (f"touch {folder}/up", {"file": folder / "up"})}[kind]
    daemon = foster(gated(gate, say, ready=ready))
    begin(daemon)
    open_and_see(daemon, gate)
    first = daemon.unit("web")["pid"]
    daemon.ctl("restart", "web", "--overlap", "--no-wait")
    daemon.until_unit("web", lambda body: body.successor_pid > 0, "two processes")
    daemon.kill_manager()
    gate.say("go")
    daemon.until_unit("web", lambda body: body.pid not in (0, first), "the new one's readiness")
    daemon.until_unit("web", lambda body: body.step_word == "none", "the old one's end")


def test_a_descriptor_that_is_closed_is_not_ready(foster):
    daemon = foster({"web": unit(shell(f"exec 3>&-; {SLEEP}"), restart={"policy": "never"},
                                 ready={"descriptor": 3, "timeout": "300ms"})})
    daemon.launch()
    web = daemon.until_state("web", "failed")
    assert web["cause"] == "start_timeout"


def test_ready_all_the_same_after_the_timeout(foster):
    daemon = foster({"web": unit(shell(SLEEP), ready={"descriptor": 3, "timeout": "300ms",
                                                      "on_timeout": "run"})}).start()
    assert daemon.unit("web")["state"] == "running"


def test_a_file(foster, folder, gate):
    path = folder / "made" / "ready"
    daemon = foster(gated(gate, f"mkdir {path.parent}; touch {path}", ready={"file": path}))
    begin(daemon)
    open_and_see(daemon, gate)


def test_a_file_that_was_there_counts_once_it_is_touched(foster, folder, gate):
    path = folder / "ready"
    path.write_text("of an earlier run")
    # Files are stamped with the time of the clock's last tick: let some of them pass.
    later = folder / "later"
    while not later.exists() or later.stat().st_ctime - path.stat().st_ctime < 0.05:
        later.touch()
    daemon = foster(gated(gate, f"touch {path}", ready={"file": path}))
    begin(daemon)
    daemon.kill_manager()
    assert daemon.unit("web")["state"] == "starting"
    open_and_see(daemon, gate)


def test_a_command(foster, folder, gate):
    path = folder / "ready"
    daemon = foster(gated(gate, f"touch {path}", ready={"command": ["/usr/bin/test", "-e", path],
                                                        "interval": "10ms"}))
    begin(daemon)
    open_and_see(daemon, gate)


LISTEN = ("import socket, sys, time; s = socket.socket(socket.AF_{family}); s.bind({address!r}); "
          "s.listen(); time.sle" + "ep(1e6)")


def listener(family: str, address) -> str:
    script = LISTEN.format(family=family, address=address)
    return f'exec /usr/bin/python3 -c "{script}"'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_tcp(foster, gate):
    port = free_port()
    daemon = foster(gated(gate, listener("INET", ("127.0.0.1", port)),
                          ready={"tcp": f"127.0.0.1:{port}", "interval": "20ms"}))
    begin(daemon)
    open_and_see(daemon, gate)


def test_unix(foster, folder, gate):
    path = str(folder / "socket")
    daemon = foster(gated(gate, listener("UNIX", path), ready={"unix": path, "interval": "20ms"}))
    begin(daemon)
    open_and_see(daemon, gate)


class Answer(BaseHTTPRequestHandler):
    status = 503

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.asked.set()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [None, 204])
def test_http(foster, status):
    Answer.status = 503 if status is None else 200
    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.asked = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        ready = {"http": f"http://127.0.0.1:{server.server_address[1]}/", "interval": "20ms"}
        ready |= {"http_status": status} if status else {}
        daemon = foster({"web": unit(shell(SLEEP), ready=ready)})
        daemon.launch()
        assert server.asked.wait(60)
        assert daemon.unit("web")["state"] == "starting"
        Answer.status = status or 200
        daemon.until_state("web", "running")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_check_that_hangs_is_tried_again(foster, folder):
    first = folder / "first"
    check = f"if mkdir {first}; then exec sleep infinity; fi"
    daemon = foster({"web": unit(shell(SLEEP), ready={
        "command": shell(check), "interval": "10ms", "timeout": "60s"})})
    daemon.start()
    assert os.path.isdir(first) and daemon.unit("web")["state"] == "running"
