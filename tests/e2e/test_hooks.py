"""Hooks, conditions and health checks, as programs that really run."""

import os
import signal

from daemon import shell, unit
from events import Fifo

SLEEPER = ["/bin/sleep", "infinity"]


def tells(fifo: Fifo, what: str, end: str = "") -> list[str]:
    return shell(f"echo {what} > {fifo.path}{end}")


def test_every_hook_runs_in_its_turn(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({"a": unit(
        shell(f"trap 'echo end > {fifo.path}; exit 0' TERM; echo main > {fifo.path}; "
              "while :; do sleep 1000 & wait $!; done"),
        hooks={
            "pre_start": [tells(fifo, "pre-start-1"), tells(fifo, "pre-start-2")],
            "post_start": tells(fifo, "post-start"),
            "pre_stop": tells(fifo, "pre-stop"),
            "stop": shell(f"echo stop > {fifo.path}; kill -TERM $MAINPID"),
            "post_stop": tells(fifo, "post-stop"),
            "reload": tells(fifo, "reload"),
        })}).start()
    first = fifo.lines(2)
    assert first == ["pre-start-1", "pre-start-2"]
    assert sorted(fifo.lines(2)) == ["main", "post-start"]
    daemon.ctl("reload", "a")
    assert fifo.line() == "reload"
    assert daemon.unit("a")["state"] == "running"
    daemon.ctl("stop", "a")
    assert fifo.lines(2) == ["pre-stop", "stop"]
    assert fifo.lines(2) == ["end", "post-stop"]


def test_a_failed_pre_start_fails_the_start_and_says_so(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({"a": unit(
        tells(fifo, "main"), restart={"policy": "never"},
        hooks={"pre_start": shell("exit 3"), "post_stop": tells(fifo, "post-stop")})})
    daemon.launch()
    found = daemon.until_state("a", "failed")
    assert found["cause"] == "hook" and "pre-start" in found["why"] and "3" in found["why"]
    assert fifo.line() == "post-stop", "the command itself never ran"


def test_a_hook_that_hangs_is_killed_and_has_failed(foster):
    daemon = foster({"a": unit(
        SLEEPER, restart={"policy": "never"},
        hooks={"pre_start": SLEEPER, "pre_start_timeout": "100ms"})})
    daemon.launch()
    found = daemon.until_state("a", "failed")
    assert found["cause"] == "hook" and "100ms" in found["why"]


def test_a_hook_is_visible_while_it_runs(foster, folder):
    gate = Fifo(folder / "gate")
    daemon = foster({"a": unit(SLEEPER, hooks={"pre_start": shell(f"read line < {gate.path}")})})
    daemon.launch()
    daemon.until_unit("a", lambda body: body.step_word == "pre_start" and body.hook_pid > 0, "hook")
    assert "pre-start" in daemon.ctl("status", "a").stdout
    daemon.kill_manager()
    gate.say("go")
    assert daemon.until_state("a", "running")["exits"] == 0


def test_post_stop_learns_how_it_ended(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({"a": unit(
        shell("exit 5"), restart={"policy": "never"},
        hooks={"post_stop": shell(f"echo $FOSTER_EXIT_KIND $FOSTER_EXIT_CODE > {fifo.path}")})})
    daemon.launch()
    assert fifo.line() == "exited 5"
    daemon.until_state("a", "failed")


def test_on_failure_starts_a_unit_with_the_facts(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({
        "a": unit(shell("exit 9"), restart={"policy": "never"}, hooks={"on_failure": "alarm"}),
        "alarm": unit(shell(f"echo $FOSTER_FAILED_UNIT $FOSTER_FAILED_CAUSE > {fifo.path}"),
                      type="oneshot", top={"enabled": False}),
    })
    daemon.launch()
    assert fifo.line() == "a exit"
    daemon.until_state("alarm", "exited")


def test_a_condition_that_is_not_met_skips(foster, folder):
    daemon = foster({
        "a": unit(SLEEPER, conditions={"path_exists": str(folder / "nothing")}),
        "b": unit(SLEEPER, depends={"requires": ["a"]}),
        "c": unit(SLEEPER, conditions={"command": ["/bin/false"]}),
        "d": unit(SLEEPER, conditions={"path_exists": "!" + str(folder / "nothing"),
                                       "command": ["/bin/true"]}),
    }).start()
    found = daemon.until_state("a", "skipped")
    assert str(folder / "nothing") in found["why"]
    assert daemon.until_state("b", "running"), "what is skipped holds nobody up"
    daemon.until_state("c", "skipped")
    daemon.until_state("d", "running")
    (folder / "nothing").touch()
    daemon.ctl("start", "a")
    daemon.until_state("a", "running")


def test_an_unhealthy_unit_is_restarted(foster, folder):
    sick = folder / "sick"
    daemon = foster({"a": unit(
        SLEEPER, restart={"delay": "10ms"},
        health={"command": ["/usr/bin/test", "!", "-e", str(sick)], "interval": "50ms",
                "failures": 2})}).start()
    daemon.until_unit("a", lambda body: body.health_word == "healthy", "healthy")
    before = daemon.unit("a")["pid"]
    sick.touch()
    daemon.until_unit("a", lambda body: body.pid not in (0, before), "restarted")
    sick.unlink()
    daemon.until_unit("a", lambda body: body.health_word == "healthy", "healthy again")
    assert daemon.unit("a")["restarts"] >= 1


def test_health_without_action_is_only_shown(foster, folder):
    daemon = foster({"a": unit(
        SLEEPER, health={"command": ["/bin/false"], "interval": "30ms", "failures": 2,
                         "action": "none"})}).start()
    daemon.until_unit("a", lambda body: body.health_word == "unhealthy", "unhealthy")
    found = daemon.unit("a")
    assert found["state"] == "running" and found["restarts"] == 0
    assert "unhealthy" in daemon.ctl("status", "a").stdout


def test_a_run_that_is_too_long_has_failed(foster):
    daemon = foster({"a": unit(SLEEPER, restart={"policy": "never"},
                               health={"max_runtime": "100ms"})})
    daemon.launch()
    assert daemon.until_state("a", "failed")["cause"] == "max_runtime"


def test_too_much_memory_is_acted_upon(foster):
    hog = ["/usr/bin/python3", "-c", "x = bytearray(64 << 20); import signal; signal.pause()"]
    daemon = foster({"a": unit(hog, restart={"policy": "never"},
                               health={"memory_max": "32MiB", "interval": "50ms",
                                       "action": "stop"})})
    daemon.launch()
    found = daemon.until_state("a", "failed")
    assert found["cause"] == "health" and "memory" in found["why"]


def test_a_watchdog_that_is_not_fed_ends_the_service(foster, folder):
    fifo = Fifo(folder / "told")
    script = (f"echo $WATCHDOG_USEC > {fifo.path}; systemd-notify --ready; "
              "systemd-notify WATCHDOG=1; exec sleep infinity")
    daemon = foster({"a": unit(shell(script), type="notify", notify_access="all",
                               restart={"policy": "never"}, health={"watchdog": "300ms"})})
    daemon.launch()
    assert fifo.line() == "300000"
    found = daemon.until_state("a", "failed")
    assert found["cause"] == "watchdog"
    assert found["last_exit"]["signal"] == signal.Signals.SIGABRT.name


def test_prevent_and_force_exit_codes(foster):
    daemon = foster({
        "prevented": unit(shell("exit 4"), restart={"policy": "always", "prevent_exit_codes": [4],
                                                    "delay": "1h", "max_delay": "1h"}),
        "forced": unit(shell("exit 5"), restart={"policy": "never", "force_exit_codes": [5],
                                                 "delay": "1h", "max_delay": "1h"}),
    })
    daemon.launch()
    daemon.until_state("prevented", "failed")
    daemon.until_state("forced", "backoff")


def test_reset_makes_a_failed_unit_stopped(foster):
    daemon = foster({"a": unit(shell("exit 1"), restart={"policy": "never"})})
    daemon.launch()
    daemon.until_state("a", "failed")
    daemon.ctl("reset", "a")
    assert daemon.unit("a")["state"] == "stopped"


def test_essential_ends_everything_with_its_code(foster):
    daemon = foster({
        "main": unit(shell("exit 3"), top={"essential": True}, restart={"policy": "never"}),
        "side": unit(SLEEPER),
    })
    daemon.launch()
    assert daemon.wait() == 3


def test_a_limit_may_start_a_unit_or_end_everything(foster, folder):
    fifo = Fifo(folder / "told")
    flapping = {"policy": "always", "delay": "0s", "limit": 2, "limit_interval": "1min"}
    daemon = foster({
        "a": unit(shell("exit 1"), restart=flapping | {"limit_action": "start-unit",
                                                       "limit_unit": "rescue"}),
        "rescue": unit(tells(fifo, "rescued"), type="oneshot", top={"enabled": False}),
    })
    daemon.launch()
    assert fifo.line() == "rescued"
    daemon.until_state("a", "failed")
    other = foster({"a": unit(shell("exit 6"), restart=flapping | {"limit_action": "stop-all"}),
                    "b": unit(SLEEPER)})
    other.launch()
    assert other.wait() == 6
