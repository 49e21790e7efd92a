"""The command line's entry: a group whose commands are only imported, not run, by ``--help``."""

from __future__ import annotations

import click

from scalptrack import __version__
from scalptrack.cli.capture import capture_command
from scalptrack.cli.card import card_command
from scalptrack.cli.catalog import catalog_command
from scalptrack.cli.check import check_command
from scalptrack.cli.deidentify import deidentify_command
from scalptrack.cli.guide import guide_command
from scalptrack.cli.register import register_command
from scalptrack.cli.review import review_command
from scalptrack.cli.segment import segment_command
from scalptrack.cli.study_conclusions import study_command
from scalptrack.cli.track import track_command

EPILOG = """\b
Examples:
  scalptrack track sample_images --out results
  scalptrack check today.jpg
  scalptrack register baseline.jpg followup.jpg --out aligned

Exit status: 0 all photographs measured; 1 finished, but some were rejected or refused; 2 the
command could not be carried out. Nothing leaves this computer; originals are never changed.
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="scalptrack")
def main() -> None:
    """Track visible hair coverage over time, from scalp photographs.

    scalptrack aligns photographs of the same head, estimates the fraction of the scalp that is
    covered by hair, and says which changes are larger than the error of the measurement. Where a
    photograph can't be believed it says so, with the reason, instead of a number.
    """


for _command in (
    track_command,
    catalog_command,
    check_command,
    register_command,
    segment_command,
    review_command,
    deidentify_command,
    study_command,
    card_command,
    guide_command,
    capture_command,
):
    main.add_command(_command)
