"""The engine's commands as scripts use them: real processes, exit codes, one JSON object last."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engines.collaborative_filtering.event_file import BadEvents, read_events
from tests.factories.processes import run
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions

# A configuration that the portal would refuse: these commands must not look at it.
ENVIRONMENT = {"ATRIUM_CONFIG": "/nowhere", "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    data = random_interactions()
    lines = ["user_id,item_id,rating,timestamp"]
    for user, item, second, weight in zip(
        data.user_ids[data.users], data.item_ids[data.items], data.times, data.weights, strict=True
    ):
        lines.append(f"{user},{item},{weight:.1f},{int(second)}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


class TestEvaluate:
    @pytest.mark.parametrize("split", ["leave-last-out", "by-time"])
    def test_prints_one_object_last(self, ratings: Path, split: str) -> None:
        options = ("--split", split, "--models", "item-cosine,default", "--k", "5", "--json")

        done = run(ENVIRONMENT, "recommend", "evaluate", "--ratings", str(ratings), *options)

        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert (told["default"], told["k"], told["split"]) == ("blend", 5, split)
        assert set(told["models"]) == {"popularity", "recent-popularity", "item-cosine", "blend"}
        figures = {"recall", "ndcg", "map", "coverage", "seconds", "parameters"}
        assert all(figures <= set(model) for model in told["models"].values())
        assert 0 < told["models"]["blend"]["recall"] <= 1
        assert set(told["rmse"]) == {"baseline", "item-knn", "user-knn"}
        assert set(told["rmse_intervals"]) == set(told["rmse"])
        error, (low, high) = told["rmse"]["item-knn"], told["rmse_intervals"]["item-knn"]
        assert 0 < low < error < high
        assert f"item-knn {error:.4f} ({low:.4f} to {high:.4f})" in done.stdout

    def test_runs_every_model_when_none_is_named(self, ratings: Path) -> None:
        done = run(ENVIRONMENT, "recommend", "evaluate", "--ratings", str(ratings), "--json")

        assert len(json.loads(done.stdout.splitlines()[-1])["models"]) == 15

    def test_needs_no_times(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.csv"
        path.write_text("user_id,item_id\n" + "".join(f"u{n % 7},i{n % 11}\n" for n in range(60)))

        done = run(
            ENVIRONMENT, "recommend", "evaluate", "--ratings", str(path), "--models", "blend"
        )

        assert done.returncode == 0, done.stderr
        assert "7 users judged" in done.stdout

    @pytest.mark.parametrize(
        ("content", "options", "code", "message"),
        [
            ("user_id\n1\n", (), 1, "line 1: the column item_id is missing"),
            ("user_id,item_id\n", (), 1, "no events"),
            ("user_id,item_id,user_id\n1,2,3\n", (), 1, "line 1: names the column user_id more"),
            ("user_id,item_id,rating\n1,2,nan\n", (), 1, 'line 2: rating is "nan"'),
            ("user_id,item_id,rating\n1,2,-1e300\n", (), 1, 'line 2: rating is "-1e300"'),
            ("user_id,item_id\n1\n", (), 1, "line 2: has 1 fields, expected 2"),
            ("user_id,item_id\n1,\n", (), 1, "line 2: item_id is empty"),
            ("user_id,item_id,timestamp\n1,2,x\n", (), 1, 'line 2: timestamp is "x"'),
            ("user_id,item_id\n1,2\n", ("--models", "magic"), 2, "unknown model magic"),
            ("user_id,item_id\n1,2\n", ("--split", "by-time"), 2, "needs a column timestamp"),
            ("user_id,item_id\n1,2\n", ("--items", "/nowhere/i.csv"), 1, "/nowhere/i.csv"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(
        self, tmp_path: Path, content: str, options: tuple[str, ...], code: int, message: str
    ) -> None:
        path = tmp_path / "ratings.csv"
        path.write_text(content)

        done = run(ENVIRONMENT, "recommend", "evaluate", "--ratings", str(path), *options)

        assert done.returncode == code
        assert message in done.stderr
        assert done.stderr.count("\n") == 1

    def test_counts_what_is_in_no_list_with_a_catalogue_of_ids(
        self, ratings: Path, tmp_path: Path
    ) -> None:
        items = tmp_path / "items.csv"
        items.write_text("item_id\n" + "".join(f"more-{n}\n" for n in range(1_000)))
        options = ("--ratings", str(ratings), "--models", "popularity", "--json")

        alone = run(ENVIRONMENT, "recommend", "evaluate", *options)
        among = run(ENVIRONMENT, "recommend", "evaluate", *options, "--items", str(items))

        told = [json.loads(done.stdout.splitlines()[-1])["models"] for done in (alone, among)]
        assert told[1]["popularity"]["coverage"] < 0.1 * told[0]["popularity"]["coverage"]
        line = next(line for line in among.stdout.splitlines() if line.startswith("popularity"))
        assert f"{told[1]['popularity']['coverage']:.3f}" == line.split()[-4]

    def test_prints_novelty_and_the_share_of_popular_items(self, ratings: Path) -> None:
        options = ("--ratings", str(ratings), "--models", "default", "--json")

        done = run(ENVIRONMENT, "recommend", "evaluate", *options)

        *_, header, popular, _recent, ours, _end, _rmse, told = done.stdout.splitlines()
        assert header.split()[-4:] == ["cover", "novelty", "popular", "seconds"]
        for name, line in (("popularity", popular), ("blend", ours)):
            figures = json.loads(told)["models"][name]
            shown = [f"{figures['novelty']:.2f}", f"{figures['popularity_share']:.3f}"]
            assert line.split()[-3:-1] == shown
            assert len(line) == len(header) <= 120

    def test_tells_nothing_of_nobody(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.csv"
        path.write_text("user_id,item_id,timestamp\n1,2,1\n2,3,2\n3,3,4\n3,2,5\n4,2,9\n")

        for split, why in (
            ("leave-last-out", "nobody has 3 items or more"),
            ("by-time", "nobody has items on both sides"),
        ):
            options = ("--ratings", str(path), "--split", split, "--json")
            done = run(ENVIRONMENT, "recommend", "evaluate", *options, "--models", "item-cosine")

            assert done.returncode == 0, done.stderr
            *lines, last = done.stdout.splitlines()
            told = json.loads(last)
            assert why in lines[1]
            assert [why in note for note in told["notes"]] == [True]
            assert told["n_users"] == 0
            for model in told["models"].values():
                names = ("recall", "ndcg", "map", "coverage", "novelty", "popularity_share")
                assert [model[name] for name in names] == [None] * 6
                assert set(model["intervals"].values()) == {None}
            assert next(line for line in lines if "item-cosine  " in line).split()[1:7] == ["–"] * 6

    def test_prints_a_table_without_figures_to_any_terminal(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.csv"
        path.write_text("user_id,item_id\n1,2\n")
        options = ("--ratings", str(path), "--models", "item-cosine")

        done = run(ENVIRONMENT | {"PYTHONIOENCODING": "ascii"}, "recommend", "evaluate", *options)

        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].split()[1:7] == ["?"] * 6

    def test_names_the_share_of_events_that_have_no_order(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        pairs = [(u, i) for u in range(200) for i in random.choice(30, 6, replace=False)]
        told = []
        for rows in (pairs, pairs[::-1]):
            path = tmp_path / "pairs.csv"
            lines = "".join(f"{u},{i},7\n" for u, i in rows)
            path.write_text("user_id,item_id,timestamp\n" + lines)
            options = ("--ratings", str(path), "--models", "window", "--json")

            done = run(ENVIRONMENT, "recommend", "evaluate", *options)

            assert "Note: 100.00% of the pairs have the time of another one" in done.stdout
            told.append(json.loads(done.stdout.splitlines()[-1]))
        one, other = (
            {name: figures["ndcg"] for name, figures in each["models"].items()} for each in told
        )
        assert told[0]["tied_share"] == 1
        assert one == other
        # Chance alone: by id the window model would find ten times as much as popularity.
        assert one["window"] < 1.2 * one["popularity"]

    def test_compares_ratings_where_there_are_any(self, ratings: Path) -> None:
        names = ["adjusted-cosine", "pearson"]
        options = ("--ratings", str(ratings), "--models", ",".join(names), "--json")

        done = run(ENVIRONMENT, "recommend", "evaluate", *options)

        told = json.loads(done.stdout.splitlines()[-1])
        assert told["notes"] == []
        assert told["models"]["pearson"]["ndcg"] != told["models"]["adjusted-cosine"]["ndcg"]

    def test_knows_no_rating_given_after_the_cut(self, ratings: Path, tmp_path: Path) -> None:
        """Everybody changes her mind in the end: a model of the past cannot know."""
        lines = ratings.read_text().splitlines()
        late = max(int(line.rsplit(",", 1)[1]) for line in lines[1:]) + 1
        changed = [
            f"{user},{item},{6 - float(rating):.1f},{late}"
            for user, item, rating, _time in (line.split(",") for line in lines[1:])
        ]
        more = tmp_path / "changed.csv"
        more.write_text("\n".join([lines[0], *changed]) + "\n")
        options = ("--split", "by-time", "--models", "adjusted-cosine,pearson", "--json")

        before = run(ENVIRONMENT, "recommend", "evaluate", "--ratings", str(ratings), *options)
        after = run(
            ENVIRONMENT, "recommend", "evaluate", "--ratings", str(ratings), str(more), *options
        )

        told = [json.loads(done.stdout.splitlines()[-1])["models"] for done in (before, after)]
        for name in ("adjusted-cosine", "pearson"):
            one, other = ({**models[name], "seconds": 0} for models in told)
            assert one == other, name

    def test_leaves_out_what_compares_ratings_without_any(self, tmp_path: Path) -> None:
        path = tmp_path / "pairs.csv"
        lines = "".join(f"u{n % 7},i{n % 11},5\n" for n in range(60))
        path.write_text("user_id,item_id,rating\n" + lines)
        options = ("--ratings", str(path), "--json")

        alone = run(ENVIRONMENT, "recommend", "evaluate", *options)
        named = run(ENVIRONMENT, "recommend", "evaluate", *options, "--models", "pearson")

        told = json.loads(alone.stdout.splitlines()[-1])
        assert len(told["models"]) == 13
        assert "adjusted-cosine and pearson are left out, as there are no ratings" in alone.stdout
        assert "adjusted-cosine and pearson are the plain cosine" in named.stdout

    @pytest.mark.parametrize(("option", "value"), [("--seed", "-1"), ("--k", "0"), ("--k", "x")])
    def test_refuses_what_is_no_such_number(self, ratings: Path, option: str, value: str) -> None:
        done = run(
            ENVIRONMENT, "recommend", "evaluate", "--ratings", str(ratings), f"{option}={value}"
        )

        assert done.returncode == 2
        assert f"argument {option}: must be a whole number of" in done.stderr

    def test_names_a_file_that_is_not_there(self) -> None:
        done = run(ENVIRONMENT, "recommend", "evaluate", "--ratings", "/nowhere/r.csv")

        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "/nowhere/r.csv: No such file" in done.stderr


class TestNeighbours:
    def test_writes_the_cosines_best_first(self, ratings: Path, tmp_path: Path) -> None:
        out = tmp_path / "near.npz"

        done = run(
            ENVIRONMENT,
            *("recommend", "neighbours", "--ratings", str(ratings)),
            *("--top", "50", "--out", str(out)),
        )

        assert done.returncode == 0, done.stderr
        data = random_interactions()
        met = (data.user_items.toarray() > 0).astype(float)
        cosine = met.T @ met / np.sqrt(np.outer(met.sum(axis=0), met.sum(axis=0)))
        np.fill_diagonal(cosine, 0)
        with np.load(out) as file:
            indices, scores, item_ids = file["indices"], file["scores"], file["item_ids"]
        assert indices.shape == scores.shape == (data.n_items, 50)
        assert item_ids.tolist() == data.item_ids.tolist()
        best = -np.sort(-cosine, axis=1)
        np.testing.assert_allclose(scores[:, : data.n_items], best, atol=1e-6)
        for item, (row, values) in enumerate(zip(indices, scores, strict=True)):
            filled = row[row >= 0]
            np.testing.assert_allclose(cosine[item, filled], values[: len(filled)], atol=1e-6)

    @pytest.mark.parametrize(
        ("top", "message"),
        [
            ("5000000", "argument --top: must be 10,000 or less"),
            ("10000", "--top must be 8,333 or less for 60,000 items"),
        ],
    )
    def test_fills_no_disk(self, tmp_path: Path, top: str, message: str) -> None:
        path, out = tmp_path / "pairs.csv", tmp_path / "near.npz"
        path.write_text("user_id,item_id\n" + "".join(f"{n // 2},{n}\n" for n in range(60_000)))
        options = ("--ratings", str(path), "--top", top, "--out", str(out))

        done = run(ENVIRONMENT, "recommend", "neighbours", *options)

        assert done.returncode == 2
        assert message in done.stderr
        assert not out.exists()


class TestReadEvents:
    def test_keeps_ids_that_only_look_alike_apart(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("user_id,item_id\n007,1\n7,1\n")

        assert len(set(read_events([path]).user_ids.tolist())) == 2

    def test_reads_times_of_both_kinds(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        rows = ["1,2,1970-01-01T00:00:10Z", "1,3,20", "1,4,1970-01-01 00:00:30"]
        path.write_text("\n".join(["user_id,item_id,created_at", *rows]))

        events = read_events([path])

        assert events.times_s is not None
        assert events.times_s.tolist() == [10, 20, 30]

    @settings(deadline=None, max_examples=50)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 10**12),
                st.integers(0, 99),
                st.integers(0, 500),
                st.integers(0, 9**9),
            ),
            min_size=1,
            max_size=20,
        ),
        st.sampled_from(["\n", "\r\n"]),
    )
    def test_reads_plain_numbers_as_the_slow_way_does(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, ...]], end: str
    ) -> None:
        folder = tmp_path_factory.mktemp("events")
        header = "user_id,item_id,rating,timestamp"
        lines = [f"{u},{i},{r / 100:.2f},{t}" for u, i, r, t in rows]
        plain, quoted = folder / "plain.csv", folder / "quoted.csv"
        plain.write_bytes(end.join([header, *lines]).encode())
        quoted.write_bytes(
            end.join([header, *(f'"{x.replace(",", chr(34) + ",", 1)}' for x in lines)]).encode()
        )

        one, other = read_events([plain]), read_events([quoted])

        assert one.user_ids.tolist() == other.user_ids.tolist() == [row[0] for row in rows]
        assert one.item_ids.tolist() == other.item_ids.tolist()
        np.testing.assert_allclose(one.ratings, other.ratings, rtol=1e-12)
        assert one.times_s is not None
        assert other.times_s is not None
        np.testing.assert_allclose(one.times_s, other.times_s)

    def test_refuses_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"user_id,item_id\n\xff\xfe,1\n")

        with pytest.raises(BadEvents, match="not UTF-8"):
            read_events([path])
