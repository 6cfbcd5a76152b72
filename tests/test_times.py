"""Times in any language, date order from the whole file, and the hour that comes twice."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.errors import Unreadable
from loaders.times import Clock, epoch_utc, is_time, local_text, machine_zone, may_be_time

BRISBANE = "Australia/Brisbane"


def read(*texts: str, zone: str = BRISBANE, order: str | None = None, newest_first: bool = False) -> list[str]:
    """Wall-clock times of a file that holds these texts."""
    clock = Clock(zone, order)
    clock.settle(texts, newest_first)
    return [clock.local(text).isoformat() for text in texts]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("22/11/26, 20:24:12", "2026-11-22T20:24:12"),
        ("5. März 2026, 14:07:09", "2026-03-05T14:07:09"),
        ("5.03.2026 14:07", "2026-03-05T14:07:00"),
        ("5 mars 26, 14:07:09", "2026-03-05T14:07:09"),
        ("15 juil. 26, 14:07", "2026-07-15T14:07:00"),
        ("26/03/5, 14:07:09", "2026-03-05T14:07:09"),
        ("22 November 2026, 8:32:57 PM", "2026-11-22T20:32:57"),
        ("22 November 2026, 8:32:57\u202fPM", "2026-11-22T20:32:57"),
        ("22 November 2026, 12:02:57 AM", "2026-11-22T00:02:57"),
        ("Saturday, 12 March 2016, 10:50 AM", "2016-03-12T10:50:00"),
        ("7 March 2016  12:39 AM", "2016-03-07T00:39:00"),
        ("March 7, 2016 12:39 PM", "2016-03-07T12:39:00"),
        ("2016-03-01 00:36:06", "2016-03-01T00:36:06"),
        ("22/11/2026 20:24", "2026-11-22T20:24:00"),
        ("22/11/2026 9:24", "2026-11-22T09:24:00"),
        ("11/22/26, 20:24:12", "2026-11-22T20:24:12"),
        ("sábado, 12 de marzo de 2016, 10:50", "2016-03-12T10:50:00"),
        ("sobota, 12. března 2016, 10.50", "2016-03-12T10:50:00"),
        ("суббота 12 марта 2016, 10:50", "2016-03-12T10:50:00"),
        ("5 d’octubre 2026, 14:07", "2026-10-05T14:07:00"),
        ("2016. március 12., 14:07", "2016-03-12T14:07:00"),
        ("2016. gada 12. marts, 14:07", "2016-03-12T14:07:00"),
        ("asteartea, 2016(e)ko martxoa(r)en 5(a)n, 14:07", "2016-03-05T14:07:00"),
        ("2016年 3月 12日(土) 14:07", "2016-03-12T14:07:00"),
        ("16年 3月 12日 14:07", "2016-03-12T14:07:00"),
        ("2016년 3월 12일, 토, 오후 2:07", "2016-03-12T14:07:00"),
        ("12มี.ค. 2016, 02:07 PM", "2016-03-12T14:07:00"),
        ("السبت، 12 مارس 2016، 02:07 م", "2016-03-12T14:07:00"),
        ("5/5/26, 10:00", "2026-05-05T10:00:00"),
    ],
)
def test_a_time_alone(text, expected):
    assert read(text) == [expected]


def test_every_month_of_french_with_its_dots():
    words = [
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ]
    found = read(*(f"5 {word} 26, 14:07:09" for word in words))
    assert found == [f"2026-{month:02d}-05T14:07:09" for month in range(1, 13)]


def test_english_days_do_not_hide_german_months():
    texts = ["22. September 2026, 14:07:09", "1. September 2026, 14:07:09", "5. März 2026, 14:07:09"]
    assert read(*texts) == ["2026-09-22T14:07:09", "2026-09-01T14:07:09", "2026-03-05T14:07:09"]


def test_a_month_word_of_two_languages_is_settled_by_the_others():
    croatian = read("5. listopada 2016. 10:00", "5. rujna 2016. 10:00")
    polish = read("5 listopada 2016 10:00", "5 sierpnia 2016 10:00")
    assert croatian == ["2016-10-05T10:00:00", "2016-09-05T10:00:00"]
    assert polish == ["2016-11-05T10:00:00", "2016-08-05T10:00:00"]
    with pytest.raises(Unreadable, match="“5 listopada 2016” means 5 October 2016 or 5 November 2016"):
        read("5 listopada 2016 10:00")


class TestOrder:
    def test_a_day_over_twelve_anywhere_settles_it(self):
        assert read("5/09/16, 00:23:51", "22/11/16, 20:24:12")[0] == "2016-09-05T00:23:51"
        assert read("5/09/16, 00:23:51", "11/22/16, 20:24:12")[0] == "2016-05-09T00:23:51"

    def test_the_order_of_lines_settles_it(self):
        assert read("3/04/26, 10:00", "4/03/26, 10:00", newest_first=True)[0] == "2026-04-03T10:00:00"
        assert read("4/03/26, 10:00", "3/04/26, 10:00", "2/05/26, 10:00", newest_first=True) == [
            "2026-04-03T10:00:00", "2026-03-04T10:00:00", "2026-02-05T10:00:00",
        ]  # fmt: skip

    def test_a_file_turned_round_settles_it_too(self):
        texts = ["1/03/26, 10:00", "2/03/26, 10:00", "1/04/26, 10:00"]
        assert read(*texts, newest_first=True)[2] == "2026-04-01T10:00:00"

    def test_ambiguous_files_ask(self):
        with pytest.raises(Unreadable) as error:
            read("5/04/26, 10:00", "4/03/26, 10:00", "4/02/26, 10:00", newest_first=True)
        assert str(error.value) == (
            "the date “5/04/26” can be 5 April 2026 or 4 May 2026, and nothing else in the file says which:"
            " give --date-order dmy (day first) or --date-order mdy (month first)"
        )

    def test_the_order_given_is_used(self):
        assert read("5/04/26, 10:00", order="dmy") == ["2026-04-05T10:00:00"]
        assert read("5/04/26, 10:00", order="mdy") == ["2026-05-04T10:00:00"]
        assert read("26/03/05, 10:00", order="ymd") == ["2026-03-05T10:00:00"]

    def test_an_order_that_contradicts_the_dates_is_refused(self):
        with pytest.raises(Unreadable, match="“22/11/26” cannot be read month first, as --date-order mdy says"):
            read("5/04/26, 10:00", "22/11/26, 10:00", order="mdy")

    def test_an_order_that_contradicts_the_lines_is_refused(self):
        texts = ["3/04/26, 10:00", "2/04/26, 10:00", "10/03/26, 10:00"]
        with pytest.raises(Unreadable, match=r"--date-order mdy would make the lines of this file jump"):
            read(*texts, order="mdy", newest_first=True)

    def test_an_order_does_not_touch_dates_that_say_it_themselves(self):
        assert read("2026-11-22 10:00:00", order="dmy") == ["2026-11-22T10:00:00"]
        assert read("5. März 2026, 14:07:09", order="mdy") == ["2026-03-05T14:07:09"]

    def test_two_digit_years_first_are_seen_by_few_years_and_many_days(self):
        assert read("26/03/15, 10:00", "26/03/14, 10:00")[1] == "2026-03-14T10:00:00"
        assert read("22/11/26, 10:00", "21/11/26, 10:00")[1] == "2026-11-21T10:00:00"

    def test_a_single_day_may_need_the_language(self):
        for year_first, expected in ((False, 2015), (True, 2026)):
            clock = Clock(BRISBANE)
            clock.settle(["26/03/15, 10:00"], newest_first=True, year_first=year_first)
            assert clock.local("26/03/15, 10:00").year == expected


class TestLostCertainty:
    def test_two_ways_of_writing_in_one_file(self):
        with pytest.raises(Unreadable, match=r"written in two ways.*“5/9/2016 0:23”.*spreadsheet"):
            read("22/11/16, 20:24:12", "5/9/2016 0:23")

    def test_two_ways_are_noticed_after_certainty_too(self):
        clock = Clock(BRISBANE)
        clock.settle(["5/11/16, 20:24:12", "22/11/16, 20:24:12", "9/5/2016 0:23"])
        with pytest.raises(Unreadable, match="written in two ways"):
            clock.stream()("9/5/2016 0:23")

    def test_a_date_that_does_not_fit_the_rest(self):
        clock = Clock(BRISBANE)
        clock.settle(["5/11/16, 20:24:12", "22/11/16, 20:24:12"])
        with pytest.raises(Unreadable, match="“11/22/16” does not fit the dates before it"):
            clock.utc("11/22/16, 20:24:12")

    @pytest.mark.parametrize("text", ["Hello", "22/11/26", "22/11/26, 25:00:00", "14:07", "1/2/3/4 14:07"])
    def test_no_time_at_all(self, text):
        with pytest.raises(Unreadable, match="is not a date and time as Moodle writes them"):
            read(text)


class TestZones:
    def test_utc_and_back(self):
        clock = Clock("America/New_York")
        assert clock.utc("2016-03-01 00:36:06") == "2016-03-01T05:36:06Z"
        assert local_text("2016-03-01T05:36:06Z", "America/New_York") == "2016-03-01T00:36:06"
        assert epoch_utc(1456542828) == "2016-02-27T03:13:48Z"

    @pytest.mark.parametrize(
        "zone, named",
        [
            ("brisbane", "Australia/Brisbane"),
            ("australia/brisbane", "Australia/Brisbane"),
            ("Autralia/Brisbane", "Australia/Brisbane"),
            ("New York", "America/New_York"),
            ("Europe/Berlinn", "Europe/Berlin"),
        ],
    )
    def test_a_zone_that_does_not_exist(self, zone, named):
        with pytest.raises(Unreadable, match=f"there is no time zone “{zone}”: did you mean .*{named}"):
            Clock(zone)

    @pytest.mark.parametrize("zone", ["", "../etc/passwd", "/etc/localtime", "Australia", "x" * 300, "a\0b"])
    def test_nonsense_is_a_sentence_too(self, zone):
        with pytest.raises(Unreadable, match="there is no time zone"):
            Clock(zone)

    def test_the_machine_has_a_zone(self):
        assert ZoneInfo(machine_zone())

    def test_a_missing_hour_moves_forward_and_a_repeated_one_is_the_first(self):
        clock = Clock("America/New_York")
        assert clock.utc("2026-03-08 02:30:00") == "2026-03-08T07:30:00Z"
        assert clock.utc("2026-11-01 01:30:00") == "2026-11-01T05:30:00Z"


def test_all_ways_of_writing_go_through_the_stream():
    for texts in (
        ["5 mars 26, 14:07:09", "4 mars 26, 00:00:00", "4 févr. 26, 23:59:59"],
        ["7 March 2016, 2:07:09 PM", "7 March 2016, 2:07:09 AM", "6 March 2016, 12:00:00 AM"],
        ["12. března 2016, 10.50", "11. března 2016, 9.05", "11. února 2016, 9.05"],
        ["2016년 3월 12일, 오후 2:07", "2016년 3월 12일, 오전 2:07", "2016년 3월 11일, 오후 2:07"],
        ["14:07, 12 March 2016", "14:05, 12 March 2016", "14:07, 11 March 2016"],
        ["22/11/2026 20:24", "22/11/2026 9:24", "2/11/2026 9:24"],
    ):
        clock = Clock(BRISBANE)
        clock.settle(texts, newest_first=True)
        convert = clock.stream()
        twice = [epoch_utc(convert(text)) for text in texts for _ in (1, 2)]
        assert twice == [clock.utc(text) for text in texts for _ in (1, 2)]
        assert convert.ordered


@settings(deadline=None)
@given(st.lists(st.text(alphabet="0123456789/.-:, hAPM年月日märzJan٣፩²", max_size=25), max_size=4), st.booleans())
def test_any_text_gives_a_time_or_a_sentence(texts, newest_first):
    clock = Clock("America/New_York")
    try:
        clock.settle(texts, newest_first)
        convert = clock.stream(newest_first)
        for text in texts:
            assert clock.utc(text).endswith("Z")
            assert isinstance(convert(text), int)
    except Unreadable as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("text", ["22/11/2026 20:24", " 2016-03-01 00:36:06 ", "1/2/26, 2:07 PM"])
def test_is_time(text):
    assert is_time(text)


@pytest.mark.parametrize("text", ["", "Meeting 12/03/2026 10:00", "2016-03-01", "12 March 2016, 10:50", "10:50"])
def test_is_not_time(text):
    assert not is_time(text)


def test_may_be_time():
    assert may_be_time("5 mars 26, 14:07")
    assert not may_be_time("Week 5: 14:07")
    assert not may_be_time("B.Ed (Secondary), Hons")
