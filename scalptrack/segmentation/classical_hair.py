"""Hair fraction of a known region of scalp without a network: colour, texture and local mixing.

Two steps. First every pixel gets the log-odds of hair from its texture and from its colour relative
to skin (`classical_features`), with a handful of fixed coefficients. Then the two populations are
measured *in this photograph*: the local colour of skin and of hair, their scatter, and the fraction
of each pixel as its place on the line between them, which is the honest answer for hairs thinner
than a pixel.

References
----------
.. [1] Levin, Lischinski & Weiss, "A closed-form solution to natural image matting", IEEE TPAMI
   30 (2008), doi:10.1109/TPAMI.2007.1177 (a pixel as a mixture of two local colours).
.. [2] Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7
   (1936), doi:10.1111/j.1469-1809.1936.tb02137.x (the direction of projection).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, ImageArray
from scalptrack.segmentation.classical_coefficients import SKIN_KNOWN, SKIN_UNKNOWN, Table
from scalptrack.segmentation.classical_features import (
    MIN_PRIOR_PX,
    Floats,
    blurred,
    linear_light,
    local_mean,
    luminance,
    pixel_features,
    weighted_blur,
)

METHOD = "classical:1"

SHARPENING = 1.7
"""The score is fitted to pixels pooled over many people, whose spread blunts it; within one
photograph it may be sharper. Chosen on the pictures that the coefficients were fitted to."""

MIN_POPULATION = 0.004
"""A population below this share of the region has no colour worth measuring."""

SURE_SKIN = 0.3
"""Without known skin, pixels below this probability of hair become the reference."""

MIN_REFERENCE_PX = 1000
"""Fewer such pixels are not trusted to be skin."""

MIXING_ROUNDS = 2
"""How often the two colours are measured, each time from the last answer; a third round changed the
mean error of the development pictures by less than 0.1 points."""

SAMPLE_PX = 20_000
"""Pixels that measure the scatter of the two populations (a random sample, seeded)."""

_TRUST_FROM, _TRUST_FULL = 1.0, 4.0
"""Distance of the two colours in SDs from which, and at which fully, the projection replaces the
score: below one SD the line between the two colours has no direction."""

_EDGE = 0.35
"""Scatter of a pure population along the projection, as a share of 1 / distance, that is taken up
at each end so that clipping to [0, 1] does not bias the mean."""

_ERROR_SD, _ERROR_AT, _ERROR_SLOPE, _ERROR_LIMITS = 0.25, 0.40, 0.32, (0.07, 0.30)
"""Root mean square error of coverage against separability: 0.25 at 0.4, falling by 0.32 per unit.
Measured on 56 pictures of the fast renderer that no coefficient was fitted to (fifths of them by
separability: 0.25, 0.15, 0.13, 0.10, 0.07)."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassicalHair:
    """What the classical method says about one region.

    Attributes
    ----------
    hair_fraction : float32 (H, W)
        Fraction of each pixel that is covered by hair; 0 outside the region.
    separability : float
        How well hair and skin can be told apart in this photograph, 0 (not at all) to 1: the mean
        certainty |2p - 1| of the pixels' classification by colour and texture. Of what was tried it
        predicts the error best (rank correlation -0.40 with known skin, distances of the two
        populations in colour or texture alone: -0.07 and 0.00).
    colour_distance : float
        Distance of the two local colours in SDs of the populations; NaN when there is only one.
    texture_distance : float
        The same for texture; NaN when there is only one population.
    skin_known : bool
        Whether known skin of the same person was given.
    confidence : tuple of str
        What casts doubt on the answer: stable codes of `CONFIDENCE_NOTES`.
    """

    hair_fraction: NDArray[np.float32]
    separability: float
    colour_distance: float
    texture_distance: float
    skin_known: bool
    confidence: tuple[str, ...] = ()

    def coverage_fraction(self, region: BoolArray) -> float:
        """Mean hair fraction over `region`, bool (H, W) with at least one pixel."""
        return float(self.hair_fraction[region].mean())

    @property
    def error_sd_fraction(self) -> float:
        """Standard deviation to expect of the coverage's error; infinite without known skin.

        Without known skin the answer can be wrong by everything at any separability (hair taken for
        skin), so that it speaks against nobody.
        """
        if not self.skin_known:
            return float("inf")
        drop = _ERROR_SLOPE * (self.separability - _ERROR_AT)
        return float(np.clip(_ERROR_SD - drop, *_ERROR_LIMITS))

    def contradicts(self, coverage_fraction: float, sd_fraction: float, region: BoolArray) -> bool:
        """Whether another coverage differs by more than both errors explain (95 %).

        Parameters
        ----------
        coverage_fraction, sd_fraction : float
            The other method's coverage of `region` and the SD of its error.
        region : bool (H, W)
        """
        together = float(np.hypot(self.error_sd_fraction, sd_fraction))
        return abs(self.coverage_fraction(region) - coverage_fraction) > 1.96 * together


