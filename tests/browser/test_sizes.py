"""The planning room from 5 to 5,000 clients at two sizes of the window: nothing overlaps."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import check_layout
from tests.builders import action, case, certificate, client, server, session, write_case

NEW: Final = "8.1.27"
TABS: Final = ("Planning board", "Fleet by day", "Through time", "Deadlines", "Orders", "Slips")

OVERLAPS: Final = """
() => {
  const overlaps = [];
  for (const group of [
    ".planner-card",
    ".planner-board .week",
    ".planner-board .head > *",
    "button, input, select, label, .widget-label, .planner-headline, .planner img, " +
      ".planner-table, .planner-board .weeks, .planner-board .says, .planner-board .reasons",
  ]) {
    const seen = [...document.querySelectorAll(group)]
      .filter((element) => element.checkVisibility() && !element.matches(".planner-ghost *"))
      .filter((element) => group === ".planner-card" || !element.matches(".planner-card"))
      .map((element) => [element, element.getBoundingClientRect()]);
    for (const [one, a] of seen)
      for (const [other, b] of seen) {
        if (one === other || one.contains(other) || other.contains(one)) continue;
        const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (width > 1 && height > 1)
          overlaps.push(`${one.tagName}.${one.className} ${one.textContent.slice(0, 40)} / ` +
            `${other.tagName}.${other.className} ${other.textContent.slice(0, 40)}`);
      }
  }
  return overlaps;
}
"""


def write_fleet(folder: Path, n_clients: int) -> None:
    """Write a fleet of some servers and many clients at four sites, upgraded over a year."""
    servers = [f"SRV{number}" for number in range(max(1, min(24, n_clients // 20)))]
    names = [f"client-{number:04}" for number in range(n_clients)]
    days = [f"2025-{month:02}-{day:02}" for month in range(4, 13) for day in (3, 10, 17, 24)]
    built = case(
        servers=[
            server(name, site=f"site-{number % 4}", certificate=f"cert-{name}")
            for number, name in enumerate(servers)
        ],
        clients=[
            client(name, site=f"site-{number % 4}", owner=f"team-{number % 7}")
            for number, name in enumerate(names)
        ],
        sessions=[
            session(name, servers[(number + turn) % len(servers)], account=f"{name}-{turn}")
            for number, name in enumerate(names)
            for turn in range(min(2, len(servers)))
        ],
        certificates=[
            certificate(f"cert-{name}", kind="self-signed", server=name) for name in servers
        ],
        plan=[
            *(action("2025-03-18", "upgrade-server", server=name, value=NEW) for name in servers),
            *(
                action(days[number % len(days)], "upgrade-client", client=name, value=NEW)
                for number, name in enumerate(names)
            ),
        ],
        end="2026-03-02",
        freezes=[("2025-12-15", "2026-01-05")],
        capacity={"clients_per_week": max(1, n_clients // 30)},
    )
    write_case(built, folder)


@pytest.mark.parametrize("n_clients", [5, 500, 5_000])
def test_nothing_overlaps(
    n_clients: int, tmp_path: Path, page: Page, planning_room: Callable[..., Iterator[str]]
) -> None:
    write_fleet(tmp_path / "fleet", n_clients)
    for address in planning_room(tmp_path / "fleet"):
        page.goto(address)
        page.wait_for_selector(".planner-card")
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            if tab != TABS[0]:
                expect(page.locator(".planner-headline:visible")).not_to_be_empty()
                page.wait_for_function(
                    "[...document.querySelectorAll('.planner img')]"
                    ".some(image => image.checkVisibility() && image.naturalWidth > 0)"
                )
            name = f"{n_clients}-{tab.casefold().replace(' ', '-')}"
            check_layout(page, name, also=lambda size: no_overlaps(page, size))


def no_overlaps(page: Page, size: tuple[int, int]) -> None:
    found = page.evaluate(OVERLAPS)
    assert found == [], (size, found[:5], len(found))
