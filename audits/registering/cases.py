"""Registers the parameters of cases, the clock's look at their limits, their to-dos and their search."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import jobs_cases, todos_cases
    from audits.parameters import define_parameters
    from core.registries import due_work, home_todos, search_sources

    define_parameters()
    due_work.register("audits.escalations", jobs_cases.look_for_escalations)
    home_todos.register("audits.cases", todos_cases.todos, order=32)
    search_sources.register("audits.cases", todos_cases.search, order=44)
