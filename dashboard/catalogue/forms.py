"""The catalogue's forms."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, Length

from dashboard.core.i18n import lazy


class VideoForm(FlaskForm):
    """What an administrator sets about a video."""

    title = StringField(lazy("Title"), [DataRequired(), Length(max=200)])
    preview_public = BooleanField(lazy("Visitors may watch it without an account"))
