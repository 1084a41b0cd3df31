"""What can be set, what does each setting mean, and what may it be?

A setting comes from the first of these that has it: a flag of the command line or an argument in Python, the
environment (``FORETRAIN_SEED=7``, ``FORETRAIN_PROFILE__SAMPLE_ROWS=50000``), a TOML file, its default.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foretrain.data.reference import Kind
from foretrain.errors import SettingsError

PREFIX = "FORETRAIN_"


class Effort(StrEnum):
    """How much time to trade for certainty."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


class Section(BaseModel):
    """Base of all settings: frozen, strict, every field explained by the sentence below it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    without_result: ClassVar[frozenset[str]] = frozenset()
    """Fields that change no result: how and where it is computed. Not in the key of a checkpoint."""


class DataSettings(Section):
    """How sources are read."""

    format: str | None = None
    """Format of both sources (parquet, csv, ...); found by extension, then by content, when not given."""
    kinds: dict[str, Kind] = {}
    """Kind of a column by its name, where the one found is wrong."""
    max_bytes: Annotated[int, Field(gt=0)] = 2**40
    """Refuse a source that unpacks to more bytes than this."""
    max_expansion: Annotated[float, Field(gt=1)] = 1000.0
    """Refuse a compressed source that grows by more than this factor: a zip bomb."""


class ProfileSettings(Section):
    """How one pass over a dataset is summarised."""

    sample_rows: Annotated[int, Field(ge=1000)] = 20_000
    """Rows kept as a seeded sample for what cannot be streamed; a smaller dataset is kept whole."""
    quantile_k: Annotated[int, Field(ge=8, le=65535)] = 400
    """Size of the KLL quantile sketches; the standard error of a rank is about 0.02 % at 400."""
    distinct_k: Annotated[int, Field(ge=256)] = 4096
    """Hashes kept to count distinct values and rows; exact below, 1.6 % standard error above."""
    max_categories: Annotated[int, Field(ge=16)] = 4096
    """Values of a column counted exactly; beyond it heavy hitters with a stated error."""


class DiversitySettings(Section):
    """How variety is measured."""

    encoder: str | None = None
    """Name or folder of a sentence-transformers model for text columns; hashed TF-IDF when not given."""


class SignatureSettings(Section):
    """The user's own library of signatures, which is searched beside the one that is shipped."""

    without_result: ClassVar[frozenset[str]] = frozenset({"record"})

    folder: str = "~/.local/share/foretrain/signatures"
    """Folder or URL of the library's files."""
    database: str | None = None
    """SQLAlchemy URL of its database (sqlite:// or postgresql://); a file of SQLite in the folder when not given."""
    record: bool = False
    """Whether a validation adds its candidate to the library."""


class PrescreenSettings(Section):
    """When the prescreen may spare the cascade at auto; it never decides."""

    without_result: ClassVar[frozenset[str]] = frozenset({"skip_below", "skip_above"})

    skip_below: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Train no models below this prior of collapse."""
    skip_above: Annotated[float, Field(ge=0, le=1)] = 0.99
    """Train no models above this prior of collapse."""


class CascadeMode(StrEnum):
    """Whether models are trained."""

    OFF = "off"
    AUTO = "auto"
    FULL = "full"


class CascadeSettings(Section):
    """How the 18 proxy models are trained."""

    without_result: ClassVar[frozenset[str]] = frozenset({"mode", "snapshot_seconds"})

    mode: CascadeMode = CascadeMode.AUTO
    """off, auto or full: auto trains at standard and thorough effort, full at any."""
    data: Literal["auto", "table", "text", "image"] = "auto"
    """What the rows are taken for; found by itself at auto."""
    generator: Literal["auto", "trees", "copula", "gaussian", "mixture", "kernel", "bytes", "components"] = "auto"
    """What is refitted on the candidate for the child arm; by the kind of data at auto."""
    rows: Annotated[int, Field(ge=100)] | None = None
    """Rows each model learns from, at most; by the effort when not given."""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of what can be learned whose loss counts as harm."""
    device: str = "auto"
    """Where the nets are trained: cpu, cuda, cuda:1, ...; a GPU where there is one at auto."""
    processes: Annotated[int, Field(ge=1)] = 1
    """Processes that share the training of a tier, one a GPU."""
    snapshot_seconds: Annotated[float, Field(gt=0)] = 30.0
    """A killed run loses at most this much training."""


