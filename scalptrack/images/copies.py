"""Whether a file is the camera's own, or a copy that a messenger or a screenshot made of it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from PIL import Image

from scalptrack.images.exif import DECODER_ERRORS
from scalptrack.records import CaptureInfo

_MESSENGER_NAMES = re.compile(
    r"""^(?:
        (?:img|vid|stk)-\d{8}-wa\d+        # WhatsApp on Android
        | whatsapp[ _-]?image              # WhatsApp on a desktop
        | signal-\d{4}-\d\d-\d\d
        | photo_\d{4}-\d\d-\d\d_\d\d-      # Telegram
        | photo_\d+@\d\d-\d\d-\d{4}        # Telegram's export
        | fb_img_\d+ | received_\d+ | messenger_creation
        | \d+_\d+_\d+_n(?:\D|$)            # Facebook and Instagram
        | mmexport\d+ | wx_camera_\d+      # WeChat
        | viber[ _-]image | line_\d{8,} | snapchat-\d+ | threema-\d+
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SCREENSHOT_NAMES = re.compile(
    r"screen[ _-]?shot|screen ?capture|bildschirm(?:foto|aufnahme)|captura de (?:pantalla|ecr)"
    r"|capture d.e?cran|schermafbeelding|schermata|スクリーンショット|截屏|截图"
    r"|屏幕快照|스크린샷",
    re.IGNORECASE,
)
_USER_COMMENT, _EXIF_IFD = 0x9286, 0x8769

# Sum of the luminance table of ITU-T T.81, annex K.1, which libjpeg scales by its quality.
_STANDARD_LUMINANCE_SUM = 3688

RECOMPRESSED_QUALITY = 80.0
"""Quality of libjpeg up to which a JPEG without any EXIF is taken for a copy: phones write 90 and
more, messengers 60 to 80."""


def copied_by(image: Image.Image, capture: CaptureInfo, path: Path) -> str | None:
    """``"screenshot"``, ``"messenger"``, ``"recompressed"``, or None for a camera's own file.

    A name alone proves nothing when the camera's own data is still there (a photograph that was
    sent as a file).
    """
    if capture.camera is not None:
        return None
    name = unicodedata.normalize("NFC", path.name)
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    if _SCREENSHOT_NAMES.search(name) or _SCREENSHOT_NAMES.search(plain) or _says_screenshot(image):
        return "screenshot"
    if _MESSENGER_NAMES.match(name):
        return "messenger"
    quality = jpeg_quality(image)
    if quality is not None and quality <= RECOMPRESSED_QUALITY and not _has_exif(image):
        return "recompressed"
    return None


def jpeg_quality(image: Image.Image) -> float | None:
    """Quality 1 to 100 that libjpeg would have needed for a JPEG's luminance table."""
    tables = getattr(image, "quantization", None)
    if image.format not in {"JPEG", "MPO"} or not tables or 0 not in tables:
        return None
    scale = 100.0 * float(sum(tables[0])) / _STANDARD_LUMINANCE_SUM
    return (200 - scale) / 2 if scale <= 100 else 5000 / scale


def _has_exif(image: Image.Image) -> bool:
    try:
        return len(image.getexif()) > 0
    except DECODER_ERRORS:
        return True


def _says_screenshot(image: Image.Image) -> bool:
    """Whether a phone wrote into the file that it is a picture of its screen."""
    try:
        comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    except DECODER_ERRORS:
        return False
    text = comment.decode("latin-1") if isinstance(comment, bytes) else str(comment or "")
    return "screenshot" in text.casefold()
