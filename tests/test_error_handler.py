"""An error handler decides, from the error and the attempt, what becomes of an activation."""

from __future__ import annotations

import math
from typing import Any

import pytest

from routilux import ErrorHandler, ErrorStrategy, FlowDefinitionError

STOP, CONTINUE, SKIP, RETRY = ErrorStrategy


def test_stop_is_the_default() -> None:
    assert ErrorHandler().strategy is STOP
    assert ErrorHandler().decide(ValueError(), 0) is STOP


def test_the_defaults_are_three_retries_doubling_from_a_second_for_any_exception() -> None:
    handler = ErrorHandler()
    assert (handler.max_retries, handler.retry_delay, handler.retry_backoff) == (3, 1.0, 2.0)
    assert handler.retryable_exceptions == (Exception,)
    assert handler.is_critical is False


@pytest.mark.parametrize("strategy", list(ErrorStrategy))
def test_a_strategy_may_be_given_by_its_name(strategy: ErrorStrategy) -> None:
    assert ErrorHandler(strategy.value).strategy is strategy


@pytest.mark.parametrize("strategy", [STOP, CONTINUE, SKIP])
def test_a_strategy_without_attempts_always_decides_the_same(strategy: ErrorStrategy) -> None:
    assert {ErrorHandler(strategy).decide(ValueError(), attempt) for attempt in range(5)} == {strategy}


def test_retries_end_in_stop() -> None:
    handler = ErrorHandler(RETRY, max_retries=2)
    assert [handler.decide(ValueError(), attempt) for attempt in range(4)] == [RETRY, RETRY, STOP, STOP]
    assert ErrorHandler(RETRY, max_retries=0).decide(ValueError(), 0) is STOP


def test_only_retryable_exceptions_are_retried() -> None:
    handler = ErrorHandler(RETRY, retryable_exceptions=(OSError, KeyError))
    assert handler.decide(ConnectionError(), 0) is RETRY
    assert handler.decide(KeyError(), 0) is RETRY
    assert handler.decide(ValueError(), 0) is STOP
    assert ErrorHandler(RETRY, retryable_exceptions=OSError).decide(ValueError(), 0) is STOP


@pytest.mark.parametrize("strategy", [CONTINUE, SKIP])
def test_a_critical_routine_never_lets_the_job_outlive_an_error(strategy: ErrorStrategy) -> None:
    assert ErrorHandler(strategy, is_critical=True).decide(ValueError(), 0) is STOP


def test_a_critical_routine_may_still_be_retried() -> None:
    handler = ErrorHandler(RETRY, max_retries=1, is_critical=True)
    assert [handler.decide(ValueError(), attempt) for attempt in (0, 1)] == [RETRY, STOP]


def test_the_delay_grows_by_the_backoff_with_each_attempt() -> None:
    handler = ErrorHandler(RETRY, retry_delay=0.5, retry_backoff=3)
    assert [handler.delay(attempt) for attempt in range(4)] == [0.5, 1.5, 4.5, 13.5]


def test_a_delay_beyond_all_bounds_is_infinite_and_no_error() -> None:
    assert ErrorHandler(RETRY, retry_delay=1, retry_backoff=10).delay(10_000) == math.inf


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "ignore"}, "'ignore' is unknown; it must be one of 'stop', 'continue',"),
        ({"max_retries": -1}, "max_retries is -1"),
        ({"max_retries": 1.5}, "max_retries is 1.5"),
        ({"retry_delay": -0.1}, "retry_delay is -0.1"),
        ({"retry_delay": math.nan}, "retry_delay is nan"),
        ({"retry_delay": "1"}, "retry_delay is '1'"),
        ({"retry_backoff": math.inf}, "retry_backoff is inf"),
        ({"retry_backoff": -1}, "retry_backoff is -1"),
        ({"retryable_exceptions": ("ValueError",)}, "'ValueError', which is no exception class"),
        ({"retryable_exceptions": (int,)}, "<class 'int'>, which is no exception class"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowDefinitionError) as caught:
        ErrorHandler(**given)
    assert message in str(caught.value)


def test_a_handler_prints_what_it_does() -> None:
    assert repr(ErrorHandler("continue")) == "ErrorHandler(strategy='continue')"
    assert repr(ErrorHandler("retry", max_retries=2, is_critical=True)) == (
        "ErrorHandler(strategy='retry', max_retries=2, retry_delay=1, retry_backoff=2, is_critical=True)"
    )
