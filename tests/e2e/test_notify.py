"""sd_notify(3), from Python's sockets and from systemd-notify(1)."""

import os
import shutil
import signal
import socket
import struct

import pytest

from conftest import needs_root
from daemon import ordinary_user, shell, unit
from events import Fifo, freeze, is_alive, wait_for_end

# Sends each line that it reads from the FIFO; "/" stands for a new line. A line "run PROGRAM" is
# run instead, as a process of the unit.
SENDER = """
import os, socket, subprocess, sys
messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for line in open(sys.argv[1], encoding="utf-8", errors="surrogateescape"):
    if line.startswith("run "):
        subprocess.run(line[4:], shell=True)
    else:
        text = line.rstrip("\\n").replace("/", "\\n").encode("utf-8", "surrogateescape")
        messages.sendto(text, os.environ["NOTIFY_SOCKET"])
"""

need_systemd_notify = pytest.mark.skipif(shutil.which("systemd-notify") is None,
                                         reason="systemd-notify is not installed")


@pytest.fixture(name="voice")
def of_the_service(folder):
    fifo = Fifo(folder / "voice")
    yield fifo
    fifo.close()


def sender(folder, voice, **keys) -> str:
    script = folder / "sender.py"
    script.write_text(SENDER)
    return unit(["/usr/bin/python3", str(script), str(voice.path)], type="notify", **keys)


def until_said(daemon, name: str, text: str) -> dict:
    daemon.until_unit(name, lambda body: body.status_text.decode() == text, f"status {text}")
    return daemon.unit(name)


def begin(daemon) -> None:
    daemon.launch()
    daemon.until_unit("web", lambda body: body.step_word == "ready", "waiting to be ready")


def test_ready_is_what_starts_those_that_need_it(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice),
                     "after": unit(["/bin/sleep", "infinity"], depends={"requires": ["web"]})})
    begin(daemon)
    voice.say("STATUS=warming up")
    assert until_said(daemon, "web", "warming up")["state"] == "starting"
    assert daemon.unit("after")["state"] == "waiting"
    voice.say("READY=1/STATUS=serving")
    daemon.until_state("after", "running")
    web = daemon.unit("web")
    assert (web["state"], web["status_text"], web["ready"]) == ("running", "serving", True)


def test_what_it_says_of_itself_is_shown(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    voice.say("READY=1/STATUS=größer\tals 1\x1b[31m/ERRNO=5")
    web = until_said(daemon, "web", "größer als 1 [31m")
    assert web["service_errno"] == 5
    os.write(os.open(voice.path, os.O_WRONLY), b"STATUS=b\xffd\n")
    until_said(daemon, "web", "b\ufffdd")


def test_a_malformed_message_is_reported_and_the_rest_counts(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    voice.say("MAINPID=me/READY=1/X_OTHER=1/STATUS=ok")
    assert until_said(daemon, "web", "ok")["state"] == "running"
    assert "'MAINPID=me' is no process" in daemon.log()


def test_strangers_are_not_heard(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    voice.say(f"run echo $NOTIFY_SOCKET >{folder}/path")
    voice.say("STATUS=asked")
    until_said(daemon, "web", "asked")
    path = (folder / "path").read_text().rstrip("\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1\nSTATUS=forged", path)
    voice.say("STATUS=after it")
    assert until_said(daemon, "web", "after it")["state"] == "starting"
    assert f"sender={os.getpid()}" in daemon.log()


@need_systemd_notify
def test_notify_access_all_hears_a_process_that_has_ended(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, notify_access="all")})
    begin(daemon)
    voice.say("run systemd-notify --ready --status='by another'")
    assert until_said(daemon, "web", "by another")["state"] == "running"


@need_systemd_notify
def test_systemd_notify_in_a_script(foster):
    daemon = foster({"web": unit(
        shell("systemd-notify --ready --status=up; exec sleep infinity"), type="notify",
        notify_access="all")}).start()
    assert daemon.unit("web")["status_text"] == "up"


def test_exec_hears_hooks(foster, folder, voice):
    say = ("import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)"
           ".sendto(b'STATUS=from a hook', os.environ['NOTIFY_SOCKET'])")
    daemon = foster({"web": sender(folder, voice, notify_access="exec",
                                   hooks={"post_start": ["/usr/bin/python3", "-c", say]})})
    begin(daemon)
    voice.say("READY=1")
    until_said(daemon, "web", "from a hook")


@needs_root
def test_a_service_of_another_user_reaches_its_socket(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, user=ordinary_user().pw_name)})
    begin(daemon)
    voice.say("READY=1")
    daemon.until_state("web", "running")


def test_a_message_survives_the_manager(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    manager = daemon.manager()
    freeze(manager)
    done = Fifo(folder / "done")
    voice.say("READY=1/STATUS=said to nobody")
    voice.say(f"run echo said >{done.path}")
    assert done.line() == "said"
    os.kill(manager, signal.SIGKILL)
    assert until_said(daemon, "web", "said to nobody")["state"] == "running"
    done.close()


def test_a_new_manager_goes_on_listening(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    daemon.kill_manager()
    voice.say("READY=1")
    daemon.until_state("web", "running")
    daemon.kill_manager()
    voice.say("STATUS=still heard")
    assert until_said(daemon, "web", "still heard")["restarts"] == 0


def test_mainpid_makes_another_process_the_main_one(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, notify_access="all")})
    begin(daemon)
    # The new one is a child of the keeper: what started it has ended.
    voice.say(f"run sleep infinity & echo $! >{folder}/new")
    voice.say("STATUS=started")
    until_said(daemon, "web", "started")
    new = int((folder / "new").read_text())
    old = daemon.unit("web")["pid"]
    voice.say(f"MAINPID={new}/READY=1")
    daemon.until_unit("web", lambda body: body.pid == new and body.state_word == "running",
                      "the new main process")
    assert is_alive(old)
    daemon.ctl("stop", "web")
    wait_for_end(old)
    assert not is_alive(new)


