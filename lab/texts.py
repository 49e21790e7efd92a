"""Collects the texts for translation, and compiles the translations (docs/translating.md).

``python -m lab.texts extract`` writes ``scalptrack/locale/scalptrack.pot`` from the code and the
templates, and brings every language's ``.po`` up to date with it: what is new is left empty, what
is gone is dropped. ``python -m lab.texts compile`` writes the ``.mo`` files that the program reads.
It needs Babel, of the extra ``test``.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from scalptrack.translation import DOMAIN, LOCALE_FOLDER

REPOSITORY = Path(__file__).parents[1]
TEMPLATE = LOCALE_FOLDER / f"{DOMAIN}.pot"
KEYWORDS = {"tr": None, "marked": None, "trn": (1, 2), "trc": ((1, "c"), 2)}
WIDTH = 100
NEVER = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands for the day of the extraction, so that the same texts give the same file."""


def messages_of_python(
    file: BinaryIO,
    keywords: Collection[str],
    _tags: object,
    options: object,  # noqa: ARG001 - as Babel calls it
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """Calls of the keywords in a module, for Babel, whose own reader loses nested ones.

    Raises
    ------
    ValueError
        If a message is put together where it is translated, so that nobody could look it up.
    """
    calls = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id in keywords and node.args:
            if any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in node.args[:2]):
                raise ValueError(f"a message is put together: {ast.unparse(node)}")
            texts = tuple(
                each.value if isinstance(each, ast.Constant) else None for each in node.args
            )
            yield node.lineno, node.func.id, texts, []


METHODS = [
    ("**.py", messages_of_python),
    ("**/template/**.j2", "jinja2.ext.babel_extract"),
]


def template() -> Catalog:
    """Every message of the package, with the files that it stands in."""
    catalog = _empty()
    package = REPOSITORY / "scalptrack"
    found = extract_from_dir(package, METHODS, keywords=KEYWORDS)
    places: dict[tuple[object, str | None], set[str]] = {}
    for name, _, message, comments, context in found:
        places.setdefault((message, context), set()).add(f"scalptrack/{Path(name).as_posix()}")
        catalog.add(message, auto_comments=comments, context=context)
    for (message, context), names in places.items():
        known = catalog.get(message, context=context)
        known.locations = [(name, None) for name in sorted(names)]
        # "95 % interval" looks like a printf format and is none.
        known.flags.discard("python-format")
    return catalog


def po_files() -> list[Path]:
    """The translations."""
    return sorted(LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read_translation(path: Path) -> Catalog:
    """A language's messages."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, domain=DOMAIN)


def merged(path: Path, messages: Catalog) -> Catalog:
    """A translation with exactly the messages of the template."""
    translation = read_translation(path)
    translation.update(messages, no_fuzzy_matching=True)
    translation.obsolete.clear()
    for each in translation:
        each.flags.discard("python-format")
    return translation


def as_po(catalog: Catalog) -> bytes:
    """A catalogue as text, sorted by file."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=WIDTH, sort_by_file=True, include_lineno=False)
    return re.sub(
        rb'"(Generated-By|POT-Creation-Date|Project-Id-Version|Report-Msgid-Bugs-To):[^\n]*\n',
        b"",
        buffer.getvalue(),
    )


def as_mo(catalog: Catalog) -> bytes:
    """A catalogue as the program reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _empty() -> Catalog:
    return Catalog(
        domain=DOMAIN,
        project="scalptrack",
        copyright_holder="The scalptrack developers",
        header_comment="# Texts of scalptrack, collected by `python -m lab.texts extract`.",
        creation_date=NEVER,
        fuzzy=False,
    )


def main(arguments: list[str]) -> int:
    """Write the catalogues that are asked for."""
    if arguments == ["extract"]:
        messages = template()
        TEMPLATE.parent.mkdir(exist_ok=True)
        TEMPLATE.write_bytes(as_po(messages))
        for path in po_files():
            path.write_bytes(as_po(merged(path, messages)))
        print(f"{len(messages)} messages in {TEMPLATE.relative_to(REPOSITORY)}")
    elif arguments == ["compile"]:
        for path in po_files():
            path.with_suffix(".mo").write_bytes(as_mo(read_translation(path)))
            print(f"{path.with_suffix('.mo').relative_to(REPOSITORY)}")
    else:
        print("python -m lab.texts extract|compile", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
