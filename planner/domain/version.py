"""The version of the kit, as every output names it."""

from importlib.metadata import version
from typing import Final

PROGRAM: Final = "session-security-planner"
VERSION: Final = version(PROGRAM)
MADE_BY: Final = f"{PROGRAM} {VERSION}"
