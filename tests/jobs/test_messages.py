from dataclasses import dataclass

import pytest

from jobs.messages import BadMessage, dump, kind_of, load, message


@message("sample.greet")
@dataclass(frozen=True)
class Greet:
    name: str
    times: int = 1


class TestMessage:
    def test_survives_the_journey(self) -> None:
        assert load("sample.greet", dump(Greet("Ana", times=2))) == Greet("Ana", times=2)

    def test_is_queued_by_the_domain_of_its_kind(self) -> None:
        assert (kind_of(Greet).name, kind_of(Greet).queue) == ("sample.greet", "sample")

    def test_refuses_a_kind_that_is_taken(self) -> None:
        with pytest.raises(ValueError, match="already taken by Greet"):

            @message("sample.greet")
            @dataclass(frozen=True)
            class Other:
                pass

    def test_refuses_a_class_that_is_not_registered(self) -> None:
        with pytest.raises(BadMessage, match="int is not registered"):
            kind_of(int)


class TestLoad:
    @pytest.mark.parametrize(
        ("kind", "args", "complaint"),
        [
            ("sample.gone", {}, "unknown kind of job: sample.gone"),
            ("sample.greet", {}, "missing 1 required positional argument: 'name'"),
            ("sample.greet", {"name": "a", "colour": 1}, "unexpected keyword argument 'colour'"),
        ],
        ids=["kind", "missing", "unexpected"],
    )
    def test_says_what_does_not_fit(self, kind: str, args: dict, complaint: str) -> None:
        with pytest.raises(BadMessage, match=complaint):
            load(kind, args)
