"""Pages of the books."""

from django.urls import path

from ledger import views

app_name = "ledger"

urlpatterns = [
    path("", views.trial_balance, name="list"),
    path("trial-balance.xlsx", views.trial_balance_xlsx, name="trial-balance-xlsx"),
    path("books/<int:book>/accounts/<slug:account>/", views.account, name="account"),
    path("books/<int:book>/accounts/<slug:account>/lines.xlsx", views.account_xlsx, name="account-xlsx"),
    path("books/<int:book>/close/", views.close, name="close"),
    path("books/<int:book>/reopen/", views.reopen, name="reopen"),
    path("entries/", views.entries, name="entries"),
    path("entries/entries.xlsx", views.entries_xlsx, name="entries-xlsx"),
    path("entries/<int:pk>/", views.entry, name="entry"),
]
