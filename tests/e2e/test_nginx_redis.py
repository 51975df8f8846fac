"""The real ones, from Debian: a web server and a database under foster."""

import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from daemon import processes_with, unit
from events import is_alive, wait_for_file

SOURCE = Path(os.environ.get("FOSTER_SOURCE", Path(__file__).resolve().parents[2]))


def need(*tools):
    missing = [tool for tool in tools if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")
               is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def demo(foster, folder):
    """The units of the demo: nginx with its configuration filled in, redis, the seed."""
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("raised by foster\n")
    units = SOURCE / "units" / "demo"
    filled = (units / "nginx.conf.in").read_text().replace("@DIR@", str(folder))
    (folder / "nginx.conf").write_text(filled.replace("@PORT@", str(port)))
    daemon = foster({name: (units / f"{name}.toml").read_text()
                     for name in ("nginx", "redis", "seed")})
    daemon.extra_environment["FOSTER_DEMO"] = str(folder)
    daemon.extra_environment["DEMO_URL"] = f"http://127.0.0.1:{port}/"
    daemon.port = port
    daemon.redis_socket = folder / "redis.sock"
    daemon.start()
    daemon.ctl("wait", "nginx", "redis", "--for", "running")
    daemon.ctl("wait", "seed", "--for", "exited")
    # nginx is `running` once it has been executed; it writes its pid when it listens.
    wait_for_file(folder / "nginx.pid")
    return daemon


def page(daemon) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/", timeout=60) as answer:
        return answer.read().decode()


def redis(daemon, *words) -> str:
    done = subprocess.run(["redis-cli", "-s", daemon.redis_socket, *words], text=True,
                          capture_output=True, check=True, timeout=60)
    return done.stdout.strip()


@need("nginx", "redis-server", "redis-cli")
def test_they_serve(demo):
    assert redis(demo, "get", "greeting") == "hello from foster"
    assert page(demo) == "raised by foster\n"
    states = {one["name"]: one["state"] for one in demo.status()["units"]}
    assert states == {"nginx": "running", "redis": "running", "seed": "exited"}


@need("nginx", "redis-server", "redis-cli")
def test_nginx_killed_comes_back_and_leaves_no_worker(demo):
    main = demo.unit("nginx")["pid"]
    workers = [int(pid) for pid in
               Path(f"/proc/{main}/task/{main}/children").read_text().split()]
    assert workers
    os.kill(main, signal.SIGKILL)
    demo.until_unit("nginx", lambda body: body.restarts == 1 and body.state_word == "running",
                    "back")
    assert not any(is_alive(pid) for pid in workers), "no worker of the first one is left"
    assert demo.unit("nginx")["last_exit"]["signal"] == "SIGKILL"
    demo.ctl("restart", "nginx")


@need("nginx", "redis-server", "redis-cli")
def test_they_survive_the_manager(demo):
    before = {one["name"]: one["pid"] for one in demo.status()["units"]}
    redis(demo, "set", "kept", "yes")
    demo.kill_manager()
    assert {one["name"]: one["pid"] for one in demo.status()["units"]} == before
    assert redis(demo, "get", "kept") == "yes" and page(demo) == "raised by foster\n"


@need("nginx", "redis-server", "redis-cli")
def test_stop_leaves_nothing(demo):
    demo.ctl("stop", "nginx", "redis")
    assert demo.unit("nginx")["last_exit"]["clean"] and demo.unit("redis")["last_exit"]["clean"]
    left = processes_with(f"FOSTER_INSTANCE={demo.name}\0".encode())
    assert not left
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", demo.port)) != 0
    assert demo.shutdown() == 0


@need("redis-server", "redis-cli")
def test_a_redis_that_cannot_bind_fails_with_its_code(foster, folder):
    daemon = foster({"redis": unit(
        ["redis-server", "--port", "0", "--unixsocket", "/nonexistent/redis.sock", "--dir",
         str(folder)], restart={"policy": "never"})})
    daemon.launch()
    daemon.until_state("redis", "failed")
    assert daemon.unit("redis")["last_exit"]["value"] == 1
