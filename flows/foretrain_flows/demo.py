"""What does a healthy candidate look like, and what a collapsed one? `make demo`."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from foretrain import demo
from foretrain.cli.progress import shown
from foretrain.display import summary
from foretrain.errors import ForetrainError
from foretrain.settings import CascadeMode, CascadeSettings, Effort, Settings
from foretrain_flows.command import PrefectRecorder

ROWS = 1000
"""That each model of the cascade learns from, so that the demo takes less than a minute."""


def main() -> None:
    """Build both candidates and validate each as a recorded flow, on Prefect's embedded server."""
    options = argparse.ArgumentParser(prog="python -m foretrain_flows.demo", description=main.__doc__)
    options.add_argument("--out", type=Path, default=Path("foretrain-out/demo"), help="where everything is written")
    options.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.QUICK)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    console = Console(highlight=False)
    with console.status(f"Building a healthy candidate and {demo.GENERATIONS} generations of a self-consuming loop"):
        files = demo.write(chosen.out / "data")
    settings = Settings(
        target=demo.TARGET,
        effort=chosen.effort,
        cascade=CascadeSettings(mode=CascadeMode.FULL, rows=ROWS),
        checkpoints=str(chosen.out / "checkpoints"),
    )
    for candidate in (files.healthy, files.collapsed):
        out = chosen.out / candidate.stem
        console.print(Rule(f"{candidate.stem} candidate", align="left"))
        with shown(quiet=False) as progress:
            progress.waiting("server")
            found = PrefectRecorder().validate(str(candidate), str(files.original), settings, str(out))
        console.print("", summary(found, str(out / "report.html")), "")
    console.print("Both runs are recorded: [bold]make ui[/bold] shows them.")


if __name__ == "__main__":
    try:
        main()
    except ForetrainError as error:
        print(f"foretrain: {error}", file=sys.stderr)
        sys.exit(2)
