"""Core values show themselves through tables that another room connects."""

import pytest

from planner.domain import views
from planner.domain.findings import Findings


def test_without_a_connection_a_value_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_frame", None)
    monkeypatch.setattr(views, "_html", None)
    told = r"^planner\.domain\.views: no tables are connected; import planner first$"
    with pytest.raises(RuntimeError, match=told):
        Findings(()).to_frame()
    with pytest.raises(RuntimeError, match=told):
        Findings(())._repr_html_()


def test_what_is_connected_gets_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_html", lambda value: f"html of {value!r}")
    monkeypatch.setattr(views, "_frame", lambda value: [value])
    found = Findings(())
    assert views.html_of(found) == "html of Findings(0 errors, 0 warnings, 0 notes)"
    assert views.frame_of(found) == [found]
