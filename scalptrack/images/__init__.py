"""The only reader and writer of pixels.

Every photograph enters through `read_photograph` and is the same kind of array from then on: RGB,
``uint8``, ``(H, W, 3)``, upright, in sRGB. Pillow decodes, because it raises on a truncated file
where ``cv2.imread`` returns a picture padded with grey.

Decisions
---------
* Transparent pixels are composited on white: a cut-out head then lies on the background that
  studios use, and no colour hidden under full transparency comes to light.
* 16-bit grey is scaled by 257 (65535 becomes 255); 32-bit float pictures have no agreed scale and
  are refused.
* An embedded colour profile that can't be used is ignored: the pixels are then taken as sRGB.
* HEIC and AVIF: the container's own rotation counts, once; EXIF's is ignored in a HEIC, as its
  standard says. Wide primaries are converted; high dynamic range (PQ, HLG) is refused.
* Raw files are developed by rawpy and DICOM photographs read by pydicom where these extras are
  installed. A raw file is never replaced by the small preview in it.
"""

from scalptrack.images.frames import decode_frame, without_traces
from scalptrack.images.header import MIN_SIDE_PX, PHOTOGRAPH_SUFFIXES, RAW_SUFFIXES, Header
from scalptrack.images.reading import (
    read_header,
    read_photograph,
    sha256_of_file,
    verify_photograph,
)
from scalptrack.images.writing import (
    encode_image,
    encode_transparent_png,
    write_bytes_atomic,
    write_image,
    write_new_bytes,
    write_text_atomic,
)

__all__ = [
    "MIN_SIDE_PX",
    "PHOTOGRAPH_SUFFIXES",
    "RAW_SUFFIXES",
    "Header",
    "decode_frame",
    "encode_image",
    "encode_transparent_png",
    "read_header",
    "read_photograph",
    "sha256_of_file",
    "verify_photograph",
    "without_traces",
    "write_bytes_atomic",
    "write_image",
    "write_new_bytes",
    "write_text_atomic",
]
