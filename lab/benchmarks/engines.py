"""The engines of a study: time, memory and tables with one process, two, and two Dask workers.

    python -m lab.benchmarks.engines --photographs 60
    python -m lab.benchmarks.engines --memory 5000

Photographs of ``sample_images``, encoded again so that each has bytes of its own, are measured by
the program as a user starts it, each time from nothing. Prints seconds, how many times as fast two
processes are as one, how much longer Dask's workers take than two processes, the highest memory of
any process in the first and in the last third of the run (it must be flat), and whether the
exported tables are the same bytes. Everything computes with one thread for each process. Times mean
nothing while something else computes on the machine.

``--memory`` measures so many small photographs (`SMALL_PX`) in one process, and prints for each
thousand (or fifth part, if that is less) the highest memory of the worker and of the program that
stores its results: first while photographs are analysed, then while subjects are.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.benchmarks.kills import (
    ROOT,
    SUBJECTS,
    VISITS,
    command,
    differences,
    make_photographs,
    new_study,
    progress_of,
    tables,
)

SMALL_PX = 600
"""Longest side of photographs whose number matters; smaller ones are refused for their size."""


def children_of(process: int) -> list[int]:
    """A process and all that it started."""
    found = [process]
    for each in found:
        for path in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in path.read_text().split()]
            except OSError:
                continue
    return found


def resident_mb(process: int) -> float:
    """Resident memory of a process; 0 when it has gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Timed:
    """Wall seconds of a run, and the memory of its largest process in two thirds of it."""

    seconds: float
    first_third_mb: float
    last_third_mb: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:.1f} s; largest process {self.first_third_mb:.0f} MB in the first "
            f"third, {self.last_third_mb:.0f} MB in the last"
        )


def start(study: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("run", study, "--quiet", *options), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


def require_success(process: subprocess.Popen[str]) -> str:
    """Its last words; anything but a study without a gap ends the benchmark."""
    text = process.communicate()[1].strip()
    if process.returncode != 0:
        raise SystemExit(f"ended with {process.returncode}: {text}")
    return text


def timed(study: Path, watched: int | None, *options: str) -> Timed:
    """Run a study, and watch a process and those that it started."""
    started = time.monotonic()
    process = start(study, *options)
    sizes = []
    while process.poll() is None:
        sizes.append(max(resident_mb(each) for each in children_of(watched or process.pid)))
        time.sleep(0.2)
    seconds = time.monotonic() - started
    require_success(process)
    third = max(1, len(sizes) // 3)
    return Timed(seconds, max(sizes[:third]), max(sizes[-third:]))


@contextmanager
def cluster():
    """Scheduler and two workers as a user starts them; gives the address and a process to watch."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    program = (
        "import sys, time\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,\n"
        "                           host='127.0.0.1', memory_limit=0)\n"
        "    print(cluster.scheduler_address, flush=True)\n    sys.stdin.read()\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "cluster.py"
        script.write_text(program)
        process = subprocess.Popen(
            [sys.executable, script],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.stdin.close()
            process.wait()


def compare(work: Path, photographs: int) -> None:
    """Time one process, two, and two Dask workers, and compare their tables."""
    manifest = make_photographs(work / "photos", copies_for(photographs))
    made: dict[str, dict[str, bytes]] = {}
    took: dict[str, Timed] = {}

    def measure(name: str, watched: int | None, *options: str) -> None:
        study = new_study(work / name.replace(" ", "-"), manifest)
        took[name] = timed(study, watched, *options)
        print(f"{name}: {took[name]}", flush=True)
        made[name] = tables(study, work / f"{study.name}-tables")

    measure("1 process", None, "--jobs", "1")
    measure("2 processes", None, "--jobs", "2")
    with cluster() as (address, process):
        measure("2 Dask workers", process, "--engine", "dask", "--scheduler", address)
    one, two, dask = (each.seconds for each in took.values())
    print(f"1 -> 2 processes: {one / two:.2f} times as fast")
    print(f"2 Dask workers: {100 * (dask / two - 1):+.1f} % against the time of 2 processes")
    first = made.pop("1 process")
    for name, files in made.items():
        print(f"{name}: files that differ: {differences(first, files) or 'none'}")


def copies_for(photographs: int) -> int:
    """How many copies of the samples make so many photographs."""
    return max(1, photographs // (len(SUBJECTS) * len(VISITS)))


class Highest:
    """The highest memory of the worker and of the program in each part of the work."""

    def __init__(self, part: int) -> None:
        self._part = part
        self._found: dict[tuple[str, int], tuple[float, float]] = {}

    def note(self, what: str, done: int, worker_mb: float, program_mb: float) -> None:
        key = (what, done // self._part)
        worker, program = self._found.get(key, (0.0, 0.0))
        self._found[key] = (max(worker, worker_mb), max(program, program_mb))

    def report(self) -> None:
        for (what, part), (worker, program) in self._found.items():
            first = part * self._part
            print(
                f"{what} {first} to {first + self._part - 1}: worker {worker:.0f} MB, program "
                f"{program:.0f} MB"
            )


def watch_memory(work: Path, photographs: int) -> None:
    """Measure many small photographs in one process, and print what memory it needs."""
    manifest = make_photographs(work / "photos", copies_for(photographs), longest_px=SMALL_PX)
    study = new_study(work / "memory", manifest)
    count = len(manifest.read_text().splitlines()) - 1
    highest = Highest(max(1, min(1000, count // 5)))
    started = time.monotonic()
    process = start(study, "--jobs", "1")
    while process.poll() is None:
        analysed, series = progress_of(study)
        worker = max(map(resident_mb, children_of(process.pid)[1:]), default=0.0)
        what, done = ("photographs", analysed) if analysed < count else ("subjects", series)
        highest.note(what, done, worker, resident_mb(process.pid))
        time.sleep(1)
    print(require_success(process))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = usage.ru_utime + usage.ru_stime
    print(
        f"{count} photographs of at most {SMALL_PX} px: {time.monotonic() - started:.0f} s, "
        f"{spent / count:.1f} s of processor time each"
    )
    highest.report()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=60)
    parser.add_argument("--memory", type=int, metavar="N", help="watch the memory of N small ones")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    work = Path(tempfile.mkdtemp(prefix="scalptrack-engines-"))
    try:
        if options.memory:
            watch_memory(work, options.memory)
        else:
            compare(work, options.photographs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
