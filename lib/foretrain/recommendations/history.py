"""What did fixes bring before? Every gain that was expected, measured and reported, in the signatures' database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table, UniqueConstraint, func, select, update
from sqlalchemy.exc import IntegrityError

from foretrain.collapse.table import Floats
from foretrain.database import Database
from foretrain.errors import DataError, SettingsError
from foretrain.recommendations.fixes import restored
from foretrain.recommendations.prediction import row
from foretrain.recommendations.record import Recommendations

if TYPE_CHECKING:
    from foretrain.settings import Settings, SignatureSettings

STEP = 50
"""Runs after which a history is read again, then twice as many, and so on: what is expected changes seldom, so that
what was computed is found again."""

_metadata = MetaData()
_table = Table(
    "recommendations",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run", String(16), nullable=False, index=True),
    Column("id", String, nullable=False),
    Column("numbers", JSON, nullable=False),
    Column("predicted", Float, nullable=False),
    Column("before", Float, nullable=False),
    Column("measured", Float),
    Column("after", Float),
    UniqueConstraint("run", "id"),
)


@dataclass(frozen=True)
class Gains:
    """Measured or reported gains.

    Attributes:
        numbers: what each was expected from.
        points: of score.
        runs: the run each is of.
    """

    numbers: tuple[dict[str, float], ...]
    points: Floats
    runs: tuple[str, ...]


class History:
    """The recommendations of all runs that share a database."""

    def __init__(self, settings: SignatureSettings) -> None:
        self.database = Database.of(settings)
        self.database.make(_metadata)

    @staticmethod
    def exists(settings: SignatureSettings) -> bool:
        """Whether there is one."""
        return Database.exists(settings) and Database.of(settings).has(_table.name)

    def add(self, found: Recommendations) -> int:
        """Keep what was expected and measured; what is known already stays. Returns how many were new."""
        rows = [
            {
                "run": found.run,
                "id": each.id,
                "numbers": row(found.situation, [restored(action) for action in each.actions]),
                "predicted": each.predicted,
                "before": 100 * (1 - found.situation["probability"]),
                "measured": None if each.measured is None else each.measured.score.value,
            }
            for each in found.found
        ]
        with self.database.faults(), self.database.begin() as connection:
            known = set(connection.execute(select(_table.c.id).where(_table.c.run == found.run)).scalars())
        new = [row for row in rows if row["id"] not in known]
        if new:
            try:
                with self.database.faults(), self.database.begin() as connection:
                    connection.execute(_table.insert(), new)
            except IntegrityError:  # another process kept the same run
                return 0
        return len(new)

    def report(self, run: str, id_: str, score_after: float) -> tuple[float, float | None]:
        """Note the score that a user found after applying a fix. Returns the score before and the measured gain.

        Raises:
            DataError: there is no such run, or no such recommendation in it.
        """
        these = (_table.c.run == run) & (_table.c.id == id_)
        with self.database.faults(), self.database.begin() as connection:
            held = connection.execute(select(_table.c.before, _table.c.measured).where(these)).one_or_none()
            if held is None:
                ids = select(_table.c.id).where(_table.c.run == run).order_by(_table.c.number)
                known = connection.execute(ids).scalars().all()
                if known:
                    raise DataError(f"run {run} has no recommendation {id_}", hint=f"It has {', '.join(known)}")
                raise DataError(f"there is no run {run} in the history", file=self.database.place)
            connection.execute(update(_table).where(these).values(after=score_after))
        return held.before, held.measured

    def gains(self, runs: int | None = None) -> Gains:
        """Gains of the first so many runs (all where None); a reported one before a measured one."""
        order = func.min(_table.c.number)
        first = select(_table.c.run).group_by(_table.c.run).order_by(order).limit(runs)
        wanted = select(_table).where(_table.c.run.in_(first.subquery().select())).order_by(_table.c.number)
        with self.database.faults(), self.database.begin() as connection:
            rows: Sequence[Any] = connection.execute(wanted).all()
        held = [(r, r.measured if r.after is None else r.after - r.before) for r in rows]
        held = [(r, gain) for r, gain in held if gain is not None]
        return Gains(
            tuple(r.numbers for r, _ in held), np.asarray([gain for _, gain in held]), tuple(r.run for r, _ in held)
        )

    def runs(self) -> int:
        """How many runs it knows."""
        with self.database.faults(), self.database.begin() as connection:
            return int(connection.execute(select(func.count(_table.c.run.distinct()))).scalar_one())


def remember(found: Recommendations, settings: Settings) -> None:
    """Keep a run's recommendations.

    Raises:
        SettingsError: signatures are in a folder without a database.
        StorageError: the database does not answer.
    """
    History(settings.signatures).add(found)


def read_runs(settings: Settings) -> int:
    """So many of the first runs are learned from: 0, or 50 times a power of two."""
    if not History.exists(settings.signatures):
        return 0
    known, read = History(settings.signatures).runs(), 0
    while (following := max(STEP, 2 * read)) <= known:
        read = following
    return read


def state(settings: Settings) -> str:
    """Changes when what is learned from the history does."""
    try:
        return str(read_runs(settings))
    except SettingsError:  # signatures are in a folder without a database
        return "0"
