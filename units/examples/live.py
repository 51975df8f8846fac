#!/usr/bin/python3
"""A service that is handed its sockets while it runs, by `fosterctl pass NAME --listen ...`. Its
unit file says receive = "live"; foster.unit(5) and fosterctl(1) describe how they come."""

import os
import socket
import threading


def serve(name: str, listening: socket.socket) -> None:
    while True:
        client, _ = listening.accept()
        with client:
            client.sendall(f"you have come by {name}\n".encode())


def begin(name: str, descriptor: int) -> None:
    listening = socket.socket(fileno=descriptor)
    threading.Thread(target=serve, args=(name, listening), daemon=True).start()


for number, name in enumerate(filter(None, os.environ.get("LISTEN_FDNAMES", "").split(":"))):
    begin(name, 3 + number)  # what was passed before this start
channel = socket.socket(fileno=int(os.environ["FOSTER_RECEIVE_FD"]))
while True:
    name, descriptors, _, _ = socket.recv_fds(channel, 255, 1)
    if not name:
        break  # the daemon is gone
    begin(name.decode(), descriptors[0])
