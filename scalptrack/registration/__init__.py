"""Where the points of one photograph of a head lie in another one of the same head."""

from scalptrack.registration.by_outline import register_by_outline
from scalptrack.registration.by_points import register_by_points
from scalptrack.registration.by_strip import register_by_strip
from scalptrack.registration.chain import ChainedTransform, chain
from scalptrack.registration.close_up import (
    CloseUpFeatures,
    extract_close_up,
    register_close_ups,
)
from scalptrack.registration.features import HeadFeatures, extract_features
from scalptrack.registration.quadratic import QuadraticTransform
from scalptrack.registration.registering import identity, register
from scalptrack.registration.transform import HeadTransform
from scalptrack.registration.warp import warp_to_reference

__all__ = [
    "ChainedTransform",
    "CloseUpFeatures",
    "HeadFeatures",
    "HeadTransform",
    "QuadraticTransform",
    "chain",
    "extract_close_up",
    "extract_features",
    "identity",
    "register",
    "register_by_outline",
    "register_by_points",
    "register_by_strip",
    "register_close_ups",
    "warp_to_reference",
]
