"""The manifest reader."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.core import assets
from dashboard.core.assets import AssetsMissing, Manifest, UnknownAsset

BUILD: dict[str, Any] = {
    "src/entries/site.js": {
        "file": "assets/site-aaaaaaaa.js",
        "css": ["assets/site-bbbbbbbb.css"],
        "imports": ["_shared.js"],
    },
    "_shared.js": {
        "file": "assets/shared-cccccccc.js",
        "css": ["assets/shared-dddddddd.css"],
        "imports": ["_deep.js"],
    },
    "_deep.js": {"file": "assets/deep-eeeeeeee.js", "imports": ["_shared.js"]},
}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(BUILD), encoding="utf-8")
    return path


@pytest.fixture
def built(build: Path) -> Flask:
    app = Flask("dashboard", static_folder=str(build.parent), static_url_path="/static")
    assets.init_app(app)
    return app


class TestVite:
    def test_loads_styles_of_imports_before_its_own(self, built: Flask) -> None:
        with built.test_request_context():
            tags = assets.vite("src/entries/site.js")

        places = [tags.index(name) for name in ("shared-dddddddd.css", "site-bbbbbbbb.css")]
        assert places == sorted(places)

    def test_preloads_each_import_once(self, built: Flask) -> None:
        with built.test_request_context():
            tags = assets.vite("src/entries/site.js")

        assert tags.count('rel="modulepreload"') == 2

    def test_gives_the_script_the_nonce_of_the_answer(self, built: Flask) -> None:
        with built.test_request_context():
            tags = assets.vite("src/entries/site.js")

            assert f'nonce="{assets.csp_nonce()}"' in tags

    def test_works_below_a_path_prefix(self, built: Flask) -> None:
        with built.test_request_context(base_url="http://localhost/portal"):
            assert 'src="/portal/static/assets/site-aaaaaaaa.js"' in assets.vite(
                "src/entries/site.js"
            )

    def test_refuses_an_entry_nobody_built(self, built: Flask) -> None:
        with built.test_request_context(), pytest.raises(UnknownAsset, match="src/entries/gone"):
            assets.vite("src/entries/gone.js")


class TestViteAsset:
    def test_finds_a_source_and_a_public_file(self, built: Flask) -> None:
        with built.test_request_context():
            assert assets.vite_asset("_deep.js") == "/static/assets/deep-eeeeeeee.js"
            assert assets.vite_asset("favicon.svg") == "/static/favicon.svg"


class TestManifest:
    def test_says_how_to_build_when_nothing_is_built(self, tmp_path: Path) -> None:
        with pytest.raises(AssetsMissing, match="make assets"):
            Manifest(tmp_path / "manifest.json").chunks()

    def test_is_read_again_after_a_new_build(self, build: Path) -> None:
        manifest = Manifest(build)
        manifest.chunks()

        build.write_text(json.dumps({"new.js": {"file": "assets/new.js"}}), encoding="utf-8")
        os.utime(build, ns=(1, 1))

        assert manifest.chunk("new.js") == {"file": "assets/new.js"}


class TestIsImmutable:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("/static/assets/site-B_a7KmP_.js", True),
            ("/static/assets/site-B_a7KmP_.css", True),
            ("/static/favicon.svg", False),
            ("/static/manifest.json", False),
        ],
    )
    def test_knows_names_with_a_hash(self, url: str, expected: bool) -> None:
        assert assets.is_immutable("", url) is expected
