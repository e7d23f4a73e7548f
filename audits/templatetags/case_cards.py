"""Renders the cards of a case's page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.template.loader import get_template

from audits.registries import Card

register = template.Library()


@register.simple_tag(takes_context=True)
def case_card(context: Context, card: Card) -> Any:
    """A card with the page's own context and, for it alone, what the card brings."""
    with context.push(**card.context):
        return get_template(card.template).template.render(context)  # type: ignore[attr-defined]