CONFIDENCE_NOTES = {
    "skin-assumed": "no known skin of this person was visible: what skin looks like was guessed",
    "only-hair": "no bare skin was found, so hair had nothing to be compared with",
    "only-skin": "no hair was found",
    "alike": "hair and scalp can't be told apart by colour in this photograph",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Mixing:
    """Projection of every pixel on the line from the local skin to the local hair colour."""

    position: Floats
    distance: float


def hair_fraction_classical(
    image: ImageArray,
    region: BoolArray,
    *,
    skin_prior: BoolArray | None = None,
    hair_prior: BoolArray | None = None,
    seed: int,
) -> ClassicalHair:
    """Hair fraction of a region of scalp, without learned features.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB crop in which the head is about 400 to 512 px wide.
    region : bool (H, W)
        Where scalp is, bare or under hair; at least one pixel.
    skin_prior : bool (H, W), optional
        Pixels that are surely bare skin of the same person (face, ears, neck, bald scalp). Makes
        the answer about twice as good.
    hair_prior : bool (H, W), optional
        Pixels that are surely hair of the same person.
    seed : int
        Chooses the pixels that measure the populations' scatter.

    Returns
    -------
    ClassicalHair

    Raises
    ------
    ValueError
        When shapes differ, or the region is empty.
    """
    _validate(image, region, skin_prior, hair_prior)
    window = _window(region, skin_prior, hair_prior)
    inner = _Priors(
        region[window],
        None if skin_prior is None else skin_prior[window],
        None if hair_prior is None else hair_prior[window],
    )
    picture = np.ascontiguousarray(image[window])
    skin_known = inner.skin is not None and int(inner.skin.sum()) >= MIN_PRIOR_PX
    rng = np.random.default_rng(seed)
    probability, features = _probability(picture, inner, skin_known)
    belief = probability
    for _ in range(MIXING_ROUNDS):
        mixing = _mixing(picture, inner, belief, rng)
        answer = _fraction(inner, probability, mixing)
        belief = 0.5 * (probability + answer)
    fraction = np.zeros(region.shape, np.float32)
    fraction[window] = answer
    texture_distance = _texture_distance(features, probability[inner.region])
    certainty = float(np.abs(2 * probability[inner.region] - 1).mean())
    colour = 0.0 if mixing is None else mixing.distance
    return ClassicalHair(
        hair_fraction=fraction,
        separability=certainty,
        colour_distance=float("nan") if mixing is None else mixing.distance,
        texture_distance=texture_distance,
        skin_known=skin_known,
        confidence=_notes(probability[inner.region], colour, skin_known),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Priors:
    """What is known beforehand, cut to the window that is worked on."""

    region: BoolArray
    skin: BoolArray | None
    hair: BoolArray | None


def _validate(image: ImageArray, region: BoolArray, *priors: BoolArray | None) -> None:
    for mask in (region, *priors):
        if mask is not None and mask.shape != image.shape[:2]:
            message = f"The mask is {mask.shape}, the picture {image.shape[:2]}: give both one size"
            raise ValueError(message)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        message = f"An RGB uint8 picture is needed, not {image.dtype} {image.shape}"
        raise ValueError(message)
    if not region.any():
        message = "The region is empty: there is no scalp to measure"
        raise ValueError(message)


def _window(region: BoolArray, *priors: BoolArray | None) -> tuple[slice, slice]:
    """Bounding box of everything that matters, and a margin for the filters."""
    everything = region.copy()
    for prior in priors:
        if prior is not None:
            everything |= prior
    rows, columns = np.nonzero(everything)
    margin = 16
    return (
        slice(max(int(rows.min()) - margin, 0), int(rows.max()) + margin + 1),
        slice(max(int(columns.min()) - margin, 0), int(columns.max()) + margin + 1),
    )


def _score(features: Floats, table: Table) -> Floats:
    """Log-odds of hair (N,) of features (N, F)."""
    numbers = np.array([row[1:] for row in table], np.float32)
    mean, sd, weight = numbers[:-1].T
    standard = np.clip((features - mean) / sd, -4, 4)
    return np.asarray(standard @ weight + numbers[-1, 2], np.float32)


def _sigmoid(score: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))), np.float32)


def _probability(picture: ImageArray, priors: _Priors, skin_known: bool) -> tuple[Floats, Floats]:
    """Probability of hair (H, W), 0 outside the region, and the features (N, F) of the region."""
    reference = priors.skin if skin_known else None
    features = pixel_features(picture, priors.region, reference)
    score = _score(features, SKIN_KNOWN if skin_known else SKIN_UNKNOWN)
    probability = np.zeros(priors.region.shape, np.float32)
    probability[priors.region] = _sigmoid(SHARPENING * score)
    if not skin_known:
        reference = _likely_skin(probability, priors.region)
        if reference is not None:
            features = pixel_features(picture, priors.region, reference)
            score = _score(features, SKIN_KNOWN)
            probability[priors.region] = _sigmoid(SHARPENING * score)
    if priors.skin is not None:
        probability[priors.skin & priors.region] = 0.0
    if priors.hair is not None:
        probability[priors.hair & priors.region] = 1.0
    return probability, features


