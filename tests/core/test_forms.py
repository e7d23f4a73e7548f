"""Fields shared by the filters of all apps."""

from datetime import date

from django import forms

from core.forms import day_field


def test_a_date_field_gives_the_browser_its_own_format():
    class Chosen(forms.Form):
        since = day_field("自")

    assert 'value="2026-11-02"' in str(Chosen(initial={"since": date(2026, 11, 2)})["since"])
