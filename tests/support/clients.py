"""Clients of the services under test: guests of the chat room, and a load that counts mishaps."""

import json
import re
import socket
import subprocess
from pathlib import Path

from daemon import SERVICES, Daemon
from events import PATIENCE_S

CHAT = SERVICES / "foster-chat"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_of(daemon: Daemon, name: str) -> int:
    """The port of its first socket, as bound."""
    region = daemon.region()
    try:
        return region.units()[name].socket_ports[0]
    finally:
        region.close()


def chat_unit(source: Path, *changes: tuple[str, str]) -> str:
    """The unit of the example, at a port that the kernel chooses, with changes to its text."""
    text = (source / "units" / "examples" / "chat.toml").read_text()
    always = (('"foster-chat"', json.dumps(str(CHAT))), ("127.0.0.1:7777", "127.0.0.1:0"))
    for old, new in always + changes:
        assert old in text, f"{old} is not in chat.toml"
        text = text.replace(old, new)
    return text


class Guest:
    """Someone in the chat room."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._lines = self._socket.makefile(encoding="utf-8")
        greeting = self.hear()
        found = re.fullmatch(r"\* you are guest (\d+) of process (\d+)", greeting)
        assert found, greeting
        self.number, self.process = map(int, found.groups())

    def say(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\n")

    def hear(self) -> str:
        """The next line; empty at the end."""
        return self._lines.readline().rstrip("\n")

    def say_no_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class Load:
    """tests/services/connect-load: asks all the time, over new connections. `with` ends it."""

    def __init__(self, protocol: str, port: int, connections: int = 4):
        self._process = subprocess.Popen(
            [SERVICES / "connect-load", protocol, "127.0.0.1", str(port), str(connections)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def counts(self) -> dict[str, int]:
        """Since it was last asked."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        words = self._process.stdout.readline().split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_) -> None:
        self._process.communicate()
