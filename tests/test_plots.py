"""Pictures: the numbers in their artists, their words, and that no two texts overlap."""

import subprocess
import sys
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from numpy.typing import NDArray

from planner.domain.calendar import to_day
from planner.domain.fleet import Fleet
from planner.domain.plan import Action, Plan
from planner.domain.rules import Mode, Verdict
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.distribution import Distribution, Reach, distribution
from planner.engine.measures import measures
from planner.engine.timeline import Timeline, simulate
from planner.reporting import plots
from planner.reporting.certificate_tables import waves
from planner.reporting.plots.groups import group_endpoints
from planner.reporting.plots.network import graph_on
from planner.reporting.plots.style import Picture, shortened, time_axis
from planner.reporting.plots.waves import LOOKS
from planner.reporting.plots.weeks import Weeks, choose_weeks, digits_shape
from planner.reporting.tables import film
from tests.builders import action, case, client, server, session, trust
from tests.comparison import read_case
from tests.golden import tables as golden
from tests.oracle import Case

NEW = "8.1.13"
NAMES = ("modes", "deadlines", "gantt", "fleet", "waves")


def eight_cases() -> Deadlines:
    """Return the deadlines of the completed plan of data/eight-cases: 15 clients."""
    return golden.eight_cases().deadlines


def first_draft() -> Deadlines:
    """Return the deadlines of the first draft for data/harbour: 442 clients, with mistakes."""
    return golden.first_draft().deadlines


def deadlines_of(built: Case, folder: Path) -> Deadlines:
    return deadlines(simulate(read_case(built, folder)))


def value_of(name: str, found: Deadlines) -> Timeline | Deadlines | Plan | Distribution:
    """Return what the picture of a name is drawn from."""
    timeline = found.timeline
    match name:
        case "deadlines":
            return found
        case "gantt":
            return timeline.plan
        case "waves":
            return distribution(found)
        case _:
            return timeline


def drawn(name: str, found: Deadlines, ax: Axes | None = None) -> Axes:
    match name:
        case "modes":
            return plots.sessions_by_mode(found.timeline, ax=ax)
        case "deadlines":
            return plots.deadline_chart(found, ax=ax)
        case "gantt":
            return plots.gantt(found.timeline.plan, ax=ax)
        case "waves":
            return plots.wave_chart(distribution(found), ax=ax)
        case _:
            return plots.fleet_graph(found.timeline, ax=ax)


def areas_labelled(ax: Axes, label: str) -> list[NDArray[np.float64]]:
    """Return the corners of all areas of a label."""
    return [
        np.asarray(path.vertices)
        for collection in ax.collections
        if isinstance(collection, PolyCollection) and collection.get_label() == label
        for path in collection.get_paths()
    ]


def size_of(area: NDArray[np.float64]) -> float:
    """Return the size of a polygon (shoelace formula)."""
    x, y = area[:, 0], area[:, 1]
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2)


def numbers_in_cells(ax: Axes) -> list[tuple[float, float, int]]:
    """Return every number drawn in a table of weeks: day and row of its cell, and the number."""
    of_shape = {np.asarray(digits_shape(n).vertices).tobytes(): n for n in range(1000)}
    found = []
    for collection in ax.collections:
        if isinstance(collection, PathCollection) and collection.get_label() == "_numbers":
            places = np.asarray(collection.get_offsets())
            for path, (day, row) in zip(collection.get_paths(), places, strict=True):
                number = of_shape[np.asarray(path.vertices).tobytes()]
                found.append((float(day), float(row), number))
    return found


def marks_labelled(ax: Axes, label: str) -> list[tuple[float, float]]:
    """Return the places of all marks of a label."""
    return [
        (float(x), float(y))
        for line in ax.lines
        if line.get_label() == label
        for x, y in zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True)
    ]


def day(month: int, of_month: int) -> int:
    return to_day(date(2025, month, of_month))


# --- sessions by mode -----------------------------------------------------------------------------


