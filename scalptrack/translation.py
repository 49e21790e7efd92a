"""Texts for a person, in the language of the run.

Messages are English sentences with named placeholders, so that the source reads as the report does.
They are looked up in the compiled catalogues below ``scalptrack/locale`` (see docs/translating.md);
a message without a translation stays English. Codes, column names and keys of JSON documents are
never translated. The language is a context, entered with `in_language`: nothing depends on the
locale of the machine.
"""

from __future__ import annotations

import gettext
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from scalptrack.errors import InputError

ENGLISH = "en"
DOMAIN = "scalptrack"
LOCALE_FOLDER = Path(__file__).parent / "locale"

_Language = tuple[str, gettext.NullTranslations]
_CURRENT: ContextVar[_Language] = ContextVar(
    "language", default=(ENGLISH, gettext.NullTranslations())
)


def available_languages() -> tuple[str, ...]:
    """Codes of the languages that there are, English first."""
    found = LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return (ENGLISH, *sorted(path.parent.parent.name for path in found))


@contextmanager
def in_language(language: str, *, folder: Path = LOCALE_FOLDER) -> Iterator[None]:
    """Write all texts in a language until the end of the block.

    Parameters
    ----------
    language : str
        Code of the language, e.g. ``"de"``.
    folder : Path
        Where the catalogues lie.

    Raises
    ------
    InputError
        If there is no catalogue of this language.
    """
    token = _CURRENT.set((language, _translations(language, folder)))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_language() -> str:
    """Code of the language that texts are written in."""
    return _CURRENT.get()[0]


def marked(message: str) -> str:
    """Return a message as it is: marks it for the catalogue where it is translated later.

    Examples
    --------
    >>> marked("lower")
    'lower'
    """
    return message


def tr(message: str, /, **values: Any) -> str:
    """Translate a message and fill in its placeholders.

    Parameters
    ----------
    message : str
        English text, written out where it is called (or `marked` elsewhere). Without values its
        braces are left alone.
    **values
        For ``{name}`` and ``{name:.1f}``; numbers get the language's decimal mark.

    Examples
    --------
    >>> tr("{share:.0%} of it", share=0.5)
    '50% of it'
    """
    if not message:
        return ""
    text = _CURRENT.get()[1].gettext(message)
    return filled(text, values) if values else text


def trn(singular: str, plural: str, /, count: int, **values: Any) -> str:
    """Translate a message whose form depends on a count, which is its placeholder ``{count}``.

    Examples
    --------
    >>> trn("{count} visit", "{count} visits", 2)
    '2 visits'
    """
    text = _CURRENT.get()[1].ngettext(singular, plural, count)
    return filled(text, {"count": count, **values})


def trc(context: str, message: str) -> str:
    """Translate a message that alone doesn't tell what it is."""
    return _CURRENT.get()[1].pgettext(context, message)


def number(value: float, form: str) -> str:
    """Write a number for a person, with the language's decimal mark.

    Examples
    --------
    >>> number(54.32, ".1f")
    '54.3'
    """
    text = format(value, form)
    if form.endswith("%"):
        text = trc("percentage", "{number}%").replace("{number}", text[:-1])
    return text.replace(".", trc("decimal mark", "."))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Fill the placeholders of a translated message."""
    return _Formatter().vformat(text, (), values)


class _Formatter(string.Formatter):
    """Formats as `str.format` does, but for numbers that aren't whole."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write one value."""
        if isinstance(value, float):
            return number(value, format_spec)
        return str(super().format_field(value, format_spec))

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Only named placeholders are filled."""
        if isinstance(key, int):
            raise KeyError(key)
        return super().get_value(key, args, kwargs)


@cache
def _translations(language: str, folder: Path) -> gettext.NullTranslations:
    """Catalogue of a language; an empty one of English."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    path = folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not path.is_file():
        raise InputError(
            f"There is no translation into {language!r}; available are "
            f"{', '.join(available_languages())}."
        )
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)
