"""Budgets over the API: the same queries, the same services and the same refusals as the pages."""

from __future__ import annotations

from rest_framework.routers import DefaultRouter

from budgets.api.packages import AllocationViewSet, GrowthViewSet, PackageVersionViewSet, PlanViewSet
from budgets.api.prepayments import BatchViewSet, OtherPaymentViewSet, PrepaymentViewSet


def register(router: DefaultRouter) -> None:
    router.register("budgets/growths", GrowthViewSet, basename="budget-growth")
    router.register("budgets/packages", PackageVersionViewSet, basename="budget-package")
    router.register("budgets/allocations", AllocationViewSet, basename="budget-allocation")
    router.register("budgets/plans", PlanViewSet, basename="budget-plan")
    router.register("budgets/batches", BatchViewSet, basename="budget-batch")
    router.register("budgets/prepayments", PrepaymentViewSet, basename="budget-prepayment")
    router.register("budgets/payments", OtherPaymentViewSet, basename="budget-payment")
