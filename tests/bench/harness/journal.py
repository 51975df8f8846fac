"""The services' own record of their starts (tests/services/journal.h), and how to wait for it."""

import os
import select
import struct
import time

RECORD = struct.Struct("<qiIiI40s")
START = 1
LAUNCH = 4
HEADER = 5


class BenchError(Exception):
    """A contestant did not do what was expected of it."""


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Journal:
    """Waits for a number of records without being woken by any but the last of them."""

    def __init__(self, path):
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        self._write_header(0)
        wake_path = f"{path}.wake"
        os.mkfifo(wake_path)
        self._wake = os.open(wake_path, os.O_RDWR | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)

    def close(self):
        os.close(self._file)
        os.close(self._wake)

    def expect(self, count):
        """To be called before whatever causes `count` more records."""
        self._mark = os.fstat(self._file).st_size
        self._write_header(self._mark + count * RECORD.size)

    def wait(self, timeout_s):
        """Sleeps until the expected records are there and gives them."""
        woken = self._poll.poll(timeout_s * 1000)
        if not woken:
            written = (os.fstat(self._file).st_size - self._mark) // RECORD.size
            raise BenchError(f"only {written} of the expected records within {timeout_s} s")
        os.read(self._wake, 1)
        return self.records(self._mark)

    def records(self, offset=RECORD.size):
        """(boot_ns, pid, kind, id) of each record from that offset on."""
        size = os.fstat(self._file).st_size - offset
        return [
            (boot_ns, pid, kind, name.rstrip(b"\0").decode())
            for boot_ns, pid, kind, _, _, name in RECORD.iter_unpack(
                os.pread(self._file, size, offset)
            )
        ]

    def newest_pids(self):
        """The pid that each service started with last, by its id."""
        return {name: pid for _, pid, kind, name in self.records() if kind == START}

    def _write_header(self, wake_at):
        os.pwrite(self._file, RECORD.pack(wake_at, 0, HEADER, 0, 0, b""), 0)
