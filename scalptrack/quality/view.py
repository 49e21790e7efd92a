"""Which view a photograph shows, told from what surrounds its scalp.

A view is a direction from which the head is seen. Where face, ears, neck and clothes lie around the
scalp, and where the scalp faces the camera, is written as a few Fourier coefficients over the
angle; a softmax over them gives a probability for each view. Each direction counts as the view
whose usual direction is nearest, so that a photograph from in between has two likely views and no
answer. The coefficients are fitted by ``lab/training/views.py`` to rendered heads; how often the
answer is right is in ``lab/benchmarks/views.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalptrack.quality.polar import ANGLES, OUT_OF_SIGHT, SCALP, PolarMap, polar_map
from scalptrack.records import (
    Finding,
    FloatArray,
    RegionClass,
    Segmentation,
    Severity,
)
from scalptrack.translation import marked, tr

MODEL_FILE = Path(__file__).parent / "view_model.json"

SURE_PROBABILITY = 0.98
"""Probability from which an answer is given. Chosen on 251 true maps of heads of another renderer
than those of the fit (lab/benchmarks/views.py, task bare): at 0.98 2 of 110 answers are wrong, at
0.95 5 of 140; vertex and mid-pattern are exchanged in 4 and 6 more."""

FROM_ABOVE = ("vertex", "mid-pattern")
"""Views whose names people use for each other: "top" may be either."""

_RINGS = (slice(0, 5), slice(5, 8), slice(8, 11), slice(11, 17))
_WAVES = 4
_CODES = (
    SCALP,
    int(RegionClass.HAIR),
    int(RegionClass.OTHER_SKIN),
    int(RegionClass.OBJECT),
    OUT_OF_SIGHT,
)
_SKIN = _CODES.index(int(RegionClass.OTHER_SKIN))


@dataclass(frozen=True, slots=True)
class RecognisedView:
    """The view that a picture seems to show.

    Attributes
    ----------
    view : str or None
        The view, where one is sure; None where no answer is safe.
    probabilities : dict of str to float
        Of each of the six views; they add up to 1.
    """

    view: str | None
    probabilities: dict[str, float]


def recognise_view(segmentation: Segmentation) -> RecognisedView | None:
    """Tell the view of a photograph; None where it has too little scalp to tell anything.

    Parameters
    ----------
    segmentation : Segmentation
        Of an upright photograph.
    """
    seen = polar_map(segmentation)
    return None if seen is None else recognise_around(seen)


def recognise_around(seen: PolarMap) -> RecognisedView:
    """Tell the view from what lies around the middle of a scalp."""
    model = _model()
    waves = fourier(seen)
    score = (view_features(waves) - model.mean) / model.sd @ model.weights + model.offset
    likely = np.exp(score - score.max())
    likely /= likely.sum()
    probabilities = {
        view: round(float(each), 4) for view, each in zip(model.views, likely, strict=True)
    }
    best = max(probabilities, key=lambda view: probabilities[view])
    view = best if probabilities[best] >= SURE_PROBABILITY else None
    return RecognisedView(view, probabilities)


def judge_view(recognised: RecognisedView | None, named: str) -> Finding | None:
    """Warn where a picture seems to show another view than the one that its name says.

    Parameters
    ----------
    recognised : RecognisedView or None
        What the picture shows.
    named : str
        View that the file's path, or the file itself, names; names of the user's own are never
        contradicted.
    """
    if recognised is None or recognised.view is None or named not in recognised.probabilities:
        return None
    if recognised.view == named or {recognised.view, named} <= set(FROM_ABOVE):
        return None
    return Finding(
        "view_mismatch",
        Severity.WARNING,
        round(recognised.probabilities[recognised.view], 3),
        SURE_PROBABILITY,
        marked("probability"),
        tr(
            "This looks like the {view} view, and its name says {named}: "
            "move it, or say in a manifest which view it is.",
            view=recognised.view,
            named=named,
        ),
    )


def fourier(seen: PolarMap) -> NDArray[np.complex128]:
    """Waves over the angle of what lies on each ring.

    Returns
    -------
    complex (C, W)
        Coefficients 0 to W - 1 of C shares of scalp, hair, skin, objects and what can't be seen,
        and of the mean incidence cosine, each on four rings. Turning the picture clockwise by an
        angle multiplies coefficient m by ``exp(1j * m * angle)``; a mirror image about the vertical
        has the conjugate, with the sign of the odd coefficients changed.
    """
    shares = [
        (seen.codes[ring] == code).mean(axis=0, dtype=np.float64)
        for code in _CODES
        for ring in _RINGS
    ]
    shares += [seen.cosine[ring].mean(axis=0, dtype=np.float64) for ring in _RINGS]
    # numpy's forward transform turns the other way: clockwise angles count positive here.
    return np.asarray(np.conj(np.fft.rfft(np.stack(shares), axis=1)[:, :_WAVES]) / ANGLES)


def view_features(waves: NDArray[np.complex128]) -> FloatArray:
    """Features (N,) for the softmax: the waves as they lie, and turned so that skin points down."""
    skin = waves[4 * _SKIN : 4 * _SKIN + 4, 1].sum()
    turn = 1j * np.conj(skin) / max(abs(skin), 1e-9)
    aligned = waves * turn ** np.arange(_WAVES)
    parts = [waves[:, 0].real, np.atleast_1d(abs(skin))]
    for each in (waves[:, 1:], aligned[:, 1:]):
        parts += [each.real.ravel(), each.imag.ravel()]
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Coefficients of `view_model.json`."""

    views: tuple[str, ...]
    mean: FloatArray
    sd: FloatArray
    weights: FloatArray
    offset: FloatArray


@cache
def _model() -> _Model:
    stored = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return _Model(
        views=tuple(stored["views"]),
        mean=np.array(stored["mean"]),
        sd=np.array(stored["sd"]),
        weights=np.array(stored["weights"]),
        offset=np.array(stored["offset"]),
    )
