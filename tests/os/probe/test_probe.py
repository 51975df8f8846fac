"""foster-probe against sockets that a test holds in its hand."""

import contextlib
import http.server
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

PROBE = Path(os.environ.get("FOSTER_BUILD", "build")).resolve() / "foster-probe"

# Long, where the answer is to come; a test that works never waits for it.
PATIENT = ("--timeout", "60000")


def probe(*words) -> subprocess.CompletedProcess:
    return subprocess.run([PROBE, *map(str, words)], text=True, capture_output=True, check=False,
                          timeout=120, env={"http_proxy": "http://127.0.0.1:1"})


def good(*words) -> None:
    done = probe(*words, *PATIENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def refused(*words) -> str:
    """Why it is not good: one line."""
    done = probe(*words, *PATIENT)
    assert done.returncode == 1 and done.stdout == "", done
    assert done.stderr.startswith("foster-probe: cannot ") and done.stderr.count("\n") == 1
    return done.stderr.removeprefix("foster-probe: ").rstrip("\n")


@contextlib.contextmanager
def listening(address="127.0.0.1", family=socket.AF_INET):
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        yield server.getsockname()[1]


@contextlib.contextmanager
def bound(address="127.0.0.1"):
    """A port that nobody listens at, and that nobody else can take."""
    with socket.socket() as holder:
        holder.bind((address, 0))
        yield holder.getsockname()[1]


def test_tcp():
    with listening() as port:
        good("tcp", f"127.0.0.1:{port}")
        good("tcp", f"localhost:{port}")
    with bound() as port:
        assert refused("tcp", f"127.0.0.1:{port}") == (
            f"cannot connect to 127.0.0.1:{port}: Connection refused")


def test_tcp_of_ipv6():
    try:
        with listening("::1", socket.AF_INET6) as port:
            good("tcp", f"[::1]:{port}")
    except OSError as error:
        pytest.skip(f"IPv6 is not available: {error}")


def test_a_host_that_does_not_exist():
    assert refused("tcp", "no-such-host.invalid:80").startswith(
        "cannot resolve no-such-host.invalid: ")


def test_tcp_that_does_not_answer_is_given_up():
    with socket.socket() as server, contextlib.ExitStack() as clients:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        target = server.getsockname()
        # A full backlog drops what comes: two are taken in, and the rest wait in vain.
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(target)
        done = probe("tcp", f"127.0.0.1:{target[1]}", "--timeout", "200")
    assert done.returncode == 1
    assert done.stderr == (f"foster-probe: cannot connect to 127.0.0.1:{target[1]}: "
                           "no answer within 200 ms\n")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM])
def test_unix(kind, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, kind) as server:
        server.bind(str(path))
        if kind != socket.SOCK_DGRAM:
            assert refused("unix", path) == f"cannot connect to {path}: Connection refused"
            server.listen()
        good("unix", path)
    assert refused("unix", path) == f"cannot connect to {path}: Connection refused"
    assert refused("unix", tmp_path / "none").endswith(": No such file or directory")


def test_an_abstract_socket():
    name = f"foster-probe-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen()
        good("unix", "@" + name)


def test_a_path_that_is_too_long():
    assert refused("unix", "/" + "x" * 107).endswith("longer than a socket's address can be")


class Answer(http.server.BaseHTTPRequestHandler):
    """/STATUS answers with that status; /flood never ends its body, /hang never begins."""

    def do_GET(self):  # pylint: disable=invalid-name
        if self.path == "/hang":
            self.server.released.wait()
            return
        flood = self.path == "/flood"
        self.send_response(200 if flood else int(self.path[1:]))
        self.send_header("Location", "/599")
        if not flood:
            self.send_header("Content-Length", "2")
        self.end_headers()
        with contextlib.suppress(OSError):
            while flood:
                self.wfile.write(b"x" * 65536)
            self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture(name="web")
def running_web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [200, 201, 301, 302, 399])
def test_http_is_good(web, status):
    good("http", f"{web}/{status}")


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_http_is_not_good(web, status):
    assert refused("http", f"{web}/{status}") == (
        f"cannot get {web}/{status}: the status is {status}, not one from 200 to 399")


def test_the_status_that_is_expected(web):
    good("http", f"{web}/503", "--status", "503")
    assert refused("http", f"{web}/200", "--status", "204").endswith("the status is 200, not 204")


def test_a_body_without_end_is_cut(web):
    good("http", f"{web}/flood")


def test_http_that_does_not_answer_is_given_up(web):
    done = probe("http", f"{web}/hang", "--timeout", "300")
    assert done.returncode == 1
    assert done.stderr.startswith(f"foster-probe: cannot get {web}/hang: ")


def test_http_where_nobody_listens():
    with bound() as port:
        assert refused("http", f"http://127.0.0.1:{port}/").startswith("cannot get http://")


def test_wrong_usage():
    for words in ([], ["tcp"], ["tcp", "nowhere"], ["http", "file:///etc/passwd"],
                  ["unix", "/x", "--status", "200"]):
        done = probe(*words)
        assert done.returncode == 2 and "Usage: foster-probe tcp" in done.stderr, words
