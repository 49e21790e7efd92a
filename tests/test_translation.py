"""The mechanism of the texts, and what every catalogue has to keep to."""

from __future__ import annotations

import datetime as dt
import gettext
import io
import string
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from lab import texts
from scalptrack.errors import InputError
from scalptrack.longitudinal.verdicts import change_sentence
from scalptrack.translation import (
    DOMAIN,
    ENGLISH,
    LOCALE_FOLDER,
    available_languages,
    current_language,
    in_language,
    number,
    tr,
    trc,
    trn,
)
from scalptrack.wording import (
    less_sure,
    long_date,
    percent,
    short_date,
    signed_points,
    span_words,
)
from tests.pseudo import LANGUAGE, write_pseudo_language

REPOSITORY = Path(__file__).parents[1]
PO_FILES = texts.po_files()
TRANSLATIONS = pytest.mark.parametrize("path", PO_FILES, ids=lambda path: path.parts[-3])


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


def _compiled(path: Path) -> gettext.GNUTranslations:
    with path.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def _placeholders(text: str) -> set[tuple[str, str, str]]:
    """Name, format and conversion of every placeholder."""
    parts = string.Formatter().parse(text)
    return {(name, form, conversion or "") for _, name, form, conversion in parts if name}


def _forms(message) -> list[tuple[str, str]]:
    """Every text of a message with each of its translations."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    return [(message.id[1], each) for each in message.string]


# The mechanism


def test_messages_are_english_until_a_language_is_entered():
    assert current_language() == ENGLISH
    assert tr("higher") == "higher"
    with in_language("de"):
        assert (current_language(), tr("higher")) == ("de", "höher")
        with in_language(ENGLISH):
            assert tr("higher") == "higher"
        assert tr("higher") == "höher"
    assert tr("higher") == "higher"


def test_the_language_ends_with_an_error_too():
    with pytest.raises(ZeroDivisionError), in_language("de"):
        _ = 1 / 0
    assert current_language() == ENGLISH


def test_a_message_without_a_translation_stays_english():
    with in_language("de"):
        assert tr("nobody translated {this}", this=1) == "nobody translated 1"
        assert trn("{count} thing", "{count} things", 2) == "2 things"
        assert trc("somewhere", "a thing") == "a thing"


def test_an_empty_text_is_not_the_head_of_the_catalogue():
    with in_language("de"):
        assert tr("") == ""


def test_values_are_filled_in_and_braces_without_values_stay():
    assert tr("{name} {share:.0%} {value:.2f}", name="{x}", share=0.5, value=1) == "{x} 50% 1.00"
    assert tr("{not} a placeholder") == "{not} a placeholder"


def test_counts_choose_the_form():
    with in_language("de"):
        forms = [trn("{count} week", "{count} weeks", count) for count in (0, 1, 2)]
    assert forms == ["0 Wochen", "1 Woche", "2 Wochen"]


def test_other_threads_keep_their_own_language():
    with in_language("de"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_language).result() == ENGLISH


@pytest.mark.parametrize("language", ["tlh", "", "../en"])
def test_an_unknown_language_names_those_that_there_are(language):
    message = r"no translation into .*; available are en, de\.$"
    with pytest.raises(InputError, match=message), in_language(language):
        pass


def test_numbers_and_dates_are_written_as_in_german():
    day = dt.date(2024, 3, 5)
    with in_language("de"):
        assert number(1.25, ".2f") == "1,25"
        assert tr("{value:.1f} of {share:.0%}", value=2.5, share=0.5) == "2,5 of 50\u00a0%"
        assert (percent(0.5432), signed_points(-0.0621)) == ("54,3 %", "−6,2")
        assert signed_points(0.0001) == "0,0"
        assert (long_date(day), short_date(day)) == ("5. März 2024", "5. Mär 2024")
        assert span_words(900) == "2,5 Jahre"
        assert less_sure(("outline", "points")) == (
            "weniger sicher (Stufe B): ausgerichtet nach dem Umriss des Kopfes und nach von Hand "
            "gesetzten Punkten"
        )


def test_a_sentence_reads_as_german():
    with in_language("de"):
        sentence = change_sentence(0.062, 0.031, 0.093, 0.02, tr("the first visit"))
    assert sentence == (
        "Die sichtbare Haarbedeckung ist um 6,2 Punkte höher als beim ersten Termin "
        "(95‑%‑Intervall 3,1 bis 9,3); Änderungen unter 2,0 Punkten sind nicht vom Messfehler zu "
        "unterscheiden."
    )


def test_the_mechanism_imports_nothing_heavy():
    code = "import sys, scalptrack.translation; print({'numpy', 'babel'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# The catalogues


def _contents(catalog):
    """What a catalogue says; how it is laid out differs between versions of Babel."""
    return sorted(
        (m.id if isinstance(m.id, tuple) else (m.id,), m.context or "", m.string or "",
         sorted({name for name, _ in m.locations}), m.auto_comments)
        for m in catalog if m.id
    )  # fmt: skip


def test_the_catalogue_is_up_to_date_with_the_code():
    """When this fails: ``python -m lab.texts extract``, translate, ``... compile``."""
    with texts.TEMPLATE.open("rb") as file:
        assert _contents(read_po(file)) == _contents(texts.template())


@TRANSLATIONS
def test_a_translation_has_the_messages_of_the_catalogue(path):
    merged = texts.merged(path, texts.template())
    assert _contents(texts.read_translation(path)) == _contents(merged)


@TRANSLATIONS
def test_every_message_is_translated(path):
    missing = [
        m.id for m in texts.read_translation(path) if m.id and not all(t for _, t in _forms(m))
    ]
    assert missing == []


@TRANSLATIONS
def test_placeholders_are_those_of_the_message(path):
    for message in texts.read_translation(path):
        for english, translated in _forms(message) if message.id else ():
            assert _placeholders(english) == _placeholders(translated), english


@TRANSLATIONS
def test_markup_is_that_of_the_message(path):
    """Texts of the page may hold markup, and are put into it as they are."""
    for message in texts.read_translation(path):
        for english, translated in _forms(message) if message.id else ():
            for mark in ("<br>", "<", ">", "&", '"'):
                assert english.count(mark) == translated.count(mark), english


@TRANSLATIONS
def test_months_are_single_words(path):
    """The page's script parts them at spaces."""
    with in_language(path.parts[-3]):
        assert all(" " not in tr(month) for month in ("Jan", "May", "Dec"))


