"""Write the shipped networks: ONNX files, and the checksums that the program verifies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from lab.training.network import Answer, network_of
from scalptrack.segmentation.crops import INPUT_PX
from scalptrack.segmentation.network import MODEL_NAMES

HALF = "_half"
KERNEL_DIMS = 4


def export(checkpoint: Path, folder: Path, name: str) -> Path:
    """Export the averaged weights of a checkpoint.

    Parameters
    ----------
    checkpoint : Path
        Written by `lab.training.train`.
    folder : Path
        Where the file and ``CHECKSUM`` (format of sha256sum, of all networks there) go.
    name : str
        One of `MODEL_NAMES`.

    Returns
    -------
    Path
        The ONNX file: input ``image`` float32 (1, 3, S, S), RGB in [0, 1], S the program's
        `INPUT_PX` (OpenCV 4.10 can't read the dilated layers with free sides); output ``maps``
        float32 (1, 9, S, S), activated. Kernels are stored with half precision.
    """
    answer = Answer(network_of(torch.load(checkpoint, weights_only=True)["average"])).eval()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    temporary = path.with_suffix(".part")
    torch.onnx.export(
        answer,
        (torch.rand(1, 3, INPUT_PX, INPUT_PX),),
        str(temporary),
        input_names=["image"],
        output_names=["maps"],
        opset_version=13,
        dynamo=False,
    )
    onnx.save(_halved(onnx.load(str(temporary))), str(temporary))
    temporary.rename(path)
    there = [folder / each for each in MODEL_NAMES if (folder / each).exists()]
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in there]
    (folder / "CHECKSUM").write_text("".join(lines), encoding="utf-8")
    return path


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with its kernels stored in float16 and cast when it is loaded.

    Half the size; the answers differ by less than 0.001, all arithmetic stays float32.
    """
    graph = model.graph
    casts = []
    for stored in list(graph.initializer):
        if stored.data_type != onnx.TensorProto.FLOAT or len(stored.dims) != KERNEL_DIMS:
            continue
        half = f"{stored.name}{HALF}"
        values = numpy_helper.to_array(stored).astype(np.float16)
        graph.initializer.remove(stored)
        graph.initializer.append(numpy_helper.from_array(values, half))
        casts.append(helper.make_node("Cast", [half], [stored.name], to=onnx.TensorProto.FLOAT))
    for cast in casts:
        graph.node.insert(0, cast)
    return model
