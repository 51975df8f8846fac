"""Each test starts what daemons it needs by `foster()`; at its end nothing may be left of them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from daemon import BUILD, Daemon, instance_name


@pytest.fixture
def folder():
    """The test's own folder, one that other users may enter."""
    made = Path(tempfile.mkdtemp(prefix="foster-e2e-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def foster(folder, request):
    """foster({"name": unit text, ...}, uid=...) makes a Daemon that is not started yet."""
    daemons = []

    def make(units=None, **options) -> Daemon:
        place = folder / f"daemon{len(daemons)}"
        place.mkdir()
        if options.get("uid") is not None:
            os.chown(place, options["uid"], options["uid"])
        daemon = Daemon(place, instance_name(request.node.name), **options)
        daemons.append(daemon)
        for name, text in (units or {}).items():
            daemon.write(name, text)
        return daemon

    assert (BUILD / "fosterd").exists(), f"FOSTER_BUILD={BUILD} has no fosterd"
    yield make
    complaints = [complaint for daemon in daemons for complaint in daemon.end()]
    assert not complaints, "\n".join(complaints) + "\n" + "\n".join(one.log() for one in daemons)


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become other users")
