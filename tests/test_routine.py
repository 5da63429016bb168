"""A routine defines slots, events and a logic; its logic is called in the way it is written."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from routilux import (
    ErrorHandler,
    Flow,
    FlowDefinitionError,
    JobNotActive,
    JobState,
    Routine,
    UndefinedEventError,
    all_slots_ready_policy,
    immediate_policy,
)
from tests.helpers import LIMIT, Bench, chain, collects, does, graph, node, source


def result_of(runtime: Bench, routine: Routine) -> Any:
    """What the logic puts under "seen", run on {"x": 1} in `left` and {"x": 2} in `right`, if it has one."""

    def start() -> None:
        first.emit("left", x=1)
        if len(routine.slots) > 1:
            first.emit("right", x=2)

    first = node(start, slots=["trigger"], events=["left", "right"])
    flow = graph([f"first.{slot} -> second.{slot}" for slot in routine.slots], first=first, second=routine)
    job = runtime.run(flow)
    assert job.is_completed(), job.job_state.error
    return job.job_state.shared_data["seen"]


def join(logic: Callable[..., Any]) -> Routine:
    return node(logic, slots=["left", "right"], policy=all_slots_ready_policy())


# ---- how logic is called


def test_logic_gets_one_list_per_slot_in_the_order_they_were_defined(runtime: Bench) -> None:
    def logic(first: Any, second: Any, policy_message: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = (first, second)

    assert result_of(runtime, join(logic)) == ([{"x": 1}], [{"x": 2}])


def test_the_names_of_the_arguments_do_not_matter_only_their_order(runtime: Bench) -> None:
    def logic(right: Any, left: Any, *, job_state: JobState) -> None:
        job_state.shared_data["seen"] = (right, left)

    assert result_of(runtime, join(logic)) == ([{"x": 1}], [{"x": 2}])


def test_a_single_argument_gets_a_dict_of_all_slots(runtime: Bench) -> None:
    def logic(data: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = data

    assert result_of(runtime, join(logic)) == {"left": [{"x": 1}], "right": [{"x": 2}]}


def test_a_single_argument_of_a_routine_with_one_slot_is_its_list(runtime: Bench) -> None:
    def logic(data: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = data

    assert result_of(runtime, node(logic, slots=["left"])) == [{"x": 1}]


def test_star_arguments_get_the_lists(runtime: Bench) -> None:
    def logic(*lists: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = lists

    assert result_of(runtime, join(logic)) == ([{"x": 1}], [{"x": 2}])


def test_star_keywords_get_the_message_and_the_job(runtime: Bench) -> None:
    def logic(*lists: Any, **keywords: Any) -> None:
        keywords["job_state"].shared_data["seen"] = sorted(keywords)

    assert result_of(runtime, join(logic)) == ["job_state", "policy_message"]


def test_a_slot_from_which_nothing_was_taken_has_an_empty_list(runtime: Bench) -> None:
    def logic(left: Any, right: Any, job_state: JobState) -> None:
        job_state.shared_data.setdefault("seen", []).append((left, right))

    routine = node(logic, slots=["left", "right"], policy=immediate_policy())
    assert result_of(runtime, routine) == [([{"x": 1}], []), ([], [{"x": 2}])]


def test_logic_need_not_take_the_message_nor_the_job_nor_the_data(runtime: Bench) -> None:
    calls = []
    for logic in (
        lambda: calls.append("nothing"),
        lambda data: calls.append("data"),
        lambda data, policy_message: calls.append("message"),
        lambda data, job_state: calls.append("job"),
        lambda job_state: calls.append("job only"),
        lambda data, extra=5: calls.append(extra),
    ):
        assert runtime.run(chain(source([1]), node(logic))).is_completed()
    assert calls == ["nothing", "data", "message", "job", "job only", 5]


def test_the_message_of_the_policy_reaches_the_logic(runtime: Bench) -> None:
    def policy(slots: Any, job_state: Any) -> Any:
        data = slots["left"].consume_all_new()
        return bool(data), {"left": data}, {"reason": "because"}

    def logic(data: Any, policy_message: Any, job_state: JobState) -> None:
        job_state.shared_data["seen"] = policy_message

    assert result_of(runtime, node(logic, slots=["left"], policy=policy)) == {"reason": "because"}


class Doubler(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("left")

    def logic(self, items: list[dict[str, Any]], job_state: JobState) -> None:
        job_state.shared_data["seen"] = items[0]["x"] * 2


def test_a_subclass_may_simply_define_a_method_logic(runtime: Bench) -> None:
    assert result_of(runtime, Doubler()) == 2


def test_the_function_of_set_logic_takes_precedence_over_the_method(runtime: Bench) -> None:
    routine = Doubler()
    routine.set_logic(lambda items, job_state: job_state.shared_data.update(seen="function"))
    assert result_of(runtime, routine) == "function"


def test_any_callable_can_be_a_logic(runtime: Bench) -> None:
    class Callable_:
        def __call__(self, items: Any, *, job_state: JobState) -> None:
            job_state.shared_data["seen"] = "callable"

    assert result_of(runtime, node(Callable_(), slots=["left"])) == "callable"


def test_a_logic_that_cannot_take_the_slots_is_refused_before_a_job_is_made(runtime: Bench) -> None:
    flow = chain(source([1]), node(lambda a, b, c: None, name="join"))
    message = r"logic of routine 'join' takes 3 data arguments \(a, b, c\), but the routine has 1 slots"
    with pytest.raises(FlowDefinitionError, match=message):
        runtime.start(flow)
    assert runtime.list_jobs() == []


async def waits(items: list[Any]) -> None:
    raise AssertionError("never called")


async def waits_and_yields(items: list[Any]) -> Any:
    yield items


def yields(items: list[Any]) -> Any:
    yield items


class Yields:
    def __call__(self, items: list[Any]) -> Any:
        yield items


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        (waits, "logic of routine 'lazy' is an async function, of which a call runs nothing.*asyncio.run"),
        (waits_and_yields, "is an async function"),
        (yields, "logic of routine 'lazy' is a generator, of which a call runs nothing; emit its values"),
        (Yields(), "is a generator"),
        (functools.partial(waits), "is an async function"),
    ],
)
def test_a_logic_of_which_a_call_runs_nothing_is_refused(runtime: Bench, logic: Any, message: str) -> None:
    flow = chain(source([1]), node(logic, name="lazy"))
    (finding,) = flow.validate()
    assert finding.level == "error"
    assert re.search(message, finding.message)
    with pytest.raises(FlowDefinitionError, match=message):
        runtime.start(flow)
    assert runtime.list_jobs() == []


def test_a_logic_that_takes_the_job_by_its_position_only_is_refused(runtime: Bench) -> None:
    def logic(items: Any, job_state: Any, /) -> None: ...

    flow = chain(source([1]), node(logic, name="strict"))
    with pytest.raises(FlowDefinitionError, match="'strict' takes 'job_state' by its position only"):
        runtime.start(flow)


# ---- emit


def test_an_item_is_the_dict_of_the_parameters(runtime: Bench) -> None:
    first = Routine()
    first.define_event("out", ["path", "digest"])
    first.set_logic(lambda: first.emit("out", digest="d", path="p"))
    seen: list[Any] = []
    assert runtime.run(graph(["a -> b"], a=first, b=node(seen.extend))).is_completed()
    assert seen == [{"path": "p", "digest": "d"}]


def test_parameters_of_an_event_may_be_left_out(runtime: Bench) -> None:
    first = node(lambda: first.emit("out"), slots=["trigger"])
    seen: list[Any] = []
    assert runtime.run(chain(first, node(seen.extend))).is_completed()
    assert seen == [{}]


def test_every_connected_slot_gets_an_item_of_its_own(runtime: Bench) -> None:
    seen: dict[str, Any] = {}

    def spoil(name: str) -> Callable[[Any], None]:
        def logic(items: list[dict[str, Any]]) -> None:
            seen[name] = dict(items[0])
            items[0]["x"] = "spoilt"

        return logic

    flow = graph(["a -> b", "a -> c"], a=source([1]), b=node(spoil("b")), c=node(spoil("c")))
    runtime.run(flow)
    assert seen == {"b": {"x": 1}, "c": {"x": 1}}


def test_a_parameter_may_have_any_name_that_an_event_defines(runtime: Bench) -> None:
    first = Routine()
    first.define_event("out", ["event_name", "self", "name"])
    first.set_logic(lambda: first.emit("out", event_name=1, name=3, self=2))
    seen: list[Any] = []
    job = runtime.run(graph(["a -> b"], a=first, b=node(seen.extend)))
    assert job.is_completed(), job.job_state.error
    assert seen == [{"event_name": 1, "self": 2, "name": 3}]


def error_of(runtime: Bench, emit: Callable[[Routine], Any]) -> Any:
    worker = Routine()
    worker.define_event("found", ["path", "size"])
    worker.define_event("done")
    worker.set_logic(lambda: emit(worker))
    error = runtime.run(graph(worker=worker)).job_state.error
    assert error is not None
    return error


def test_emitting_an_undefined_event_names_the_routine_the_event_and_what_is_defined(runtime: Bench) -> None:
    error = error_of(runtime, lambda worker: worker.emit("fuond", path="p"))
    assert isinstance(error.exception, UndefinedEventError)
    assert error.message == "routine 'worker' has no event 'fuond'; it defines 'found', 'done'"


def test_emitting_undefined_parameters_names_them_and_what_is_defined(runtime: Bench) -> None:
    error = error_of(runtime, lambda worker: worker.emit("found", path="p", sise=3))
    assert isinstance(error.exception, UndefinedEventError)
    assert error.message == (
        "event 'found' of routine 'worker' has no parameters 'sise'; it defines 'path', 'size'"
    )
    error = error_of(runtime, lambda worker: worker.emit("done", path="p"))
    assert error.message == "event 'done' of routine 'worker' has no parameters 'path'; it defines none"


def test_a_refused_emit_puts_nothing_anywhere(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        with pytest.raises(UndefinedEventError):
            first.emit("out", x=1, y=2)

    first = does(logic, events=["out"])
    job = runtime.run(chain(first, collects()))
    assert job.is_completed()
    assert job.job_state.shared_data == {}


def test_an_undefined_event_is_an_error_even_where_nothing_is_connected(runtime: Bench) -> None:
    assert "no event 'log'" in error_of(runtime, lambda worker: worker.emit("log")).message


def test_emit_outside_any_job_says_how_to_name_one() -> None:
    with pytest.raises(JobNotActive, match=r"emit\('out'\).*outside any job.*job_state=job_state"):
        node(name="worker").emit("out", x=1)


def test_a_thread_that_names_the_job_can_emit(runtime: Bench) -> None:
    def logic(job_state: JobState) -> None:
        thread = threading.Thread(target=lambda: first.emit("out", job_state=job_state, x=7))
        thread.start()
        thread.join(LIMIT)

    first = does(logic, events=["out"])
    assert runtime.run(chain(first, collects())).job_state.shared_data == {"got": [7]}


def test_a_thread_that_does_not_name_the_job_cannot_emit(runtime: Bench) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            first.emit("out", x=7)
        except JobNotActive as error:
            failures.append(error)

    def logic() -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(LIMIT)

    first = does(logic, events=["out"])
    job = runtime.run(chain(first, collects()))
    assert len(failures) == 1
    assert job.job_state.shared_data == {}


def test_emitting_for_a_job_that_has_ended_says_so(runtime: Bench) -> None:
    first = source([1])
    job = runtime.run(chain(first, collects()))
    with pytest.raises(JobNotActive, match=rf"job '{job.job_id}' is completed and takes no items"):
        first.emit("out", job_state=job.job_state, x=2)


def test_emitting_on_behalf_of_a_routine_of_another_flow_says_so(runtime: Bench) -> None:
    stranger = node(name="stranger")
    job = runtime.run(graph(worker=does(lambda: stranger.emit("out", x=1))))
    assert job.job_state.error is not None
    assert "<Routine 'stranger'> is no routine of flow 'flow'" in job.job_state.error.message


# ---- definitions


def test_slots_and_events_keep_their_order_and_cannot_be_written() -> None:
    routine = node(slots=["b", "a"], events=["y", "x"])
    assert list(routine.slots) == ["b", "a"]
    assert list(routine.events) == ["y", "x"]
    with pytest.raises(TypeError):
        routine.slots["c"] = routine.slots["a"]  # type: ignore[index]


def test_defining_answers_with_what_was_defined() -> None:
    routine = Routine()
    slot = routine.define_slot("files", max_queue_length=7, when_full="drop_oldest")
    event = routine.define_event("hashed", ["path"])
    assert routine.slots["files"] is slot
    assert (slot.name, slot.capacity, slot.when_full) == ("files", 7, "drop_oldest")
    assert routine.events["hashed"] is event
    assert event.output_params == ("path",)
    assert repr(event) == "Event('hashed', ['path'])"


def test_a_slot_holds_a_thousand_items_and_makes_its_emitter_wait_unless_told() -> None:
    slot = Routine().define_slot("files")
    assert (slot.capacity, slot.when_full) == (1000, "wait")


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda routine: routine.define_slot("items"), "already has a slot 'items'"),
        (lambda routine: routine.define_event("out"), "already has an? event 'out'"),
        (lambda routine: routine.define_slot(""), "slot's name must be a string that is not empty, not ''"),
        (lambda routine: routine.define_event(3), "event's name must be a string that is not empty, not 3"),
        (lambda routine: routine.define_event("found", "path"), r"'path'; give a list of names.*\['path'\]"),
        (lambda routine: routine.define_event("found", [3]), "event 'found': 3 is no parameter name"),
        (lambda routine: routine.define_event("found", ["job_state"]), r"emit\(..., job_state=...\) names"),
        (lambda routine: routine.define_slot("more", max_queue_length=0), "max_queue_length is 0"),
        (lambda routine: routine.set_logic("logic"), "set_logic takes a function, not 'logic'"),
        (lambda routine: routine.set_activation_policy("now"), "takes a policy, not 'now'"),
        (lambda routine: routine.set_activation_policy(immediate_policy), r"call it: immediate_policy\(\)"),
        (lambda routine: routine.set_error_handler("stop"), "takes an ErrorHandler, not 'stop'"),
    ],
)
def test_a_wrong_definition_is_refused_by_name(define: Callable[[Any], Any], message: str) -> None:
    routine = node(name="worker")
    with pytest.raises(FlowDefinitionError, match=message):
        define(routine)
    assert list(routine.slots) == ["items"]
    assert list(routine.events) == ["out"]


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "2", None])
def test_concurrency_is_a_whole_number_of_at_least_one(limit: Any) -> None:
    with pytest.raises(FlowDefinitionError, match=r"'worker'.*max_concurrency is"):
        Routine("worker").set_max_concurrency(limit)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_time_limit_is_a_positive_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(FlowDefinitionError, match=r"'worker'.*timeout is"):
        Routine("worker").set_timeout(seconds)


def test_settings_are_read_back() -> None:
    routine, policy, handler = Routine("worker"), immediate_policy(), ErrorHandler()
    defaults = (routine.activation_policy, routine.error_handler, routine.max_concurrency, routine.timeout)
    assert defaults == (None, None, 1, None)
    assert routine.cpu_gate is True
    assert routine.active_logic is None
    routine.set_activation_policy(policy)
    routine.set_error_handler(handler)
    routine.set_max_concurrency(3)
    routine.set_timeout(5)
    routine.set_cpu_gate(False)
    assert routine.activation_policy is policy
    assert routine.error_handler is handler
    assert (routine.max_concurrency, routine.timeout, routine.cpu_gate) == (3, 5.0, False)
    routine.set_timeout(None)
    assert routine.timeout is None


def test_configuration_is_kept_and_added_to() -> None:
    routine = Routine()
    routine.set_config(depth=3, name="x")
    routine.set_config(depth=4)
    assert routine.config == {"depth": 4, "name": "x"}
    assert routine.get_config("depth") == 4
    assert routine.get_config("missing") is None
    assert routine.get_config("missing", 9) == 9


def test_the_slots_of_a_routine_are_prototypes_that_no_job_fills(runtime: Bench) -> None:
    routine = collects()
    job = runtime.run(chain(source([1, 2, 3]), routine))
    assert job.job_state.shared_data["got"] == [1, 2, 3]
    assert routine.slots["items"].get_total_count() == 0


def test_a_routine_prints_readably() -> None:
    routine = node(name="worker", policy=immediate_policy())
    assert repr(routine) == "<Routine 'worker'>"
    assert repr(Doubler()) == "<Doubler>"
    assert dict(routine.__rich_repr__()) == {
        "name": "worker",
        "slots": ["items"],
        "events": {"out": ["x"]},
        "policy": routine.activation_policy,
    }


def test_one_routine_may_serve_several_flows(runtime: Bench) -> None:
    shared = collects()
    flows = []
    for number in (1, 2):
        flow = Flow(f"flow-{number}")
        flow.add_routine(source([number]), "source")
        flow.add_routine(shared, f"sink-{number}")
        flow.connect("source", "out", f"sink-{number}", "items")
        flows.append(flow)
    assert [runtime.run(flow).job_state.shared_data for flow in flows] == [{"got": [1]}, {"got": [2]}]
