"""What a target costs: CPU time, instructions and memory of all its processes, read from Linux."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(root: int) -> list[int]:
    """A process and all that descend from it, as far as they live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = stat_fields(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def cpu_ms(root: int) -> float:
    """CPU time of a process tree so far, user and system, in ms, ended children included.

    Counted in ticks of 10 ms, so it is fine for sums over hundreds of requests only.
    """
    ticks = 0
    for pid in tree(root):
        fields = stat_fields(pid)
        if fields:
            ticks += sum(int(count) for count in fields[11:15])
    return ticks * 1000 / TICKS


def resident_mib(roots: list[int]) -> dict[str, float]:
    """Resident memory in MiB of every process of some trees, by `pid name`."""
    sizes = {}
    for pid in [pid for root in roots for pid in tree(root)]:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, IndexError):
            continue
        sizes[f"{pid} {name}"] = round(pages * PAGE / 2**20, 1)
    return sizes


@functools.cache
def has_instruction_counter() -> bool:
    """Whether `perf` can count instructions here (most virtual machines hide the counter)."""
    if not shutil.which("perf"):
        return False
    done = subprocess.run(
        ["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True
    )
    return done.returncode == 0 and done.stderr.split(",")[0].strip().isdigit()


class Instructions:
    """Counts a tree's instructions (user and kernel) between start and stop."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._perf: subprocess.Popen[bytes] | None = None
        self._report = Path(tempfile.mkstemp(prefix="fairlead-perf-")[1])

    def start(self) -> None:
        """Attach, where that is possible."""
        if has_instruction_counter():
            pids = ",".join(str(pid) for pid in tree(self._root))
            self._perf = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "instructions", "-p", pids, "-o", str(self._report)]
            )

    def stop(self) -> int | None:
        """The count, None where nothing could be counted."""
        if self._perf is None:
            self._report.unlink()
            return None
        self._perf.send_signal(signal.SIGINT)
        self._perf.wait(10)
        lines = self._report.read_text().splitlines()
        self._report.unlink()
        for line in lines:
            count = line.split(",")[0]
            if count.isdigit():
                return int(count)
        return None
