"""The status region, read by mmap and futex alone, as common/region/layout.h describes it.

A second reading of the layout, in another language and from its comments: it keeps the header
honest, and lets a test sleep until what it waits for has happened.
"""

import ctypes
import mmap
import os
import time
from pathlib import Path

MAGIC = 0x314E4F4947455246
STATES = ("stopped", "starting", "running", "stopping", "backoff", "exited", "failed",
          "waiting", "skipped", "listening")
PHASES = ("starting", "running", "stopping", "down")
CAUSES = ("none", "boot", "request", "exit", "spawn_failed", "rate_limited", "shutdown",
          "stop_timeout", "dependency", "conflict", "condition", "start_timeout", "hook", "health",
          "watchdog", "max_runtime", "timer", "on_failure", "masked",
          "connection")
STEPS = ("none", "conditions", "pre_start", "command", "find_main", "ready", "post_start", "reload",
         "dependents", "pre_stop", "stop_command", "signal", "post_stop", "overlap")
HEALTHS = ("none", "starting", "healthy", "unhealthy")
EDGE_KINDS = ("requires", "binds-to", "wants", "completed", "after", "conflicts", "part-of")
FLAGS = {"killed": 1, "essential": 2, "ready": 4, "was_up": 8, "exit_clean": 16}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                       ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.semop.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]

SYS_FUTEX = 202
FUTEX_WAIT = 0

U8, U16, U32, I32, U64, I64 = (ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int32,
                               ctypes.c_uint64, ctypes.c_int64)
NAME = ctypes.c_char * 96
TEXT = ctypes.c_char * 88


class Header(ctypes.Structure):
    _fields_ = [
        ("magic", U64), ("version", U32), ("header_size", U32), ("slot_size", U32),
        ("slot_capacity", U32), ("slot_count", U32), ("event_size", U32), ("ring_capacity", U32),
        ("layout_generation", U32), ("ring_offset", U64), ("slots_offset", U64),
        ("total_size", U64),
        ("semaphore_id", I32), ("generation", U32), ("retired", U32), ("phase", U32),
        ("ring_head", U64), ("manager_pid", I32), ("keeper_pid", I32), ("manager_start_ticks", U64),
        ("keeper_start_ticks", U64), ("manager_restarts", U32), ("exit_code", I32),
        ("manager_started_boot_ns", I64), ("daemon_started_boot_ns", I64),
        ("daemon_started_real_ns", I64), ("turn_started_boot_ns", I64), ("last_attempt", U64),
        ("last_job", U64), ("edges_offset", U64), ("edge_count", U32), ("edge_size", U32),
        ("boot_id", ctypes.c_char * 40), ("instance", NAME), ("version_text", ctypes.c_char * 32),
    ]


class Body(ctypes.Structure):
    _fields_ = [
        ("state", U8), ("goal", U8), ("type", U8), ("cause", U8), ("exit_kind", U8), ("step", U8),
        ("health", U8), ("enablement", U8), ("flags", U32), ("blocker", U32), ("pid", I32),
        ("exit_value", I32), ("restarts", U32), ("failures", U32), ("window_count", U32),
        ("check_failures", U32), ("check_successes", U32), ("service_errno", I32),
        ("command_index", U16), ("hook_index", U16), ("hook_role", U8), ("check_role", U8),
        ("check_index", U16), ("claimed_pid", I32), ("hook_pid", I32), ("check_pid", I32),
        ("successor_pid", I32), ("former_pid", I32), ("trigger_count", U32), ("socket_count", U16),
        ("held_count", U16), ("reserved", U32), ("socket_ports", U16 * 4),
        ("window_start_boot_ns", I64), ("trigger_start_boot_ns", I64),
        ("successor_deadline_boot_ns", I64), ("former_deadline_boot_ns", I64),
        ("successor_attempt", U64), ("former_attempt", U64), ("attempt", U64),
        ("exit_attempt", U64), ("exits", U64), ("since_boot_ns", I64), ("since_real_ns", I64),
        ("started_boot_ns", I64), ("running_boot_ns", I64), ("exit_boot_ns", I64),
        ("exit_real_ns", I64), ("deadline_boot_ns", I64), ("start_deadline_boot_ns", I64),
        ("watchdog_deadline_boot_ns", I64), ("runtime_deadline_boot_ns", I64),
        ("check_next_boot_ns", I64), ("hook_deadline_boot_ns", I64),
        ("check_deadline_boot_ns", I64), ("watchdog_ns", I64), ("timer_next_real_ns", I64),
        ("hook_attempt", U64), ("check_attempt", U64), ("exit_user_us", U64),
        ("exit_system_us", U64), ("exit_max_rss_kib", U64), ("job", U64), ("job_results", U64 * 4),
        ("status_text", TEXT), ("detail", TEXT),
    ]

    @property
    def state_word(self) -> str:
        return STATES[self.state]

    @property
    def step_word(self) -> str:
        return STEPS[self.step]

    @property
    def health_word(self) -> str:
        return HEALTHS[self.health]

    def has(self, flag: str) -> bool:
        return self.flags & FLAGS[flag] != 0


