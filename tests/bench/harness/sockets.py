"""Two who hand sockets to services, foster and the bare floor, behind one interface."""

import json
import os
import shutil
import socket
import subprocess

from harness.journal import BenchError

TIMEOUT_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
    return done.stdout


class SocketTools:
    """Programs of the build, and a directory to work in."""

    def __init__(self, build, directory):
        services = os.path.join(build, "tests", "services")
        self.build = build
        self.directory = directory
        self.chat = os.path.join(services, "foster-chat")
        self.load = os.path.join(services, "connect-load")
        self.stamp = os.path.join(services, "socket-stamp")
        self.floor = os.path.join(build, "tests", "bench", "socket-floor")
        self.fifo = os.path.join(directory, "stamps")
        os.mkfifo(self.fifo)


class Floor:
    """Each of its services is held by a process of its own."""

    name = "floor"

    def __init__(self, tools):
        self._tools = tools
        self._daemons = []
        self._path = os.path.join(tools.directory, "floor")
        self.lazy_path = f"{self._path}.lazy"
        self.port = free_port()

    def __enter__(self):
        tools = self._tools
        self._launch("pass-on", f"{self._path}.pass", tools.stamp, tools.fifo)
        self._launch("activate", self.lazy_path, tools.stamp, tools.fifo, "once")
        self._restarters = {}
        for how in ("plain", "overlap"):
            port = self.port if how == "plain" else free_port()
            self._restarters[how] = (port, self._launch("restart", how, str(port), tools.chat))
        return self

    def _launch(self, *arguments):
        daemon = subprocess.Popen([self._tools.floor, *arguments], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self._daemons.append(daemon)
        self._await(daemon)
        return daemon

    def __exit__(self, *_):
        for daemon in self._daemons:
            daemon.kill()
            daemon.communicate()

    def pass_command(self):
        return [self._tools.floor, "pass", f"{self._path}.pass"]

    def listens_again(self):
        """It knows of no state that could be waited for."""

    def chat_port(self, how):
        return self._restarters[how][0]

    def restart(self, how):
        daemon = self._restarters[how][1]
        daemon.stdin.write("again\n")
        daemon.stdin.flush()
        self._await(daemon)

    @staticmethod
    def _await(daemon):
        if daemon.stdout.readline() != "ready\n":
            raise BenchError("the floor has ended")


class Foster:
    name = "foster"

    def __init__(self, tools):
        self._tools = tools
        self._instance = f"bench-sockets-{os.getpid()}"
        self._units = os.path.join(tools.directory, "units")
        self.lazy_path = os.path.join(tools.directory, "foster.lazy")
        self._port = free_port()
        self._nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        self._nginx_port = free_port()

    def __enter__(self):
        tools = self._tools
        os.mkdir(self._units)
        if self._nginx:
            self._prepare_nginx()
        stamp = f'[service]\ncommand = ["{tools.stamp}", "{tools.fifo}"'
        self._write("pass", f'{stamp}]\nreceive = "live"\n')
        self._write("lazy", f'{stamp}, "once"]\nstart = "first-connection"\ntrigger-limit = 0\n'
                            f'[[socket]]\nlisten = "unix://{self.lazy_path}"\n')
        self._write("chat", f'[service]\ntype = "notify"\ncommand = ["{tools.chat}"]\n'
                            f'[[socket]]\nlisten = "tcp://127.0.0.1:{self._port}"\n')
        messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        messages.bind(f"{self._units}.notify")
        messages.settimeout(TIMEOUT_S)
        with open(f"{tools.directory}/log", "w", encoding="utf-8") as log, messages:
            self._daemon = subprocess.Popen(
                [self._program("fosterd"), "--instance", self._instance, "--units", self._units,
                 "--runtime-dir", f"{tools.directory}/run"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": f"{self._units}.notify"})
            while b"READY=1" not in messages.recv(4096):
                pass
        return self

    def __exit__(self, *_):
        self._daemon.terminate()
        self._daemon.wait(TIMEOUT_S)

    def _prepare_nginx(self):
        where = self._tools.directory
        with open(f"{where}/index.html", "w", encoding="utf-8") as page:
            page.write("raised by foster\n")
        with open(f"{where}/nginx.conf", "w", encoding="utf-8") as file:
            # Its workers have to get into a directory that is ours alone.
            file.write(
                ("user root;\n" if os.getuid() == 0 else "")
                + f"pid {where}/nginx.pid;\nerror_log stderr;\n"
                "events { worker_connections 256; }\n"
                "http { access_log off; server { "
                f"listen 127.0.0.1:{self._nginx_port}; root {where}; }} }}\n")
        command = [self._nginx, "-e", "stderr", "-c", f"{where}/nginx.conf", "-g", "daemon off;"]
        self._write("nginx", f'[service]\ncommand = {json.dumps(command)}\n'
                             'environment = { NGINX = "3;" }\n[stop]\nsignal = "SIGQUIT"\n'
                             f'[[socket]]\nlisten = "tcp://127.0.0.1:{self._nginx_port}"\n')

    def servers(self):
        """(unit, protocol, port) of those that can be asked while they are restarted."""
        yield "chat", "chat", self._port
        if self._nginx:
            yield "nginx", "http", self._nginx_port

    def _write(self, name, text):
        with open(f"{self._units}/{name}.toml", "w", encoding="utf-8") as file:
            file.write(text)

    def _program(self, name):
        return os.path.join(self._tools.build, name)

    def _ctl(self, *arguments):
        return [self._program("fosterctl"), "--instance", self._instance, "--runtime-dir",
                f"{self._tools.directory}/run", *arguments]

    def pass_command(self):
        return self._ctl("pass", "pass", "--listen", "tcp://127.0.0.1:0", "--quiet")

    def listens_again(self):
        run(self._ctl("wait", "lazy", "--for", "listening", "--timeout", f"{TIMEOUT_S}s"))

    def chat_port(self, how):
        del how
        return self._port

    def restart(self, how, unit="chat"):
        run(self._ctl("restart", unit, *(["--overlap"] if how == "overlap" else [])))
