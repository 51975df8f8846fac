"""A client of foster's control socket that speaks D-Bus itself: it can send what no library would,
and thousands of calls on one connection."""

import os
import socket
import struct

from events import PATIENCE_S

PATH, INTERFACE, MEMBER, ERROR_NAME, SIGNATURE, UNIX_FDS = 1, 2, 3, 4, 8, 9
CALL, ERROR = 1, 3


def padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def text(value: str) -> bytes:
    """A string, of type s or o."""
    raw = value.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0"


def header_field(code: int, kind: str, value) -> bytes:
    head = bytes([code, 1]) + kind.encode() + b"\0"
    if kind == "u":
        return head + struct.pack("<I", value)
    if kind == "g":
        return head + bytes([len(value)]) + value.encode() + b"\0"
    return head + text(value)


class Refused(Exception):
    """The name of the error that was answered; its text behind it."""


class RawBus:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.socket.settimeout(PATIENCE_S)
        self.serial = 0
        self.buffer = b""
        uid = str(os.geteuid()).encode().hex()
        # All of it at once, as sd-bus does: a server of sd-bus's wants no descriptors, and forgets
        # a message, in what it reads together with the last of these lines.
        self.socket.sendall(f"\0AUTH EXTERNAL {uid}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n".encode())
        assert self._line().startswith(b"OK ")
        assert self._line() == b"AGREE_UNIX_FD"

    def close(self) -> None:
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _fill(self) -> None:
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionResetError("the other side has hung up")
        self.buffer += more

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._fill()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def send(self, member: str, signature: str, body: bytes, descriptors=(), claimed=None) -> None:
        """`claimed`: how many descriptors the message says it has."""
        self.serial += 1
        wanted = [(PATH, "o", "/org/foster1"), (INTERFACE, "s", "org.foster1.Manager"),
                  (MEMBER, "s", member)]
        if signature:
            wanted.append((SIGNATURE, "g", signature))
        if claimed or descriptors:
            wanted.append((UNIX_FDS, "u", len(descriptors) if claimed is None else claimed))
        fields = b""
        for field in wanted:
            fields = padded(fields, 8) + header_field(*field)
        head = struct.pack("<cBBBIII", b"l", CALL, 0, 1, len(body), self.serial, len(fields))
        message = padded(head + fields, 8) + body
        if descriptors:
            sent = socket.send_fds(self.socket, [message], list(descriptors))
            message = message[sent:]
        self.socket.sendall(message)

    def answer(self) -> bytes:
        """The body of the next answer; Refused when that is an error."""
        head = self._take(16)
        _, kind, _, _, size, _, fields_size = struct.unpack("<cBBBIII", head)
        fields = self._take(fields_size + -fields_size % 8)
        body = self._take(size)
        if kind != ERROR:
            return body
        name = fields[fields.index(bytes([ERROR_NAME, 1]) + b"s\0") + 4:]
        length, = struct.unpack("<I", name[:4])
        raise Refused(name[4:4 + length].decode(), body[4:-1].decode(errors="replace"))

    def call(self, member: str, signature: str, body: bytes, descriptors=(), claimed=None) -> bytes:
        self.send(member, signature, body, descriptors, claimed)
        return self.answer()

    def pass_one(self, unit: str, name: str, descriptors, claimed=None, index: int = 0) -> bool:
        body = padded(padded(text(unit), 4) + text(name), 4) + struct.pack("<I", index)
        return self.call("Pass", "ssh", body, descriptors, claimed) != bytes(4)

    def drop(self, unit: str, name: str) -> int:
        answer = self.call("Drop", "ss", padded(text(unit), 4) + text(name))
        return struct.unpack("<I", answer)[0]
