"""What a path says about a photograph: subject, view, visit date, replicate.

Understood are ``subject/view/date``, ``subject/date_view``, ``subject/date/view``,
``subject_view_date`` and ``view/date``, each with an optional replicate, the names that phones
give, and the usual other names of the six views. A date that can be read in two ways is not
guessed: all readings are handed on, and the catalog lets the camera's date decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

UNSPECIFIED_VIEW = "unspecified"
"""View of a photograph whose path names none."""

VIEWS = ("vertex", "mid-pattern", "frontal", "left-temporal", "right-temporal", "occipital")

_OTHER_NAMES = {
    "vertex": "crown top above whorl overhead topdown top-down scheitel oberkopf",
    "mid-pattern": "midpattern midscalp mid-scalp midline parting midparting mid-parting "
    "centre-part center-part centre-parting center-parting mittelscheitel",
    "frontal": "front hairline forehead anterior stirn vorne",
    "left-temporal": "left temporal-left left-side side-left left-temple temple-left links",
    "right-temporal": "right temporal-right right-side side-right right-temple temple-right rechts",
    "occipital": "back rear nape posterior occiput hinterkopf hinten",
}
_VIEW_OF = {view: view for view in VIEWS} | {
    other: view for view, others in _OTHER_NAMES.items() for other in others.split()
}
_VIEW_OF |= {name.replace("-", ""): view for name, view in list(_VIEW_OF.items())}

# Words that say nothing about which view or whose head it is.
_VIEW_FILLERS = frozenset({"view", "of", "the", "head", "scalp", "hair", "area", "region"})
_CAMERA_WORDS = frozenset(
    {"img", "image", "pxl", "dsc", "dscn", "dscf", "photo", "foto", "picture", "pic", "whatsapp"}
    | {"signal", "mvimg", "burst", "hdr", "night", "portrait", "edited", "cover", "dcim", "bild"}
    | {"copy", "final", "screenshot", "at", "um", "snapchat", "imag", "gopr", "live", "mp", "wa"}
)
_VISIT_WORDS = frozenset(
    {"visit", "visits", "session", "baseline", "followup", "follow", "up", "month", "week", "day"}
    | {"besuch", "termin", "monat", "woche"}
)
_REPLICATE_WORDS = frozenset({"r", "rep", "replicate", "shot", "take", "nr", "no"})

_MONTH_NAMES = (
    ("jan",),
    ("feb",),
    ("mar", "mär", "maer", "mrz"),
    ("apr",),
    ("may", "mai"),
    ("jun",),
    ("jul",),
    ("aug",),
    ("sep",),
    ("oct", "okt"),
    ("nov",),
    ("dec", "dez"),
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}
_MONTH = rf"(?P<month_name>{'|'.join(_MONTHS)})[^\W\d_]*"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SEPARATOR = r"(?P<sep>[-_. ])"
_DATE_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d){_YEAR}{_SEPARATOR}(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}})(?!\d)",
        rf"(?<!\d){_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?=\d{{6}}(?!\d)|(?!\d))",
        rf"(?<!\d)(?P<first>\d{{1,2}}){_SEPARATOR}(?P<second>\d{{1,2}})(?P=sep){_YEAR}(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-_. ]*{_MONTH}[-_., ]*{_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}[-_. ]*{_MONTH}[-_. ]*(?P<day>\d{{1,2}})(?!\d)",
        rf"(?<!\d){_YEAR} ?[年년] ?(?P<month>\d{{1,2}}) ?[月월] ?(?P<day>\d{{1,2}}) ?[日일号]",
        rf"(?<![^\W\d_]){_MONTH}[-_. ]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-_., ]+{_YEAR}(?!\d)",
    )
)
_SHORT_DATE = re.compile(r"(?<!\d)(\d\d)([-_. ])(\d\d)\2(\d\d)(?!\d)")
_TIME_BEHIND_DATE = re.compile(
    r"^[-_. ]*(?:T|at|um)?[-_. ]*"
    r"(?:[01]\d|2[0-3])(?:[-_.:h ]?[0-5]\d[-_.:m ]?[0-5]\d(?:s|\d{3})?|[.:h]?[0-5]\d)(?!\d)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class DateReading:
    """One date in a text: no reading (impossible), one (certain), or several (ambiguous).

    Attributes
    ----------
    readings : tuple of date
        What it may mean, in ascending order.
    start, end : int
        Where it stands in the text.
    """

    readings: tuple[date, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PathReading:
    """What a path says.

    Attributes
    ----------
    subject, view : str
        The view under its own name where it is one of the six, as the user wrote it otherwise.
    dates : tuple of date
        Every reading of the visit date; empty when there is none.
    has_date : bool
        True when the path holds a date, even an impossible one.
    date_text : str
        The date as written.
    replicate : int or None
        Number of the replicate when it is explicit.
    views : tuple of str
        All views that the path names; more than one is a contradiction.
    subject_in_name : str
        What stands in the file's name where ``subject_view_date`` has its subject; empty if none.
    """

    subject: str
    view: str
    dates: tuple[date, ...]
    has_date: bool
    date_text: str
    replicate: int | None
    views: tuple[str, ...]
    subject_in_name: str

    def view_beside(self, hint: str | None) -> str:
        """Return the view that the path names, or else the one that the file itself states.

        Empty where neither names one, and where the path contradicts itself.
        """
        if len(self.views) > 1:
            return ""
        return self.view if self.view != UNSPECIFIED_VIEW else hint or ""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a file's name, and where it starts there."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _StemReading:
    """What the name of a file says without its folders and its suffix."""

    dates: tuple[DateReading, ...]
    views: tuple[str, ...]
    before: str
    strangers_behind: tuple[str, ...]
    replicate: int | None


def read_dates(text: str) -> tuple[DateReading, ...]:
    """All dates in a text, in their order.

    Examples
    --------
    >>> [reading.readings for reading in read_dates("IMG_20260312_101500")]
    [(datetime.date(2026, 3, 12),)]
    >>> len(read_dates("03-04-2026")[0].readings)
    2
    >>> read_dates("2026-02-30")[0].readings
    ()
    """
    found: list[DateReading] = []
    for form in _DATE_FORMS:
        for match in form.finditer(text):
            if all(match.end() <= other.start or match.start() >= other.end for other in found):
                found.append(DateReading(_readings(match), match.start(), match.end()))
    if not found:
        for match in _SHORT_DATE.finditer(text):
            first, second, third = (int(match[group]) for group in (1, 3, 4))
            orders = ((third, second, first), (third, first, second), (first, second, third))
            readings = _valid_dates((2000 + year, month, day) for year, month, day in orders)
            if readings:
                found.append(DateReading(readings, match.start(), match.end()))
    return tuple(sorted(found, key=lambda reading: reading.start))


def _readings(match: re.Match[str]) -> tuple[date, ...]:
    """Every date that a match may mean."""
    parts = match.groupdict()
    year = int(parts["year"])
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second"])
        return _valid_dates([(year, second, first), (year, first, second)])
    named = parts.get("month_name")
    month = _MONTHS[named.lower()] if named else int(parts["month"])
    return _valid_dates([(year, month, int(parts["day"]))])


def _valid_dates(candidates: Iterable[tuple[int, int, int]]) -> tuple[date, ...]:
    """Those of the (year, month, day) that are in the calendar and in the age of photography."""
    valid = set()
    for year, month, day in candidates:
        if year >= 1900:
            try:
                valid.add(date(year, month, day))
            except ValueError:
                continue
    return tuple(sorted(valid))


def view_named(text: str) -> str | None:
    """Which of the six views a folder's or a column's text names as a whole.

    Examples
    --------
    >>> view_named("Left side"), view_named("crown"), view_named("back of head")
    ('left-temporal', 'vertex', 'occipital')
    >>> view_named("donor area") is None
    True
    """
    words = [word for word in _words(text) if word not in _VIEW_FILLERS]
    return _VIEW_OF.get("-".join(words))


def read_path(parts: Sequence[str], *, root_name: str) -> PathReading:
    """Read the path of a photograph.

    Parameters
    ----------
    parts : sequence of str
        Folders below the root, then the file's name.
    root_name : str
        Subject when the path names none.
    """
    *folders, name = (unicodedata.normalize("NFC", part) for part in parts)
    stem = _read_stem(name.rpartition(".")[0] or name)
    subject_folders, folder_view, folder_dates = _read_folders(folders, bool(stem.views))
    views = tuple(dict.fromkeys((*([folder_view] if folder_view else []), *stem.views)))
    subject = "/".join(subject_folders)
    if not subject and stem.before:
        subject, own_view = _split_flat(stem.before, has_view=bool(views))
        views = views or own_view
    if not views and stem.dates and len(stem.strangers_behind) == 1:
        views = stem.strangers_behind
    dates, text = _settle_dates(stem.dates, name, folder_dates)
    return PathReading(
        subject=subject or root_name,
        view=views[0] if views else UNSPECIFIED_VIEW,
        dates=dates,
        has_date=bool(text),
        date_text=text,
        replicate=stem.replicate,
        views=views if len({view for view in views if view in VIEWS}) > 1 else views[:1],
        subject_in_name=stem.before,
    )


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts IMG_9 before IMG_10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def _words(text: str) -> list[str]:
    """Words of a text in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def _settle_dates(
    stem_dates: Sequence[DateReading],
    name: str,
    folder_dates: Sequence[tuple[DateReading, str]],
) -> tuple[tuple[date, ...], str]:
    """Readings of the visit date and its text; contradicting dates all count as readings."""
    found = [(reading, name[reading.start : reading.end]) for reading in stem_dates]
    found += folder_dates
    if not found:
        return (), ""
    common = set(found[0][0].readings).intersection(*(reading.readings for reading, _ in found))
    if not common and all(reading.readings for reading, _ in found):
        common = {day for reading, _ in found for day in reading.readings}
    return tuple(sorted(common)), " / ".join(dict.fromkeys(text for _, text in found))


