"""The bytes that each kind of page sends, compressed as the server sends them (brotli)."""

import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.assets import DIST, MANIFEST

KB = 1000
SITE = "src/entries/site.js"
# What a kind of page loads beyond site.js, and how many bytes it may have: script, styles, all.
PAGES = {
    "public": ([], 10, 28, 75),
    "palette": (["src/islands/Palette.js"], 35, 28, 75),
    "charts": (["src/islands/Chart.js", "plotly"], 420, 28, 560),
    "upload": (["src/islands/Upload.js"], 35, 28, 75),
    "upload, a file chosen": (["src/islands/Upload.js", "tus-js-client"], 50, 28, 90),
    "3D structure": (["src/entries/structure.js", "src/islands/Structure.js"], 165, 32, 220),
    "sortable table": (["jquery"], 35, 28, 75),
    "jobs": (["src/entries/jobs.js"], 12, 28, 75),
    "dashboard": (["src/entries/admin.js"], 20, 32, 75),
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    if not (DIST / MANIFEST).exists():
        pytest.fail('the front-end is not built; run "make assets"')
    chunks: dict[str, Any] = json.loads((DIST / MANIFEST).read_text(encoding="utf-8"))
    return chunks


class TestPageBytes:
    @pytest.mark.parametrize("page", PAGES)
    def test_stays_in_its_budget(self, manifest: dict[str, Any], page: str) -> None:
        parts, script_kb, style_kb, all_kb = PAGES[page]

        files = _files_of(manifest, [SITE, *parts])
        script = sum(_sent_bytes(name) for name in files if name.endswith(".js"))
        styles = sum(_sent_bytes(name) for name in files if name.endswith(".css"))

        print(f"{page}: {script} B script, {styles} B styles, {script + styles} B in all")
        assert script <= script_kb * KB
        assert styles <= style_kb * KB
        assert script + styles <= all_kb * KB


class TestPrecompressed:
    def test_every_script_and_style_has_both_encodings(self) -> None:
        sources = [path for path in (DIST / "assets").iterdir() if path.suffix in (".js", ".css")]

        missing = [
            f"{path.name}{suffix}"
            for path in sources
            for suffix in (".br", ".gz")
            if path.stat().st_size >= 512 and not path.with_name(path.name + suffix).exists()
        ]

        assert not missing


def _files_of(manifest: dict[str, Any], wanted: list[str]) -> set[str]:
    """The files of the wanted chunks and of everything they import at once."""
    waiting = [_key_of(manifest, name) for name in wanted]
    seen: set[str] = set()
    files: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            chunk = manifest[key]
            files |= {chunk["file"], *chunk.get("css", [])}
            waiting += chunk.get("imports", [])
    return files


def _key_of(manifest: dict[str, Any], name: str) -> str:
    """The manifest's key of a source, or of the package `name`."""
    if name in manifest:
        return name
    return next(key for key in manifest if f"node_modules/{name}" in key)


def _sent_bytes(name: str) -> int:
    path = DIST / name
    compressed = Path(f"{path}.br")
    return (compressed if compressed.exists() else path).stat().st_size
