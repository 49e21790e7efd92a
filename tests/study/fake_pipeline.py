"""Stands in for the photographs' analysis and registration: quick, and known exactly.

Whose head it is and how much hair it has follow from the photograph's name and content.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from unittest import mock

import numpy as np
from builders import Shift, disc, segmentation_of

from scalptrack import aligning
from scalptrack.aligning import Analysis
from scalptrack.records import Quality, Reason, Registration, Status, Tier
from scalptrack.study import running

SIZE = 120


@dataclass(frozen=True)
class FakeFeatures:
    person: str


class HereExecutor(Executor):
    """Runs everything at once, in this process."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (as an executor does)
            future.set_exception(error)
        return future


class ShuffledExecutor(HereExecutor):
    """Ends its work in another order than it was given."""

    def __init__(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.pool = ThreadPoolExecutor(8)

    def submit(self, fn, /, *args, **kwargs):
        # The order of the ends is what is tested; nothing waits for a certain time.
        def later():
            time.sleep(0)
            return fn(*args, **kwargs)

        return self.pool.submit(later)


def coverage_of(sha256: str) -> float:
    """Coverage 0.2 to 0.6 of a photograph with this content."""
    return 0.2 + 0.4 * int(sha256[:8], 16) / 0xFFFFFFFF


def fake_analyse(photograph, settings):
    if "deadly" in photograph.name:
        _kill_the_first_worker(photograph)
    if "blurred" in photograph.name:
        reason = Reason("blurred", "Blurred.")
        return Analysis(Quality(()), None, None, Status.REJECTED, reason)
    if "boom" in photograph.name:
        return Analysis(None, None, None, Status.REJECTED, Reason("internal_error", "boom"))
    fraction = np.full((SIZE, SIZE), coverage_of(photograph.sha256))
    segmentation = segmentation_of(fraction, disc(SIZE, 45))
    person = "stranger" if "stranger" in photograph.name else photograph.subject
    return Analysis(Quality(()), segmentation, FakeFeatures(person))


def fake_register(reference, moving, *, seed, resamples):
    if reference.person == moving.person:
        return Registration(Tier.A, Shift(), (), 0.5, 80, 0.9, ())
    reason = Reason("no_agreement", "Another person.")
    return Registration(Tier.C, None, (), float("nan"), 3, 0.0, (), reason)


def _kill_the_first_worker(photograph) -> None:
    """End this process with SIGKILL, once for each photograph."""
    mark = photograph.path.with_suffix(".killed")
    if not mark.exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)


def fakes() -> mock._patch:
    """Context in which the pipeline is the fake one."""
    types = running.RECORD_TYPES | {"FakeFeatures": FakeFeatures, "Shift": Shift}
    return mock.patch.multiple(
        running,
        RECORD_TYPES=types,
        analyse_photograph=mock.Mock(side_effect=fake_analyse),
        study_fingerprint=lambda store: "f" * 64,
    )


def stay_fake() -> None:
    """Replace the pipeline of this process for good: for the workers of a cluster."""
    fakes().start()
    fake_registration().start()
    mock.patch.object(running, "settings_fingerprint", return_value="f" * 64).start()


def fake_registration() -> mock._patch:
    return mock.patch.object(aligning, "register", mock.Mock(side_effect=fake_register))