class DispatchSettings(Section):
    """Where a recorded flow runs the stage that wants a GPU: on another machine, or in its own process."""

    pool: str | None = "gpu"
    """Work pool whose workers have a GPU; its own process if there is no such pool, or none of its workers is there."""
    pickup_seconds: Annotated[float, Field(gt=0)] = 60.0
    """If no worker has begun by then, the flow's own process takes over."""
    queue_seconds: Annotated[float, Field(gt=0)] = 900.0
    """The same while the GPU is taken by another run."""
    lost_seconds: Annotated[float, Field(ge=5)] = 90.0
    """A run that has given no sign of life for so long is taken for dead, and resumed elsewhere."""


class LocalizationSettings(Section):
    """Which rows are flagged."""

    flag_at: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Flag a row that is bad with this probability or above."""


class Prices(Section):
    """What fixes cost, in a currency of your own; the defaults are no more than a start."""

    lost_row: Annotated[float, Field(ge=0)] = 0.001
    """Of a row of the candidate that is dropped."""
    real_row: Annotated[float, Field(ge=0)] = 0.01
    """Of a row of the original that goes into the result."""
    new_row: Annotated[float, Field(ge=0)] = 1.0
    """Of a real row that is yet to be collected."""
    hour: Annotated[float, Field(ge=0)] = 0.05
    """Of an hour of one core."""


class RecommendationMode(StrEnum):
    """Whether fixes are tried."""

    OFF = "off"
    AUTO = "auto"
    FULL = "full"


class RecommendationSettings(Section):
    """Which fixes are tried, and what they cost."""

    without_result: ClassVar[frozenset[str]] = frozenset({"mode", "record"})

    mode: RecommendationMode = RecommendationMode.AUTO
    """off, auto or full: auto tries fixes at standard and thorough effort, full at any."""
    trials: Annotated[int, Field(ge=1)] = 20
    """Fixes tried at most, combinations of them included."""
    seconds: Annotated[float, Field(gt=0)] = 120.0
    """No further one is begun after so long."""
    record: bool = True
    """Whether gains, expected and measured, are kept in the database that the signatures are in."""
    prices: Prices = Prices()


class VerdictSettings(Section):
    """Where the verdict changes."""

    reject_at: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Reject at this probability of collapse or above."""
    review_at: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Ask for a review at this probability of collapse or above."""


class Settings(Section):
    """Everything that can be set for one validation."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Where all chance comes from: same seed, same verdict."""
    effort: Effort = Effort.STANDARD
    """quick, standard or thorough: trades time for certainty."""
    target: str | None = None
    """The column a model would be trained to predict."""
    time_column: str | None = None
    """The column that orders the rows in time; spectral tests along rows are made only with it."""
    checkpoints: str | None = None
    """Folder or fsspec URL of the checkpoint store; the output folder's own when not given."""
    data: DataSettings = DataSettings()
    profile: ProfileSettings = ProfileSettings()
    diversity: DiversitySettings = DiversitySettings()
    signatures: SignatureSettings = SignatureSettings()
    prescreen: PrescreenSettings = PrescreenSettings()
    cascade: CascadeSettings = CascadeSettings()
    dispatch: DispatchSettings = DispatchSettings()
    verdict: VerdictSettings = VerdictSettings()
    localization: LocalizationSettings = LocalizationSettings()
    recommendations: RecommendationSettings = RecommendationSettings()

    def only(self, names: tuple[str, ...]) -> Settings:
        """These settings with all others at their default: a stage cannot read what it did not declare."""
        return Settings().model_copy(update={name: getattr(self, name) for name in names})


