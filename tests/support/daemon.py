"""A fosterd under test: started from the build, talked to, and looked after to its end."""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Callable

from events import PATIENCE_S, deadline_in, readable, wait_for_end, wait_for_file
from region import PHASES, Region

BUILD = Path(os.environ.get("FOSTER_BUILD", "build")).resolve()
PROGRAMS = ("fosterd", "foster-manager", "fosterctl", "foster-request", "foster-probe",
            "foster-probe-http", "foster-tap")
SERVICES = BUILD / "tests" / "services"


def toml_value(value) -> str:
    if isinstance(value, dict):
        pairs = [f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items()]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False)


SECTIONS = ("depends", "ready", "health", "hooks", "restart", "stop", "timer", "conditions")


def unit(command=None, *, top=None, **keys) -> str:
    """The text of a unit file. Underscores in keys stand for dashes. A keyword with a section's
    name gives that section's keys; the others are keys of [service]."""
    service = {key: value for key, value in keys.items() if key not in SECTIONS}
    tables = {"": top or {}, "service": ({"command": command} if command else {}) | service}
    tables |= {section: keys.get(section) or {} for section in SECTIONS}
    lines = []
    for table, keys in tables.items():
        if table and keys:
            lines.append(f"[{table}]")
        lines += [f"{key.replace('_', '-')} = {toml_value(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def sockets(*tables: dict) -> str:
    """[[socket]] of a unit file, to follow the text that unit() gives."""
    lines = []
    for table in tables:
        lines.append("[[socket]]")
        lines += [f"{key.replace('_', '-')} = {toml_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def shell(script: str) -> list[str]:
    """A command that runs the script in sh. `$` is doubled, so that foster leaves it to the
    shell."""
    return ["/bin/sh", "-c", script.replace("$", "$$")]


def unit_of(name: str, status: dict) -> dict:
    return next(found for found in status["units"] if found["name"] == name)


def processes_with(text: bytes) -> dict[int, str]:
    """Living processes that have the text in their environment or command line."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes()
            command = Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:
            continue
        if text in environment or text in command:
            found[int(entry)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


class Daemon:
    """`folder` is the test's own; `name` is the instance's and unique among all that run."""

    def __init__(self, folder: Path, name: str, *, uid: int | None = None, own_programs=False):
        self.folder = folder
        self.name = name
        self.uid = uid
        owner = os.getuid() if uid is None else uid
        self.id = name if owner == 0 else f"user-{owner}.{name}"
        self.units = folder / "units"
        self.units.mkdir()
        self.process: subprocess.Popen | None = None
        self.programs = BUILD
        self.extra_environment: dict[str, str] = {}
        self.runtime_base = Path("/run/foster") if owner == 0 else folder / "xdg" / "foster"
        if own_programs or uid is not None:
            self._copy_programs()
        if uid is not None:
            self._prepare_for_user(uid)

    def _copy_programs(self) -> None:
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for program in PROGRAMS:
            if (BUILD / program).exists():
                shutil.copy(BUILD / program, self.programs)

    def _prepare_for_user(self, uid: int) -> None:
        """The build may be below a directory that only root can enter; hence programs of its
        own."""
        xdg = self.folder / "xdg"
        xdg.mkdir()
        for path in (xdg, self.units):
            os.chown(path, uid, uid)
            path.chmod(stat.S_IRWXU)
        self.extra_environment["XDG_RUNTIME_DIR"] = str(xdg)

    def write(self, name: str, text: str) -> Path:
        path = self.units / f"{name}.toml"
        path.write_text(text)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)
        return path

    def environment(self) -> dict[str, str]:
        home = "/root" if os.getuid() == 0 and self.uid is None else str(self.folder)
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "LANG": "C.UTF-8",
            "FOSTER_TEST": self.name,
            # A report is a file, so that one of a manager that is started again is not missed.
            "ASAN_OPTIONS": f"log_path={self.folder}/sanitizer",
            "UBSAN_OPTIONS": f"log_path={self.folder}/sanitizer:print_stacktrace=1",
        }
        if "XDG_RUNTIME_DIR" in os.environ and os.getuid() != 0:
            environment["XDG_RUNTIME_DIR"] = os.environ["XDG_RUNTIME_DIR"]
        return environment | self.extra_environment

    def identity(self) -> dict:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.uid, "extra_groups": []}

    def arguments(self, extra=(), command=()) -> list[str]:
        arguments = [str(self.programs / "fosterd"), "--instance", self.name]
        if any(self.units.iterdir()):
            arguments += ["--units", str(self.units)]
        return arguments + list(extra) + (["--", *map(str, command)] if command else [])

    def launch(self, *, extra=(), command=(), prefix=(), stdin=subprocess.DEVNULL, notify=""):
        """Starts fosterd and waits for nothing."""
        environment = self.environment()
        if notify:
            environment["NOTIFY_SOCKET"] = notify
        with open(self.folder / "stdout", "ab") as out, open(self.folder / "stderr", "ab") as err:
            self.process = subprocess.Popen(
                [*prefix, *self.arguments(extra, command)], env=environment, stdin=stdin,
                stdout=out, stderr=err, cwd="/", **self.identity())

    def start(self, **options) -> "Daemon":
        """Starts fosterd and returns once it has said READY (or has ended, which is an error)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
            path = self.folder / "notify"
            path.unlink(missing_ok=True)
            messages.bind(str(path))
            path.chmod(0o666)
            self.launch(notify=str(path), **options)
            self._await_ready(messages)
        return self

    def _await_ready(self, messages: socket.socket) -> None:
        deadline = deadline_in()
        end = os.pidfd_open(self.process.pid)
        try:
            while True:
                ready = readable([messages.fileno(), end], deadline, f"READY\n{self.log()}")
                if messages.fileno() in ready:
                    if b"READY=1" in messages.recv(65536).split(b"\n"):
                        return
                elif end in ready:
                    code = self.process.wait()
                    raise RuntimeError(f"fosterd ended with {code} before READY:\n{self.log()}")
        finally:
            os.close(end)

    def log(self) -> str:
        path = self.folder / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def output(self) -> str:
        return (self.folder / "stdout").read_text(errors="replace")

    def ctl(self, *arguments, check: int | None = 0, seconds: float | None = None,
            uid: int | None = None) -> subprocess.CompletedProcess:
        """Runs fosterctl; `check` is the exit code expected, None for any."""
        who = self.identity() if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        done = subprocess.run(
            [str(self.programs / "fosterctl"), "--instance", self.name, *map(str, arguments)],
            env=self.environment(), text=True, capture_output=True, check=False, cwd="/",
            stdin=subprocess.DEVNULL, timeout=seconds or PATIENCE_S * 2, **who)
        if check is not None:
            said = f"fosterctl {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
            assert done.returncode == check, f"{said}\n{self.log()}"
        return done

    def status(self) -> dict:
        return json.loads(self.ctl("status", "--json").stdout)

    def unit(self, name: str) -> dict:
        return unit_of(name, self.status())

    def region(self) -> Region:
        return Region(self.id)

    def until(self, condition: Callable[[Region], bool], what: str, seconds: float | None = None):
        """Sleeps on the region until the condition holds."""
        deadline = deadline_in(seconds)
        wait_for_file(Path(f"/dev/shm/foster.{self.id}"))
        region = self.region()
        try:
            while True:
                if region.stale:
                    region.close()
                    region = self.region()
                seen = region.header.generation
                if condition(region):
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError(f"waited in vain for {what}\n{self.log()}")
                region.sleep_until_changed(seen, deadline)
        finally:
            region.close()

    def until_unit(self, name: str, condition, what: str, seconds: float | None = None) -> None:
        def holds(region: Region) -> bool:
            body = region.units().get(name)  # a region has no units at its very beginning
            return body is not None and condition(body)
        self.until(holds, f"{name}: {what}", seconds)

    def until_state(self, name: str, state: str) -> dict:
        """The unit's status once it has been seen in the state."""
        self.until_unit(name, lambda body: body.state_word == state, state)
        return self.unit(name)

    @property
    def keeper(self) -> int:
        return self.process.pid

    def manager(self) -> int:
        region = self.region()
        try:
            return region.header.manager_pid
        finally:
            region.close()

    def kill_manager(self) -> None:
        """kill -9, and back once the next one serves."""
        old = self.manager()
        os.kill(old, signal.SIGKILL)
        self.until(lambda region: region.header.manager_pid not in (0, old), "the next manager")

    def shutdown(self) -> int:
        """Asks for the end and waits for it; the exit code."""
        self.ctl("shutdown")
        return self.wait()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float | None = None) -> int:
        """Waits for fosterd's end; the exit code, or -signal."""
        wait_for_end(self.process.pid, seconds)
        return self.process.wait()

    def semaphore(self) -> int | None:
        try:
            region = self.region()
        except (FileNotFoundError, ValueError):
            return None
        try:
            return region.header.semaphore_id
        finally:
            region.close()

    def end(self) -> list[str]:
        """At the end of a test: stops what still runs, and says what should not be there."""
        complaints = []
        semaphore = self.semaphore()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.wait()
            except TimeoutError:
                complaints.append("fosterd does not end on SIGTERM")
                self.process.kill()
                self.process.wait()
        complaints += self.leftovers(semaphore)
        reports = sorted(self.folder.glob("sanitizer*"))
        for report in reports:
            complaints.append(f"{report.name}:\n{report.read_text(errors='replace')}")
        return complaints

    def leftovers(self, semaphore: int | None) -> list[str]:
        complaints = []
        for mark in (f"FOSTER_TEST={self.name}", f"FOSTER_INSTANCE={self.name}"):
            for pid, command in processes_with(mark.encode() + b"\0").items():
                complaints.append(f"process {pid} is left: {command}")
                os.kill(pid, signal.SIGKILL)
        for path in (Path(f"/dev/shm/foster.{self.id}"), self.runtime_base / self.id):
            if path.exists():
                complaints.append(f"{path} is left")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if semaphore is not None and semaphore in semaphore_sets():
            complaints.append(f"semaphore set {semaphore} is left")
        return complaints


def semaphore_sets() -> set[int]:
    lines = Path("/proc/sysvipc/sem").read_text().splitlines()[1:]
    return {int(line.split()[1]) for line in lines}


def children(pid: int) -> list[int]:
    """Of all its threads; zombies too."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += [int(child) for child in
                  Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    return found


def zombies_of(pid: int) -> list[int]:
    def state(child: int) -> str:
        try:
            return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return ""
    return [child for child in children(pid) if state(child) == "Z"]


def instance_name(test: str) -> str:
    """Unique on this machine, and still telling which test it was."""
    words = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")[:30]
    return f"{words}-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"


def ordinary_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")