class Slot(ctypes.Structure):
    _fields_ = [("sequence", U32), ("current", U32), ("name", NAME), ("body", Body * 2)]


class Edge(ctypes.Structure):
    _fields_ = [("from_slot", U32), ("to_slot", U32), ("kind", U32)]


class Semop(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("op", ctypes.c_short), ("flags", ctypes.c_short)]


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Region:
    """One mapping of an instance's region; open a new one when `stale`."""

    def __init__(self, instance: str):
        self.path = Path("/dev/shm") / f"foster.{instance}"
        fd = os.open(self.path, os.O_RDONLY)
        try:
            self.size = os.fstat(fd).st_size
            self.address = _libc.mmap(None, self.size, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
        finally:
            os.close(fd)
        if self.address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), "mmap")
        self.header = Header.from_address(self.address)
        if self.header.magic != MAGIC or self.header.version != 3:
            raise ValueError(f"{self.path} is no region of version 3")
        if self.header.slot_size != ctypes.sizeof(Slot):
            raise ValueError(f"a slot has {self.header.slot_size} bytes, not {ctypes.sizeof(Slot)}")
        self.layout = self.header.layout_generation

    def close(self) -> None:
        if self.address is not None:
            _libc.munmap(self.address, self.size)
            self.address = None

    @property
    def stale(self) -> bool:
        return self.header.retired != 0 or self.header.layout_generation != self.layout

    def _slot(self, index: int) -> Slot:
        offset = self.header.slots_offset + index * self.header.slot_size
        return Slot.from_address(self.address + offset)

    def _wait_for_guard(self) -> None:
        wait_for_zero = Semop(0, 0, 0)
        _libc.semop(self.header.semaphore_id, ctypes.byref(wait_for_zero), 1)

    def read(self, index: int) -> Body:
        slot = self._slot(index)
        while True:
            before = slot.sequence
            if before % 2 == 1:
                self._wait_for_guard()
                if slot.sequence == before:  # the writer died there; the current body is whole
                    return Body.from_buffer_copy(slot.body[slot.current])
                continue
            copy = Body.from_buffer_copy(slot.body[slot.current])
            if slot.sequence == before:
                return copy

    def units(self) -> dict[str, Body]:
        return {self._slot(index).name.decode(): self.read(index)
                for index in range(self.header.slot_count)}

    def edges(self) -> list[tuple[str, str, str]]:
        """What depends on what: (unit, on which, how)."""
        first = self.address + self.header.edges_offset
        edges = [Edge.from_address(first + i * self.header.edge_size)
                 for i in range(self.header.edge_count)]
        name = [self._slot(index).name.decode() for index in range(self.header.slot_count)]
        return [(name[edge.from_slot], name[edge.to_slot], EDGE_KINDS[edge.kind])
                for edge in edges]

    def sleep_until_changed(self, seen: int, deadline: float) -> None:
        """Returns once `generation` is no longer `seen`, or at the deadline of time.monotonic()."""
        left = max(0.0, deadline - time.monotonic())
        timeout = Timespec(int(left), int(left % 1 * 1e9))
        address = self.address + Header.generation.offset
        _libc.syscall(SYS_FUTEX, ctypes.c_void_p(address), FUTEX_WAIT, ctypes.c_uint32(seen),
                      ctypes.byref(timeout), None, 0)
