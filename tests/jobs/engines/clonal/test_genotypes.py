"""Genotype states worked out by hand from the model's description."""

import numpy as np
import pytest

from jobs.engines.clonal.genotypes import GenotypePrior, States, genotype_states

MAJOR = GenotypePrior.MAJOR_COPY_NUMBER
PARENTAL = GenotypePrior.PARENTAL_COPY_NUMBER
TOTAL = GenotypePrior.TOTAL_COPY_NUMBER
Rows = list[tuple[float, float, float, float]]


def rows_of(states: States) -> Rows:
    return list(
        zip(
            states.normal.tolist(),
            states.reference.tolist(),
            states.variant.tolist(),
            states.mutated.round(6).tolist(),
            strict=True,
        )
    )


class TestGenotypeStates:
    @pytest.mark.parametrize(
        ("prior", "major", "minor", "normal", "expected"),
        [
            pytest.param(MAJOR, 1, 1, 2, [(2, 2, 2, 0.5)], id="diploid"),
            pytest.param(MAJOR, 1, 0, 1, [(1, 1, 1, 0.999)], id="X in a man"),
            pytest.param(MAJOR, 1, 0, 2, [(2, 2, 1, 0.999), (2, 1, 1, 0.999)], id="lost copy"),
            pytest.param(
                MAJOR,
                2,
                1,
                2,
                [(2, 2, 3, 0.333333), (2, 2, 3, 0.666667), (2, 3, 3, 0.333333)],
                id="gain",
            ),
            pytest.param(MAJOR, 2, 0, 2, [(2, 2, 2, 0.5), (2, 2, 2, 0.999)], id="loss made up for"),
            pytest.param(
                PARENTAL,
                3,
                1,
                2,
                [(2, 2, 4, 0.25), (2, 2, 4, 0.75), (2, 4, 4, 0.25)],
                id="parental: 3 or 1",
            ),
            pytest.param(
                PARENTAL,
                3,
                2,
                2,
                [(2, 2, 5, 0.2), (2, 2, 5, 0.4), (2, 2, 5, 0.6), (2, 5, 5, 0.2)],
                id="parental: 3, 2 or 1",
            ),
            pytest.param(
                TOTAL,
                2,
                1,
                2,
                [
                    (2, 2, 3, 0.333333),
                    (2, 2, 3, 0.666667),
                    (2, 2, 3, 0.999),
                    (2, 3, 3, 0.333333),
                    (2, 3, 3, 0.666667),
                    (2, 3, 3, 0.999),
                ],
                id="total: any number",
            ),
        ],
    )
    def test_lists_the_states_of_the_papers(
        self, prior: GenotypePrior, major: int, minor: int, normal: int, expected: Rows
    ) -> None:
        states = genotype_states(
            major_cn=major, minor_cn=minor, normal_cn=normal, error_rate=0.001, prior=prior
        )

        assert rows_of(states) == expected


class TestExpectedVaf:
    @pytest.mark.parametrize(
        ("prevalence", "tumour_content", "expected"),
        [
            pytest.param(1.0, 1.0, 0.5, id="all cells, heterozygous"),
            pytest.param(0.0, 1.0, 0.001, id="no cell: errors only"),
            # (0.4 * 2 * 0.001 + 0.6 * 0.5 * 2 * 0.001 + 0.6 * 0.5 * 2 * 0.5) / 2
            pytest.param(0.5, 0.6, 0.1507, id="half of an impure tumour"),
        ],
    )
    def test_mixes_the_three_populations(
        self, prevalence: float, tumour_content: float, expected: float
    ) -> None:
        states = genotype_states(major_cn=1, minor_cn=1, normal_cn=2, error_rate=0.001, prior=MAJOR)

        vaf = states.expected_vaf(
            np.array([prevalence]), tumour_content=tumour_content, error_rate=0.001
        )

        assert vaf[0, 0] == pytest.approx(expected, abs=1e-12)
