"""`foretrain signatures`: which known failures is a candidate held against, and which are the user's own?"""

from __future__ import annotations

import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import runner, storage
from foretrain.checkpoint import Store
from foretrain.cli import options
from foretrain.errors import DataError, ForetrainError
from foretrain.record import Role
from foretrain.settings import Settings, SignatureSettings

if TYPE_CHECKING:
    from foretrain.signatures.collection import Collection
    from foretrain.signatures.record import Prescreen, Signature

app = typer.Typer(help="Signatures: the known failures that candidates are held against.", no_args_is_help=True)

_MOST_LINES = 20

Shipped = Annotated[bool, typer.Option("--shipped", help="The shipped library instead of your own.")]


@app.callback()
def signatures() -> None:
    """Signatures: the known failures that candidates are held against."""


@app.command("list")
def list_(shipped: Shipped = False, config: options.Config = None, json: options.Json = False) -> None:
    """Show your library, newest last: what each signature is, and of which data."""
    found = _held(config, shipped=shipped)
    if json:
        print("[" + ",\n".join(s.model_dump_json() for s, _ in found.values()) + "]")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from foretrain.signatures.sentences import origin

    console = Console(highlight=False)
    if shipped:  # hundreds: their counts
        table = Table(title=f"{len(found):,} shipped signatures", title_style="bold", box=box.SIMPLE_HEAD)
        table.add_column("mechanism")
        table.add_column("signatures", justify="right")
        for mechanism, count in Counter(s.mechanism or "" for s, _ in found.values()).most_common():
            table.add_row(mechanism, f"{count:,}")
        console.print(table)
        return
    table = Table(title=f"{len(found):,} signatures", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "what", "candidate", "original", "damage", "votes", "embedding"):
        table.add_column(name, overflow="fold")
    for s, version in found.values():
        votes = "no" if s.collapsed is None else "collapsed" if s.collapsed else "healthy"
        table.add_row(s.id, origin(s), s.name, s.dataset, f"{s.damage:.0%}", votes, str(version))
    console.print(table)


@app.command()
def add(
    out: Annotated[str, typer.Argument(help="The --out of a validation, or a folder that export wrote.")],
    mechanism: Annotated[
        str | None,
        typer.Option(help="What you know of a candidate: healthy, or how it collapsed. It votes from then on."),
    ] = None,
    config: options.Config = None,
) -> None:
    """Add the candidate of a validation, or exported signatures, to your library."""
    from foretrain.signatures import collection, outcomes
    from foretrain.signatures.library import Library
    from foretrain.validation import opened

    settings = options.settings(config).settings
    fs, path, _ = storage.filesystem(storage.join(out, collection.LIST))
    if fs.isfile(path):
        if mechanism is not None:
            raise DataError("--mechanism is for a single validation, and this is a folder of signatures", file=out)
        print(f"{Library.of(settings.signatures).add(collection.read(out)):,} signatures added")
        return
    _, found = opened(out)
    if found.prescreen is None or found.inputs.original is None:
        why = found.not_run.get("prescreen") or found.failures.get("prescreen") or "it is of an earlier version"
        raise DataError(f"this validation has no signature: {why}", file=out)
    made = outcomes.outcome(
        found.prescreen, found, found.inputs.candidate, found.inputs.original, found.settings, mechanism
    )
    outcomes.keep(made, settings)
    print(f"added {made.signatures[0].id}")


@app.command()
def rebuild(
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the signatures that cannot be made again, or cannot be read.")
    ] = False,
    config: options.Config = None,
) -> None:
    """Make signatures of other embedding versions again from their sources, and put all vectors into one file."""
    from foretrain.signatures.collection import Collection
    from foretrain.signatures.library import Library

    settings = options.settings(config).settings
    library = Library.of(settings.signatures)
    faulty, known = library.unreadable(), library.signatures()
    made, lost = Collection.empty(), {}
    for id_, why in faulty.items():
        try:
            made += _again(known[id_][0], settings)
        except ForetrainError as error:
            lost[id_] = f"{id_}: {why}. {error}"
    whole = library.read(frozenset(faulty)) + made
    if len(whole):
        library.replace(whole)
    if forget:
        library.forget(set(lost))
    left = "removed" if forget else "left as they are"
    print(f"{len(whole):,} signatures in one file, {len(made):,} of them made again; {len(lost):,} {left}")
    for line in list(lost.values())[:_MOST_LINES]:
        print(f"  {line}")
    if lost and not forget:
        raise DataError(f"{len(lost):,} signatures cannot be made again", hint="--forget removes them")


def _again(signature: Signature, settings: Settings) -> Collection:
    """The signature of a pair of sources, made by this version.

    Raises:
        ForetrainError: they are not known, gone, or not what they were.
    """
    from foretrain.signatures import vectors
    from foretrain.signatures.collection import Collection
    from foretrain.signatures.embedding import WIDTH

    about = signature.settings
    if not all(isinstance(about.get(role), str) and about[role] != "memory" for role in ("candidate", "original")):
        raise DataError("it is not known where the tables are")
    sources: dict[Role, object] = {"candidate": about["candidate"], "original": about["original"]}
    with tempfile.TemporaryDirectory(prefix="foretrain-") as passing:
        update: dict[str, object] = {"target": about.get("target"), "seed": about.get("seed", 0)}
        update["signatures"] = SignatureSettings(folder=passing)  # an empty one
        result = runner.through("prescreen", sources, settings.model_copy(update=update), Store(passing))
        found: Prescreen = result.record
        if found.pair != signature.id:
            raise DataError("the tables have changed since")
        return Collection((signature,), vectors.read(found.vector, None, 1, WIDTH))


@app.command()
def export(
    folder: Annotated[str, typer.Argument(help="Folder or URL that takes signatures.json and vectors.safetensors.")],
    shipped: Shipped = False,
    config: options.Config = None,
) -> None:
    """Write your library into a folder that foretrain signatures add takes."""
    from foretrain.signatures import collection, seed
    from foretrain.signatures.library import Library

    settings = options.settings(config).settings
    held = seed.load()[0] if shipped else Library.of(settings.signatures).read()
    collection.write(folder, held)
    print(f"{len(held):,} signatures written to {folder}")


def _held(config: str | None, *, shipped: bool) -> dict[str, tuple[Signature, int]]:
    """The signatures of a library by id, with their embedding versions."""
    from foretrain.signatures import seed
    from foretrain.signatures.embedding import VERSION
    from foretrain.signatures.library import Library

    if shipped:
        return {signature.id: (signature, VERSION) for signature in seed.load()[0].signatures}
    return Library.of(options.settings(config).settings.signatures).signatures()
