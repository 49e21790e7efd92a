"""The rating form: one HTML page that holds its pictures and saves a file, without any network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from scalptrack.translation import current_language, marked, tr

RATINGS_SCHEMA = "scalptrack.ratings/1"
CANNOT_JUDGE = "cannot judge"
SCALE = (
    (-3, marked("much less")),
    (-2, marked("moderately less")),
    (-1, marked("slightly less")),
    (0, marked("the same")),
    (1, marked("slightly more")),
    (2, marked("moderately more")),
    (3, marked("much more")),
)
"""Ratings and their words: hair in the right picture compared with the left one; English, to be
translated where they are used."""


@dataclass(frozen=True, slots=True)
class FormItem:
    """One pair as it is shown; encoded JPEG, both of the same length."""

    item: str
    left: bytes
    right: bytes


def rating_form(pack: str, items: Sequence[FormItem], *, number: int, forms: int) -> str:
    """HTML of a form.

    Parameters
    ----------
    pack : str
        Name of the pack, which says nothing of its content.
    items : sequence of FormItem
        Pairs in the order in which they are shown.
    number, forms : int
        Which form this is, of how many.
    """
    environment = Environment(
        loader=PackageLoader("scalptrack.study", "template"), autoescape=True, trim_blocks=True
    )
    environment.globals["tr"] = _tr
    return environment.get_template("rating.html.j2").render(
        language=current_language(),
        words=_script_words(),
        pack=pack,
        number=number,
        forms=forms,
        schema=RATINGS_SCHEMA,
        scale=SCALE,
        cannot_judge=CANNOT_JUDGE,
        items=[
            {"item": each.item, "left": _data_uri(each.left), "right": _data_uri(each.right)}
            for each in items
        ],
    )


def _tr(message: str, **values: object) -> Markup:
    """`tr` for the template: messages are ours and may hold markup, their values are escaped."""
    return Markup(tr(message, **{name: escape(each) for name, each in values.items()}))  # noqa: S704


def _script_words() -> dict[str, str]:
    """Words of the form's own script, which fills in ``{name}``."""
    return {
        "progress": tr("Pair {number} of {all}; {done} rated"),
        "name_first": tr("Write your name or initials first."),
        "saved_open": tr("Saved. Pairs without a rating: {open}."),
        "saved_all": tr("Saved. All pairs are rated."),
        "loaded": tr("Loaded."),
        "other_form": tr("This file is not of this form."),
    }


def _data_uri(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")
