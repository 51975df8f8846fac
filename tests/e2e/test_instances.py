"""Several instances side by side, and only one of each."""

import os
import subprocess

from daemon import unit
from events import is_alive

SLEEPER = ["/bin/sleep", "infinity"]


def test_two_run_side_by_side(foster):
    one, two = foster({"a": unit(SLEEPER)}).start(), foster({"a": unit(SLEEPER)}).start()
    assert one.id != two.id
    first, second = one.unit("a")["pid"], two.unit("a")["pid"]
    one.ctl("stop", "a")
    assert two.unit("a")["pid"] == second and is_alive(second)
    assert one.shutdown() == 0
    assert two.unit("a")["state"] == "running" and not is_alive(first)
    assert two.shutdown() == 0


def test_the_second_daemon_of_an_instance_refuses_with_the_firsts_pid(foster):
    first = foster({"a": unit(SLEEPER)}).start()
    pid = first.unit("a")["pid"]
    second = subprocess.run(first.arguments(), env=first.environment(), text=True,
                            capture_output=True, check=False, timeout=60)
    assert second.returncode == 1
    assert str(first.keeper) in second.stderr
    assert first.unit("a")["pid"] == pid, "the first one goes on"
    first.ctl("restart", "a")


def test_a_second_one_with_a_command_refuses_too(foster, folder):
    first = foster({"a": unit(SLEEPER)}).start()
    second = subprocess.run(first.arguments(command=["/bin/touch", folder / "ran"]), text=True,
                            env=first.environment(), capture_output=True, check=False, timeout=60)
    assert second.returncode == 1 and str(first.keeper) in second.stderr
    assert not (folder / "ran").exists()


def test_the_instance_comes_from_the_environment(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    environment = daemon.environment() | {"FOSTER_INSTANCE": daemon.name}
    done = subprocess.run([daemon.programs / "fosterctl", "list"], env=environment, text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0 and "a" in done.stdout


def test_the_same_instance_again_after_its_end(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    assert daemon.shutdown() == 0
    daemon.start()
    assert daemon.unit("a")["state"] == "running"
    assert daemon.shutdown() == 0


def test_a_bad_name_is_refused(foster):
    daemon = foster()
    for name in ("../x", "a b", "a/b", "x" * 49):
        done = subprocess.run([daemon.programs / "fosterd", "--instance", name, "--", "true"],
                              env=daemon.environment(), text=True, capture_output=True,
                              check=False, timeout=60)
        assert done.returncode == 2, name
        done = subprocess.run([daemon.programs / "fosterctl", "--instance", name, "status"],
                              env=daemon.environment(), text=True, capture_output=True,
                              check=False, timeout=60)
        assert done.returncode in (2, 4), name


def test_neither_knows_of_the_others_files(foster):
    one, two = foster({"a": unit(SLEEPER)}).start(), foster({"b": unit(SLEEPER)}).start()
    one.kill_manager()
    assert [found["name"] for found in one.status()["units"]] == ["a"]
    assert [found["name"] for found in two.status()["units"]] == ["b"]
    assert os.path.exists(f"/dev/shm/foster.{one.id}")
    assert one.shutdown() == 0
    assert not os.path.exists(f"/dev/shm/foster.{one.id}")
    assert os.path.exists(f"/dev/shm/foster.{two.id}")
