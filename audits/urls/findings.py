"""Evidence, findings with their claim rows, statements and hearings of a case."""

from django.urls import URLPattern, path

from audits.views import evidence, findings, lines, statements

CASE = "cases/<int:pk>/"
FINDING = f"{CASE}findings/<int:number>/"
TRACK = f"{CASE}tracks/<slug:kind>/"

urlpatterns: list[URLPattern] = [
    path(f"{CASE}evidence/new/", evidence.evidence_new, name="evidence-new"),
    path(f"{CASE}evidence/<int:number>/", evidence.evidence, name="evidence"),
    path(f"{CASE}evidence/<int:number>/file/", evidence.evidence_file, name="evidence-file"),
    path(f"{CASE}evidence/<int:number>/shown/", evidence.evidence_shown, name="evidence-shown"),
    path(f"{CASE}evidence/<int:number>/do/<slug:act>/", evidence.evidence_act, name="evidence-act"),
    path(f"{CASE}findings/new/", findings.finding_new, name="finding-new"),
    path(f"{CASE}findings.xlsx", findings.findings_xlsx, name="findings-xlsx"),
    path(FINDING, findings.finding, name="finding"),
    path(f"{FINDING}edit/", findings.finding_edit, name="finding-edit"),
    path(f"{FINDING}rows/", findings.finding_rows, name="finding-rows"),
    path(f"{FINDING}lines.xlsx", findings.finding_xlsx, name="finding-xlsx"),
    path(f"{FINDING}drop/", findings.finding_drop, name="finding-drop"),
    path(f"{FINDING}drop-lines/", findings.lines_drop, name="lines-drop"),
    path(f"{FINDING}lines/<int:line>/lower/", findings.line_lower, name="line-lower"),
    path(f"{FINDING}pick/", lines.pick, name="lines-pick"),
    path(f"{FINDING}upload/", lines.upload, name="lines-upload"),
    path(f"{FINDING}upload/template/", lines.upload_template, name="lines-template"),
    path(f"{FINDING}by-hand/", lines.by_hand, name="line-hand"),
    path(f"{TRACK}statements/new/", statements.statement_new, name="statement-new"),
    path(f"{TRACK}statements/agree/", statements.statement_agree, name="statement-agree"),
    path(f"{TRACK}hearing/", statements.hearing, name="hearing"),
    path(f"{TRACK}hearing/ask/", statements.hearing_ask, name="hearing-ask"),
    path(f"{TRACK}hearing/record/", statements.hearing_record, name="hearing-record"),
    path(f"{TRACK}hearing/do/<slug:act>/", statements.hearing_act, name="hearing-act"),
    path(f"{CASE}statements/<int:statement>/", statements.statement, name="statement"),
    path(f"{CASE}statements/<int:statement>/files/<int:file>/", statements.statement_file, name="statement-file"),
]
