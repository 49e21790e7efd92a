"""Hair of a subject: where it grows, how it lies, and its colour; grown as polylines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.strands.head import COLUMNS, ROWS, Floats, Head, table_directions
from lab.strands.noise import Volume
from lab.strands.skin import linear

PATTERNS = ("full", "male", "diffuse", "patches", "bald", "thin", "transplant", "cloudy", "fringe")
_PATTERN_CHANCE = (0.17, 0.24, 0.14, 0.10, 0.05, 0.10, 0.06, 0.10, 0.04)

COLOURS = ("black", "brown", "blond", "red", "grey", "white", "dyed")
_COLOUR_CHANCE = (0.24, 0.25, 0.17, 0.07, 0.14, 0.08, 0.05)
_SRGB = {
    "black": ((14, 12, 12), (46, 38, 34)),
    "brown": ((48, 34, 26), (122, 88, 60)),
    "blond": ((140, 108, 70), (232, 208, 164)),
    "red": ((92, 40, 22), (192, 104, 56)),
    "grey": ((84, 82, 80), (172, 170, 168)),
    "white": ((180, 178, 174), (246, 244, 238)),
}


VOLUME_SHARE, VOLUME_FROM_MM = 0.45, 15.0
"""Share of the styles of at least this length whose hair stands off from the head."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the hair of one picture is cut, lies and looks. Lengths in mm.

    Attributes
    ----------
    pattern, colour : str
        Names of the loss pattern and of the colour family.
    rgb : ndarray, shape (3,)
        Linear colour of pigmented hair.
    white_share : float
        Share of strands that are white.
    length_mm, calibre_mm, count : float
        Length, calibre of one hair, hairs that would grow on the whole scalp.
    tuft : float
        Hairs that one drawn strand stands for, side by side.
    lift, follow, gravity, frizz, clump, curl_mm, turn_mm : float
        Angle from the skin (rad), how far it follows the combing, droop, disorder, clumping
        in [0, 1], radius and pitch of the coil.
    comb : str
        Combing: whorl, back, forward, left, right, centre, loose.
    side_share : float
        Length at the sides and the nape relative to the top: a barber's fade is below 1.
    volume_mm : float
        Height up to which strands stand off from the head.
    """

    pattern: str
    colour: str
    rgb: Floats
    white_share: float
    length_mm: float
    calibre_mm: float
    count: float
    tuft: float
    lift: float
    follow: float
    gravity: float
    frizz: float
    clump: float
    curl_mm: float
    turn_mm: float
    comb: str
    side_share: float = 1.0
    volume_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class Strands:
    """Grown strands.

    Attributes
    ----------
    points_mm : ndarray, shape (N, K, 3)
        Polylines from root to tip, head frame.
    width_mm : ndarray, shape (N,)
        Drawn width.
    rgb : ndarray, shape (N, 3)
        Linear colour.
    normal : ndarray, shape (N, 3)
        Surface normal at the root.
    """

    points_mm: Floats
    width_mm: Floats
    rgb: Floats
    normal: Floats


def sample_style(rng: np.random.Generator, *, full_share: float = 0.0) -> Style:
    """A random style; lengths from stubble to shoulder; `full_share` of them without any loss."""
    pattern = str(rng.choice(PATTERNS, p=_PATTERN_CHANCE))
    if rng.random() < full_share:
        pattern = "full"
    colour = str(rng.choice(COLOURS, p=_COLOUR_CHANCE))
    if colour == "dyed":
        rgb = linear(rng.uniform(10, 230, 3))
    else:
        low, high = (np.asarray(c, np.float64) for c in _SRGB[colour])
        mix = rng.random()
        rgb = linear(np.clip((low + mix * (high - low)) * rng.uniform(0.93, 1.07, 3), 0, 255))
    white = float(rng.beta(0.6, 1.2)) if rng.random() < 0.3 else 0.0
    shape = rng.random()
    length = float(np.exp(rng.uniform(np.log(0.5), np.log(280))))
    if rng.random() < 0.35:
        length = float(np.exp(rng.uniform(np.log(8), np.log(90))))
    curl, turn = 0.0, 30.0
    if shape > 0.86 and length > 3:
        turn = float(rng.uniform(4, 12))
        curl, length = turn * float(rng.uniform(0.2, 0.4)), min(length, 60)
    elif shape > 0.62 and length > 12:
        turn = float(rng.uniform(14, 60))
        curl = turn * float(rng.uniform(0.04, 0.22))
    combs = ["whorl", "back", "forward", "left", "right", "centre", "loose"]
    comb = str(rng.choice(combs, p=[0.30, 0.15, 0.10, 0.10, 0.10, 0.15, 0.10]))
    flat = length > 12
    lift = rng.uniform(0.02, 0.35) if flat else rng.uniform(0.1, 1.2)
    return Style(
        pattern, colour, rgb, white, length, float(rng.uniform(0.045, 0.11)),
        float(rng.uniform(45_000, 120_000)), float(rng.choice([1.0, 1.0, 1.3, 1.8, 3.0])),
        float(lift), float(rng.uniform(0.3, 1.0) if flat else rng.uniform(0, 0.5)),
        float(np.exp(rng.uniform(np.log(0.4), np.log(4.0)))),
        float(rng.choice([0.03, 0.10, 0.3, 0.6])),
        float(rng.choice([0.0, 0.0, 0.3, 0.6, 0.9])), curl, turn, comb,
        float(rng.uniform(0.06, 0.7)) if rng.random() < 0.35 and length < 120 else 1.0,
    )  # fmt: skip


def fuller(rng: np.random.Generator, style: Style, *, longer_share: float) -> Style:
    """The style with volume, now and then, as hair lies that is blown dry, curly or thick.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    style : Style
        As `sample_style` drew it: its hair lies close to the head.
    longer_share : float
        Chance of hair that reaches from the chin to the chest.
    """
    if rng.random() < longer_share:
        length = float(rng.uniform(120, 420))
        style = replace(style, length_mm=length, side_share=1.0, curl_mm=min(style.curl_mm, 4.0))
    if style.length_mm < VOLUME_FROM_MM or rng.random() >= VOLUME_SHARE:
        return style
    most = min(60.0, (0.7 if style.curl_mm else 0.35) * style.length_mm)
    return replace(style, volume_mm=float(np.exp(rng.uniform(np.log(2), np.log(max(most, 3))))))


def _crown() -> tuple[float, float]:
    return 172.0, 68.0


def _angle_to(directions: Floats, azimuth: float, elevation: float) -> Floats:
    """Angle in degrees from a direction."""
    a, e = np.radians([azimuth, elevation])
    axis = np.array([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)], np.float32)
    return np.degrees(np.arccos(np.clip(directions @ axis, -1, 1))).astype(np.float32)


def _step(value: Floats, edge: float, soft: float) -> Floats:
    return np.clip((value - edge) / max(soft, 1e-3) + 0.5, 0, 1).astype(np.float32)


def _male(rng: np.random.Generator, d: Floats, noise: Floats) -> Floats:
    """Male pattern: recession, vertex spot, mid-scalp; the rim at sides and back stays."""
    keep = np.ones(d.shape[:2], np.float32)
    remain = float(rng.choice([0.0, 0.03, 0.15, 0.4]))
    soft = float(rng.uniform(3, 25))
    wave = 5 * noise
    azimuth, elevation = _crown()
    if rng.random() < 0.8:
        spot = _angle_to(d, azimuth + rng.normal(0, 10), elevation + rng.normal(-4, 5)) + wave
        keep = np.minimum(keep, _step(spot, rng.uniform(5, 45), soft))
    if rng.random() < 0.7:
        for side in (-1, 1):
            bay = _angle_to(d, side * rng.uniform(30, 45), rng.uniform(46, 58)) + wave
            keep = np.minimum(keep, _step(bay, rng.uniform(5, 34), soft * 0.7))
    if rng.random() < 0.5:
        front = _angle_to(d, 0, rng.uniform(40, 70)) + wave
        keep = np.minimum(keep, _step(front, rng.uniform(5, 40), soft))
    if rng.random() < 0.35:
        rim = 90 - _angle_to(d, 0, 90) + wave * 0.6 + 16 * np.clip(d[..., 1], -0.3, 1)
        keep = np.minimum(keep, _step(-rim, -rng.uniform(25, 50), soft))
    return remain + (1 - remain) * keep


def _patches(rng: np.random.Generator, d: Floats, scalp: Floats, noise: Floats) -> Floats:
    keep = np.ones(d.shape[:2], np.float32)
    cells = np.argwhere(scalp)
    for _ in range(int(rng.integers(1, 9))):
        row, column = cells[rng.integers(len(cells))]
        away = np.degrees(np.arccos(np.clip(d @ d[row, column], -1, 1)))
        edge = float(rng.uniform(3, 22))
        keep = np.minimum(keep, _step(away + 3 * noise, edge, rng.uniform(0.5, 10)))
    remain = float(rng.choice([0.0, 0.0, 0.05, 0.25]))
    return remain + (1 - remain) * keep


def density_map(rng: np.random.Generator, head: Head, style: Style, volume: Volume) -> Floats:
    """Share of the follicles that carry hair per cell of the head's table.

    Returns
    -------
    ndarray of float32, shape (ROWS, COLUMNS)
        In [0, 1], zero outside the scalp.
    """
    d = table_directions()
    points = d * head.radius_mm[..., None]
    noise = volume.at(points, float(rng.uniform(8, 40)), 2)
    scalp = head.scalp_cells().astype(np.float32)
    middle = np.abs(points[..., 0])
    top = np.clip(d[..., 2], 0, 1)
    match style.pattern:
        case "male":
            keep = _male(rng, d, noise)
        case "diffuse":
            wide = rng.uniform(8, 60)
            keep = 1 - rng.uniform(0.3, 1) * np.exp(-((middle / wide) ** 2)) * top
            keep = keep * rng.uniform(0.3, 1)
        case "patches":
            keep = _patches(rng, d, scalp, noise)
        case "bald":
            keep = np.full_like(middle, rng.choice([0.0, 0.0, 0.01]))
        case "thin":
            keep = np.full_like(middle, rng.uniform(0.02, 0.5)) * (1 + 0.4 * noise)
        case "transplant":
            rows = 0.5 + 0.5 * np.sin(points[..., 1] / rng.uniform(0.5, 1.2))
            keep = np.where(_male(rng, d, noise) > 0.5, 1.0, rows * rng.uniform(0.1, 0.9))
        case "cloudy":
            keep = np.clip(0.5 + noise * rng.uniform(0.3, 2) + rng.uniform(-0.5, 0.5), 0, 1)
        case "fringe":
            keep = _step(-np.degrees(np.arcsin(d[..., 2])), -rng.uniform(0, 35), 10)
        case _:
            keep = np.ones_like(middle) * rng.uniform(0.6, 1)
    edge = np.degrees(np.pi / 2 - np.arccos(np.clip(d[..., 2], -1, 1))) - np.degrees(head.border)
    keep = keep * np.clip((edge + 1.5 * noise) / rng.uniform(1, 8), 0, 1)
    return np.clip(keep, 0, 1).astype(np.float32) * scalp


def scatter_roots(
    rng: np.random.Generator, head: Head, weight: Floats, count: int
) -> tuple[Floats, Floats, Floats]:
    """Random follicles, `weight` per cell relative to its area.

    Returns
    -------
    tuple of ndarray
        Roots (N, 3) in mm, normals (N, 3), and the weight at each (N,).
    """
    d = table_directions()
    sine = np.sqrt(np.maximum(0, 1 - d[..., 2] ** 2))
    facing = np.clip(np.einsum("ijk,ijk->ij", d, head.normal), 0.3, 1)
    area = (weight * sine * head.radius_mm**2 / facing).ravel().astype(np.float64)
    total = area.sum()
    if count <= 0 or total <= 0:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
    cell = np.searchsorted(np.cumsum(area) / total, rng.random(count))
    cell = np.minimum(cell, area.size - 1)
    row, column = np.divmod(cell, COLUMNS)
    polar = (row + rng.random(count)) * np.pi / ROWS
    azimuth = (column + rng.random(count)) * 2 * np.pi / COLUMNS - np.pi
    way = np.stack(
        [np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth), np.cos(polar)], 1
    )
    roots = way * head.radius_mm[row, column][:, None]
    return roots.astype(np.float32), head.normal[row, column], weight[row, column]


def _combing(rng: np.random.Generator, style: Style, p: Floats, part_x: float) -> Floats:
    """Direction in which hair is combed at points (N, 3), not yet tangential."""
    fixed = {"back": (0.0, -1.0, -0.15), "forward": (0.0, 1.0, -0.1)}
    fixed |= {"left": (1.0, 0.25, -0.25), "right": (-1.0, 0.25, -0.25)}
    if style.comb in fixed:
        vector = np.broadcast_to(np.array(fixed[style.comb], np.float32), p.shape).copy()
        if style.comb in ("left", "right"):
            sign = 1 if style.comb == "left" else -1
            vector[:, 0] = np.where((p[:, 0] - part_x) * sign < 0, -vector[:, 0], vector[:, 0])
    elif style.comb == "centre":
        vector = np.stack([np.sign(p[:, 0] - part_x), 0.25 + 0 * p[:, 0], -0.3 + 0 * p[:, 0]], 1)
    elif style.comb == "loose":
        vector = np.broadcast_to(np.array([0, 0, -1], np.float32), p.shape) + 0
    else:
        a, e = np.radians(_crown())
        axis = np.array([np.cos(e) * np.sin(a + 0.1), np.cos(e) * np.cos(a), np.sin(e)], np.float32)
        spin = np.cross(axis, p)
        away = p - (p @ axis)[:, None] * axis
        vector = (
            away
            + spin * rng.uniform(-0.9, 0.9) * np.exp(-np.linalg.norm(away, axis=1) / 60)[:, None]
        )
    return vector.astype(np.float32)


def _unit(v: Floats) -> Floats:
    return v / (np.sqrt(np.einsum("ij,ij->i", v, v))[:, None] + 1e-6)


def _tangent(v: Floats, n: Floats) -> Floats:
    return _unit(v - np.einsum("ij,ij->i", v, n)[:, None] * n)


def grow(
    rng: np.random.Generator,
    head: Head,
    style: Style,
    roots: Floats,
    normal: Floats,
    vigour: Floats,
    volume: Volume,
) -> Strands:
    """Grow strands from follicles.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    head : Head
        The head that hair lies on.
    style : Style
        Cut, combing, colour.
    roots, normal : ndarray, shape (N, 3)
        Follicles and their surface normals.
    vigour : ndarray, shape (N,)
        Density at the follicle: hair is shorter and finer where it is thin.
    volume : Volume
        Noise for locks.

    Returns
    -------
    Strands
    """
    n = len(roots)
    if not n:
        empty = np.zeros((0, 2, 3), np.float32)
        return Strands(empty, empty[:, 0, 0], empty[:, 0], normal)
    vary = rng.uniform(0.05, 0.5)
    length = style.length_mm * np.exp(rng.normal(0, vary, n)) * (0.6 + 0.4 * np.sqrt(vigour))
    length = length * _faded(rng, style, roots)
    turns = length.max(initial=0) / style.turn_mm if style.curl_mm else 0
    steps = int(np.clip(3 + style.length_mm / 14 + 5 * turns, 2, 26))
    if style.length_mm < 4:
        steps = 1
    part_x = float(rng.uniform(-35, 35)) if style.comb in ("left", "right") else rng.normal(0, 5)
    sway = np.stack([volume.at(roots + 91 * k, 22.0) for k in range(3)], 1)
    want = _combing(rng, style, roots, part_x)
    messy = style.frizz * (0.3 + rng.random())
    way = _tangent(_unit(want) + messy * sway + 0.25 * messy * rng.normal(size=(n, 3)), normal)
    lift = np.clip(style.lift * np.exp(rng.normal(0, 0.4, n)), 0, 1.5)[:, None]
    way = _unit(np.cos(lift) * way + np.sin(lift) * normal).astype(np.float32)
    step = (length / steps)[:, None].astype(np.float32)
    points = np.empty((n, steps + 1, 3), np.float32)
    points[:, 0] = p = roots.copy()
    above = 0.5 + 0.02 * style.length_mm + style.volume_mm * np.sqrt(vigour)
    hover = (0.3 + rng.random(n) * above).astype(np.float32)
    droop = style.gravity * style.length_mm / steps / 40 * np.array([0, 0, -1.0], np.float32)
    for k in range(steps):
        p = p + way * step
        row, column, far = head.cells(p)
        level = head.radius_mm[row, column] + hover
        under = far < level
        p[under] *= (level / far)[under, None]
        points[:, k + 1] = p
        pull = _tangent(_combing(rng, style, p, part_x), head.normal[row, column])
        share = style.follow * 0.5 * (far < level + 15)
        jitter = 0.12 * style.frizz * rng.normal(size=(n, 3))
        way = _unit(way + share[:, None] * pull + droop + jitter)
        way = way.astype(np.float32)
    if style.curl_mm:
        _coil(rng, style, points, length, normal)
    if style.clump and steps > 1:
        _clump(rng, style, points)
    rgb = _colours(rng, style, n, volume, roots)
    width = style.calibre_mm * style.tuft * (0.55 + 0.45 * np.sqrt(vigour))
    return Strands(points, width.astype(np.float32), rgb, normal)


def _faded(rng: np.random.Generator, style: Style, roots: Floats) -> Floats:
    """Share of the length that a barber left at follicles (N, 3)."""
    start, soft = rng.uniform(5, 35), rng.uniform(4, 25)
    height = np.degrees(np.arcsin(np.clip(_unit(roots)[:, 2], -1, 1)))
    top = np.clip((height - start) / soft, 0, 1)
    return (style.side_share + (1 - style.side_share) * top).astype(np.float32)


def _coil(
    rng: np.random.Generator, style: Style, points: Floats, length: NDArray[np.float64], n: Floats
) -> None:
    """Wind strands into coils, in place."""
    count, knots, _ = points.shape
    s = np.linspace(0, 1, knots)[None] * length[:, None]
    phase = rng.uniform(0, 2 * np.pi, (count, 1)) * rng.choice([0.15, 1.0])
    turn = 2 * np.pi * s / (style.turn_mm * np.exp(rng.normal(0, 0.15, (count, 1)))) + phase
    size = style.curl_mm * np.clip(s / style.turn_mm, 0, 1)
    along = _unit(points[:, -1] - points[:, 0])
    side = np.cross(along, n)
    points += ((size * np.cos(turn))[..., None] * side[:, None]).astype(np.float32)
    points += ((size * np.sin(turn))[..., None] * n[:, None] * 0.8).astype(np.float32)


def _clump(rng: np.random.Generator, style: Style, points: Floats) -> None:
    """Draw neighbouring strands together towards their tips, in place."""
    cell = rng.uniform(2, 9)
    key = np.floor(points[:, 0] / cell + 50).astype(np.int64)
    code = key[:, 0] + 1000 * key[:, 1] + 1_000_000 * key[:, 2]
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    leader = points[first[inverse]]
    share = style.clump * np.linspace(0, 1, points.shape[1], dtype=np.float32) ** 0.8
    points += share[None, :, None] * (leader - points) * 0.85


def _colours(
    rng: np.random.Generator, style: Style, n: int, volume: Volume, roots: Floats
) -> Floats:
    """Linear colour of each strand: lock to lock and strand to strand variation, grey."""
    spread = rng.uniform(0.05, 0.35)
    shade = np.exp(rng.normal(0, spread, (n, 1)) + 0.2 * volume.at(roots, 6.0)[:, None])
    rgb = style.rgb * shade
    white = rng.random(n) < np.clip(style.white_share * (1 + 0.6 * volume.at(roots, 50.0)), 0, 1)
    rgb[white] = linear(np.array([215, 213, 208])) * rng.uniform(0.6, 1.15, (int(white.sum()), 1))
    return rgb.astype(np.float32)
