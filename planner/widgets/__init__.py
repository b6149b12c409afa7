"""Explorers and the planning board for notebooks: controls, a value, and a view of it.

They compute nothing of their own: each value is made by the functions that notebooks call.
"""

from planner.widgets.download import DownloadButton

__all__ = ["DownloadButton"]
