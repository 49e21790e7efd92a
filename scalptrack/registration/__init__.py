"""Where the points of one photograph of a head lie in another one of the same head."""

from scalptrack.registration.by_outline import register_by_outline
from scalptrack.registration.chain import ChainedTransform, chain
from scalptrack.registration.features import HeadFeatures, extract_features
from scalptrack.registration.registering import identity, register, register_points
from scalptrack.registration.transform import HeadTransform
from scalptrack.registration.warp import warp_to_reference

__all__ = [
    "ChainedTransform",
    "HeadFeatures",
    "HeadTransform",
    "chain",
    "extract_features",
    "identity",
    "register",
    "register_by_outline",
    "register_points",
    "warp_to_reference",
]
