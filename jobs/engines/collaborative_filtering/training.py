"""One training run: neighbours, trend, figures on held-out data, and what its lists cover."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Tick, Vector, pattern
from jobs.engines.collaborative_filtering.blend import Blend, BlendConfig, Parts
from jobs.engines.collaborative_filtering.blocks import made_at
from jobs.engines.collaborative_filtering.choice import choose_served
from jobs.engines.collaborative_filtering.co_view import CoView, CoViewConfig
from jobs.engines.collaborative_filtering.content import ItemContent, content_neighbours
from jobs.engines.collaborative_filtering.ease import EASE, MOST_ITEMS, EASEConfig
from jobs.engines.collaborative_filtering.evaluation import evaluate, segments
from jobs.engines.collaborative_filtering.executors import engine_of
from jobs.engines.collaborative_filtering.interactions import LONGEST_HISTORY, Interactions
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.kernel import (
    BLOCK_ENTRIES,
    most_entries,
    product_work,
    row_blocks,
)
from jobs.engines.collaborative_filtering.metrics import MetricRow, SegmentRow
from jobs.engines.collaborative_filtering.mixtures import FIRST_DEMAND, Choice, Mixture, asking
from jobs.engines.collaborative_filtering.recommender import Recommender
from jobs.engines.collaborative_filtering.results import ActivityGrid, Label, Neighbours
from jobs.engines.collaborative_filtering.rp3beta import RP3beta, RP3betaConfig
from jobs.engines.collaborative_filtering.splits import Split, by_time, leave_last_out
from jobs.engines.collaborative_filtering.trained import TrainedModel
from jobs.engines.collaborative_filtering.trend import recent_counts
from jobs.engines.collaborative_filtering.user_user import UserUser, UserUserConfig

Progress = Callable[[float, str], None]
"""Called with the fraction done and what is being done; it may raise to cancel the run."""

BLEND, WINDOW, ITEM, USER = "blend with trend", "window co-view", "item-item", "user-user"
WALK, LINEAR = "rp3beta", "ease"
NO_CONTENT = ItemContent(text="")
# Rows and columns of the grid at most, and people of a row at least: nobody is to be made out.
GRID_SIZE, GRID_PEOPLE = 48, 5


@dataclass(frozen=True)
class TrainingConfig:
    """What a run computes. The defaults were chosen on tuning folds of a training site's clicks."""

    item: ItemItemConfig = field(default_factory=lambda: ItemItemConfig(neighbours=200, alpha=0.7))
    """Items that the same people met, at any time."""
    window: CoViewConfig = field(default_factory=CoViewConfig)
    """Items that people went on to."""
    item_weight: float = 0.2
    """Part of `item` in the mixture; `window` has the rest."""
    blend: BlendConfig = field(default_factory=lambda: asking(BlendConfig(), FIRST_DEMAND))
    """How the two are mixed, and how much present demand counts."""
    user: UserUserConfig | None = field(default_factory=UserUserConfig)
    """People who met the same items; None leaves them out."""
    user_work_limit: float = 5e9
    """Multiplications that comparing all users may take, about a minute; above, they are left out."""
    longest_history: int = LONGEST_HISTORY
    """Of a user with more items the newest so many count: work grows with the square."""
    mixtures: tuple[Mixture, ...] = ()
    """Of these the search takes one and tunes how much demand counts; empty: what stands above."""
    popular_half_life_days: float = 30.0
    """How fast the list of popular items forgets."""
    list_length: int = 10
    """Length of the lists that are judged."""
    evaluate: bool = True
    """Measure on held-out data; takes about twice the time of training again."""
    engine: str = "local"
    """Where large tables are made, see executors: "local", "pool:4", "dask:tcp://host:8786"."""
    seed: int = 0
    """Of the bootstrap intervals."""


def train(
    interactions: Interactions,
    config: TrainingConfig | None = None,
    *,
    progress: Progress | None = None,
    catalogue: Mapping[Label, ItemContent] | None = None,
) -> TrainedModel:
    """Everything a portal serves and draws from these interactions.

    catalogue: what is written about the items; those that nobody met can be recommended by it.

    Works on an empty matrix, one user or one item as well; `notes` then says what is missing.
    Raises NoEngine when the engine cannot be had."""
    config = config or TrainingConfig()
    with engine_of(config.engine) as place, made_at(place):
        return _train(interactions, config, progress or _silent, catalogue or {})


