"""fosterctl load: another set of units, under services that go on running."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from daemon import SERVICES, children, shell, unit, zombies_of
from events import Fifo, is_alive
from journal import await_starts

SLEEPER = ["/bin/sleep", "infinity"]


def pids(daemon):
    return {one["name"]: one["pid"] for one in daemon.status()["units"]}


def test_new_units_start_and_the_others_are_not_disturbed(foster):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER)}).start()
    before = pids(daemon)
    daemon.ctl("stop", "b")
    daemon.write("c", unit(SLEEPER))
    daemon.write("d", unit(SLEEPER, top={"enabled": False}))
    daemon.ctl("load")
    daemon.until_state("c", "running")
    found = {one["name"]: one["state"] for one in daemon.status()["units"]}
    assert found == {"a": "running", "b": "stopped", "c": "running", "d": "stopped"}
    assert pids(daemon)["a"] == before["a"]
    assert daemon.unit("a")["exits"] == 0
    assert not zombies_of(daemon.keeper)


def test_units_that_are_gone_are_stopped_as_their_file_said(foster, folder):
    said = Fifo(folder / "said")
    script = f"trap 'echo hung up > {said.path}; exit 0' HUP; echo up > {said.path}; " \
             "while :; do sleep 1000 & wait; done"
    daemon = foster({"a": unit(SLEEPER), "old": unit(shell(script), stop={"signal": "SIGHUP"})})
    daemon.start()
    assert said.line() == "up"
    pid = daemon.unit("old")["pid"]
    (daemon.units / "old.toml").unlink()
    daemon.ctl("load")
    assert said.line() == "hung up"
    daemon.until(lambda region: set(region.units()) == {"a"}, "a alone")
    assert not is_alive(pid)
    said.close()


def test_mistakes_change_nothing(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    before, manager = pids(daemon), daemon.manager()
    daemon.write("a", '[service]\ncomand = ["/bin/true"]\n')
    daemon.write("b", unit(SLEEPER))
    done = daemon.ctl("load", check=1)
    said = done.stdout + done.stderr
    assert "a.toml:2:1" in said and "command" in said, said
    assert daemon.manager() == manager
    assert pids(daemon) == before
    daemon.write("a", unit(SLEEPER))
    daemon.ctl("load")
    daemon.until_state("b", "running")
    assert pids(daemon)["a"] == before["a"]


def test_a_changed_unit_counts_from_its_next_start(foster, folder):
    said = Fifo(folder / "said")
    daemon = foster({"a": unit(shell(f"echo one > {said.path}; sleep infinity"))}).start()
    assert said.line() == "one"
    pid = daemon.unit("a")["pid"]
    daemon.write("a", unit(shell(f"echo two > {said.path}; sleep infinity")))
    daemon.ctl("load")
    assert daemon.unit("a")["pid"] == pid
    daemon.ctl("restart", "a")
    assert said.line() == "two"
    said.close()


def test_a_drop_in_is_loaded(foster, folder):
    said = Fifo(folder / "said")
    command = shell(f"echo ${{COLOUR:-none}} > {said.path}; sleep infinity")
    daemon = foster({"a": unit(command)}).start()
    assert said.line() == "none"
    (daemon.units / "a.toml.d").mkdir()
    (daemon.units / "a.toml.d" / "colour.toml").write_text(
        '[service]\nenvironment = { COLOUR = "blue" }\n')
    daemon.ctl("load")
    daemon.ctl("restart", "a")
    assert said.line() == "blue"
    said.close()


def test_what_was_loaded_survives_the_manager(foster):
    daemon = foster({"a": unit(SLEEPER)}).start()
    daemon.write("b", unit(SLEEPER))
    daemon.ctl("load")
    daemon.until_state("b", "running")
    before = pids(daemon)
    daemon.write("b", "broken [")
    daemon.kill_manager()
    assert pids(daemon) == before


def test_again_and_again_while_a_unit_does_not_stop(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit(SLEEPER),
                     "stubborn": unit([SERVICES / "ignore-term", journal, "stubborn"],
                                      stop={"timeout": "2s"})}).start()
    await_starts(journal, ["stubborn"])
    before = pids(daemon)
    (daemon.units / "stubborn.toml").unlink()
    for i in range(5):
        daemon.write(f"new{i}", unit(SLEEPER))
        daemon.ctl("load")
    daemon.until(lambda region: set(region.units()) == set(before) - {"stubborn"} |
                 {f"new{i}" for i in range(5)}, "all but the stubborn one")
    assert not is_alive(before["stubborn"])
    assert pids(daemon)["a"] == before["a"]
    assert len(children(daemon.keeper)) == 1 + 1 + 5


def test_a_unit_that_comes_back_while_it_is_stopped_starts_again(foster, folder):
    journal = folder / "journal"
    journal.touch()
    text = unit([SERVICES / "ignore-term", journal, "stubborn"], stop={"timeout": "2s"})
    daemon = foster({"a": unit(SLEEPER), "stubborn": text}).start()
    await_starts(journal, ["stubborn"])
    before = pids(daemon)
    (daemon.units / "stubborn.toml").unlink()
    daemon.ctl("load")
    daemon.until_state("stubborn", "stopping")
    daemon.write("stubborn", text)
    daemon.ctl("load")
    daemon.until_unit("stubborn", lambda body: body.state_word == "running" and
                      body.pid != before["stubborn"], "a new one")
    assert not is_alive(before["stubborn"])
    assert daemon.unit("stubborn")["exits"] == 1
    assert daemon.unit("a")["pid"] == before["a"]


def test_load_while_shutting_down_is_refused(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"stubborn": unit([SERVICES / "ignore-term", journal, "stubborn"],
                                      stop={"timeout": "3s"})}).start()
    await_starts(journal, ["stubborn"])
    daemon.ctl("shutdown", "--no-wait")
    done = daemon.ctl("load", check=None)
    assert done.returncode != 0
    assert "shutting down" in done.stdout + done.stderr
    assert daemon.wait() == 0


def test_only_those_who_may(foster):
    daemon = foster({"a": unit(SLEEPER)}, own_programs=True).start()
    if os.getuid() == 0:
        for verb in (["load"], ["disable", "a"], ["scale", "a", "1"]):
            daemon.ctl(*verb, uid=65534, check=5)


def test_requests_of_others_are_served_meanwhile(foster, folder):
    daemon = foster({f"u{i}": unit(SLEEPER) for i in range(4)} |
                    {"worker@": unit(SLEEPER, top={"instances": 2})})
    daemon.start(extra=["--state-dir", folder / "state"])
    ended = threading.Event()

    def restart(name):
        done = 0
        while not ended.is_set():
            daemon.ctl("restart", name)
            done += 1
        return done

    with ThreadPoolExecutor() as pool:
        others = [pool.submit(restart, f"u{i}") for i in range(4)]
        for turn in range(12):
            daemon.ctl(*(["load"] if turn % 2 else ["scale", "worker", turn % 5]))
        ended.set()
        counts = [other.result() for other in others]
    for i, count in enumerate(counts):
        assert count > 0
        assert daemon.unit(f"u{i}")["exits"] == count, "each restart was done once"
