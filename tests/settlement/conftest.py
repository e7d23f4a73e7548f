"""A world with a drafted surplus, built once for a module; every test sees it fresh because its own changes roll back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.settlement import ground
from tests.world import World, build_world


@pytest.fixture(scope="module")
def surplus_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world of a module whose tests all start from the same reviewable draft of a surplus."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            world = build_world()
            ground.surplus_ready(world)
            yield world
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