def _train(
    interactions: Interactions,
    config: TrainingConfig,
    progress: Progress,
    catalogue: Mapping[Label, ItemContent],
) -> TrainedModel:
    used = interactions.newest(config.longest_history)
    if catalogue:
        used = used.with_items(list(catalogue))
    run = _Run(used, config, progress, catalogue)
    if used.n_pairs < interactions.n_pairs:
        run.notes.append(f"Of longer histories the newest {config.longest_history:,} items count.")
    blend = run.blend()
    return run.result(
        blend, both=run.both(blend.similarity), listed=run.list_counts(blend), users=run.users()
    )


class _Run:
    """The steps of one run; they share its input and its progress."""

    def __init__(
        self,
        interactions: Interactions,
        config: TrainingConfig,
        progress: Progress,
        catalogue: Mapping[Label, ItemContent],
    ) -> None:
        self.data, self.config, self.progress = interactions, config, progress
        self.user_items = interactions.user_items
        self.catalogue = catalogue
        self.notes: list[str] = []
        self.segments: list[SegmentRow] = []
        self.choice = self._choose()

    def _choose(self) -> Choice | None:
        if not self.config.mixtures:
            return None
        return choose_served(
            self.data,
            mixtures=self.config.mixtures,
            k=self.config.list_length,
            seed=self.config.seed,
            tick=self._stage(0.0, 0.15, "choosing a model"),
        )

    def blend(self) -> Blend:
        model = blend_model(self.config, self.choice)
        tick = self._stage(0.15 if self.choice else 0.0, 0.2, "comparing items")
        model.fit(self.user_items, callback=tick, times=self.data.times)
        return model

    def both(self, table: CSR) -> Ids:
        """Users of both items, beside every entry of the table."""
        item_users = pattern(self.user_items).T.tocsr()
        tick = self._stage(0.2, 0.3, "counting people in common")
        return co_counts_of(item_users, table, tick=tick)

    def list_counts(self, blend: Blend) -> Ids:
        tick = self._stage(0.3, 0.4, "making the lists")
        counts = np.zeros(self.data.n_items, dtype=np.int64)
        idle = self.data.idle_days()
        for start in range(0, self.data.n_users, 5_000):
            users = np.arange(start, min(start + 5_000, self.data.n_users))
            lists, _ = blend.recommend(
                users,
                self.user_items[users],
                N=self.config.list_length,
                idle_days=idle[users],
            )
            counts += np.bincount(lists[lists >= 0], minlength=len(counts))
            tick((users[-1] + 1) / self.data.n_users)
        return counts

    def users(self) -> CSR:
        tick = self._stage(0.4, 0.6, "comparing people")
        if not self._compares_users(self.user_items):
            return self.user_items[:0, :0]
        model = UserUser(self.config.user)
        model.fit(self.user_items, callback=tick)
        return model.similarity

    def metrics(self) -> list[MetricRow]:
        if not self.config.evaluate:
            self.notes.append("The run was not measured on held-out data.")
            return []
        last = self._judge(leave_last_out(self.data), 0.6, 0.8)
        return last + self._judge(by_time(self.data), 0.8, 1.0)

    def result(self, blend: Blend, *, both: Ids, listed: Ids, users: CSR) -> TrainedModel:
        metrics = self.metrics()
        self.progress(1.0, "done")
        return TrainedModel(
            item_ids=self.data.item_ids,
            item_counts=self.data.item_counts,
            recent_counts=self._recent_counts(),
            trend=blend.trend,
            neighbours=_arrays(blend.similarity),
            both=both,
            recency=blend.config.recency,
            floor=blend.config.floor,
            floor_days=blend.config.floor_days,
            content=_arrays(self.contents()),
            languages=np.array([each.language for each in self._texts()], dtype=np.str_).reshape(
                -1
            ),
            choice=self.choice.parameters() if self.choice else {},
            user_ids=self.data.user_ids,
            user_neighbours=_arrays(users),
            list_counts=listed,
            grid=activity_grid(self.data),
            metrics=tuple(metrics),
            segments=tuple(self.segments),
            n_pairs=self.data.n_pairs,
            newest_s=float(self.data.times.max(initial=0.0)),
            notes=tuple(self.notes),
        )

    def contents(self) -> CSR:
        """Items of like content; an empty table when nothing is known of any."""
        n_items = self.data.n_items
        if not self.catalogue:
            return sparse.csr_matrix((n_items, n_items), dtype=np.float32)
        return content_neighbours(self._texts())

    def _texts(self) -> list[ItemContent]:
        labels = self.data.item_ids.tolist()
        return [self.catalogue.get(label, NO_CONTENT) for label in labels]

    def _judge(self, split: Split, start: float, end: float) -> list[MetricRow]:
        if not len(split.users):
            self.notes.append(f"Nobody can be judged by the split {split.name}: too little data.")
            return []
        models = self._models(split)
        k, seed = self.config.list_length, self.config.seed
        tick = self._stage(start, end, f"measuring, {split.name}")
        rows = evaluate(models, split, k=k, seed=seed, tick=tick)
        self.segments = self.segments or segments(models[BLEND], split, k=k, seed=seed)
        return rows

    def _models(self, split: Split) -> dict[str, Recommender]:
        models: dict[str, Recommender] = {
            ITEM: ItemItem(),
            WINDOW: CoView(self.config.window),
            BLEND: blend_model(self.config, self.choice),
            WALK: RP3beta(RP3betaConfig(recency=1.0)),
        }
        if split.train.n_items <= MOST_ITEMS:
            models[LINEAR] = EASE(EASEConfig(recency=1.0))
        if self._compares_users(split.train.user_items):
            models[USER] = UserUser(self.config.user)
        return models

    def _compares_users(self, user_items: CSR) -> bool:
        if self.config.user is None:
            return False
        work = float(product_work(user_items, user_items.T.tocsr()).sum())
        if work <= self.config.user_work_limit:
            return True
        note = f"People were not compared: it would take {work:.1e} multiplications."
        self.notes.extend([note] if note not in self.notes else [])
        return False

    def _recent_counts(self) -> Vector:
        half_life = self.config.popular_half_life_days
        return recent_counts(self.user_items, self.data.times, half_life_days=half_life)

    def _stage(self, start: float, end: float, text: str) -> Tick:
        self.progress(start, text)
        return lambda fraction: self.progress(start + fraction * (end - start), text)


