"""What other apps and pages may ask about quarterly tables: accepted tables and their cells, who filed, what changed."""

from submissions.reading.accepted import FigureRow, accepted, accepted_figures
from submissions.reading.differences import Difference, differences
from submissions.reading.filing import matrix

__all__ = ["Difference", "FigureRow", "accepted", "accepted_figures", "differences", "matrix"]
