"""Can every text and every picture be read, in light, in dark, and without colour?"""

from itertools import pairwise

import pytest

from foretrain.report import colours

PALETTES = {"light": colours.LIGHT, "dark": colours.DARK}


def test_contrast_agrees_with_published_values() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert colours.contrast("#ffffff", "#0000ff") == pytest.approx(8.59, abs=0.005)


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("text", "ground"), colours.TEXT_ON)
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    assert colours.contrast(PALETTES[theme][text], PALETTES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("shape", "ground"), colours.SHAPE_ON)
def test_shapes_can_be_seen(theme: str, shape: str, ground: str) -> None:
    assert colours.contrast(PALETTES[theme][shape], PALETTES[theme][ground]) >= 3


@pytest.mark.parametrize("theme", PALETTES)
def test_verdicts_differ_in_grey(theme: str) -> None:
    greys = sorted(colours.luminance(PALETTES[theme][verdict]) for verdict in colours.VERDICTS)
    assert all(lighter / darker > 1.25 for darker, lighter in pairwise(greys))


def test_both_themes_name_the_same_colours() -> None:
    assert colours.LIGHT.keys() == colours.DARK.keys()
    assert colours.variables({"ink": "#000000"}) == "--ink:#000000;"