@TRANSLATIONS
def test_the_compiled_catalogue_agrees_with_its_source(path):
    compiled = _compiled(path)
    expected = io.BytesIO(texts.as_mo(texts.read_translation(path)))
    again = gettext.GNUTranslations(expected)._catalog
    found = compiled._catalog
    assert {key: text for key, text in found.items() if key} == {
        key: text for key, text in again.items() if key
    }
    assert compiled.plural(1) == 0


def test_all_translations_are_offered():
    assert available_languages() == ("en", *(path.parts[-3] for path in PO_FILES))
    assert "de" in available_languages()


def test_the_wheel_holds_the_compiled_catalogues():
    """Hatch takes what lies in the package and isn't ignored."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["scalptrack"]
    assert LOCALE_FOLDER.is_relative_to(REPOSITORY / "scalptrack")
    ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").split()
    assert not {"*.mo", "locale/", "*.pot"} & set(ignored)
    assert all(path.with_suffix(".mo").is_file() for path in PO_FILES)
    assert all(path.name == f"{DOMAIN}.po" for path in PO_FILES)


@pytest.mark.parametrize(
    "code",
    ['tr(f"{x} visits")', 'tr("a" + x)', 'trn("one", f"{x}", 2)', 'marked(f"{x}")'],
)
def test_a_message_that_is_put_together_is_an_error(code):
    with pytest.raises(ValueError, match="put together"):
        list(texts.messages_of_python(io.BytesIO(code.encode()), texts.KEYWORDS, (), {}))


def test_nested_messages_are_all_found():
    code = 'trn("{count} of {x}", "{count} of the {x}", n, x=f(tr(NAME)), y=tr("inner"))'
    found = texts.messages_of_python(io.BytesIO(code.encode()), texts.KEYWORDS, (), {})
    literals = [[text for text in each[2] if text] for each in found]
    assert literals == [["{count} of {x}", "{count} of the {x}"], [], ["inner"]]


def test_the_made_up_language_brackets_every_message(pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        assert tr("higher") == "⟦higher⟧"
        assert trn("{count} week", "{count} weeks", 2) == "⟦2 weeks⟧"
        assert number(1.5, ".1f") == "1⟦.⟧5"
