"""foster under a real systemd: booted in systemd-nspawn on a Debian root made by debootstrap.

The container boots, runs the script of a test as a systemd service, and ends with it; what the
script wrote to /out is judged here. The root is made once per build folder.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon import BUILD, sockets, unit

SUITE = "bookworm"
TAR = BUILD / "test-root.tar"

BOOT_UNIT = """
[Unit]
After=multi-user.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
StandardOutput=file:/out/log
StandardError=file:/out/log
TimeoutStartSec=120
ExecStart=/bin/bash -eux /script
"""

HELPERS = r"""
keeper() { systemctl show -P MainPID foster; }
manager() { pgrep -P "$(keeper)" -x foster-manager; }
status() { fosterctl status --json >"/out/$1"; }
"""


def need_tools():
    if os.getuid() != 0:
        pytest.skip("needs root, for systemd-nspawn and debootstrap")
    for tool in ("systemd-nspawn", "debootstrap", "meson"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            pytest.skip(f"{tool} is not installed")


def make_tar() -> None:
    place = BUILD / "test-root"
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,procps", SUITE,
         str(place)], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(place, ignore_errors=True)
        pytest.skip(f"debootstrap cannot make a root here: {done.stdout.strip().splitlines()[-1:]}")
    part = TAR.with_suffix(".part")
    subprocess.run(["tar", "-C", place, "-cf", part, "."], check=True)
    part.rename(TAR)
    shutil.rmtree(place)


class Machine:
    """A root with foster installed into it."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(mode=0o755)
        subprocess.run(["tar", "-C", root, "-xf", TAR], check=True)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir",
                        root], check=True, stdout=subprocess.DEVNULL)
        (root / "out").mkdir()
        (root / "etc" / "foster" / "units").mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.root / "etc" / "foster" / "units" / f"{name}.toml").write_text(text)

    def drop_in(self, text: str) -> None:
        place = self.root / "etc" / "systemd" / "system" / "foster.service.d"
        place.mkdir(parents=True, exist_ok=True)
        (place / "test.conf").write_text(text)

    def run(self, script: str) -> None:
        """Boots, runs the script as root under systemd, and returns when the machine is off."""
        (self.root / "script").write_text(HELPERS + script)
        system = self.root / "etc" / "systemd" / "system"
        (system / "foster-test.service").write_text(BOOT_UNIT)
        (system / "foster-test.target").write_text(
            "[Unit]\nRequires=multi-user.target foster-test.service\nAllowIsolate=yes\n")
        (system / "default.target").unlink(missing_ok=True)
        (system / "default.target").symlink_to("foster-test.target")
        done = subprocess.run(
            ["systemd-nspawn", "--quiet", "--directory", self.root, "--boot", "--register=no",
             "--keep-unit", "--console=pipe", f"--machine=foster-test-{os.getpid()}"],
            text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=300)
        log = self.root / "out" / "log"
        if not log.exists():
            pytest.skip(f"systemd-nspawn cannot boot here: {done.stderr.strip()[-300:]}")
        assert done.returncode == 0, f"{log.read_text()}\n{self.journal()}"

    def journal(self) -> str:
        done = subprocess.run(["journalctl", "--root", self.root, "-o", "short-monotonic", "-n",
                               "60", "--no-pager"], text=True, capture_output=True, check=False)
        return done.stdout

    def out(self, name: str) -> str:
        return (self.root / "out" / name).read_text()

    def status(self, name: str) -> dict:
        return json.loads(self.out(name))


@pytest.fixture
def machine(folder):
    need_tools()
    if not TAR.exists():
        make_tar()
    yield Machine(folder / "root")


SLEEPER = ["/bin/sleep", "infinity"]


def pids(status):
    return {one["name"]: one["pid"] for one in status["units"]}


def test_start_manager_crash_stop(machine):
    machine.write("a", unit(SLEEPER))
    machine.write("once", unit(["/bin/touch", "/out/ran"], type="oneshot"))
    machine.write("fails", unit(["/nonexistent"], restart={"policy": "never"}))
    machine.run(r"""
systemctl start foster
[ "$(systemctl is-active foster)" = active ]
systemctl show -P StatusText foster >/out/status-text
status first
cat /proc/"$(fosterctl status a | sed -n 's/^ *pid  *//p')"/cgroup \
  >/out/cgroup
keeper=$(keeper)
kill -9 "$(manager)"
fosterctl restart a
status second
[ "$(keeper)" = "$keeper" ]
[ "$(systemctl show -P NRestarts foster)" = 0 ]
systemctl stop foster
systemctl show -P Result foster >/out/result
[ "$(systemctl is-active foster)" = inactive ]
pgrep -a foster >/out/left || true
pgrep -a sleep >>/out/left || true
ls /dev/shm >>/out/left
ls /run/foster >>/out/left 2>/dev/null || true
tail -n +2 /proc/sysvipc/sem >>/out/left
fosterctl status >/out/after 2>&1 || echo "exit $?" >>/out/after
""")
    first, second = machine.status("first"), machine.status("second")
    states = {one["name"]: one["state"] for one in first["units"]}
    assert states == {"a": "running", "once": "exited", "fails": "failed"}
    assert (machine.root / "out" / "ran").exists()
    assert first["instance"] == "system"
    assert machine.out("status-text").strip(), "systemctl status says something"
    assert "foster.service" in machine.out("cgroup")
    assert second["manager"]["restarts"] == 1
    assert second["manager"]["pid"] != first["manager"]["pid"]
    assert machine.out("result").strip() == "success"
    assert machine.out("left") == ""
    assert "exit 4" in machine.out("after")


