"""Login, logout and the change of one's own password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash, views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator

from core.accounts import change_own_password, note_login
from core.errors import Refused


@method_decorator(login_not_required, name="dispatch")
class Login(views.LoginView):
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        note_login(form.get_user())
        return super().form_valid(form)


class Logout(views.LogoutView):
    pass


def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; the first login stops here."""
    problems: list[Any] = []
    if request.method == "POST":
        try:
            change_own_password(
                request.user,  # type: ignore[arg-type]
                request.POST.get("old_password", ""),
                request.POST.get("new_password1", ""),
                request.POST.get("new_password2", ""),
            )
        except Refused as refusal:
            problems = refusal.problems
        else:
            update_session_auth_hash(request, request.user)  # type: ignore[arg-type]
            messages.success(request, "密码已修改。")
            return redirect("/")
    return render(request, "registration/password_change.html", {"problems": problems}, status=422 if problems else 200)
