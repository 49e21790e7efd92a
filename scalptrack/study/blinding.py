"""Blinded packs: before and after of each subject, and nothing that says which is which.

What decides the order, the sides and the repeats is a secret of the operating system, never a seed
that could be known: whoever has the pack, this program and the study's settings still lacks it. The
secret lies in the key, which stays in the study's folder; the database and the pack hold the key's
hash, so that a key that was changed later is noticed.

Both pictures of a pair go through the same steps (the same crop around the head, the same size, the
same encoder), because a picture that was warped or scaled in another way than its neighbour would
be recognised. Each photograph is in one pair only: one that came back beside others would be the
baseline.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from scalptrack.errors import InputError, OutputError
from scalptrack.images import encode_image, read_photograph, write_bytes_atomic
from scalptrack.pictures import sample
from scalptrack.plain import to_plain
from scalptrack.records import Grid, Photograph, Segmentation, Status
from scalptrack.study.form import FormItem, rating_form
from scalptrack.study.running import analysis_of, content_problem, study_fingerprint, work_place
from scalptrack.study.status import require_complete
from scalptrack.study.store import StudyStore

PICTURE_PX = 640
"""Side of the pictures: a head fills a phone's or half a desktop's width."""

JPEG_QUALITY = 88
PADDING_BYTES = 4096
REPEATED_SHARE = 0.2
PAIRS_PER_FORM = 60
"""About 20 MB in one form, which a browser opens at once."""

FIXED_TIME = 946_684_800
"""2000-01-01 00:00 UTC: the time of every file of a pack."""

KEY_SCHEMA = "scalptrack.study.key/1"
README = """Blinded rating of photographs

Open rating.html (or rating-1.html, rating-2.html, ...) in a browser. Nothing is sent anywhere.
Compare the RIGHT picture of each pair with the LEFT one, choose from -3 (much less hair on the
right) to +3 (much more hair on the right), and save the ratings to a file at the end. Send that
file back. Work alone, and don't discuss the pairs with other readers.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Before and after of one subject."""

    subject: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class KeyItem:
    """What one item of a pack shows.

    Attributes
    ----------
    item : str
        Its number in the pack, in the order in which it is shown.
    after_on_right : bool
        Where the later photograph is.
    repeat_of : str or None
        The item that shows the same pair for the first time.
    """

    item: str
    subject: str
    before: str
    after: str
    after_on_right: bool
    repeat_of: str | None = None