def test_the_former_main_process_does_not_survive_its_unit(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, notify_access="all")})
    begin(daemon)
    voice.say(f"run setsid sleep infinity & echo $! >{folder}/new")
    voice.say("STATUS=started")
    until_said(daemon, "web", "started")
    new = int((folder / "new").read_text())
    old = daemon.unit("web")["pid"]
    voice.say(f"MAINPID={new}/READY=1")
    daemon.until_unit("web", lambda body: body.pid == new and body.state_word == "running",
                      "the new main process")
    daemon.kill_manager()
    daemon.ctl("stop", "web")
    assert not is_alive(new) and not is_alive(old)
    assert daemon.unit("web")["state"] == "stopped"


def test_mainpid_of_another_unit_is_not_believed(foster, folder, voice):
    left = folder / "left"
    daemon = foster({"web": sender(folder, voice, notify_access="all"),
                     "other": unit(shell(f"(sleep infinity & echo $! > {left}.new); "
                                         f"mv {left}.new {left}; exec sleep infinity"),
                                   ready={"file": str(left)})})
    begin(daemon)
    daemon.until_state("other", "running")
    orphan = int(left.read_text())
    old = daemon.unit("web")["pid"]
    voice.say(f"MAINPID={orphan}/READY=1/STATUS=said")
    assert until_said(daemon, "web", "said")["pid"] == old
    assert f"named={orphan}" in daemon.log()
    daemon.ctl("stop", "web")
    assert is_alive(orphan)


@needs_root
def test_an_ordinary_users_word_on_a_strangers_process_is_not_believed(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, user=ordinary_user().pw_name)})
    begin(daemon)
    voice.say(f"MAINPID={os.getpid()}/STATUS=said")
    until_said(daemon, "web", "said")
    assert f"named={os.getpid()}" in daemon.log()


def test_a_mainpid_that_was_refused_is_not_taken_for_a_process(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    # No child of the keeper as long as the shell that has started it lives.
    voice.say(f"run mkfifo {folder}/told; sh -c 'sleep infinity & echo $! >{folder}/told; wait' &"
              f" cat {folder}/told >{folder}/new")
    voice.say("READY=1/STATUS=started")
    old = until_said(daemon, "web", "started")["pid"]
    new = int((folder / "new").read_text())
    voice.say(f"MAINPID={new}/STATUS=named")
    until_said(daemon, "web", "named")
    daemon.kill_manager()
    assert daemon.unit("web")["pid"] == old
    daemon.ctl("stop", "web")
    wait_for_end(old)


def test_watchdog_trigger_fails_it(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice, restart={"policy": "on-watchdog"})})
    begin(daemon)
    voice.say("READY=1/WATCHDOG=trigger")
    daemon.until_unit("web", lambda body: body.restarts == 1, "restarted")
    assert "watchdog" in daemon.log()


def test_stopping_and_reloading_are_no_end(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    for text in ("READY=1", "RELOADING=1/MONOTONIC_USEC=1", "READY=1/STATUS=again"):
        voice.say(text)
    assert until_said(daemon, "web", "again")["state"] == "running"
    assert daemon.unit("web")["restarts"] == 0


def test_a_flood_holds_nobody_else_up(foster, folder, voice):
    flood = ("import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
             "s.connect(os.environ['NOTIFY_SOCKET'])\n"
             "while True: s.send(b'STATUS=flood')")
    daemon = foster({"flood": unit(["/usr/bin/python3", "-c", flood], type="simple",
                                   notify_access="all"),
                     "web": sender(folder, voice)})
    begin(daemon)
    until_said(daemon, "flood", "flood")
    voice.say("READY=1")
    daemon.until_state("web", "running")
    daemon.ctl("restart", "web", "--no-wait")
    daemon.ctl("stop", "flood")
    assert daemon.unit("flood")["state"] == "stopped"


def test_the_sockets_are_cleared_away(foster, folder, voice):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    voice.say("READY=1")
    daemon.until_state("web", "running")
    sockets = daemon.runtime_base / daemon.id / "notify"
    assert len(list(sockets.iterdir())) == 1
    assert daemon.shutdown() == 0
    assert not sockets.exists()


@pytest.fixture(name="lingering")
def a_connection_that_lingers():
    """Whoever closes it last waits for ten minutes, as long as its peer does not read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
    ours.setblocking(False)
    try:
        while True:
            ours.send(b"x" * (1 << 20))
    except BlockingIOError:
        pass
    yield ours
    peer.close()
    ours.close()


def test_a_strangers_socket_that_lingers_holds_nobody_up(foster, folder, voice, lingering):
    daemon = foster({"web": sender(folder, voice)})
    begin(daemon)
    voice.say(f"run echo $NOTIFY_SOCKET >{folder}/path")
    voice.say("READY=1/STATUS=up")
    until_said(daemon, "web", "up")
    path = (folder / "path").read_text().strip()
    manager = daemon.manager()
    freeze(manager)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.connect(path)
        socket.send_fds(stranger, [b"FDSTORE=1"], [lingering.fileno()])
    lingering.close()  # the message has the last of it
    os.kill(manager, signal.SIGCONT)
    for _ in range(2):
        daemon.ctl("signal", "web", "CONT")
    assert "is not heeded" in daemon.log()