def blend_model(config: TrainingConfig, choice: Choice | None = None) -> Blend:
    """The model a run serves, not yet fitted."""
    if choice is not None:
        chosen = choice.model()
        chosen.config = replace(chosen.config, neighbours=config.blend.neighbours)
        return chosen
    parts: Parts = [
        (1 - config.item_weight, CoView(config.window)),
        (config.item_weight, ItemItem(config.item)),
    ]
    return Blend(config.blend, parts=parts)


def co_counts_of(item_users: CSR, table: CSR, *, tick: Tick, users_items: CSR | None = None) -> Ids:
    """Users of both items beside every entry of the table. item_users: ones, (n_rows, n_users).

    users_items: ones, (n_users, n_items), when the rows are not all the items."""
    users_items = item_users.T.tocsr() if users_items is None else users_items
    counts = np.zeros(table.nnz, dtype=np.int64)
    for rows in row_blocks(most_entries(item_users, users_items), budget=BLOCK_ENTRIES):
        entries = slice(table.indptr[rows.start], table.indptr[rows.stop])
        row = np.repeat(
            np.arange(rows.stop - rows.start), np.diff(table.indptr[rows.start : rows.stop + 1])
        )
        products = item_users[rows] @ users_items
        # Looking up entries is a search in a sorted row and a scan of an unsorted one.
        products.sort_indices()
        counts[entries] = np.asarray(products[row, table.indices[entries]]).ravel()
        tick(rows.stop / item_users.shape[0])
    return counts


def activity_grid(data: Interactions) -> ActivityGrid:
    """Groups of people, most active first, by groups of items, most popular first."""
    people = np.bincount(data.users, minlength=data.n_users)
    rows, n_users = _groups(people, most=min(GRID_SIZE, data.n_users // GRID_PEOPLE))
    columns, n_items = _groups(data.item_counts, most=min(GRID_SIZE, data.n_items))
    grid = np.zeros((len(n_users), len(n_items)), dtype=np.float32)
    if grid.size:
        np.add.at(grid, (rows[data.users], columns[data.items]), 1)
        grid /= np.outer(n_users, n_items)
    return ActivityGrid(share=grid, n_users=n_users, n_items=n_items)


def _groups(counts: Ids, *, most: int) -> tuple[Ids, Ids]:
    """The group of every place, the largest counts in group 0, and the size of every group."""
    if most <= 0:
        return np.zeros(len(counts), dtype=np.int64), np.zeros(0, dtype=np.int64)
    group = np.empty(len(counts), dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    group[order] = np.arange(len(counts)) * most // len(counts)
    return group, np.bincount(group, minlength=most).astype(np.int64)


def _arrays(table: CSR) -> Neighbours:
    return Neighbours(indptr=table.indptr, indices=table.indices, data=table.data)


def _silent(_fraction: float, _text: str) -> None:
    """Nobody wants to hear about progress."""
