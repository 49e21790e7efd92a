"""Worker processes do what they are given, and end with the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from scalptrack.workers import process_pool

PROGRAM = """
import os, time
from scalptrack.workers import process_pool

if __name__ == "__main__":
    pool = process_pool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_units_run_in_other_processes():
    with process_pool(1) as pool:
        assert pool.submit(abs, -3).result() == 3
        assert pool.submit(os.getpid).result() != os.getpid()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with SIGKILL")
def test_workers_end_when_the_program_is_killed(tmp_path):
    """The worker holds the pipe that the program printed to: it is closed when the worker ends."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    worker = int(program.stdout.readline())
    program.kill()
    try:
        assert program.communicate(timeout=60)[0] == ""
    except subprocess.TimeoutExpired:
        os.kill(worker, signal.SIGKILL)
        pytest.fail("the worker outlived the program")
