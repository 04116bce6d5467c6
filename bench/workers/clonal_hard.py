"""Hard cases of the bench of clonal clustering: simulated tumours, ours beside the random starts.

`best` is the V-measure of whoever knows the true prevalences and weights and only has to say which
mutation belongs where. The peer is the published algorithm in numpy, not PyClone-VI."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from workers import clonal_measure as measure

# V-measures as close as this are equal: where the data cannot tell, luck decides more than that.
SAME_V = 0.01


@dataclass(frozen=True)
class Hard:
    """A tumour of the simulator, and the options of both programs."""

    name: str
    experiment: dict[str, Any]
    options: tuple[str, ...] = ()
    """Of both programs."""
    is_quick: bool = False
    is_large: bool = False


BINOMIAL = ("--density", "binomial")
CASES = [
    Hard("12 clusters, 600 x 3", {"n_mutations": 600, "n_samples": 3, "n_clusters": 12}),
    Hard("12 clusters, 1,200 x 5", {"n_mutations": 1200, "n_samples": 5, "n_clusters": 12}),
    Hard("8 clusters, 400 x 5", {"n_mutations": 400, "n_samples": 5, "n_clusters": 8}, (), True),
    Hard("depth 30, 500 x 3", {"n_mutations": 500, "n_samples": 3, "n_clusters": 6, "depth": 30.0}),
    Hard(
        "up to 48 copies, 400 x 3",
        {"n_mutations": 400, "n_samples": 3, "n_clusters": 6, "largest_major_cn": 48},
        (),
        True,
    ),
    Hard(
        "tumour content 0.12 to 0.20, 500 x 3",
        {
            "n_mutations": 500,
            "n_samples": 3,
            "n_clusters": 5,
            "depth": 400.0,
            "tumour_content": (0.12, 0.16, 0.2),
        },
    ),
    Hard(
        "0.05 apart, depth 1,000, 800 x 2",
        {
            "n_mutations": 800,
            "n_samples": 2,
            "n_clusters": 8,
            "depth": 1000.0,
            "separation": 0.05,
            "precision": 1000.0,
        },
    ),
    Hard(
        "one large, many tiny clusters, 800 x 3",
        {"n_mutations": 800, "n_samples": 3, "n_clusters": 10, "evenness": 0.3},
    ),
    Hard(
        "depth 2,000, binomial, 1,000 x 2",
        {
            "n_mutations": 1000,
            "n_samples": 2,
            "n_clusters": 8,
            "depth": 2000.0,
            "density": "binomial",
        },
        BINOMIAL,
    ),
    Hard(
        "much scatter (precision 30), 400 x 3",
        {"n_mutations": 400, "n_samples": 3, "n_clusters": 6, "precision": 30.0},
    ),
    Hard(
        "12 clusters, 20,000 x 5",
        {"n_mutations": 20_000, "n_samples": 5, "n_clusters": 12},
        is_large=True,
    ),
]


@dataclass(frozen=True)
class Outcome:
    """One tumour: the best possible V-measure, and what both programs found."""

    case: Hard
    seed: int
    n_true: int
    best_v: float
    ours: dict[str, Any] = field(default_factory=dict)
    peer: dict[str, Any] = field(default_factory=dict)


def measured(case: Hard, folder: Path, *, seed: int) -> Outcome:
    """Simulate the tumour and run both on it."""
    from jobs.engines import clonal
    from jobs.engines.clonal.formats import truth_tsv

    experiment = dict(case.experiment)
    if "density" in experiment:
        experiment["density"] = clonal.Density(experiment["density"])
    made = clonal.simulate(clonal.Experiment(**experiment, seed=seed))
    folder.mkdir(parents=True)
    path, loci = folder / "in.tsv", folder / "peer.tsv"
    path.write_text(clonal.long_tsv(made.table))
    path.with_suffix(".truth.tsv").write_text(truth_tsv(made))
    truth = measure.truth_of(path)
    found = measure.ours([path], folder / "ours", list(case.options))
    restarts = "3" if case.is_large else "10"
    peer = measure.random_starts(path, loci, [*case.options, "--restarts", restarts])
    return Outcome(
        case,
        seed,
        len(made.prevalence),
        best_v(made, case),
        found | measure.quality(truth, folder / "ours" / "tables" / "loci.tsv"),
        peer | measure.quality(truth, loci),
    )


def best_v(made: Any, case: Hard) -> float:
    """The V-measure of assigning with the true prevalences and weights known."""
    from jobs.engines import clonal
    from jobs.engines.clonal.likelihood import at_prevalences

    density = clonal.Density(case.experiment.get("density", "beta-binomial"))
    model = clonal.ReadModel(density, case.experiment.get("precision", 200.0))
    scores = at_prevalences(made.table, model, prevalence=made.prevalence)
    scores += np.log(np.bincount(made.clusters) / len(made.clusters))
    return float(clonal.agreement(made.clusters, scores.argmax(axis=1)).v_measure)


def report(outcomes: list[Outcome]) -> list[str]:
    """Prints the table; the cases in which the random starts were better."""
    columns = ("best V", "V", "error", "clusters", "CPU s", "V", "error", "clusters", "CPU s")
    print(f"\n{'hard cases':44}{'':9}{'ours':>36}{'random starts':>36}")
    print(f"{'':44}" + "".join(f"{name:>9}" for name in columns))
    missed = []
    for each in outcomes:
        cells = [each.best_v]
        for who in (each.ours, each.peer):
            cells += [who["v"], who["error"], who["clusters"], who["cpu_s"]]
        name = f"{each.case.name}, seed {each.seed} ({each.n_true})"
        print(f"{name:44}" + "".join(f"{cell:9.3g}" for cell in cells))
        if each.ours["v"] < each.peer["v"] - SAME_V:
            missed.append(f"{name}: V-measure")
    means = {
        who: np.mean([getattr(each, who)["v"] for each in outcomes]) for who in ("ours", "peer")
    }
    print(f"mean V-measure: ours {means['ours']:.4f}, random starts {means['peer']:.4f}")
    return missed
