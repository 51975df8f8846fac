"""How services are stopped: the signal, the timeout, the whole group."""

import os
import signal
import time

from daemon import SERVICES, processes_with, shell, unit
from events import Fifo, freeze, is_alive, wait_for_end
from journal import SIGNAL, await_starts, count, read

SLEEPER = ["/bin/sleep", "infinity"]


def test_who_ignores_the_signal_is_killed_after_the_timeout(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit([SERVICES / "ignore-term", journal, "a"],
                               stop={"timeout": "300ms"})}).start()
    await_starts(journal, ["a"])
    pid = daemon.unit("a")["pid"]
    before = time.monotonic()
    daemon.ctl("stop", "a")
    assert time.monotonic() - before >= 0.3
    found = daemon.unit("a")
    assert not is_alive(pid)
    assert (found["state"], found["cause"]) == ("stopped", "stop_timeout")
    assert found["last_exit"]["signal"] == "SIGKILL"
    assert count(read(journal), SIGNAL)["a"] == 1, "SIGTERM was sent once"


def test_the_stop_signal_is_the_units_own(foster, folder):
    lines = Fifo(folder / "lines")
    script = f"trap 'echo quit > {lines.path}; exit 0' QUIT; echo up > {lines.path}; "
    daemon = foster({"a": unit(shell(script + "sleep 1000 & wait"), stop={"signal": "SIGQUIT"})})
    daemon.start()
    assert lines.line() == "up"
    daemon.ctl("stop", "a")
    assert lines.line() == "quit"
    assert daemon.unit("a")["last_exit"]["value"] == 0
    lines.close()


def test_a_stopped_process_can_be_stopped(foster):
    daemon = foster({"a": unit(SLEEPER, stop={"timeout": "1h"})}).start()
    pid = daemon.unit("a")["pid"]
    freeze(pid)
    daemon.ctl("stop", "a")
    assert daemon.unit("a")["last_exit"]["signal"] == "SIGTERM"


def test_the_whole_group_goes(foster, folder):
    lines = Fifo(folder / "lines")
    script = shell(f"sleep 1000 & sleep 1000 & echo $! > {lines.path}; wait")
    daemon = foster({"a": unit(script)}).start()
    grandchild = int(lines.line())
    daemon.ctl("stop", "a")
    assert not is_alive(grandchild)
    lines.close()


def test_what_outlives_the_main_process_is_ended_before_a_restart(foster, folder):
    lines = Fifo(folder / "lines")
    script = shell(f"(trap '' TERM; echo up > {lines.path}; sleep 1000; sleep 1000) & wait")
    daemon = foster({"a": unit(script, stop={"timeout": "200ms"},
                               restart={"delay": "0s", "policy": "always"})}).start()
    lines.line()
    main = daemon.unit("a")["pid"]
    os.kill(main, signal.SIGKILL)
    lines.line()  # the second one is up
    found = daemon.until_state("a", "running")
    assert found["pid"] != main
    group = [pid for pid in processes_with(f"FOSTER_ATTEMPT={found['attempt'] - 1}\0".encode())
             if os.getpgid(pid) == main]
    assert not group, "nothing of the first attempt is left"
    lines.close()


def test_the_signal_goes_to_the_main_process_alone_if_the_unit_says_so(foster, folder):
    lines = Fifo(folder / "lines")
    script = (f"trap 'echo main > {lines.path}; exit 0' TERM; "
              f"(trap 'echo child > {lines.path}' TERM; echo up > {lines.path}; "
              "sleep 1000 & wait; wait) & sleep 1000 & wait")
    daemon = foster({"a": unit(shell(script), stop={"scope": "main", "timeout": "5s"})}).start()
    assert lines.line() == "up"
    daemon.ctl("stop", "a")
    assert lines.line() == "main"
    assert daemon.unit("a")["state"] == "stopped"
    lines.close()


def test_a_stop_while_it_starts_again(foster):
    daemon = foster({"a": unit(shell("exit 1"), restart={"delay": "1ms", "limit": 0,
                                                         "factor": 1.0})})
    daemon.launch()
    daemon.until_unit("a", lambda body: body.exits > 20, "twenty ends")
    daemon.ctl("stop", "a")
    exits = daemon.unit("a")["exits"]
    assert daemon.unit("a")["state"] == "stopped"
    daemon.ctl("status", "a")
    assert daemon.unit("a")["exits"] == exits


def test_a_start_while_it_stops_waits_for_the_end(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit([SERVICES / "ignore-term", journal, "a"],
                               stop={"timeout": "500ms"})}).start()
    await_starts(journal, ["a"])
    first = daemon.unit("a")["pid"]
    daemon.ctl("stop", "a", "--no-wait")
    daemon.until_state("a", "stopping")
    daemon.ctl("start", "a")
    found = daemon.unit("a")
    assert found["state"] == "running" and found["pid"] != first and not is_alive(first)


def test_killed_from_outside_while_it_stops(foster, folder):
    journal = folder / "journal"
    journal.touch()
    daemon = foster({"a": unit([SERVICES / "ignore-term", journal, "a"],
                               stop={"timeout": "1h"})}).start()
    await_starts(journal, ["a"])
    pid = daemon.unit("a")["pid"]
    daemon.ctl("stop", "a", "--no-wait")
    daemon.until_state("a", "stopping")
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    daemon.ctl("wait", "a", "--for", "stopped")
    assert daemon.unit("a")["exits"] == 1


def test_fifty_stubborn_ones_stop_in_the_time_of_one(foster, folder):
    journal = folder / "journal"
    journal.touch()
    names = [f"s{number}" for number in range(50)]
    daemon = foster({name: unit([SERVICES / "ignore-term", journal, name],
                                stop={"timeout": "500ms"}) for name in names}).start()
    await_starts(journal, names)
    before = time.monotonic()
    assert daemon.shutdown() == 0
    assert 0.5 <= time.monotonic() - before < 25
    assert count(read(journal), SIGNAL) == {name: 1 for name in names}
