"""What starts after what, what stops before what, and what a failure means to others."""

import os
import signal

from daemon import shell, unit
from events import Fifo

SLEEPER = ["/bin/sleep", "infinity"]
NEVER = {"policy": "never"}


def teller(fifo: Fifo, name: str) -> list[str]:
    """Tells when it starts, and when it has been asked to end."""
    script = (f"trap 'echo {name} stops > {fifo.path}; exit 0' TERM; "
              f"echo {name} starts > {fifo.path}; "
              "while :; do sleep 1000 & wait $!; done")
    return shell(script)


def told_ready(fifo: Fifo, name: str) -> list[str]:
    """Tells when it starts, is ready once a line comes by the FIFO that it is given."""
    return shell(f"echo {name} starts > {fifo.path}; read line < {fifo.path}.{name}; "
                 "systemd-notify --ready; exec sleep infinity")


def test_a_chain_starts_in_order_and_stops_in_reverse(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({
        "front": unit(teller(fifo, "front"), depends={"requires": ["middle"]}),
        "middle": unit(teller(fifo, "middle"), depends={"requires": ["back"]}),
        "back": unit(teller(fifo, "back")),
    }).start()
    started = fifo.lines(3)
    # Up means executed for a simple unit, so what they say themselves may cross; the region knows.
    assert sorted(started) == ["back starts", "front starts", "middle starts"]
    region = daemon.region()
    since = {name: body.since_boot_ns for name, body in region.units().items()}
    region.close()
    assert since["back"] <= since["middle"] <= since["front"]
    assert daemon.shutdown() == 0
    assert fifo.lines(3) == ["front stops", "middle stops", "back stops"]


def test_after_means_ready(foster, folder):
    fifo = Fifo(folder / "told")
    gate = Fifo(folder / "told.db")
    daemon = foster({
        "db": unit(told_ready(fifo, "db"), type="notify", notify_access="all"),
        "web": unit(teller(fifo, "web"), depends={"requires": ["db"]}),
    })
    daemon.launch()
    assert fifo.line() == "db starts"
    waiting = daemon.until_state("web", "waiting")
    assert "db" in daemon.ctl("status", "web").stdout
    assert waiting["pid"] in (0, None)
    gate.say("go")
    assert fifo.line() == "web starts"
    daemon.until_state("web", "running")


def test_completed_waits_for_exit_with_success(foster, folder):
    fifo = Fifo(folder / "told")
    gate = Fifo(folder / "gate")
    daemon = foster({
        "migrate": unit(shell(f"echo migrate starts > {fifo.path}; read line < {gate.path}"),
                        type="oneshot"),
        "web": unit(teller(fifo, "web"), depends={"completed": ["migrate"]}),
    })
    daemon.launch()
    assert fifo.line() == "migrate starts"
    daemon.until_state("web", "waiting")
    gate.say("go")
    assert fifo.line() == "web starts"
    assert daemon.unit("migrate")["state"] == "exited"


def test_a_failure_fails_dependents_and_recovery_revives_them(foster, folder):
    flag = folder / "broken"
    flag.touch()
    daemon = foster({
        "db": unit(shell(f"test ! -e {flag} || exit 7; echo > {folder}/ready; exec sleep infinity"),
                   ready={"command": ["/usr/bin/test", "-e", f"{folder}/ready"],
                          "interval": "50ms"}, restart=NEVER),
        "web": unit(SLEEPER, depends={"requires": ["db"]}),
        "edge": unit(SLEEPER, depends={"requires": ["web"]}),
    }).start()
    for name in ("web", "edge"):
        found = daemon.until_state(name, "failed")
        assert found["cause"] == "dependency" and found["goal"] == "up"
    why = daemon.ctl("why", "edge").stdout
    assert "web" in why and "db" in why and "7" in why
    flag.unlink()
    daemon.ctl("start", "db")
    daemon.until_state("edge", "running")
    assert daemon.unit("web")["state"] == "running"


def test_a_crash_that_is_restarted_leaves_requirers_alone(foster):
    daemon = foster({
        "db": unit(SLEEPER, restart={"delay": "10ms"}),
        "web": unit(SLEEPER, depends={"requires": ["db"]}),
        "bound": unit(SLEEPER, depends={"binds_to": ["db"]}),
    }).start()
    web, bound, db = (daemon.unit(name)["pid"] for name in ("web", "bound", "db"))
    os.kill(db, signal.SIGKILL)
    daemon.until_unit("db", lambda body: body.state_word == "running" and body.pid != db, "again")
    daemon.until_unit("bound", lambda body: body.state_word == "running" and body.pid != bound,
                      "restarted with it")
    assert daemon.unit("web")["pid"] == web


def test_stopping_a_requirement_stops_dependents_first_and_they_come_back(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({
        "db": unit(teller(fifo, "db")),
        "web": unit(teller(fifo, "web"), depends={"requires": ["db"]}),
    }).start()
    fifo.lines(2)
    daemon.ctl("stop", "db")
    assert fifo.lines(2) == ["web stops", "db stops"]
    assert daemon.until_state("web", "waiting")["goal"] == "up"
    daemon.ctl("start", "db")
    assert sorted(fifo.lines(2)) == ["db starts", "web starts"]
    daemon.until_state("web", "running")


def test_a_restart_takes_dependents_along_unless_told_not_to(foster):
    daemon = foster({
        "db": unit(SLEEPER),
        "web": unit(SLEEPER, depends={"requires": ["db"]}),
        "cache": unit(SLEEPER, top={"restart_dependents": False}),
        "app": unit(SLEEPER, depends={"requires": ["cache"]}),
    }).start()
    before = {found["name"]: found["pid"] for found in daemon.status()["units"]}
    daemon.ctl("restart", "db", "cache")
    daemon.until_unit("web", lambda body: body.state_word == "running" and
                      body.pid != before["web"], "restarted")
    after = {found["name"]: found["pid"] for found in daemon.status()["units"]}
    assert after["db"] != before["db"] and after["cache"] != before["cache"]
    assert after["app"] == before["app"]


def test_part_of_restarts_and_stops_together(foster):
    daemon = foster({
        "main": unit(SLEEPER),
        "side": unit(SLEEPER, depends={"part_of": ["main"]}),
    }).start()
    side = daemon.unit("side")["pid"]
    daemon.ctl("restart", "main")
    daemon.until_unit("side", lambda body: body.state_word == "running" and body.pid != side,
                      "again")
    daemon.ctl("stop", "main")
    daemon.until_state("side", "stopped")


def test_a_conflict_stops_the_other_before_starting(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({
        "blue": unit(teller(fifo, "blue")),
        "green": unit(teller(fifo, "green"), top={"enabled": False},
                      depends={"conflicts": ["blue"]}),
    }).start()
    assert fifo.line() == "blue starts"
    daemon.ctl("start", "green")
    assert fifo.lines(2) == ["blue stops", "green starts"]
    assert daemon.until_state("blue", "stopped")["cause"] == "conflict"
    daemon.ctl("start", "blue")
    assert fifo.lines(2) == ["green stops", "blue starts"]


def test_a_group_is_a_name_for_a_set(foster):
    daemon = foster({
        "all": unit(type="group", top={"enabled": False}, depends={"requires": ["a", "b"]}),
        "a": unit(SLEEPER, top={"enabled": False}),
        "b": unit(SLEEPER, top={"enabled": False}),
        "c": unit(SLEEPER, top={"enabled": False}),
    }).start()
    assert {found["state"] for found in daemon.status()["units"]} == {"stopped"}
    daemon.ctl("start", "all")
    states = {found["name"]: found["state"] for found in daemon.status()["units"]}
    assert states == {"all": "running", "a": "running", "b": "running", "c": "stopped"}


def test_required_by_lets_a_package_drop_a_unit_in(foster):
    daemon = foster({
        "web": unit(SLEEPER),
        "addon": unit(SLEEPER, top={"enabled": False}, depends={"required_by": ["web"]}),
    }).start()
    assert daemon.unit("addon")["state"] == "running"


def test_a_slow_stop_does_not_hold_up_others(foster, folder):
    fifo = Fifo(folder / "told")
    daemon = foster({
        "slow": unit(shell(f"trap '' TERM; echo on > {fifo.path}; while :; do sleep 1000; done"),
                     stop={"timeout": "1h"}),
        "other": unit(SLEEPER),
    }).start()
    fifo.line()
    daemon.ctl("stop", "slow", "--no-wait")
    daemon.until_state("slow", "stopping")
    before = daemon.unit("other")["pid"]
    daemon.ctl("restart", "other")
    assert daemon.unit("other")["pid"] != before
    os.killpg(daemon.unit("slow")["pid"], signal.SIGKILL)
    daemon.until_state("slow", "stopped")


def test_a_cycle_is_refused_with_its_chain(foster):
    daemon = foster({
        "a": unit(SLEEPER, depends={"requires": ["b"]}),
        "b": unit(SLEEPER, depends={"after": ["c"]}),
        "c": unit(SLEEPER, depends={"requires": ["a"]}),
    })
    checked = daemon.ctl("check", daemon.units, check=1)
    for name in ("a", "b", "c"):
        assert f"{name}.toml:" in checked.stdout + checked.stderr
    daemon.launch()
    assert daemon.wait() != 0
    assert "c.toml" in daemon.log()


def test_the_order_holds_over_a_crash_of_the_manager(foster, folder):
    fifo = Fifo(folder / "told")
    gate = Fifo(folder / "told.db")
    daemon = foster({
        "db": unit(told_ready(fifo, "db"), type="notify", notify_access="all"),
        "web": unit(teller(fifo, "web"), depends={"requires": ["db"]}),
    })
    daemon.launch()
    assert fifo.line() == "db starts"
    daemon.until_state("web", "waiting")
    daemon.kill_manager()
    assert daemon.unit("web")["state"] == "waiting"
    gate.say("go")
    assert fifo.line() == "web starts"
    daemon.until_state("web", "running")
    daemon.kill_manager()
    assert daemon.shutdown() == 0
    assert fifo.line() == "web stops"
