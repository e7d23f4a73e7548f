"""邮件设置: one's own address, what is mailed at once, in the morning or never, and what became of the last mails."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core import mailing
from core.errors import Refused
from core.models import MailDelivery, MailMode, NoticeKind
from core.notices import mail_is_on

LAST = 20


class PreferenceForm(forms.Form):
    email = forms.CharField(
        label="邮箱地址", required=False, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="只用来发送给您本人的通知；清空则不发。",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in NoticeKind:
            self.fields[kind.value] = forms.ChoiceField(label=f"{kind.label}类通知", choices=MailMode.choices)


@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    refusal = None
    form = PreferenceForm(request.POST if request.method == "POST" else {"email": user.email, **mailing.mode_of(user)})
    if request.method == "POST" and form.is_valid():
        try:
            mailing.choose(user, form.cleaned_data["email"], {kind: form.cleaned_data[kind] for kind in NoticeKind.values})
        except Refused as found:
            refusal = found
        else:
            messages.success(request, "邮件设置已保存。")
            return redirect("core:message-preferences")
    context = {
        "form": form,
        "mail_is_on": mail_is_on(),
        "deliveries": MailDelivery.objects.filter(user=user).select_related("notice")[:LAST],
        "problems": refusal.problems if refusal else [],
    }
    wrong = refusal is not None or (request.method == "POST" and not form.is_valid())
    return render(request, "core/message_preferences.html", context, status=422 if wrong else 200)


@require_POST
def repeat(request: HttpRequest, pk: int) -> HttpResponse:
    """Only one's own."""
    user: Any = request.user
    delivery = get_object_or_404(MailDelivery, pk=pk, user=user)
    try:
        mailing.repeat(user, delivery)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "已重新排入发送。")
    return redirect("core:message-preferences")
