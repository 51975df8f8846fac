"""The tour of the README, run line by line: what it says is what happens."""

import os
import re
import subprocess
from pathlib import Path

from clients import free_port
from daemon import BUILD, SERVICES

SOURCE = Path(os.environ.get("FOSTER_SOURCE", Path(__file__).resolve().parents[2]))


def tour() -> list[tuple[str, str]]:
    """("sh" or "text", content) of each block."""
    text = (SOURCE / "README.md").read_text()
    section = text.split("\n## A five-minute tour\n")[1].split("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def test_the_tour(folder):
    blocks = tour()
    first = blocks.pop(0)[1]
    assert "ninja -C build programs" in first, "the build is the first block"
    # Whatever goes wrong, no daemon is left.
    script = "trap 'fosterctl shutdown >/dev/null 2>&1 || true' EXIT\n"
    script += "".join(f"echo '== block {number}'\n{content}" for number, (kind, content)
                      in enumerate(blocks) if kind == "sh")
    # Another tour may be under way on this machine.
    for port in ("7777", "7778"):
        script = script.replace(port, str(free_port()))
    (folder / "units").mkdir()
    path = f"{BUILD}:{SERVICES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"PATH": path, "FOSTER_INSTANCE": f"tour-{os.getpid()}", "HOME": str(folder),
                   "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(["bash", "-eu", "-c", script], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
                          check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    said = re.sub(r"(user-\d+\.)?" + environment["FOSTER_INSTANCE"], "tour", done.stdout)
    for number, (kind, content) in enumerate(blocks):
        if kind == "text":
            answer = said.split(f"== block {number - 1}\n")[1].split("== block")[0]
            for line in content.splitlines():
                assert line in answer, f"{line!r} is not what is said:\n{answer}"
