"""The planning room in a browser: drag, keys, slider, download, names, accessibility, its end."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

import planner
from planner.domain.plan import Plan
from planner.reporting.tables import states_on
from planner.widgets import OrderExplorer, PlanningBoard
from tests.browser.conftest import check_accessibility, check_layout
from tests.builders import action, case, client, server, session, write_case

NEW = "8.1.13"
HOSTILE = (
    '"><img src=x onerror="window.hacked=1">',
    "<script>window.hacked=2</script>",
    "\N{ANCHOR}\N{GRINNING FACE}",
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}abc",
    "x" * 300,
)
SERVER = '<b onclick="window.hacked=3">SRV</b>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fleet of hostile names whose clients are upgraded week by week."""
    folder = tmp_path_factory.mktemp("fleet")
    built = case(
        servers=[server(SERVER, site="<i>quay</i>", target_level=NEW)],
        clients=[
            client(name, site=name[:20], owner=name[:30], target_level=NEW) for name in HOSTILE
        ],
        sessions=[session(name, SERVER) for name in HOSTILE],
        start="2025-03-03",
        end="2025-05-05",
        plan=[
            action("2025-03-11", "upgrade-server", server=SERVER, value=NEW),
            *(
                action(f"2025-04-{8 + 7 * (place % 2):02}", "upgrade-client", client=n, value=NEW)
                for place, n in enumerate(HOSTILE)
            ),
            *(
                action("2025-03-18", "import-certificate", client=name, certificate=SERVER)
                for name in HOSTILE
            ),
        ],
        freezes=[("2025-03-24", "2025-03-29")],
    )
    built.toml["name"] = HOSTILE[1]
    built.toml["capacity"] = {"clients_per_week": 2, "imports_per_week": 4}
    write_case(built, folder)
    return folder


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return planner.read_plan(folder / "plan.csv", planner.read_fleet(folder))


@pytest.fixture(scope="module")
def address(folder: Path, planning_room: Callable[..., Iterator[str]]) -> Iterator[str]:
    yield from planning_room(folder)


@pytest.fixture(scope="module")
def room(page: Page, address: str) -> Page:
    """Open the room; what it asks other hosts for is noted, answered or not."""
    _watch(page)
    page.add_init_script(FRAMES)
    page.goto(address)
    page.wait_for_selector(".planner-card")
    return page


HARBOUR = Path(__file__).parents[2] / "data" / "harbour"
ELSEWHERE: list[str] = []
FRAMES = """
window.shown = 0;
const count = () => { window.shown += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      if (text.includes(" moved to ")) window.answered = window.shown;
    });
  }
};
"""
"""Counts the frames of the page, and keeps that in which the kernel's answer to a move arrived."""


def _watch(page: Page) -> None:
    page.on("requestfinished", lambda request: _note(page, request))
    page.on("requestfailed", lambda request: _note(page, request))  # as where there is no network


def _note(page: Page, request: Request) -> None:
    if request.failure == "csp":
        return  # the page's own policy has stopped it
    if not request.url.startswith((page.url.partition("?")[0], "data:", "blob:")):
        ELSEWHERE.append(request.url)


def card(room: Page, name: str) -> Locator:
    return room.locator(".planner-card").filter(has_text=name)


def week_of(room: Page, name: str) -> str:
    week = card(room, name).locator("xpath=ancestor::section").get_attribute("data-week")
    assert week is not None
    return week


def total(room: Page, name: str) -> Locator:
    return room.locator(".totals li").filter(has_text=name).locator("strong")


def test_the_page_needs_its_token(address: str) -> None:
    bare = address.partition("?")[0]
    with urllib.request.urlopen(bare) as answer:  # noqa: S310 - the page under test
        assert "/login" in answer.url
        assert b"planning_room" not in answer.read().partition(b"<body")[2].partition(b"next=")[0]


