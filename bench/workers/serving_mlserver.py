"""A runtime of MLServer around onnxruntime, for bench/serving.py: it has none of its own."""

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Onnx(MLModel):
    """Scores the file that the model's settings name."""

    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [each.name for each in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        found = self._session.run(self._outputs, {self._input: rows})
        outputs = [
            NumpyCodec.encode_output(name, values)
            for name, values in zip(self._outputs, found, strict=True)
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
