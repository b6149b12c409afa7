"""The dark theme: every text can be read, and what carries a meaning keeps its colour."""

import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.text import Text

from planner.domain.rules import Mode
from planner.engine.distribution import distribution
from planner.reporting import plots
from planner.reporting.colours import DARK, INK, MODE_COLOURS, PAPER, contrast
from planner.reporting.plots.style import figure_of
from tests.golden.tables import eight_cases, first_draft

ROOT = Path(__file__).parents[1] / "planner"
STYLES = {
    ROOT / "widgets/static/planner.css": {"ink", "muted", "accent", "focus"},
    ROOT / "reporting/report_page.html": {"ink", "muted", "link"},
}
"""Every style sheet, and what it gives a colour to in each theme besides its grounds."""
LEAST_OF_TEXT = 4.5
LEAST_OF_CONTROL = 3.0


def themes(path: Path) -> list[dict[str, str]]:
    """Return the colours of each theme of a style sheet, by name."""
    blocks = re.findall(r"\{([^{}]*--paper\s*:[^{}]*)\}", path.read_text(encoding="utf-8"))
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_both_themes_of_a_page_can_be_read(path: Path) -> None:
    found = themes(path)
    assert len(found) >= 2
    assert found[0]["paper"] != found[1]["paper"]
    for colours in found:
        assert {"paper", "band"} | STYLES[path] <= set(colours)
        for ground in ("paper", "band"):
            for text in {"ink", "muted", "link"} & set(colours):
                assert contrast(colours[text], colours[ground]) >= LEAST_OF_TEXT, (text, ground)
            for control in {"accent", "focus"} & set(colours):
                assert contrast(colours[control], colours[ground]) >= LEAST_OF_CONTROL


def test_the_letters_of_marks_can_be_read() -> None:
    css = (ROOT / "widgets/static/board.css").read_text(encoding="utf-8")
    marks = re.findall(r"\.mark-\w \{ background: (#\w{6}); color: (#\w{6}); \}", css)
    assert len(marks) == 3
    for ground, text in marks:
        assert contrast(ground, text) >= LEAST_OF_TEXT


def test_dark_ink_can_be_read_on_dark_paper() -> None:
    grounds = [DARK[colour] for colour in (PAPER, "#f3f3f3", "#ececec")]
    for ground in grounds:
        for ink in (INK, "#595959"):
            assert contrast(DARK[ink], ground) >= LEAST_OF_TEXT


@pytest.mark.parametrize(
    "name", ["modes", "deadlines", "rows", "gantt", "fleet", "waves", "film", "heat"]
)
def test_every_text_of_a_dark_picture_can_be_read(name: str) -> None:
    run = first_draft()
    ax = {
        "modes": lambda: plots.sessions_by_mode(run.timeline),
        "deadlines": lambda: plots.deadline_chart(run.deadlines),
        "rows": lambda: plots.deadline_chart(eight_cases().deadlines),
        "gantt": lambda: plots.gantt(run.plan),
        "fleet": lambda: plots.fleet_graph(run.timeline),
        "waves": lambda: plots.wave_chart(distribution(run.deadlines)),
        "film": lambda: plots.session_film(run.timeline, 0, day=run.fleet.start),
        "heat": lambda: plots.deadline_heat(eight_cases().deadlines),
    }[name]()
    assert plots.darken(ax) is ax
    figure = figure_of(ax)
    assert to_hex(figure.get_facecolor()) == DARK[PAPER]
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if not text.get_text() or not text.get_visible():
            continue
        box = text.get_bbox_patch()
        on_colour = to_hex(text.get_color()) in {"#000000", "#ffffff"}
        if box is not None:
            assert contrast(to_hex(text.get_color()), to_hex(box.get_facecolor())) >= LEAST_OF_TEXT
        elif not on_colour:  # black and white letters stand on the colour of a bar
            assert contrast(to_hex(text.get_color()), DARK[PAPER]) >= LEAST_OF_TEXT, text


def test_colours_with_a_meaning_stay() -> None:
    ax = plots.darken(plots.sessions_by_mode(eight_cases().timeline))
    shown = {
        to_hex(colour)
        for collection in ax.collections
        for colour in to_rgba_array(collection.get_facecolor())
    }
    assert MODE_COLOURS[Mode.PLAINTEXT] in shown
    assert MODE_COLOURS[Mode.TLS_FULL] in shown
