"""Models and tables that come in pieces, and the forms and calls that use them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import TooLarge
from dashboard.serving import queries
from dashboard.serving.models import Deployment, IncomingFile, Model, PredictionTask
from dashboard.serving.services import incoming
from dashboard.serving.services.incoming import Sender
from tests.factories.browsing import csrf, post
from tests.factories.models import deploy, line_model

Browser = Callable[[User], FlaskClient]
Deployed = tuple[Deployment, str]
ROWS = b"a,b\n1,1\n2,2\n"


def tus(client: FlaskClient, method: str, path: str, headers: dict[str, str], **more: Any) -> Any:
    headers = {"Tus-Resumable": "1.0.0", **headers}
    return client.open(path, method=method, headers=headers, buffered=True, **more)


def send(
    client: FlaskClient, data: bytes, headers: dict[str, str], *, name: str = "cm93cw=="
) -> str:
    """Send a file in two pieces as the protocol says; its id."""
    about = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}", **headers}
    begun = tus(client, "POST", "/api/v1/model-uploads", about)
    assert begun.status_code == 201, begun.text
    address, half = begun.headers["Location"], len(data) // 2
    for at, piece in ((0, data[:half]), (half, data[half:])):
        piece_headers = {"Upload-Offset": str(at), **headers}
        kind = "application/offset+octet-stream"
        sent = tus(client, "PATCH", address, piece_headers, data=piece, content_type=kind)
        assert sent.status_code == 204, sent.text
        assert sent.headers["Upload-Offset"] == str(at + len(piece))
    return str(address.rpartition("/")[2])


def folder() -> list[Path]:
    return list((queries.folder() / "incoming").glob("*"))


class TestForms:
    def test_a_model_comes_in_pieces(
        self, analyst: User, browser_of: Browser, tmp_path: Path
    ) -> None:
        client, file = browser_of(analyst), line_model(tmp_path / "line.onnx")
        upload = send(client, file.read_bytes(), csrf(client))

        page = post(client, "/models/new", data={"name": "big", "upload": upload})

        assert page.status_code == 302
        model = session.query(Model).one()
        assert queries.path_of(model.newest).read_bytes() == file.read_bytes()
        assert model.newest.original_name == "rows"
        assert session.query(IncomingFile).count() == 0
        assert folder() == []

    def test_a_refused_form_keeps_what_came(
        self, line: Model, analyst: User, browser_of: Browser, tmp_path: Path
    ) -> None:
        client = browser_of(analyst)
        upload = send(client, line_model(tmp_path / "x.onnx").read_bytes(), csrf(client))

        page = post(client, "/models/new", data={"name": line.name, "upload": upload})

        assert page.status_code == 200
        assert upload in page.text
        assert incoming.find_upload(upload, Sender(analyst.id))

    def test_a_batch_comes_in_pieces(
        self, deployed: Deployed, analyst: User, browser_of: Browser
    ) -> None:
        client = browser_of(analyst)
        upload = send(client, ROWS, csrf(client))

        post(client, f"/deployments/{deployed[0].id}/batch", data={"upload": upload})

        assert session.query(PredictionTask).one().n_rows == 2


class TestAPI:
    def test_a_program_with_a_deployments_token_sends_a_batch(
        self, deployed: Deployed, client: FlaskClient
    ) -> None:
        headers = {"Authorization": f"Bearer {deployed[1]}"}
        upload = send(client, ROWS, headers)

        answer = client.post(
            f"/api/v1/deployments/{deployed[0].id}/batch", data={"upload": upload}, headers=headers
        )

        assert (answer.status_code, answer.json["rows"]) == (202, 2)  # type: ignore[index]

    def test_a_repeated_batch_is_the_same_task(
        self, deployed: Deployed, client: FlaskClient
    ) -> None:
        headers = {"Authorization": f"Bearer {deployed[1]}", "Idempotency-Key": "k"}
        data = {"upload": send(client, ROWS, headers)}
        path = f"/api/v1/deployments/{deployed[0].id}/batch"

        first = client.post(path, data=data, headers=headers)
        again = client.post(path, data=data, headers=headers)
        other = client.post(path, data=data, headers={**headers, "Idempotency-Key": "other"})

        assert first.json["id"] == again.json["id"]  # type: ignore[index]
        assert other.status_code == 404

    def test_nobody_else_may_use_it(  # noqa: PLR0917 - fixtures
        self,
        line: Model,
        deployed: Deployed,
        analyst: User,
        other: User,
        browser_of: Browser,
        client: FlaskClient,
    ) -> None:
        second = deploy(line, analyst, name="second")
        upload = send(client, ROWS, {"Authorization": f"Bearer {deployed[1]}"})
        path = f"/api/v1/model-uploads/{upload}"

        stranger = browser_of(other)
        for who, headers in (
            (stranger, csrf(stranger)),
            (client, {"Authorization": f"Bearer {second[1]}"}),
        ):
            assert tus(who, "HEAD", path, headers).status_code == 404
            assert tus(who, "DELETE", path, headers).status_code == 404
        answer = client.post(
            f"/api/v1/deployments/{second[0].id}/batch",
            data={"upload": upload},
            headers={"Authorization": f"Bearer {second[1]}"},
        )
        assert answer.status_code == 404

    def test_half_a_file_is_no_file(self, deployed: Deployed, client: FlaskClient) -> None:
        headers = {"Authorization": f"Bearer {deployed[1]}"}
        about = {"Upload-Length": "10", **headers}
        begun = tus(client, "POST", "/api/v1/model-uploads", about)

        answer = client.post(
            f"/api/v1/deployments/{deployed[0].id}/batch",
            data={"upload": begun.headers["Location"].rpartition("/")[2]},
            headers=headers,
        )

        assert answer.status_code == 422
        assert "not complete" in answer.text

    def test_goes_on_where_it_stopped(self, deployed: Deployed, client: FlaskClient) -> None:
        headers = {"Authorization": f"Bearer {deployed[1]}"}
        begun = tus(client, "POST", "/api/v1/model-uploads", {"Upload-Length": "4", **headers})
        address, kind = begun.headers["Location"], "application/offset+octet-stream"
        at = {"Upload-Offset": "0", **headers}
        tus(client, "PATCH", address, at, data=b"ab", content_type=kind)

        again = tus(client, "PATCH", address, at, data=b"abcd", content_type=kind)
        too_much = {"Upload-Offset": "2", **headers}
        over = tus(client, "PATCH", address, too_much, data=b"cde", content_type=kind)

        assert again.status_code == 409
        assert over.status_code == 413
        assert tus(client, "HEAD", address, headers).headers["Upload-Offset"] == "2"
        assert tus(client, "DELETE", address, headers).status_code == 204
        assert folder() == []


class TestLimits:
    def test_more_than_any_limit_is_refused_before_a_byte_comes(self, analyst: User) -> None:
        with pytest.raises(TooLarge):
            incoming.begin_upload(
                Sender(analyst.id), original_name="x", size_bytes=incoming.max_bytes() + 1
            )

        assert session.query(IncomingFile).count() == 0

    def test_files_that_nobody_uses_are_bounded(
        self, analyst: User, other: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(incoming, "MAX_FILES", 2)
        for _ in range(2):
            incoming.begin_upload(Sender(analyst.id), original_name="x", size_bytes=1)

        with pytest.raises(incoming.TooManyFiles):
            incoming.begin_upload(Sender(analyst.id), original_name="x", size_bytes=1)
        assert incoming.begin_upload(Sender(other.id), original_name="x", size_bytes=1)
        assert len(folder()) == 3

    def test_old_ones_go(self, analyst: User) -> None:
        file = incoming.begin_upload(Sender(analyst.id), original_name="x", size_bytes=1)
        with transaction():
            file.expires_at = utcnow() - timedelta(seconds=1)
        (queries.folder() / "incoming" / "left").touch()

        assert incoming.remove_expired_uploads() == 1
        assert incoming.remove_stray_uploads(older_than_s=-1) == 1
        assert folder() == []
