"""Scripts do their work in the sandbox, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.engines.scoring import Script, ScriptFailed

LOG = """
import math

def prepare(record):
    record["x"] = math.log10(float(record["x"]))
    return record
"""


@pytest.fixture(scope="module")
def log() -> Iterator[Script]:
    script = Script(LOG)
    yield script
    script.close()


class TestRun:
    def test_prepares_each_record(self, log: Script) -> None:
        assert log.run([{"x": "100"}, {"x": 10}]) == [{"x": 2.0}, {"x": 1.0}]

    def test_prepares_all_at_once(self) -> None:
        script = Script(
            "def prepare_all(records):\n    return [{'n': len(records)} for _ in records]"
        )

        assert script.run([{}, {}]) == [{"n": 2}, {"n": 2}]
        script.close()

    def test_names_the_line(self, log: Script) -> None:
        with pytest.raises(ScriptFailed, match="line 5: ValueError") as caught:
            log.run([{"x": "-1"}])

        assert caught.value.line == 5

    def test_goes_on_after_a_failure(self, log: Script) -> None:
        with pytest.raises(ScriptFailed):
            log.run([{}])

        assert log.run([{"x": 1}]) == [{"x": 0.0}]

    @pytest.mark.parametrize("source", ["def prepare(record: return 1", "x = 1", "prepare = 3"])
    def test_refuses_what_defines_no_prepare(self, source: str) -> None:
        with pytest.raises(ScriptFailed):
            Script(source)

    @pytest.mark.parametrize(
        "body", ["return 3", "return None", "return [record]", "return {1: object()}"]
    )
    def test_refuses_other_values(self, body: str) -> None:
        script = Script(f"def prepare(record):\n    {body}")

        with pytest.raises(ScriptFailed):
            script.run([{}])
        script.close()


SECRET = "secret-of-the-host"
ATTACKS = {
    "endless loop": "while True:\n        pass",
    "memory": "a = []\n    while True:\n        a.append('x' * 1000000)",
    "big integer": "return {'x': len(str(9 ** 9 ** 9))}",
    "power of text": "return {'x': len('a' * (10 ** 12))}",
    "list growth": "a = [0]\n    while True:\n        a = a + a",
    "recursion": "return prepare(record)",
    "endless print": "while True:\n        print('x' * 10000)",
    "large answer": "return {'x': 'a' * 20000000}",
    "read a file": "return {'x': open('/etc/passwd').read()}",
    "write a file": "open('PWNED.txt', 'w').write('x')\n    return {}",
    "environment": "import os\n    return {'x': str(os.environ)}",
    "process": "import subprocess\n    return {'x': str(subprocess.run(['id']))}",
    "fork": "import os\n    os.fork()\n    return {}",
    "network": "import socket\n    socket.create_connection(('127.0.0.1', 1))\n    return {}",
    "import us": "import jobs\n    return {}",
    "subclasses": "return {'x': str(().__class__.__base__.__subclasses__())}",
    "eval": "return {'x': eval('__import__(\"os\").getcwd()')}",
}


class TestAttacks:
    def test_a_slow_pattern_is_no_danger(self) -> None:
        # The sandbox's patterns take linear time.
        pattern = "import re\n    return {'x': re.match('(a+)+$', 'a' * 40 + 'b') is None}"
        script = Script(f"def prepare(record):\n    {pattern}\n")

        assert script.run([{}]) == [{"x": True}]
        script.close()

    @pytest.mark.parametrize("name", sorted(ATTACKS))
    def test_is_stopped(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SECRET", SECRET)
        script = Script(f"def prepare(record):\n    {ATTACKS[name]}\n")

        with pytest.raises(ScriptFailed) as caught:
            script.run([{"x": 1}])

        script.close()
        assert SECRET not in str(caught.value)
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden ones too
