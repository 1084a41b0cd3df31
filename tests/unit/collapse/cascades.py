"""What a cascade of trained models may have said, for the collapse stage's tests."""

from __future__ import annotations

from collections.abc import Sequence

from foretrain.cascade.record import ArmName, Cascade, Contrast, Difference, Model

TIERS = ("trees", "mlp", "resonance")


def cascade(
    lost: Sequence[float] = (0.0, 0.0, 0.0),
    chance: float = 0.0,
    contrasts: Sequence[Contrast] = (),
    *,
    apart: float = 0.02,
    original: bool = True,
    learned: float = 0.4,
) -> Cascade:
    """Three tiers whose models lose these shares, so far from certain, by more than 5 % with this chance.

    Args:
        learned: what models of the first arm learned, in nats below the guess.
    """
    whole = sum(lost) / len(lost)
    shares = (*zip(TIERS, lost, strict=True), ("all", whole))
    arms: tuple[ArmName, ArmName, ArmName] = (
        ("original", "candidate", "child") if original else ("candidate", "child", "grandchild")
    )
    harm = tuple(difference(tier, (arms[1], arms[0]), share, apart) for tier, share in shares)
    return Cascade(
        data="table",
        goal="classification",
        target="y",
        metric="accuracy",
        arms=arms,
        generator="sequential CART",
        rows=100,
        held_out=50,
        guess=0.69,
        models=tuple(model(tier, arm, 0.69 - learned) for tier in TIERS for arm in arms),
        harm=harm if original else (),
        decay=() if original else harm,
        agreement=sum((share > 0) == (whole > 0) for share in lost) / len(lost),
        slope=0.0,
        margin=0.05,
        probability_of_harm=chance if original else None,
        contrasts=tuple(contrasts),
        device="cpu",
        rows_per_second=1.0,
        peak_bytes=1,
    )


def model(tier: str, arm: ArmName, loss: float) -> Model:
    return Model(
        tier=tier,
        architecture=tier,
        seed=0,
        arm=arm,
        parameters=100,
        ending="converged",
        loss=loss,
        metric=None,
        steps=1,
        seconds=1.0,
        curve=(),
    )


def difference(tier: str, arms: tuple[ArmName, ArmName], share: float, apart: float) -> Difference:
    interval = (share - apart, share + apart)
    return Difference(
        tier=tier,
        arms=arms,
        loss=share,
        interval=interval,
        metric=-share,
        metric_interval=(-interval[1], -interval[0]),
        share=share,
        share_interval=interval,
    )


def contrast(name: str, gap: float, *, tier: str = "mlp", noise: float = 0.1, scored: bool = True) -> Contrast:
    return Contrast(
        name=name,
        title=name,
        tier=tier,
        candidate=1.0 + gap,
        original=1.0,
        difference=gap,
        noise=noise,
        scored=scored,
    )
