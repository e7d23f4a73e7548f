"""The API of the settlement, by noun."""

from __future__ import annotations

from rest_framework.routers import DefaultRouter


def register(router: DefaultRouter) -> None:
    from settlement.api.recovery import RecoveryViewSet
    from settlement.api.registers import AdjustmentViewSet, AnalysisViewSet, ScoreViewSet
    from settlement.api.trial import ShareViewSet
    from settlement.api.versions import SettlementViewSet

    router.register("settlements", SettlementViewSet, basename="settlement")
    router.register("settlement-adjustments", AdjustmentViewSet, basename="settlement-adjustment")
    router.register("assessment-scores", ScoreViewSet, basename="assessment-score")
    router.register("cause-analyses", AnalysisViewSet, basename="cause-analysis")
    router.register("recovery-plans", RecoveryViewSet, basename="recovery-plan")
    router.register("share", ShareViewSet, basename="share")
