"""The engines of a study: time, memory and tables with one process, two, and two Dask workers.

    python -m lab.benchmarks.engines --photographs 60

Photographs of ``sample_images``, encoded again so that each has bytes of its own, are measured by
the program as a user starts it, each time from nothing. Prints seconds, the highest memory of any
process in the first and in the last third of the run (it must be flat), and whether the exported
tables are the same bytes. Everything computes with one thread for each process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from lab.benchmarks.kills import (
    ROOT,
    SUBJECTS,
    VISITS,
    command,
    differences,
    make_photographs,
    new_study,
    tables,
)


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


def memory_mb(process: int) -> float:
    """Resident memory of the largest of a process and those that it started."""
    sizes = [0.0]
    for each in children_of(process):
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    return max(sizes)


def timed(study: Path, watched: int | None, *options: str) -> str:
    """Run a study; seconds and memory as words."""
    started = time.monotonic()
    process = subprocess.Popen(
        command("run", study, "--quiet", *options), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    sizes = []
    while process.poll() is None:
        sizes.append(memory_mb(watched or process.pid))
        time.sleep(0.2)
    seconds = time.monotonic() - started
    text = process.communicate()[1].strip()
    if process.returncode != 0:
        raise SystemExit(f"ended with {process.returncode}: {text}")
    third = max(1, len(sizes) // 3)
    return f"{seconds:.1f} s, {max(sizes[:third]):.0f} then {max(sizes[-third:]):.0f} MB"


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=60)
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    work = Path(tempfile.mkdtemp(prefix="scalptrack-engines-"))
    try:
        copies = max(1, options.photographs // (len(SUBJECTS) * len(VISITS)))
        manifest = make_photographs(work / "photos", copies)
        made = {}
        for name, arguments in (("1 process", ("--jobs", "1")), ("2 processes", ("--jobs", "2"))):
            study = new_study(work / name.replace(" ", "-"), manifest)
            print(f"{name}: {timed(study, None, *arguments)}", flush=True)
            made[name] = tables(study, work / f"{study.name}-tables")
        with cluster() as (address, process):
            study = new_study(work / "dask", manifest)
            words = timed(study, process, "--engine", "dask", "--scheduler", address)
            print(f"2 Dask workers: {words}", flush=True)
            made["dask"] = tables(study, work / "dask-tables")
        first = made.pop("1 process")
        for name, files in made.items():
            print(f"{name}: files that differ: {differences(first, files) or 'none'}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