def _read_folders(
    folders: Sequence[str], stem_has_view: bool
) -> tuple[list[str], str | None, list[tuple[DateReading, str]]]:
    """Folders that name the subject, the view that a folder names, and dates of visit folders."""
    dates: list[tuple[DateReading, str]] = []
    roles: list[str] = []
    view: str | None = None
    for folder in folders:
        found = read_dates(folder)
        if _is_visit_folder(folder, found):
            dates += [(reading, folder[reading.start : reading.end]) for reading in found]
            roles.append("visit")
        elif view_named(folder):
            view = view_named(folder)
            roles.append("view")
        else:
            roles.append("other")
    others = [index for index, role in enumerate(roles) if role == "other"]
    if view is None and not stem_has_view and len(others) >= 2:
        view = folders[others[-1]].strip()
        roles[others[-1]] = "view"
    first = next((index for index, role in enumerate(roles) if role != "other"), len(roles))
    subject = list(folders[:first]) or [
        folders[i] for i, role in enumerate(roles) if role == "other"
    ]
    return [folder.strip() for folder in subject], view, dates


def _is_visit_folder(folder: str, dates: Sequence[DateReading]) -> bool:
    """Whether a folder stands for a visit: a date or "month 3", and no other words."""
    rest = folder
    for reading in reversed(dates):
        rest = rest[: reading.start] + " " + rest[reading.end :]
    words = [word for token in _words(rest) for word in re.findall(r"\d+|[^\W\d_]+", token)]
    named = [word for word in words if not word.isdigit()]
    if any(word not in _VISIT_WORDS for word in named):
        return False
    return bool(dates) or bool(named)


