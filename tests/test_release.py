"""The wheel and the sdist: what they hold, and that they work where nothing else is installed."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import planner

ROOT = Path(__file__).parents[1]
FLEET = ROOT / "data" / "eight-cases"
OF_JUPYTER = ("jupyterlab", "notebook", "voila", "nbconvert", "ipykernel", "papermill")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist")
    with tarfile.open(next(folder.glob("*.tar.gz"))) as tar:
        tar.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    build(unpacked, folder, "wheel")
    return folder


def build(source: Path, folder: Path, target: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)


def wheel_in(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_that_the_sdist_makes_holds_all_that_the_program_needs(built: Path) -> None:
    with zipfile.ZipFile(wheel_in(built)) as wheel:
        names = set(wheel.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "planner").rglob("*.py")}
    assert modules <= names
    notebooks = {f"planner/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks <= names
    assert {"planner/data/harbour/fleet.toml", "planner/py.typed"} <= names
    assert not any(name.startswith("tests/") or "__pycache__" in name for name in names)


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment in which the wheel is installed without extras."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install(folder / "bin", str(wheel_in(built)))
    return folder / "bin"


def install(programs: Path, what: str) -> None:
    command = [str(programs / "python"), "-m", "pip", "install", "--quiet", what]
    subprocess.run(command, check=True)


def run(programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Neither this folder nor any other tells Python where the package is.
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(programs / arguments[0]), *arguments[1:]]
    return subprocess.run(
        command, cwd=programs, env=own, capture_output=True, text=True, check=False
    )


@pytest.mark.long
def test_without_extras_the_main_commands_work_and_others_name_their_extra(
    environment: Path, tmp_path: Path
) -> None:
    code = f"import importlib.util as u; print([n for n in {OF_JUPYTER} if u.find_spec(n)])"
    assert run(environment, "python", "-c", code).stdout == "[]\n"
    version = run(environment, "python", "-c", "import planner; print(planner.__version__)")
    assert version.stdout == f"{planner.__version__}\n", version.stderr
    out = tmp_path / "out"
    done = run(environment, "planner", "plan", str(FLEET), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "summary.json").read_text())["version"] == planner.__version__
    working: list[tuple[str, ...]] = [
        ("check", str(FLEET)),
        ("certs", str(ROOT / "data" / "harbour"), "--start", "2027-01-04", "--end", "2027-02-01"),
        ("order", str(FLEET), "--strategy", "by-weight", "--iterations", "1", "--out", str(out)),
        ("risk", str(FLEET), "--runs", "3"),
    ]
    for arguments in working:
        done = run(environment, "planner", *arguments)
        assert done.returncode in (0, 1), (arguments, done.stderr)
    lacking: list[tuple[tuple[str, ...], str]] = [
        (("report", str(FLEET), "--out", str(out)), "[lab]"),
        (("lab",), "[lab]"),
        (("app", str(FLEET)), "[lab]"),
        (("risk", str(FLEET), "--scheduler", "tcp://127.0.0.1:1"), "[cluster]"),
    ]
    for arguments, extra in lacking:
        done = run(environment, "planner", *arguments)
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert extra in done.stderr, (arguments, done.stderr)


@pytest.mark.long
def test_with_the_extra_lab_the_report_is_made(
    built: Path, environment: Path, tmp_path: Path
) -> None:
    install(environment, f"{wheel_in(built)}[lab]")
    done = run(environment, "planner", "report", str(FLEET), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").exists()


@pytest.mark.long
def test_a_release_lists_what_the_wheel_installs_with_the_versions_of_the_lock() -> None:
    subprocess.run([ROOT / ".ci" / "release"], check=True, capture_output=True)
    (listed,) = (ROOT / "dist").glob("*.cdx.json")
    content = json.loads(listed.read_text(encoding="utf-8"))
    assert content["metadata"]["component"]["version"] == planner.__version__
    parts = {plain(part["name"]): part["version"] for part in content["components"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", lock, re.MULTILINE)
    assert parts.items() <= {(plain(name), version) for name, version in pins}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = {plain(re.split("[<>=[]", line)[0]) for line in settings["project"]["dependencies"]}
    assert direct <= parts.keys()
    # A package without a licence in its metadata is listed without one.
    licensed = [part for part in content["components"] if part.get("licenses")]
    assert len(licensed) > 0.9 * len(parts)


def plain(name: str) -> str:
    """Return a package's name in the one form that all its spellings share."""
    return re.sub("[-_.]+", "-", name).casefold()
