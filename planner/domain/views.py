"""How core values show themselves without importing pandas: the reporting room fills this port."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_frame: Callable[[object], "pd.DataFrame"] | None = None
_html: Callable[[object], str] | None = None


def connect(*, frame: Callable[[object], "pd.DataFrame"], html: Callable[[object], str]) -> None:
    """Say which functions make tables and HTML of core values; `import planner` does it."""
    global _frame, _html
    _frame, _html = frame, html


def frame_of(value: object) -> "pd.DataFrame":
    """Table of a core value: columns and cells of its CSV file."""
    if _frame is None:
        raise RuntimeError("planner.domain.views: no tables are connected; import planner first")
    return _frame(value)


def html_of(value: object) -> str:
    """HTML of a core value, for notebooks."""
    if _html is None:
        raise RuntimeError("planner.domain.views: no tables are connected; import planner first")
    return _html(value)