def test_the_board_shows_the_plan(room: Page, plan: Plan) -> None:
    state = PlanningBoard(plan).view.state
    expect(room.locator(".planner-card")).to_have_count(len(state["cards"]))
    expect(room.locator(".week")).to_have_count(len(state["weeks"]))
    for shown in state["cards"]:
        assert week_of(room, shown["name"]) == shown["week"]
    for name, value in state["totals"]:
        expect(total(room, name)).to_have_text(value)


def test_hostile_names_are_shown_as_text(room: Page) -> None:
    names = room.locator(".planner-card .name").all_text_contents()
    assert {SERVER, *HOSTILE} == set(names)
    assert room.evaluate("window.hacked") is None
    assert room.locator(".planner-board img, .planner-board script, .planner-board b").count() == 0


def test_a_card_is_dragged_by_mouse_and_the_numbers_change(room: Page) -> None:
    grinning = HOSTILE[2]
    before = week_of(room, grinning)
    expect(total(room, "refused session-days")).to_have_text("0")
    start = card(room, grinning).bounding_box()
    goal = room.locator('[data-week="2025-03-10"]').bounding_box()
    assert start is not None
    assert goal is not None
    room.mouse.move(start["x"] + 30, start["y"] + 10)
    room.mouse.down()
    room.mouse.move(start["x"] + 60, start["y"] + 20, steps=4)
    room.mouse.move(goal["x"] + 40, goal["y"] + 200, steps=12)
    assert room.locator(".planner-ghost").count() == 1
    room.mouse.up()

    marked = room.locator('[data-week="2025-03-10"] .planner-card').filter(has_text=grinning)
    expect(marked.locator(".mark")).to_have_text("R")
    expect(marked.locator(".why")).to_contain_text("untrusted (ANS1592E)")
    expect(total(room, "refused session-days")).not_to_have_text("0")
    expect(room.locator(".reasons")).to_contain_text("refused: untrusted (ANS1592E)")
    expect(room.locator("[role=status]")).to_contain_text("moved to 2025-03-10")
    assert room.locator(".planner-ghost").count() == 0

    room.get_by_role("button", name="Undo").click()
    expect(total(room, "refused session-days")).to_have_text("0")
    assert week_of(room, grinning) == before


def test_a_card_is_moved_by_keyboard(room: Page) -> None:
    name = HOSTILE[1]
    card(room, name).focus()
    before = week_of(room, name)
    room.keyboard.press("Space")
    assert card(room, name).get_attribute("aria-pressed") == "true"
    for _ in range(2):
        room.keyboard.press("ArrowRight")
    room.keyboard.press("Escape")
    assert week_of(room, name) == before
    room.keyboard.press("Enter")
    room.keyboard.press("ArrowRight")
    expect(room.locator(".week.target")).to_have_attribute("data-week", "2025-04-21")
    room.keyboard.press("Enter")
    moved = room.locator('[data-week="2025-04-21"] .planner-card').filter(has_text=name)
    expect(moved).to_be_focused()
    room.keyboard.press("Control+z")
    expect(
        room.locator('[data-week="2025-04-14"] .planner-card').filter(has_text=name)
    ).to_be_focused()


def test_a_move_is_drawn_within_two_frames_of_the_kernels_answer(room: Page) -> None:
    room.evaluate(
        "new MutationObserver(() => { window.drawn = window.shown; })"
        ".observe(document.querySelector('.weeks'), { childList: true })"
    )
    for key, week in (("ArrowRight", "2025-04-21"), ("ArrowLeft", "2025-04-14")):
        card(room, HOSTILE[1]).focus()
        for press in ("Space", key, "Space"):
            room.keyboard.press(press)
        expect(room.locator("[role=status]")).to_contain_text(f"moved to {week}")
        # What is changed in one frame is on the screen with the next.
        assert 0 <= room.evaluate("window.drawn - window.answered") <= 1
    for _ in range(2):
        room.keyboard.press("Control+z")
    expect(room.locator("[role=status]")).to_contain_text("undone")