def test_ready_comes_once_the_units_are_up_or_failed(machine):
    machine.write("slow", unit(["/bin/sh", "-c", "read x </out/gate; touch /out/done"],
                               type="oneshot"))
    machine.run(r"""
mkfifo /out/gate
systemctl start --no-block foster
fosterctl() { /usr/local/bin/fosterctl "$@"; }
echo go >/out/gate  # blocks until the oneshot reads
systemctl start foster
[ -e /out/done ]
systemctl is-active foster
systemctl stop foster
""")


def test_bad_units_are_a_failed_start(machine):
    machine.write("bad", "[service]\ncomand = ['x']\n")
    machine.drop_in("[Service]\nRestart=no\n")
    machine.run(r"""
if systemctl start foster; then exit 1; fi
systemctl show -P ExecMainStatus foster >/out/code
journalctl -u foster -o cat >/out/journal
""")
    assert machine.out("code").strip() == "1"
    assert "bad.toml:2:1" in machine.out("journal")


def test_a_manager_that_hangs_is_found_by_the_watchdog(machine):
    machine.write("a", unit(SLEEPER))
    machine.drop_in("[Service]\nWatchdogSec=2\n")
    machine.run(r"""
systemctl start foster
status first
kill -STOP "$(manager)"
journalctl -f -u foster -o cat | grep -m1 -i 'watchdog timeout'
systemctl start foster
fosterctl wait a --for running --timeout 60s
status second
pgrep -x sleep >/out/sleepers
systemctl stop foster
ls /dev/shm >/out/left
""")
    first, second = machine.status("first"), machine.status("second")
    assert first["keeper"]["pid"] != second["keeper"]["pid"]
    assert machine.out("sleepers").split() == [str(pids(second)["a"])], "exactly one"
    assert machine.out("left") == ""


def test_a_crash_of_the_keeper_is_a_restart(machine):
    machine.write("a", unit(SLEEPER))
    machine.drop_in("[Service]\nRestartSec=0\n")
    machine.run(r"""
systemctl start foster
status first
mkfifo /out/events
journalctl -f -u foster -o cat | grep -m2 -i 'started foster' >/out/events &
kill -9 "$(keeper)"
cat /out/events
fosterctl wait a --for running --timeout 60s
status second
pgrep -x sleep >/out/sleepers
systemctl show -P NRestarts foster >/out/restarts
systemctl stop foster
ls /dev/shm >/out/left
""")
    second = machine.status("second")
    assert machine.out("sleepers").split() == [str(pids(second)["a"])], "exactly one"
    assert machine.out("restarts").strip() == "1"
    assert machine.out("left") == ""


CHAT = unit(["/usr/local/bin/foster-chat", "--drain", "0"], type="notify")
# Every line that a guest says is answered, so that a line heard is a room at work.
GUEST = r"""
guest() {
  exec 5<>/dev/tcp/127.0.0.1/"$1"
  echo hello >&5
  timeout 60 grep -m1 -o 'guest' <&5
}
"""


def test_a_socket_handed_up_takes_connections_while_foster_is_away(machine):
    machine.write("chat", CHAT + sockets({"listen": "tcp://127.0.0.1:7777", "name": "room"},
                                         {"listen": "unix:///run/room", "name": "side"}))
    # At the first start there is nobody to connect to yet.
    machine.drop_in("[Service]\nExecStartPre=-/bin/bash -c "
                    "'exec 5<>/dev/tcp/127.0.0.1/7777 && echo connected >/out/between'\n")
    machine.run(GUEST + r"""
systemctl start foster
[ ! -e /out/between ]
fosterctl hand-up chat room
fosterctl hand-up chat side
before=$(stat -c %i /run/room)
systemctl restart foster
cat /out/between
fosterctl wait chat --for running --timeout 60s
fosterctl fds chat >/out/fds
[ "$(stat -c %i /run/room)" = "$before" ]
guest 7777
systemctl show -P NFileDescriptorStore foster >/out/stored
systemctl stop foster
""")
    assert machine.out("between").strip() == "connected"
    assert machine.out("fds").count("inherited") == 2
    assert machine.out("stored").strip() == "2"


def test_a_socket_of_systemd_starts_foster_and_is_its_units(machine):
    machine.write("chat", CHAT + sockets({"listen": "tcp://127.0.0.1:7777", "name": "room"}))
    (machine.root / "etc" / "systemd" / "system" / "foster.socket").write_text(
        "[Socket]\nListenStream=127.0.0.1:7777\nFileDescriptorName=room\n")
    machine.run(GUEST + r"""
systemctl start foster.socket
! systemctl is-active foster
guest 7777
systemctl is-active foster
fosterctl fds chat >/out/fds
fosterctl stop chat
fosterctl start chat
guest 7777
systemctl stop foster.socket foster
""")
    assert "inherited" in machine.out("fds")
