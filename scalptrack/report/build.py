"""The report: one page that holds a whole run and needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from scalptrack.report.context import ReportContext
from scalptrack.report.hair_index import hair_index_rows, hair_index_rule
from scalptrack.report.precision import precision_rows, precision_rule, precision_words
from scalptrack.report.view import (
    VERDICT_WORDS,
    change_words,
    condition_words,
    finding_words,
    picture_address,
    view_of,
)
from scalptrack.report.words import (
    files_words,
    finding_title,
    page_words,
    status_words,
)
from scalptrack.translation import current_language, tr, trn
from scalptrack.wording import (
    LESS_SURE,
    less_sure,
    long_date,
    percent,
    points,
    printable,
    rough_words,
    short_date,
    signed_points,
)


def build_report(context: ReportContext) -> str:
    """Write the report of a run as one HTML page.

    Style and script stand in the page; pictures are where the context says, beside the page or in
    it. The page forbids itself to load anything else, and to run any script but its own.

    Parameters
    ----------
    context : ReportContext
        Outcomes, timelines, charts and addresses of pictures.

    Returns
    -------
    str
        The same for the same context.

    Raises
    ------
    ValueError
        If the address of a picture leads away from the report.
    """
    script = _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            view=view_of(context),
            style=Markup(_asset("report.css")),  # noqa: S704 - ours, not a stranger's
            script=Markup(script),  # noqa: S704 - ours, not a stranger's
            script_hash=_content_hash(script),
            language=current_language(),
            page_words=json.dumps(page_words(), ensure_ascii=False),
            hair_index_rule=hair_index_rule(),
        )
    )


@cache
def _environment() -> Environment:
    """Jinja environment: everything escaped, nothing undefined."""
    environment = Environment(
        loader=PackageLoader("scalptrack.report", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters.update(
        address=picture_address,
        change=change_words,
        conditions=condition_words,
        finding=finding_words,
        long_date=long_date,
        percent=percent,
        points=points,
        files=files_words,
        finding_title=finding_title,
        status=status_words,
        precision=precision_words,
        precision_rows=precision_rows,
        precision_rule=precision_rule,
        hair_index_rows=hair_index_rows,
        short_date=short_date,
        rough=rough_words,
        less_sure=less_sure,
        signed=signed_points,
        drawing=Markup,
    )
    environment.globals["verdict_words"] = VERDICT_WORDS
    environment.globals["LESS_SURE"] = LESS_SURE
    environment.globals["tr"] = _tr
    environment.globals["trn"] = _trn
    return environment


def _tr(message: str, **values: Any) -> Markup:
    """`tr` for the template: the message is ours and may hold markup, its values are escaped."""
    return Markup(tr(message, **_escaped(values)))  # noqa: S704


def _trn(singular: str, plural: str, count: int, **values: Any) -> Markup:
    """`trn` for the template."""
    return Markup(trn(singular, plural, count, **_escaped(values)))  # noqa: S704


def _escaped(values: dict[str, Any]) -> dict[str, Any]:
    """Values of a message, the texts among them printable and escaped."""
    return {
        name: str(escape(_shown(value))) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _shown(value: Any) -> Any:
    """Make a text printable: names are written by strangers."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value.replace("\n", " "))
    return value


@cache
def _asset(name: str) -> str:
    """Text of a file beside the template."""
    return resources.files("scalptrack.report").joinpath("template", name).read_text("utf-8")


def _content_hash(script: str) -> str:
    """Hash by which the page's policy knows its own script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
