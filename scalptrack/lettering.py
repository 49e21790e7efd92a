"""Type in figures: the fonts of this computer, whatever the user's own settings are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib import font_manager

# Tried in this order for letters that DejaVu Sans doesn't have.
_CJK_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
)


def type_style() -> dict[Any, Any]:
    """Build the settings of matplotlib that all figures share; a name's dollar sign stays one."""
    installed = set(font_manager.get_font_names())
    return {
        "font.family": ["DejaVu Sans", *(name for name in _CJK_FONTS if name in installed)],
        "text.parse_math": False,
        "text.usetex": False,
        "savefig.bbox": None,
        "savefig.facecolor": "auto",
        "savefig.transparent": False,
    }


@contextmanager
def missing_letters() -> Iterator[None]:
    """Let names in scripts without an installed font show empty boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message=".* natively supports")
        yield
