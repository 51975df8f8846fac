"""The programs that both benches are made of."""

import dataclasses
import os
import shutil


@dataclasses.dataclass
class Tools:
    """Where things are."""

    build: str
    scratch: str

    def __post_init__(self):
        here = os.path.join(self.build, "tests", "bench")
        self.floor = os.path.join(here, "floor")
        self.empty = os.path.join(here, "empty")
        self.stamp_exec = os.path.join(here, "stamp-exec")
        self.time_exec = os.path.join(here, "time-exec")
        self.region_read = os.path.join(here, "region-read")
        # Copies, so that they are on the file system where runit and s6 want links to them.
        self.service = os.path.join(self.scratch, "service")
        self.orphans = os.path.join(self.scratch, "orphans")
        shutil.copy(os.path.join(self.build, "tests", "services", "tiny"), self.service)
        shutil.copy(os.path.join(here, "orphans"), self.orphans)
