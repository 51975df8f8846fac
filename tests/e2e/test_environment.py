"""What a service finds: its environment, descriptors, ids, directory, standard streams."""

import os
import pwd

import pytest

from conftest import needs_root
from daemon import SERVICES, ordinary_user, shell, unit

ONESHOT = {"type": "oneshot", "restart": {"policy": "never"}}


def environment_of(folder, name="env"):
    lines = (folder / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def printing(folder, name="env"):
    return [SERVICES / "print-env", "-", "x", folder / name]


def test_it_is_clean(foster, folder):
    daemon = foster({"a": unit(printing(folder), **ONESHOT)})
    daemon.extra_environment |= {"SECRET": "hush", "LD_LIBRARY_PATH": "/x", "NOTIFY_SOCKET": "/x"}
    daemon.start()
    me = pwd.getpwuid(os.getuid())
    found = environment_of(folder)
    attempt = found.pop("FOSTER_ATTEMPT")
    assert int(attempt) == daemon.unit("a")["attempt"]
    assert found.pop("FOSTER_INVOCATION").startswith(f"{daemon.process.pid}-")
    assert found == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8", "HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name,
        "SHELL": me.pw_shell, "FOSTER_UNIT": "a", "FOSTER_INSTANCE": daemon.name,
    }


def test_the_unit_files_variables(foster, folder):
    (folder / "vars").write_text("# a comment\nFROM_FILE=1\nBOTH='file $x'\nQUOTED=\"a \\\" b\"\n")
    daemon = foster({"a": unit(
        printing(folder), **ONESHOT, environment={"BOTH": "table", "EMPTY": "", "UTF": "grüße ☂"},
        environment_files=[str(folder / "vars"), f"-{folder}/missing"])}).start()
    found = environment_of(folder)
    assert found["FROM_FILE"] == "1" and found["BOTH"] == "table" and found["EMPTY"] == ""
    assert found["QUOTED"] == 'a " b' and found["UTF"] == "grüße ☂"
    assert daemon.unit("a")["state"] == "exited"


def test_a_missing_environment_file_is_a_failed_start(foster, folder):
    daemon = foster({"a": unit(printing(folder), **ONESHOT,
                               environment_files=[str(folder / "missing")])})
    daemon.launch()
    daemon.until_state("a", "failed")
    found = daemon.unit("a")
    assert "missing: No such file or directory" in found["detail"]


def test_an_environment_file_is_read_at_each_start(foster, folder):
    (folder / "vars").write_text("X=1\n")
    daemon = foster({"a": unit(printing(folder), **ONESHOT,
                               environment_files=[str(folder / "vars")])}).start()
    assert environment_of(folder)["X"] == "1"
    (folder / "vars").write_text("X=2\n")
    daemon.ctl("start", "a")
    assert environment_of(folder)["X"] == "2"


def test_patterns_pass_the_daemons_variables(foster, folder):
    daemon = foster({"a": unit(printing(folder), **ONESHOT, pass_environment=["APP_*", "ONE"])})
    daemon.extra_environment |= {"APP_A": "a", "APP_B": "b", "ONE": "1", "ONE_MORE": "no"}
    daemon.start()
    found = environment_of(folder)
    assert (found["APP_A"], found["APP_B"], found["ONE"]) == ("a", "b", "1")
    assert "ONE_MORE" not in found


def test_the_command_is_expanded_once_without_a_shell(foster, folder):
    script = "printf '%%s|' \"$$@\" > " + str(folder / "args")
    daemon = foster({"a": unit(
        ["/bin/sh", "-c", script, "sh", "${WORDS}", "$$HOME", "$HOME", "${REF}", "a*", "x${N}y"],
        **ONESHOT, environment={"WORDS": "two words", "REF": "${WORDS}", "N": "1"})}).start()
    assert daemon.unit("a")["state"] == "exited"
    assert (folder / "args").read_text() == "two words|$HOME|$HOME|${WORDS}|a*|x1y|"


def test_a_variable_that_is_not_set_is_a_failed_start(foster):
    daemon = foster({"a": unit(["/bin/echo", "${NOSUCH}"], **ONESHOT)})
    daemon.launch()
    daemon.until_state("a", "failed")
    assert "NOSUCH" in daemon.unit("a")["why"] + daemon.unit("a")["detail"]


