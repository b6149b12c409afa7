"""A button that hands a table to the browser as a CSV file."""

from collections.abc import Callable

import anywidget
import pandas as pd
import traitlets

from planner.reporting.cells import csv_bytes
from planner.widgets.panel import STATIC

Table = Callable[[], pd.DataFrame]


class DownloadButton(anywidget.AnyWidget):
    """Downloads a table as a CSV file, made anew at each click.

    Parameters
    ----------
    table
        Makes the table.
    file
        Name of the file.
    """

    _esm = STATIC / "download.js"
    _css = STATIC / "planner.css"
    file = traitlets.Unicode().tag(sync=True)

    def __init__(self, table: Table, file: str) -> None:
        self._table = table
        super().__init__(file=file)
        self.on_msg(self._on_message)

    @property
    def value(self) -> bytes:
        """What a click downloads."""
        return csv_bytes(self._table())

    def _on_message(self, _: object, content: object, __: object) -> None:
        if content == "download":
            self.send("file", buffers=[self.value])

    def __repr__(self) -> str:
        return f"DownloadButton({self.file!r}, {len(self.value):,} bytes)"
