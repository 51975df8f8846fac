"""What the kernel says of processes, and getting rid of them."""

import contextlib
import ctypes
import os
import signal

from harness.journal import BenchError

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """Whatever a contestant leaves behind becomes our child, so that it can be found and ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become a subreaper")


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants():
    """The pids of all processes below this one."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split()
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    found = []
    parents = [os.getpid()]
    while parents:
        below = children.get(parents.pop(), [])
        found += below
        parents += below
    return found


def pss_kib(pids):
    """The share of memory that is theirs: shared pages are divided among those who share them."""
    total = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def context_switches(pids):
    """How often they have been switched away from, of their own will or not, since they began."""
    total = 0
    for pid in pids:
        for task in _tasks(pid):
            for line in _read(f"/proc/{pid}/task/{task}/status").splitlines():
                if "voluntary_ctxt_switches:" in line:
                    total += int(line.split()[1])
    return total


def _tasks(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextlib.contextmanager
def deadline(seconds, what):
    """Raises BenchError out of a blocking call once the time is up."""

    def expired(_number, _frame):
        raise BenchError(f"{what} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def reap_all():
    """Waits until there is no process below this one any more."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def kill_all():
    """Ends all processes below this one, whatever they do about it. Some may be born meanwhile, so
    it is done again after each death until there is none left."""
    while True:
        for pid in descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
