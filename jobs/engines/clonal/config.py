"""What a clustering run may be told; every field has a default that suits most tumours."""

from dataclasses import dataclass

from jobs.engines.clonal.genotypes import GenotypePrior
from jobs.engines.clonal.likelihood import Density

GRID_LIMITS = (11, 10_001)


@dataclass(frozen=True)
class ClusteringConfig:
    """Options of one run."""

    density: Density = Density.BETA_BINOMIAL
    """Reads scatter more than the binomial allows in nearly all real data."""
    precision: float | None = None
    """Of the beta-binomial. None estimates it from the data; PyClone-VI takes 200."""
    prior: GenotypePrior = GenotypePrior.MAJOR_COPY_NUMBER
    """Which genotypes are possible."""
    clusters: int = 40
    """Clusters allowed; those not needed stay empty. More cost time only."""
    restarts: int = 10
    """Starts at most; fewer when several have ended at the same best result."""
    grid: int | None = None
    """Points of cellular prevalence. None takes 100, and more where clusters are narrower."""
    weight_prior: float = 1.0
    """Dirichlet parameter of the clusters' weights."""
    annealing_steps: int = 1
    """Above 1 every restart is warmed up with a weakened likelihood."""
    annealing_power: float = 1.0
    """How the weakened likelihood rises to the full one; 1 is evenly."""
    tolerance: float = 1e-6
    """Rise of the ELBO, relative to itself, at which sweeps end."""
    max_sweeps: int = 10_000
    """Sweeps at most in one go."""
    processes: int = 1
    """Restarts run at once; the result does not depend on it."""
    seed: int = 0
    """The same seed gives the same tables, byte for byte."""

    def __post_init__(self) -> None:
        wrong = [text for is_wrong, text in self._rules() if is_wrong]
        if wrong:
            raise ValueError("; ".join(wrong))

    def _rules(self) -> list[tuple[bool, str]]:
        low, high = GRID_LIMITS
        precision = 1.0 if self.precision is None else self.precision
        return [
            (not 0 < precision < 1e9, "precision must be positive"),
            (not 1 <= self.clusters <= 1_000, "clusters must be 1 to 1000"),
            (not 1 <= self.restarts <= 10_000, "restarts must be 1 to 10000"),
            (
                self.grid is not None and not low <= self.grid <= high,
                f"grid must be {low} to {high}",
            ),
            (not 0 < self.weight_prior < 1e6, "weight_prior must be positive"),
            (not 1 <= self.annealing_steps <= 1_000, "annealing_steps must be 1 to 1000"),
            (not 0 < self.annealing_power <= 100, "annealing_power must be positive"),
            (not 0 < self.tolerance < 1, "tolerance must lie between 0 and 1"),
            (self.max_sweeps < 1, "max_sweeps must be 1 or more"),
            (not 1 <= self.processes <= 256, "processes must be 1 to 256"),
            (not 0 <= self.seed < 2**63, "seed must be 0 or more"),
        ]
