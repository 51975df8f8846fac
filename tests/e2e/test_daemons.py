"""Real daemons, each in the way it is meant to be supervised."""

import os
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from conftest import needs_root
from daemon import processes_with, unit
from events import is_alive
from test_nginx_redis import SOURCE, free_port, need

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def nginx(folder: Path, **keys) -> tuple[str, int]:
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("forked\n")
    filled = (SOURCE / "units" / "demo" / "nginx.conf.in").read_text()
    (folder / "nginx.conf").write_text(
        filled.replace("@DIR@", str(folder)).replace("@PORT@", str(port)))
    return unit(["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")],
                type="forking", stop={"signal": "SIGQUIT"}, **keys), port


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return answer.read().decode()


@need("nginx")
@pytest.mark.parametrize("with_pid_file", [True, False])
def test_nginx_that_forks(foster, folder, with_pid_file):
    path = folder / "nginx.pid"
    keys = {"pid_file": str(path)} if with_pid_file else {}
    text, port = nginx(folder, restart={"policy": "always", "delay": "10ms"},
                       hooks={"reload_signal": "SIGHUP"},
                       ready={"tcp": "127.0.0.1:%d"}, **keys)
    daemon = foster({"nginx": text.replace("%d", str(port))}).start()
    main = daemon.unit("nginx")["pid"]
    assert main == int(path.read_text()) and page(port) == "forked\n"

    daemon.kill_manager()
    assert daemon.unit("nginx")["pid"] == main and page(port) == "forked\n"
    daemon.ctl("reload", "nginx")
    assert daemon.unit("nginx")["pid"] == main

    workers = [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]
    os.kill(main, signal.SIGKILL)
    daemon.until_unit("nginx", lambda body: body.restarts == 1 and body.state_word == "running",
                      "back")
    assert not any(is_alive(pid) for pid in workers)
    assert page(port) == "forked\n" and daemon.unit("nginx")["pid"] == int(path.read_text())

    daemon.ctl("stop", "nginx")
    assert not processes_with(f"-p {folder}".replace(" ", "\0").encode())
    assert daemon.unit("nginx")["state"] == "stopped"


@need("redis-server", "redis-cli")
def test_redis_says_when_it_is_ready(foster, folder):
    path = folder / "redis.sock"
    daemon = foster({
        "redis": unit(["redis-server", "--port", "0", "--unixsocket", path, "--save", "",
                       "--dir", folder, "--supervised", "systemd"], type="notify"),
        "seed": unit(["redis-cli", "-e", "-s", path, "set", "greeting", "hello"], type="oneshot",
                     restart={"policy": "never"}, depends={"requires": ["redis"]}),
    }).start()
    assert daemon.unit("seed")["state"] == "exited", "it was not tried before redis was ready"
    assert "Ready to accept connections" in daemon.unit("redis")["status_text"]
    daemon.ctl("stop", "redis")
    assert daemon.unit("redis")["last_exit"]["clean"]


@needs_root
@pytest.mark.skipif(not POSTGRES, reason="postgresql is not installed")
def test_postgresql_says_when_it_is_ready(foster, folder):
    data = folder / "data"
    data.mkdir(mode=0o700)
    shutil.chown(data, "postgres", "postgres")
    programs = POSTGRES[-1]
    port = free_port()
    subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                    programs / "initdb", "-D", data, "-A", "trust", "--no-sync"],
                   check=True, capture_output=True, cwd="/")

    def ask(question: str) -> list[str]:
        return [programs / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-XAtq",
                "-v", "ON_ERROR_STOP=1", "-c", question]

    daemon = foster({
        "db": unit([programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k",
                    "", "-F"], type="notify", user="postgres", stop={"signal": "SIGINT",
                                                                     "timeout": "60s"},
                   hooks={"reload_signal": "SIGHUP"}, restart={"delay": "10ms"}),
        "schema": unit(ask("create table if not exists t (n int)"), type="oneshot",
                       restart={"policy": "never"}, depends={"requires": ["db"]}),
        "web": unit(["/bin/sleep", "infinity"], depends={"completed": ["schema"]}),
    }).start()
    states = {one["name"]: one["state"] for one in daemon.status()["units"]}
    assert states == {"db": "running", "schema": "exited", "web": "running"}

    daemon.kill_manager()
    daemon.ctl("reload", "db")
    main = daemon.unit("db")["pid"]
    os.kill(main, signal.SIGKILL)
    daemon.until_unit("db", lambda body: body.restarts == 1 and body.state_word == "running",
                      "back, with its log replayed")
    done = subprocess.run(ask("select count(*) from t"), text=True, capture_output=True, check=True)
    assert done.stdout == "0\n"
    daemon.ctl("stop", "db")
    assert daemon.unit("db")["last_exit"]["clean"]
    assert not (data / "postmaster.pid").exists()
