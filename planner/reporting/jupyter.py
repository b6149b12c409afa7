"""Where the notebooks are, and whether what runs them is installed."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from planner.domain.errors import MissingExtraError

NOTEBOOK_ONLY: Final = "notebook-only"
"""Tag of cells that make sense only where somebody sits at the notebook: buttons, exports."""

_PACKAGE: Final = Path(__file__).parents[1]


def notebooks_folder() -> Path:
    """Folder of the notebooks: inside the installed package, else beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    return inside if inside.is_dir() else _PACKAGE.parent / "notebooks"


def lab_command() -> list[str]:
    """Return the command that opens the notebooks in JupyterLab.

    Raises
    ------
    MissingExtraError
        If JupyterLab is not installed.
    """
    require_lab("lab", "jupyterlab", "ipykernel")
    return [sys.executable, "-m", "jupyterlab", str(notebooks_folder())]


def require_lab(command: str, *modules: str) -> None:
    """Make sure that libraries of the extra `lab` are installed.

    Raises
    ------
    MissingExtraError
        If one of them is not; it says how to install them.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"planner {command}: {', '.join(missing)} is not installed; install the extra `lab`: "
            "pip install 'session-security-planner[lab]'"
        )
