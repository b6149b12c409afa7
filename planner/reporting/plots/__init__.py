"""Pictures of core values; each function takes the one value and returns the Axes it drew on.

Without `ax` the picture is a figure of its own that no global state knows; in a notebook,
`ax.figure` shows it. `alternative_text` says the same in words, and `results.TABLE_TWINS` names the
file with its numbers.
"""

from planner.reporting.plots.comparison import comparison_chart
from planner.reporting.plots.dark import darken
from planner.reporting.plots.distribution import deadline_chart
from planner.reporting.plots.film import session_film
from planner.reporting.plots.heat import deadline_heat
from planner.reporting.plots.modes import sessions_by_mode
from planner.reporting.plots.network import fleet_graph
from planner.reporting.plots.orders import orders
from planner.reporting.plots.rollout import gantt
from planner.reporting.plots.slips import lead_chart
from planner.reporting.plots.style import FORMATS, picture, save
from planner.reporting.plots.waves import wave_chart
from planner.reporting.plots.words import alternative_text

__all__ = [
    "FORMATS",
    "alternative_text",
    "comparison_chart",
    "darken",
    "deadline_chart",
    "deadline_heat",
    "fleet_graph",
    "gantt",
    "lead_chart",
    "orders",
    "picture",
    "save",
    "session_film",
    "sessions_by_mode",
    "wave_chart",
]
