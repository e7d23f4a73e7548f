"""What long work is running, how far it is, and what came of it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.models import Job
from core.models.jobs import JobState
from core.scope import get_visible


def job_list(request: HttpRequest) -> HttpResponse:
    jobs = Job.objects.visible_to(request.user).select_related("actor").filter(parent=None)
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()
    if state in JobState.values:
        jobs = jobs.filter(state=state)
    if text:
        jobs = jobs.filter(label__icontains=text)
    page = Paginator(jobs, 30).get_page(request.GET.get("page"))
    return render(request, "core/jobs.html", {"page": page, "states": JobState.choices, "state": state, "q": text})


def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_visible(Job.objects.select_related("actor", "parent"), request.user, pk=pk)
    children = job.children.order_by("pk")
    return render(request, "core/job.html", {"job": job, "children": children})


def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar alone, asked for every second or two while the job runs."""
    job = get_visible(Job.objects.all(), request.user, pk=pk)
    return render(request, "components/progress.html", {"job": job})
