"""The little network of the runtime's self-test: trained here in seconds, on data from PyPI; no weights are committed.

The data has one writer's digits beside another's, so the last fifth, which training never sees, is by others: a network
of this size is right in nine of ten of those. Drawn digits are not centred as these are: each is shown in five places.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

from tools.embedded_model import CACHE, ROOT, fetch_wheel

REQUIREMENT = ROOT / "requirements" / "digits.txt"
MEMBER = "sklearn/datasets/data/digits.csv.gz"
# Only a file in it is read, so it need not be for this machine.
ANY_MACHINE = ["--platform", "manylinux2014_x86_64", "--python-version", "311"]

LEVELS = 16  # of grey
HELD_OUT = 360
HIDDEN = 48
EPOCHS = 40
BATCH = 64
STEP = 0.003
LEAST_ACCURACY = 0.88


def address() -> str:
    """Names a network by everything it depends on."""
    parts = [REQUIREMENT.read_bytes(), Path(__file__).read_bytes()]
    parts += [f"{library}=={version(library)}".encode() for library in ("numpy", "onnx")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def prepare(cache: Path = CACHE) -> Path:
    """The folder with network.onnx and digits.json. Raises RuntimeError if it cannot be made."""
    target = cache / f"digits-{address()}"
    if not (target / "digits.json").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".digits-", dir=cache) as folder:
            images, labels = read(fetch_wheel(Path(folder), REQUIREMENT, ANY_MACHINE))
            make(images, labels, target)
    return target


def read(wheel: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Images from 0 to 1, one to a row, and what they show."""
    import numpy as np

    with zipfile.ZipFile(wheel) as archive:
        rows = gzip.decompress(archive.read(MEMBER)).decode().splitlines()
    table = np.array([[float(value) for value in row.split(",")] for row in rows])
    return table[:, :-1] / LEVELS, table[:, -1].astype(np.int64)


def make(images: Floats, labels: NDArray[np.int64], target: Path) -> None:
    import onnx

    weights = train(images[:-HELD_OUT], labels[:-HELD_OUT])
    right = forward(weights, images[-HELD_OUT:])[1].argmax(1) == labels[-HELD_OUT:]
    accuracy = float(right.mean())
    if accuracy < LEAST_ACCURACY:
        raise RuntimeError(f"the digits' network is right in only {accuracy:.0%} of what it has not seen")
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(weights), str(target / "network.onnx"))
    told = {"accuracy": round(accuracy, 3), "samples": samples(images[-HELD_OUT:], labels[-HELD_OUT:])}
    (target / "digits.json").write_text(json.dumps(told) + "\n", "utf-8")


def samples(images: Floats, labels: NDArray[np.int64]) -> list[list[float]]:
    """The first of each digit that training has not seen."""
    return [[round(float(value), 4) for value in images[labels == digit][0]] for digit in range(10)]


def train(images: Floats, labels: NDArray[np.int64]) -> list[Floats]:
    """Two layers by Adam (Kingma and Ba, arXiv 1412.6980) on the cross-entropy; the same at every run."""
    import numpy as np

    images = np.concatenate([moved(images, down, right) for down, right in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))])
    wanted = np.eye(10)[np.tile(labels, 5)]
    chance = np.random.default_rng(0)
    shapes = ((64, HIDDEN), (HIDDEN,), (HIDDEN, 10), (10,))
    weights = [chance.normal(0, (2 / shape[0]) ** 0.5, shape) * (len(shape) == 2) for shape in shapes]
    means, squares = ([np.zeros(shape) for shape in shapes] for _ in range(2))
    steps = 0
    for _ in range(EPOCHS):
        for rows in np.array_split(chance.permutation(len(images)), len(images) // BATCH):
            steps += 1
            for i, slope in enumerate(gradients(weights, images[rows], wanted[rows])):
                means[i] = 0.9 * means[i] + 0.1 * slope
                squares[i] = 0.999 * squares[i] + 0.001 * slope**2
                mean, square = means[i] / (1 - 0.9**steps), squares[i] / (1 - 0.999**steps)
                weights[i] = weights[i] - STEP * mean / (square**0.5 + 1e-8)
    return weights


def moved(images: Floats, down: int, right: int) -> Floats:
    """By a pixel; what leaves one side comes in as nothing at the other."""
    import numpy as np

    square = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    return square[:, 1 - down : 9 - down, 1 - right : 9 - right].reshape(-1, 64)


def forward(weights: list[Floats], images: Floats) -> tuple[Floats, Floats]:
    """What the hidden layer says, and the probabilities."""
    import numpy as np

    hidden = np.maximum(images @ weights[0] + weights[1], 0)
    scores = hidden @ weights[2] + weights[3]
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return hidden, raised / raised.sum(1, keepdims=True)


def gradients(weights: list[Floats], images: Floats, wanted: Floats) -> list[Floats]:
    hidden, probabilities = forward(weights, images)
    wrong = (probabilities - wanted) / len(images)
    back = (wrong @ weights[2].T) * (hidden > 0)
    return [images.T @ back, back.sum(0), hidden.T @ wrong, wrong.sum(0)]


def graph(weights: list[Floats]) -> Any:
    import numpy as np
    from onnx import TensorProto, checker, helper, numpy_helper

    names = ("hidden.weight", "hidden.bias", "digit.weight", "digit.bias")
    nodes = [
        helper.make_node("Gemm", ["image", *names[:2]], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", *names[2:]], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    network = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in zip(names, weights, strict=True)],
    )
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model


if __name__ == "__main__":
    print(prepare())
