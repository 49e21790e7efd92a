"""One visit in front of the camera: frames are looked at, photographs judged, kept and filed."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from scalptrack.capture.filing import Filing
from scalptrack.capture.looking import Judgement, Sight, Watcher
from scalptrack.errors import InputError
from scalptrack.images import decode_frame, without_traces
from scalptrack.translation import tr, trn

MAX_FRAME_MEGAPIXELS = 4.0

HOW = ("camera", "video frame")
"""The camera's own photograph, or a frame of its video at full size, compressed by the page."""


def _now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class Shot:
    """A photograph that waits to be kept or taken again; it lies in memory only."""

    id: str
    content: bytes = field(repr=False)
    how: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Kept:
    """A photograph that was filed.

    Attributes
    ----------
    photo : str
        Its path relative to the folder of the photographs.
    how : str
        ``"camera"`` or ``"video frame"``.
    """

    photo: str
    replicate: int
    sha256: str
    how: str
    judgement: Judgement


class CaptureSession:
    """The state of a visit; its methods are called by the page's requests, one at a time.

    Parameters
    ----------
    filing : Filing
        Where kept photographs go.
    watcher : Watcher
        Looks at frames and photographs.
    wanted : int
        How many replicates are to be taken.
    max_megapixels : float
        Larger photographs are refused.
    now : callable
        The clock on the wall.
    """

    def __init__(
        self,
        filing: Filing,
        watcher: Watcher,
        *,
        wanted: int,
        max_megapixels: float,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.filing, self.wanted = filing, wanted
        self._watcher, self._now, self._max_megapixels = watcher, now, max_megapixels
        self._kept: list[Kept] = []
        self._shot: Shot | None = None
        self._retaken = 0
        self._lock = threading.Lock()

    @property
    def kept(self) -> tuple[Kept, ...]:
        """What was filed so far."""
        return tuple(self._kept)

    @property
    def shot(self) -> Shot | None:
        """The photograph that waits for a decision."""
        return self._shot

    @property
    def retaken(self) -> int:
        """How many photographs were discarded."""
        return self._retaken

    @property
    def complete(self) -> bool:
        """Whether all wanted replicates are filed."""
        return len(self._kept) >= self.wanted

    @property
    def all_usable(self) -> bool:
        """Whether all wanted replicates are filed and each of them can be measured."""
        return self.complete and all(each.judgement.usable for each in self._kept)

    def watch(self, content: bytes, camera_side_px: int) -> Sight:
        """Say what to change in a frame, a small JPEG.

        Raises
        ------
        ImageReadError
            When it isn't one.
        """
        frame = decode_frame(content, max_megapixels=MAX_FRAME_MEGAPIXELS)
        with self._lock:
            return self._watcher.watch(frame, camera_side_px)

    def shoot(self, content: bytes, how: str) -> Shot:
        """Take in a photograph and judge it; the one before that wasn't kept is dropped.

        Raises
        ------
        ImageReadError
            When it isn't a whole JPEG.
        InputError
            When all photographs are taken.
        """
        with self._lock:
            if self.complete:
                message = trn(
                    "The {count} photograph of this visit is taken.",
                    "All {count} photographs of this visit are taken.",
                    self.wanted,
                )
                raise InputError(message)
            clean = without_traces(content, taken_at=self._now())
            judgement = self._judge(clean)
            if self._shot is not None:
                self._retaken += 1
            self._shot = Shot(secrets.token_hex(8), clean, how, judgement)
            return self._shot

    def _judge(self, content: bytes) -> Judgement:
        """Judge the very bytes that will be filed, from a folder that only we can read."""
        with tempfile.TemporaryDirectory(prefix="scalptrack-") as folder:
            path = Path(folder) / Path(self.filing.name(1)).name
            path.write_bytes(content)
            return self._watcher.judge(path)

    def keep(self, shot_id: str) -> Kept:
        """File the photograph that waits.

        Raises
        ------
        InputError
            When another one, or none, waits.
        OutputError
            When it can't be written; it then still waits.
        """
        with self._lock:
            shot = self._waiting(shot_id)
            name, number = self.filing.file(shot.content)
            digest = hashlib.sha256(shot.content).hexdigest()
            kept = Kept(name, number, digest, shot.how, shot.judgement)
            self._kept.append(kept)
            self._shot = None
            return kept

    def discard(self, shot_id: str) -> None:
        """Forget the photograph that waits.

        Raises
        ------
        InputError
            When another one, or none, waits.
        """
        with self._lock:
            self._waiting(shot_id)
            self._shot = None
            self._retaken += 1

    def _waiting(self, shot_id: str) -> Shot:
        if self._shot is None or self._shot.id != shot_id:
            message = tr("This photograph was kept or discarded before, perhaps in another window.")
            raise InputError(message)
        return self._shot
