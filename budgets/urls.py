"""Pages of packages, prepayments, plans, accounts and other payments."""

from django.urls import path

from budgets.views import accounts, allocations, batches, editing, files, growth, packages, payments, plans, prepayments

app_name = "budgets"

urlpatterns = [
    path("", packages.package_list, name="list"),
    path("packages.xlsx", packages.package_list_xlsx, name="list-xlsx"),
    path("packages/new/", editing.new, name="new"),
    path("packages/<int:pk>/", packages.package, name="package"),
    path("versions/<int:pk>/edit/", editing.edit, name="edit"),
    path("versions/<int:pk>/trace/", packages.package_trace, name="package-trace"),
    path("versions/<int:pk>/version.xlsx", packages.package_xlsx, name="package-xlsx"),
    path("versions/<int:pk>/rounds/", packages.add_round, name="round"),
    path("versions/<int:pk>/approve/", packages.approve, name="package-approve"),
    path("versions/<int:pk>/act/<slug:action>/", packages.act, name="package-act"),
    path("versions/<int:pk>/allocation/", allocations.edit, name="allocation"),
    path("allocations/<int:pk>/act/<slug:action>/", allocations.act, name="allocation-act"),
    path("growth/", growth.growth, name="growth"),
    path("growth/<int:pk>/act/<slug:action>/", growth.act, name="growth-act"),
    path("plans/", plans.plans, name="plans"),
    path("plans/<int:pk>/acknowledge/<slug:side>/", plans.acknowledge, name="plan-acknowledge"),
    path("prepayments/", prepayments.prepayments, name="prepayments"),
    path("prepayments/prepayments.xlsx", prepayments.prepayments_xlsx, name="prepayments-xlsx"),
    path("prepayments/propose/", prepayments.propose, name="propose"),
    path("prepayments/ratios/", prepayments.enter_ratio, name="ratio-enter"),
    path("prepayments/ratios/<int:pk>/approve/", prepayments.approve_ratio, name="ratio-approve"),
    path("prepayments/<int:pk>/", batches.batch, name="batch"),
    path("prepayments/<int:pk>/batch.xlsx", batches.batch_xlsx, name="batch-xlsx"),
    path("prepayments/<int:pk>/act/<slug:action>/", batches.act, name="batch-act"),
    path("prepayments/lines/<int:pk>/trace/", prepayments.line_trace, name="line-trace"),
    path("prepayments/lines/<int:pk>/change/", batches.change, name="line-change"),
    path("prepayments/lines/<int:pk>/receipts/", batches.receipt, name="line-receipt"),
    path("prepayments/receipts/<int:pk>/void/", batches.void, name="receipt-void"),
    path("prepayments/files/<int:pk>/", files.payment_file, name="payment-file"),
    path("prepayments/accounts/", accounts.accounts, name="accounts"),
    path("prepayments/accounts/<int:pk>/act/<slug:action>/", accounts.act, name="account-act"),
    path("payments/", payments.payments, name="payments"),
    path("payments/payments.xlsx", payments.payments_xlsx, name="payments-xlsx"),
    path("payments/<int:pk>/act/<slug:action>/", payments.act, name="payment-act"),
    path("files/<slug:kind>/<int:pk>/", files.owned, name="file"),
]