@dataclass(frozen=True, slots=True)
class PackKey:
    """What unblinds a pack."""

    pack: str
    view: str
    visit: str
    secret: str
    items: tuple[KeyItem, ...]

    def text(self) -> str:
        """The key as a file."""
        document = {"schema": KEY_SCHEMA, **to_plain(self)}
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was written; ``left_out`` counts the subjects without a pair."""

    pack: str
    folder: Path
    pairs: int
    repeats: int
    left_out: int
    files: tuple[str, ...]
    key_file: Path
    notes: tuple[str, ...] = ()


def plan_pack(
    pairs: Sequence[Pair], *, secret: bytes, repeated_share: float
) -> tuple[KeyItem, ...]:
    """Order, sides and repeats of a pack; the same secret gives the same plan.

    Sides are independent throws of a coin, also for a repeat. A repeat never follows its pair at
    once when there is another one to lie between.
    """
    chance = random.Random(int.from_bytes(secret, "big"))  # noqa: S311 (seeded by the system's secret)
    repeated = chance.sample(range(len(pairs)), round(repeated_share * len(pairs)))
    shown = [*range(len(pairs)), *repeated]
    for _ in range(200):
        chance.shuffle(shown)
        if all(a != b for a, b in pairwise(shown)):
            break
    width = max(3, len(str(len(shown))))
    first: dict[int, str] = {}
    items = []
    for number, index in enumerate(shown, start=1):
        item = f"{number:0{width}d}"
        pair = pairs[index]
        items.append(
            KeyItem(
                item=item,
                subject=pair.subject,
                before=pair.before,
                after=pair.after,
                after_on_right=chance.random() < 0.5,
                repeat_of=first.get(index),
            )
        )
        first.setdefault(index, item)
    return tuple(items)


def pairs_of(store: StudyStore, view: str, visit: str) -> tuple[tuple[Pair, ...], int]:
    """Subjects measured at baseline and at the visit, and how many others there are.

    Of each visit the measured photograph with the lowest replicate number is taken.

    Raises
    ------
    InputError
        If the study has no such view or visit.
    """
    for name, asked, there in (("view", view, store.views), ("visit", visit, store.visits[1:])):
        if asked not in there:
            message = f"--{name} {asked}: the study has {', '.join(there) or 'none'}."
            raise InputError(message)
    measured = {each.name for each in store.outcomes() if each.status is Status.MEASURED}
    found: dict[tuple[str, str], str] = {}
    subjects = set()
    for each in store.photographs():
        subjects.add(each.subject)
        if each.view == view and each.name in measured:
            found.setdefault((each.subject, each.visit), each.name)
    pairs = tuple(
        Pair(subject, found[subject, store.visits[0]], found[subject, visit])
        for subject in sorted(subjects)
        if (subject, store.visits[0]) in found and (subject, visit) in found
    )
    return pairs, len(subjects) - len(pairs)


def blind_study(
    store: StudyStore,
    out: Path,
    *,
    view: str,
    visit: str,
    secret: bytes | None = None,
    pairs_per_form: int = PAIRS_PER_FORM,
    on_step: Callable[[str], None] = lambda _name: None,
) -> Pack:
    """Write a blinded pack and keep its key.

    Parameters
    ----------
    out : Path
        A new or empty folder outside of the study.
    view, visit : str
        What is compared with the baseline visit.
    secret : bytes, optional
        For tests; 32 bytes of the operating system when not given.

    Raises
    ------
    InputError
        If the study is not measured to its end, or there is no pair.
    OutputError
        If the folder isn't empty, or can't be written.
    """
    require_complete(store)
    _require_outside(store, out)
    pairs, left_out = pairs_of(store, view, visit)
    if not pairs:
        message = f"No subject has a number at {store.visits[0]} and at {visit} in view {view}."
        raise InputError(message)
    secret = secret or secrets.token_bytes(32)
    pack = hashlib.sha256(b"pack" + secret).hexdigest()[:10]
    items = plan_pack(pairs, secret=secret, repeated_share=REPEATED_SHARE)
    key = PackKey(pack, view, visit, secret.hex(), items)
    pictures = _pictures(
        store, [name for each in pairs for name in (each.before, each.after)], on_step
    )
    files = pack_files(key, pictures, pairs_per_form)
    commitment = hashlib.sha256(key.text().encode()).hexdigest()
    key_file = store.key_folder / f"{pack}.json"
    # The key goes first: a pack without its key could never be read.
    write_bytes_atomic(key_file, key.text().encode())
    key_file.chmod(0o600)
    notes = _notes(store, view, visit)
    store.add_pack(pack, view, visit, commitment)
    _write_pack(out, files)
    repeats = sum(each.repeat_of is not None for each in items)
    return Pack(pack, out, len(pairs), repeats, left_out, tuple(files), key_file, notes)


def _notes(store: StudyStore, view: str, visit: str) -> tuple[str, ...]:
    """Which other packs must not come to the same reader."""
    return tuple(
        f"Pack {pack} ({other}) shows the same baseline photographs: a reader who gets both knows "
        "them by it. Give it to other readers."
        for pack, (shown, other) in store.pack_places().items()
        if shown == view and other != visit
    )


def _require_outside(store: StudyStore, out: Path) -> None:
    """A pack lies in an empty folder, apart from the study and so from its key."""
    ours, theirs = store.folder.resolve(), out.resolve()
    if theirs.is_relative_to(ours) or ours.is_relative_to(theirs):
        message = f"{out} and the study {store.folder} lie in one another. Choose another --out."
        raise OutputError(message)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        message = f"{out} is not empty. Choose a new folder for the pack."
        raise OutputError(message)


def pack_files(key: PackKey, pictures: dict[str, bytes], pairs_per_form: int) -> dict[str, bytes]:
    """Content of every file of a pack, by name; pictures are padded to the same length."""
    length = -(-max(map(len, pictures.values())) // PADDING_BYTES) * PADDING_BYTES
    padded = {name: content.ljust(length, b"\0") for name, content in pictures.items()}
    shown = []
    for each in key.items:
        left, right = each.before, each.after
        if not each.after_on_right:
            left, right = right, left
        shown.append(FormItem(each.item, padded[left], padded[right]))
    forms = [shown[i : i + pairs_per_form] for i in range(0, len(shown), pairs_per_form)]
    files = {
        "rating.html" if len(forms) == 1 else f"rating-{number}.html": rating_form(
            key.pack, form, number=number, forms=len(forms)
        ).encode()
        for number, form in enumerate(forms, start=1)
    }
    files["README.txt"] = README.encode()
    files["KEY_SHA256"] = (hashlib.sha256(key.text().encode()).hexdigest() + "\n").encode()
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    files["SHA256SUMS"] = "".join(sums).encode()
    return files


def _write_pack(out: Path, files: dict[str, bytes]) -> None:
    """Write the files and give all of them the same time."""
    for name, content in files.items():
        write_bytes_atomic(out / name, content)
    for path in (*(out / name for name in files), out):
        os.utime(path, (FIXED_TIME, FIXED_TIME))


def _pictures(
    store: StudyStore, names: Sequence[str], on_step: Callable[[str], None]
) -> dict[str, bytes]:
    """Encoded crops around the head of the photographs, by name."""
    place = work_place(store, study_fingerprint(store))
    photographs = {each.name: store.as_photograph(each) for each in store.photographs()}
    pictures = {}
    for name in names:
        photograph = photographs[name]
        # From the cache; computed again where that was deleted.
        analysis = analysis_of(photograph, place)
        if analysis.segmentation is None:
            reason = analysis.reason.message if analysis.reason else "no head was found"
            message = f"{name} can't be shown: {reason}"
            raise InputError(message)
        problem = content_problem(photograph, place)
        if problem is not None:
            message = f"{name} can't be shown: {problem.message}"
            raise InputError(message)
        pictures[name] = encode_crop(
            photograph, analysis.segmentation, max_megapixels=store.settings.max_megapixels
        )
        on_step(name)
    return pictures


def encode_crop(
    photograph: Photograph, segmentation: Segmentation, *, max_megapixels: float
) -> bytes:
    """The square around the head as a JPEG without metadata, always of the same size in pixels."""
    image, _ = read_photograph(photograph.path, max_megapixels=max_megapixels)
    grid = segmentation.grid
    step = grid.step_px * grid.width / PICTURE_PX
    shift = (step - grid.step_px) / 2
    shown = Grid(grid.x0_px + shift, grid.y0_px + shift, step, PICTURE_PX, PICTURE_PX)
    return encode_image(sample(image, shown), suffix=".jpg", quality=JPEG_QUALITY)
