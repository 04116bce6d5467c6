"""Models come in, get versions, are shared, and go."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from dashboard.serving import queries, services
from dashboard.serving.models import Right
from dashboard.serving.services.fields import inputs_of, outputs_of
from tests.factories.models import TREE, add_line, deploy, line_model, viewer_of
from tests.factories.shared_data import shared_data


@pytest.fixture
def analyst(make_user: Callable[..., User]) -> User:
    return make_user("analyst")


class TestAddModel:
    def test_understands_an_onnx_file(self, analyst: User, tmp_path: Path) -> None:
        model = add_line(analyst, tmp_path)

        version = model.newest
        assert (version.format, version.number) == ("onnx", 1)
        assert [field.name for field in inputs_of(version)] == ["a", "b"]
        assert list(version.sample_outputs) == ["y"]
        assert version.sha256 == hashlib.sha256(queries.path_of(version).read_bytes()).hexdigest()

    def test_understands_a_pmml_file_with_ranges_and_categories(self, analyst: User) -> None:
        model = services.add_model(
            TREE, original_name="fit.pmml", name="fit", viewer=viewer_of(analyst)
        )

        hours, _years, level = inputs_of(model.newest)
        assert (hours.low, hours.high, hours.optype) == (0, 40, "continuous")
        assert level.values == ["beginner", "intermediate", "advanced"]
        assert "predicted_fit" in {field.name for field in outputs_of(model.newest)}
        assert model.newest.function == "classification"

    def test_refuses_two_of_one_name(self, analyst: User, tmp_path: Path) -> None:
        add_line(analyst, tmp_path)

        with pytest.raises(Conflict):
            add_line(analyst, tmp_path)

    @pytest.mark.parametrize("name", ["", " ", "x" * 81, "two\nlines"])
    def test_refuses_a_bad_name(self, analyst: User, tmp_path: Path, name: str) -> None:
        path = line_model(tmp_path / "line.onnx")

        with pytest.raises(Invalid) as refused:
            services.add_model(path, original_name="", name=name, viewer=viewer_of(analyst))

        assert refused.value.problems[0].field == "name"

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x80\x04\x95\x00", b"not a model", b"<PMML/>", b"PK\x03\x04zip"],
        ids=["empty", "pickle", "text", "pmml without version", "zip"],
    )
    def test_stores_nothing_of_what_it_refuses(
        self, analyst: User, tmp_path: Path, content: bytes
    ) -> None:
        path = tmp_path / "model.onnx"
        path.write_bytes(content)

        with pytest.raises(Invalid):
            services.add_model(path, original_name="m", name="m", viewer=viewer_of(analyst))

        assert not queries.list_models(viewer_of(analyst))
        assert not list(queries.folder().glob("*"))

    def test_refuses_a_file_over_the_limit(self, app: Flask, analyst: User, tmp_path: Path) -> None:
        from dataclasses import replace

        config = app.config["ATRIUM"]
        app.config["ATRIUM"] = replace(config, serving=replace(config.serving, max_model_bytes=100))

        with pytest.raises(TooLarge):
            add_line(analyst, tmp_path)


@pytest.mark.slow
def test_refuses_every_bad_file(analyst: User) -> None:
    kept_answers = {"memory_bomb.onnx", "endless_loop.onnx"}
    accepted = []
    for path in sorted(shared_data("models/bad").iterdir()):
        try:
            services.add_model(
                path, original_name=path.name, name=path.name, viewer=viewer_of(analyst)
            )
            accepted.append(path.name)
        except Invalid as error:
            assert error.code == "model_refused", path.name
            assert 10 < len(error.message) < 400, path.name

    # A file under the wrong name is recognised by its content.
    assert not set(accepted) - {"onnx_renamed.pmml", "pmml_renamed.onnx"} - kept_answers


class TestVersions:
    def test_are_numbered(self, analyst: User, tmp_path: Path) -> None:
        model = add_line(analyst, tmp_path)

        version = services.add_version(
            model.id,
            line_model(tmp_path / "next.onnx", slope=3),
            original_name="next.onnx",
            note="steeper",
            viewer=viewer_of(analyst),
        )

        assert (version.number, version.note) == (2, "steeper")
        assert model.newest.number == 2

    def test_the_only_one_stays(self, analyst: User, tmp_path: Path) -> None:
        model = add_line(analyst, tmp_path)

        with pytest.raises(Conflict):
            services.delete_version(model.id, 1, viewer=viewer_of(analyst))


class TestDeleteModel:
    def test_removes_rows_and_files(self, analyst: User, tmp_path: Path) -> None:
        model = add_line(analyst, tmp_path)
        path = queries.path_of(model.newest)

        services.delete_model(model.id, viewer=viewer_of(analyst))

        assert not path.exists()
        assert not queries.list_models(viewer_of(analyst))

    def test_is_refused_while_deployed_unless_forced(self, analyst: User, tmp_path: Path) -> None:
        model = add_line(analyst, tmp_path)
        deploy(model, analyst)

        with pytest.raises(services.StillDeployed):
            services.delete_model(model.id, viewer=viewer_of(analyst))
        services.delete_model(model.id, viewer=viewer_of(analyst), force=True)

        assert not queries.list_all_deployments()


class TestRights:
    def test_nobody_else_sees_a_model(
        self, analyst: User, make_user: Callable[..., User], tmp_path: Path
    ) -> None:
        model = add_line(analyst, tmp_path)
        other, admin = make_user("analyst"), make_user("admin")

        with pytest.raises(NotFound):
            queries.get_model(model.id, viewer_of(other))
        assert queries.get_model(model.id, viewer_of(admin)).id == model.id

    @pytest.mark.parametrize(
        ("granted", "allowed"),
        [
            (Right.VIEW, {Right.VIEW}),
            (Right.USE, {Right.VIEW, Right.USE}),
            (Right.MANAGE, {Right.VIEW, Right.USE, Right.MANAGE}),
        ],
    )
    def test_sharing_allows_so_much(
        self,
        analyst: User,
        make_user: Callable[..., User],
        tmp_path: Path,
        granted: Right,
        allowed: set[Right],
    ) -> None:
        model, other = add_line(analyst, tmp_path), make_user("analyst")

        services.share_model(
            model.id, identity=other.user_name or "", right=granted, viewer=viewer_of(analyst)
        )

        assert {right for right in Right if queries.may(viewer_of(other), model, right)} == allowed

    def test_ends(self, analyst: User, make_user: Callable[..., User], tmp_path: Path) -> None:
        model, other = add_line(analyst, tmp_path), make_user("analyst")
        services.share_model(
            model.id, identity=other.user_name or "", right="use", viewer=viewer_of(analyst)
        )

        services.unshare_model(model.id, user_id=other.id, viewer=viewer_of(analyst))

        with pytest.raises(NotFound):
            queries.get_model(model.id, viewer_of(other))

    def test_who_manages_may_not_delete(
        self, analyst: User, make_user: Callable[..., User], tmp_path: Path
    ) -> None:
        model, other = add_line(analyst, tmp_path), make_user("analyst")
        services.share_model(
            model.id, identity=other.user_name or "", right="manage", viewer=viewer_of(analyst)
        )

        with pytest.raises(Forbidden):
            services.delete_model(model.id, viewer=viewer_of(other))

    def test_learners_are_not_named(
        self, analyst: User, make_user: Callable[..., User], tmp_path: Path
    ) -> None:
        model, learner = add_line(analyst, tmp_path), make_user("learner")

        with pytest.raises(Invalid) as known:
            services.share_model(
                model.id, identity=learner.user_name or "", right="use", viewer=viewer_of(analyst)
            )
        with pytest.raises(Invalid) as unknown:
            services.share_model(
                model.id, identity="nobody-here", right="use", viewer=viewer_of(analyst)
            )

        assert known.value.problems == unknown.value.problems
