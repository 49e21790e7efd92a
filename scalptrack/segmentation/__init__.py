"""Hair fraction and region class of every pixel of a photograph."""

from scalptrack.segmentation.network import NetworkSegmenter, model_checksum, shared_segmenter
from scalptrack.segmentation.protocol import Segmenter
from scalptrack.segmentation.uncertainty import coverage_interval

__all__ = [
    "NetworkSegmenter",
    "Segmenter",
    "coverage_interval",
    "model_checksum",
    "shared_segmenter",
]
