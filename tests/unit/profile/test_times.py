"""Do times read as what they are, and can they be read again?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unit.profile.tables import profiled

from foretrain.data.words import DATETIME, parse_duration
from foretrain.profile.stage import summary
from foretrain.profile.times import DAY, duration, instant

START = datetime(1970, 1, 1, tzinfo=UTC)


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_iso_8601(when: datetime) -> None:
    text = instant((when - START) // timedelta(microseconds=1))
    assert datetime.fromisoformat(text).replace(tzinfo=UTC) == when
    assert pc.match_substring_regex(pa.array([text]), DATETIME)[0].as_py()


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15))
@example(DAY)
@example(-DAY - 1)
@example(-1)
def test_durations_are_what_a_source_may_hold(micros: int) -> None:
    assert parse_duration(pa.array([duration(micros)])).cast(pa.int64())[0].as_py() == micros


@pytest.mark.parametrize(
    ("read", "micros", "text"),
    [
        (instant, 0, "1970-01-01"),
        (instant, -DAY, "1969-12-31"),
        (instant, 1_709_209_800e6, "2024-02-29T12:30:00"),
        (instant, 1_709_209_800.5e6, "2024-02-29T12:30:00.500000"),
        (instant, float(2**63), "294247-01-10T04:00:54.775807"),
        (instant, -float(2**63), "-290308-12-21T19:59:05.224193"),
        (duration, 0, "00:00:00"),
        (duration, 1.5e6, "00:00:01.500000"),
        (duration, 26 * 3600e6 + 184e6, "1 days 02:03:04"),
        (duration, -7200e6, "-02:00:00"),
    ],
)
def test_times_by_hand(read: Callable[[float], str], micros: float, text: str) -> None:
    assert read(micros) == text


def test_a_summary_tells_times_as_text() -> None:
    day = 20_000 * DAY
    table = pa.table(
        {
            "when": pa.array([day, day, day + 3 * DAY], pa.timestamp("us")),
            "lasted": pa.array([0, 90_000_000, None], pa.duration("us")),
            "count": pa.array([1, 2, 3]),
        }
    )
    when, lasted, count = (summary(profiled(table).columns[name]) for name in table.column_names)
    assert (when.minimum, when.maximum, when.mean) == ("2024-10-04", "2024-10-07", "2024-10-05")
    assert when.deviation == "1 days 17:34:09.189774"  # the square root of three days
    assert when.quartiles == ("2024-10-04", "2024-10-04", "2024-10-07")
    assert when.frequent[0].value == "2024-10-04"
    assert (lasted.minimum, lasted.maximum, lasted.mean) == ("00:00:00", "00:01:30", "00:00:45")
    assert [each.value for each in lasted.frequent] == ["00:00:00", "00:01:30"]
    assert (count.minimum, count.mean, count.quartiles) == (1.0, 2.0, (1.0, 2.0, 3.0))
