"""The exceptions that a user of scalptrack can meet.

Every message says what was wrong, names the offending value, and says what to try.
"""


class ScalptrackError(Exception):
    """Base of every error that scalptrack raises on purpose."""


class InputError(ScalptrackError):
    """What the user gave can't be used: a missing folder, a bad manifest, a bad option."""


class ImageReadError(ScalptrackError):
    """A file could not be read as a photograph.

    Parameters
    ----------
    code : str
        Stable machine-readable reason, e.g. ``"truncated"``.
    message : str
        What was wrong and what to try, for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HeadNotFoundError(ScalptrackError):
    """No head, or too little of one, was found in a photograph."""


class ModelError(ScalptrackError):
    """The segmentation model is missing, or its checksum doesn't match."""


class OutputError(ScalptrackError):
    """An output can't be written, or would overwrite what scalptrack did not write."""
