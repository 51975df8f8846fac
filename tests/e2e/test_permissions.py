"""Reading is for everyone, changing for root and the daemon's own user: judged by the kernel."""

import shutil
import subprocess

import pytest

from conftest import needs_root
from daemon import ordinary_user, unit
from events import PATIENCE_S

pytestmark = needs_root

SLEEPER = ["/bin/sleep", "infinity"]
OTHER = 54321  # a user that has nothing to do with any of it

# Comes in more often than others may, and shows what becomes of the last time.
CROWD = """
import socket, sys
crowd = [socket.socket(socket.AF_UNIX) for _ in range(9)]
for one in crowd:
    one.connect(sys.argv[1])
crowd[-1].settimeout(float(sys.argv[2]))
print(crowd[-1].recv(1))
"""


@pytest.fixture
def public(foster):
    """A daemon of root's whose programs everyone can execute."""
    return foster({"a": unit(SLEEPER)}, own_programs=True).start()


def test_anyone_may_look(public):
    assert '"running"' in public.ctl("status", "--json", uid=OTHER).stdout
    assert "a" in public.ctl("list", uid=OTHER).stdout
    public.ctl("wait", "a", "--for", "running", uid=OTHER)
    public.ctl("events", uid=OTHER)
    public.ctl("version", uid=OTHER)


@pytest.mark.parametrize("verb", [("stop", "a"), ("start", "a"), ("restart", "a"),
                                  ("signal", "a", "HUP"), ("shutdown",)])
def test_nobody_else_may_change(public, verb):
    pid = public.unit("a")["pid"]
    done = public.ctl(*verb, uid=OTHER, check=5)
    assert "not permitted" in done.stderr.lower() or "only" in done.stderr
    assert public.unit("a")["pid"] == pid and public.process.poll() is None


def test_others_have_few_connections(public):
    done = subprocess.run(
        ["/usr/bin/python3", "-S", "-c", CROWD, public.runtime_base / public.id / "control",
         str(PATIENCE_S)],
        user=OTHER, group=OTHER, extra_groups=[], text=True, capture_output=True, check=False)
    assert done.stdout == "b''\n", done.stderr
    public.ctl("version", uid=OTHER)


def test_a_user_may_change_their_own_and_root_may_too(foster):
    who = ordinary_user()
    daemon = foster({"a": unit(SLEEPER)}, uid=who.pw_uid).start()
    daemon.ctl("restart", "a")
    done = subprocess.run(
        [daemon.programs / "fosterctl", "--instance", daemon.id, "--runtime-dir",
         daemon.runtime_base / daemon.id, "restart", "a"],
        env=daemon.environment(), text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_another_user_may_look_at_a_users_instance_but_not_change(foster):
    who = ordinary_user()
    daemon = foster({"a": unit(SLEEPER)}, uid=who.pw_uid).start()
    fosterctl = shutil.copy(daemon.programs / "fosterctl", daemon.folder / "fosterctl")
    shutil.copy(daemon.programs / "foster-request", daemon.folder / "foster-request")

    def other(*arguments):
        return subprocess.run([fosterctl, "--instance", daemon.id, *arguments], user=OTHER,
                              group=OTHER, extra_groups=[], env=daemon.environment(), text=True,
                              capture_output=True, check=False, timeout=60)

    assert other("status").returncode == 0
    # The socket is in a directory that is the user's alone: refused, or out of reach.
    assert other("stop", "a").returncode in (4, 5)
    assert daemon.unit("a")["state"] == "running"
