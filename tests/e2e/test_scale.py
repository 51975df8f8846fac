"""fosterctl scale: more and fewer instances of a template, the others undisturbed."""

from daemon import unit
from events import is_alive

SLEEPER = ["/bin/sleep", "infinity"]


def pids(daemon):
    return {one["name"]: one["pid"] for one in daemon.status()["units"]}


def workers(*numbers):
    return {f"worker@{number}" for number in numbers}


def until_running(daemon, *numbers):
    def holds(region):
        units = region.units()
        return (set(units) == workers(*numbers) and
                all(body.state_word == "running" for body in units.values()))
    daemon.until(holds, f"workers {numbers} alone")


def test_up_and_down(foster, folder):
    daemon = foster({"worker@": unit(SLEEPER, top={"instances": 2})})
    daemon.start(extra=["--state-dir", folder / "state"])
    first = pids(daemon)
    assert set(first) == workers(1, 2)
    daemon.ctl("scale", "worker", "5")
    until_running(daemon, 1, 2, 3, 4, 5)
    five = pids(daemon)
    assert {name: five[name] for name in first} == first
    daemon.ctl("scale", "worker", "3")
    three = pids(daemon)
    assert set(three) == workers(1, 2, 3), "the others are gone when the command returns"
    assert all(three[name] == five[name] for name in workers(1, 2, 3))
    assert not any(is_alive(five[name]) for name in workers(4, 5))
    daemon.ctl("scale", "worker@", "0")
    until_running(daemon)
    daemon.ctl("scale", "worker", "1")
    until_running(daemon, 1)


def test_kept_over_a_crash_and_over_a_restart(foster, folder):
    state = ["--state-dir", folder / "state"]
    daemon = foster({"worker@": unit(SLEEPER, top={"instances": 1})}).start(extra=state)
    daemon.ctl("scale", "worker", "3")
    until_running(daemon, 1, 2, 3)
    before = pids(daemon)
    daemon.kill_manager()
    assert pids(daemon) == before
    assert daemon.shutdown() == 0
    daemon.start(extra=state)
    assert set(pids(daemon)) == workers(1, 2, 3)


def test_what_is_no_template_is_refused(foster, folder):
    daemon = foster({"a": unit(SLEEPER)}).start(extra=["--state-dir", folder / "state"])
    done = daemon.ctl("scale", "a", "3", check=3)
    assert "no such template" in done.stdout + done.stderr
    assert set(pids(daemon)) == {"a"}


def test_settings_that_cannot_be_kept_change_nothing(foster):
    daemon = foster({"worker@": unit(SLEEPER, top={"instances": 1})})
    daemon.start(extra=["--state-dir", "/proc/nowhere"])
    done = daemon.ctl("scale", "worker", "3", check=1)
    assert "cannot keep the settings" in done.stdout + done.stderr
    assert set(pids(daemon)) == workers(1)
