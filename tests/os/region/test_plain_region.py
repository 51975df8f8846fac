"""The region read from Python with mmap and struct alone, beside a real writer."""

import os
import subprocess
from dataclasses import astuple

import pytest

from plain_region import PlainRegion

WRITER = os.environ["FOSTER_PLAIN_WRITER"]


class Writer:
    def __init__(self, instance: str):
        self.instance = instance
        self.process = subprocess.Popen([WRITER, instance], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def publish_without_rest(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> int:
        self.process.stdin.close()
        return self.process.wait(timeout=20)


@pytest.fixture
def writer():
    running = Writer(f"test-python-{os.getpid()}")
    yield running
    if running.process.poll() is None:
        running.end()
    running.process.stdout.close()


def test_every_field_is_where_the_header_file_says(writer):
    region = PlainRegion(writer.instance)
    assert list(region.units()) == ["one", "three", "two"]
    assert astuple(region.slot(2)) == (*range(1, 71), "serving", "as it should")
    assert set(astuple(region.slot(0))) == {0, ""}
    assert region.edges() == [("one", "two", 0), ("three", "one", 4)]
    assert [astuple(event) for event in region.events()] == [(*range(1, 12), "two", "an event")]

    header = region.header()
    assert (header.phase, header.exit_code, header.last_attempt, header.last_job) == (1, -2, 44, 55)
    assert (header.manager_pid, header.keeper_pid) == (writer.process.pid, os.getpid())
    assert (header.manager_restarts, header.retired, header.ring_head) == (3, 0, 2)
    assert (header.instance, header.version_text) == (writer.instance, "1.2.3")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
        assert header.boot_id == boot_id.read().strip()
    with open("/proc/self/stat", encoding="ascii") as stat:
        assert header.keeper_start_ticks == int(stat.read().rsplit(")", 1)[1].split()[19])
    region.close()


def test_no_read_beside_a_writer_is_torn(writer):
    region = PlainRegion(writer.instance)
    writer.publish_without_rest()
    seen = set()
    while len(seen) < 50:
        body = region.slot(2)
        if body.state == 1 and body.goal == 2:
            continue
        # The same byte all over, whatever the width of the number.
        words = {value.to_bytes(8, "little", signed=value < 0)[0] for value in astuple(body)[:-2]}
        assert words == {body.state}
        seen.add(body.state)
    region.close()


def test_the_region_is_gone_after_its_writer(writer):
    region = PlainRegion(writer.instance)
    assert writer.end() == 0
    assert region.header().retired == 1
    region.close()
    with pytest.raises(FileNotFoundError):
        PlainRegion(writer.instance)