def test_the_area_of_a_mode_is_its_session_days() -> None:
    timeline = first_draft().timeline
    ax = plots.sessions_by_mode(timeline)

    for mode, session_days in zip(Mode, timeline.daily().sum(axis=0), strict=True):
        assert sum(map(size_of, areas_labelled(ax, mode.label))) == pytest.approx(session_days)


def test_refused_sessions_stand_on_the_axis_and_the_areas_change_on_the_day_itself(
    tmp_path: Path,
) -> None:
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01")],
        sessions=[session("BA01", "SRV1")],
        plan=[action("2025-03-17", "upgrade-client", client="BA01", value=NEW)],
    )
    ax = plots.sessions_by_mode(deadlines_of(built, tmp_path).timeline)

    (refused,) = areas_labelled(ax, "refused")
    assert refused[:, 1].min() == 0
    assert refused[refused[:, 1] == 1][:, 0].min() == day(3, 17)


def test_server_upgrades_are_marked_above_the_areas() -> None:
    timeline = eight_cases().timeline
    plan = timeline.plan
    marks = marks_labelled(plots.sessions_by_mode(timeline), "server upgraded")

    assert [x for x, _ in marks] == sorted(set(plan.day[plan.action == Action.UPGRADE_SERVER]))
    assert min(y for _, y in marks) > timeline.n_sessions


# --- deadlines ------------------------------------------------------------------------------------


def three_imports() -> Case:
    """Build an import in time, one too late, one not planned, and one that is in place."""
    names = ("early", "late", "never")
    return case(
        servers=[server("SRV1", NEW)],
        clients=[*(client(name) for name in names), client("held", NEW)],
        sessions=[session(name, "SRV1") for name in (*names, "held")],
        trust=[trust("held", "SRV1")],
        plan=[
            *(action("2025-03-17", "upgrade-client", client=name, value=NEW) for name in names),
            action("2025-03-06", "import-certificate", client="early", certificate="SRV1"),
            action("2025-03-13", "import-certificate", client="late", certificate="SRV1"),
        ],
        freezes=[("2025-03-19", "2025-03-21")],
    )


def test_each_import_has_a_row_with_its_three_days_and_its_slack(tmp_path: Path) -> None:
    ax = plots.deadline_chart(deadlines_of(three_imports(), tmp_path))

    labels = [label.get_text().split()[0] for label in ax.get_yticklabels()]
    assert labels == ["early", "late", "never"]
    assert marks_labelled(ax, "needed") == [(day(3, 17), row) for row in (0, 1, 2)]
    assert marks_labelled(ax, "latest safe day") == [(day(3, 10), row) for row in (0, 1, 2)]
    assert marks_labelled(ax, "planned import") == [(day(3, 6), 0), (day(3, 13), 1)]
    assert marks_labelled(ax, "no import is planned") == [(day(3, 10), 2)]
    (slack,) = areas_labelled(ax, "slack")
    assert (slack[:, 0].min(), slack[:, 0].max()) == (day(3, 6), day(3, 10))
    (late,) = areas_labelled(ax, "negative slack")
    assert (late[:, 0].min(), late[:, 0].max()) == (day(3, 10), day(3, 13))


def test_imports_that_nobody_planned_are_counted_as_too_late(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(41)]
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client(name, NEW, site="ab"[n % 2]) for n, name in enumerate(names)],
        sessions=[session(name, "SRV1") for name in names],
    )
    ax = plots.deadline_chart(deadlines_of(built, tmp_path))

    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["planned", "latest safe", "needed", "too late"] * 2
    counted = {row: number for _, row, number in numbers_in_cells(ax)}
    assert counted == {1: 21, 2: 21, 3: 21, 5: 20, 6: 20, 7: 20}
    assert "none planned" in " ".join(text.get_text() for text in ax.texts)


def test_negative_slack_differs_by_colour_and_by_hatch(tmp_path: Path) -> None:
    ax = plots.deadline_chart(deadlines_of(three_imports(), tmp_path))
    slack, late = (
        next(collection for collection in ax.collections if collection.get_label() == label)
        for label in ("slack", "negative slack")
    )

    assert not slack.get_hatch()
    assert late.get_hatch()
    assert not np.array_equal(np.asarray(slack.get_facecolor()), np.asarray(late.get_facecolor()))