def test_the_program_is_found_in_path(foster, folder):
    place = folder / "bin"
    place.mkdir()
    (place / "my-program").write_text(f"#!/bin/sh\necho found > {folder}/found\n")
    (place / "my-program").chmod(0o755)
    daemon = foster({"a": unit(["my-program"], **ONESHOT,
                               environment={"PATH": f"{place}:/usr/bin:/bin"})}).start()
    assert daemon.unit("a")["state"] == "exited"
    assert (folder / "found").read_text() == "found\n"


def test_only_the_standard_descriptors_are_open(foster, folder):
    inherited = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    daemon = foster({"a": unit([SERVICES / "dump-fds", "-", "x", folder / "fds"], **ONESHOT)})
    daemon.start()
    os.close(inherited)
    lines = dict(line.split(" ", 1) for line in (folder / "fds").read_text().splitlines())
    assert set(lines) == {"0", "1", "2"}
    assert lines["0"] == "/dev/null"
    assert lines["1"].endswith("/stdout") and lines["2"].endswith("/stderr")


def test_output_is_passed_through(foster):
    daemon = foster({"a": unit(shell("echo to stdout; echo to stderr >&2"), **ONESHOT)}).start()
    assert "to stdout\n" in daemon.output()
    assert "to stderr\n" in daemon.log()


def test_signals_are_at_their_defaults(foster, folder):
    script = shell(f"grep -E '^Sig(Blk|Ign)' /proc/self/status > {folder}/signals")
    foster({"a": unit(script, **ONESHOT)}).start()
    lines = (folder / "signals").read_text().splitlines()
    assert [int(line.split()[1], 16) for line in lines] == [0, 0]


def test_directory_umask_and_session(foster, folder):
    script = shell(f"pwd > {folder}/out; umask >> {folder}/out; "
                   f"cut -d' ' -f1,5,6 /proc/self/stat >> {folder}/out; echo $PPID >> {folder}/out")
    daemon = foster({"a": unit(script, **ONESHOT, working_directory=str(folder), umask="0077"),
                     "b": unit(shell(f"pwd > {folder}/b; umask >> {folder}/b"), **ONESHOT)})
    daemon.start()
    directory, umask, ids, parent = (folder / "out").read_text().splitlines()
    assert directory == str(folder) and umask == "0077"
    _, group, session = ids.split()
    assert group == session, "a session of its own"
    assert int(parent) == daemon.keeper, "a child of the keeper"
    assert (folder / "b").read_text().splitlines() == ["/", "0022"]


def test_a_directory_that_is_not_there_fails_with_its_name(foster, folder):
    daemon = foster({"a": unit(["/bin/true"], **ONESHOT,
                               working_directory=str(folder / "missing"))})
    daemon.launch()
    daemon.until_state("a", "failed")
    said = daemon.unit("a")["why"] + daemon.unit("a")["detail"]
    assert "cannot enter the working directory" in said and "No such file" in said


@needs_root
def test_user_and_groups(foster, folder):
    who = ordinary_user()
    (folder / "out").touch()
    os.chown(folder / "out", who.pw_uid, who.pw_gid)
    script = shell(f"id -u > {folder}/out; id -g >> {folder}/out; id -G >> {folder}/out; "
                   f"echo $USER $HOME >> {folder}/out")
    daemon = foster({"a": unit(script, **ONESHOT, user=who.pw_name)}).start()
    assert daemon.unit("a")["state"] == "exited"
    uid, gid, groups, names = (folder / "out").read_text().splitlines()
    assert (int(uid), int(gid)) == (who.pw_uid, who.pw_gid)
    assert "0" not in groups.split()
    assert names == f"{who.pw_name} {who.pw_dir}"


@needs_root
@pytest.mark.parametrize("key", ["user", "group"])
def test_an_account_that_is_not_there_fails_with_its_name(foster, key):
    daemon = foster({"a": unit(["/bin/true"], **ONESHOT, **{key: "nosuch-account"})})
    daemon.launch()
    daemon.until_state("a", "failed")
    assert "nosuch-account" in daemon.unit("a")["why"] + daemon.unit("a")["detail"]
