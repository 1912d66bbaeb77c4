"""Numbers as spreadsheets show them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.text.date_formats import DAY_BEFORE_1900
from ingest_assets.domain.text.number_codes import BUILT_IN
from ingest_assets.domain.text.number_formats import general, shown

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (4711, "0000000", "0004711"),
        (0.075, "0.0%", "7.5 %"),
        (1234567.5, '#,##0.00 "EUR"', "1,234,567.50 EUR"),
        (1234567.5, "#,##0.00\\ [$€-407]", "1,234,567.50 €"),
        (987654321012, "0", "987654321012"),
        (987654321012, "General", "987654321012"),
        (0.1 + 0.2, "General", "0.3"),
        (-5, "0;(0)", "(5)"),
        (-5.5, "#,##0.0", "-5.5"),
        (-0.001, "0.0", "0.0"),
        (0, '0;-0;"none"', "none"),
        (0, "#", ""),
        (0.5, "#.##", ".5"),
        (5, "0.##", "5"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (1234567, "#,##0,", "1,235"),
        (1234567890, "0.0,,", "1234.6"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (12345678, "00-00-00-00", "12-34-56-78"),
        (12345, "0.00E+00", "1.23E+04"),
        (0.75, "# ?/?", "3/4"),
        (2.5, "# ?/8", "2 4/8"),
        (150, '[>=100]"high";"low"', "high"),
        (50, '[>=100]"high";"low"', "low"),
        (7, "[Red]0_);[Blue](0)", "7"),
        (42, "@", "42"),
        (3, '"Claim "0', "Claim 3"),
        (46096, "dd.mm.yyyy", "15.03.2026"),
        (46096, "d. mmmm yyyy", "15. March 2026"),
        (46096, "ddd, mmm d", "Sun, Mar 15"),
        (46096, "m/d/yy", "3/15/26"),
        (46387.99930555555, "yyyy-mm-dd hh:mm", "2026-12-31 23:59"),
        (46096.75, "h:mm AM/PM", "6:00 PM"),
        (46096.5000115741, "hh:mm:ss.0", "12:00:01.0"),
        (1.5, "[h]:mm", "36:00"),
        (0.0021, "mm:ss", "03:01"),
        (46096.75, "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy;@", "2026-03-15"),
        (46096.75, "[$-F400]h:mm:ss\\ AM/PM", "18:00:00"),
        (46096.75, "[$-x-sysdate]dddd, mmmm dd, yyyy", "2026-03-15"),
        (46096.75, "[$-x-systime]h:mm:ss AM/PM", "18:00:00"),
        (46096, "[$-409]d\\-mmm\\-yyyy;@", "15-Mar-2026"),
        (-5.5, "[>=0]#,##0.00;[RED]-#,##0.00", "-5.50"),
        (5.5, "[>=0]#,##0.00;[RED]-#,##0.00", "5.50"),
        (-5.5, "[>=0]#,##0.00;[RED](#,##0.00)", "(5.50)"),
        (-5, '[<0]"minus "0;0', "minus 5"),
        (-5, "[RED][<0]-0;[=0]0.0;0", "-5"),
        (-5, "[>100]0;0", "-5"),
        (-5, "[>100]0;-0", "-5"),
        (-5, "[<=10]0;0.0", "-5"),
        (1234.5, "#,##0.00 EUR", "1,234.50 EUR"),
        (-1234.5, "EUR #,##0.00", "-EUR 1,234.50"),
        (1234.5, "#,##0.00 EUR;[RED]-#,##0.00 EUR", "1,234.50 EUR"),
        (-1234.5, "#,##0.00\\ EUR;[RED]\\-#,##0.00\\ EUR", "-1,234.50 EUR"),
        (12, "0 km", "12 km"),
        (12, "0\\ \\k\\m", "12 km"),
        (50, "0 km/h", "50 km/h"),
        (0.25, "0.00 EUR/kWh", "0.25 EUR/kWh"),
        (3, "0 Stunden", "3 Stunden"),
        (3, "0 days", "3 days"),
        (3, "0 E-Bikes", "3 E-Bikes"),
        (3.5, "Fr. #,##0.00", "Fr. 3.50"),
        (3.5, "#,##0.00 Fr.", "3.50 Fr."),
        (3.5, "General EUR", "3.5 EUR"),
        (46096.5000115741, "dd.mm.yyyy hh:mm:ss.000", "15.03.2026 12:00:01.000"),
        (46096.5, "yyyy-mm-dd\\Thh:mm", "2026-03-15T12:00"),
        (46096.75, "h:mm A/P", "6:00 P"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e300, "yyyy", "1E+300"),
        (3, "0" * 300, "3"),
    ],
)
def test_a_number_is_shown_as_its_format_says(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_dates_may_be_counted_from_1904() -> None:
    assert shown(0, "yyyy-mm-dd", since_1904=True) == "1904-01-01"


@given(st.integers(0, 10**12), st.integers(1, 20))
def test_leading_zeros_fill_a_number_to_its_width(number: int, width: int) -> None:
    assert shown(number, "0" * width) == str(number).zfill(width)


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_groups_and_decimals_change_no_digit(number: int, places: int) -> None:
    text = shown(number, "#,##0" + ("." + "0" * places if places else ""))

    assert float(text.replace(",", "")) == number
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*(\.\d+)?", text)


@given(st.integers(61, 2_900_000), st.integers(0, 86_399))
def test_a_moment_is_shown_to_the_second(days: int, seconds: int) -> None:
    moment = DAY_BEFORE_1900 + timedelta(days=days - 1, seconds=seconds)

    assert shown(days + seconds / 86_400, "yyyy-mm-dd hh:mm:ss") == moment.isoformat(" ")


@given(st.floats(-1e300, 1e300))
def test_a_general_number_is_the_number(value: float) -> None:
    assert float(general(value)) == pytest.approx(value, rel=1e-14, abs=0)


@given(NUMBERS, st.text('0#?.,%E+-;/[]"\\@_* ymdhsAP$€<>=1', max_size=40) | st.sampled_from(sorted(BUILT_IN.values())))
def test_any_format_shows_any_number(value: float, code: str) -> None:
    assert len(shown(value, code)) < 2000
