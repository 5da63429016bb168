"""Where toasts stand: never over what one fills in, reads or answers in a dialog."""

from __future__ import annotations

import pytest
from textual.geometry import Region
from textual.widgets._toast import Toast, ToastRack

from tests.tui import fixed
from tests.tui.driving import Drive, app_of, main_of, screen_text, until

pytestmark = pytest.mark.anyio

DIALOGS = {
    "form": ("j", "s"), "cancel": ("4", "x"), "quit": ("q",), "messages": ("m",), "reload": ("2", "enter"),
    "help": ("question_mark",), "export": ("5", "o"), "palette": ("colon",),
}  # fmt: skip
LONG = "0001be etl.daily failed: clean: KeyError: 'sku' in row 3,412 of all the orders of the day before"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def told(pilot: Drive, *texts: str) -> list[Region]:
    """Where the toasts stand that say these."""
    for text in texts:
        main_of(pilot).say(text)

    await until(pilot, lambda: len(places(pilot)) == len(texts))
    return places(pilot)


def places(pilot: Drive) -> list[Region]:
    return [toast.region for toast in pilot.app.screen.query(Toast) if toast.region.area]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize("dialog", DIALOGS)
async def test_over_a_dialog_the_newest_stands_in_the_row_of_the_keys(
    dialog: str, size: tuple[int, int]
) -> None:
    async with fixed.app().run_test(size=size, notifications=True) as pilot:
        await pilot.press(*DIALOGS[dialog])
        await until(pilot, lambda: app_of(pilot).screen is not main_of(pilot))
        toasts = await told(pilot, "report.render completed", LONG)
        assert {(each.y, each.height) for each in toasts} == {(size[1] - 1, 1)}
        own = [each for each in pilot.app.screen.children if not isinstance(each, ToastRack)]
        if dialog != "palette":  # which covers the whole screen, and has its list in some of it
            assert not any(each.region.overlaps(toast) for each in own for toast in toasts)
            assert "0001be etl.daily failed" in screen_text(pilot).splitlines()[-1]


async def test_elsewhere_they_stand_above_one_another_in_full() -> None:
    async with fixed.app().run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        first, second = await told(pilot, "report.render completed", LONG)
        assert first.bottom < second.y
        assert "orders of the day before" in screen_text(pilot)


async def test_when_the_newest_has_gone_the_one_before_is_seen() -> None:
    async with fixed.app().run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("j", "s")
        *_, newest = await told(pilot, "report.render completed", LONG)
        # A click ends a toast before its time.
        await pilot.click(offset=newest.offset)
        await until(pilot, lambda: "report.render completed" in screen_text(pilot).splitlines()[-1])
