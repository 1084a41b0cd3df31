"""What does the recommendations stage say in a line?"""

from __future__ import annotations

from foretrain.recommendations.record import Change, Recommendation, Recommendations


def line(found: Recommendations) -> str:
    """E.g. "mix in 25% real rows: score 12 to 61, approve; 7 tried"."""
    best = found.named(found.best) if found.best is not None else None
    if best is None or best.measured is None:
        return f"none of {found.tried} fixes that were tried helped surely"
    title = best.title[0].lower() + best.title[1:]
    return (
        f"{title}: score {best.measured.before:.0f} to {best.measured.after:.0f}, {best.measured.verdict}; "
        f"{found.tried} tried"
    )


def points(change: Change) -> str:
    """E.g. "+12.3 (8.1 to 15)", points of score."""
    low, high = change.interval
    return f"{change.value:+.1f} ({low:+.1f} to {high:+.1f})"


def untried(found: Recommendations) -> dict[str, list[str]]:
    """Titles of those that were not tried, by the reason."""
    out: dict[str, list[str]] = {}
    for each in found.found:
        if each.not_tried is not None:
            out.setdefault(each.not_tried, []).append(each.title)
    return out


def cost(each: Recommendation) -> str:
    """What is left and what it costs, in words; empty where it was not tried."""
    if each.measured is None:
        return ""
    spent = each.cost
    real = f", {spent.real_rows / max(spent.rows_after, 1):.0%} real" if spent.real_rows else ""
    parts = [f"{spent.rows_after:,} rows{real}"]
    for count, what in (
        (spent.rows_lost, "lost"),
        (spent.rows_changed, "changed"),
        (spent.new_real_rows, "to collect"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return f"{'; '.join(parts)}; price {spent.money:,.2f}"
