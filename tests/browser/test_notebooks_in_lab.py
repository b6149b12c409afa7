"""The notebook of the planning board in JupyterLab: run it, then drag, slide and download."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import planner
from tests.browser.conftest import ROOT, check_layout, free_port, serve

TOKEN = "only-for-this-test"  # noqa: S105 - of a server that lives as long as the test
NOTEBOOK = "notebooks/07_planning_board.ipynb"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run JupyterLab on a copy of the notebook and of its fleet."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / NOTEBOOK, folder / NOTEBOOK)
    shutil.copytree(ROOT / "data" / "harbour", folder / "data" / "harbour")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={free_port()}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
    ]
    yield from serve(command, dict(os.environ), r"http://127\.0\.0\.1:\d+/lab")


@pytest.fixture(scope="module")
def notebook(page: Page, lab: str) -> Page:
    """Open the notebook and run all its cells."""
    page.goto(f"{lab}/tree/{NOTEBOOK}?token={TOKEN}&reset")
    sessions = f"{lab.removesuffix('/lab')}/api/sessions?token={TOKEN}"
    while True:  # the page's own sign says idle too early, and the run would be lost
        kernels = [session["kernel"] for session in page.request.get(sessions).json()]
        if any(k["execution_state"] == "idle" and k["connections"] >= 1 for k in kernels):
            break
        page.wait_for_timeout(300)
    page.wait_for_selector("text=| Idle")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(page.get_by_role("button", name="Download schedule.csv").first).to_be_attached()
    page.wait_for_selector("text=| Idle")
    return page


def board(notebook: Page) -> Locator:
    return notebook.locator(".planner-board").first


def total(notebook: Page, name: str) -> Locator:
    return board(notebook).locator(".totals li").filter(has_text=name).locator("strong")


def test_a_card_is_dragged_and_undone_in_jupyterlab(notebook: Page) -> None:
    board(notebook).scroll_into_view_if_needed()
    expect(total(notebook, "refused session-days")).to_have_text("0")
    card = board(notebook).locator(".planner-card").filter(has_text="beacon").first
    card.scroll_into_view_if_needed()
    before = card.locator("xpath=ancestor::section").get_attribute("data-week")
    column = board(notebook).locator(f'[data-week="{before}"] + .week')
    after = column.get_attribute("data-week")
    start, goal = card.bounding_box(), column.bounding_box()
    assert start is not None
    assert goal is not None
    notebook.mouse.move(start["x"] + 30, start["y"] + 10)
    notebook.mouse.down()
    notebook.mouse.move(start["x"] + 60, start["y"] + 14, steps=4)
    notebook.mouse.move(goal["x"] + 60, goal["y"] + 160, steps=8)
    notebook.mouse.up()
    there = (
        board(notebook).locator(f'[data-week="{after}"] .planner-card').filter(has_text="beacon")
    )
    expect(there).to_have_count(1)
    check_layout(notebook, "lab-board")
    board(notebook).get_by_role("button", name="Undo").click()
    back = (
        board(notebook).locator(f'[data-week="{before}"] .planner-card').filter(has_text="beacon")
    )
    expect(back).to_have_count(1)


def test_keys_move_a_card_and_not_the_notebooks_cells(notebook: Page) -> None:
    card = board(notebook).locator(".planner-card").filter(has_text="beacon").first
    before = card.locator("xpath=ancestor::section").get_attribute("data-week")
    card.focus()
    for key in ("Space", "ArrowRight", "Space"):
        notebook.keyboard.press(key)
    moved = board(notebook).locator(f'[data-week="{before}"] + .week .planner-card')
    expect(moved.filter(has_text="beacon")).to_be_focused()
    notebook.keyboard.press("Control+z")
    expect(
        board(notebook).locator(f'[data-week="{before}"] .planner-card').filter(has_text="beacon")
    ).to_be_focused()


def test_the_slider_of_the_deadlines_changes_the_verdicts(notebook: Page) -> None:
    slider = notebook.get_by_role("slider", name="Lead (working days)")
    slider.scroll_into_view_if_needed()
    headline = notebook.locator(".planner-headline").last
    expect(headline).to_contain_text("lead 8: ")
    slider.click()  # its cell becomes the active one
    slider.fill("6")
    expect(headline).to_contain_text("lead 6: ")
    slider.press("ArrowLeft")
    expect(headline).to_have_text("lead 5: 150 in-place, 850 ok")
    picture = notebook.locator(".planner img").last
    expect(picture).to_have_attribute("alt", re.compile("850 imports on 366 hosts.*: 850 ok"))


def test_the_download_of_the_notebook_is_the_plan_on_the_board(
    notebook: Page, tmp_path: Path
) -> None:
    with notebook.expect_download() as download:
        notebook.get_by_role("button", name="Download schedule.csv").last.click()
    download.value.save_as(tmp_path / "schedule.csv")
    fleet = planner.read_fleet(ROOT / "data" / "harbour")
    plan = planner.read_plan(tmp_path / "schedule.csv", fleet)
    assert len(plan) == len(planner.complete(fleet.draft_plan()))
    keeper = plan.where(action="upgrade-server", server="keeper")
    assert len(keeper) == 1
    assert planner.check(planner.simulate(plan)).has_errors is False
