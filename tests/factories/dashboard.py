"""An administrator at the dashboard, for tests of its views."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

# What the content security policy would block, and so must stand in no page.
BLOCKED = re.compile(
    r"""\son[a-z]+\s*=\s*["']|javascript:|\sstyle\s*=\s*["']|<style(?![^>]*nonce)"""
)
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Desk:
    """Opens and sends the dashboard's pages as one administrator."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, path: str) -> TestResponse:
        """The page below /admin, which must be there and obey the policy."""
        response = self.client.get(f"/admin{path}")
        assert response.status_code == 200, f"{path}: {response.status}"
        if response.mimetype == "text/html":
            assert not BLOCKED.search(response.text), path
        return response

    def post(self, path: str, **fields: Any) -> TestResponse:
        """The answer to a form below /admin, sent with its token, redirects followed."""
        fields["csrf_token"] = self.token()
        return self.client.post(
            f"/admin{path}",
            data=fields,
            content_type="multipart/form-data",
            follow_redirects=True,
        )

    def post_without_token(self, path: str, **fields: Any) -> TestResponse:
        """The answer to a form that another site could have sent."""
        return self.client.post(f"/admin{path}", data=fields)

    def token(self) -> str:
        """The token of this session's forms."""
        if not self._token:
            match = _TOKEN.search(self.client.get("/admin/").text)
            assert match, "no token in the page"
            self._token = match[1]
        return self._token


def rows_of(response: TestResponse) -> list[str]:
    """The words of each row of the list in a page, tags taken off."""
    body = response.text.partition("<tbody>")[2].partition("</tbody>")[0]
    texts = (re.sub(r"<[^>]+>", " ", row) for row in body.split("<tr>")[1:])
    return [" ".join(text.split()) for text in texts]
