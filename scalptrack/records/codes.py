"""Codes of what a file became, types of arrays, and a reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
ImageArray = NDArray[np.uint8]


class RegionClass(IntEnum):
    """Codes of ``NAME.classes.png``."""

    BACKGROUND = 0
    SCALP_SKIN = 1
    HAIR = 2
    OTHER_SKIN = 3
    OBJECT = 4


class Status(StrEnum):
    """What became of a file: a coverage, a refusal by a gate, or not a usable photograph."""

    MEASURED = "measured"
    REFUSED = "refused"
    REJECTED = "rejected"


class Tier(StrEnum):
    """How far a registration can be trusted."""

    A = "A"
    B = "B"
    C = "C"


class Severity(StrEnum):
    """How bad a quality finding is; a photograph with an ERROR is not usable."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Verdict(StrEnum):
    """What can be said about a change from baseline."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NO_DETECTABLE_CHANGE = "no detectable change"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no number: a stable code and a sentence for a person."""

    code: str
    message: str
