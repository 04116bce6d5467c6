import pytest

from dashboard.accounts.identities import (
    BadIdentity,
    Identity,
    IdentityKind,
    identify,
    normalise_email,
    normalise_nickname,
    normalise_phone,
    normalise_user_name,
)


class TestIdentify:
    @pytest.mark.parametrize(
        "text",
        [
            "13812345678",
            " 138 1234 5678 ",
            "138-1234-5678",
            "138.1234.5678",
            "+86 138 1234 5678",
            "(+86)13812345678",
            "0086 13812345678",
            "8613812345678",
            "１３８１２３４５６７８",
            "＋86 138 1234 5678",
        ],
    )
    def test_reads_a_phone_number_in_any_usual_spelling(self, text: str) -> None:
        assert identify(text, region="CN") == Identity(IdentityKind.PHONE, "+8613812345678")

    @pytest.mark.parametrize("text", ["Ana@Example.org", "ANA@EXAMPLE.ORG ", "ａna@example.org"])
    def test_reads_an_address_in_any_case(self, text: str) -> None:
        assert identify(text, region="CN") == Identity(IdentityKind.EMAIL, "ana@example.org")

    @pytest.mark.parametrize("text", ["ana", "ANA ", "ａｎａ"])
    def test_reads_a_username_in_any_case_and_width(self, text: str) -> None:
        assert identify(text, region="CN") == Identity(IdentityKind.USER_NAME, "ana")

    @pytest.mark.parametrize("text", ["", " ", "a@", "123", "1" * 300, "\0", "a\0b", "x" * 300])
    def test_is_none_for_what_nobody_can_have(self, text: str) -> None:
        assert identify(text, region="CN") is None


class TestNormalisePhone:
    def test_takes_the_region_for_a_number_without_country_code(self) -> None:
        assert normalise_phone("(415) 555-2671", region="US") == "+14155552671"

    @pytest.mark.parametrize("text", ["12345", "+86 1", "1-800-FLOWERS", "phone"])
    def test_refuses_what_cannot_be_called(self, text: str) -> None:
        with pytest.raises(BadIdentity, match="phone number"):
            normalise_phone(text, region="CN")


class TestNormaliseEmail:
    @pytest.mark.parametrize(
        "text", ["ana", "ana@", "a b@example.org", "ana@localhost", f"{'a' * 300}@b.org"]
    )
    def test_refuses_what_is_no_address(self, text: str) -> None:
        with pytest.raises(BadIdentity, match="email"):
            normalise_email(text)


class TestNormaliseUserName:
    @pytest.mark.parametrize(
        "text", ["13800000000", "+8613812345678", "138-0000", "007", "__", "a@b.org"]
    )
    def test_refuses_the_shape_of_a_phone_number_or_address(self, text: str) -> None:
        with pytest.raises(BadIdentity, match="cannot look like"):
            normalise_user_name(text)

    @pytest.mark.parametrize(
        "text", ["аdmin", "adminα", "jo sé", "a/b", "<b>", "ad\u200dmin", "İx"]
    )
    def test_refuses_letters_that_could_pass_for_others(self, text: str) -> None:
        with pytest.raises(BadIdentity, match="is made of"):
            normalise_user_name(text)

    @pytest.mark.parametrize("text", ["x", "x" * 31])
    def test_refuses_the_too_short_and_too_long(self, text: str) -> None:
        with pytest.raises(BadIdentity, match="2 to 30"):
            normalise_user_name(text)

    def test_takes_chinese_names(self) -> None:
        assert normalise_user_name("王伟") == "王伟"


class TestNormaliseNickname:
    def test_drops_what_is_not_seen(self) -> None:
        assert normalise_nickname("  A\0na\u202e \n Lu ") == "Ana Lu"

    def test_keeps_emoji_and_rare_characters(self) -> None:
        assert normalise_nickname("𠮷野👩‍🔬") == "𠮷野👩‍🔬"

    def test_refuses_the_too_long(self) -> None:
        with pytest.raises(BadIdentity):
            normalise_nickname("x" * 65)
