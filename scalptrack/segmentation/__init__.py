"""Hair fraction and region class of every pixel of a photograph."""

from scalptrack.segmentation.network import NetworkSegmenter, model_checksum, shared_segmenter
from scalptrack.segmentation.protocol import Segmenter

__all__ = ["NetworkSegmenter", "Segmenter", "model_checksum", "shared_segmenter"]