def test_a_large_plan_is_drawn_by_site_with_the_counts_of_all_its_imports() -> None:
    found = first_draft()
    ax = plots.deadline_chart(found)

    assert "by site, per 2 weeks" in ax.get_title(loc="left")
    lane_at = {
        float(place): label.get_text()
        for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    }
    totals = {
        lane: sum(number for _, row, number in numbers_in_cells(ax) if lane_at[row] == lane)
        for lane in ("planned", "latest safe", "needed", "too late")
    }
    n_imports = len(found) - found.count(Verdict.IN_PLACE)
    has_slack, slack = found.slack()
    assert totals == {
        "planned": np.count_nonzero(has_slack),
        "latest safe": n_imports,
        "needed": n_imports,
        "too late": np.count_nonzero(has_slack & (slack < 0)) + found.count(Verdict.MISSING),
    }


def test_without_imports_the_picture_says_so(tmp_path: Path) -> None:
    built = case(servers=[server("SRV1")], clients=[client("a")], sessions=[session("a", "SRV1")])
    found = deadlines_of(built, tmp_path)

    assert "0 imports to make." in plots.alternative_text("deadlines", found)
    assert not plots.deadline_chart(found).get_yticklabels()


# --- rollout --------------------------------------------------------------------------------------


def test_every_endpoint_of_a_small_fleet_has_a_row_with_its_actions() -> None:
    plan = eight_cases().timeline.plan
    fleet = plan.fleet
    ax = plots.gantt(plan)

    names = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(names) == sorted([*fleet.servers.name, *fleet.clients.name])
    assert names[:2] == ["server-first", "server-later"]
    for row in plan.rows():
        label = {
            Action.UPGRADE_CLIENT: "upgrade",
            Action.UPGRADE_SERVER: "upgrade",
            Action.INSTALL_CLIENT: "installation",
            Action.IMPORT_CERTIFICATE: "import of a certificate",
        }.get(row.action)
        if label:
            place = names.index(row.client or row.server)
            assert (row.day, place) in marks_labelled(ax, label)


def test_the_bars_of_the_rollout_tell_old_from_new_levels(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01"), client("BA02", "", upgrade="", target_level="")],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-20", "install-client", client="BA02", value=NEW),
            action("2025-03-24", "retire-client", client="BA02"),
        ],
    )
    ax = plots.gantt(read_case(built, tmp_path))

    def spans(label: str) -> list[tuple[float, float, float]]:
        return [
            (round(area[:, 1].mean()), area[:, 0].min(), area[:, 0].max())
            for area in areas_labelled(ax, label)
        ]

    assert spans("old level") == [(1, day(3, 3), day(3, 17))]
    assert spans("new level") == [
        (1, day(3, 17), day(3, 31)),
        (2, day(3, 20), day(3, 24)),
        (0, day(3, 3), day(3, 31)),
    ]


def test_the_rollout_of_a_large_fleet_counts_clients_by_site_and_shows_each_server() -> None:
    plan = first_draft().timeline.plan
    ax = plots.gantt(plan)

    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(labels[:12]) == sorted(plan.fleet.servers.name)
    assert "clients by site, per 2 weeks" in ax.get_title(loc="left")
    inside = (plan.day >= plan.fleet.start) & (plan.day < plan.fleet.end)
    inside &= plan.client < plan.fleet.n_endpoints  # the draft upgrades a client nobody knows
    counted = {
        lane: sum(number for _, row, number in numbers_in_cells(ax) if labels[int(row)] == lane)
        for lane in ("clients", "imports")
    }
    of_clients = np.isin(plan.action, (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)) & inside
    imports = (plan.action == Action.IMPORT_CERTIFICATE) & inside
    at_servers = imports & (plan.client >= len(plan.fleet.clients))
    assert counted["clients"] == np.count_nonzero(of_clients)
    assert counted["imports"] == np.count_nonzero(imports & ~at_servers)
    assert len(marks_labelled(ax, "import of a certificate")) == np.count_nonzero(at_servers)


