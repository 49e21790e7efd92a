"""The rating form: one HTML page that holds its pictures and saves a file, without any network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader

RATINGS_SCHEMA = "scalptrack.ratings/1"
CANNOT_JUDGE = "cannot judge"
SCALE = (
    (-3, "much less"),
    (-2, "moderately less"),
    (-1, "slightly less"),
    (0, "the same"),
    (1, "slightly more"),
    (2, "moderately more"),
    (3, "much more"),
)
"""Ratings and their words: hair in the right picture compared with the left one."""


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
    return environment.get_template("rating.html.j2").render(
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


def _data_uri(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")
