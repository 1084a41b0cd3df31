"""Shared by the tests of sources: a folder as a stage gets it, and one call that loads and reads back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from foretrain.checkpoint import LocalFolder
from foretrain.data import DatasetRef, load, open_batches
from foretrain.settings import Settings

Loader = Callable[..., DatasetRef]


@pytest.fixture
def loader(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    """`load`, with settings as keywords of `data` and a fresh folder a call."""

    def call(
        source: Any,
        *,
        like: DatasetRef | None = None,
        target: str | None = None,
        time_column: str | None = None,
        **data: Any,
    ) -> DatasetRef:
        folder = LocalFolder(tmp_path_factory.mktemp("stage"))
        settings = Settings.model_validate({"data": data, "target": target, "time_column": time_column})
        return load(source, settings, folder, like=like)

    return call


@pytest.fixture
def table() -> Callable[[DatasetRef], pa.Table]:
    """A dataset's canonical rows."""

    def call(ref: DatasetRef) -> pa.Table:
        return pa.Table.from_batches(open_batches(ref))

    return call
