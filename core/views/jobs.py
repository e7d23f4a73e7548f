"""What long work is running, how far it is, and what came of it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.forms import JobFilter
from core.models import Job
from core.scope import get_visible

PAGE = 30


def job_list(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    jobs = Job.objects.visible_to(user).select_related("actor").filter(parent=None)
    form = JobFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    if wanted.get("q"):
        jobs = jobs.filter(Q(label__icontains=wanted["q"]) | Q(period__icontains=wanted["q"]))
    if wanted.get("state"):
        jobs = jobs.filter(state=wanted["state"])
    if wanted.get("since"):
        jobs = jobs.filter(created_at__date__gte=wanted["since"])
    if wanted.get("until"):
        jobs = jobs.filter(created_at__date__lte=wanted["until"])
    page = Paginator(jobs, PAGE).get_page(request.GET.get("page"))
    return render(request, "core/jobs.html", {"page_obj": page, "form": form})


def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_visible(Job.objects.select_related("actor", "parent", "alliance"), request.user, pk=pk)
    children = list(job.children.select_related("alliance").order_by("pk"))
    return render(request, "core/job.html", {"job": job, "children": children})


def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar alone, asked for every second or two while the job runs."""
    job = get_visible(Job.objects.all(), request.user, pk=pk)
    return render(request, "components/progress.html", {"job": job})