Origin = Literal["default", "file", "environment", "argument"]
Tree = dict[str, Any]


@dataclass(frozen=True)
class Effective:
    """Settings, and where each of them came from, by its dotted name."""

    settings: Settings
    origins: dict[str, Origin]


def effective(
    config: str | os.PathLike[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Effective:
    """Settings from a TOML file, the environment and arguments, the later overriding the earlier.

    Args:
        config: path of a TOML file.
        arguments: settings by name, sections as mappings; None means "not given".
        environment: variables; those of the process when not given.

    Raises:
        SettingsError: the file cannot be read, or a setting is unknown or not what it may be.
    """
    layers: list[tuple[Origin, str, Tree]] = [
        ("file", str(config), _file(Path(config)) if config is not None else {}),
        ("environment", "environment", _environment(os.environ if environment is None else environment)),
        ("argument", "", {name: value for name, value in (arguments or {}).items() if value is not None}),
    ]
    merged: Tree = {}
    origins: dict[str, Origin] = {}
    for origin, place, tree in layers:
        for path, value in _leaves(tree, Settings, (), place):
            origins[".".join(path)] = origin
            node = merged
            for name in path[:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = value
    try:
        return Effective(Settings.model_validate(merged), origins)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = next((name for name in origins if f"{where}.".startswith(f"{name}.")), where)
        file = {"file": str(config), "environment": variable(known)}.get(origins.get(known, "default"))
        raise SettingsError(f"setting {where}: {first['msg']}, not {first['input']!r}", file=file) from None


def leaves(section: type[Section] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every setting's dotted name with its pydantic field, in order."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from leaves(field.annotation, (*above, name))
        else:
            yield ".".join((*above, name)), field


def _leaves(
    tree: Tree, section: type[Section], above: tuple[str, ...], place: str
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        path = (*above, name)
        field = section.model_fields.get(name)
        if field is None:
            raise _unknown(path, section, place)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            if isinstance(value, Section):
                value = value.model_dump(exclude_unset=True)
            if not isinstance(value, Mapping):
                raise SettingsError(f"{'.'.join(path)} is a section, not a setting: {value!r}", file=place or None)
            yield from _leaves(dict(value), field.annotation, path, place)
        else:
            yield path, value


def _unknown(path: tuple[str, ...], section: type[Section], place: str) -> SettingsError:
    name, wanted = path[-1], ".".join(path)
    inside = [".".join((*path[:-1], each)) for each in section.model_fields]
    names = {each.rpartition(".")[2]: each for each in (*dict(leaves()), *inside)}
    near = [names[each] for each in difflib.get_close_matches(name, names, n=1)]
    if place == "environment":
        wanted, near, inside = variable(wanted), [variable(name) for name in near], [variable(name) for name in inside]
    hint = f"Did you mean {near[0]}?" if near else f"There is {', '.join(inside)}."
    return SettingsError(f"there is no setting {wanted}", file=place or None, hint=hint)


def _file(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the configuration cannot be read: {error.strerror}", file=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the configuration is not TOML: {error}", file=str(path)) from error


def _environment(variables: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    tables = {name for name, field in leaves() if get_origin(field.annotation) is dict}
    for variable in sorted(variables):
        if not variable.startswith(PREFIX):
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        value: Any = variables[variable]
        if ".".join(path) in tables:
            try:
                value = json.loads(value)
            except ValueError as error:
                raise SettingsError(f"expected a JSON object, not {value!r}", file=variable) from error
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise SettingsError(f"there is no setting {variable}", file="environment")
        node[path[-1]] = value
    return tree


def variable(path: str) -> str:
    """The environment variable of a setting's dotted name."""
    return PREFIX + path.upper().replace(".", "__")
