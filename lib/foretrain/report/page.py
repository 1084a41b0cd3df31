"""How does a validation become one HTML file that needs nothing but itself?"""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import Any

import jinja2

from foretrain.cascade.sentences import agreement, sentences, weak
from foretrain.checkpoint import Folder
from foretrain.collapse.record import Collapse
from foretrain.localization.sentences import NAMES
from foretrain.recommendations.sentences import cost, untried
from foretrain.report import colours, figures, links, reproduce, wording
from foretrain.report.figures.cascade import architecture, comparisons, tier_title, tiers
from foretrain.report.figures.correlations import pairs, scale
from foretrain.report.figures.fixes import tried
from foretrain.report.figures.spectrum import outside
from foretrain.report.record import ReportRef
from foretrain.settings import Settings, leaves
from foretrain.signatures.sentences import origin, title
from foretrain.validation import Validation

MOST_EVIDENCE = 20
"""Facts shown of one dimension; validation.json holds them all."""


PAGE = "report.html"


def write(validation: Validation, folder: Folder) -> ReportRef:
    """Write the report of a validation into the folder.

    Args:
        validation: the verdict and everything it rests on.
        folder: where the page goes.
    """
    folder.path(PAGE).write_text(render(validation), encoding="utf-8", newline="\n")
    return ReportRef(html=folder.url(PAGE))


def render(validation: Validation) -> str:
    """The whole report as one HTML document; what comes from the data is escaped throughout."""
    places = links.places_of(validation)
    return (
        _environment()
        .get_template("report.html")
        .render(
            found=validation,
            candidate=validation.inputs.candidate,
            original=validation.inputs.original,
            diversity=validation.diversity,
            cascade=validation.cascade,
            settings=validation.settings,
            sections={anchor: title for anchor, title in places.items() if not anchor.startswith("column-")},
            sentence=_without_verdict(validation),
            reasons=[(reason, links.picture_of(reason, validation)) for reason in validation.reasons[:3]],
            drawn=links.drawn_columns(validation),
            command=reproduce.command(validation.inputs.candidate, validation.inputs.original, validation.settings),
            fix_command=reproduce.fix_command(validation),
            config_file=reproduce.config_file(validation.settings),
            explained=_explained(validation.settings),
            most_evidence=MOST_EVIDENCE,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("foretrain.report"),
        autoescape=True,
        finalize=_legible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        word.__name__: word
        for word in (
            wording.capital,
            wording.clipped,
            wording.generations,
            wording.lost,
            wording.lost_range,
            wording.named,
            wording.number,
            wording.one_in,
            wording.percent,
            wording.percent_range,
            wording.rows,
            wording.seconds,
            wording.signed,
            wording.signed_points,
            wording.size,
            wording.spaced,
            wording.whole_range,
        )
    }
    environment.filters["cost_of"] = cost
    environment.globals |= {
        "draw": figures,
        "palettes": (colours.variables(colours.LIGHT), colours.variables(colours.DARK)),
        "quantity": wording.quantity,
        "quantity_range": wording.quantity_range,
        "correlation_pairs": pairs,
        "colour_scale": scale,
        "axes_outside": outside,
        "lessons": sentences,
        "agreement": agreement,
        "comparisons": comparisons,
        "architecture": architecture,
        "in_noise": wording.in_noise,
        "tier_names": tiers,
        "tier_title": tier_title,
        "loss_words": wording.LOSSES,
        "mechanism_names": NAMES,
        "weak": weak,
        "origin_of": origin,
        "title_of": title,
        "tried": tried,
        "untried": untried,
    }
    style = environment.get_template("style.css").module
    script = environment.get_template("sort.js").module
    # the policy allows these two by their content, and no other style, script or address
    policy = (
        f"default-src 'none'; style-src '{_hash(str(style))}'; script-src '{_hash(str(script))}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    environment.globals |= {"style": style, "script": script, "policy": policy}
    return environment


def _legible(value: Any) -> Any:
    """Applied to all that templates print: a name must not turn the page around it."""
    return wording.legible(value) if type(value) is str else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _without_verdict(collapse: Collapse) -> str:
    """The sentence without the verdict's word, which already stands above it."""
    sentence = collapse.sentence.strip()
    prefix = f"{collapse.verdict}:"
    if sentence.lower().startswith(prefix):
        sentence = sentence[len(prefix) :].strip()
    return wording.capital(sentence)


def _explained(settings: Settings) -> list[tuple[str, Any, bool, str]]:
    """Every setting: its dotted name, its value, whether it was changed, and what it means."""
    found = []
    for name, field in leaves():
        value = functools.reduce(getattr, name.split("."), settings)
        changed = value != field.get_default(call_default_factory=True)
        found.append((name, value, changed, field.description or ""))
    return found
