"""How the API speaks of refusals, and the viewset base that fetches only what the user may see."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from django.db.utils import IntegrityError
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from core.access import NotAllowed
from core.errors import Refused
from core.fields import MoneyField


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """``NotAllowed`` → 403 with the reason; ``Refused`` → 422, ``Conflict`` → 409 with all problems."""
    if isinstance(exception, NotAllowed):
        return Response({"detail": exception.denied.reason}, status=403)
    if isinstance(exception, Refused):
        return Response({"problems": exception.as_json()}, status=exception.status)
    if isinstance(exception, ProtectedError | IntegrityError):
        return Response({"detail": "该内容已被其他数据引用或与已有数据冲突，不能这样更改。"}, status=409)
    return drf_exception_handler(exception, context)


def given_by(asked: Any, request: Request) -> dict[str, Any]:
    """What was sent, in the shape of the serializer class ``asked`` for."""
    given = asked(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class YuanField(serializers.DecimalField):
    """A ``MoneyField`` over the API: yuan with two decimals as text, never the bare integer it is stored as."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 17)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(**kwargs)


serializers.ModelSerializer.serializer_field_mapping[MoneyField] = YuanField


class ScopedReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """List and read what is ``visible_to`` the caller; subclasses name ``queryset`` and ``serializer_class``."""

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        return queryset.visible_to(self.request.user)
