"""Masks say as little as they may, and the same when put on twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analyses.masking import gives_away, mask_age, mask_file, mask_name, mask_sample


class TestMaskName:
    @pytest.mark.parametrize(
        ("name", "masked"),
        [
            ("张小三", "张*三"),
            ("张三", "张*"),
            ("欧阳小娜", "欧**娜"),
            ("John Smith", "J*** S***"),
            ("Li", "L*"),
            ("李", "*"),
            ("", ""),
        ],
    )
    def test_keeps_the_ends(self, name: str, masked: str) -> None:
        assert mask_name(name) == masked

    @given(st.text(max_size=40))
    def test_is_never_longer_and_the_same_twice(self, name: str) -> None:
        masked = mask_name(name)

        assert len(masked) <= len(name)
        assert mask_name(masked) == masked

    @given(st.text(st.characters(categories=["Lo", "Lu", "Ll"]), min_size=3, max_size=40))
    def test_holds_no_two_letters_in_a_row(self, name: str) -> None:
        assert not any(name[n : n + 2] in mask_name(name) for n in range(len(name) - 1))


class TestMaskAge:
    @pytest.mark.parametrize(
        ("age", "masked"), [(0, "0–9"), (43, "40–49"), (49, "40–49"), (None, "")]
    )
    def test_says_the_decade(self, age: int | None, masked: str) -> None:
        assert mask_age(age) == masked


class TestMaskFile:
    @pytest.mark.parametrize(
        ("name", "masked"),
        [("张三.tsv", "张*.tsv"), ("P1_primary.tsv", "P***y.tsv"), ("a.tsv", "*.tsv")],
    )
    def test_hides_the_stem(self, name: str, masked: str) -> None:
        assert mask_file(name) == masked


class TestMaskSample:
    @pytest.mark.parametrize(
        ("name", "masked"), [("P1.张三", "P***三"), ("张三", "张*"), ("S", "*"), ("", "*")]
    )
    def test_hides_what_follows_a_dot_too(self, name: str, masked: str) -> None:
        assert mask_sample(name) == masked


class TestGivesAway:
    @pytest.mark.parametrize(
        ("text", "name", "told"),
        [
            ("tumour of 张三", "张三", True),
            ("Smith_1", "John SMITH", True),
            ("S1", "张三", False),
            ("S1", "", False),
            ("Aorta", "A B", False),
            ("张 小-三 1", "张小三", True),
            ("BoLi_T1", "Bo Li", True),
            ("T1 li.bo", "Bo Li", True),
            ("ＺＨＡＮＧ1", "zhang wei", True),
            ("bone lining", "Bo Li", False),
        ],
    )
    def test_finds_the_name_and_its_words(self, text: str, name: str, told: bool) -> None:
        assert gives_away(text, name) is told
