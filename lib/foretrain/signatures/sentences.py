"""How is what the prescreen found said to people?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretrain.signatures.record import HEALTHY, Prescreen, Signature

if TYPE_CHECKING:
    from foretrain.signatures.prescreen import Found

GENERATORS = {
    "gaussian": "a Gaussian",
    "mixture": "a Gaussian mixture",
    "copula": "a Gaussian copula",
    "kernel": "a kernel density",
    "trees": "sequential trees",
    "autoencoder": "a variational autoencoder",
}
"""Mechanisms whose strength counts generations of self-consumption."""

DAMAGES = {
    "correlation_break": "broken correlations",
    "duplicates": "duplicated rows",
    "label_noise": "noisy labels",
    "mode_drop": "a dropped mode",
    "near_copies": "near-copies",
    "rare_loss": "lost rare categories",
    "tail_cut": "cut tails",
    "temperature": "a lowered temperature",
    HEALTHY: "healthy tables",
}


def title(mechanism: str) -> str:
    """A mechanism in words that may follow "looks like"; a user's own as it is."""
    return GENERATORS.get(mechanism) or DAMAGES.get(mechanism) or mechanism.replace("_", " ")


def origin(signature: Signature) -> str:
    """What a known signature is, e.g. "5 generations of a Gaussian copula", "cut tails (20%)"."""
    if signature.mechanism is None:
        return f"{signature.name or signature.id}, {signature.verdict or 'not judged'}"
    words = title(signature.mechanism)
    if signature.mechanism in GENERATORS and signature.strength is not None:
        count = round(signature.strength)
        return f"{count} generation{'' if count == 1 else 's'} of {words}"
    if signature.mechanism in DAMAGES and signature.mechanism != HEALTHY and signature.strength is not None:
        return f"{words} ({signature.strength:.0%})"
    return words


def line(found: Prescreen) -> str:
    """In a few words, e.g. "5 generations of a Gaussian copula, similarity .93"; of the mechanism that was voted."""
    named = [match for match in found.matches if match.signature.mechanism == found.mechanisms[0].mechanism]
    nearest = (named or found.matches)[0]
    words = f"{origin(nearest.signature)}, similarity {_hundredths(nearest.similarity)}"
    return f"nothing seen before; nearest: {words}" if found.novel else words


def sentence(found: Found, library: int) -> str:
    """The mechanism, and how sure it is."""
    first = found.mechanisms[0]
    voted = f"{first.share:.0%} of the vote of its neighbours among {library:,} known signatures"
    if found.novel:
        return (
            f"Nothing like this was seen: at most {found.novelty:.0%} of the known signatures lie as far from all "
            f"others. Nearest are {title(first.mechanism)} ({voted})."
        )
    if first.mechanism == HEALTHY:
        return f"It looks like {title(HEALTHY)} ({voted}); probability of collapse by them, {found.prior:.2f}."
    like = f", like {found.generations:.0f} generations of self-consumption" if found.generations >= 1.5 else ""
    return (
        f"It looks like {title(first.mechanism)} ({voted}){like}; probability of collapse by them, {found.prior:.2f}."
    )


def spared(found: Prescreen) -> str:
    """Why no models were trained, in words that can follow "not measured: "."""
    return (
        f"no proxy models were trained: the prescreen is sure enough (prior of collapse {found.prior:.3f}, "
        f"looks like {line(found)}); --cascade full trains them"
    )


def _hundredths(similarity: float) -> str:
    return f"{similarity:.2f}".replace("0.", ".", 1) if abs(similarity) < 1 else f"{similarity:.2f}"
