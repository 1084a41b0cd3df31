"""What do the known signatures near a candidate's say of it?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foretrain.collapse.table import Floats
from foretrain.signatures.collection import Collection
from foretrain.signatures.index import Index
from foretrain.signatures.record import HEALTHY, Cluster, Match, MechanismShare
from foretrain.signatures.vectors import Vectors

NEIGHBOURS = 25
"""Known signatures that vote."""

SHARPNESS = 20.0
"""How fast a vote fades: a similarity lower by 0.05 weighs exp(-1) as much."""

NOVEL = 0.05
"""Conformal p-value below which nothing like it was seen."""

_MOST_MATCHES = 5
_MOST_MECHANISMS = 5
_MOST_OF_CLUSTER = 3

_AXES = 16
_LEAST = 8
"""Signatures of a cluster."""


@dataclass(frozen=True)
class Fitted:
    """What was fitted on the shipped library, each dataset judged by the others.

    Attributes:
        slope, offset: from the log odds of a vote to those of collapse (Platt scaling).
        nearest: (signatures,) the similarity of each to the nearest of another dataset, rising.
    """

    slope: float
    offset: float
    nearest: Floats

    def probability(self, vote: Floats) -> Floats:
        """Of collapse, from the share of the vote that says collapsed."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(vote) + self.offset))), dtype=np.float64)

    def novelty(self, similarity: float) -> float:
        """The conformal p-value of a nearest similarity.

        References:
            Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world; Bates et al. (2023), Testing for
            outliers with conformal p-values.
        """
        below = int(np.searchsorted(self.nearest, similarity, side="right"))
        return (1 + below) / (1 + len(self.nearest))


def log_odds(vote: Floats) -> Floats:
    """Of a share, kept away from certainty."""
    vote = np.clip(vote, 0.005, 0.995)
    return np.asarray(np.log(vote / (1 - vote)), dtype=np.float64)


def weights(similarity: Vectors) -> Floats:
    """What each neighbour's voice counts, (queries, neighbours), each row summing to one; similarities fall."""
    weight = np.exp(SHARPNESS * (similarity.astype(np.float64) - similarity[:, :1]))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True)
class Found:
    """What the neighbours say; see `record.Prescreen`."""

    matches: tuple[Match, ...]
    mechanisms: tuple[MechanismShare, ...]
    generations: float
    prior: float
    novelty: float
    cluster: Cluster | None

    @property
    def novel(self) -> bool:
        """Whether nothing like it was seen."""
        return self.novelty < NOVEL


class Known:
    """Signatures that can be searched.

    Args:
        voting: those whose harm was measured, or labelled by a user; they vote.
        others: those that validations left: they are shown where they are near, and do not vote, or the prescreen
            would learn from its own verdicts.
        fitted: what turns votes into probabilities.
    """

    def __init__(self, voting: Collection, others: Collection, fitted: Fitted) -> None:
        self.voting, self.others, self.fitted = voting, others, fitted
        self._voters = Index.of(voting.vectors)
        self._others = Index.of(others.vectors) if len(others) else None
        self._collapsed = np.asarray([bool(s.collapsed) for s in voting.signatures])
        self._generations = np.asarray([s.generations for s in voting.signatures])
        self._mechanisms = [s.mechanism or HEALTHY for s in voting.signatures]
        self._clusters = [s.cluster for s in voting.signatures]

    def __len__(self) -> int:
        return len(self.voting) + len(self.others)

    def look(self, vector: Vectors) -> Found:
        """What is known of signatures near this one, (512,) of length one."""
        similarity, row = self._voters.nearest(vector[None, :], NEIGHBOURS)
        rows, weight = row[0][row[0] >= 0], weights(similarity[:, row[0] >= 0])[0]
        matches = [
            Match(similarity=float(s), signature=self.voting.signatures[k])
            for s, k in zip(similarity[0], rows[:_MOST_MATCHES], strict=False)
        ]
        if self._others is not None:
            similarity_, row_ = self._others.nearest(vector[None, :], _MOST_MATCHES)
            matches += [
                Match(similarity=float(s), signature=self.others.signatures[k])
                for s, k in zip(similarity_[0], row_[0], strict=True)
                if k >= 0
            ]
        matches = sorted(matches, key=lambda match: -match.similarity)[:_MOST_MATCHES]
        return Found(
            matches=tuple(matches),
            mechanisms=shares([self._mechanisms[k] for k in rows], weight)[:_MOST_MECHANISMS],
            generations=float(weight @ self._generations[rows]),
            prior=float(self.fitted.probability(np.asarray([weight @ self._collapsed[rows]]))[0]),
            novelty=self.fitted.novelty(float(similarity[0, 0])),
            cluster=self._cluster(rows, weight),
        )

    def _cluster(self, rows: npt.NDArray[np.int64], weight: Floats) -> Cluster | None:
        votes: dict[int | None, float] = defaultdict(float)
        for k, w in zip(rows, weight, strict=True):
            votes[self._clusters[k]] += w
        best = max(votes, key=lambda cluster: votes[cluster])
        if best is None:
            return None
        members = [k for k, cluster in enumerate(self._clusters) if cluster == best]
        held = shares([self._mechanisms[k] for k in members], np.full(len(members), 1 / len(members)))
        return Cluster(id=best, members=len(members), share=min(1.0, votes[best]), mechanisms=held[:_MOST_OF_CLUSTER])


def shares(mechanisms: list[str], weight: Floats) -> tuple[MechanismShare, ...]:
    """Each mechanism's part of the weight, largest first."""
    votes: dict[str, float] = defaultdict(float)
    for mechanism, w in zip(mechanisms, weight, strict=True):
        votes[mechanism] += float(w)
    ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    return tuple(MechanismShare(mechanism=name, share=min(1.0, share)) for name, share in ranked)


def fit(collection: Collection) -> tuple[Fitted, Floats]:
    """What `Fitted` holds, each dataset's signatures judged by those of the others; and their votes, (signatures,).

    References:
        Platt (1999), Probabilistic outputs for support vector machines.
    """
    from sklearn.linear_model import LogisticRegression

    similarity, row = apart(collection, NEIGHBOURS)
    collapsed = np.asarray([bool(s.collapsed) for s in collection.signatures])
    vote = (weights(similarity) * collapsed[row]).sum(axis=1)
    platt = LogisticRegression(C=1e6).fit(log_odds(vote)[:, None], collapsed)
    fitted = Fitted(float(platt.coef_[0, 0]), float(platt.intercept_[0]), np.sort(similarity[:, 0].astype(np.float64)))
    return fitted, vote


def apart(collection: Collection, most: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Each signature's nearest of other datasets: similarities and rows, (signatures, most) each, nearest first."""
    dataset = np.unique([s.dataset for s in collection.signatures], return_inverse=True)[1]
    cosine = collection.vectors @ collection.vectors.T
    cosine[dataset[:, None] == dataset[None, :]] = -2.0
    row = np.argsort(-cosine, axis=1, kind="stable")[:, :most]
    return np.take_along_axis(cosine, row, axis=1), row


def clusters(vectors: Vectors) -> list[int | None]:
    """The cluster of each vector, along their principal axes; None where it lies alone.

    References:
        Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density estimates (HDBSCAN).
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    axes = PCA(min(_AXES, len(vectors)), svd_solver="full").fit_transform(vectors.astype(np.float64))
    found = HDBSCAN(min_cluster_size=_LEAST, min_samples=1, copy=True).fit_predict(axes)
    return [int(k) if k >= 0 else None for k in found]
