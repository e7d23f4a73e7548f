"""What other apps and pages may ask about quarterly tables: accepted tables and their cells, who filed, what changed."""

from submissions.reading.accepted import FigureRow, accepted, accepted_at, accepted_figures, latest_amounts
from submissions.reading.differences import Difference, differences
from submissions.reading.filing import matrix, unfiled
from submissions.reading.standing import Standing, standings

__all__ = [
    "Difference",
    "FigureRow",
    "Standing",
    "accepted",
    "accepted_at",
    "accepted_figures",
    "differences",
    "latest_amounts",
    "matrix",
    "standings",
    "unfiled",
]
