"""The error page when the database cannot even tell who is signed in."""

from flask.testing import FlaskClient
from sqlalchemy import text

from dashboard.core.database import db


class TestErrorPage:
    def test_is_a_page_for_a_signed_in_user_whose_account_cannot_be_read(
        self, as_learner: FlaskClient
    ) -> None:
        db.session.execute(text('ALTER TABLE "user" RENAME TO user_gone'))
        db.session.commit()

        answer = as_learner.get("/me")

        db.session.execute(text('ALTER TABLE user_gone RENAME TO "user"'))
        db.session.commit()
        assert answer.status_code == 500
        assert "Something broke on our side" in answer.text
