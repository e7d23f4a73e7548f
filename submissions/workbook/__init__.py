"""The workbook of a quarterly table: made as a template, read when it comes back, answered with what is wrong in it."""

from submissions.workbook.model import Expected, Prefill, PrefillMember
from submissions.workbook.refusals import Unreadable

__all__ = ["Expected", "Prefill", "PrefillMember", "Unreadable"]