def test_freezes_are_shaded_where_they_lie() -> None:
    plan = eight_cases().timeline.plan
    spans = [
        (area[:, 0].min(), area[:, 0].max())
        for area in areas_labelled(plots.gantt(plan), "freezes")
    ]

    assert spans == [(freeze.start, freeze.end) for freeze in plan.fleet.calendar.freezes]


# --- fleet graph ----------------------------------------------------------------------------------


def test_a_ribbon_is_as_wide_as_it_has_sessions() -> None:
    timeline = eight_cases().timeline
    ax = plots.fleet_graph(timeline)
    counts = np.bincount(timeline.mode_on(timeline.plan.fleet.end - 1), minlength=len(Mode))

    widths = {
        mode: sum(np.ptp(area[np.isclose(area[:, 0], area[:, 0].min())][:, 1]) for area in areas)
        for mode in Mode
        if (areas := areas_labelled(ax, mode.label))
    }
    one = sum(widths.values()) / counts.sum()
    assert {mode: round(width / one) for mode, width in widths.items()} == {
        mode: counts[mode] for mode in Mode if counts[mode]
    }


def test_the_graph_counts_every_session_of_the_day_once() -> None:
    timeline = first_draft().timeline
    for at in (timeline.plan.fleet.start, to_day(date(2027, 9, 1))):
        graph = graph_on(timeline, at)
        counts = np.bincount(timeline.mode_on(at), minlength=len(Mode))
        np.testing.assert_array_equal(graph.counts.sum(axis=(0, 1)), counts)
        assert graph.left.by == "site"
        assert len(graph.right.names) == 12


def test_servers_show_their_level_and_era_on_the_day() -> None:
    timeline = eight_cases().timeline
    graph = graph_on(timeline, timeline.plan.fleet.start)
    assert dict(zip(graph.right.names, graph.is_new.tolist(), strict=True)) == {
        "server-first  8.1.1": False,
        "server-later  7.1.7": False,
        "server-last  8.1.0": False,
        "server-ldap  8.1.1": False,
        "server-new  8.1.22": True,
    }

    later = graph_on(timeline, timeline.plan.fleet.end - 1)
    assert "server-first  8.1.27" in later.right.names
    assert later.is_new.all()


def test_a_day_outside_the_horizon_is_refused() -> None:
    timeline = eight_cases().timeline
    with pytest.raises(ValueError, match="outside the horizon"):
        plots.fleet_graph(timeline, day=timeline.plan.fleet.end)


def test_one_session_of_thousands_is_still_seen(tmp_path: Path) -> None:
    names = [f"c{number:04}" for number in range(2000)]
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client(name, NEW, site="s") for name in names],
        sessions=[session(name, "SRV1") for name in names],
        trust=[trust(name, "SRV1") for name in names[1:]],
    )
    ax = plots.fleet_graph(deadlines_of(built, tmp_path).timeline)

    (refused,) = areas_labelled(ax, "refused")
    figure = ax.get_figure(root=True)
    assert figure is not None
    inches = np.ptp(refused[np.isclose(refused[:, 0], refused[:, 0].min())][:, 1])
    inches *= figure.get_figheight() * ax.get_position().height
    assert inches == pytest.approx(0.5 / 72)


def many_servers() -> Case:
    """Build 41 servers at three sites, two of them old to the end, and as many clients."""
    names = [f"SRV{number:02}" for number in range(41)]
    return case(
        servers=[server(name, site="abc"[number % 3]) for number, name in enumerate(names)],
        clients=[client(f"of-{name}", site="abc"[n % 3]) for n, name in enumerate(names)],
        sessions=[session(f"of-{name}", name) for name in names],
        plan=[action("2025-03-17", "upgrade-server", server=name, value=NEW) for name in names[2:]],
    )


