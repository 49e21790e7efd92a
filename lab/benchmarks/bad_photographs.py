"""Photographs for ``bad_pairs``: rendered ones, what spoils them, and their features, cached.

What is done to a photograph keeps its truth: the position on the head that each pixel shows.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from lab.benchmarks.registration import Shot, exif_focal, load
from lab.benchmarks.sample_shots import load_samples
from lab.paths import beside
from scalptrack.errors import HeadNotFoundError
from scalptrack.quality import check_quality
from scalptrack.records import CaptureInfo, Grid, Segmentation, Severity
from scalptrack.registration import HeadFeatures, extract_features
from scalptrack.registration.matching import mirrored_features
from scalptrack.segmentation import NetworkSegmenter

SIDES = ("left", "right", "top", "bottom")
BLURS = {"blurred": 0.008, "very blurred": 0.02}
"""SD of the blur as a share of the head's width: at the limit of the quality check, and beyond."""

CACHED_SOURCES = (
    "registration/camera.py",
    "registration/features.py",
    "registration/outline.py",
    "registration/suppression.py",
    "segmentation/crops.py",
    "segmentation/heads.py",
    "segmentation/maps.py",
    "segmentation/network.py",
    "segmentation/model/CHECKSUM",
)


@dataclass(eq=False)
class Picture:
    """A photograph, perhaps spoiled, with what registration knows of it.

    Attributes
    ----------
    shot : Shot
        The rendered photograph that it comes from.
    spoiled : str
        What was done to it; empty for the photograph as it is.
    corner : float (2,)
        Pixel of the photograph that is the picture's (0, 0).
    half : int
        0 for people that limits may be chosen on, 1 for those that results are told of.
    """

    shot: Shot
    spoiled: str = ""
    corner: np.ndarray = field(default_factory=lambda: np.zeros(2))
    half: int = 0
    features: HeadFeatures | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return f"{self.shot.name}{f' {self.spoiled}' if self.spoiled else ''}"

    def image(self) -> np.ndarray:
        """The picture; sets `corner`."""
        image = self.shot.image()
        if self.spoiled == "mirrored":
            return np.ascontiguousarray(image[:, ::-1])
        if self.spoiled in BLURS:
            sigma = BLURS[self.spoiled] * self.shot.truth["head_width_px"]
            return cv2.GaussianBlur(image, (0, 0), sigma)
        if self.spoiled == "wall":
            return before_wall(image, self.shot)
        if self.spoiled in SIDES:
            left, top, right, bottom = self._frame(image.shape[:2])
            return np.ascontiguousarray(image[top:bottom, left:right])
        return image

    @property
    def has_truth(self) -> bool:
        """Whether the true classes and hair are there."""
        return beside(self.shot.stem, ".classes.png").exists()

    def true_segmentation(self) -> Segmentation:
        """What a segmentation without error would say of the picture."""
        whole = self.shot.true_segmentation()
        left, top, right, bottom = self._frame(whole.photograph_shape)
        kept = (slice(top, bottom), slice(left, right))
        names = ("hair_fraction", "classes", "scalp", "incidence_cosine", "glare")
        arrays = {name: getattr(whole, name)[kept].copy() for name in names}
        shape = (bottom - top, right - left)
        return replace(
            whole, grid=Grid(0.0, 0.0, 1.0, shape[1], shape[0]), photograph_shape=shape, **arrays
        )

    def _frame(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what is kept; sets `corner`."""
        height, width = shape
        left, top, right, bottom = 0, 0, width, height
        if self.spoiled not in SIDES:
            return left, top, right, bottom
        rows, columns = np.nonzero(self.shot.surface()["label"] == 1)
        row, column = round(float(np.mean(rows))), round(float(np.mean(columns)))
        if self.spoiled == "left":
            left = column
        elif self.spoiled == "right":
            right = column
        elif self.spoiled == "top":
            top = row
        else:
            bottom = row
        self.corner = np.array([left, top], dtype=np.float64)
        return left, top, right, bottom

    def focal_35mm(self) -> float | None:
        """Focal length as in the file; a cut picture has none that is true of it."""
        return None if self.spoiled in SIDES else exif_focal(self.shot)


def wall(shape: tuple[int, int]) -> np.ndarray:
    """The same wall in every photograph: strong texture at all sizes that features like."""
    rng = np.random.default_rng(77)
    size = (1600, 1600)
    picture = np.full((*size, 3), 130.0)
    for sigma, strength in ((2.0, 14.0), (5.0, 16.0), (14.0, 18.0)):
        noise = cv2.GaussianBlur(rng.normal(0.0, 1.0, (*size, 3)), (0, 0), sigma)
        picture += strength * noise / noise.std()
    for _ in range(260):
        centre = tuple(int(v) for v in rng.integers(0, 1600, 2))
        colour = tuple(float(v) for v in rng.uniform(40, 220, 3))
        cv2.circle(picture, centre, int(rng.integers(4, 22)), colour, -1, cv2.LINE_AA)
    return picture.clip(0, 255).astype(np.uint8)[: shape[0], : shape[1]]


def before_wall(image: np.ndarray, shot: Shot) -> np.ndarray:
    """The person of a photograph before the same wall as all others."""
    label = shot.surface()["label"]
    person = (label > 0).astype(np.float32)
    classes = beside(shot.stem, ".classes.png")
    if classes.exists():
        seen = cv2.imread(str(classes), cv2.IMREAD_UNCHANGED)
        person = np.maximum(person, (seen > 0).astype(np.float32))
    alpha = cv2.GaussianBlur(person, (0, 0), 1.0)[..., None]
    mixed = image * alpha + wall(image.shape[:2]) * (1.0 - alpha)
    return mixed.clip(0, 255).astype(np.uint8)


def load_people(
    samples: Path, folders: Iterable[Path], crowd: Path | None, crowd_size: int, *, truth: bool
) -> list[Picture]:
    """Photographs as they are, each person in one half; of the crowd one photograph a person.

    Parameters
    ----------
    samples : Path
        ``sample_images``.
    folders : iterable of Path
        Renders with several photographs of one person.
    crowd : Path or None
        Renders of many people.
    crowd_size : int
        How many of them, evenly chosen from those of each view.
    truth : bool
        Leave out photographs without true classes and hair.
    """
    shots = load_samples(samples)
    for folder in folders:
        shots += load(folder)
    if truth:
        shots = [shot for shot in shots if Picture(shot).has_truth]
    if crowd is not None:
        shots += _evenly(load(crowd), crowd_size)
    people: dict[str, list[str]] = {}
    for shot in shots:
        people.setdefault(shot.view, [])
        if all(shot.subject not in listed for listed in people.values()):
            people[shot.view].append(shot.subject)
    half = {name: i % 2 for listed in people.values() for i, name in enumerate(listed)}
    return [Picture(shot, half=half[shot.subject]) for shot in shots]


def _evenly(shots: list[Shot], count: int) -> list[Shot]:
    by_view: dict[str, list[Shot]] = {}
    for shot in shots:
        by_view.setdefault(shot.view, []).append(shot)
    kept = []
    for listed in by_view.values():
        share = max(1, round(count * len(listed) / len(shots)))
        kept += listed[:: max(1, len(listed) // share)][:share]
    return kept


def spoiled(pictures: Iterable[Picture], kinds: Iterable[str]) -> list[Picture]:
    """The same photographs, spoiled in turn by one of the kinds each."""
    each = list(kinds)
    return [
        replace(picture, spoiled=each[i % len(each)], corner=np.zeros(2), features=None)
        for i, picture in enumerate(pictures)
    ]


class FeatureStore:
    """Features by the content of the picture and of the program that makes them."""

    def __init__(self, folder: Path, *, truth: bool) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._truth = truth
        self._made_by = fingerprint(CACHED_SOURCES)
        self._segmenter = NetworkSegmenter()

    def key(self, picture: Picture) -> str:
        """Key of the features of a picture; sets its `corner`."""
        if picture.spoiled == "mirrored":
            return f"{self.key(replace(picture, spoiled=''))}m"
        image, focal = picture.image(), picture.focal_35mm()
        by_truth = self._by_truth(picture)
        content = f"{self._made_by}{image.shape}{focal}{by_truth}".encode() + image.tobytes()
        return hashlib.sha256(content).hexdigest()[:24]

    def fill(self, picture: Picture) -> None:
        """Set the features of a picture, or why there are none."""
        if picture.spoiled == "mirrored":
            plain = replace(picture, spoiled="")
            self.fill(plain)
            picture.problem = plain.problem
            if plain.features is not None:
                picture.features = mirrored_features(plain.features)
            return
        path = self._folder / f"{self.key(picture)}.features"
        if path.exists():
            picture.features, picture.problem = pickle.loads(path.read_bytes())
            return
        image, focal = picture.image(), picture.focal_35mm()
        if self._by_truth(picture):
            segmentation = picture.true_segmentation()
            picture.features = extract_features(image, segmentation, focal_length_35mm=focal)
        else:
            picture.features, picture.problem = self._made(image, focal)
        # Other processes may share the folder.
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(pickle.dumps((picture.features, picture.problem)))
        temporary.rename(path)

    def _by_truth(self, picture: Picture) -> bool:
        return self._truth and picture.has_truth

    def _made(self, image: np.ndarray, focal: float | None) -> tuple[HeadFeatures | None, str]:
        try:
            segmentation = self._segmenter.segment(image)
            capture = replace(CaptureInfo(), focal_length_35mm=focal)
            quality = check_quality(image, segmentation, capture)
            errors = [f.code for f in quality.findings if f.severity is Severity.ERROR]
            features = extract_features(image, segmentation, focal_length_35mm=focal)
        except HeadNotFoundError:
            return None, "no_head"
        return features, errors[0] if errors else ""


def fingerprint(sources: Iterable[str], *, without: str = "") -> str:
    """Hash of source files of the package, without the lines that begin with a word of `without`.

    Parameters
    ----------
    without : str
        Beginnings of lines that don't count, separated by blanks.
    """
    import scalptrack

    root = Path(scalptrack.__file__).parent
    found = hashlib.sha256()
    for name in sources:
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            if not (without and line.startswith(tuple(without.split()))):
                found.update(line.encode() + b"\n")
    return found.hexdigest()[:16]
