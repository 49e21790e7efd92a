"""A person who does not exist: everything about a head that a year does not change."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from lab.phantom.head import (
    FloatArray,
    HeadShape,
    RadiusTable,
    azimuth_elevation,
    border_elevation,
    is_scalp,
    sample_head_shape,
    surface_normals,
    unit,
)

PATTERNS = (
    "none",
    "male-vertex",
    "male-full",
    "frontal",
    "female-diffuse",
    "patches",
    "thinning",
    "transplant",
    "total",
)
CURLS = ("straight", "wavy", "curly", "coily")

# Melanin and redness of the Principled Hair BSDF, by name of the colour.
HAIR_MELANIN = {
    "black": (0.985, 0.15),
    "dark-brown": (0.88, 0.4),
    "brown": (0.72, 0.5),
    "light-brown": (0.5, 0.5),
    "blond": (0.26, 0.4),
    "red": (0.5, 0.95),
    "grey": (0.10, 0.0),
    "white": (0.02, 0.0),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, fixed by one seed and the overrides of a specification.

    Attributes
    ----------
    seed
        Root of every random stream of this subject.
    skin_type
        Fitzpatrick I-VI as 1-6 (fractions allowed).
    mottling
        Strength of the uneven pigment of the skin, 1 is usual.
    hair_colour
        Key of HAIR_MELANIN.
    grey_fraction
        Share of hairs that have lost their pigment.
    curl
        One of CURLS.
    density_per_cm2
        Strands per square centimetre of unaffected scalp; one strand stands for about
        two hairs, so calibres are larger than real ones by about the square root of two.
    calibre_cm
        Median diameter of a strand.
    pattern, severity
        Where hair is lost (one of PATTERNS) and how much of it (0-1) at baseline.
    micropigmentation
        Whether the affected area carries tattooed dots.
    shape
        The head.
    whorl
        Unit direction of the crown's whorl, and its sense of rotation (+1 or -1).
    """

    seed: int
    skin_type: float
    mottling: float
    hair_colour: str
    grey_fraction: float
    curl: str
    density_per_cm2: float
    calibre_cm: float
    pattern: str
    severity: float
    micropigmentation: bool
    shape: HeadShape
    whorl: tuple[float, float, float]
    whorl_sense: int

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("pattern", self.pattern, PATTERNS),
            ("curl", self.curl, CURLS),
            ("hair_colour", self.hair_colour, tuple(HAIR_MELANIN)),
        ):
            if value not in allowed:
                message = f"{name} is {value!r}; it must be one of {', '.join(allowed)}"
                raise ValueError(message)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Independent generator for one purpose of one seed; the same everywhere."""
    key = [int(byte) for byte in purpose.encode()]
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))


def sample_subject(seed: int, overrides: dict[str, Any] | None = None) -> Subject:
    """Draw the subject of `seed`; `overrides` sets fields of Subject by name."""
    rng = stream(seed, "traits")
    azimuth, tilt = rng.normal(0.0, 0.12), rng.normal(0.0, 0.07)
    whorl = unit(np.array([azimuth, -0.52 + tilt, 0.86]))
    subject = Subject(
        seed=seed,
        skin_type=float(rng.uniform(1.0, 6.0)),
        mottling=float(rng.uniform(0.7, 1.4)),
        hair_colour=str(rng.choice(list(HAIR_MELANIN))),
        grey_fraction=float(rng.choice([0.0, 0.0, 0.1, 0.4])),
        curl=str(rng.choice(CURLS)),
        density_per_cm2=float(rng.uniform(65.0, 95.0)),
        calibre_cm=float(rng.uniform(0.0085, 0.0115)),
        pattern=str(rng.choice(PATTERNS)),
        severity=float(rng.uniform(0.4, 1.0)),
        micropigmentation=False,
        shape=sample_head_shape(stream(seed, "shape")),
        whorl=(float(whorl[0]), float(whorl[1]), float(whorl[2])),
        whorl_sense=int(rng.choice([-1, 1])),
    )
    known = {field.name for field in fields(Subject)} - {"seed", "shape"}
    unknown = set(overrides or {}) - known
    if unknown:
        message = f"unknown subject fields {sorted(unknown)}; known are {sorted(known)}"
        raise ValueError(message)
    return replace(subject, **(overrides or {}))


@dataclass(frozen=True, slots=True)
class Follicles:
    """Every place where this subject ever had a hair. Arrays of N follicles.

    Attributes
    ----------
    direction, position, normal
        Unit direction from the centre, point on the skin (cm), outward normal; (N, 3).
    affected
        How strongly the pattern reaches the follicle at full severity, 0-1.
    rank
        Uniform in [0, 1): a follicle carries hair while rank < 1 - severity * affected,
        so that a milder visit keeps every hair of a more severe one.
    calibre_cm, growth, melanin, redness
        Diameter, relative length, and colour of the hair.
    jitter
        Standard normal numbers (N, 4) for direction and curl, the same at every visit.
    """

    direction: FloatArray
    position: FloatArray
    normal: FloatArray
    affected: FloatArray
    rank: FloatArray
    calibre_cm: FloatArray
    growth: FloatArray
    melanin: FloatArray
    redness: FloatArray
    jitter: FloatArray


def sample_follicles(subject: Subject) -> Follicles:
    """Place the follicles of `subject` on its scalp, uniformly per area."""
    rng = stream(subject.seed, "follicles")
    table = RadiusTable.of(subject.shape)
    bound_cm2 = 4.0 * np.pi * float(table.table.max()) ** 2 * 1.35
    count = int(subject.density_per_cm2 * bound_cm2)
    direction = unit(rng.normal(0.0, 1.0, (count, 3)))
    pick = rng.random(count)
    rank = rng.random(count)
    normals_rng = rng.normal(0.0, 1.0, (count, 7))
    grey = rng.random(count) < subject.grey_fraction
    inside = is_scalp(subject.shape, direction)
    direction, pick, rank = direction[inside], pick[inside], rank[inside]
    jitter, grey = normals_rng[inside], grey[inside]
    normal = surface_normals(subject.shape, direction)
    r = table(direction)
    cosine = np.clip(np.sum(normal * direction, axis=1), 0.3, 1.0)
    keep = pick < r**2 / cosine * (4.0 * np.pi / bound_cm2) * _border_density(subject, direction)
    direction, rank, jitter, grey = direction[keep], rank[keep], jitter[keep], grey[keep]
    normal, r = normal[keep], r[keep]
    melanin, redness = HAIR_MELANIN[subject.hair_colour]
    affected = affected_by_pattern(subject, direction)
    miniature = 1.0 - 0.45 * subject.severity * affected * (subject.pattern != "patches")
    return Follicles(
        direction=direction,
        position=direction * r[:, None],
        normal=normal,
        affected=affected,
        rank=rank,
        calibre_cm=subject.calibre_cm * np.exp(0.22 * jitter[:, 4]) * miniature,
        growth=np.exp(0.10 * jitter[:, 5]) * (0.5 + 0.5 * miniature),
        melanin=np.where(grey, 0.03, np.clip(melanin * np.exp(0.06 * jitter[:, 6]), 0.0, 0.995)),
        redness=np.where(grey, 0.0, redness),
        jitter=jitter[:, :4],
    )


def _border_density(subject: Subject, direction: FloatArray) -> FloatArray:
    """Hair thins out over the last degrees before the border instead of stopping."""
    azimuth, elevation = azimuth_elevation(direction)
    inside = elevation - border_elevation(subject.shape, azimuth)
    return np.asarray(np.clip(0.25 + inside / 5.0, 0.0, 1.0))


def affected_by_pattern(subject: Subject, direction: FloatArray) -> FloatArray:
    """How strongly the subject's pattern of loss reaches `direction` ((N, 3)); 0-1."""
    rng = stream(subject.seed, "pattern")
    if subject.pattern == "none":
        return np.zeros(len(direction))
    if subject.pattern == "total":
        return np.full(len(direction), 1.0)
    if subject.pattern == "patches":
        return _patches(rng, direction)
    warped = unit(direction + _waves(rng, direction, amplitude=0.05))
    if subject.pattern == "thinning":
        return np.asarray(0.75 + 0.25 * _disc(warped, (0.0, -0.35, 0.93), 50.0, 20.0))
    if subject.pattern == "female-diffuse":
        top = _disc(warped, (0.0, 0.15, 0.99), 48.0, 14.0)
        midline = np.exp(-((warped[:, 0] / 0.10) ** 2))
        return np.asarray(top * (0.62 + 0.38 * midline))
    vertex = _disc(warped, (0.0, -0.50, 0.87), 31.0, 11.0)
    if subject.pattern == "male-vertex":
        return np.asarray(np.maximum(vertex, 0.8 * _temples(warped)))
    if subject.pattern == "transplant":
        return np.maximum(_temples(warped), 0.9 * _front(warped)) * _between_rows(direction)
    if subject.pattern == "frontal":
        return np.asarray(np.maximum(_temples(warped), 0.9 * _front(warped)))
    mid = 0.9 * _disc(warped, (0.0, 0.12, 0.99), 34.0, 12.0)
    return np.asarray(np.max([vertex, _temples(warped), _front(warped), mid], axis=0))


