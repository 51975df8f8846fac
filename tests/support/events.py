"""Waiting for things to happen, asleep, with a deadline. Nothing here polls."""

import ctypes
import os
import select
import signal
import time
from pathlib import Path

# Generous: a test that works never waits for it. Sanitizers and a loaded machine are slow.
PATIENCE_S = float(os.environ.get("FOSTER_TEST_PATIENCE", "60"))


def deadline_in(seconds: float | None = None) -> float:
    return time.monotonic() + (PATIENCE_S if seconds is None else seconds)


def readable(fds: list[int], deadline: float, what: str) -> list[int]:
    """Those of the descriptors that are readable, or at their end; at least one."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    ready = poll.poll(max(0, int((deadline - time.monotonic()) * 1000)))
    if not ready:
        raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
    return [fd for fd, _ in ready]


def wait_for_end(pid: int, seconds: float | None = None) -> None:
    """Returns once the process is dead, though perhaps not reaped."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable([fd], deadline_in(seconds), f"the end of process {pid}")
    finally:
        os.close(fd)


def is_alive(pid: int, seen_boot_ns: int | None = None) -> bool:
    """Exists and is not a zombie; with a moment (CLOCK_BOOTTIME) at which it was seen, also that it
    is still the same process. A busy machine goes round all numbers within a long test."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = stat.rpartition(")")[2].split()
    started_ns = int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # rounded down
    same = seen_boot_ns is None or started_ns <= seen_boot_ns
    return same and fields[0] not in ("Z", "X")


def freeze(pid: int) -> None:
    """Stops a process, and returns once it is stopped, which kill(2) does not wait for. The kernel
    tells nobody but the parent of it, so there is no event to sleep on."""
    os.kill(pid, signal.SIGSTOP)
    deadline = deadline_in()
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        os.sched_yield()


class FileWatch:
    """Tells when something happens to a file or in a directory (inotify)."""

    MODIFY = 0x2
    APPEAR = 0x80 | 0x100  # moved or created here

    def __init__(self, path: Path, what: int):
        libc = ctypes.CDLL(None, use_errno=True)
        self._what = f"inotify on {path}"
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0 or libc.inotify_add_watch(self._fd, os.fsencode(path), what) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {path}")

    def drain(self) -> None:
        try:
            os.read(self._fd, 65536)
        except BlockingIOError:
            pass

    def wait(self, deadline: float | None = None) -> None:
        readable([self._fd], deadline or deadline_in(), self._what)
        self.drain()

    def close(self) -> None:
        os.close(self._fd)


def wait_for_file(path: Path) -> None:
    watch = FileWatch(path.parent, FileWatch.APPEAR)
    try:
        while not path.exists():
            watch.wait()
    finally:
        watch.close()


class Fifo:
    """A named pipe that services write lines into; this end never blocks them and never ends."""

    def __init__(self, path: Path, mode: int = 0o666):
        os.mkfifo(path)
        os.chmod(path, mode)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""

    def line(self, seconds: float | None = None) -> str:
        deadline = deadline_in(seconds)
        while b"\n" not in self._rest:
            readable([self._fd], deadline, f"a line from {self.path.name}")
            self._rest += os.read(self._fd, 65536)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def say(self, text: str) -> None:
        """For whoever reads the FIFO instead of us."""
        os.write(self._fd, text.encode() + b"\n")

    def lines(self, count: int) -> list[str]:
        return [self.line() for _ in range(count)]

    def close(self) -> None:
        os.close(self._fd)
