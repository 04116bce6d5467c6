"""What a PMML model says of missing values holds for one record and for many, whatever the type of the input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.shared_data import ROOT

FRAME = """<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>
<DataDictionary><DataField name="a" optype="continuous" dataType="{type}"/>
<DataField name="y" optype="continuous" dataType="double"/></DataDictionary>{model}</PMML>"""
LINE = """<RegressionModel functionName="regression"><MiningSchema>
<MiningField name="a" missingValueReplacement="7"/><MiningField name="y" usageType="target"/></MiningSchema>
<Output><OutputField name="y_hat" optype="continuous" dataType="double" feature="predictedValue"/>
<OutputField name="twice" optype="continuous" dataType="double" feature="transformedValue">
<Apply function="*"><FieldRef field="y_hat"/><Constant>2</Constant></Apply></OutputField></Output>
<RegressionTable intercept="0.25"><NumericPredictor name="a" coefficient="1"/></RegressionTable></RegressionModel>"""
TREE = """<TreeModel functionName="regression" missingValueStrategy="defaultChild"><MiningSchema>
<MiningField name="a"/><MiningField name="y" usageType="target"/></MiningSchema>
<Output><OutputField name="y_hat" optype="continuous" dataType="double" feature="predictedValue"/></Output>
<Node id="0" score="0" defaultChild="2"><True/>
<Node id="1" score="1"><SimplePredicate field="a" operator="lessThan" value="5"/></Node>
<Node id="2" score="2"><SimplePredicate field="a" operator="greaterOrEqual" value="5"/></Node></Node></TreeModel>"""
RECORDS = [{"a": 3}, {"a": 8}, {"a": None}]
EXPECTED = {
    "line": [{"y_hat": y, "twice": 2 * y} for y in (3.25, 8.25, 7.25)],
    "tree": [{"y_hat": y} for y in (1.0, 2.0, 2.0)],
}
# One JVM for all files, in a process of its own.
SCORE = """
import json, sys
from pathlib import Path
from jobs.engines.scoring.scorer import Scorer
records, found = json.loads(sys.argv[1]), {}
for name in sys.argv[2:]:
    scorer = Scorer(Path(name), memory_bytes=400 * 2**20)
    one_by_one = [scorer.score([record]).outputs[0] for record in records]
    found[Path(name).stem] = [one_by_one, scorer.score(records).outputs]
print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[dict[str, float]]]]:
    folder: Path = tmp_path_factory.mktemp("models")
    for type_ in ("integer", "double"):
        for name, model in (("line", LINE), ("tree", TREE)):
            path = folder / f"{name}-{type_}.pmml"
            path.write_text(FRAME.format(type=type_, model=model))
    command = [sys.executable, "-c", SCORE, json.dumps(RECORDS), *map(str, folder.iterdir())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("type_", ["integer", "double"])
@pytest.mark.parametrize("name", ["line", "tree"])
def test_a_missing_value_is_treated_as_declared(
    answers: dict[str, list[list[dict[str, float]]]], name: str, type_: str
) -> None:
    one_by_one, together = answers[f"{name}-{type_}"]

    kept = [{output: each[output] for output in EXPECTED[name][0]} for each in together]
    assert kept == EXPECTED[name]
    # In the same order too: the answer is one text.
    assert json.dumps(one_by_one) == json.dumps(together)
