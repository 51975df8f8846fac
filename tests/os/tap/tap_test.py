"""foster-tap, executed as foster executes it."""

import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from events import Fifo, deadline_in, readable, wait_for_end

TAP = Path(os.environ["FOSTER_BUILD"]) / "foster-tap"
TAIL_BYTES = 16320
HEADER = struct.Struct("<QQ48x")


def run(script, *options, pass_fds=(), **more):
    command = [TAP, "--program", "/bin/sh", *options, "--", "/bin/sh", "-c", script]
    return subprocess.run(command, capture_output=True, check=False, timeout=120,
                          pass_fds=pass_fds, **more)


@pytest.fixture
def tail(tmp_path):
    path = tmp_path / "tail"
    path.write_bytes(bytes(HEADER.size + TAIL_BYTES))
    fd = os.open(path, os.O_RDWR)
    yield path, fd
    os.close(fd)


def kept(path: Path) -> bytes:
    data = path.read_bytes()
    magic, written = HEADER.unpack_from(data)
    assert magic == 0x314C494154534F46
    ring = data[HEADER.size:]
    if written <= TAIL_BYTES:
        return ring[:written]
    at = written % TAIL_BYTES
    return ring[at:] + ring[:at]


def test_passes_both_outputs_and_the_exit_code_on():
    done = run("echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_the_service_has_the_pid_and_no_child_and_no_stray_descriptor(tail):
    script = ("import os; print(os.getpid()); print(sorted(os.listdir('/proc/self/fd'))); "
              "print(open(f'/proc/self/task/{os.getpid()}/children').read().split())")
    process = subprocess.Popen(
        [TAP, "--program", "/usr/bin/python3", "--tail-fd", str(tail[1]), "--", "python3", "-c",
         script], stdout=subprocess.PIPE, pass_fds=(tail[1],))
    pid, fds, children = process.communicate(timeout=120)[0].decode().splitlines()
    assert int(pid) == process.pid
    assert fds == "['0', '1', '2', '3']", "3 is that of the listing"
    assert children == "[]"


def test_a_matching_line_is_told_once():
    read, write = os.pipe()
    done = run("echo starting; echo 'ready to accept 1'; echo 'ready to accept 2'",
               "--match", "ready to accept [0-9]+$", "--ready-fd", str(write), pass_fds=(write,))
    os.close(write)
    assert done.returncode == 0
    with os.fdopen(read, "rb") as told:
        assert told.read() in (b"\n", b"\n\n")


def test_no_match_tells_nothing():
    read, write = os.pipe()
    run("echo starting; printf ready", "--match", "ready", "--ready-fd", str(write),
        pass_fds=(write,))
    os.close(write)
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"", "a line counts once it is whole"


def test_the_match_is_told_while_the_service_runs():
    read, write = os.pipe()
    process = subprocess.Popen(
        [TAP, "--program", "/bin/sh", "--match", "^up$", "--ready-fd", str(write), "--", "sh", "-c",
         "echo up >&2; exec sleep infinity"], stderr=subprocess.DEVNULL, pass_fds=(write,))
    os.close(write)
    try:
        readable([read], deadline_in(), "the match")
        assert os.read(read, 1) == b"\n"
    finally:
        process.kill()
        process.wait()
        os.close(read)


def test_the_last_output_is_kept_in_its_order(tail):
    path, fd = tail
    run("seq 1 10000", "--tail-fd", str(fd), pass_fds=(fd,))
    whole = b"".join(b"%d\n" % n for n in range(1, 10001))
    assert kept(path) == whole[-TAIL_BYTES:]


def group_members(group: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == group:
                    found.append(int(entry))
            except ProcessLookupError:
                pass
    return found


def test_the_reader_keeps_the_group_until_the_last_words_are_read(tail, tmp_path):
    path, fd = tail
    read, write = os.pipe()
    gate, away, end = (Fifo(tmp_path / name) for name in ("gate", "away", "end"))
    process = subprocess.Popen(
        [TAP, "--program", "/bin/sh", "--tail-fd", str(fd), "--", "sh", "-c",
         f"setsid sh -c 'echo gone > {away.path}; read line < {gate.path}; echo late' & "
         f"read line < {end.path}; echo last words"],
        stdout=write, pass_fds=(fd,), start_new_session=True)
    os.close(write)
    assert away.line() == "gone"
    [reader] = set(group_members(process.pid)) - {process.pid}
    end.say("now")
    process.wait()
    wait_for_end(reader)
    assert kept(path) == b"last words\n", "what held the pipe longer is waited for by nobody"
    gate.say("go")
    with os.fdopen(read, "rb") as passed_on:
        assert passed_on.read() == b"last words\nlate\n"


def test_the_reader_takes_no_signals_and_hides_its_environment():
    process = subprocess.Popen(
        [TAP, "--program", "/bin/sh", "--", "sh", "-c",
         "trap '' TERM; echo up; read line; echo end"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        env={"FOSTER_ATTEMPT": "77"})
    assert process.stdout.readline() == b"up\n"
    (reader,) = [member for member in group_members(process.pid) if member != process.pid]
    os.killpg(process.pid, signal.SIGTERM)
    assert b"FOSTER_ATTEMPT" not in Path(f"/proc/{reader}/environ").read_bytes()
    assert process.communicate(b"\n", timeout=120)[0] == b"end\n"


def test_what_the_service_closes_is_closed():
    read, write = os.pipe()
    process = subprocess.Popen(
        [TAP, "--program", "/usr/bin/python3", "--", "python3", "-c",
         f"import os; os.close({write}); print('closed', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(write,))
    os.close(write)
    try:
        assert process.stdout.readline() == b"closed\n"
        readable([read], deadline_in(), "the end of what the service has closed")
        assert os.read(read, 1) == b""
    finally:
        process.communicate(b"\n", timeout=120)
        os.close(read)


def test_a_program_that_is_not_there_says_so():
    done = subprocess.run([TAP, "--program", "/no/such", "--", "such"], capture_output=True,
                          check=False, timeout=120)
    assert done.returncode == 127
    assert done.stderr == b"foster-tap: cannot execute /no/such: No such file or directory\n"


def test_a_closed_output_does_not_end_the_service():
    read, write = os.pipe()
    process = subprocess.Popen(
        [TAP, "--program", "/bin/sh", "--", "sh", "-c",
         "trap 'exit 9' PIPE; for n in 1 2 3 4 5; do echo $n || exit 8; done; exit 0"],
        stdout=write)
    os.close(write)
    os.close(read)
    wait_for_end(process.pid)
    assert process.wait() == 0


@pytest.mark.parametrize("arguments", [[], ["--program", "/bin/true"], ["--ready-fd", "x"],
                                       ["--tail-fd", "1", "--program", "/bin/true", "--", "true"]])
def test_wrong_use_is_refused(arguments):
    done = subprocess.run([TAP, *arguments], capture_output=True, check=False, timeout=120)
    assert done.returncode == 2 and b"usage" in done.stderr
