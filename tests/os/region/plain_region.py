"""Reads foster's status region with mmap and struct alone, as any program may.

Everything here is made by hand from the comments of <foster/region.h>, so it stands for a program
that was written elsewhere from that text. There is no futex and no semaphore in Python's library:
this reader looks once. A slot that is being written at that moment shows its last whole state,
which is right at any time, since a writer only ever fills the body that is not current.
"""

import mmap
import os
import struct
from dataclasses import dataclass, fields

MAGIC = 0x314E4F4947455246
VERSION = 3

# magic, version, header_size, slot_size, slot_capacity, slot_count, event_size, ring_capacity,
# layout_generation, ring_offset, slots_offset, total_size
LAYOUT = struct.Struct("<Q8I3Q")
# semaphore_id, generation, retired, phase, ring_head, manager_pid, keeper_pid,
# manager_start_ticks, keeper_start_ticks, manager_restarts, exit_code, manager_started_boot_ns,
# daemon_started_boot_ns, daemon_started_real_ns, turn_started_boot_ns, last_attempt, last_job
CHANGING = struct.Struct("<i3IQ2i2QIi4q2Q")
EDGES = struct.Struct("<Q2I")  # edges_offset, edge_count, edge_size
# boot_id, instance, version_text
TEXTS = struct.Struct("<40s96s32s")

SLOT_HEAD = struct.Struct("<2I96s")  # sequence, current, name
BODY = struct.Struct("<8B2I2i5Ii2H2BH5iI2HI4H4q5Q15q10Q88s88s")
EDGE = struct.Struct("<3I")  # from, to, kind
EVENT = struct.Struct("<Q2qQ2i4BI96s88s")


@dataclass(frozen=True)
class Header:
    semaphore_id: int
    generation: int
    retired: int
    phase: int
    ring_head: int
    manager_pid: int
    keeper_pid: int
    manager_start_ticks: int
    keeper_start_ticks: int
    manager_restarts: int
    exit_code: int
    manager_started_boot_ns: int
    daemon_started_boot_ns: int
    daemon_started_real_ns: int
    turn_started_boot_ns: int
    last_attempt: int
    last_job: int
    boot_id: str
    instance: str
    version_text: str


@dataclass(frozen=True)
class Body:
    state: int
    goal: int
    type: int
    cause: int
    exit_kind: int
    step: int
    health: int
    enablement: int
    flags: int
    blocker: int
    pid: int
    exit_value: int
    restarts: int
    failures: int
    window_count: int
    check_failures: int
    check_successes: int
    service_errno: int
    command_index: int
    hook_index: int
    hook_role: int
    check_role: int
    check_index: int
    claimed_pid: int
    hook_pid: int
    check_pid: int
    successor_pid: int
    former_pid: int
    trigger_count: int
    socket_count: int
    held_count: int
    reserved: int
    socket_port_0: int
    socket_port_1: int
    socket_port_2: int
    socket_port_3: int
    window_start_boot_ns: int
    trigger_start_boot_ns: int
    successor_deadline_boot_ns: int
    former_deadline_boot_ns: int
    successor_attempt: int
    former_attempt: int
    attempt: int
    exit_attempt: int
    exits: int
    since_boot_ns: int
    since_real_ns: int
    started_boot_ns: int
    running_boot_ns: int
    exit_boot_ns: int
    exit_real_ns: int
    deadline_boot_ns: int
    start_deadline_boot_ns: int
    watchdog_deadline_boot_ns: int
    runtime_deadline_boot_ns: int
    check_next_boot_ns: int
    hook_deadline_boot_ns: int
    check_deadline_boot_ns: int
    watchdog_ns: int
    timer_next_real_ns: int
    hook_attempt: int
    check_attempt: int
    exit_user_us: int
    exit_system_us: int
    exit_max_rss_kib: int
    job: int
    job_result_0: int
    job_result_1: int
    job_result_2: int
    job_result_3: int
    status_text: str
    detail: str


@dataclass(frozen=True)
class Event:
    sequence: int
    boot_ns: int
    real_ns: int
    attempt: int
    pid: int
    value: int
    kind: int
    state: int
    cause: int
    exit_kind: int
    reserved: int
    name: str
    text: str


def text_of(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode()


def record(kind, values):
    """The fields in order, with byte strings made into text."""
    plain = [text_of(value) if isinstance(value, bytes) else value for value in values]
    return kind(**dict(zip((field.name for field in fields(kind)), plain, strict=True)))


class PlainRegion:
    def __init__(self, instance: str):
        fd = os.open(f"/dev/shm/foster.{instance}", os.O_RDONLY | os.O_NOFOLLOW)
        try:
            self.bytes = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)
        (magic, version, _, self.slot_size, _, self.slot_count, self.event_size,
         self.ring_capacity, self.layout_generation, self.ring_offset, self.slots_offset,
         _) = LAYOUT.unpack_from(self.bytes, 0)
        if (magic, version) != (MAGIC, VERSION):
            raise ValueError(f"the region of {instance} is none of version {VERSION}")

    def close(self) -> None:
        self.bytes.close()

    def header(self) -> Header:
        changing = CHANGING.unpack_from(self.bytes, LAYOUT.size)
        texts = TEXTS.unpack_from(self.bytes, LAYOUT.size + CHANGING.size + EDGES.size)
        return record(Header, changing + texts)

    def name(self, index: int) -> str:
        return text_of(SLOT_HEAD.unpack_from(self.bytes, self._slot_offset(index))[2])

    def slot(self, index: int) -> Body:
        offset = self._slot_offset(index)
        while True:
            head = SLOT_HEAD.unpack_from(self.bytes, offset)
            start = offset + SLOT_HEAD.size + head[1] * BODY.size
            body = self.bytes[start:start + BODY.size]
            if SLOT_HEAD.unpack_from(self.bytes, offset) == head:
                return record(Body, BODY.unpack(body))

    def units(self) -> dict[str, Body]:
        return {self.name(index): self.slot(index) for index in range(self.slot_count)}

    def edges(self) -> list[tuple[str, str, int]]:
        """Who depends on whom, and how: enum foster_edge_kind."""
        offset, count, size = EDGES.unpack_from(self.bytes, LAYOUT.size + CHANGING.size)
        edges = [EDGE.unpack_from(self.bytes, offset + i * size) for i in range(count)]
        return [(self.name(source), self.name(to), kind) for source, to, kind in edges]

    def events(self) -> list[Event]:
        head = self.header().ring_head
        found = []
        for number in range(max(1, head - self.ring_capacity), head):
            offset = self.ring_offset + number % self.ring_capacity * self.event_size
            event = record(Event, EVENT.unpack_from(self.bytes, offset))
            if event.sequence == number:
                found.append(event)
        return found

    def _slot_offset(self, index: int) -> int:
        return self.slots_offset + index * self.slot_size
