"""`foretrain cascade`: what happens to small models that learn from this dataset instead of its original?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import api, runner, storage
from foretrain.checkpoint import Store
from foretrain.cli import options
from foretrain.cli.progress import shown
from foretrain.cli.validate import interrupted
from foretrain.record import Role
from foretrain.settings import CascadeMode

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from foretrain.cascade.record import Cascade, Difference, Model


def cascade(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="The dataset in question.")],
    original: Annotated[
        str | None, typer.Option(help="The real data it stands in for. Without it, only decay can be seen.")
    ] = None,
    target: options.Target = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Takes cascade.json and checkpoints. Default: foretrain-out/NAME."),
    ] = None,
    config: options.Config = None,
    seed: options.Seed = None,
    format: options.Format = None,  # noqa: A002 - the flag's name
    effort: options.EffortOption = None,
    checkpoints: options.Checkpoints = None,
    json: options.Json = False,
) -> None:
    """Train the 18 proxy models alone: three sizes, two seeds, on the original, CANDIDATE, and CANDIDATE's child.

    A later foretrain validate of the same files goes on from there.
    """
    settings = options.settings(
        config,
        format=format,
        seed=seed,
        effort=effort,
        target=target,
        cascade=CascadeMode.FULL,
        checkpoints=checkpoints,
    ).settings
    folder = options.folder(out, candidate)
    root = api.checkpoints(settings, folder)
    assert root is not None
    sources: dict[Role, object] = {"candidate": candidate}
    if original is not None:
        sources["original"] = original
    with shown(quiet=json) as progress:
        try:
            found: Cascade = runner.through("cascade", sources, settings, Store(root)).record
        except KeyboardInterrupt:
            raise interrupted(root, progress.done) from None
    text = found.model_dump_json(indent=2) + "\n"
    storage.write(storage.join(folder, "cascade.json"), text.encode())
    if json:
        print(text, end="")
        return
    from rich.console import Console

    Console(highlight=False).print("", *_summary(found), sep="\n")


def _summary(found: Cascade) -> Sequence[RenderableType]:
    from foretrain.cascade.sentences import sentences

    task = f"{found.goal} of {found.target!r}" if found.target else found.goal
    tables = [_losses(found)]
    if found.harm:
        tables.append(_differences("harm: candidate less original", found.harm))
    tables.append(_differences(f"decay in one more generation: {found.arms[2]} less {found.arms[1]}", found.decay))
    facts = [
        f"{found.finished} of {len(found.models)} models finished: {task}, {found.rows:,} rows each.",
        f"All were judged on the same {found.held_out:,} rows. Child: {found.generator}.",
        f"Trained on {found.device}, {found.rows_per_second:,.0f} rows/s.",
    ]
    return (*sentences(found), "", *tables, *facts, *found.notes)


def _losses(found: Cascade) -> Table:
    table = _table("loss on held-out rows, mean of both seeds", "tier", *found.arms)
    for tier in dict.fromkeys(model.tier for model in found.models):
        models = [model for model in found.models if model.tier == tier]
        table.add_row(models[0].architecture, *(_mean([m for m in models if m.arm == arm]) for arm in found.arms))
    return table


def _mean(models: Sequence[Model]) -> str:
    losses = [model.loss for model in models if model.loss is not None]
    return f"{statistics.fmean(losses):.4g}" if losses else models[0].ending


def _differences(title: str, differences: Sequence[Difference]) -> Table:
    table = _table(title, "tier", "loss", "90 %", "share lost", "90 %")
    for found in differences:
        (low, high), (least, most) = found.interval, found.share_interval
        table.add_row(
            found.tier,
            f"{found.loss:+.3g}",
            f"{low:+.3g} to {high:+.3g}",
            f"{found.share:+.1%}",
            f"{least:+.1%} to {most:+.1%}",
        )
    return table


def _table(title: str, *names: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table
