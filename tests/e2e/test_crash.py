"""The manager may die, hang or be stopped: services do not notice, and asking still works."""

import os
import signal
import subprocess

from daemon import SERVICES, children, processes_with, shell, unit, zombies_of
from events import Fifo, freeze, is_alive, wait_for_end
from journal import await_starts
from region import PHASES

SLEEPER = ["/bin/sleep", "infinity"]


def pids(daemon):
    return {one["name"]: one["pid"] for one in daemon.status()["units"]}


def test_services_survive_the_manager(foster):
    daemon = foster({name: unit(SLEEPER) for name in "abc"}).start()
    before = daemon.status()
    daemon.kill_manager()
    after = daemon.status()
    assert pids(daemon) == {one["name"]: one["pid"] for one in before["units"]}
    assert after["manager"]["pid"] != before["manager"]["pid"]
    assert after["manager"]["restarts"] == 1
    assert all(one["exits"] == 0 and one["state"] == "running" for one in after["units"])
    daemon.ctl("restart", "a")
    assert daemon.unit("a")["exits"] == 1


def test_goals_survive_the_manager(foster):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER)}).start()
    daemon.ctl("stop", "a")
    daemon.kill_manager()
    assert {one["name"]: (one["state"], one["goal"]) for one in daemon.status()["units"]} == {
        "a": ("stopped", "down"), "b": ("running", "up")}


def test_a_death_without_a_manager_is_counted_once(foster, folder):
    daemon = foster({"a": unit(SLEEPER, restart={"delay": "10ms"})}).start()
    manager, pid = daemon.manager(), daemon.unit("a")["pid"]
    freeze(manager)
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    os.kill(manager, signal.SIGKILL)
    daemon.until_unit("a", lambda body: body.exits == 1 and body.state_word == "running",
                      "started again")
    found = daemon.unit("a")
    assert (found["exits"], found["restarts"], found["last_exit"]["signal"]) == (1, 1, "SIGKILL")
    assert children(daemon.keeper) and not zombies_of(daemon.keeper)


def test_status_works_while_the_manager_is_stopped_and_says_so(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    pid, manager = daemon.unit("a")["pid"], daemon.manager()
    freeze(manager)
    try:
        status = daemon.status()
        assert status["manager"]["liveness"] == "frozen"
        assert status["units"][0]["pid"] == pid
        shown = daemon.ctl("status")
        assert "running" in shown.stdout and "frozen" in shown.stdout + shown.stderr
        daemon.ctl("stop", "a", "--timeout", "300ms", check=124)
    finally:
        os.kill(manager, signal.SIGCONT)


def test_sigterm_ends_everything_though_the_manager_is_stopped(foster):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER)}).start()
    services = pids(daemon).values()
    freeze(daemon.manager())
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait()
    assert not any(is_alive(pid) for pid in services)


def test_sigterm_ends_a_stubborn_service_though_the_manager_is_stopped(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"stubborn": unit([SERVICES / "ignore-term", journal, "stubborn"],
                                      stop={"timeout": "1s"})}).start()
    await_starts(journal, ["stubborn"])
    pid = daemon.unit("stubborn")["pid"]
    freeze(daemon.manager())
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait()
    assert not is_alive(pid)


def test_manager_killed_again_and_again(foster):
    daemon = foster({name: unit(SLEEPER) for name in "abc"}).start()
    before = pids(daemon)
    for _ in range(10):
        daemon.kill_manager()
    assert pids(daemon) == before
    assert daemon.status()["manager"]["restarts"] == 10


def test_a_manager_killed_while_everything_stops(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"stubborn": unit([SERVICES / "ignore-term", journal, "stubborn"],
                                      stop={"timeout": "2s"}),
                     "easy": unit(SLEEPER)}).start()
    await_starts(journal, ["stubborn"])
    services = pids(daemon).values()
    daemon.process.send_signal(signal.SIGTERM)
    daemon.until(lambda region: PHASES[region.header.phase] == "stopping", "the phase stopping")
    os.kill(daemon.manager(), signal.SIGKILL)
    assert daemon.wait() == 0
    assert not any(is_alive(pid) for pid in services)


def test_backoff_survives_the_manager(foster):
    daemon = foster({"a": unit(shell("exit 1"), restart={"policy": "always", "delay": "1h",
                                                         "max_delay": "1h"})}).start()
    before = daemon.until_state("a", "backoff")
    daemon.kill_manager()
    after = daemon.unit("a")
    assert after["state"] == "backoff" and after["exits"] == 1
    assert abs(after["next_start_us"] - before["next_start_us"]) < 1_000_000


def test_keeper_killed_takes_the_services_with_it(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    pid, manager = daemon.unit("a")["pid"], daemon.manager()
    daemon.process.kill()
    wait_for_end(pid)
    wait_for_end(manager)
    daemon.process.wait()
    # What a killed keeper leaves behind is found stale and replaced by the next daemon.
    assert daemon.ctl("status", check=None).returncode in (0, 4)
    daemon.start()
    assert daemon.unit("a")["state"] == "running"
    assert daemon.unit("a")["pid"] != pid
    assert daemon.shutdown() == 0


def test_the_region_object_deleted_under_the_daemon_comes_back(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    pid, manager = daemon.unit("a")["pid"], daemon.manager()
    os.unlink(f"/dev/shm/foster.{daemon.id}")
    os.kill(manager, signal.SIGKILL)
    daemon.until(lambda region: region.header.manager_pid not in (0, manager), "the next manager")
    daemon.until_state("a", "running")
    assert daemon.unit("a")["pid"] == pid


def test_a_reader_of_the_log_that_goes_away_costs_only_lines(foster):
    daemon = foster({"a": unit(SLEEPER)})
    gone, log = os.pipe()
    (daemon.folder / "stderr").touch()
    daemon.process = subprocess.Popen(daemon.arguments(), env=daemon.environment(), stderr=log,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(gone)
    os.close(log)
    daemon.ctl("wait", "a", "--for", "running", "--timeout", "60s")
    daemon.ctl("restart", "a")
    assert daemon.status()["manager"]["restarts"] == 0
    daemon.ctl("shutdown")
    assert daemon.wait() == 0


def test_nothing_outlives_a_killed_keeper(foster, folder):
    lines = Fifo(folder / "lines")
    script = shell(f"(trap '' TERM; echo up > {lines.path}; sleep 1000; sleep 1000) & wait")
    daemon = foster({"a": unit(script)}).start()
    lines.line()
    lines.close()
    left = processes_with(f"FOSTER_INSTANCE={daemon.name}\0".encode())
    assert len(left) >= 2, "the shell and its child at least"
    manager = daemon.manager()
    daemon.process.kill()
    for pid in [*left, manager, daemon.process.pid]:
        wait_for_end(pid)
    daemon.process.wait()
