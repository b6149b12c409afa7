"""Where the notebooks are, also in the wheel, and what is said where JupyterLab is missing."""

import os
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from planner import cli
from planner.domain.errors import MissingExtraError
from planner.reporting import jupyter

ROOT = Path(__file__).parents[1]


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let these modules be missing."""
    monkeypatch.setattr(
        jupyter, "find_spec", lambda name: None if name in modules else find_spec(name)
    )


def test_the_notebooks_of_a_checkout_lie_beside_the_package() -> None:
    assert jupyter.notebooks_folder() == ROOT / "notebooks"


def test_the_notebooks_of_an_installed_package_lie_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planner" / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(jupyter, "_PACKAGE", tmp_path / "planner")
    assert jupyter.notebooks_folder() == tmp_path / "planner" / "notebooks"


def test_the_wheel_holds_notebooks_example_fleets_scripts_and_the_page(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        wheel = tmp_path / build_wheel(str(tmp_path))
    finally:
        os.chdir(before)
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern, place in (
        ("notebooks", "*.ipynb", "planner/notebooks"),
        ("data/harbour", "*.csv", "planner/data/harbour"),
        ("planner/widgets/static", "*", "planner/widgets/static"),
    ):
        wanted = {f"{place}/{path.name}" for path in (ROOT / folder).glob(pattern)}
        assert wanted
        assert wanted <= names
    assert "planner/reporting/report_page.html" in names
    assert not [name for name in names if name.startswith(("tests/", "data/", "notebooks/"))]


def test_jupyterlab_is_opened_in_the_notebooks() -> None:
    assert jupyter.lab_command() == [sys.executable, "-m", "jupyterlab", str(ROOT / "notebooks")]


def test_lab_runs_jupyterlab_and_returns_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = [sys.executable, "-c", "import sys; sys.exit(7)", "notebooks"]
    monkeypatch.setattr(cli, "lab_command", lambda: program)
    assert cli.main(["lab"]) == 7
    assert capsys.readouterr().out == "Opening notebooks in JupyterLab; stop it with Ctrl-C.\n"


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["lab"], "jupyterlab"),
        (["report", "data/harbour", "--out", "nowhere"], "papermill"),
    ],
)
def test_a_missing_extra_is_one_clear_line(
    arguments: list[str],
    module: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without(monkeypatch, module)
    assert cli.main(arguments) == cli.UNUSABLE
    assert capsys.readouterr().err == (
        f"planner {arguments[0]}: {module} is not installed; install the extra `lab`: "
        "pip install 'session-security-planner[lab]'\n"
    )


def test_all_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "ipykernel", "nbconvert")
    with pytest.raises(MissingExtraError, match="ipykernel, nbconvert is not installed"):
        jupyter.require_lab("report", "ipykernel", "nbconvert", "papermill")
