"""Descriptions of made-up models."""

from typing import Any

from jobs.engines.scoring import Field, Interval, ModelDescription


def described(*inputs: Field, **more: Any) -> ModelDescription:
    """A model with these inputs."""
    known: dict[str, Any] = {
        **dict.fromkeys(("name", "algorithm", "version", "description", "producer"), ""),
        "format": "pmml",
        "format_version": "4.4",
        "engine": "none",
        "model_type": "regression",
        "sha256": "",
        "size_bytes": 0,
        "outputs": (Field("y", "double"), Field("z", "double")),
        "targets": (Field("target", "double"),),
    }
    return ModelDescription(inputs=inputs, **{**known, **more})


LENGTH = Field("length", "double", intervals=(Interval(4.3, 7.9),))
COLOUR = Field("colour", "string", "categorical", values=("red", "blue"))
COUNT = Field("count", "integer")
OPTIONAL = Field("age", "double", missing="asMean", omittable=True)
NULLABLE = Field("sky", "string", "categorical", missing="defaultChild")
FLAG = Field("flag", "boolean", "categorical")
ROW = Field("x", "tensor(float)", dimension=(2,), shape=(None, 2))
IMAGE = Field("image", "tensor(float)", dimension=(1, 2, 2), shape=(1, 1, 2, 2))
BYTE = Field("n", "tensor(uint8)", shape=(None, 1))
