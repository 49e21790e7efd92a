"""Bad and odd files as they lie in people's folders, and what the catalog is to say of each.

The table in docs/inputs.md is made of these cases (``python -m lab.odd_inputs``).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pictures
from pictures import scene
from PIL import Image

from scalptrack.catalog import catalog_folder
from scalptrack.quality.check import COPIES

TODAY = date(2026, 6, 1)
DAY = "2024-03-12"
USED, NOTED = "used", "noted"

Build = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One kind of input.

    ``build`` writes into the folder ``anna/vertex``; ``name`` is the file that the answer is about,
    relative to that folder; ``code`` is the rejection's code, ``used`` or ``noted``; ``needs`` is a
    module or an operating system without which the case can't be made.
    """

    kind: str
    name: str
    build: Build
    code: str
    needs: str = ""


def answer(case: Case, root: Path) -> tuple[str, str]:
    """Code and sentence of the catalog for a case that is built below a folder."""
    folder = root / "anna" / "vertex"
    folder.mkdir(parents=True)
    case.build(folder)
    catalog = catalog_folder(root, today=TODAY)
    name = f"anna/vertex/{case.name}"
    for rejected in catalog.rejected:
        if rejected.name == name:
            return rejected.reason.code, rejected.reason.message
    for photograph in catalog.photographs:
        if photograph.name == name:
            sentence = f"Used as {photograph.subject}, {photograph.view}, {photograph.visit_date}."
            copied_by = photograph.capture.copied_by
            said = f" `check` informs: {COPIES[copied_by][1]}" if copied_by else ""
            return USED, sentence + said
    return NOTED, " ".join(catalog.notes)


def table(folder: Path) -> str:
    """The table as Markdown; every case is built anew in its own folder."""
    lines = ["| what lies there | outcome | what the program says |", "|---|---|---|"]
    for number, case in enumerate(CASES):
        code, sentence = answer(case, folder / str(number))
        lines.append(f"| {case.kind} (`{_short(case.name)}`) | `{code}` | {_short(sentence)} |")
    return "\n".join(lines) + "\n"


def _short(text: str) -> str:
    """A text without the folder, which is the same for all, and with long names cut."""
    text = text.replace("anna/vertex/", "")
    return text.replace("x" * 200, "x…x").replace("|", "\\|")


def bytes_of(content: bytes | Callable[[], bytes], name: str, share: float = 1.0) -> Build:
    """A builder that writes a content, or the first share of it."""

    def build(folder: Path) -> None:
        whole = content if isinstance(content, bytes) else content()
        (folder / name).write_bytes(whole[: int(len(whole) * share)])

    return build


def saved(
    name: str, array: np.ndarray | None = None, *, kind: str = "", **options: object
) -> Build:
    """A builder that saves the scene, or another picture, with Pillow."""

    def build(folder: Path) -> None:
        picture = Image.fromarray(scene() if array is None else array)
        picture.save(folder / name, kind or None, **options)

    return build


def both(*builds: Build) -> Build:
    def build(folder: Path) -> None:
        for each in builds:
            each(folder)

    return build


def noise() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (160, 200, 3), dtype=np.uint8)


def saved_part(name: str, share: float, *, zeros: bool = False) -> Build:
    """A builder of a copy that was cut off, with nothing or with zeros for the rest."""

    def build(folder: Path) -> None:
        path = folder / name
        saved(name, noise())(folder)
        whole = path.read_bytes()
        kept = int(len(whole) * share)
        path.write_bytes(whole[:kept] + (b"\0" * (len(whole) - kept) if zeros else b""))

    return build


def holed_jpeg(folder: Path) -> None:
    path = folder / f"{DAY}.jpg"
    saved(path.name, noise(), quality=92)(folder)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(512) + content[half + 512 :])


def gapped_jpeg(folder: Path) -> None:
    path = folder / f"{DAY}.jpg"
    saved(path.name, noise(), quality=92)(folder)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + content[half + 4096 :])


def jpeg_of_mixed_parts(folder: Path) -> None:
    path = folder / f"{DAY}.jpg"
    saved(path.name, noise(), quality=92, restart_marker_rows=1)(folder)
    content = path.read_bytes()
    third, fifth = content.index(b"\xff\xd2"), content.index(b"\xff\xd4")
    path.write_bytes(content[:third] + content[fifth:])


