"""Runs the units of a study on a Dask cluster: the same units as those of the process pool.

The cluster's workers must reach the photographs and the study's folder under the same paths, and
have the same versions of scalptrack and its libraries: each unit compares them before it works, so
that no two numbers come from different versions. A worker that is lost loses what it had in work;
the scheduler gives that to another one.
"""

from __future__ import annotations

import ctypes
import os
import platform
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.study import running
from scalptrack.study.running import WorkPlace

INSTALL = "pip install 'scalptrack[study,dask]'"
CONNECT_WAIT_S = 20

_one_at_a_time = threading.Lock()
"""A worker may have several threads; the network and its libraries are used by one at a time."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Names of two settings in glibc's `mallopt`."""

MOST_MMAP_BYTES = 32 * 2**20
"""Arrays up to this size are kept for the next one: what glibc itself comes to, left alone."""


@cache
def keep_freed_memory() -> bool:
    """Let this process use again the memory that it has freed; True where that was changed.

    Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_``, with which glibc gives the memory of
    each array back to the system at once. Photographs are worked on in large arrays, so that a
    sixth of the time went into getting it again.
    """
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    kept = mallopt(_M_MMAP_THRESHOLD, MOST_MMAP_BYTES)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, 2 * MOST_MMAP_BYTES))


def unit_on_worker(unit: Callable[[Any, WorkPlace], Any], job: Any, place: WorkPlace) -> Any:
    """One unit of work, if this process would give the numbers of the process that asked.

    Raises
    ------
    ScalptrackError
        If versions, settings or model are others here.
    """
    with _one_at_a_time:
        if running.settings_fingerprint(place.settings) != place.fingerprint:
            message = (
                "A Dask worker has another version of scalptrack, of Python or of a library that "
                "touches a number. Install the same on all machines, and run it again."
            )
            raise ScalptrackError(message)
        keep_freed_memory()
        return unit(job, place)


class ClusterExecutor(Executor):
    """Gives units to the workers of a cluster.

    Parameters
    ----------
    executor : Executor
        That of a Dask client.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand out a unit of work: a function of a job and a `WorkPlace`."""
        return self._executor.submit(unit_on_worker, fn, *args, **kwargs)


@contextmanager
def dask_cluster(address: str) -> Iterator[ClusterExecutor]:
    """Executor whose units run on the cluster of a scheduler.

    Raises
    ------
    InputError
        If Dask is not installed, or no scheduler with a worker answers.
    ScalptrackError
        If the cluster is lost, or one unit kills every worker that takes it.
    """
    if find_spec("distributed") is None:
        message = f"--engine dask needs distributed, which is not installed. Install it: {INSTALL}"
        raise InputError(message)
    from distributed import Client, KilledWorker

    try:
        client = Client(address, timeout=CONNECT_WAIT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        message = (
            f"No Dask scheduler answers at {address}. Start one (dask scheduler), and workers with "
            "one thread (dask worker ADDRESS --nthreads 1)."
        )
        raise InputError(message) from error
    try:
        if not client.nthreads():
            message = (
                f"The scheduler at {address} has no worker. Start some: dask worker {address} "
                "--nthreads 1"
            )
            raise InputError(message)
        yield ClusterExecutor(client.get_executor())
    except KilledWorker as error:
        message = (
            "Several Dask workers were lost with the same photograph, most likely for want of "
            "memory. Everything that was finished is kept: give the workers more, and run it again."
        )
        raise ScalptrackError(message) from error
    except CancelledError as error:
        message = (
            f"The Dask scheduler at {address} was lost. Everything that was finished is kept: run "
            "it again."
        )
        raise ScalptrackError(message) from error
    finally:
        client.close(timeout=CONNECT_WAIT_S)