def _read_stem(stem: str) -> _StemReading:
    """Take a file's name apart: dates and views are the anchors, the rest is words around them."""
    dates = read_dates(stem)
    blank = stem
    for reading in dates:
        time = _TIME_BEHIND_DATE.match(stem[reading.end :])
        end = reading.end + (time.end() if time else 0)
        blank = blank[: reading.start] + " " * (end - reading.start) + blank[end:]
    words = [_Word(match[0], match.start()) for match in _WORD.finditer(blank)]
    views, words, glued = _take_views(words)
    anchor = min([reading.start for reading in dates] + [view.start for view in views], default=-1)
    before = [word for word in words if word.start < anchor]
    behind = [word for word in words if word.start > anchor]
    can_be_number = anchor >= 0 or len(words) == 1
    return _StemReading(
        dates=dates,
        views=tuple(dict.fromkeys(view.text for view in views)),
        before=_raw_text(stem, before),
        strangers_behind=_strangers(behind) if anchor >= 0 else (),
        replicate=glued or (_replicate(behind) if can_be_number else None),
    )


def _take_views(words: Sequence[_Word]) -> tuple[list[_Word], list[_Word], int | None]:
    """Views among the words (longest names first), the other words, and a number glued to one."""
    views: list[_Word] = []
    others: list[_Word] = []
    glued = None
    position = 0
    while position < len(words):
        for length in (3, 2, 1):
            window = words[position : position + length]
            name = _VIEW_OF.get("-".join("".join(_words(word.text)) for word in window))
            if len(window) == length and name:
                views.append(_Word(name, window[0].start))
                position += length
                break
        else:
            word = words[position]
            match = re.fullmatch(r"(?P<view>[^\W\d_]+)(?P<number>\d{1,2})", word.text)
            name = view_named(match["view"]) if match else None
            if match and name:
                views.append(_Word(name, word.start))
                glued = int(match["number"]) or None
            elif "".join(_words(word.text)) not in _VIEW_FILLERS:
                others.append(word)
            position += 1
    return views, others, glued


