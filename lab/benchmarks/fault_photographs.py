"""Photographs for ``findings``: people of the fast renderer, clean and with one fault each."""

from __future__ import annotations

import io
import pickle
import time
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from lab.benchmarks.faults import GRADES, Frame, damaged, exposed, photographed
from lab.strands.camera import look
from lab.strands.head import SCALP
from lab.strands.scene import Scene, head_and_camera_of, render
from scalptrack.errors import HeadNotFoundError
from scalptrack.images.copies import copied_by
from scalptrack.quality import check_quality
from scalptrack.quality.subject import head_width_px
from scalptrack.records import CaptureInfo, ImageArray, Segmentation
from scalptrack.segmentation import NetworkSegmenter
from scalptrack.segmentation.crops import Crop
from scalptrack.segmentation.heads import Place, around

SIZE_PX, SMALL_PX = 768, 96
VIEWS = ("vertex", "mid-pattern", "frontal", "temporal", "occipital")
HEAD_SHARE = (0.52, 0.82)
MIN_REGION_SHARE = 0.1
COVERAGE_RANGE = (0.05, 0.95)
CLEAN = "clean"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A photograph (its JPEG), what the network saw in it, and where it lies in the clean one."""

    seed: int
    fault: str
    strength: float
    view: str
    skin: int
    true_percent: float
    code: bytes
    frame: Frame
    segmentation: Segmentation | None

    def image(self) -> ImageArray:
        """Pixels."""
        return np.asarray(Image.open(io.BytesIO(self.code)).convert("RGB"))

    def capture(self) -> CaptureInfo:
        """What is known of the file, named as a camera would."""
        picture = Image.open(io.BytesIO(self.code))
        return replace(
            CaptureInfo(), copied_by=copied_by(picture, CaptureInfo(), Path("IMG_1.jpg"))
        )


def framed(seed: int) -> bool:
    """True for a view of the protocol in which the head fills the picture and shows its scalp."""
    drawn = head_and_camera_of(seed, SMALL_PX)
    if drawn is None or drawn[1].view not in VIEWS:
        return False
    (head, camera), (low, high) = drawn, HEAD_SHARE
    if not low < 172 / camera.mm_per_px / SMALL_PX < high:
        return False
    surface = look(head, camera)
    return bool(((surface.label == SCALP) & (surface.cosine > 0.5)).mean() > MIN_REGION_SHARE)


class PlacedSegmenter(NetworkSegmenter):
    """The program's segmenter, told where the head is: in each photograph of a scene the same.

    What the search for the head makes of a fault isn't judged, and a photograph takes a third of
    the time.
    """

    crop: Crop | None = None

    def find_head(self, image: ImageArray) -> Place:
        """The place that was told; searched where none was."""
        if self.crop is None:
            return super().find_head(image)
        near, farther = (self._look(image, each) for each in (self.crop, around(self.crop)))
        return Place(self.crop, near, 1.0, farther)

    def seen(self, image: ImageArray, crop: Crop | None) -> Segmentation | None:
        """What is seen, without what lies farther around; None where no scalp is certain."""
        self.crop = crop
        try:
            return replace(self.segment(image), surroundings=None)
        except HeadNotFoundError:
            return None


def crop_of(segmentation: Segmentation, frame: Frame) -> Crop:
    """Where the crop of the clean photograph lies in another one."""
    grid = segmentation.grid
    side = grid.step_px * grid.width
    corner = frame.map_points(np.array([[grid.x0_px, grid.y0_px]]) - (grid.step_px - 1) / 2)[0]
    return Crop(round(corner[0]), round(corner[1]), round(side * frame.scale))


def clean_photograph(
    segmenter: PlacedSegmenter, seed: int, scene: Scene, *, least_percent: float | None = None
) -> Seen | None:
    """The photograph without a fault; None where the scene shows too little scalp or hair."""
    region = scene.region & (scene.cosine > 0.5)
    true = float(scene.fraction[region].mean()) if region.any() else 0.0
    low, high = COVERAGE_RANGE
    low = low if least_percent is None else least_percent / 100
    if region.mean() < MIN_REGION_SHARE or not low < true < high:
        return None
    code, image = photographed(exposed(scene), np.random.default_rng(seed))
    return Seen(
        seed, CLEAN, 0.0, str(scene.facts["view"]), int(scene.facts["skin"]),
        100 * true, code, Frame(), segmenter.seen(image, None),
    )  # fmt: skip


def is_usable(seen: Seen) -> bool:
    """Whether ``check`` accepts a photograph."""
    return check_quality(seen.image(), seen.segmentation, seen.capture()).usable


def run(folders: dict[Path, int], count: int) -> None:
    """Photograph so many people into each folder, in turns, from seeds that follow its first one.

    One file per photograph. Every second person has the first and the third grade of each fault,
    the others the rest. A person who shows too little, or whose clean photograph is rejected by
    ``check``, is left out; a file says that this was seen.
    """
    segmenter, seeds = PlacedSegmenter(), dict(folders)
    for number in range(count):
        for folder in folders:
            accepted = False
            while not accepted:
                seeds[folder] += 1
                accepted = framed(seeds[folder]) and person(
                    segmenter, seeds[folder], folder, number
                )


def person(segmenter: PlacedSegmenter, seed: int, folder: Path, number: int) -> bool:
    """Photograph a person; whether the clean photograph is accepted."""
    path, whole = folder / f"{seed} {CLEAN}.pickle", folder / f"{seed}.done"
    if not whole.exists():
        scene = render(seed, SIZE_PX)
        if not path.exists():
            save(path, clean_photograph(segmenter, seed, scene))
        clean = load(path)
        if clean is not None and is_usable(clean):
            with_faults(segmenter, clean, scene, folder, number)
        whole.touch()
        print(f"{folder.name} {seed}: {time.process_time():.0f} s in all", flush=True)
    clean = load(path)
    return clean is not None and is_usable(clean)


def with_faults(
    segmenter: PlacedSegmenter, clean: Seen, scene: Scene, folder: Path, number: int
) -> None:
    """Photograph a scene with each fault in two grades."""
    light, seen = exposed(scene), clean.segmentation
    if seen is None:
        return
    for fault, grades in GRADES.items():
        for strength in grades[number % 2 :: 2] or grades:
            path = folder / f"{clean.seed} {fault} {strength:g}.pickle"
            if path.exists():
                continue
            code, image, frame = damaged(
                fault, strength, scene, light, head_width_px(seen), clean.seed
            )
            made = replace(clean, fault=fault, strength=strength, code=code, frame=frame)
            save(path, replace(made, segmentation=segmenter.seen(image, crop_of(seen, frame))))


def save(path: Path, seen: Seen | None) -> None:
    """Keep a photograph."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(zlib.compress(pickle.dumps(seen), 1))
    partial.rename(path)


def load(path: Path) -> Seen | None:
    """A photograph that was kept; the files are our own."""
    found: Seen | None = pickle.loads(zlib.decompress(path.read_bytes()))
    return found
