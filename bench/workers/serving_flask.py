"""The floor of bench/serving.py: a bare Flask application around onnxruntime, in one process, with nothing of ours."""

import os

import numpy as np
import onnxruntime
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
app = Flask(__name__)


@app.post("/predict")
def predict() -> ResponseReturnValue:
    rows = np.array(request.get_json()["rows"], dtype=np.float32)
    label, probabilities = session.run(None, {session.get_inputs()[0].name: rows})
    return jsonify(label=label.tolist(), probabilities=probabilities.tolist())
