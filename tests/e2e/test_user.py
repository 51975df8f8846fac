"""An ordinary user's instance: everything works without root."""

import os
import signal

import pytest

from conftest import needs_root
from daemon import ordinary_user, shell, unit
from events import is_alive

SLEEPER = ["/bin/sleep", "infinity"]

pytestmark = needs_root  # to become that user; whoever runs the tests as one has it in all others


@pytest.fixture
def user():
    return ordinary_user()


def test_life(foster, user):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER)}, uid=user.pw_uid).start()
    status = daemon.status()
    assert status["instance"] == f"user-{user.pw_uid}.{daemon.name}"
    pid = daemon.unit("a")["pid"]
    assert os.stat(f"/proc/{pid}").st_uid == user.pw_uid
    daemon.ctl("stop", "a")
    daemon.ctl("start", "a")
    daemon.ctl("restart", "*")
    daemon.ctl("signal", "a", "CONT")
    daemon.kill_manager()
    assert daemon.status()["manager"]["restarts"] == 1
    os.kill(daemon.unit("a")["pid"], signal.SIGKILL)
    daemon.until_unit("a", lambda body: body.restarts == 1 and body.state_word == "running", "back")
    assert daemon.shutdown() == 0


def test_the_socket_is_in_the_users_runtime_directory(foster, user):
    daemon = foster({"a": unit(SLEEPER)}, uid=user.pw_uid).start()
    place = daemon.runtime_base / daemon.id
    assert (place / "control").is_socket()
    assert place.stat().st_uid == user.pw_uid


def test_without_a_runtime_directory(foster, user):
    daemon = foster({"a": unit(SLEEPER)}, uid=user.pw_uid)
    del daemon.extra_environment["XDG_RUNTIME_DIR"]
    daemon.start()
    daemon.ctl("restart", "a")
    assert daemon.shutdown() == 0
    assert not os.path.exists(f"/dev/shm/foster-{user.pw_uid}/{daemon.id}")


def test_a_command(foster, user):
    daemon = foster(uid=user.pw_uid)
    daemon.launch(command=["/bin/sh", "-c", "exit 7"])
    assert daemon.wait() == 7


def test_units_from_the_configuration_directory(foster, user, folder):
    config = folder / "config"
    (config / "foster" / "units").mkdir(parents=True)
    (config / "foster" / "units" / "mine.toml").write_text(unit(SLEEPER))
    daemon = foster(uid=user.pw_uid)
    daemon.extra_environment["XDG_CONFIG_HOME"] = str(config)
    daemon.start()
    assert daemon.unit("mine")["state"] == "running"
    daemon.ctl("check")
    assert daemon.shutdown() == 0


def test_another_user_for_a_service_is_a_failed_start(foster, user):
    daemon = foster({"a": unit(SLEEPER, user="root", restart={"policy": "never"})},
                    uid=user.pw_uid)
    daemon.launch()
    daemon.until_state("a", "failed")
    assert "cannot run as root" in daemon.unit("a")["why"] + daemon.unit("a")["detail"]


def test_sigterm(foster, user):
    daemon = foster({"a": unit(shell("trap '' HUP; sleep 1000 & wait"))}, uid=user.pw_uid).start()
    pid = daemon.unit("a")["pid"]
    assert daemon.terminate() == 0
    assert not is_alive(pid)
