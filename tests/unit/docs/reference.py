"""Which parts of the documentation are written by the code they describe?

``python tests/unit/docs/reference.py`` writes them again, between ``<!-- generated: NAME -->`` and
``<!-- /generated -->``.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

from foretrain.cli.validate import validate
from foretrain.collapse import judging
from foretrain.collapse.dimensions import DIMENSIONS
from foretrain.collapse.loops import harm
from foretrain.data.formats import FORMATS
from foretrain.diversity import stage as diversity
from foretrain.pipeline import STAGES
from foretrain.recommendations.fixes import FIXES
from foretrain.settings import Effort, Settings, leaves, variable
from foretrain.signatures import embedding as embedding_module

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)

HARMS = {
    "drop_trees": "skill of boosted trees, share lost",
    "drop_linear": "skill of a linear model, share lost",
    "recall_loss": "recall (the real rows' region that is reached), share lost",
    "coverage_loss": "coverage (real rows with a row nearby), share lost",
    "variance_loss": "variance of columns, share lost",
    "axes_loss": "variance along principal axes, share lost",
    "tail_loss": "rows in the tails, share lost",
    "repeat_excess": "near-copies, share of rows in excess",
    "categories_moved": "frequencies of categories, total variation",
    "levels_lost": "real rows whose category is gone",
}


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def settings() -> str:
    flags = {name: f"`--{name.replace('_', '-')}`" for name in inspect.signature(validate).parameters}
    flags["data.format"] = flags.pop("format")
    flags["cascade.mode"] = flags.pop("cascade")
    defaults = Settings().model_dump(mode="json")

    def default(path: str) -> str:
        value = defaults
        for part in path.split("."):
            value = value[part]
        return "none" if value is None else f"`{json.dumps(value)}`"

    rows = (
        (f"`{path}`", default(path), flags.get(path, ""), f"`{variable(path)}`", field.description)
        for path, field in leaves()
    )
    return table(("setting", "default", "flag", "environment", "meaning"), rows)


def stages() -> str:
    rows = (
        (
            f"`{stage.name}`",
            stage.question,
            "once a dataset" if stage.each == "dataset" else "once",
            ", ".join(f"`{name}`" for name in stage.needs) or "the source",
            ", ".join(f"`{name}`" for name in stage.settings) or "none",
        )
        for stage in STAGES
    )
    return table(("stage", "answers", "runs", "is given", "reads settings"), rows)


def formats() -> str:
    rows = ((f"`{form.name}`", ", ".join(f"`{suffix}`" for suffix in form.suffixes)) for form in FORMATS.values())
    return table(("format", "extensions"), rows)


def effort() -> str:
    rows = ((f"`{e}`", judging.REPEATS[e], diversity._REPEATS[e], f"{diversity._ROWS[e]:,}") for e in Effort)
    return table(("effort", "split-halves of the original", "draws for diversity", "rows a draw, at most"), rows)


def harms() -> str:
    return table(("harm", "counts above"), ((HARMS[name], f"{limit:.2f}") for name, limit in harm.LIMITS.items()))


def dimensions() -> str:
    return table(("dimension", "question"), ((f"`{d.name}`", d.question) for d in DIMENSIONS))


def embedding() -> str:
    found = re.findall(r"^([a-z][a-z ]+?)  +(\d+)  (.+)$", embedding_module.__doc__ or "", re.MULTILINE)
    rows = ((name, count, embedding_module.WEIGHTS[name], meaning) for name, count, meaning in found)
    return table(("block", "numbers", "weight", "what stands in it"), rows)


def library() -> str:
    about = json.loads((files("foretrain.signatures") / "seed" / "fitted.json").read_text(encoding="utf-8"))
    made = about["provenance"]
    facts = {
        "made by": f"`{made['command']}`",
        "real tables": ", ".join(made["tables"]),
        "simulated tables": made["simulated tables"],
        "signatures": f"{made['signatures']:,}",
        "of these collapsed": f"{made['collapsed']:,}",
        "mechanisms": ", ".join(made["mechanisms"]),
        "clusters": made["clusters"],
    }
    return table(("library that ships with this version", ""), facts.items())


def fixes() -> str:
    rows = (
        (f"`{fix.name}`", fix.does, "the other half" if fix.sees_original else "all of it") for fix in FIXES.values()
    )
    return table(("fix", "what it does", "scored against the original's"), rows)


def prior() -> str:
    about = json.loads((files("foretrain.recommendations") / "fitted" / "prior.json").read_text(encoding="utf-8"))
    facts = {
        "made by": f"`{about['command']}`",
        "gains measured": f"{about['gains']:,}",
        "tables": about["tables"],
        "off, on tables it has not seen": f"{about['error']:.1f} points",
        "off, always expecting the mean": f"{about['spread']:.1f} points",
    }
    return table(("tree that ships with this version", ""), facts.items())


def calibration() -> str:
    about = json.loads((files("foretrain.collapse") / "fitted" / "calibration.json").read_text(encoding="utf-8"))
    made, rates = about["provenance"], about["error_rates"]
    facts = {
        "version": f"`{about['version']}`",
        "made by": f"`{made['command']}`",
        "real tables": ", ".join(made["tables"]),
        "simulated tables": made["simulated_tables"],
        "pairs made": f"{made['pairs']:,}",
        "of these labelled": f"{made['labelled']:,}",
        "labelled pairs of real tables, each judged without its table": f"{rates['pairs']:,}",
        "area under the ROC curve": f"{rates['auroc']:.4f}",
        "accuracy": f"{rates['accuracy']:.3f}",
        "false alarms, share of healthy candidates": f"{rates['false_alarms']:.3f}",
        "misses, share of collapsed candidates": f"{rates['misses']:.3f}",
        **{f"misses, {name} damage": f"{share:.3f}" for name, share in rates["misses_by_severity"].items()},
    }
    return table(("calibration that ships with this version", ""), facts.items())


WRITERS: dict[str, Callable[[], str]] = {
    made.__name__: made
    for made in (settings, stages, formats, effort, harms, dimensions, embedding, library, fixes, prior, calibration)
}


def written(text: str) -> str:
    """A page with its generated parts as they must be."""
    return SECTION.sub(lambda found: f"{found[1]}\n{WRITERS[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
