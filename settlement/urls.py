"""Pages of the annual settlement."""

from django.urls import path, re_path

from settlement.views import acts, calculator, lists, registers, statement

app_name = "settlement"

urlpatterns = [
    path("", lists.settlement_list, name="list"),
    path("list.xlsx", lists.settlement_list_xlsx, name="list-xlsx"),
    path("draft/", lists.draft_one, name="draft"),
    path("draft-year/", lists.draft_year, name="draft-year"),
    path("calculator/", calculator.calculator, name="calculator"),
    path("scores/", registers.scores, name="scores"),
    path("scores/enter/", registers.enter_score, name="score-enter"),
    path("scores/<int:pk>/confirm/", registers.confirm_score, name="score-confirm"),
    path("analyses/", registers.analyses, name="analyses"),
    path("analyses/submit/", registers.submit_analysis, name="analysis-enter"),
    path("adjustments/", registers.adjustments, name="adjustments"),
    path("adjustments/propose/", registers.propose_deduction, name="deduction-propose"),
    re_path(
        r"^adjustments/(?P<pk>\d+)/(?P<decision>approve|return|withdraw)/$",
        registers.decide_adjustment,
        name="adjustment-decide",
    ),
    path("versions/<int:pk>/", statement.statement, name="statement"),
    path("versions/<int:pk>/statement.docx", statement.statement_word, name="statement-word"),
    path("versions/<int:pk>/statement.xlsx", statement.statement_xlsx, name="statement-xlsx"),
    path("versions/<int:pk>/facts/", statement.facts, name="facts"),
    path("versions/<int:pk>/changes/<int:change>/files/<int:file>/", statement.change_file, name="change-file"),
    path("versions/<int:pk>/analyses/<int:analysis>/files/<int:file>/", statement.analysis_file, name="analysis-file"),
    path("versions/<int:pk>/do/<slug:act>/", acts.act, name="act"),
    path("versions/<int:pk>/pay/", acts.pay, name="pay"),
    path("versions/<int:pk>/correct/", acts.correct, name="correct"),
    path("versions/<int:pk>/analysis/", acts.submit_analysis, name="analysis-submit"),
    re_path(
        r"^versions/(?P<pk>\d+)/analyses/(?P<analysis>\d+)/(?P<decision>approve|return)/$",
        acts.decide_analysis,
        name="analysis-decide",
    ),
    path("versions/<int:pk>/recovery/", acts.propose_recovery, name="recovery-propose"),
    re_path(
        r"^plans/(?P<pk>\d+)/(?P<decision>approve|return)/$", acts.decide_recovery, name="recovery-decide"
    ),
    path("versions/<int:pk>/instalments/<int:instalment>/", acts.record_instalment, name="instalment-record"),
]
