"""The units of units/examples: the chat room, a service that does all that one with sockets can,
and the others."""

import os
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from clients import Guest, Load, chat_unit, free_port, port_of
from daemon import zombies_of
from events import PATIENCE_S, is_alive, wait_for_end

SOURCE = Path(os.environ.get("FOSTER_SOURCE", Path(__file__).resolve().parents[2]))
EXAMPLES = SOURCE / "units" / "examples"
# Whoever is inside is told to leave at once.
NO_DRAIN = ('"--drain", "5"', '"--drain", "0"')


@pytest.fixture
def room(foster):
    daemon = foster({"chat": chat_unit(SOURCE, NO_DRAIN)}).start()
    daemon.until_state("chat", "running")
    return daemon


def objects_of_the_room() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("chat.*")}


def both_hear(first: Guest, second: Guest, text: str) -> None:
    first.say(text)
    for guest in (first, second):
        assert guest.hear() == f"guest {first.number}: {text}"


def test_two_talk(room):
    port = port_of(room, "chat")
    with Guest(port) as anna, Guest(port) as ben:
        both_hear(anna, ben, "is anybody there?")
        both_hear(ben, anna, "yes")
    assert room.unit("chat")["status_text"] == "open"


def test_who_stops_talking_still_hears_the_answer(room):
    with Guest(port_of(room, "chat")) as anna:
        anna.say("one\ntwo")
        anna.say_no_more()
        assert [anna.hear() for _ in range(3)] == ["guest 0: one", "guest 0: two", ""]


def test_a_line_without_end_is_cut(room):
    with Guest(port_of(room, "chat")) as anna:
        anna.say("x" * 1500)
        assert anna.hear() == f"guest 0: {'x' * 1024}guest 0: {'x' * 476}"


def test_a_full_room_lets_others_wait(room):
    port = port_of(room, "chat")
    guests = [Guest(port) for _ in range(128)]
    with Load("chat", port, 1) as waiting:
        guests.pop().close()
        guests[0].say("there is one seat")
        assert guests[0].hear() and guests[1].hear()
        for guest in guests:
            guest.close()
        counts = waiting.counts()
    assert counts["refused"] == counts["reset"] == 0


def test_the_manager_is_killed_and_the_room_restarts(room):
    before = objects_of_the_room()
    port = port_of(room, "chat")
    first = room.unit("chat")["pid"]
    with Guest(port) as anna, Guest(port) as ben, Load("chat", port, 1) as load:
        room.kill_manager()
        anna.say("did you notice?")
        while ben.hear() != "guest 0: did you notice?":
            pass
        assert ben.process == first and is_alive(first)
        room.ctl("restart", "chat")
        for guest in (anna, ben):
            while guest.hear() != "* the room closes":
                pass
            assert guest.hear() == ""
        with Guest(port) as carl:
            assert carl.process == room.unit("chat")["pid"] != first
        counts = load.counts()
    assert (counts["refused"], counts["reset"]) == (0, 0)
    assert not is_alive(first) and not zombies_of(room.keeper)
    assert objects_of_the_room() <= before
    assert port_of(room, "chat") == port


def test_nobody_is_refused_while_there_is_no_room(room):
    port = port_of(room, "chat")
    with Load("chat", port) as load:
        for restarts in (1, 2, 3):
            os.kill(room.unit("chat")["pid"], signal.SIGKILL)
            room.until_unit("chat", lambda body, count=restarts: body.restarts == count
                            and body.state_word == "running", "back")
        counts = load.counts()
    # Who was inside has lost the room; who comes finds the door.
    assert counts["refused"] == 0


def test_no_process_of_a_client_is_left(room):
    port = port_of(room, "chat")
    guests = [Guest(port) for _ in range(20)]
    main = room.unit("chat")["pid"]
    for guest in guests[:10]:
        guest.close()
    # The room has reaped those who left before it seats another.
    with Guest(port):
        room.ctl("stop", "chat")
    wait_for_end(main)
    assert not zombies_of(room.keeper)
    for guest in guests[10:]:
        assert guest.hear() == "* the room closes"
        guest.close()


def test_a_way_in_is_added_while_it_runs(room):
    port = free_port()
    room.ctl("pass", "chat", "--listen", f"tcp://127.0.0.1:{port}", "--name", "side-door")
    with Guest(port) as anna, Guest(port_of(room, "chat")) as ben:
        both_hear(anna, ben, "I came in by the side")
    # It is the unit's from now on: the next room has it from its start, and after a new manager.
    for options in (["--overlap"], []):
        room.ctl("restart", "chat", *options)
        room.kill_manager()
        with Guest(port) as carl:
            assert carl.process == room.unit("chat")["pid"]
    assert "side-door" in room.ctl("fds", "chat").stdout


def test_a_room_that_opens_for_its_first_guest(foster):
    daemon = foster({"chat": chat_unit(
        SOURCE, NO_DRAIN, ("[restart]", 'start = "first-connection"\n\n[restart]'))}).start()
    assert daemon.until_state("chat", "listening")["pid"] is None
    with Guest(port_of(daemon, "chat")) as anna:
        assert anna.process == daemon.until_state("chat", "running")["pid"]


def test_the_examples_have_no_mistake(foster):
    foster().ctl("check", EXAMPLES)


def test_the_examples_are_installed():
    listed = set(re.findall(r"'examples/([^']+)'", (SOURCE / "units" / "meson.build").read_text()))
    assert listed == {path.name for path in EXAMPLES.iterdir()}


def test_the_inbox_runs_for_what_is_written(foster, folder):
    text = (EXAMPLES / "inbox.toml").read_text().replace("/tmp/foster-inbox", f"{folder}/inbox")
    daemon = foster({"inbox": text}).start()
    daemon.until_state("inbox", "listening")
    (folder / "inbox").write_text("one\ntwo\n")
    daemon.until_unit("inbox", lambda body: body.exits == 2 and body.state_word == "listening",
                      "both read")
    assert daemon.output() == "inbox: one\ninbox: two\n"


def test_the_echo_has_a_process_for_each_connection(foster):
    text = (EXAMPLES / "echo@.toml").read_text().replace("127.0.0.1:7007", "127.0.0.1:0")
    daemon = foster({"echo@": text}).start()
    daemon.until_state("echo@", "listening")
    address = ("127.0.0.1", port_of(daemon, "echo@"))
    clients = [socket.create_connection(address, PATIENCE_S) for _ in range(2)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
        assert client.recv(16) == b"%d" % number
    with socket.create_connection(address, PATIENCE_S) as third:
        assert third.recv(16) == b"", "two of one address are all"
    for client in clients:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(16) == b""
        client.close()


@pytest.mark.skipif(not Path("/usr/sbin/nginx").exists(), reason="nginx is not installed")
def test_nginx_is_given_two_sockets(foster, folder):
    port = str(free_port())
    (folder / "index.html").write_text("raised by foster\n")
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; events {{}} http {{ access_log off; server {{ root {folder};"
        f" listen 0.0.0.0:{port}; listen [::]:{port} ipv6only=on; }} }}\n")
    text = (EXAMPLES / "nginx.toml").read_text().replace(':80"', f':{port}"')
    text = text.replace('"-g"', f'"-c", "{folder}/nginx.conf", "-g"')
    daemon = foster({"nginx": text}).start()
    for host in ("127.0.0.1", "[::1]"):
        with urllib.request.urlopen(f"http://{host}:{port}/", timeout=PATIENCE_S) as answer:
            assert answer.read() == b"raised by foster\n"
    assert 'using inherited sockets from "3;4;"' in daemon.log()
