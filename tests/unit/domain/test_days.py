"""Days in the brand's zone, also where clocks change."""

from zoneinfo import ZoneInfo

from uncap.domain.days import day_of, next_day_ms

SHANGHAI, VIENNA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Vienna")
HOUR_MS = 3_600_000


def test_days_begin_at_local_midnight() -> None:
    midnight_ms = 1_795_276_800_000  # 2026-11-22 00:00 in Shanghai
    assert day_of(midnight_ms, SHANGHAI) == "2026-11-22"
    assert day_of(midnight_ms - 1, SHANGHAI) == "2026-11-21"
    assert next_day_ms(midnight_ms - 1, SHANGHAI) == midnight_ms
    assert next_day_ms(midnight_ms, SHANGHAI) == midnight_ms + 24 * HOUR_MS


def test_the_day_clocks_go_back_has_25_hours() -> None:
    midnight_ms = 1_792_879_200_000  # 2026-10-25 00:00 in Vienna
    assert day_of(midnight_ms, VIENNA) == "2026-10-25"
    assert next_day_ms(midnight_ms, VIENNA) == midnight_ms + 25 * HOUR_MS
