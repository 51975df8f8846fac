"""Which units start with the daemon: by their files, by --start, and by what was asked for."""

import json

from daemon import unit

SLEEPER = ["/bin/sleep", "infinity"]


def states(daemon):
    return {one["name"]: one["state"] for one in daemon.status()["units"]}


def test_only_enabled_units_start(foster):
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER, top={"enabled": False}),
                     "c": unit(SLEEPER, top={"enabled": False}),
                     "d": unit(SLEEPER, depends={"requires": ["c"]})}).start()
    daemon.until_state("d", "running")
    assert states(daemon) == {"a": "running", "b": "stopped", "c": "running", "d": "running"}
    daemon.ctl("start", "b")
    assert daemon.unit("b")["state"] == "running"


def test_enable_and_disable_are_kept(foster, folder):
    state = ["--state-dir", folder / "state"]
    daemon = foster({"a": unit(SLEEPER), "b": unit(SLEEPER, top={"enabled": False})})
    daemon.start(extra=state)
    daemon.ctl("disable", "a")
    daemon.ctl("enable", "b")
    assert states(daemon) == {"a": "running", "b": "stopped"}, "nothing is started or stopped by it"
    daemon.kill_manager()
    assert states(daemon) == {"a": "running", "b": "stopped"}
    assert daemon.shutdown() == 0
    daemon.start(extra=state)
    assert states(daemon) == {"a": "stopped", "b": "running"}
    kept = json.loads((folder / "state" / "settings.json").read_text())
    assert kept["units"] == {"a": {"enabled": False}, "b": {"enabled": True}}


def test_a_masked_unit_is_not_started(foster, folder):
    state = ["--state-dir", folder / "state"]
    daemon = foster({"a": unit(SLEEPER)}).start(extra=state)
    daemon.ctl("mask", "a")
    assert daemon.unit("a")["state"] == "running"
    daemon.ctl("stop", "a")
    done = daemon.ctl("start", "a", check=None)
    assert done.returncode != 0 and "masked" in done.stdout + done.stderr
    assert daemon.ctl("enable", "a").stdout == (
        "a: enabled, but masked: it cannot be started before fosterctl unmask a\n")
    daemon.kill_manager()
    assert daemon.ctl("start", "a", check=None).returncode != 0
    assert daemon.shutdown() == 0
    daemon.start(extra=state)
    assert daemon.unit("a")["state"] == "stopped"
    daemon.ctl("unmask", "a")
    assert daemon.ctl("enable", "a").stdout == "a: enabled\n"
    daemon.ctl("start", "a")
    assert daemon.unit("a")["state"] == "running"


def test_no_such_unit(foster, folder):
    daemon = foster({"a": unit(SLEEPER)}).start(extra=["--state-dir", folder / "state"])
    daemon.ctl("enable", "zebra", check=3)
    assert not (folder / "state").exists()


def test_a_damaged_file_is_set_aside(foster, folder):
    (folder / "state").mkdir()
    (folder / "state" / "settings.json").write_text('{"version": 1, "un')
    daemon = foster({"a": unit(SLEEPER)}).start(extra=["--state-dir", folder / "state"])
    assert states(daemon) == {"a": "running"}
    assert "settings.json.bad" in daemon.log()
    daemon.ctl("disable", "a")
    assert (folder / "state" / "settings.json").exists()
    assert (folder / "state" / "settings.json.bad").exists()


def test_settings_that_cannot_be_kept_are_an_error_of_the_verb_alone(foster):
    daemon = foster({"a": unit(SLEEPER)}).start(extra=["--state-dir", "/proc/nowhere"])
    done = daemon.ctl("disable", "a", check=1)
    assert "cannot keep the settings" in done.stdout + done.stderr
    assert daemon.unit("a")["state"] == "running"


def test_start_only_what_is_named_and_needed(foster):
    daemon = foster({"web": unit(SLEEPER, depends={"requires": ["db"]}), "db": unit(SLEEPER),
                     "other": unit(SLEEPER), "many-1": unit(SLEEPER), "many-2": unit(SLEEPER)})
    daemon.start(extra=["--start", "web", "--start", "many-*"])
    daemon.until_state("web", "running")
    assert states(daemon) == {"web": "running", "db": "running", "other": "stopped",
                              "many-1": "running", "many-2": "running"}
    daemon.kill_manager()
    assert states(daemon)["other"] == "stopped"
    daemon.ctl("start", "other")


def test_start_of_nothing_that_exists(foster):
    daemon = foster({"a": unit(SLEEPER)})
    daemon.launch(extra=["--start", "zebra"])
    assert daemon.wait() == 1
    assert "cannot start zebra: there is no such unit" in daemon.log()


def test_a_later_directory_goes_before_an_earlier_one(foster, folder):
    daemon = foster({"a": unit(["/bin/false"], restart={"policy": "never"}), "b": unit(SLEEPER)})
    later = folder / "later"
    later.mkdir()
    (later / "a.toml").write_text(unit(SLEEPER))
    daemon.start(extra=["--units", later])
    assert states(daemon) == {"a": "running", "b": "running"}
