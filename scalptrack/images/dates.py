"""Which of a file's dates is that of the exposure, and when none of them can be believed.

EXIF has three: of the original, of its digitizing, and ``DateTime``, when the file was changed.
Cameras write the same into all; editors and scanners write their own day into the third, and a copy
may have lost the others.

References
----------
CIPA DC-008 (Exif 3.0), section 4.6: tags DateTime, DateTimeOriginal, DateTimeDigitized.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scalptrack.translation import tr
from scalptrack.wording import joined

_CREATED_IN_XMP = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)"
    rb"(?:\s*=\s*[\"']|>)\s*(\d{4}-\d\d-\d\d)"
)
_TOOL_IN_XMP = re.compile(rb"xmp:CreatorTool(?:\s*=\s*[\"']|>)([^<\"']{1,200})")

# As they name themselves in the tag Software; the longer name first where one holds another.
_EDITORS = (
    *("Photoshop Lightroom", "Lightroom", "Photoshop", "Camera Raw", "DNG Converter"),
    *("Adobe Bridge", "ImageReady"),
    *("GIMP", "Snapseed", "Picasa", "Google Photos", "Apple Photos", "Pixelmator", "Affinity"),
    *("Capture One", "Capture NX", "NX Studio", "ViewNX", "Digital Photo Professional"),
    *("darktable", "RawTherapee", "digiKam", "Shotwell", "gThumb", "Krita", "Paint.NET"),
    *("PaintShop", "Paint Shop", "Corel", "DxO", "Luminar", "Topaz", "ON1 Photo", "Zoner"),
    *("Windows Photo", "Photo Gallery", "Photo Editor", "Photo Viewer", "IrfanView", "XnView"),
    *("ACDSee", "FastStone", "PhotoScape", "ImageMagick", "VSCO", "Facetune", "PicsArt"),
    *("Canva", "Polarr", "Pixlr", "Fotor", "BeautyPlus", "Meitu", "InShot", "Instagram"),
    *("VueScan", "SilverFast", "CamScanner", "PhotoScan", "EPSON Scan", "Scanner"),
)
_EDITOR_NAMES = re.compile(
    "|".join(rf"(?<!\w){re.escape(name)}" for name in _EDITORS) + r"|^Google$|^Photos(?= \d)",
    re.IGNORECASE | re.MULTILINE,
)
_SPELLING = {name.casefold(): name for name in (*_EDITORS, "Google", "Photos")}

_ZONE = timedelta(days=1)
"""Dates of GPS are in UTC."""


@dataclass(frozen=True, slots=True)
class FileDates:
    """What a file holds of dates, and which programs it names.

    Attributes
    ----------
    original, digitized, changed : datetime or None
        The three of EXIF.
    others : tuple of date
        Of GPS, and of the making of the picture in XMP.
    software : str
        Names of programs.
    """

    original: datetime | None = None
    digitized: datetime | None = None
    changed: datetime | None = None
    others: tuple[date, ...] = ()
    software: str = ""

    def settled(self) -> tuple[datetime | None, str | None]:
        """The moment of exposure, or why the only date there is may be another one's.

        Examples
        --------
        >>> FileDates(changed=datetime(2024, 5, 1), software="Adobe Photoshop 25.1").settled()[1]
        'its only date, 2024-05-01, was written by Photoshop and may be that of an edit'
        """
        moment = self.original or self.digitized
        if moment is not None or self.changed is None:
            return moment, None
        day = self.changed.date()
        apart = sorted({each for each in self.others if abs(each - day) > _ZONE})
        if apart:
            shown = joined([each.isoformat() for each in (day, *apart)])
            return None, tr(
                "its dates disagree ({shown}), and one may be that of an edit", shown=shown
            )
        editor = _EDITOR_NAMES.search(self.software)
        if editor is not None:
            name = _SPELLING[editor.group().casefold()]
            cause = tr("a scan") if "scan" in name.casefold() else tr("an edit")
            said = tr("its only date, {day}, was written by {name}", day=day.isoformat(), name=name)
            return None, tr("{said} and may be that of {cause}", said=said, cause=cause)
        return self.changed, None


def of_xmp(packet: bytes) -> tuple[tuple[date, ...], str]:
    """Dates of the making of a picture in its XMP, and the program that made it.

    Examples
    --------
    >>> of_xmp(b'<x xmp:CreateDate="2024-03-12T10:15:00" xmp:CreatorTool="GIMP 2.10"/>')
    ((datetime.date(2024, 3, 12),), 'GIMP 2.10')
    """
    dates = []
    for found in _CREATED_IN_XMP.findall(packet):
        with suppress(ValueError):
            dates.append(date.fromisoformat(found.decode()))
    tool = _TOOL_IN_XMP.search(packet)
    return tuple(dates), tool.group(1).decode("utf-8", "replace") if tool else ""
