"""Training and judging of the segmentation network; never needed to run scalptrack."""
