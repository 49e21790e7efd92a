"""Worker processes of this machine, none of which outlives the program."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def process_pool(jobs: int) -> ProcessPoolExecutor:
    """Pool of so many new processes; they end when this one does, in whatever way it ends.

    Parameters
    ----------
    jobs : int
        How many processes work at the same time.
    """
    context: Any = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Watch the process that started this one.

    A worker waits for work on a pipe that it holds open itself: when the program is killed, nothing
    would ever wake it, and its memory would stay taken.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_exit, args=(parent,), daemon=True).start()


def _wait_and_exit(parent: Any) -> None:
    parent.join()
    os._exit(1)
