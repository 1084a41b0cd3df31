"""Is the package what it claims to be: light to import, typed, and one list of stages that holds together?"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import foretrain
from foretrain.pipeline import BY_NAME, STAGES, Step, steps

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "faiss", "prefect", "grpc", "pandas", "scipy", "sklearn", "lightgbm", "pyarrow", "polars", "numpy")


def test_import_is_light() -> None:
    code = f"import foretrain, sys; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == "[]"


def test_every_public_name_is_there() -> None:
    assert set(foretrain.__all__) <= set(dir(foretrain))
    for name in foretrain.__all__:
        assert getattr(foretrain, name).__name__ == name
    assert foretrain.__version__ == "0.1.0"
    with pytest.raises(AttributeError, match="nothing"):
        _ = foretrain.nothing  # type: ignore[attr-defined]


def test_every_library_it_imports_is_asked_for() -> None:
    graph = grimp.build_graph("foretrain", "foretrain_tasks", "foretrain_flows", include_external_packages=True)
    packages = metadata.packages_distributions()
    outside = {module for module in graph.modules if graph.is_module_squashed(module)} - sys.stdlib_module_names
    wanted = [Requirement(text) for text in metadata.requires("foretrain") or []]
    asked = {canonicalize_name(each.name) for each in wanted if "dev" not in str(each.marker)}
    used = {module: {canonicalize_name(name) for name in packages.get(module, [module])} for module in outside}
    assert {module for module, names in used.items() if not names & asked} == set()
    assert {"numpy", "prefect", "rich"} <= outside


def test_the_wheel_holds_three_packages_and_their_files(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "foretrain",
        "foretrain_tasks",
        "foretrain_flows",
    }
    for package in ("lib/foretrain", "tasks/foretrain_tasks", "flows/foretrain_flows"):
        folder = ROOT / package
        files = {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {file for file in files if "__pycache__" not in file} <= set(names)
    subprocess.run([Path(sys.executable).with_name("check-wheel-contents"), wheel], cwd=ROOT, check=True)


def test_stages_need_only_stages_before_them() -> None:
    for number, stage in enumerate(STAGES):
        assert {BY_NAME[name] for name in stage.needs} <= set(STAGES[:number])
    assert len(BY_NAME) == len(STAGES)


def test_steps_are_in_order_once_a_dataset_or_once_for_both() -> None:
    assert [str(step) for step in steps(("original", "candidate"))] == [
        "load original",
        "load candidate",
        "profile original",
        "profile candidate",
        "diversity",
        "prescreen",
        "cascade",
        "collapse",
        "localization",
        "recommendations",
        "report",
    ]
    assert [str(step) for step in steps(("original", "candidate"), "cascade")] == [
        "load original",
        "load candidate",
        "profile original",
        "profile candidate",
        "cascade",
    ]
    assert [str(step) for step in steps(("candidate",), "profile")] == ["load candidate", "profile candidate"]
    assert [str(step) for step in steps(("candidate",))][:3] == ["load candidate", "profile candidate", "diversity"]
    assert Step(BY_NAME["collapse"]) in set(steps(("candidate",)))


# none of these changes what a stage computes: settings are in the key by value
WITHOUT_RESULT = {
    f"foretrain{name}"
    for name in ("", ".errors", ".settings", ".storage", ".checkpoint", ".database", ".display", ".progress")
}

# commands, and what makes that which ships: no stage imports them
COMMANDS = (
    "foretrain.cascade.calibration",
    "foretrain.recommendations.mend",
    "foretrain.recommendations.rebuild",
)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_key_hashes_every_module_its_stage_imports(stage: object) -> None:
    assert isinstance(stage, type(STAGES[0]))
    graph = grimp.build_graph("foretrain", include_external_packages=False)
    covered, waiting = set(), [stage]
    while waiting:
        each = waiting.pop()
        covered |= set(each.code)
        waiting += [BY_NAME[name] for name in each.needs]
    package = stage.function.split(":")[0]
    used = set()
    for module in {package, *graph.find_descendants(package)}:
        if not module.startswith(COMMANDS):
            used |= graph.find_upstream_modules(module)
    assert not any(module.startswith(COMMANDS) for module in used)
    missing = {
        module
        for module in used - WITHOUT_RESULT
        if not any(module == name or module.startswith(f"{name}.") for name in covered)
    }
    assert missing == set()
