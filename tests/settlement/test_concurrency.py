"""Two people at once: one succeeds, the other is told; nothing is drafted, reviewed or paid twice."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from core.errors import Conflict
from ledger.reading import verify_ledger
from settlement import services
from settlement.models import Booking, Computation, Settlement, SettlementVersion
from settlement.states import Act
from settlement.verification import verify_settlements
from tests.settlement import ground
from tests.settlement.ground import YEAR
from tests.world import build_world


@pytest.fixture
def world(transactional_db):
    return build_world()


def at_once(*acts):
    """Run the acts in threads released together; returns their results or errors in order."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait(timeout=20)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results


def one_conflict(results):
    return sorted(isinstance(result, Conflict) for result in results) == [False, True] and not any(
        isinstance(result, Exception) and not isinstance(result, Conflict) for result in results
    )


def test_two_at_once_draft_review_approve_and_pay_only_once(world):
    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    ground.score(world)
    drafts = at_once(
        lambda: services.draft(world.officer, world.alliance, YEAR, "RES"),
        lambda: services.draft(world.second_officer, world.alliance, YEAR, "RES"),
    )
    assert not any(isinstance(result, Exception) for result in drafts)
    assert Settlement.objects.count() == SettlementVersion.objects.count() == Computation.objects.count() == 1
    version = ground.the_draft(world)
    assert one_conflict(
        at_once(
            lambda: services.review(world.reviewer, version), lambda: services.review(world.second_reviewer, version)
        )
    )
    services.send(world.officer, version)
    services.confirm(world.hospital, version)
    assert one_conflict(
        at_once(
            lambda: services.finalise(world.reviewer, version),
            lambda: services.finalise(world.second_reviewer, version),
        )
    )
    today = timezone.localdate()
    assert one_conflict(
        at_once(
            lambda: services.pay(world.finance, version, today, "YH1"),
            lambda: services.pay(world.finance, version, today, "YH2"),
        )
    )
    assert Booking.objects.count() == 1
    acts = list(ground.the_draft(world).changes.values_list("act", flat=True))
    assert acts == [Act.DRAFT, Act.REVIEW, Act.SEND, Act.CONFIRM, Act.FINALISE, Act.PAY]
    assert verify_settlements() == [] and verify_ledger() == []
