"""Which commands are there, and how does each of them end?"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import NoReturn

import typer

from foretrain.cli import cascade, config, fix, inspect, profile, signatures, validate
from foretrain.cli.recorder import Recorder
from foretrain.errors import ForetrainError

INTERRUPTED = validate.INTERRUPTED

HELP = """\
Is this synthetic dataset safe to train on?

[bold]foretrain validate synthetic.parquet --original real.parquet --target label[/bold]

says approve, review or reject, with the evidence, and writes validation.json and report.html.

[bold]Exit status[/bold]: 0 approve, 1 reject, 2 error, 3 review or underpowered.

[bold]Settings[/bold] come from flags, then the environment (FORETRAIN_SEED=7), then a TOML file (--config);
[bold]foretrain config show[/bold] lists them all with what they mean.
"""

app = typer.Typer(
    name="foretrain",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=validate.EPILOG)(validate.validate)
app.command()(cascade.cascade)
app.command()(profile.profile)
app.command()(inspect.inspect)
app.command()(fix.fix)
app.command()(fix.outcome)
app.add_typer(signatures.app, name="signatures")
app.add_typer(config.app, name="config")


def main(arguments: Sequence[str] | None = None, recorder: Recorder | None = None) -> NoReturn:
    """Run the command line and end the process with its status.

    Args:
        arguments: those of the process when not given.
        recorder: runs a validation as a recorded flow, where that is installed.
    """
    if not sys.warnoptions:  # what libraries warn their programmers of is no user's business
        warnings.simplefilter("ignore")
    try:
        app(args=arguments, obj=recorder)
    except ForetrainError as error:
        print(f"foretrain: {error}", file=sys.stderr)
    except MemoryError:
        print("foretrain: memory is exhausted. Try --effort quick, or a machine with more", file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - a traceback would end with status 1, which means "reject"
        traceback.print_exc()
        print(f"foretrain: a mistake of ours, please report it: {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(2)
