"""What the commands share: options, error translation, JSON, progress, exit status."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from scalptrack.errors import ScalptrackError
from scalptrack.plain import to_plain
from scalptrack.translation import ENGLISH, available_languages, in_language

EXIT_SOME_FAILED = 1
EXIT_NOT_CARRIED_OUT = 2

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="No progress and no summary; errors and counts only."
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=20260101,
    show_default=True,
    help="Seed of everything random; the same seed gives the same bytes.",
)
megapixels_option = click.option(
    "--max-megapixels",
    type=click.FloatRange(min=0.01),
    default=150.0,
    show_default=True,
    help="Larger pictures are rejected before they are decoded.",
)
allow_outline_option = click.option(
    "--allow-outline",
    is_flag=True,
    help="Where hair hides the scalp, align by the outline of the head alone (tier B, wide "
    "interval). It can't tell another person from this one: be sure whose photographs they are.",
)
strip_option = click.option(
    "--strip",
    is_flag=True,
    help="The person wears the printed headband (`scalptrack card --strip`): where the scalp can't "
    "be recognised, align by its markers (tier B, wider interval), and leave out what it hides. It "
    "can't tell another person with the same band from this one.",
)


def _enter_language(context: click.Context, _: click.Parameter, language: str) -> str:
    """Write in a language until the command ends."""
    context.with_resource(in_language(language))
    return language


def language_option(
    help_text: str, *, passed: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--language`` of a command: its texts are in it; ``passed`` gives it to the command, too."""
    return click.option(
        "--language",
        type=click.Choice(available_languages()),
        default=ENGLISH,
        show_default=True,
        expose_value=passed,
        callback=_enter_language,
        help=help_text,
    )


photos_argument = click.argument(
    "photos",
    nargs=-1,
    required=True,
    metavar="PHOTO...",
    type=click.Path(path_type=Path),
)


class CommandError(click.ClickException):
    """An error that ends the command with status 2."""

    exit_code = EXIT_NOT_CARRIED_OUT


def translate_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Turn the library's errors into messages for a person, with exit status 2."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ScalptrackError as error:
            raise CommandError(str(error)) from error
        except PermissionError as error:
            if error.filename is None:
                raise
            # Also asking whether a file exists can be forbidden, and that is asked everywhere.
            message = (
                f"{error.filename} can't be used: {error.strerror}. Check the permissions of the "
                "file and of the folders that it is in."
            )
            raise CommandError(message) from error

    return wrapped


def echo_json(document: dict[str, Any]) -> None:
    """Print a JSON document on stdout, also one with names of files that are no UTF-8."""
    text = json.dumps(to_plain(document), indent=2, ensure_ascii=False)
    # The lone surrogates that stand for such bytes become JSON's own escapes.
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


@contextmanager
def progress(label: str, length: int, *, hidden: bool) -> Iterator[Callable[[str], None]]:
    """Progress bar on stderr; yields the function that moves it by one, naming what was done."""
    if hidden or length == 0:
        yield lambda _name: None
        return
    with click.progressbar(
        length=length,
        label=label,
        file=sys.stderr,
        show_pos=True,
        item_show_func=lambda name: name if isinstance(name, str) else "",
        width=24,
    ) as bar:
        yield lambda name: bar.update(1, name)


def echo_counts(line: str) -> None:
    """Print the closing line of counts on stderr, where it never mixes with results."""
    click.echo(line, err=True)


def finish(*, all_good: bool) -> None:
    """End the command with its exit status."""
    if not all_good:
        click.get_current_context().exit(EXIT_SOME_FAILED)
