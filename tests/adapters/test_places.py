"""Numbers and countries, compared with the library the tables come from."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scg_adapters.places.numbers import NumberPlaces
from scg_core.kernel.countries import ALPHA3

PLACES = NumberPlaces()
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_the_example_numbers_of_a_region_lie_in_its_country(region: str) -> None:
    """Each kind of example number: same country, same zones as the library says."""
    kinds = phonenumbers.PhoneNumberType.values()
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    for number in filter(None, examples):
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if (text[1] == "1" and len(text) < 12) or not phonenumbers.is_valid_number(number):
            continue
        (place,) = PLACES.locate([text])
        assert place is not None, text
        expected = phonenumbers.region_code_for_number(number)
        assert place.address == text
        assert place.country == ALPHA3[expected or region], text


@given(st.sampled_from(REGIONS), st.integers(0, 10**11))
def test_a_valid_number_lies_where_the_library_says(region: str, salt: int) -> None:
    """Random numbers around the examples of each region."""
    example = phonenumbers.example_number(region)
    assert example is not None
    national = str(example.national_number)
    changed = int(national[:3] + str(salt).zfill(12)[-len(national[3:]) :])
    number = phonenumbers.PhoneNumber(example.country_code, changed)
    if not phonenumbers.is_valid_number(number):
        return
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    (place,) = PLACES.locate([text])

    assert place is not None
    assert place.country == ALPHA3[phonenumbers.region_code_for_number(number)]


@given(st.text("+0123456789", min_size=1, max_size=17), st.sampled_from(["USA", "GBR", None]))
def test_any_digits_are_placed_or_not(text: str, country: str | None) -> None:
    """No input breaks the tables, and an address is always E.164."""
    (place,) = PLACES.locate([text], country)

    if place is not None:
        assert place.address.startswith("+") and place.address[1:].isdigit()
        assert 8 <= len(place.address) <= 16


@pytest.mark.parametrize(
    ("text", "country", "address"),
    [
        ("4155550100", "USA", "+14155550100"),
        ("14155550100", "USA", "+14155550100"),
        ("07700900123", "GBR", "+447700900123"),
        ("447700900123", "USA", "+447700900123"),
        ("447700900123", None, "+447700900123"),
        ("15550100001", "USA", "+15550100001"),
        ("+15550100001", None, "+15550100001"),
        ("0612345678", "FRA", "+33612345678"),
    ],
)
def test_a_national_number_is_read_in_the_given_country(
    text: str, country: str | None, address: str
) -> None:
    """As dialled there, else as written internationally."""
    (place,) = PLACES.locate([text], country)

    assert place is not None and place.address == address


@pytest.mark.parametrize("text", ["+1", "+1415555010", "+999123456789", "12345678", "+0123456789"])
def test_an_impossible_number_has_no_place(text: str) -> None:
    """Too short, too long, or of no country."""
    assert PLACES.locate([text], "USA") == [None]


def test_answers_come_in_the_order_asked() -> None:
    """One answer a number, None among them."""
    found = PLACES.locate(["+14155550100", "+1", "+447700900123"])

    assert [place and place.country for place in found] == ["USA", None, "GBR"]
    assert found[0] is not None and found[0].zones == ("America/Los_Angeles",)


def test_an_unassigned_area_code_counts_as_the_united_states() -> None:
    """+1 555 is nobody's; a neighbour's area code is the neighbour's."""
    found = PLACES.locate(["+15550100001", "+14165550100", "+18765550100"])

    assert [place and place.country for place in found] == ["USA", "CAN", "JAM"]
