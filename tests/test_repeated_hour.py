"""The hour that the end of daylight saving repeats, settled by the order of the lines."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.times import Clock, epoch_utc


def stream(zone: str, texts: list[str], newest_first: bool = True):
    """Epochs of consecutive lines, and whether they were in order."""
    clock = Clock(zone)
    clock.settle([*texts, "22/11/26, 20:24:12"])
    convert = clock.stream(newest_first)
    return [epoch_utc(convert(text)) for text in texts], convert.ordered


def written(moment: datetime) -> str:
    """As Moodle writes a time in English: no zero before the day."""
    return f"{moment.day}/{moment:%m/%y, %H:%M:%S}"


class TestRepeatedHour:
    def test_north_newest_first(self):
        found, ordered = stream("America/New_York", [
            "1/11/26, 02:00:00", "1/11/26, 01:50:00", "1/11/26, 01:10:00",
            "1/11/26, 01:40:00", "1/11/26, 01:05:00", "1/11/26, 00:59:59",
        ])  # fmt: skip
        assert ordered
        assert found == [
            "2026-11-01T07:00:00Z", "2026-11-01T06:50:00Z", "2026-11-01T06:10:00Z",
            "2026-11-01T05:40:00Z", "2026-11-01T05:05:00Z", "2026-11-01T04:59:59Z",
        ]  # fmt: skip

    def test_south_oldest_first(self):
        found, ordered = stream("Australia/Sydney", [
            "5/04/26, 01:59:59", "5/04/26, 02:10:00", "5/04/26, 02:50:00",
            "5/04/26, 02:10:00", "5/04/26, 02:50:00", "5/04/26, 03:00:00",
        ], newest_first=False)  # fmt: skip
        assert ordered
        assert found == [
            "2026-04-04T14:59:59Z", "2026-04-04T15:10:00Z", "2026-04-04T15:50:00Z",
            "2026-04-04T16:10:00Z", "2026-04-04T16:50:00Z", "2026-04-04T17:00:00Z",
        ]  # fmt: skip

    def test_half_an_hour_on_lord_howe(self):
        found, ordered = stream("Australia/Lord_Howe", [
            "5/04/26, 02:00:00", "5/04/26, 01:45:00", "5/04/26, 01:50:00", "5/04/26, 01:29:00",
        ])  # fmt: skip
        assert ordered
        assert found == [
            "2026-04-04T15:30:00Z", "2026-04-04T15:15:00Z", "2026-04-04T14:50:00Z", "2026-04-04T14:29:00Z",
        ]  # fmt: skip

    def test_one_line_only_is_the_second_or_the_first_by_direction(self):
        texts = ["1/11/26, 03:00:00", "1/11/26, 01:30:00", "1/11/26, 00:30:00"]
        assert stream("America/New_York", texts)[0][1] == "2026-11-01T06:30:00Z"
        assert stream("America/New_York", texts[::-1], newest_first=False)[0][1] == "2026-11-01T05:30:00Z"

    def test_the_first_line_of_a_file_in_the_repeated_hour(self):
        found, ordered = stream("America/New_York", ["1/11/26, 01:10:00", "1/11/26, 01:50:00"])
        assert (found, ordered) == (["2026-11-01T06:10:00Z", "2026-11-01T05:50:00Z"], True)

    def test_lines_out_of_order_are_told(self):
        found, ordered = stream("America/New_York", [
            "1/11/26, 01:10:00", "1/11/26, 01:50:00", "1/11/26, 01:55:00", "1/11/26, 01:20:00",
        ])  # fmt: skip
        assert not ordered
        assert found[2:] == ["2026-11-01T05:55:00Z", "2026-11-01T05:20:00Z"]

    @settings(max_examples=30, deadline=None)
    @given(
        seed=st.integers(0, 10_000),
        zone=st.sampled_from(["America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Europe/Dublin",
                              "America/St_Johns", "Africa/Casablanca", "Asia/Tehran", "America/Havana"]),
        newest_first=st.booleans(),
    )  # fmt: skip
    def test_busy_files_come_out_exactly(self, seed, zone, newest_first):
        """Two years with a line every few minutes when clocks change, so that both hours have lines."""
        chance, tz = random.Random(seed), ZoneInfo(zone)
        at, moments = datetime(2005 + seed % 15, 1, 1, tzinfo=UTC), []
        end, day = at + timedelta(days=730), timedelta(days=1)
        while at < end:
            moments.append(at)
            changing = (at - day).astimezone(tz).utcoffset() != (at + day).astimezone(tz).utcoffset()
            at += timedelta(seconds=chance.randrange(60, 400) if changing else chance.randrange(3_600, 90_000))
        expected = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]
        texts = [written(moment.astimezone(tz)) for moment in moments]
        if newest_first:
            texts, expected = texts[::-1], expected[::-1]
        assert stream(zone, texts, newest_first) == (expected, True)
