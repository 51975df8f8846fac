"""One life of one contestant, from the exec of its daemon to the end of its last process."""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import time

from harness import processes
from harness.journal import START, BenchError, Journal, now_ns

# Generous: what takes longer is broken, not slow.
TIMEOUT_S = 120


def _output(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BenchError(f"{os.path.basename(command[0])} failed: {done.stderr.strip()}")
    return done.stdout


class Session:
    """Leaves nothing behind, however it is left."""

    def __init__(self, contestant, count, tools, service):
        self.contestant = contestant
        self._service = service
        self._count = count
        self._tools = tools
        self._directory = f"{tools.scratch}/{contestant.name}"
        self._daemon = 0
        self._expected_starts = 0

    def __enter__(self):
        os.mkdir(self._directory)
        self.journal = Journal(f"{self._directory}/journal")
        self.contestant.prepare(self._directory, self._count, self._service)
        return self

    def __exit__(self, *_):
        # An impatient second Ctrl-C must not cut this short.
        urgent = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, urgent)
        processes.kill_all()
        self.contestant.clean()
        self.journal.close()
        shutil.rmtree(self._directory)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def start(self):
        """Milliseconds from the exec of the daemon until the last service runs."""
        self.journal.expect(1 + self._count)
        self._launch()
        records = self.journal.wait(TIMEOUT_S)
        self._expected_starts += self._count
        return (max(record[0] for record in records) - records[0][0]) / 1e6

    def reap_orphans(self, count):
        """Milliseconds until that many orphans, ending at once, have been reaped by PID 1."""
        with open(f"{self._directory}/orphans", "w", encoding="utf-8") as file:
            file.write(f"{count}\n")
        self.journal.expect(0)
        # With a /proc of its own, because supervisors look there for themselves.
        self._launch(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"])
        let_go, reaped = self.journal.wait(TIMEOUT_S)[-2:]
        return (reaped[0] - let_go[0]) / 1e6

    def _launch(self, wrapper=()):
        death_signal = str(int(self.contestant.death_signal))
        stamp = [self._tools.stamp_exec, self.journal.path, death_signal]
        log = os.open(f"{self._directory}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open("/dev/null", os.O_RDONLY)
        arguments = [*wrapper, *stamp, *self.contestant.command()]
        self._daemon = os.posix_spawnp(
            arguments[0],
            arguments,
            {"PATH": os.defpath, "LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
        os.close(log)
        os.close(nothing)

    def supervisor_pids(self):
        return set(processes.descendants()) - set(self.journal.newest_pids().values())

    def kill_one_by_one(self, budget_s):
        """Milliseconds from kill -9 of a service until its replacement runs: the median of as many
        services as there is time for."""
        samples = []
        end_ns = now_ns() + budget_s * 1e9
        for pid in self.journal.newest_pids().values():
            # The supervisor is to be asleep when the signal comes, as it mostly is in life.
            time.sleep(0.01)
            self.journal.expect(1)
            killed_ns = now_ns()
            os.kill(pid, signal.SIGKILL)
            record = self.journal.wait(TIMEOUT_S)[0]
            samples.append((record[0] - killed_ns) / 1e6)
            self._expected_starts += 1
            if now_ns() > end_ns:
                break
        return statistics.median(samples)

    def kill_all(self):
        """Milliseconds from the first kill -9 until every service runs again."""
        pids = list(self.journal.newest_pids().values())
        self.journal.expect(len(pids))
        killed_ns = now_ns()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        records = self.journal.wait(TIMEOUT_S)
        self._expected_starts += len(pids)
        return (max(record[0] for record in records) - killed_ns) / 1e6

    def time_command(self, arguments, times, budget_s):
        """Milliseconds from fork to the reaped exit of a command: the median of so many runs."""
        command = [self._tools.time_exec, str(times), str(int(budget_s * 1000)), *arguments]
        return statistics.median(int(line) for line in _output(command).split()) / 1e6

    def read_in_process(self):
        """(nanoseconds for one slot, microseconds for all slots) of foster's status region."""
        command = [self._tools.region_read, self.contestant.region()]
        one_ns, all_ns = _output(command).split()
        return float(one_ns), float(all_ns) / 1e3

    def wakeups(self, seconds):
        pids = self.supervisor_pids()
        before = processes.context_switches(pids)
        time.sleep(seconds)
        return processes.context_switches(pids) - before

    def pss_kib(self):
        return processes.pss_kib(self.supervisor_pids())

    def stop(self):
        """Milliseconds from the stop signal until the last process is gone, then the reckoning."""
        begin_ns = now_ns()
        os.kill(self._daemon, self.contestant.stop_signal)
        with processes.deadline(TIMEOUT_S, "the orderly stop"):
            processes.reap_all()
        took_ms = (now_ns() - begin_ns) / 1e6
        self._reckon()
        return took_ms

    def _reckon(self):
        starts = [record for record in self.journal.records() if record[2] == START]
        if len(starts) != self._expected_starts:
            raise BenchError(f"{len(starts)} starts of services, expected {self._expected_starts}")
        left = self.contestant.leftovers()
        if left:
            raise BenchError(f"left behind after an orderly stop: {', '.join(left)}")

    def log_tail(self):
        with contextlib.suppress(FileNotFoundError):
            with open(f"{self._directory}/log", encoding="utf-8", errors="replace") as file:
                return file.read()[-2000:]
        return ""
