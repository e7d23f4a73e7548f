"""The workbook of a quarterly table: made as a template, read when it comes back, answered with what is wrong in it."""

from submissions.workbook.answer import answer_workbook
from submissions.workbook.codes import CODES, Code
from submissions.workbook.model import Expected, Prefill, PrefillMember
from submissions.workbook.reader import read_workbook
from submissions.workbook.refusals import Unreadable
from submissions.workbook.template import template_workbook

__all__ = [
    "CODES", "Code", "Expected", "Prefill", "PrefillMember", "Unreadable", "answer_workbook", "read_workbook", "template_workbook",
]  # fmt: skip
