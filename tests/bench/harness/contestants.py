"""Those who supervise: how each is set up, started, asked and stopped."""

import os
import shutil
import signal
import struct
import subprocess


def service_ids(count):
    return [f"n{number:04d}" for number in range(count)]


class Contestant:
    """One supervisor. `prepare` is given a directory with a journal in it, how many services there
    shall be, and their program; it is called once for each session, before anything else."""

    name = ""
    package = None  # Debian's, whose version is shown
    programs = ()
    stop_signal = signal.SIGTERM  # what asks it to stop all services and end
    death_signal = signal.SIGTERM  # what it gets when the bench is killed

    def __init__(self, tools):
        self.tools = tools

    def missing(self):
        """The first program that is not there, or None."""
        return next((name for name in self.programs if not self.program(name)), None)

    def program(self, name):
        return shutil.which(name)

    def prepare(self, directory, count, service):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def status_one(self):
        """Arguments for time-exec that ask for the first service."""
        raise NotImplementedError

    def status_all(self):
        raise NotImplementedError

    def leftovers(self):
        """What is still there after an orderly stop, in words."""
        return []

    def clean(self):
        """Removes what processes alone do not take with them."""


class Floor(Contestant):
    """The bare system calls; its status is that of executing a program at all."""

    name = "floor"

    def prepare(self, directory, count, service):
        self._arguments = [str(count), service, f"{directory}/journal"]

    def command(self):
        return [self.tools.floor, *self._arguments]

    def status_one(self):
        return [self.tools.empty]

    def status_all(self):
        return [self.tools.empty]


class Foster(Contestant):
    name = "foster"
    programs = ("fosterd", "foster-manager", "fosterctl")

    def program(self, name):
        path = os.path.join(self.tools.build, name)
        return path if os.access(path, os.X_OK) else None

    def prepare(self, directory, count, service):
        self._directory = directory
        self._instance = f"bench-{os.getpid()}"
        os.mkdir(f"{directory}/units")
        for name in service_ids(count):
            with open(f"{directory}/units/{name}.toml", "w", encoding="utf-8") as file:
                file.write(
                    "[service]\n"
                    f'command = ["{service}", "{directory}/journal", "{name}"]\n'
                    "[restart]\n"
                    'policy = "always"\ndelay = "0s"\nlimit = 0\n'
                )

    def command(self):
        units = ["--units", f"{self._directory}/units"]
        runtime = ["--runtime-dir", f"{self._directory}/run"]
        return [self.program("fosterd"), "--instance", self._instance, *units, *runtime]

    def status_one(self):
        return [*self.status_all(), "n0000"]

    def status_all(self):
        return [self.program("fosterctl"), "--instance", self._instance, "status"]

    def region(self):
        """The name of the status region, as fosterd's instances are named (common/instance.hpp)."""
        owner = "" if os.getuid() == 0 else f"user-{os.getuid()}."
        return f"/foster.{owner}{self._instance}"

    def leftovers(self):
        return [path for path in (f"/dev/shm{self.region()}",) if os.path.exists(path)]

    def clean(self):
        for path in self.leftovers():
            with open(path, "rb") as file:
                # The semaphore's id: common/region/layout.h, foster_region_header.
                header = file.read(72)
            os.unlink(path)
            if len(header) == 72:
                number = struct.unpack_from("<i", header, 64)[0]
                subprocess.run(["ipcrm", "-s", str(number)], check=False, stderr=subprocess.DEVNULL)


class ServiceDirectories(Contestant):
    """What runit and s6 have in common. ./run is the service itself: no shell, no wrapper."""

    def prepare(self, directory, count, service):
        self._services = f"{directory}/services"
        self._names = service_ids(count)
        self._list = f"{directory}/directories"
        for name in self._names:
            os.makedirs(f"{self._services}/{name}")
            os.link(service, f"{self._services}/{name}/run")
        with open(self._list, "w", encoding="utf-8") as file:
            file.writelines(f"{self._services}/{name}\n" for name in self._names)
        # runsvdir first waits for the second to pass in which the directory was changed, which is
        # not what is measured.
        os.utime(self._services, (0, 0))


class Runit(ServiceDirectories):
    name = "runit"
    package = "runit"
    programs = ("runsvdir", "runsv", "sv")
    stop_signal = signal.SIGHUP
    death_signal = signal.SIGHUP

    def command(self):
        return [self.program("runsvdir"), self._services]

    def status_one(self):
        return [self.program("sv"), "status", f"{self._services}/{self._names[0]}"]

    def status_all(self):
        return [self.program("sv"), "status", *(f"{self._services}/{name}" for name in self._names)]


class S6(ServiceDirectories):
    name = "s6"
    package = "s6"
    programs = ("s6-svscan", "s6-supervise", "s6-svstat")

    def command(self):
        return [self.program("s6-svscan"), "-c", str(2 * len(self._names) + 10), self._services]

    def status_one(self):
        return [self.program("s6-svstat"), f"{self._services}/{self._names[0]}"]

    def status_all(self):
        """It is asked about one directory at a time."""
        return ["-e", self._list, self.program("s6-svstat"), "{}"]


class Supervisord(Contestant):
    name = "supervisord"
    package = "supervisor"
    programs = ("supervisord", "supervisorctl")

    def prepare(self, directory, count, service):
        self._configuration = f"{directory}/supervisord.conf"
        with open(self._configuration, "w", encoding="utf-8") as file:
            file.write(
                "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                f"loglevel=critical\npidfile={directory}/pid\nchildlogdir={directory}\n"
                f"minfds={4 * count + 200}\n"
                f"[unix_http_server]\nfile={directory}/control\n"
                "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                "supervisor.rpcinterface:make_main_rpcinterface\n"
                f"[supervisorctl]\nserverurl=unix://{directory}/control\n"
            )
            for name in service_ids(count):
                file.write(
                    f"[program:{name}]\ncommand={service} {directory}/journal {name}\n"
                    "autorestart=true\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
                )

    def command(self):
        return [self.program("supervisord"), "-c", self._configuration]

    def status_one(self):
        return [*self.status_all(), "n0000"]

    def status_all(self):
        return [self.program("supervisorctl"), "-c", self._configuration, "status"]


ALL = (Floor, Foster, Runit, S6, Supervisord)