def test_arrows_go_from_card_to_card(room: Page) -> None:
    first = room.locator('[data-week="2025-04-07"] .planner-card').first
    first.focus()
    room.keyboard.press("ArrowDown")
    expect(room.locator('[data-week="2025-04-07"] .planner-card').nth(1)).to_be_focused()
    room.keyboard.press("ArrowUp")
    room.keyboard.press("ArrowRight")
    expect(room.locator('[data-week="2025-04-14"] .planner-card').first).to_be_focused()
    room.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    assert room.locator('.planner-card[tabindex="0"]').count() == 1


def test_the_schedule_of_the_board_is_downloaded_and_reads_back(
    room: Page, plan: Plan, tmp_path: Path
) -> None:
    card(room, HOSTILE[0]).focus()
    for key in ("Space", "ArrowRight", "Space"):
        room.keyboard.press(key)
    expect(room.locator("[role=status]")).to_contain_text("moved to 2025-04-14")
    with room.expect_download() as download:
        room.get_by_role("button", name="Download schedule.csv").click()
    download.value.save_as(tmp_path / "schedule.csv")

    board = PlanningBoard(plan)
    number = next(n for n, one in enumerate(board.deck) if one.name == HOSTILE[0])
    board.view._handle_custom_msg({"do": "move", "card": number, "week": "2025-04-14"}, [])
    again = planner.read_plan(tmp_path / "schedule.csv", plan.fleet)
    assert again.to_frame().equals(board.value.to_frame())
    assert (tmp_path / "schedule.csv").read_bytes() == board.download.value


def test_the_board_has_nothing_against_it(room: Page) -> None:
    check_accessibility(room)
    check_layout(room, "board")


def test_a_slider_shows_another_day_and_skips_what_is_stale(room: Page, plan: Plan) -> None:
    room.get_by_role("tab", name="Fleet by day").click()
    slider = room.get_by_role("slider", name="Day")
    image = room.locator(".planner img:visible")
    expect(image).to_have_attribute("alt", re.compile("Sessions on 2025-03-03"))
    image.evaluate(
        "image => { image.drawn = 0; new MutationObserver(() => { image.drawn += 1; })"
        ".observe(image, { attributeFilter: ['src'] }); }"
    )
    slider.evaluate(
        "async (input) => { for (let step = 1; step <= 50; step += 1) {"
        "input.valueAsNumber += 1; input.dispatchEvent(new Event('input'));"
        "await new Promise(requestAnimationFrame); } }"
    )
    last = plan.fleet.start + 50
    counts = states_on(planner.simulate(plan), last)["mode"].value_counts()
    headline = room.locator(".planner-headline:visible")
    expect(headline).to_contain_text("2025-04-22")
    for mode, count in counts.items():
        expect(headline).to_contain_text(f"{count} {mode}")
    assert 1 <= image.evaluate("image => image.drawn") < 50
    slider.focus()
    room.keyboard.press("ArrowLeft")
    expect(headline).to_contain_text("2025-04-21")


@pytest.mark.parametrize("tab", ["Fleet by day", "Through time", "Deadlines", "Orders", "Slips"])
def test_an_explorer_has_nothing_against_it_and_shows_names_as_text(room: Page, tab: str) -> None:
    room.get_by_role("tab", name=tab).click()
    if tab == "Orders":
        room.get_by_role("button", name="Make the order").click()
    name = SERVER if tab == "Slips" else HOSTILE[0]  # the list of slips names no other
    expect(room.locator(".planner-table:visible")).to_contain_text(name)
    room.wait_for_timeout(300)
    check_accessibility(room)
    check_layout(room, tab.casefold().replace(" ", "-"))
    assert room.evaluate("window.hacked") is None


