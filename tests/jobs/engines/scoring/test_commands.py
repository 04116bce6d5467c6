"""`run.py score`, as scripts rely on it."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.engines.scoring import commands
from tests.factories.shared_data import ROOT, shared_data


def run(*arguments: object) -> int:
    """The command in this process: its exit code."""
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    return commands.run(parser.parse_args([str(each) for each in arguments]))


class TestScore:
    def test_writes_a_record_of_outputs_for_each_row(self, tmp_path: Path) -> None:
        out = tmp_path / "out.json"
        model = shared_data("models/pmml/single_iris_dectree.xml")

        done = subprocess.run(
            [
                *(sys.executable, ROOT / "run.py", "score"),
                *(model, shared_data("models/Iris.csv"), "--out", out),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, "")
        outputs = json.loads(out.read_text())
        assert len(outputs) == 150
        assert outputs[0]["predicted_class"] == "Iris-setosa"
        assert outputs[-1]["probability_Iris-virginica"] == pytest.approx(0.97826, abs=1e-5)

    def test_reads_json(self, tmp_path: Path) -> None:
        given, out = tmp_path / "in.json", tmp_path / "out.json"
        given.write_text('{"columns": ["float_input"], "data": [[[5.1, 3.5]], [[6.2, 2.9]]]}')

        assert run(shared_data("models/onnx/logreg_iris.onnx"), given, "--out", out) == 0

        assert [each["label"] for each in json.loads(out.read_text())] == [0, 0]

    def test_names_row_and_field_of_a_bad_input(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given, out = tmp_path / "in.json", tmp_path / "out.json"
        given.write_text('[{"float_input": [5.1, 3.5]}, {"float_input": [5.1, "b"]}]')

        assert run(shared_data("models/onnx/logreg_iris.onnx"), given, "--out", out) == 3

        assert "row 2, field 'float_input'" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == [given]

    @pytest.mark.parametrize("name", ["truncated.pmml", "pickle_renamed.onnx", "empty.onnx"])
    def test_refuses_in_one_line(
        self, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad, table = shared_data(f"models/bad/{name}"), shared_data("models/Iris.csv")

        assert run(bad, table, "--out", tmp_path / "out.json") == 2

        assert len(capsys.readouterr().err.splitlines()) == 1

    def test_is_bounded_in_time_and_memory(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        loop, bomb = (
            shared_data(f"models/bad/{name}.onnx") for name in ("endless_loop", "memory_bomb")
        )
        table, out = shared_data("models/Iris.csv"), tmp_path / "out.json"

        assert run(loop, table, "--out", out, "--timeout", 2) == 4
        assert run(bomb, table, "--out", out, "--memory", 256) == 4

        assert "memory" in capsys.readouterr().err.splitlines()[-1]
        assert list(tmp_path.iterdir()) == []

    def test_describes(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(shared_data("models/onnx/mnist.onnx"), "--describe") == 0

        said = json.loads(capsys.readouterr().out)
        assert said["input"][0]["dimension"] == [1, 28, 28]
        assert {"modelname", "time", "modeltype", "algorithm", "description"} <= said.keys()

    def test_says_what_java_needs(self, capsys: pytest.CaptureFixture[str]) -> None:
        tree = shared_data("models/pmml/tree-iris.pmml")

        assert run(tree, "--describe", "--memory", 80) == 4
        assert "96 MiB" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("--out", "x.json"),
            ("--describe", "--timeout", "-1"),
            ("--describe", "--timeout", "nan"),
            ("--describe", "--timeout", "inf"),
            ("--describe", "--memory", "1"),
            ("--describe", "--memory", "99999999999999999999"),
        ],
    )
    def test_refuses_wrong_usage(self, arguments: tuple[str, ...]) -> None:
        assert run(shared_data("models/onnx/relu.onnx"), *arguments) == 2
