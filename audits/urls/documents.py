"""Documents, measures, hand-overs and follow-ups of cases."""

from django.urls import URLPattern, path

from audits.views import consequences, papers

urlpatterns: list[URLPattern] = [
    path("cases/<int:pk>/documents/make/", papers.document_make, name="document-make"),
    path("cases/<int:pk>/documents/renew/", papers.document_renew, name="document-renew"),
    path("cases/<int:pk>/documents/preview/", papers.document_preview, name="document-preview"),
    path("documents/<int:pk>/", papers.document, name="document"),
    path("documents/<int:pk>/file/", papers.document_file, name="document-file"),
    path("cases/<int:pk>/measures/", consequences.measure_new, name="measure-new"),
    path("measures/<int:pk>/send/", consequences.measure_send, name="measure-send"),
    path("measures/<int:pk>/end/", consequences.measure_end, name="measure-end"),
    path("measures/<int:pk>/files/<int:file>/", consequences.measure_file, name="measure-file"),
    path("cases/<int:pk>/referrals/", consequences.referral_new, name="referral-new"),
    path("referrals/<int:pk>/attach/", consequences.referral_attach, name="referral-attach"),
    path("referrals/<int:pk>/reply/", consequences.referral_reply, name="referral-reply"),
    path("referrals/<int:pk>/record/", consequences.referral_record, name="referral-record"),
    path("referrals/<int:pk>/reply-file/", consequences.referral_reply_file, name="referral-reply-file"),
    path("cases/<int:pk>/follow-ups/", consequences.follow_up_new, name="follow-up-new"),
    path("follow-ups/<int:pk>/finish/", consequences.follow_up_finish, name="follow-up-finish"),
]