def _likely_skin(probability: Floats, region: BoolArray) -> BoolArray | None:
    """Region pixels that are skin by the first look, or None when there are too few."""
    likely = (region & (probability < SURE_SKIN)).astype(np.uint8)
    inner = cv2.erode(likely, np.ones((3, 3), np.uint8)) > 0
    return inner if int(inner.sum()) >= MIN_REFERENCE_PX else None


def _regional_mean(values: Floats, weights: Floats) -> Floats:
    """Local mean (H, W, C) that falls back to ever wider means where the weights are thin."""
    total = (values * weights[..., None]).sum((0, 1)) / (weights.sum() + 1e-6)
    mean = np.broadcast_to(total, values.shape).astype(np.float32)
    for sigma_px in (60.0, 15.0):
        numerator, weight = weighted_blur(values, weights, sigma_px)
        # 0.05: a twentieth of the window is enough to speak for itself.
        mean = (numerator + np.float32(0.05) * mean) / (weight + np.float32(0.05))[..., None]
    return mean


def _mixing(
    picture: ImageArray, priors: _Priors, probability: Floats, rng: np.random.Generator
) -> _Mixing | None:
    """Place of every pixel between the local colours of skin (0) and hair (1).

    None when one of the two populations is missing.
    """
    region = priors.region.astype(np.float32)
    hair_weight, skin_weight = probability**4 * region, (1 - probability) ** 4 * region
    if priors.hair is not None:
        hair_weight = np.maximum(hair_weight, priors.hair.astype(np.float32))
    if min(hair_weight.sum(), skin_weight.sum()) < MIN_POPULATION * region.sum():
        return None
    # Square root of linear light: mixing is nearly linear in it, and noise nearly uniform.
    colours = blurred(np.sqrt(linear_light(picture)), 0.6)
    skin, hair = _regional_mean(colours, skin_weight), _regional_mean(colours, hair_weight)
    brightness = np.sqrt(np.maximum(luminance(skin**2), 1e-4))[..., None]
    rows, columns = np.nonzero(priors.region)
    sample = rng.choice(len(rows), min(SAMPLE_PX, len(rows)), replace=False)
    where = (rows[sample], columns[sample])

    def scatter(centre: Floats, weights: Floats) -> NDArray[np.float64]:
        off = ((colours - centre) / brightness)[where].astype(np.float64)
        weight = weights[where].astype(np.float64)
        return np.asarray((off.T * weight) @ off / (weight.sum() + 1e-6))

    within = 0.5 * scatter(skin, skin_weight) + 0.5 * scatter(hair, hair_weight)
    precision = np.linalg.inv(within + 2e-4 * np.eye(3)).astype(np.float32)
    apart, off_skin = (hair - skin) / brightness, (colours - skin) / brightness
    direction = apart @ precision
    squared = (apart * direction).sum(-1)
    position = (off_skin * direction).sum(-1) / (squared + np.float32(0.5))
    distance = float(np.sqrt(np.median(squared[priors.region])))
    return _Mixing(np.asarray(position, np.float32), distance)


def _fraction(priors: _Priors, probability: Floats, mixing: _Mixing | None) -> Floats:
    """Hair fraction from the two answers, the projection by as much as its colours are apart."""
    region = priors.region.astype(np.float32)
    if mixing is None:
        return np.asarray(probability * region, np.float32)
    smooth = local_mean(np.clip(mixing.position, -0.5, 1.5), region, 1.0)
    edge = min(_EDGE / max(mixing.distance, 0.5), 0.3)
    projected = np.clip((smooth - edge) / (1 - 2 * edge), 0, 1)
    trust = np.clip((mixing.distance - _TRUST_FROM) / (_TRUST_FULL - _TRUST_FROM), 0, 1)
    return np.asarray((trust * projected + (1 - trust) * probability) * region, np.float32)


def _texture_distance(features: Floats, probability: Floats) -> float:
    """Distance of the two populations in texture (SDs), NaN when one of them is missing."""
    textures = features[:, :4].astype(np.float64)
    hair, skin = probability.astype(np.float64) ** 2, (1 - probability.astype(np.float64)) ** 2
    if min(hair.sum(), skin.sum()) < MIN_POPULATION * len(probability):
        return float("nan")

    def moments(weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean = weight @ textures / weight.sum()
        off = textures - mean
        return mean, (off.T * weight) @ off / weight.sum()

    (hair_mean, hair_scatter), (skin_mean, skin_scatter) = moments(hair), moments(skin)
    within = 0.5 * hair_scatter + 0.5 * skin_scatter + 1e-4 * np.eye(textures.shape[1])
    apart = hair_mean - skin_mean
    return float(np.sqrt(apart @ np.linalg.solve(within, apart)))


def _notes(probability: Floats, colour_distance: float, skin_known: bool) -> tuple[str, ...]:
    """Codes of `CONFIDENCE_NOTES` that apply."""
    notes = [] if skin_known else ["skin-assumed"]
    if (probability < SURE_SKIN).mean() < MIN_POPULATION:
        notes.append("only-hair")
    elif (probability > 1 - SURE_SKIN).mean() < MIN_POPULATION:
        notes.append("only-skin")
    elif colour_distance < _TRUST_FROM:
        notes.append("alike")
    return tuple(notes)
