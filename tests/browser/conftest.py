"""The system's Chromium, and the servers that it is sent to."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "out" / "browser"
"""Where the tests leave pictures to look at."""
SIZES: Final = ((1280, 800), (1920, 1080))
PATIENCE: Final = 60_000
"""Longest wait for something on a page: far above any, so that only a hang meets it [ms]."""

expect.set_options(timeout=PATIENCE)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium; skip without one, unless the tests must not be skipped."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        missing = "no Chromium is installed, so the tests in a browser are skipped"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """Open one page for the tests of a module, which use it one after the other."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str) -> None:
    host, port = address.split("/")[2].split(":")
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)


def serve(command: list[str], environment: dict[str, str], address: str) -> Iterator[str]:
    """Run a server until the tests end; yield its address, which it prints when it is ready."""
    with tempfile.TemporaryDirectory() as home:
        folders = {
            f"JUPYTER_{name}_DIR": str(Path(home) / name.casefold())
            for name in ("CONFIG", "DATA", "RUNTIME")
        }
        server = subprocess.Popen(
            command,
            env={**environment, **folders, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert server.stdout is not None
        said = []
        try:
            for line in server.stdout:
                said.append(line)
                found = re.search(address, line)
                if found:
                    _wait_for(found.group())  # some print it a moment too early
                    yield found.group()
                    break
            else:
                pytest.fail(f"the server did not start: {''.join(said)}")
        finally:
            server.terminate()
            server.communicate()


@pytest.fixture(scope="module")
def planning_room() -> Callable[..., Iterator[str]]:
    """Return what serves the planning room of a fleet by `planner app`."""

    def start(fleet: Path, *options: str) -> Iterator[str]:
        command = [sys.executable, "-m", "planner.cli", "app", str(fleet), "--no-browser"]
        command += ["--port", str(free_port()), *options]
        return serve(command, dict(os.environ), r"http://127\.0\.0\.1:\d+/\?token=\w+")

    return start


def check_accessibility(page: Page) -> None:
    """Fail with what axe-core has against a page."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def check_layout(
    page: Page, name: str, *, also: Callable[[tuple[int, int]], None] = lambda _: None
) -> None:
    """Take a picture at each size, and fail where the page is wider than its window."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)  # the layout follows
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}x{height}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        also((width, height))
    page.set_viewport_size({"width": 1280, "height": 800})
