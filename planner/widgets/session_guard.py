"""A line on the page that says when its session has ended."""

import anywidget
import traitlets

from planner.widgets.panel import STATIC


class SessionGuard(anywidget.AnyWidget):
    """Tells the user of a page when the program behind it has gone, and what to do then.

    The page asks for an answer when somebody touches it, at most every few seconds, so a page that
    nobody uses keeps no session alive.

    Attributes
    ----------
    idle_seconds
        After so long without use the session is ended [s].
    """

    _esm = STATIC / "session.js"
    _css = STATIC / "planner.css"
    idle_seconds = traitlets.Int().tag(sync=True)

    def __init__(self, idle_seconds: int) -> None:
        super().__init__(idle_seconds=idle_seconds)
        self.on_msg(self._on_message)

    def _on_message(self, _: object, content: object, __: object) -> None:
        if content == "ping":
            self.send("pong")

    def __repr__(self) -> str:
        return f"SessionGuard({self.idle_seconds} s)"
