"""What the API of accounts takes and gives."""

import marshmallow as ma

TEXT = ma.validate.Length(min=1, max=300)
PASSWORD = ma.validate.Length(min=1, max=1000)


class SignInSchema(ma.Schema):
    """Who asks for a token."""

    identity = ma.fields.String(
        required=True,
        validate=TEXT,
        metadata={
            "description": "Email, phone number or username.",
            "example": "+86 138 1234 5678",
        },
    )
    password = ma.fields.String(required=True, validate=PASSWORD, metadata={"format": "password"})


class TokenSchema(ma.Schema):
    """A token for the header Authentication-Token, or Authorization: Bearer."""

    token = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


class AccountSchema(ma.Schema):
    """One's own account."""

    id = ma.fields.Integer(required=True)
    user_name = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    email = ma.fields.String(required=True, allow_none=True)
    nickname = ma.fields.String(required=True)
    display_name = ma.fields.String(required=True)
    roles = ma.fields.List(ma.fields.String(), required=True, attribute="role_names")
