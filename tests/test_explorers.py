"""The explorers without a browser: set a control, look at the value and at what the view shows."""

from datetime import date

import pandas as pd
import pytest

from planner.domain.calendar import iso, to_day
from planner.domain.rules import Mode, Verdict
from planner.engine.deadlines import deadlines
from planner.engine.policies import replanned, under_policy
from planner.engine.timeline import simulate
from planner.reporting import tables
from planner.widgets import DeadlineExplorer, FleetExplorer, SessionFilm
from planner.widgets.panel import MOST_ROWS, Panel, Slider
from tests.golden.tables import eight_cases, first_draft


def shown(panel: Panel) -> pd.DataFrame:
    """Return the table that the view shows."""
    table = panel.view.table
    return pd.DataFrame(table["rows"], columns=table["columns"])


def test_a_slider_keeps_its_value_inside_and_says_where_it_is() -> None:
    slider = Slider(label="Lead", value=3, minimum=0, maximum=9)
    slider.value = 12
    assert repr(slider) == "Slider('Lead', 9 of 0..9)"


# --- FleetExplorer -------------------------------------------------------------------------------


def test_the_fleet_explorer_opens_on_the_first_day() -> None:
    timeline = eight_cases().timeline
    explorer = FleetExplorer(timeline)
    assert repr(explorer) == f"FleetExplorer({explorer.summary})"
    assert explorer.summary.startswith(iso(timeline.plan.fleet.start))
    assert sum(explorer.counts.values()) == timeline.n_sessions


@pytest.mark.parametrize("offset", [0, 40, 153])
def test_the_fleet_explorer_shows_the_states_of_its_day(offset: int) -> None:
    timeline = eight_cases().timeline
    fleet = timeline.plan.fleet
    explorer = FleetExplorer(timeline)
    before = explorer.panel.view.png
    explorer.day.value = fleet.start + offset

    day = iso(fleet.start + offset)
    states = tables.session_states(timeline)
    expected = states[(states.start <= day) & (day < states.end)]["mode"].value_counts()
    assert explorer.counts == expected.to_dict()
    assert explorer.value["mode"].value_counts().to_dict() == expected.to_dict()
    assert shown(explorer.panel)["client"].tolist() == explorer.value["client"].tolist()
    assert explorer.panel.view.headline == explorer.summary
    assert day in explorer.panel.view.words
    assert explorer.panel.view.png.startswith(b"\x89PNG")
    assert (explorer.panel.view.png != before) is (offset > 0)


def test_the_table_of_the_fleet_explorer_can_be_kept_to_one_mode() -> None:
    timeline = first_draft().timeline
    explorer = FleetExplorer(timeline)
    explorer.day.value = timeline.plan.fleet.end - 1
    explorer.mode.value = Mode.TLS_FULL.label
    assert set(explorer.value["mode"]) == {"tls-full"}
    assert len(explorer.value) == explorer.counts["tls-full"] > MOST_ROWS
    assert len(shown(explorer.panel)) == MOST_ROWS
    rest = len(explorer.value) - MOST_ROWS
    assert explorer.panel.view.table["rest"] == f"... and {rest} more rows"


def test_picture_words_and_table_reach_the_page_in_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = FleetExplorer(eight_cases().timeline)
    view = explorer.panel.view
    sent: list[set[str]] = []
    monkeypatch.setattr(view, "send_state", lambda key=(): sent.append(set(key)))
    explorer.day.value += 60
    assert sent == [{"headline", "png", "words", "table"}]


# --- SessionFilm ---------------------------------------------------------------------------------


def test_the_film_gives_each_state_its_rule_and_source() -> None:
    timeline = first_draft().timeline
    film = SessionFilm(timeline, "lh-app-29")
    states = tables.session_states(timeline).query("client == 'lh-app-29'")

    assert film.value["rule"].tolist() == states["rule"].tolist()
    rules = tables.rules().set_index("id")
    for row in film.value.itertuples():
        assert (row.source, row.status, row.sentence) == tuple(
            rules.loc[str(row.rule), ["source", "status", "sentence"]]
        )
    assert film.on_day["start"].tolist() == [iso(timeline.plan.fleet.start)] * len(film.on_day)


def test_the_film_follows_its_day_and_its_host() -> None:
    timeline = first_draft().timeline
    film = SessionFilm(timeline, "lh-app-29")
    refused = film.value[film.value["mode"] == "refused"].iloc[0]
    film.day.value = to_day(date.fromisoformat(refused.start))
    assert "1 refused" in film.summary
    film.endpoint.value = "lantern"
    assert film.summary.startswith("'lantern', ")
    assert "lantern" in set(film.value["server"])
    assert ((film.value["client"] == "lantern") | (film.value["server"] == "lantern")).all()
    assert "lantern" in film.panel.view.words


def test_the_film_opens_on_the_first_host() -> None:
    timeline = eight_cases().timeline
    assert SessionFilm(timeline).endpoint.value == timeline.plan.fleet.clients.name[0]


# --- DeadlineExplorer ----------------------------------------------------------------------------


def test_the_deadline_explorer_opens_on_the_fleets_own_policy() -> None:
    explorer = DeadlineExplorer(eight_cases().plan)
    assert explorer.value.to_frame().equals(eight_cases().deadlines.to_frame())
    assert repr(explorer).startswith("DeadlineExplorer(lead 5: ")


def test_a_longer_lead_shows_what_is_no_longer_safe() -> None:
    plan = eight_cases().plan
    explorer = DeadlineExplorer(plan)
    explorer.lead_days.value = 12
    expected = deadlines(simulate(under_policy(plan, lead_days=12)))
    assert explorer.value.to_frame().equals(expected.to_frame())
    tight = expected.count(Verdict.TIGHT)
    assert tight > 0
    assert f"{tight} tight" in explorer.summary
    assert set(shown(explorer.panel)["verdict"]) == {"tight"}
    assert f"{tight} tight" in explorer.panel.view.words


def test_every_control_of_the_deadline_explorer_reaches_the_value() -> None:
    plan = eight_cases().plan
    explorer = DeadlineExplorer(plan)
    explorer.plans_anew.value = True
    explorer.imports_per_week.value = 1
    explorer.working_days.value = ("Mon", "Thu")
    explorer.freezes.value = False
    policy = under_policy(plan, lead_days=5, imports_per_week=1, working_days=(0, 3), freezes=False)
    assert explorer.value.to_frame().equals(deadlines(simulate(replanned(policy))).to_frame())


def test_without_working_days_the_fleets_own_stay() -> None:
    explorer = DeadlineExplorer(eight_cases().plan)
    explorer.working_days.value = ()
    assert explorer.value.to_frame().equals(eight_cases().deadlines.to_frame())


def test_an_explorer_is_stored_in_a_notebook_as_one_line_and_a_widget() -> None:
    run = eight_cases()
    for explorer in (
        FleetExplorer(run.timeline),
        SessionFilm(run.timeline),
        DeadlineExplorer(run.plan),
    ):
        bundle = explorer._repr_mimebundle_()
        assert bundle["text/plain"] == repr(explorer)
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert "\n" not in repr(explorer)
