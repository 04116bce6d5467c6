"""The built front-end: finds files of static/dist by the manifest that Vite writes.

Templates say `{{ vite("src/entries/site.js") }}` for an entry's styles and script, and
`{{ vite_asset("favicon.svg") }}` for the address of a single file.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
from markupsafe import Markup

from dashboard.core.headers import csp_nonce

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
MANIFEST = "manifest.json"
# Vite puts a hash of the content into these names, so a browser may keep them for ever.
_HASHED = re.compile(r"/assets/[^/]+-[\w-]{8}\.[a-z0-9]+(\.map)?$")


class AssetsMissing(RuntimeError):
    """The front-end has not been built; run "make assets"."""

    def __init__(self, path: Path) -> None:
        super().__init__(f'{path} does not exist; run "make assets" to build the front-end')


class UnknownAsset(LookupError):
    """The manifest has no such entry or file."""


@dataclass(slots=True)
class Manifest:
    """The manifest of one build, read again when the file changes."""

    path: Path
    _read_at: int = 0
    _chunks: dict[str, dict[str, Any]] = field(default_factory=dict)

    def chunk(self, name: str) -> dict[str, Any]:
        """What was built from the source `name`. Raises AssetsMissing, UnknownAsset."""
        try:
            return self.chunks()[name]
        except KeyError:
            raise UnknownAsset(f"{name} is not in {self.path}") from None

    def chunks(self) -> dict[str, dict[str, Any]]:
        """Every chunk by its source's name. Raises AssetsMissing before the first build."""
        try:
            changed_at = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            raise AssetsMissing(self.path) from None
        if changed_at != self._read_at:
            self._chunks = json.loads(self.path.read_text(encoding="utf-8"))
            self._read_at = changed_at
        return self._chunks

    def imports(self, name: str) -> list[dict[str, Any]]:
        """The chunks that `name` imports at once, nearest first, each once."""
        found: dict[str, dict[str, Any]] = {}
        waiting = list(self.chunk(name).get("imports", []))
        while waiting:
            key = waiting.pop(0)
            if key not in found:
                found[key] = self.chunk(key)
                waiting += found[key].get("imports", [])
        return list(found.values())


def init_app(app: Flask) -> None:
    """Give templates `vite(entry)` and `vite_asset(path)`."""
    app.extensions["atrium_manifest"] = Manifest(Path(app.static_folder or DIST) / MANIFEST)
    app.jinja_env.globals["vite"] = vite
    app.jinja_env.globals["vite_asset"] = vite_asset


def is_built() -> bool:
    """Whether there is a built front-end to serve."""
    return (DIST / MANIFEST).is_file()


def is_immutable(path: str, url: str) -> bool:
    """Whether the file at `url` never changes under its name."""
    return _HASHED.search(url) is not None


def vite(entry: str) -> Markup:
    """The tags that load an entry: its stylesheets, its imports ahead of time, its script."""
    manifest = _manifest()
    chunk, imports = manifest.chunk(entry), manifest.imports(entry)
    styles = dict.fromkeys(css for part in [*imports, chunk] for css in part.get("css", []))
    tags = [Markup('<link rel="stylesheet" href="{}">').format(_url(css)) for css in styles]
    tags += [
        Markup('<link rel="modulepreload" href="{}">').format(_url(part["file"]))
        for part in imports
    ]
    script = Markup('<script type="module" src="{}" nonce="{}"></script>')
    tags.append(script.format(_url(chunk["file"]), csp_nonce()))
    return Markup("\n").join(tags)


def vite_asset(path: str) -> str:
    """The address of one built file: a source's name, or a file of static/public."""
    chunk = _manifest().chunks().get(path)
    return _url(chunk["file"] if chunk else path)


def _manifest() -> Manifest:
    manifest: Manifest = current_app.extensions["atrium_manifest"]
    return manifest


def _url(file: str) -> str:
    return url_for("static", filename=file)