def test_an_order_is_made_beside_the_plan_and_downloaded(
    room: Page, plan: Plan, tmp_path: Path
) -> None:
    room.get_by_role("tab", name="Orders").click()
    headline = room.locator(".planner-headline:visible")
    for strategy in ("client-first", "server-first"):
        room.get_by_role("combobox", name="Order", exact=True).select_option(strategy)
        room.get_by_role("button", name="Make the order").click()
        expect(headline).to_contain_text(f"{strategy}, 2 a week: exposure ")
    room.get_by_role("button", name="Undo").click()
    expect(headline).to_contain_text("undone. client-first")
    room.get_by_role("button", name="Redo").click()
    expect(headline).to_contain_text("done again. server-first")
    with room.expect_download() as download:
        room.get_by_role("button", name="Download schedule.csv").click()
    download.value.save_as(tmp_path / "schedule.csv")
    explorer = OrderExplorer(plan)
    explorer.strategy.value = "server-first"
    explorer.make()
    explorer.wait()
    again = planner.read_plan(tmp_path / "schedule.csv", plan.fleet)
    assert again.to_frame().equals(explorer.value.to_frame())


def test_no_other_host_has_been_asked_for_anything(room: Page) -> None:
    assert room.locator("body").count() == 1
    assert ELSEWHERE == []


def test_a_request_that_nobody_answers_would_be_noted(chromium: Browser) -> None:
    bare = chromium.new_page()
    _watch(bare)
    with bare.expect_event("requestfailed"):
        bare.set_content('<img src="https://other.invalid/">')
    bare.close()
    assert ELSEWHERE.pop() == "https://other.invalid/"


def test_a_page_that_nobody_uses_says_that_its_session_has_ended(folder: Path, page: Page) -> None:
    from planner.widgets.app import app_command, app_environment
    from tests.browser.conftest import free_port, serve

    command = app_command(port=free_port(), idle_seconds=6, browser=False)
    environment = app_environment(folder, None, idle_seconds=6)
    for address in serve(command, environment, r"http://127\.0\.0\.1:\d+/\?token=\w+"):
        page.goto(address)
        page.wait_for_selector(".planner-card")
        kernel = page.evaluate(
            "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
        )
        place = address.replace("?", f"api/kernels/{kernel}?")
        assert page.request.get(place).status == 200
        assert page.get_by_role("alert").text_content() == ""
        expect(page.get_by_role("alert")).to_contain_text("This session has ended: nobody used it")
        check_layout(page, "session-ended")
        while page.request.get(place).status == 200:
            page.wait_for_timeout(500)
        assert page.request.get(place).status == 404  # the session is gone, not only its page


def test_a_page_whose_program_was_stopped_says_so_when_it_is_touched(
    folder: Path, page: Page, planning_room: Callable[..., Iterator[str]]
) -> None:
    program = planning_room(folder)
    page.goto(next(program))
    page.wait_for_selector(".planner-card")
    assert page.get_by_role("alert").text_content() == ""
    next(program, None)  # ends it
    page.locator(".planner-card").first.click()
    expect(page.get_by_role("alert")).to_contain_text("or the program was stopped")
    assert page.locator(".planner-card").count() > 0  # what was there can still be read


def test_a_search_leaves_the_page_usable_and_can_be_cancelled(
    page: Page, planning_room: Callable[..., Iterator[str]]
) -> None:
    # A fleet whose best order takes minutes to prove: no search of it ends by itself meanwhile.
    program = planning_room(HARBOUR)
    page.goto(next(program))
    page.wait_for_selector(".planner-card")
    page.get_by_role("tab", name="Orders").click()
    headline = page.locator(".planner-headline:visible")
    page.get_by_role("combobox", name="Order", exact=True).select_option("optimised")
    page.get_by_role("spinbutton", name="Seconds at most").fill("600")
    page.get_by_role("spinbutton", name="Seconds at most").press("Enter")
    page.get_by_role("button", name="Make the order").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("tab", name="Planning board").click()
    expect(page.locator(".planner-card").first).to_be_visible()
    page.get_by_role("tab", name="Orders").click()
    expect(headline).to_contain_text("of 600 s")
    page.get_by_role("button", name="Cancel").click()
    expect(headline).to_contain_text("optimised")
    expect(headline).to_contain_text("at most ")
    expect(page.get_by_role("button", name="Make the order")).to_be_enabled()
    next(program, None)
