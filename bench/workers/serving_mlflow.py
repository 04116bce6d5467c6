"""Saves the forest the way MLflow serves it: python serving_mlflow.py FOREST.joblib FOLDER"""

import sys

import joblib
import mlflow.sklearn

# The format of MLflow's own examples; its newer default refuses forests of this scikit-learn unless each type is named.
mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2], serialization_format="cloudpickle")
