"""How dates and coverages are written for a person: the same words in charts, tables and reports.

A leaf like `scalptrack.records`: it imports nothing of the package but `scalptrack.translation`.
In the language of the run, and independent of the machine's locale, so that a rerun elsewhere gives
the same bytes.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import date

from scalptrack.translation import marked, number, tr, trn

MONTHS = (
    marked("January"),
    marked("February"),
    marked("March"),
    marked("April"),
    marked("May"),
    marked("June"),
    marked("July"),
    marked("August"),
    marked("September"),
    marked("October"),
    marked("November"),
    marked("December"),
)

SHORT_MONTHS = (
    marked("Jan"),
    marked("Feb"),
    marked("Mar"),
    marked("Apr"),
    marked("May"),
    marked("Jun"),
    marked("Jul"),
    marked("Aug"),
    marked("Sep"),
    marked("Oct"),
    marked("Nov"),
    marked("Dec"),
)

DAYS_PER_MONTH = 365.25 / 12


def long_date(day: date) -> str:
    """Write a date out, e.g. ``"5 March 2024"``.

    Examples
    --------
    >>> long_date(date(2024, 3, 5))
    '5 March 2024'
    """
    month = tr(MONTHS[day.month - 1])
    return tr("{day} {month} {year}", day=day.day, month=month, year=day.year)


def short_date(day: date) -> str:
    """Write a date for a narrow place, e.g. ``"5 Mar 2024"``."""
    month = tr(SHORT_MONTHS[day.month - 1])
    return tr("{day} {month} {year}", day=day.day, month=month, year=day.year)


def points(fraction: float) -> str:
    """Write the size of a difference of coverages in percentage points, without its sign.

    Examples
    --------
    >>> points(-0.0621)
    '6.2'
    """
    return number(abs(fraction) * 100, ".1f")


def shows_zero(fraction: float) -> bool:
    """Whether a difference is written as zero, to a tenth of a point."""
    return float(f"{abs(fraction) * 100:.1f}") == 0.0


def signed_points(fraction: float) -> str:
    """Write a difference of coverages in percentage points with its sign; a dash for NaN."""
    if math.isnan(fraction):
        return "–"
    text = points(fraction)
    if shows_zero(fraction):
        return text
    return ("+" if fraction > 0 else "−") + text


def percent(fraction: float) -> str:
    """Write a coverage in percent with one decimal, e.g. ``"54.3 %"``."""
    return tr("{points} %", points=number(fraction * 100, ".1f"))


ROUGH_ALIGNMENTS = {
    "points": marked("by points set by hand"),
    "strip": marked("by the printed headband"),
    "outline": marked("by the outline of the head"),
}


def rough_words(aligned_by: Sequence[str]) -> str:
    """Write what alignments of tier B rest on.

    Examples
    --------
    >>> rough_words(("outline", "points"))
    'by the outline of the head and by points set by hand'
    >>> rough_words(("strip",))
    'by the printed headband'
    >>> rough_words(())
    'by the outline or by hand'
    """
    known = [tr(ROUGH_ALIGNMENTS[each]) for each in aligned_by if each in ROUGH_ALIGNMENTS]
    return joined(known) or tr("by the outline or by hand")


def joined(parts: Sequence[str]) -> str:
    """Join parts with "and"; empty where there is none.

    Examples
    --------
    >>> joined(["one", "two", "three"])
    'one and two and three'
    """
    text = parts[0] if parts else ""
    for each in parts[1:]:
        text = tr("{one} and {other}", one=text, other=each)
    return text


def either(parts: Sequence[str]) -> str:
    """Join parts with "or"; empty where there is none.

    Examples
    --------
    >>> either(["one", "two"])
    'one or two'
    """
    text = parts[0] if parts else ""
    for each in parts[1:]:
        text = tr("{one} or {other}", one=text, other=each)
    return text


LESS_SURE = marked("less sure (tier B)")
"""What every number is called that rests on an alignment which can't tell people apart; English,
to be translated where it is used, as `SAME_HEAD`."""

SAME_HEAD = marked("can't tell whether it is the same head")


def less_sure(aligned_by: Sequence[str]) -> str:
    """Write that a number is less sure, and what its photographs are aligned by.

    Examples
    --------
    >>> less_sure(("outline",))
    'less sure (tier B): aligned by the outline of the head'
    """
    return tr("{less_sure}: aligned {by}", less_sure=tr(LESS_SURE), by=rough_words(aligned_by))


FINDING_NAMES = {
    "blurred": marked("blurred"),
    "underexposed": marked("underexposed"),
    "overexposed": marked("overexposed"),
    "glare": marked("glare"),
    "low_resolution": marked("low resolution"),
    "head_cut_off": marked("head cut off"),
    "hard_light": marked("hard light"),
    "low_contrast": marked("low contrast"),
    "wide_angle": marked("wide angle"),
    "hair_like_scalp": marked("hair like scalp"),
    "colour_cast": marked("colour cast"),
    "no_head": marked("no head"),
    "messenger_copy": marked("messenger copy"),
    "screenshot": marked("screenshot"),
    "recompressed_copy": marked("recompressed copy"),
    "burned_in_text": marked("burned in text"),
    "view_mismatch": marked("view mismatch"),
    "outline_only": marked("outline only"),
    "strip_only": marked("strip only"),
    "points_by_hand": marked("points by hand"),
    "second_opinion_differs": marked("second opinion differs"),
    "not_alignable": marked("not alignable"),
    "head_tipped": marked("head tipped"),
    "head_turned": marked("head turned"),
    "picture_rotated": marked("picture rotated"),
    "distance_changed": marked("distance changed"),
    "lens_changed": marked("lens changed"),
    "camera_changed": marked("camera changed"),
    "exposure_changed": marked("exposure changed"),
    "light_colour_changed": marked("light colour changed"),
    "light_direction_changed": marked("light direction changed"),
    "less_sharp": marked("less sharp"),
    "card_twice": marked("card twice"),
    "card_small": marked("card small"),
    "card_hidden": marked("card hidden"),
    "card_tilted": marked("card tilted"),
    "card_bent": marked("card bent"),
    "card_print_distorted": marked("card print distorted"),
    "card_colours_unusable": marked("card colours unusable"),
    "card_other_version": marked("card other version"),
    "corrupt": marked("corrupt"),
    "empty": marked("empty"),
    "missing": marked("missing"),
    "missing_package": marked("missing package"),
    "not_an_image": marked("not an image"),
    "not_reached": marked("not reached"),
    "too_large": marked("too large"),
    "too_small": marked("too small"),
    "truncated": marked("truncated"),
    "unreadable": marked("unreadable"),
    "unsupported_format": marked("unsupported format"),
}
"""What codes of findings, and of files that can't be read, are called; English, to be translated
where it is used."""


def finding_name(code: str) -> str:
    """Write what a quality finding is about.

    Examples
    --------
    >>> finding_name("low_resolution")
    'low resolution'
    """
    return tr(FINDING_NAMES.get(code, code.replace("_", " ").replace("-", " ")))


VERDICT_NAMES = {
    "increase": marked("increase"),
    "decrease": marked("decrease"),
    "no detectable change": marked("no detectable change"),
    "not comparable": marked("not comparable"),
}
"""What verdicts are called; English, to be translated where it is used."""

STATUS_NAMES = {
    "measured": marked("measured"),
    "refused": marked("refused"),
    "rejected": marked("rejected"),
}
"""What became of a file; English, to be translated where it is used."""

SEVERITY_NAMES = {"info": marked("info"), "warning": marked("warning"), "error": marked("error")}
"""English, to be translated where it is used."""


def severity_words(severity: str) -> str:
    """Write how bad a finding is.

    Examples
    --------
    >>> severity_words("warning")
    'warning'
    """
    return tr(SEVERITY_NAMES[severity])


def sentence_case(text: str) -> str:
    """Begin a text with a capital, and leave the rest of it.

    Examples
    --------
    >>> sentence_case(LESS_SURE)
    'Less sure (tier B)'
    """
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """Write a count with its noun in English, e.g. ``"1 visit"`` or ``"2 visits"``.

    For what is never translated; a report's own words take `scalptrack.translation.trn`.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def span_words(days: int) -> str:
    """Write a span of time in the unit that reads best, e.g. ``"12 months"``.

    Examples
    --------
    >>> span_words(364), span_words(80), span_words(900)
    ('12 months', '11 weeks', '2.5 years')
    """
    if days < 112:
        return trn("{count} week", "{count} weeks", round(days / 7))
    if days < 730:
        return trn("{count} month", "{count} months", round(days / DAYS_PER_MONTH))
    return tr("{years} years", years=number(days / (12 * DAYS_PER_MONTH), ".1f"))


_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Replace what can't be shown: control, direction-changing and undecodable characters.

    File names are written by strangers: a line break or a right-to-left override in one must not
    change how the text around it reads. Zero-width joiners stay, because scripts need them.

    Examples
    --------
    >>> printable("a\\nb")
    'a�b'
    """
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    """Return the character itself, a plain space for any other kind of space, or the mark."""
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else "\ufffd"


def shortened(text: str, length: int) -> str:
    """Cut a text to a length in characters, with an ellipsis when something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