def test_many_servers_are_grouped_too(tmp_path: Path) -> None:
    timeline = deadlines_of(many_servers(), tmp_path).timeline
    graph = graph_on(timeline, day(3, 20))

    assert graph.right.names == (
        "a (14 servers, 13 new)",
        "b (14 servers, 13 new)",
        "c (13 servers, 13 new)",
    )
    assert graph.is_new.tolist() == [False, False, True]
    assert graph.counts.sum(axis=2).tolist() == [[14, 0, 0], [0, 14, 0], [0, 0, 13]]
    ax = plots.fleet_graph(timeline)
    assert ax.get_title(loc="left").endswith("clients by site, servers by site")


def test_the_rollout_counts_servers_by_site_where_they_are_many(tmp_path: Path) -> None:
    ax = plots.gantt(deadlines_of(many_servers(), tmp_path).timeline.plan)

    assert "servers and clients by site, per week" in ax.get_title(loc="left")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["servers"] * 3
    assert [number for _, _, number in numbers_in_cells(ax)] == [13, 13, 13]


# --- groups, weeks, axes --------------------------------------------------------------------------


def fleet_with(sites: list[str], owners: list[str], folder: Path) -> Fleet:
    names = [f"c{number}" for number in range(len(sites))]
    return read_case(
        case(
            servers=[server("SRV1")],
            clients=[
                client(name, site=site, owner=owner)
                for name, site, owner in zip(names, sites, owners, strict=True)
            ],
            sessions=[session(name, "SRV1") for name in names],
        ),
        folder,
    ).fleet