def broken_exif(folder: Path) -> None:
    exif = pictures.exif_bytes({pictures.MODEL: "One" * 30, pictures.MAKE: "Acme" * 20})
    saved(f"{DAY}.jpg", exif=exif, quality=92)(folder)
    content = bytearray((folder / f"{DAY}.jpg").read_bytes())
    start = content.find(b"Exif\0\0") + 14
    content[start : start + 20] = b"\xff" * 20
    (folder / f"{DAY}.jpg").write_bytes(content)


def avif() -> bytes:
    import io

    buffer = io.BytesIO()
    Image.fromarray(noise()).save(buffer, "AVIF")
    return buffer.getvalue()


def zero_ended_heic(folder: Path) -> None:
    content = pictures.heic(noise())
    half = len(content) // 2
    (folder / f"{DAY}.heic").write_bytes(content[:half] + bytes(len(content) - half))


def hdr() -> bytes:
    return pictures.heic_ten_bit(scene(), color_primaries=9, transfer_characteristics=16)


def tomogram() -> bytes:
    kind = "1.2.840.10008.5.1.4.1.1.2"
    return pictures.dicom(scene()[..., 0], SOPClassUID=kind, Modality="CT")


def clinic_dicom() -> bytes:
    return pictures.dicom(scene(), PatientName="Doe^Jane", StudyDate="20240312")


def outside_link(folder: Path) -> None:
    outside = folder.parents[2] / f"{folder.parents[1].name}-elsewhere.jpg"
    Image.fromarray(scene()).save(outside)
    (folder / f"{DAY}.jpg").symlink_to(outside)


def broken_link(folder: Path) -> None:
    (folder / f"{DAY}.jpg").symlink_to(folder / "gone.jpg")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / f"{DAY}.jpg")


def latin_name(folder: Path) -> None:
    saved("x.jpg")(folder)
    (folder / "x.jpg").rename(
        os.fsdecode(os.fsencode(folder) + f"/J\xf6rg {DAY}.jpg".encode("latin-1"))
    )


def results_folder(folder: Path) -> None:
    (folder / "results").mkdir()
    (folder / "results" / "provenance.json").write_text('{"schema": "scalptrack.provenance/1"}')
    saved("results/2024-01-01.jpg")(folder)


def misfiled(folder: Path) -> None:
    other = folder.parents[1] / "bert" / "vertex"
    other.mkdir(parents=True)
    saved(f"{DAY}.jpg", noise())(other)
    saved(f"bert_vertex_{DAY}.jpg")(folder)


def subfolder(name: str, array: np.ndarray | None = None) -> Build:
    def build(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True)
        saved(name, array)(folder)

    return build


_SIXTEEN = np.linspace(0, 65535, 90 * 120).reshape(90, 120).astype(np.uint16)
_CUT_OUT = np.dstack([scene(), np.full((90, 120), 200, np.uint8)])
_LONG = f"{DAY}_" + "x" * 200 + ".jpg"
_HTML = b"<!DOCTYPE html><html><body>Please sign in to download.</body></html>" * 5
_UNSET_CLOCK = pictures.exif_bytes({pictures.DATE_ORIGINAL: "1980:01:01 00:00:00"})
_CAMERA_DATE = pictures.exif_bytes({pictures.DATE_ORIGINAL: "2024:04:03 10:15:00"})
_EDITED = {pictures.DATE_CHANGED: "2024:05:20 18:00:00", pictures.SOFTWARE: "Snapseed 2.0"}
_SATELLITES = {pictures.DATE_CHANGED: "2024:05:20 18:00:00", pictures.GPS_DATE: "2024:04:03"}
_OTHER_CAMERA = {pictures.DATE_ORIGINAL: "2024:05:03 18:22:07"}

