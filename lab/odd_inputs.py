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

## Damaged JPEGs, and what can't be told of them
Decoders of JPEG read on after damage, and the rest of the picture is shifted or of another colour.
A file is rejected where a part of it is empty, where restart markers are missing or out of order,
and where its coded pixels are clearly fewer, or more, than its picture needs. Damage that leaves
their length right can't be told. Of 60 copies of three sample photographs by each of six encoders,
damaged at random, these changed more than 1 % of the pixels by more than 8 levels and were read
all the same ([`lab/benchmarks/jpeg_damage.py`](../lab/benchmarks/jpeg_damage.py)); of 912 intact
files none was rejected:

| damage | without restart markers | with them | progressive |
|---|---|---|---|
| one byte is another one | 71 of 85 | 7 of 9 | 26 of 26 |
| 512 bytes are zeros | 0 of 180 | 0 of 120 | 40 of 40 |
| 512 bytes are random | 18 of 180 | 5 of 118 | 10 of 58 |
| 512 bytes are missing | 0 of 180 | 32 of 106 | 39 of 39 |
| two clusters of 4 kB swapped | 146 of 180 | 1 of 120 | 54 of 55 |

So look at the pictures in the report: damage shows as a seam, below which the picture is displaced.

## The table

"""


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from odd_inputs import table

    with tempfile.TemporaryDirectory() as folder:
        (ROOT / "docs" / "inputs.md").write_text(HEADING + table(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
