"""fosterd as PID 1 of a PID namespace: the init of a container."""

import os
import subprocess

import pytest

from daemon import unit

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, for unshare --pid")

UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def inner_init(unshare_pid: int) -> int:
    """The pid, seen from here, of what is PID 1 in there."""
    with open(f"/proc/{unshare_pid}/task/{unshare_pid}/children", encoding="ascii") as children:
        return int(children.read().split()[0])


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_commands_end_is_the_containers(foster, script, code):
    daemon = foster()
    daemon.launch(prefix=UNSHARE, command=["/bin/sh", "-c", script])
    assert daemon.wait() == code


def test_it_is_pid_1_and_reaps_orphans(foster, folder):
    # Each of 200 double forks leaves an orphan that ends at once; `wait` cannot reap those. Once
    # foster has, they are gone from /proc: the script waits for that by making one more process at
    # a time, which is what lets time pass for the keeper.
    script = """
      [ "$(cat /proc/$PPID/comm)" = fosterd ] && [ "$PPID" = 1 ] || exit 20
      i=0
      while [ $i -lt 200 ]; do (: &) ; i=$((i + 1)); done
      tries=0
      while grep -qs '^State:.Z' /proc/[0-9]*/status; do
        tries=$((tries + 1))
        [ $tries -lt 2000 ] || exit 21
      done
      exit 5
    """
    (folder / "script").write_text(script)
    daemon = foster()
    daemon.launch(prefix=UNSHARE, command=["/bin/sh", folder / "script"])
    assert daemon.wait() == 5


def test_sigterm_to_pid_1_ends_the_container(foster):
    daemon = foster({"a": unit(["/bin/sleep", "infinity"]), "b": unit(["/bin/sleep", "infinity"])})
    daemon.start(prefix=UNSHARE)
    os.kill(inner_init(daemon.process.pid), 15)
    assert daemon.wait() == 0


def test_ctl_works_inside(foster):
    daemon = foster({"a": unit(["/bin/sleep", "infinity"])})
    daemon.start(prefix=UNSHARE)
    init = inner_init(daemon.process.pid)
    enter = ["nsenter", "--target", str(init), "--pid", "--mount", "--"]
    done = subprocess.run(
        enter + [str(daemon.programs / "fosterctl"), "--instance", daemon.name, "restart", "a"],
        env=daemon.environment(), text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    os.kill(init, 15)
    assert daemon.wait() == 0


def test_a_leftover_of_the_container_is_ended_with_it(foster, folder):
    # The command ends, but leaves a process that ignores SIGTERM in a session of its own.
    os.mkfifo(folder / "up")
    daemon = foster()
    daemon.launch(prefix=UNSHARE, command=[
        "/bin/sh", "-c",
        f"setsid sh -c \"trap '' TERM; echo up > {folder}/up; sleep 1000\" & read x < {folder}/up;"
        " exit 6"])
    assert daemon.wait() == 6