@pytest.mark.parametrize(
    ("sites", "owners", "by", "names"),
    [
        (["b", "a", "B", ""], ["x"] * 4, "site", ("no site", "a", "b")),
        (["a"] * 4, ["x", "y", "x", "y"], "owner", ("x", "y")),
        ([""] * 4, [""] * 4, "fleet", ("test fleet",)),
        (["a", "b", "c", "c"], ["x"] * 4, "site", ("a", "b", "c")),
        (["a", "b", "c", "d"], ["x", "y"] * 2, "owner", ("x", "y")),
        (["a", "d", "c", "d"] + ["b"] * 2, ["x"] * 6, "site", ("b", "d", "2 other sites")),
    ],
)
def test_clients_are_grouped_by_what_tells_them_apart(
    sites: list[str], owners: list[str], by: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    fleet = fleet_with(sites, owners, tmp_path)
    groups = group_endpoints(fleet, np.arange(len(sites), dtype=np.int32), limit=3)

    assert (groups.by, groups.names) == (by, names)
    assert groups.size().sum() == len(sites)
    assert groups.number[-1] == -1


def test_cells_are_weeks_while_their_numbers_can_be_read() -> None:
    first, last = day(3, 5), day(6, 30)

    weeks = choose_weeks(first, last, busiest_week=99, width=9)
    assert (weeks.start, weeks.per_cell, weeks.text) == (day(3, 3), 1, "week")
    assert weeks.start + 7 * (weeks.n_cells - 1) <= last < weeks.end
    assert choose_weeks(first, last, busiest_week=9999, width=3).text == "2 weeks"
    assert choose_weeks(first, first + 30000, busiest_week=9999, width=3).per_cell == 52


def test_things_are_counted_in_the_week_of_their_day() -> None:
    weeks = Weeks(start=day(3, 3), n_cells=3, per_cell=1)
    days = np.array([day(3, 3), day(3, 9), day(3, 10), day(3, 23)], dtype=np.int32)

    counts = weeks.count(np.array([0, 0, 0, 1]), days, 2)

    assert counts.tolist() == [[2, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("n_days", "texts"),
    [
        (1, ["3 Mar\n2025"]),
        (20, ["3 Mar\n2025", "10 Mar", "17 Mar"]),
        (120, ["Apr\n2025", "May", "Jun"]),
        (365, ["Apr\n2025", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan\n2026"]),
        (400, ["May\n2025", "Jul", "Sep", "Nov", "Jan\n2026", "Mar"]),
        (1100, ["Apr\n2025", "Jul", "Oct", "Jan\n2026", "Apr", "Jul", "Oct", "Jan\n2027"]),
        (9000, ["Jan\n2026", "Jan\n2027", "Jan\n2028"]),
    ],
)  # fmt: skip
def test_the_time_axis_names_few_days_and_each_year_once(n_days: int, texts: list[str]) -> None:
    ax = Figure().add_subplot()
    time_axis(ax, day(3, 3), day(3, 3) + n_days)

    got = [label.get_text() for label in ax.get_xticklabels()]
    assert got[: len(texts)] == texts
    assert len(got) <= 14 or n_days == 9000


def test_long_names_are_cut_in_their_middle() -> None:
    assert shortened("a" * 34) == "a" * 34
    assert shortened("start-" + "x" * 60 + "-end", 15) == "start-x\N{HORIZONTAL ELLIPSIS}xxx-end"


# --- all pictures ---------------------------------------------------------------------------------


def texts_of(ax: Axes) -> list[Text]:
    """Return every text that shows."""
    low, high = sorted(ax.get_xlim())
    hidden = {
        label
        for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if not low <= place <= high
    }
    return [
        text
        for text in ax.findobj(Text)
        if text.get_text().strip()
        and text.get_visible()
        and text not in hidden
        and (ax.axison or text not in {*ax.get_xticklabels(), *ax.get_yticklabels()})
    ]


@pytest.mark.parametrize("fleet", ["eight-cases", "harbour"])
@pytest.mark.parametrize("name", NAMES)
def test_no_two_texts_overlap_and_none_leaves_the_figure(name: str, fleet: str) -> None:
    ax = drawn(name, eight_cases() if fleet == "eight-cases" else first_draft())
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()

    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(ax)]

    assert len(boxes) > 8
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 + 1, text
        assert figure.bbox.x1 >= box.x1 - 1, text
        assert figure.bbox.y0 <= box.y0 + 1, text
        assert figure.bbox.y1 >= box.y1 - 1, text
    for (one, box), (other, second) in combinations(boxes, 2):
        assert not box.padded(-1).overlaps(second.padded(-1)), (one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_the_same_file_each_time(name: str) -> None:
    for form, magic in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        content = plots.picture(drawn(name, eight_cases()), form)
        assert content.startswith(magic)
        assert content == plots.picture(drawn(name, eight_cases()), form)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_a_large_fleet_has_few_artists(name: str) -> None:
    ax = drawn(name, first_draft())

    assert len(ax.collections) + len(ax.lines) + len(ax.patches) + len(ax.texts) < 80


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_drawn_on_the_axes_that_are_given(name: str) -> None:
    ax = Figure(figsize=(9, 6)).add_subplot()

    assert drawn(name, eight_cases(), ax) is ax


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_shows_itself_in_a_notebook(name: str) -> None:
    figure = drawn(name, eight_cases()).figure

    assert isinstance(figure, Picture)
    png, shown = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert len(shown["alt"]) > 40


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "built",
    [
        case(servers=[], clients=[], sessions=[]),
        case(servers=[server("S")], clients=[client("a")], sessions=[], end="2025-03-04"),
        case(
            servers=[server("$x$", NEW)],
            clients=[client("a $ b"), client("\N{GRINNING FACE}\N{CJK UNIFIED IDEOGRAPH-6E2F}")],
            sessions=[
                session("a $ b", "$x$"),
                session("\N{GRINNING FACE}\N{CJK UNIFIED IDEOGRAPH-6E2F}", "$x$", ssl="Yes"),
            ],
        ),
    ],
    ids=["nothing", "one day", "odd names"],
)
def test_small_and_odd_fleets_can_be_drawn(name: str, built: Case, tmp_path: Path) -> None:
    found = deadlines_of(built, tmp_path)

    assert plots.picture(drawn(name, found), "png")
    assert plots.alternative_text(name, value_of(name, found))


def test_drawing_leaves_no_global_state_behind() -> None:
    code = (
        "import sys, planner\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "timeline = planner.simulate(planner.read_fleet(sys.argv[1]).draft_plan())\n"
        "planner.plots.picture(planner.plots.sessions_by_mode(timeline), 'png')\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(golden.DATA / "eight-cases")], check=True)


def test_saving_writes_both_forms_whole(tmp_path: Path) -> None:
    paths = plots.save(plots.sessions_by_mode(eight_cases().timeline), tmp_path / "a.picture")

    assert [path.name for path in paths] == ["a.picture.png", "a.picture.svg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.picture.png", "a.picture.svg"]


def test_an_unknown_form_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.reporting.plots.style.FORMATS", ("png", "bmp9"))
    with pytest.raises(KeyError):
        plots.save(plots.sessions_by_mode(eight_cases().timeline), tmp_path / "picture")

    assert not list(tmp_path.iterdir())


# --- words ----------------------------------------------------------------------------------------


def test_alternative_texts_carry_the_key_numbers() -> None:
    found = first_draft()
    timeline = found.timeline
    counts = timeline.daily()

    text = plots.alternative_text("modes", timeline)
    assert f"of {timeline.n_sessions:,} sessions" in text
    assert f"at most {counts[:, Mode.REFUSED].max()} refused" in text
    text = plots.alternative_text("deadlines", found)
    assert f"{len(found) - found.count(Verdict.IN_PLACE)} imports to make" in text
    assert f"{found.count(Verdict.MISSING)} not planned" in text
    text = plots.alternative_text("gantt", timeline.plan)
    assert f"at most {measures(found).peak_imports_per_week} imports in one week" in text
    text = plots.alternative_text("fleet", timeline)
    assert f"{counts[-1, Mode.REFUSED]} refused" in text
    assert f"{counts[-1, Mode.TLS_PARTIAL]:,} tls-partial" in text
    table = waves(distribution(found))
    text = plots.alternative_text("waves", distribution(found))
    assert f"{table['by-hand'].sum()} by hand; at most {table['imports'].max()} in one week" in text
    assert "The capacity is 60 a week, with 0 weeks above it." in text
    assert table["over"].sum() == 0


@pytest.mark.parametrize("name", NAMES)
def test_an_alternative_text_is_two_to_five_sentences(name: str) -> None:
    for found in (eight_cases(), first_draft()):
        text = plots.alternative_text(name, value_of(name, found))
        assert 2 <= text.count(". ") + 1 <= 5
        assert text.endswith(".")


def test_a_picture_of_the_wrong_value_has_no_words() -> None:
    with pytest.raises(ValueError, match="'gantt' is no picture of a Deadlines; use one of modes"):
        plots.alternative_text("gantt", eight_cases())


# --- waves of distribution -----------------------------------------------------------------------


def test_waves_are_bars_as_high_as_the_weeks_of_the_table() -> None:
    found = distribution(first_draft())
    ax = plots.wave_chart(found)
    table = waves(found)
    for reach in Reach:
        drawn_areas = areas_labelled(ax, str(reach))
        heights = [round(float(np.ptp(area[:, 1]))) for area in drawn_areas]
        assert heights == [n for n in table[str(reach)].tolist() if n]
    tops = [float(area[:, 1].max()) for reach in Reach for area in areas_labelled(ax, str(reach))]
    assert max(tops) == table["imports"].max()
    (line,) = ax.lines
    assert line.get_ydata()[0] == table["capacity"].max()  # type: ignore[index] # a line has two


def test_each_way_differs_by_hatch_too() -> None:
    hatches = [hatch for _, hatch in LOOKS.values()]
    assert set(LOOKS) == set(Reach)
    assert len(set(hatches)) == len(hatches)


def test_waves_of_no_imports_are_drawn_and_told_too(tmp_path: Path) -> None:
    empty = distribution(
        deadlines_of(
            case(
                servers=[server("SRV1")],
                clients=[client("BA01")],
                sessions=[session("BA01", "SRV1")],
            ),
            tmp_path,
        )
    )
    assert plots.wave_chart(empty).get_ylabel() == "imports a week"
    assert plots.alternative_text("waves", empty).endswith(
        "In words: 0 imports. No capacity is given."
    )


def test_weeks_above_the_capacity_are_told(tmp_path: Path) -> None:
    names = [f"BA{number:02}" for number in range(3)]
    built = case(
        servers=[server("SRV1")],
        clients=[client(name) for name in names],
        sessions=[session(name, "SRV1") for name in names],
        plan=[
            action("2025-03-12", "import-certificate", client=name, certificate="SRV1")
            for name in names
        ],
    )
    built.toml["capacity"] = {"imports_per_week": 2}
    found = distribution(deadlines_of(built, tmp_path))
    text = plots.alternative_text("waves", found)
    assert text.endswith("The capacity is 2 a week, with 1 week above it.")
    (line,) = plots.wave_chart(found).lines
    assert line.get_ydata()[0] == 2  # type: ignore[index] # a line has two


# --- Films and heat maps -------------------------------------------------------------------------


def corners_labelled(ax: Axes, label: str) -> list[NDArray[np.float64]]:
    """Return the rectangles of an area that is one shape."""
    found = []
    for patch in ax.patches:
        if isinstance(patch, PathPatch) and patch.get_label() == label:
            corners = np.asarray(patch.get_path().vertices)
            found += [corners[first : first + 4] for first in range(0, len(corners), 5)]
    return found


@pytest.mark.parametrize("name", ["lh-app-29", "lantern"])
def test_the_bars_of_a_film_are_the_segments_of_its_table(name: str) -> None:
    timeline = first_draft().timeline
    endpoint = timeline.plan.fleet.find_endpoint(name)
    table = film(timeline, endpoint)
    ax = plots.session_film(timeline, endpoint, day=timeline.plan.fleet.start + 3)

    for mode in Mode:
        of_mode = table[table["mode"] == mode.label]
        bars = corners_labelled(ax, mode.label)
        spans = sorted((int(bar[:, 0].min()), int(bar[:, 0].max())) for bar in bars)
        assert spans == sorted(
            (to_day(date.fromisoformat(start)), to_day(date.fromisoformat(end)))
            for start, end in zip(of_mode["start"], of_mode["end"], strict=True)
        )
    assert [line.get_xdata() for line in ax.lines] == [[timeline.plan.fleet.start + 3] * 2]


def test_a_film_of_a_host_without_sessions_is_empty(tmp_path: Path) -> None:
    built = case(servers=[server("SRV1")], clients=[client("BA01")], sessions=[])
    ax = plots.session_film(deadlines_of(built, tmp_path).timeline, 0)
    assert not ax.patches


@pytest.mark.parametrize("of", [eight_cases, first_draft])
def test_the_heat_map_has_a_cell_for_each_host_and_week_with_its_worst_verdict(of: object) -> None:
    assert callable(of)
    found = of()
    gravity = ["ok", "tight", "same-day", "late", "missing", "impossible"]
    table = found.to_frame().query("verdict != 'in-place'")
    monday = pd.to_datetime(table.latest_safe).dt.to_period("W").dt.start_time
    worst = (
        table.assign(week=monday, grave=table.verdict.map(gravity.index))
        .groupby(["client", "week"])
        .grave.max()
    )
    ax = plots.deadline_heat(found)
    for number, verdict in enumerate(gravity):
        expected = sorted(
            to_day(week.date()) for (_, week), grave in worst.items() if grave == number
        )
        drawn_cells = corners_labelled(ax, verdict)
        assert sorted(int(cell[:, 0].min()) for cell in drawn_cells) == expected
        assert all(cell[:, 0].max() - cell[:, 0].min() == 7 for cell in drawn_cells)


def test_a_heat_map_without_imports_is_empty_and_says_so(tmp_path: Path) -> None:
    built = case(servers=[server("SRV1")], clients=[client("BA01")], sessions=[])
    ax = plots.deadline_heat(deadlines_of(built, tmp_path))
    assert not [patch for patch in ax.patches if patch.get_label() in {"ok", "missing"}]
    assert any("0 imports on 0 hosts" in text.get_text() for text in ax.texts)