def _disc(
    direction: FloatArray, centre: tuple[float, float, float], size: float, edge: float
) -> FloatArray:
    """1 inside `size` degrees of `centre`, falling to 0 over about `edge` degrees."""
    cosine = direction @ unit(np.asarray(centre))
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return np.asarray(1.0 / (1.0 + np.exp((angle - size) / (0.25 * edge))))


def _temples(direction: FloatArray) -> FloatArray:
    right = _disc(direction, (0.55, 0.62, 0.72), 20.0, 8.0)
    left = _disc(direction, (-0.55, 0.62, 0.72), 20.0, 8.0)
    return np.asarray(np.maximum(left, right))


def _front(direction: FloatArray) -> FloatArray:
    return _disc(direction, (0.0, 0.68, 0.74), 16.0, 8.0)


def _between_rows(direction: FloatArray) -> FloatArray:
    """1 between the rows of grafts, 0.15 on them; the rows lie about 2.5 mm apart."""
    elevation = np.arctan2(direction[:, 2], direction[:, 1])
    return np.where(np.cos(2.0 * np.pi * elevation / 0.026) > 0.3, 0.15, 1.0)


def _patches(rng: np.random.Generator, direction: FloatArray) -> FloatArray:
    count = 9
    centre = unit(
        np.stack(
            [rng.uniform(-0.7, 0.7, count), rng.uniform(-0.85, 0.45, count), np.full(count, 0.75)],
            axis=1,
        )
    )
    centre[0] = unit(np.array([0.12, -0.45, 0.85]))
    size = rng.uniform(8.0, 17.0, count)
    size[0] = 19.0
    warped = unit(direction + _waves(rng, direction, amplitude=0.035))
    patches = [
        _disc(warped, (c[0], c[1], c[2]), float(s), 3.5) for c, s in zip(centre, size, strict=True)
    ]
    return np.asarray(np.max(patches, axis=0))


def _waves(rng: np.random.Generator, direction: FloatArray, *, amplitude: float) -> FloatArray:
    total = np.zeros_like(direction)
    for _ in range(8):
        vector = rng.normal(0.0, 9.0, 3)
        phase = rng.uniform(0.0, 2.0 * np.pi, 3)
        total += np.cos((direction @ vector)[:, None] + phase)
    return np.asarray(total * amplitude / np.sqrt(8.0))
