"""Mistakes in unit files are found before anything runs, all at once."""

import os
import subprocess

from daemon import unit

GOOD = unit(["/bin/sleep", "infinity"])


def refused(daemon) -> str:
    daemon.launch()
    assert daemon.wait() == 1
    assert not os.path.exists(f"/dev/shm/foster.{daemon.id}")
    return daemon.log()


def test_a_bad_set_refuses_to_start_and_says_all(foster, folder):
    ran = folder / "ran"
    daemon = foster({
        "good": unit(["/bin/touch", ran], type="oneshot"),
        "typo": '[service]\ncomand = ["x"]\n\n[restart]\npolicy = "sometimes"\n',
        "broken": '[service\ncommand = ["x"]\n',
        "types": '[service]\ncommand = "x"\n[stop]\ntimeout = 5\n',
    })
    said = refused(daemon)
    assert f"{daemon.units}/typo.toml:2:1:" in said and "command" in said
    assert f"{daemon.units}/typo.toml:5:10:" in said and "on-failure" in said
    assert f"{daemon.units}/broken.toml:1:" in said
    assert f"{daemon.units}/types.toml:2:11:" in said
    assert f"{daemon.units}/types.toml:4:11:" in said
    assert 'comand = ["x"]\n' in said and "^" in said, "the line and a caret"
    assert not ran.exists(), "nothing was run"


def test_check_says_the_same(foster):
    daemon = foster({"typo": '[service]\ncomand = ["x"]\n', "good": GOOD})
    done = daemon.ctl("check", daemon.units, check=1)
    said = done.stdout + done.stderr
    assert f"{daemon.units}/typo.toml:2:1:" in said and "command" in said
    assert [line for line in refused(daemon).splitlines() if "typo.toml" in line][0] in said
    (daemon.units / "typo.toml").unlink()
    daemon.ctl("check", daemon.units, check=0)


def test_check_of_single_files(foster, folder):
    daemon = foster({"good": GOOD})
    bad = folder / "bad.toml"
    bad.write_text("description = 3\n")
    done = daemon.ctl("check", daemon.units / "good.toml", bad, check=1)
    assert f"{bad}:1:" in done.stdout + done.stderr


def test_files_that_are_no_unit_files(foster, folder):
    daemon = foster({"good": GOOD})
    (daemon.units / "empty.toml").write_bytes(b"")
    (daemon.units / "latin.toml").write_bytes(b'description = "gr\xfc\xdfe"\n')
    (daemon.units / "binary.toml").write_bytes(bytes(range(256)))
    (daemon.units / "huge.toml").write_bytes(b"# x\n" * 300_000)
    (daemon.units / "folder.toml").mkdir()
    (daemon.units / "dangling.toml").symlink_to(folder / "nowhere")
    os.mkfifo(daemon.units / "fifo.toml")
    done = daemon.ctl("check", daemon.units, check=1)
    said = done.stdout + done.stderr
    for name in ("empty", "latin", "binary", "huge", "folder", "dangling", "fifo"):
        assert f"{name}.toml" in said, said
    assert "UTF-8" in said and "directory" in said
    assert "good.toml" not in said


def test_other_files_are_left_alone(foster):
    daemon = foster({"good": GOOD})
    (daemon.units / "README").write_text("not a unit")
    (daemon.units / ".hidden.toml").write_text("not a unit either")
    (daemon.units / "backup.toml~").write_text("nor this")
    daemon.start()
    assert [one["name"] for one in daemon.status()["units"]] == ["good"]


def test_a_directory_that_is_not_there(foster, folder):
    daemon = foster()
    daemon.launch(extra=["--units", str(folder / "missing")])
    assert daemon.wait() == 1
    assert str(folder / "missing") in daemon.log()


def test_two_files_for_one_name(foster, folder):
    daemon = foster()
    for place in ("one", "other"):
        (folder / place).mkdir()
        (folder / place / "a.toml").write_text(GOOD)
    one, other = folder / "one" / "a.toml", folder / "other" / "a.toml"
    daemon.launch(extra=["--units", one, "--units", other])
    assert daemon.wait() == 1
    assert str(one) in daemon.log() and str(other) in daemon.log()


def test_a_running_daemon_keeps_its_set_whatever_becomes_of_the_files(foster):
    daemon = foster({"a": GOOD}).start()
    pid = daemon.unit("a")["pid"]
    daemon.write("a", "broken [")
    daemon.write("b", GOOD)
    daemon.kill_manager()
    status = daemon.status()
    assert [(one["name"], one["pid"]) for one in status["units"]] == [("a", pid)]
    daemon.ctl("restart", "a")


def test_nearest_words(foster):
    daemon = foster({"a": '[servce]\ncommand = ["x"]\n[restart]\nplicy = "always"\n'})
    done = daemon.ctl("check", daemon.units, check=1)
    said = done.stdout + done.stderr
    assert "service" in said and "policy" in said


def test_control_characters_in_a_message_do_not_reach_the_terminal(foster):
    daemon = foster({"a": '[service]\n"\\u001b[31mred" = 1\ncommand = ["x"]\n'})
    done = subprocess.run([daemon.programs / "fosterctl", "check", daemon.units], text=True,
                          capture_output=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 1 and "\x1b" not in done.stdout + done.stderr
