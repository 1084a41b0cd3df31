"""Which validations is the report tried on? Tables are drawn and measured, so that the pictures show real shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from unit.recommendations.found import recommendation, recommendations

from foretrain.cascade.record import Cascade
from foretrain.collapse.record import (
    Collapse,
    ColumnComparison,
    Dimension,
    DimensionName,
    ErrorRates,
    Evidence,
    Histogram,
    Matrices,
    Severity,
    Spectrum,
    Verdict,
)
from foretrain.data.reference import Column, DatasetRef, Kind
from foretrain.diversity.record import Diversity, LostOrInvented, Measure
from foretrain.localization.record import Blame, Group, Importance, Localization, Row
from foretrain.recommendations.record import Recommendations
from foretrain.record import Interval
from foretrain.seeds import stream
from foretrain.settings import Settings
from foretrain.signatures.record import Cluster, Match, MechanismShare, Prescreen, Signature
from foretrain.validation import Inputs, Validation

NAMES = (
    *("age", "income", "tenure_months", "balance_eur", "credit_utilisation", "visits", "spend_90d", "returns"),
    *("discount_rate", "sessions", "distance_km", "weight_kg", "height_cm", "pulse", "bmi", "cholesterol"),
)
CITIES = ("Lisboa", "Kraków", "Tórshavn", "Malmö", "Brno", "Graz", "Vaasa", "Split")
HOSTILE = (
    "<script>alert('name')</script>",
    "\"quoted\" & 'single' > `tick` </title></style></svg>",
    "column_" + "very_long_" * 20 + "end",
    "עמודה בעברית (123)",
    "عمود عربي",
    "emoji 🧪👩🏽‍🔬",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    " ",
    "x" * 200,
    "\u202eoverride",
)
TITLES: dict[DimensionName, tuple[str, str]] = {
    "distribution_fidelity": ("Distribution Fidelity", "Is every column distributed as in the original?"),
    "correlation_preservation": ("Correlation Preservation", "Do columns still go together as they did?"),
    "entropy_stability": ("Entropy Stability", "Is there as much variety as before?"),
    "gradient_health": ("Gradient Health", "Does it teach a model as the original does?"),
    "loss_landscape": ("Loss Landscape", "Is it as hard to learn as the original?"),
    "spectral_coherence": ("Spectral Coherence", "Does variance lie along the same axes?"),
    "generalization_gap": ("Generalization Gap", "Does what is learnt on it hold on real rows?"),
    "statistical_consistency": ("Statistical Consistency", "Are effects and their sizes the same?"),
}
CASCADE: tuple[DimensionName, ...] = ("gradient_health", "loss_landscape")
TIMINGS = {"load": 0.42, "profile": 0.81, "diversity": 1.24, "collapse": 4.61, "localization": 0.9, "report": 0.06}
VERSIONS = {"foretrain": "0.1.0", "python": "3.11.9", "numpy": "2.4.6", "scikit-learn": "1.9.0"}


def validation(
    verdict: Verdict = "reject",
    *,
    columns: int = 12,
    rows: int = 20_190,
    original: bool = True,
    harm: float | None = None,
    names: Sequence[str] | None = None,
    settings: Settings | None = None,
    cascade: Cascade | None = None,
    prescreen: Prescreen | None = None,
) -> Validation:
    """A validation whose candidate lost a share `harm` of its spread, its tails and its rare categories."""
    harm = {"approve": 0.02, "review": 0.3, "reject": 0.8, "underpowered": 0.3}[verdict] if harm is None else harm
    names = list(names or [NAMES[i] if i < len(NAMES) else f"feature_{i:04d}" for i in range(columns)])
    settings = settings or Settings(seed=42, target=names[-1])
    return Validation(
        **_collapse(verdict, names, rows, original, harm).model_dump(),
        inputs=Inputs(
            candidate=_dataset("customers_gen5", names, rows, "3f9a"),
            original=_dataset("customers", names, rows, "b71c") if original else None,
        ),
        diversity=_diversity(names, original, harm),
        prescreen=prescreen,
        cascade=cascade,
        localization=localization(names, rows, original),
        recommendations=fixes(names) if original and verdict in ("reject", "review") else None,
        settings=settings,
        timings=TIMINGS,
        versions=VERSIONS,
    )


def fixes(names: Sequence[str], best: str | None = "deduplicate") -> Recommendations:
    """Three fixes that were tried, one of them on a column, and one that was not."""
    found = recommendations("3f9ab71c0042", [("deduplicate", 62.5), ("accumulate", 7.25), ("collect", None)], best)
    drawn = recommendation(f"restore-correlation-{names[0]}", -3.2, title=f"Draw {names[0]} anew, given {names[-1]}")
    return found.model_copy(update={"found": (*found.found[:2], drawn, found.found[2]), "tried": 3})


def localization(names: Sequence[str], rows: int, original: bool = True, flagged: int = 240) -> Localization:
    """Rows flagged for copies and for values of the first column, as the stage says it; none where it abstained."""
    first = names[0]
    why = None if flagged else "no row is more likely bad than not (area under the ROC curve 0.50)"
    values = [(k % 2, 1 - k / (3 * max(flagged, 1))) for k in range(flagged)]
    found = [
        Row(
            row=7 * k,
            confidence=confidence,
            mechanism="copy" if copied else "unlikely_combination",
            sentence="41 rows share this exact combination of values." if copied else f"{first} is odd, 1 in 5,000.",
            columns=() if copied else (Blame(column=first, value="odd", one_in=5000.0),),
        )
        for k, (copied, confidence) in enumerate(values)
    ]
    half = flagged // 2
    groups = (
        Group(
            mechanism="copy", columns=(), rows=half, examples=(7, 21), confidence=0.9, sentence="41 copies of one row."
        ),
        Group(
            mechanism="unlikely_combination",
            columns=tuple(names[:2]),
            rows=flagged - half,
            examples=(0, 14, 28, 42, 56),
            confidence=0.8,
            sentence=f"Values that do not go together, {first} most of all.",
        ),
    )
    return Localization(
        rows=rows,
        flagged=flagged,
        flag_at=0.5,
        expected_bad=1.2 * flagged,
        auc=0.53 if original else None,
        flagged_of_original=0.001 if original else None,
        abstained=why,
        by_mechanism={"copy": half, "unlikely_combination": flagged - half} if flagged else {},
        groups=groups if flagged else (),
        top=tuple(found[:100]),
        importance=(Importance(column=first, share=0.7), Importance(column=names[-1], share=0.3)) if flagged else (),
        table="checkpoints/localization/0/rows.parquet",
        table_rows=rows,
        flagged_rows=tuple(row.row for row in found),
        notes=() if original else ("Without an original only copies within the candidate can be told.",),
    )


def prescreen(*, novel: bool = False, name: str = "older", mechanism: str | None = "copula") -> Prescreen:
    """What a candidate of five generations of a copula looks like; the last match is what a validation left."""
    known = Signature(
        id="iris-0-1",
        mechanism=mechanism,
        strength=5.0,
        generations=4.6,
        damage=0.52,
        collapsed=True,
        origin="loops",
        dataset="iris",
    )
    left = known.model_copy(
        update={"id": "own", "mechanism": None, "origin": "validation", "collapsed": None, "name": name}
    ).model_copy(update={"verdict": "reject", "dataset": name})
    votes = (MechanismShare(mechanism=mechanism or "copula", share=0.62), MechanismShare(mechanism="trees", share=0.38))
    return Prescreen(
        matches=(Match(similarity=0.93, signature=known), Match(similarity=0.88, signature=left)),
        mechanisms=votes,
        generations=4.6,
        prior=0.98,
        novelty=0.02 if novel else 0.41,
        novel=novel,
        cluster=Cluster(id=3, members=21, share=0.7, mechanisms=votes),
        sentence="It looks like a Gaussian copula (62% of the vote of its neighbours).",
        library=1500,
        version=1,
        pair="3f9a-b71c",
        vector="file:///tmp/signature.safetensors",
    )


def _dataset(name: str, names: Sequence[str], rows: int, start: str) -> DatasetRef:
    return DatasetRef(
        name=name,
        uri=f"data/{name}.csv.gz",
        table=f"file:///tmp/{name}.parquet",
        format="csv",
        columns=tuple(
            Column(name=column, kind=Kind.CATEGORICAL if index % 4 == 3 else Kind.NUMERIC, source_type="double")
            for index, column in enumerate(names)
        ),
        rows=rows,
        bytes=rows * len(names) * 9,
        fingerprint=start * 16,
    )


def _collapse(verdict: Verdict, names: Sequence[str], rows: int, original: bool, harm: float) -> Collapse:
    draw = stream(7, "report", "cases")
    bad = {"approve": 0.03, "review": 0.38, "reject": 0.972, "underpowered": 0.31}[verdict]
    wide = 0.3 if verdict == "underpowered" else 0.03
    columns = _columns(names, harm, draw) if original else ()
    damage = 0.16 * harm
    reasons = (
        _reasons(columns, harm) if original else (f"{3 + 20 * harm:.1f} % of rows repeat an earlier row exactly.",)
    )
    return Collapse(
        verdict=verdict,
        score=100 - 85 * harm,
        score_interval=_around(100 - 85 * harm, 100 * wide, 100),
        probability_of_collapse=bad,
        probability_interval=_around(bad, wide, 1),
        severity=Severity(
            damage=damage,
            interval=_around(damage, 0.045, 1),
            class_="none" if damage < 0.02 else "mild" if damage < 0.08 else "medium",
            generations=6.4 * harm,
        ),
        dimensions=_dimensions(columns, original, harm, wide),
        reasons=reasons,
        sentence=_sentence(verdict, damage),
        columns=columns,
        correlations=_matrices([column.name for column in columns][:30], harm, draw) if original else None,
        spectrum=_spectrum(len(names), harm) if original else None,
        smallest_effect=f"a loss of {12 if rows < 500 else 1.4} % of the rows' spread",
        rows_compared=min(rows // 2, 4_000),
        repeats=12,
        calibration="2026.1 (1,240 pairs, 41 datasets)",
        error_rates=ErrorRates(
            pairs=120,
            auroc=0.9956,
            accuracy=0.9833,
            false_alarms=0.018,
            misses=0.013,
            misses_by_severity={"mild": 0.06, "medium": 0.0, "severe": 0.0},
            command="python -m foretrain.collapse.loops evaluate",
        ),
        notes=(f"Paired comparisons drew on {min(rows // 2, 4_000):,} of {rows:,} rows a side.",)
        + (() if original else ("Confidence is capped at 60 %, since tail loss cannot be seen without an original.",)),
    )


def _sentence(verdict: Verdict, damage: float) -> str:
    low, high = (100 * end for end in _around(damage, 0.045, 1))
    return {
        "approve": "Approve: training on this is as good as training on a fresh real sample.",
        "review": f"Review: some variety is missing; expect {100 * damage:.0f} % of what is learnable to be lost, "
        f"{low:.0f} to {high:.0f}.",
        "reject": "Reject: training on this is like training on 5 generations of itself; expect "
        f"{100 * damage:.0f} % of what is learnable to be lost, {low:.0f} to {high:.0f}.",
        "underpowered": "Underpowered: 180 rows are too few to tell; a loss below 12 % would go unseen.",
    }[verdict]


def _around(value: float, half: float, most: float) -> Interval:
    return max(0.0, value - half), min(most, value + half)


def _reasons(columns: Sequence[ColumnComparison], harm: float) -> tuple[str, ...]:
    worst = columns[0]
    return (
        _column_sentence(worst),
        _correlation_sentence(harm),
        f"{2 + 11 * harm:.1f} % of rows are exact copies of rows of the original.",
    )


def _column_sentence(column: ColumnComparison) -> str:
    return f"{column.name} lies {column.distance:.2f} from the original, a fresh sample {column.fresh_distance:.2f}."


def _correlation_sentence(harm: float) -> str:
    return f"Correlations moved by {0.02 + 0.2 * harm:.2f} on average, between halves of the original by 0.02."


def _columns(names: Sequence[str], harm: float, draw: np.random.Generator) -> tuple[ColumnComparison, ...]:
    found = []
    for index, name in enumerate(names):
        share = harm * (1 - 0.8 * index / len(names))
        categorical = index % 4 == 3
        picture = (
            _categorical(share, draw)
            if categorical
            else _counts(share, draw)
            if index % 7 == 5
            else _numeric(index, share, draw)
        )
        original, candidate = np.array(picture.original), np.array(picture.candidate)
        distance = (
            float(abs(original - candidate).sum() / 2)
            if categorical
            else float(abs(np.cumsum(original) - np.cumsum(candidate)).max())
        )
        found.append(
            ColumnComparison(
                name=name,
                kind="categorical" if categorical else "numeric",
                distance=min(1.0, distance),
                fresh_distance=0.021,
                lost_mass=0.06 * share,
                tail_ratio=None if categorical else 1 - 0.4 * share,
                nulls=(0.012, 0.012 * (1 - share)),
                distinct=(8, 8 - round(4 * share)) if categorical else (18_240, 18_240 - 9_000 * share),
                histogram=picture,
            )
        )
    found.sort(key=lambda column: column.distance, reverse=True)
    return tuple(
        column if rank < 12 else column.model_copy(update={"histogram": None}) for rank, column in enumerate(found)
    )


def _numeric(index: int, share: float, draw: np.random.Generator) -> Histogram:
    shape = index % 3
    original = (
        draw.normal(40, 12, 20_000)
        if shape == 0
        else draw.lognormal(3, 0.6, 20_000)
        if shape == 1
        else np.concatenate([draw.normal(20, 4, 12_000), draw.normal(45, 6, 8_000)])
    )
    middle = np.median(original)
    candidate = middle + (draw.permutation(original) - middle) * (1 - 0.55 * share)
    low, high = np.quantile(original, [0.001, 0.995])
    edges = np.linspace(low, high, 41)
    sides = [np.histogram(np.clip(side, low, high), edges)[0] / len(side) for side in (original, candidate)]
    return Histogram(edges=tuple(edges), original=tuple(sides[0]), candidate=tuple(sides[1]))


def _counts(share: float, draw: np.random.Generator) -> Histogram:
    sides = [
        np.bincount(np.clip(draw.poisson(mean, 20_000), 0, 11), minlength=12) / 20_000 for mean in (4, 4 - 1.5 * share)
    ]
    labels = tuple(map(str, range(12)))
    return Histogram(labels=labels, original=tuple(sides[0]), candidate=tuple(sides[1]))


def _categorical(share: float, draw: np.random.Generator) -> Histogram:
    weights = 1 / np.arange(1, len(CITIES) + 1)
    original = draw.multinomial(20_000, weights / weights.sum()) / 20_000
    sharper = original ** (1 + share)
    sharper[-round(1 + 4 * share) :] *= 1 - share
    candidate = draw.multinomial(20_000, sharper / sharper.sum()) / 20_000
    return Histogram(labels=CITIES, original=tuple(original), candidate=tuple(candidate))


def _matrices(names: Sequence[str], harm: float, draw: np.random.Generator) -> Matrices:
    loadings = draw.normal(0, 1, (len(names), 4))
    covariance = loadings @ loadings.T + np.eye(len(names))
    spread = np.sqrt(np.diag(covariance))
    original = covariance / np.outer(spread, spread)
    candidate = original * (1 - 0.6 * harm) + np.eye(len(names)) * 0.6 * harm
    noise = draw.normal(0, 0.03, original.shape)
    candidate = np.clip(candidate + (noise + noise.T) / 2, -1, 1)
    return Matrices(
        columns=tuple(names),
        original=tuple(map(tuple, np.clip(original, -1, 1).tolist())),
        candidate=tuple(map(tuple, candidate.tolist())),
    )


def _spectrum(axes: int, harm: float) -> Spectrum:
    shares = 0.72 ** np.arange(min(axes, 60))
    shares /= shares.sum()
    candidate = shares * (1 - harm * np.linspace(0.05, 0.75, len(shares)))
    return Spectrum(
        original=tuple(shares.tolist()),
        candidate=tuple(candidate.tolist()),
        fresh=tuple((float(0.9 * share), float(1.1 * share)) for share in shares),
    )


def _dimensions(
    columns: Sequence[ColumnComparison], original: bool, harm: float, wide: float
) -> dict[DimensionName, Dimension]:
    weights = dict(zip(TITLES, (0.95, 0.7, 0.8, 0, 0, 0.9, 0.5, 0.35), strict=True))
    seen: tuple[DimensionName, ...] = tuple(TITLES) if original else ("entropy_stability", "spectral_coherence")
    found: dict[DimensionName, Dimension] = {}
    for name, (title, question) in TITLES.items():
        if name in CASCADE or name not in seen:
            reason = (
                "it needs the cascade of proxy models, which did not run."
                if name in CASCADE
                else "it compares with the original, and none was given."
            )
            found[name] = Dimension(
                title=title,
                question=question,
                measured=False,
                score=None,
                interval=None,
                fresh=None,
                smallest_effect=None,
                reason=reason,
            )
            continue
        score = 99 - 95 * harm * weights[name]
        found[name] = Dimension(
            title=title,
            question=question,
            measured=True,
            score=score,
            interval=_around(score, 4 + 60 * wide, 100),
            fresh=(93.0, 100.0) if original else None,
            smallest_effect="a Kolmogorov-Smirnov distance of 0.02",
            evidence=_evidence(name, columns, harm),
        )
    return found


def _evidence(name: DimensionName, columns: Sequence[ColumnComparison], harm: float) -> tuple[Evidence, ...]:
    if name == "correlation_preservation":
        return (
            Evidence(
                statistic="Fisher-z root mean square",
                value=0.02 + 0.2 * harm,
                fresh=0.02,
                badness=harm,
                sentence=_correlation_sentence(harm),
            ),
        )
    return tuple(
        Evidence(
            statistic="Kolmogorov-Smirnov distance",
            columns=(column.name,),
            value=column.distance,
            fresh=column.fresh_distance,
            badness=min(1.0, 2 * column.distance),
            sentence=_column_sentence(column) if name == "distribution_fidelity" else f"{column.name} lost variety.",
        )
        for column in columns[:30]
    )


def _measure(name: str, title: str, unit: str, values: tuple[float, float], original: bool, **more: object) -> Measure:
    candidate, real = values
    return Measure.model_validate(
        {
            "name": name,
            "title": title,
            "unit": unit,
            "better": "higher",
            "candidate": candidate,
            "original": real if original else None,
            "fresh": (0.96 * real, 1.03 * real) if original else None,
            "sentence": f"{title} is {candidate:.3g}" + (f" where fresh samples have {real:.3g}." if original else "."),
        }
        | more
    )


def _diversity(names: Sequence[str], original: bool, harm: float) -> Diversity:
    def less(value: float, share: float) -> tuple[float, float]:
        return value * (1 - share * harm), value

    return Diversity(
        statistical=(
            _measure("hill_1", "Effective number of values", "count", less(412.3, 0.4), original, columns=names[3:4]),
            _measure("hapax", "Values seen once", "share", less(0.184, 0.7), original),
            _measure(
                "coverage",
                "Good-Turing coverage",
                "share",
                (0.94 + 0.05 * harm, 0.94),
                original,
                better="near_original",
            ),
        ),
        structural=(
            _measure("effective_rank", "Effective rank", "count", less(9.42, 0.35), original),
            _measure("cluster_coverage", "Cluster coverage", "share", less(0.98, 0.3), original),
            _measure(
                "near_duplicates",
                "Near-duplicate rows",
                "share",
                (0.004 + 0.09 * harm, 0.004),
                original,
                better="lower",
            ),
            _measure("neighbour_distance", "Distance to the nearest neighbour", "ratio", less(1.0, 0.4), original),
        ),
        rare=(_measure("rare_kept", "Rare categories kept", "share", less(1.0, 0.5), original),) if original else (),
        rare_values=tuple(
            LostOrInvented(
                columns=tuple(names[: 1 + index % 2]),
                values=(CITIES[index % 8], "retired")[: 1 + index % 2],
                original=0.004 / (1 + index) if index % 3 else 0.0,
                candidate=0.0 if index % 3 else 0.002 / (1 + index),
                kind="lost" if index % 3 else "invented",
            )
            for index in range(round(30 * harm))
        )
        if original
        else (),
        semantic=(),
        duplicate_rows=0.003 + 0.09 * harm,
        copies_of_original=0.02 + 0.11 * harm if original else None,
        notes=("Neighbour distances were measured on a seeded sample of 4,000 rows.",),
    )
