"""How good the lists are that a portal serves, on real views and ratings.

    python bench/served.py [--quick] [--json]

Everything as a training before the hidden events does it: the search, the tables, then each
learner's list from her history and the weights of her events, with content and variety. Recent popularity is the peer. Read are the
MARS files in shared/data (or ATRIUM_SHARED_DATA); without them nothing is measured."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jobs.engines import collaborative_filtering as cf  # noqa: E402
from jobs.engines.collaborative_filtering.metrics import figure, judge  # noqa: E402

MARS = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data")) / "ratings/mars"
LIST_LENGTH = 10
# Every kind counts like every other, and dislike is not looked at.
ALIKE = None
RULES = {
    "behaviour alone": cf.ListRules(),
    "content 0.2": cf.ListRules(content=0.2),
    "content 0.2, variety 0.1": cf.ListRules(content=0.2, diversity=0.1),
    "content 0.5": cf.ListRules(content=0.5),
    "content 0.8": cf.ListRules(content=0.8),
}
TRAINING = cf.TrainingConfig(mixtures=cf.NAMED["auto"], evaluate=False, user=None)
DEFAULT_RULES = "content 0.2, variety 0.1"


@dataclass(frozen=True)
class Log:
    """A log of events; arrays (n_events,)."""

    users: Any
    items: Any
    kinds: Any
    values: Any
    times_s: Any

    def only(self, events: Any) -> "Log":
        columns = (self.users, self.items, self.kinds, self.values, self.times_s)
        return Log(*(column[events] for column in columns))

    def matrix(
        self, weights: cf.EventWeights | None, keep: cf.Keep = cf.Keep.FIRST
    ) -> cf.Interactions:
        if weights is ALIKE:
            return cf.build_interactions(self.users, self.items, times_s=self.times_s, keep=keep)
        return cf.behaviour_matrix(
            self.users,
            self.items,
            kinds=self.kinds,
            values=self.values,
            times_s=self.times_s,
            weights=weights,
            keep=keep,
        )


def main() -> int:
    options = _options()
    if not MARS.is_dir():
        print(f"skipped: {MARS} is not there")
        return 0
    log, catalogue = _log(), _catalogue()
    whole = log.matrix(ALIKE)
    rules = [DEFAULT_RULES] if options.quick else list(RULES)
    rows = []
    for split in (cf.leave_last_out(whole), cf.by_time(whole)):
        seen = log.only(_seen(log, whole, split))
        rows.append(_popular(split))
        for name, weights in (("alike", ALIKE), ("weighed", cf.EventWeights())):
            run = cf.train(seen.matrix(weights), TRAINING, catalogue=catalogue)
            portal = Portal(run, seen.matrix(weights, cf.Keep.NEWEST), whole, split)
            rows += [_judged(name, portal, rule) for rule in rules]
    for row in rows:
        print(
            f"{row['split']:16}{row['lists']:36}"
            + "   ".join(f"{name} {_shown(row[name])}" for name in ("recall", "ndcg"))
        )
    if options.json:
        print(json.dumps({"bench": "served", "ratios": _ratios(rows), "rows": rows}))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only lists as they are by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    return parser.parse_args()


def _log() -> Log:
    """The events as `run.py seed --ratings` stores them: stars, and the share that was watched."""
    read = cf.read_ratings(MARS / "views.csv", MARS / "ratings.csv")
    rated, watched = np.isfinite(read.ratings), np.nan_to_num(read.watched) > 0
    kind = np.where(rated, cf.KINDS.index("rating"), cf.KINDS.index("view"))
    stars = np.clip(np.ceil(read.ratings / 2), 1, 5)
    watch = np.full(int(watched.sum()), cf.KINDS.index("watch"))
    return Log(
        np.concatenate([read.user_ids, read.user_ids[watched]]),
        np.concatenate([read.item_ids, read.item_ids[watched]]),
        np.concatenate([kind, watch]),
        np.concatenate([stars, read.watched[watched] / 100]),
        np.concatenate([read.times_s, read.times_s[watched]]),
    )


def _catalogue() -> dict[int | str, cf.ItemContent]:
    items = cf.read_items(MARS / "items.csv")
    return {
        label: cf.ItemContent(
            f"{text.name} {text.description[:500]}",
            (*text.jobs, *text.software, *text.themes),
            text.language,
        )
        for label, text in zip(items.item_ids.tolist(), items.texts, strict=True)
    }


def _seen(log: Log, whole: cf.Interactions, split: cf.Split) -> Any:
    """Which events a training before the hidden ones may read: nothing of a hidden pair and nothing
    later, such as a rating of what was viewed before."""
    train = split.train
    keys = _keys(log.users, log.items)
    known = np.isin(keys, _keys(whole.user_ids[train.users], whole.item_ids[train.items]))
    if split.name == "by-time":
        return known & (log.times_s <= train.times.max())
    pairs = _keys(whole.user_ids[whole.users], whole.item_ids[whole.items])
    hidden = ~np.isin(pairs, _keys(whole.user_ids[train.users], whole.item_ids[train.items]))
    end = np.full(whole.n_users, np.inf)
    end[whole.users[hidden]] = whole.times[hidden]
    return known & (log.times_s <= end[np.searchsorted(whole.user_ids, log.users)])


def _keys(users: Any, items: Any) -> Any:
    return users.astype(np.int64) << 32 | items.astype(np.int64)


@dataclass(frozen=True)
class Portal:
    """A trained run, histories by the newest event of each item, and what lists are judged by."""

    run: cf.TrainedModel
    data: cf.Interactions
    whole: cf.Interactions
    split: cf.Split


def _lists(portal: Portal, rule: str) -> Iterator[list[int]]:
    run, data, whole, split = portal.run, portal.data, portal.whole, portal.split
    place = {item: number for number, item in enumerate(whole.item_ids.tolist())}
    own_row = {user: number for number, user in enumerate(data.user_ids.tolist())}
    # The last item of everybody is asked for at once.
    waits = split.name == "by-time"
    idle_days = dict(zip(data.user_ids.tolist(), _idle_days(run, data).tolist(), strict=True))
    for user in split.users.tolist():
        idle = idle_days.get(whole.user_ids[user].item(), 0.0) if waits else 0.0
        row = own_row.get(whole.user_ids[user].item())
        own = slice(0, 0) if row is None else slice(data.indptr[row], data.indptr[row + 1])
        found = run.top_n(
            data.item_ids[data.items[own]].tolist(),
            LIST_LENGTH,
            weights=data.weights[own].tolist(),
            exclude=whole.item_ids[split.train.history(user)].tolist(),
            rules=RULES[rule],
            n_reasons=1,
            idle_days=idle,
        )
        # An item that nobody met before is in no test, but takes its place all the same.
        yield [place.get(each.item_id, -1) for each in found]


def _idle_days(run: cf.TrainedModel, data: cf.Interactions) -> Any:
    """(n_users,) from the newest event of each history to the newest that the run knows."""
    newest = data.times[data.indptr[1:] - 1]
    return np.maximum(run.newest_s - newest, 0) / 86_400


def _judged(name: str, portal: Portal, rule: str) -> dict[str, Any]:
    lists = np.full((len(portal.split.users), LIST_LENGTH), -1)
    for row, found in enumerate(_lists(portal, rule)):
        lists[row, : len(found)] = found
    return _row(f"{name}, {rule}", portal.split, lists)


def _popular(split: cf.Split) -> dict[str, Any]:
    model = cf.RecentPopularity()
    model.fit(split.train.user_items, times=split.train.times)
    histories = split.train.user_items[split.users]
    return _row(
        "recent popularity", split, model.recommend(split.users, histories, N=LIST_LENGTH)[0]
    )


def _row(name: str, split: cf.Split, lists: Any) -> dict[str, Any]:
    figures = judge(lists, hidden=split.hidden)
    shown = {each: figure(getattr(figures, each)) for each in ("recall", "ndcg")}
    intervals = {each: [f.value, f.low, f.high] for each, f in shown.items()}
    return {"split": split.name, "lists": name, "n_users": len(split.users)} | intervals


def _shown(interval: list[float]) -> str:
    value, low, high = interval
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """NDCG of the default lists to that of recent popularity, and to events counted alike."""
    ndcg = {(row["split"], row["lists"]): row["ndcg"][0] for row in rows}
    ratios = {}
    for split in dict.fromkeys(row["split"] for row in rows):
        weighed = ndcg[split, f"weighed, {DEFAULT_RULES}"]
        ratios[f"{split}: to recent popularity"] = weighed / ndcg[split, "recent popularity"]
        ratios[f"{split}: to events alike"] = weighed / ndcg[split, f"alike, {DEFAULT_RULES}"]
    return ratios


if __name__ == "__main__":
    sys.exit(main())
