"""BentoML's services for bench/serving.py: the forest by onnxruntime, and by scikit-learn."""

import os
from typing import Any

import bentoml
import numpy as np

MODEL = os.environ["BENCH_MODEL"]


@bentoml.service(workers=1)
class Onnx:
    """The ONNX file."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(MODEL, options)

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> dict[str, Any]:
        feed = {self._session.get_inputs()[0].name: np.array(rows, dtype=np.float32)}
        label, probabilities = self._session.run(None, feed)
        return {"label": label.tolist(), "probabilities": probabilities.tolist()}


@bentoml.service(workers=1)
class Sklearn:
    """The pickle."""

    def __init__(self) -> None:
        import joblib

        self._model = joblib.load(MODEL)

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[int]:
        found: list[int] = self._model.predict(np.array(rows, dtype=np.float32)).tolist()
        return found
