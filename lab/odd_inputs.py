"""Write docs/inputs.md: what the program says to each kind of bad or odd input.

Run from the root of the checkout, with the extras raw and dicom installed::

    python -m lab.odd_inputs
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = """\
# What the program says to bad and odd input

Every file of a folder is accounted for: it is used, rejected with a reason, or named in a note. The
table is made by running the catalog over each case (`python -m lab.odd_inputs`; the cases are in
[`tests/odd_inputs.py`](../tests/odd_inputs.py)), and a test fails when it is no longer true. All
pictures in it are drawn by the test. `track`, `catalog`, `check`, `segment` and `deidentify` read
files through the same module and say the same of a file that can't be read.

## Which date is used
The date in the name or the folder comes first. Where there is none, or it can be read in two ways,
the file is asked: EXIF's `DateTimeOriginal`, then `DateTimeDigitized`. `DateTime` alone is the day
on which the file was last changed. It is used where nothing speaks against it, as many cameras
write no other. It is not used where an editor or a scanner wrote it (the tag `Software`, or XMP),
nor where the file's other dates (GPS, or the making of the picture in XMP) are more than a day off:
then the photograph needs a date in its name, or a line in a manifest.

## The table

"""


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from odd_inputs import table

    with tempfile.TemporaryDirectory() as folder:
        (ROOT / "docs" / "inputs.md").write_text(HEADING + table(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