def _raw_text(stem: str, words: Sequence[_Word]) -> str:
    """The words as they stand in the name; nothing when a camera wrote them."""
    if not words or any(word.text.casefold() in _CAMERA_WORDS for word in words):
        return ""
    return stem[words[0].start : words[-1].start + len(words[-1].text)]


def _split_flat(text: str, *, has_view: bool) -> tuple[str, tuple[str, ...]]:
    """Subject, and the view if it is still missing, of ``subject_view`` before a date."""
    subject, underscore, view = text.rpartition("_")
    if has_view or not underscore or not subject:
        return text, ()
    return subject, (view,)


def _strangers(words: Sequence[_Word]) -> tuple[str, ...]:
    """Words that are neither numbers nor a camera's nor part of a replicate's name."""
    return tuple(
        word.text
        for word in words
        if len(word.text) > 1
        and not re.fullmatch(r"\d+|[^\W\d_]{1,9}\d{1,2}|WA\d+", word.text)
        and word.text.casefold() not in _CAMERA_WORDS | _REPLICATE_WORDS | _VISIT_WORDS
    )


def _replicate(words: Sequence[_Word]) -> int | None:
    """The one explicit number or letter among the words behind a date or a view."""
    numbers = set()
    for word in words:
        text = word.text.casefold()
        match = re.fullmatch(r"(?P<word>[a-z]*?)0?(?P<number>[1-9]\d?)", text)
        if match and (not match["word"] or match["word"] in _REPLICATE_WORDS):
            numbers.add(int(match["number"]))
        elif re.fullmatch(r"[a-z]", text):
            numbers.add(ord(text) - ord("a") + 1)
    return numbers.pop() if len(numbers) == 1 else None
