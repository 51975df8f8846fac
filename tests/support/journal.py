"""The services' own record of what they did: tests/services/journal.h, read from Python."""

import struct
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from events import FileWatch

START, EXIT, SIGNAL = 1, 2, 3
_RECORD = struct.Struct("<qiIiI40s")


class Record(NamedTuple):
    boot_ns: int
    pid: int
    kind: int
    value: int
    id: str


def read(path: Path) -> list[Record]:
    data = path.read_bytes()
    assert len(data) % _RECORD.size == 0, f"{path} ends in the middle of a record"
    return [Record(boot_ns, pid, kind, value, name.rstrip(b"\0").decode())
            for boot_ns, pid, kind, value, _, name in _RECORD.iter_unpack(data)]


def await_starts(path: Path, names: list[str]) -> None:
    """Sleeps until each has recorded a start. A service is `running` once it has been executed,
    which is a moment before it catches signals and says so here."""
    watch = FileWatch(path, FileWatch.MODIFY)
    try:
        while not set(names) <= set(count(read(path), START)):
            watch.wait()
    finally:
        watch.close()


def count(records: list[Record], kind: int) -> Counter:
    return Counter(record.id for record in records if record.kind == kind)