CASES = (
    # Files that are damaged
    Case("empty file", f"{DAY}.jpg", bytes_of(b"", f"{DAY}.jpg"), "empty"),
    Case("JPEG, second half missing", f"{DAY}.jpg", saved_part(f"{DAY}.jpg", 0.5), "truncated"),
    Case(
        "JPEG whose end is zeros (a card that failed)",
        f"{DAY}.jpg",
        saved_part(f"{DAY}.jpg", 0.5, zeros=True),
        "truncated",
    ),
    Case(
        "JPEG with a sector of zeros in its middle (a card that failed)",
        f"{DAY}.jpg",
        holed_jpeg,
        "corrupt",
    ),
    Case(
        "JPEG without 4 kB of its middle (a copy that failed)",
        f"{DAY}.jpg",
        gapped_jpeg,
        "corrupt",
    ),
    Case(
        "JPEG without two parts between its restart markers",
        f"{DAY}.jpg",
        jpeg_of_mixed_parts,
        "corrupt",
    ),
    Case("PNG, cut off", f"{DAY}.png", saved_part(f"{DAY}.png", 0.6), "truncated"),
    Case("TIFF, cut off", f"{DAY}.tif", saved_part(f"{DAY}.tif", 0.6), "truncated"),
    Case("WebP, cut off", f"{DAY}.webp", saved_part(f"{DAY}.webp", 0.6), "truncated"),
    Case(
        "HEIC, cut off",
        f"{DAY}.heic",
        bytes_of(lambda: pictures.heic(noise()), f"{DAY}.heic", 0.6),
        "truncated",
    ),
    Case(
        "HEIC whose end is zeros",
        f"{DAY}.heic",
        zero_ended_heic,
        "truncated",
    ),
    Case("AVIF, cut off", f"{DAY}.avif", bytes_of(avif, f"{DAY}.avif", 0.95), "truncated", "avif"),
    Case(
        "raw file, cut off",
        f"{DAY}.dng",
        bytes_of(lambda: pictures.dng(noise()), f"{DAY}.dng", 0.6),
        "truncated",
        "rawpy",
    ),
    Case(
        "DICOM, cut off",
        f"{DAY}.dcm",
        bytes_of(lambda: pictures.dicom(noise()), f"{DAY}.dcm", 0.6),
        "truncated",
        "pydicom",
    ),
    Case(
        "PNG whose header is damaged",
        f"{DAY}.png",
        bytes_of(b"\x89PNG\r\n\x1a\n" + b"\xff" * 200, f"{DAY}.png"),
        "corrupt",
    ),
    # Files that are no photographs, or of a kind that isn't read
    Case(
        "text named as a JPEG",
        f"{DAY}.jpg",
        bytes_of(b"Dear all, " * 9, f"{DAY}.jpg"),
        "not_an_image",
    ),
    Case("web page saved as a JPEG", f"{DAY}.jpg", bytes_of(_HTML, f"{DAY}.jpg"), "not_an_image"),
    Case(
        "archive", "photos.zip", bytes_of(b"PK\3\4" + b"\0" * 99, "photos.zip"), "not_a_photograph"
    ),
    Case("PDF", "letter.pdf", bytes_of(b"%PDF-1.7\n" * 20, "letter.pdf"), "not_a_photograph"),
    Case("notes", "notes.txt", bytes_of(b"parting left", "notes.txt"), "not_a_photograph"),
    Case("film alone", "turn.mov", bytes_of(b"\0\0\0\x14ftypqt  ", "turn.mov"), "not_a_photograph"),
    Case(
        "JPEG XL",
        f"{DAY}.jxl",
        bytes_of(b"\xff\x0a" + b"\0" * 99, f"{DAY}.jxl"),
        "unsupported_format",
    ),
    Case(
        "Photoshop file",
        f"{DAY}.psd",
        bytes_of(b"8BPS\0\1" + b"\0" * 99, f"{DAY}.psd"),
        "unsupported_format",
    ),
    Case(
        "raw file of an unknown camera",
        f"{DAY}.cr2",
        saved(f"{DAY}.cr2", kind="TIFF"),
        "unsupported_format",
        "rawpy",
    ),
    Case(
        "TIFF of floats",
        f"{DAY}.tif",
        saved(f"{DAY}.tif", np.ones((90, 120), np.float32)),
        "unsupported_format",
    ),
    Case(
        "high dynamic range (PQ)", f"{DAY}.heic", bytes_of(hdr, f"{DAY}.heic"), "unsupported_format"
    ),
    Case(
        "tomogram", f"{DAY}.dcm", bytes_of(tomogram, f"{DAY}.dcm"), "unsupported_format", "pydicom"
    ),
    Case(
        "DICOM of several frames",
        f"{DAY}.dcm",
        bytes_of(lambda: pictures.dicom(scene(), frames=3), f"{DAY}.dcm"),
        "unsupported_format",
        "pydicom",
    ),
    # Absurd sizes
    Case(
        "decompression bomb (1600 megapixels in 1 kB)",
        f"{DAY}.png",
        bytes_of(pictures.png_with_header(40_000, 40_000), f"{DAY}.png"),
        "too_large",
    ),
    Case(
        "larger than the limit",
        f"{DAY}.png",
        bytes_of(pictures.png_with_header(13_000, 12_000), f"{DAY}.png"),
        "too_large",
    ),
    Case(
        "raw file that claims 600 megapixels",
        f"{DAY}.dng",
        bytes_of(lambda: pictures.dng(scene(), size=(30_000, 20_000)), f"{DAY}.dng"),
        "too_large",
        "rawpy",
    ),
    Case("thumbnail", f"{DAY}.jpg", saved(f"{DAY}.jpg", scene(48, 64)), "too_small"),
    Case("strip of 10 rows", f"{DAY}.png", saved(f"{DAY}.png", scene(10, 400)), "too_small"),
    # What is no plain file
    Case("link out of the folder", f"{DAY}.jpg", outside_link, "outside_link", "posix"),
    Case("link to a file that is gone", f"{DAY}.jpg", broken_link, "missing", "posix"),
    Case("named pipe", f"{DAY}.jpg", pipe, "not_a_photograph", "posix"),
    Case(
        "name in an old code page (an archive from Windows)",
        rf"J\xf6rg {DAY}.jpg",
        latin_name,
        "unreadable_name",
        "posix",
    ),
    # Dates, views and people
    Case(
        "date that can be read in two ways",
        "03-04-2024.jpg",
        saved("03-04-2024.jpg"),
        "ambiguous_date",
    ),
    Case("date that doesn't exist", "2024-02-30.jpg", saved("2024-02-30.jpg"), "impossible_date"),
    Case("date in the future", "2031-01-01.jpg", saved("2031-01-01.jpg"), "impossible_date"),
    Case("no date anywhere", "IMG_0042.jpg", saved("IMG_0042.jpg"), "no_date"),
    Case(
        "camera whose clock was never set",
        "IMG_0042.jpg",
        saved("IMG_0042.jpg", exif=_UNSET_CLOCK),
        "no_date",
    ),
    Case(
        "no date in the name, and an editor's in the file",
        "IMG_0042.jpg",
        saved("IMG_0042.jpg", exif=pictures.exif_bytes(_EDITED)),
        "ambiguous_date",
    ),
    Case(
        "no date in the name, and two in the file (changed, satellites)",
        "IMG_0042.jpg",
        saved("IMG_0042.jpg", exif=pictures.exif_bytes(_SATELLITES)),
        "ambiguous_date",
    ),
    Case(
        "two ways to read the date, and the day of an edit",
        "04-05-2024.jpg",
        saved(
            "04-05-2024.jpg",
            exif=pictures.exif_bytes(_EDITED | {pictures.DATE_CHANGED: "2024:05:04 18:00:00"}),
        ),
        "ambiguous_date",
    ),
    Case(
        "folder and name of two dates",
        f"2024-01-01/{DAY}.jpg",
        subfolder(f"2024-01-01/{DAY}.jpg"),
        "ambiguous_date",
    ),
    Case(
        "name and folder of two views",
        f"frontal_{DAY}.jpg",
        saved(f"frontal_{DAY}.jpg"),
        "ambiguous_view",
    ),
    Case(
        "the same file under a second name",
        "2024-05-01.jpg",
        both(saved(f"{DAY}.jpg"), saved("2024-05-01.jpg")),
        "duplicate_of",
    ),
    Case("in another person's folder", f"bert_vertex_{DAY}.jpg", misfiled, "ambiguous_subject"),
    # Odd, and used
    Case(
        "two ways to read the date, and the camera decides",
        "03-04-2024.jpg",
        saved("03-04-2024.jpg", exif=_CAMERA_DATE),
        USED,
    ),
    Case(
        "no date in the name, but the camera's",
        "IMG_0042.jpg",
        saved("IMG_0042.jpg", exif=_CAMERA_DATE),
        USED,
    ),
    Case(
        "no date in the name, but the camera's, and edited later",
        "IMG_0042.jpg",
        saved(
            "IMG_0042.jpg",
            exif=pictures.exif_bytes(_EDITED | {pictures.DATE_ORIGINAL: "2024:04:03 10:15:00"}),
        ),
        USED,
    ),
    Case(
        "a date in the name, and an editor's in the file",
        f"{DAY}.jpg",
        saved(f"{DAY}.jpg", exif=pictures.exif_bytes(_EDITED), quality=92),
        USED,
    ),
    Case(
        "turned by its EXIF orientation",
        f"{DAY}.jpg",
        saved(f"{DAY}.jpg", exif=pictures.exif_bytes({pictures.ORIENTATION: 6})),
        USED,
    ),
    Case("damaged EXIF", f"{DAY}.jpg", broken_exif, USED),
    Case(
        "damaged colour profile", f"{DAY}.png", saved(f"{DAY}.png", icc_profile=b"nonsense"), USED
    ),
    Case("PNG named as a JPEG", f"{DAY}.jpg", saved(f"{DAY}.jpg", kind="PNG"), USED),
    Case(
        "JPEG named as a raw file", f"{DAY}.dng", saved(f"{DAY}.dng", kind="JPEG", quality=92), USED
    ),
    Case("capitals", f"{DAY}.JPG", saved(f"{DAY}.JPG", quality=92), USED),
    Case("16 bits", f"{DAY}.png", saved(f"{DAY}.png", _SIXTEEN), USED),
    Case("transparent", f"{DAY}.png", saved(f"{DAY}.png", _CUT_OUT), USED),
    Case(
        "raw file",
        f"{DAY}.dng",
        bytes_of(lambda: pictures.dng(scene()), f"{DAY}.dng"),
        USED,
        "rawpy",
    ),
    Case(
        "10 bits",
        f"{DAY}.heic",
        bytes_of(lambda: pictures.heic_ten_bit(scene()), f"{DAY}.heic"),
        USED,
    ),
    Case("DICOM without a suffix", "IM000001", bytes_of(clinic_dicom, "IM000001"), USED, "pydicom"),
    Case(
        "spaces and umlauts",
        f"Anna Müller {DAY} (2).jpg",
        saved(f"Anna Müller {DAY} (2).jpg", quality=92),
        USED,
    ),
    Case("Chinese name", f"头顶_{DAY}.jpg", saved(f"头顶_{DAY}.jpg", quality=92), USED),
    Case("very long name", _LONG, saved(_LONG, quality=92), USED),
    Case(
        "messenger's copy",
        "IMG-20240312-WA0003.jpg",
        saved("IMG-20240312-WA0003.jpg", quality=70),
        USED,
    ),
    Case(
        "screenshot",
        "Screenshot_20240312-101500.png",
        saved("Screenshot_20240312-101500.png"),
        USED,
    ),
    Case("compressed strongly, EXIF gone", f"{DAY}.jpg", saved(f"{DAY}.jpg", quality=60), USED),
    # Accounted for beside the photographs
    Case(
        "film of a live photo",
        f"{DAY}.mov",
        both(saved(f"{DAY}.jpg", quality=92), bytes_of(b"\0\0\0\x14ftypqt  ", f"{DAY}.mov")),
        NOTED,
    ),
    Case(
        "sidecar of edits",
        f"{DAY}.aae",
        both(saved(f"{DAY}.jpg", quality=92), bytes_of(b"<plist/>", f"{DAY}.aae")),
        NOTED,
    ),
    Case(
        "raw file beside its JPEG",
        f"{DAY}.dng",
        both(
            saved(f"{DAY}.jpg", quality=92),
            bytes_of(lambda: pictures.dng(scene()), f"{DAY}.dng"),
        ),
        NOTED,
    ),
    Case(
        "JPEG exported of a HEIC",
        f"{DAY}.jpg",
        both(
            saved(f"{DAY}.jpg", quality=92),
            bytes_of(lambda: pictures.heic(scene()), f"{DAY}.heic"),
        ),
        NOTED,
    ),
    Case(
        "JPEG named like a HEIC, taken at another time (two phones)",
        "IMG_0001.jpg",
        both(
            saved("IMG_0001.jpg", quality=92, exif=_CAMERA_DATE),
            bytes_of(lambda: pictures.heic(noise(), exif=_OTHER_CAMERA), "IMG_0001.heic"),
        ),
        USED,
    ),
    Case(
        "JPEG exported of a HEIC that is cut off",
        f"{DAY}.jpg",
        both(
            saved(f"{DAY}.jpg", quality=92),
            bytes_of(lambda: pictures.heic(noise()), f"{DAY}.heic", 0.6),
        ),
        USED,
    ),
    Case("file of the operating system", "Thumbs.db", bytes_of(b"\xd0\xcf", "Thumbs.db"), NOTED),
    Case("hidden file", ".DS_Store", bytes_of(struct.pack(">I", 1), ".DS_Store"), NOTED),
    Case("results of scalptrack", "results/2024-01-01.jpg", results_folder, NOTED),
)
