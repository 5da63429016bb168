"""Toasts about jobs that ended out of sight: few, and right, however many ended."""

from __future__ import annotations

from datetime import timedelta

from tests.tui import fixed
from tests.tui.fixed import S
from tui.ended import FRESH, EndedNews


class News(EndedNews):
    def __init__(self) -> None:
        self.now = fixed.NOW
        super().__init__(lambda: self.now)

    def told(self, *states: S) -> list[str]:
        self.add(
            fixed.summary(number, state, error="boom" if state is S.FAILED else "")
            for number, state in enumerate(states)
        )
        return [f"{toast.severity}: {toast.text}" for toast in self.toasts()]


def test_a_few_are_named() -> None:
    news = News()
    assert news.told() == []
    assert news.told(S.COMPLETED) == ["information: 0000be etl.daily completed"]
    # One after the other as they end.
    assert news.told(S.FAILED) == ["error: 0000be etl.daily failed: boom"]
    assert news.told(S.CANCELLED, S.FAILED) == [
        "information: 0000be etl.daily cancelled", "error: 0001be etl.daily failed: boom",
    ]  # fmt: skip


def test_many_are_counted_and_the_first_failure_is_named() -> None:
    assert News().told(*[S.COMPLETED] * 2000) == ["information: 2,000 jobs have ended: 2,000 completed."]
    assert News().told(S.COMPLETED, S.FAILED, S.FAILED, S.CANCELLED) == [
        "error: 4 jobs have ended: 1 completed, 2 failed, 1 cancelled.\n"
        "The first that failed: 0001be etl.daily failed: boom",
    ]


def test_what_ends_soon_afterwards_is_gathered_and_none_is_lost() -> None:
    news = News()
    assert len(news.told(*[S.COMPLETED] * 5)) == 1
    for _ in range(30):
        assert news.told(*[S.COMPLETED] * 10) == []
    news.now += FRESH
    assert news.told() == ["information: 300 jobs have ended: 300 completed."]
    news.now += timedelta(hours=1)
    assert news.told() == []
