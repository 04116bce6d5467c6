"""Files that must not be served are refused with a reason, and nothing of them runs."""

import shutil
import socket
from pathlib import Path

import pytest

from jobs.engines.scoring import RefusedModel, inspect_file
from jobs.engines.scoring.formats import recognise
from tests.factories.shared_data import shared_data

BAD = {
    "billion_laughs.pmml": "dtd",
    "empty.onnx": "empty",
    "empty.pmml": "empty",
    "external_data_escapes.onnx": "external_data",
    "future_opset.onnx": "opset",
    "gzip_of_a_model.pmml": "archive",
    "html_page.pmml": "html",
    "invalid_utf8.pmml": "xml",
    "no_model_element.pmml": "no_model",
    "nul_bytes.pmml": "format",
    "other_xml.pmml": "root",
    "pickle_renamed.onnx": "pickle",
    "pickle_renamed.pmml": "pickle",
    "plain_text.onnx": "format",
    "plain_text.pmml": "format",
    "quadratic_blowup.pmml": "dtd",
    "truncated.onnx": "onnx",
    "truncated.pmml": "xml",
    "unknown_operator.onnx": "operator",
    "unknown_version.pmml": "version",
    "xxe_external_dtd.pmml": "dtd",
    "xxe_file.pmml": "dtd",
    "xxe_http.pmml": "dtd",
}
ACTIVE = (
    "pickle_renamed.onnx",
    "pickle_renamed.pmml",
    "xxe_external_dtd.pmml",
    "xxe_file.pmml",
    "xxe_http.pmml",
)
"""Those that would do something."""
MARKER = "marker-of-the-secret"


def check(path: Path) -> None:
    """What inspect_file does before any engine."""
    recognise(path).check(path)


class TestCheck:
    @pytest.mark.parametrize("name", sorted(BAD))
    def test_refuses_with_the_code(self, name: str) -> None:
        with pytest.raises(RefusedModel) as caught:
            check(shared_data(f"models/bad/{name}"))

        assert caught.value.code == BAD[name]
        assert "\n" not in caught.value.reason

    def test_runs_no_pickle_and_reads_no_neighbour(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for path in shared_data("models/bad").iterdir():
            shutil.copy(path, tmp_path)
        (tmp_path / "secret.txt").write_text(MARKER)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for name in ("xxe_http.pmml", "xxe_external_dtd.pmml"):
                path = tmp_path / name
                path.write_text(path.read_text().replace("59999", str(port)))
            for name in ACTIVE:
                with pytest.raises(RefusedModel) as caught:
                    inspect_file(tmp_path / name)
                assert MARKER not in caught.value.reason
            listener.settimeout(0.05)
            with pytest.raises(TimeoutError):
                listener.accept()

        assert not (tmp_path / "PICKLE_RAN.txt").exists()

    def test_recognises_by_content_not_by_name(self) -> None:
        assert recognise(shared_data("models/bad/onnx_renamed.pmml")).NAME == "onnx"
        assert recognise(shared_data("models/bad/pmml_renamed.onnx")).NAME == "pmml"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"cos\nsystem\n(S'true'\ntR.", "pickle"),
            (b"PK\x03\x04rest", "archive"),
            (b"\x7fELF\x02", "program"),
            (b"\x89HDF\r\n", "format"),
            (b"<PMML version='4.4'>" + b"<a>" * 3000, "depth"),
            (b"<PMML version='4.4'><TextModel/></PMML>", "unsupported"),
            (b"<?xml version='1.0' encoding='no-such'?><PMML/>", "xml"),
        ],
    )
    def test_refuses_what_is_no_model(self, tmp_path: Path, content: bytes, code: str) -> None:
        path = tmp_path / "model.pmml"
        path.write_bytes(content)

        with pytest.raises(RefusedModel) as caught:
            check(path)

        assert caught.value.code == code

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("tree-cat-pima", "the list of values in line 76 says that it holds 3, but holds 2"),
            ("nb-cat-pima", "no BayesOutput: how often each class occurs is missing"),
        ],
    )
    def test_says_what_a_pmml_file_lacks(self, name: str, reason: str) -> None:
        with pytest.raises(RefusedModel, match=reason):
            check(shared_data(f"models/pmml_unsupported/{name}.pmml"))

    def test_refuses_an_onnx_file_whose_names_are_no_text(self, tmp_path: Path) -> None:
        content = shared_data("models/onnx/relu.onnx").read_bytes()
        path = tmp_path / "model.onnx"
        path.write_bytes(content.replace(b"Relu", b"Re\xffu"))

        with pytest.raises(RefusedModel) as caught:
            check(path)

        assert caught.value.code in ("onnx", "operator")

    def test_refuses_a_file_that_is_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "model.pmml"
        path.write_bytes(b"<PMML>" + b" " * 2000)

        with pytest.raises(RefusedModel, match="allowed"):
            recognise(path, max_bytes=1000)


class TestInspectFile:
    def test_describes_and_tries_an_onnx_model(self) -> None:
        found = inspect_file(shared_data("models/onnx/logreg_iris.onnx"))

        assert found.description.model_type == "classification"
        assert found.description.batch == 3
        assert found.sample_record == {"float_input": [1.0, 1.0]}
        assert found.sample_outputs["probabilities"].keys() == {"0", "1", "2"}

    def test_describes_and_tries_a_pmml_model(self) -> None:
        found = inspect_file(shared_data("models/pmml/single_iris_dectree.xml"), timeout_s=100)

        first = found.description.inputs[0]
        assert (first.name, first.type, first.range_text) == (
            "sepal_length",
            "double",
            "[4.3, 7.9]",
        )
        assert found.description.targets[0].values[0] == "Iris-setosa"
        assert found.sample_outputs["predicted_class"] == "Iris-versicolor"

    def test_refuses_a_model_that_asks_for_all_memory(self) -> None:
        with pytest.raises(RefusedModel) as caught:
            inspect_file(shared_data("models/bad/memory_bomb.onnx"))

        assert caught.value.code == "memory"

    def test_refuses_a_model_that_never_answers(self) -> None:
        with pytest.raises(RefusedModel) as caught:
            inspect_file(shared_data("models/bad/endless_loop.onnx"), timeout_s=3)

        assert caught.value.code == "timeout"

    @pytest.mark.slow
    def test_refuses_what_the_engine_cannot_score_in_plain_words(self) -> None:
        path = shared_data("models/pmml_unsupported/dmg_general_multinomial_contrast_matrix.xml")

        with pytest.raises(RefusedModel) as caught:
            inspect_file(path, timeout_s=100)

        assert caught.value.code == "trial"
        assert "key not found" not in caught.value.reason
        assert "export the model again" in caught.value.reason

    @pytest.mark.slow
    def test_reads_utf_16(self, tmp_path: Path) -> None:
        text = shared_data("models/pmml/single_iris_dectree.xml").read_text()
        path = tmp_path / "model"
        path.write_bytes(text.replace('"UTF-8"', '"UTF-16"').encode("utf-16"))

        assert inspect_file(path, timeout_s=100).description.format == "pmml"
