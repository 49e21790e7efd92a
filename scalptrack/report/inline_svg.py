"""Charts inside a page: one SVG of many, in the page's colours, with nothing that can run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from scalptrack.wording import printable

# Colours of the chart and the page's variables that stand for them in light and dark.
THEME = {
    "#1f2933": "--ink",
    "#52606d": "--quiet",
    "#e4e7eb": "--grid",
    "#ffffff": "--card",
    "#d9e2ec": "--band",
    "#f5f7fa": "--lane",
    "#6b3fa0": "--event",
    "#0072b2": "--increase",
    "#b34700": "--decrease",
}

_SHOWN = frozenset(
    ("svg", "g", "defs", "clipPath", "path", "rect", "use", "text", "tspan", "circle", "line")
)
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
# Matplotlib before 3.11 writes one "font:", later versions write "font-family:" and "font-size:".
_FONT = re.compile(r"font:\s*([^;]*?)(\d[\d.]*px)[^;]*")
_FAMILY = re.compile(r"font-family:[^;]*")


def inline_svg(source: str, *, prefix: str, label: str, theme: Mapping[str, str] = THEME) -> str:
    """Rewrite a chart's SVG so that it can stand in a page beside others.

    Identifiers get a prefix, colours become the page's variables, the font becomes the page's, and
    only elements that draw are kept: no script, no style sheet, no metadata, no link outwards.

    Parameters
    ----------
    source : str
        SVG document, as `scalptrack.chart.timeline_svg` makes it.
    prefix : str
        Put before every identifier; letters, digits and hyphens.
    label : str
        What a screen reader says instead of the picture.
    theme : mapping of str to str
        Colours (``#rrggbb``) and the names of the variables that replace them.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If the source is not well-formed.
    """
    root = ET.fromstring(source)  # noqa: S314 - made by scalptrack.chart
    _clean(root, prefix, theme)
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.set("role", "img")
    root.set("aria-label", printable(label))
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _clean(element: ET.Element, prefix: str, theme: Mapping[str, str]) -> None:
    """Rewrite one element and everything below it."""
    element.tag = _local(element.tag)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in attributes.items():
        if not name.lower().startswith("on"):
            element.set(name, _attribute(name, value, prefix, theme))
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child.tag) not in _SHOWN:
            element.remove(child)
        else:
            _clean(child, prefix, theme)


def _attribute(name: str, value: str, prefix: str, theme: Mapping[str, str]) -> str:
    """Value of an attribute in the page; links lead to the same drawing, or nowhere."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else "#"
    if name in ("style", "clip-path", "fill", "stroke"):
        return _restyled(value, prefix, theme)
    return value


def _local(name: str) -> str:
    """Name without its namespace."""
    return name.rpartition("}")[2]


def _restyled(style: str, prefix: str, theme: Mapping[str, str]) -> str:
    """Style with the page's colours and font, and with prefixed references."""
    style = _REFERENCE.sub(rf"url(#{prefix}-\1)", style)
    style = _FONT.sub(r"font: \1\2 var(--font)", style)
    style = _FAMILY.sub("font-family: var(--font)", style)
    for colour, variable in theme.items():
        style = style.replace(colour, f"var({variable})")
    return style
