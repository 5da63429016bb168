"""What a job holds survives a save, or the save says why it cannot."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
import math
import subprocess
import sys
import threading
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux.codec import MAX_DEPTH, TAG, from_jsonable, to_jsonable
from routilux.exceptions import RoutiluxError, SerializationError

WHERE = "routine 'join', slot 'right', item 3"


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"
    CRIMSON = 1  # noqa: PIE796 - another name of RED


class Level(enum.IntEnum):
    LOW = 1


class Mode(str, enum.Enum):
    FAST = "fast"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Bits(enum.IntFlag):
    A = 1


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    tags: tuple[str, ...] = ()


@dataclasses.dataclass
class Doubling:
    """Its __init__ must not run again: it would double once more."""

    value: int
    factor: dataclasses.InitVar[int] = 2
    seen: list[int] = dataclasses.field(init=False)
    never: int = dataclasses.field(init=False)

    def __post_init__(self, factor: int) -> None:
        self.value *= factor
        self.seen = [self.value]
        self.note = "set besides the fields"

    @cached_property
    def half(self) -> Any:
        return threading.Lock()


class Outer:
    @dataclasses.dataclass
    class Inner:
        x: int


class Pair(NamedTuple):
    left: Any
    right: Any = 0


class TalkativePair(Pair):
    pass


Old = namedtuple("Old", ["a", "b"])


class Movie(TypedDict):
    title: str


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    number: int = pydantic.Field(alias="no")
    where: Path | None = None
    inner: Point | None = None
    _cache: dict[str, Any] = pydantic.PrivateAttr(default_factory=dict)

    @pydantic.field_validator("number")
    @classmethod
    def double(cls, value: int) -> int:
        return value * 2


class Numbers(pydantic.RootModel[list[int]]):
    pass


@pydantic.dataclasses.dataclass
class Checked:
    n: int = pydantic.Field(default=3, ge=1)


class Text(str):
    pass


class Unfindable:
    pass


def through_json(value: object) -> Any:
    """`value` after a save as strict, valid UTF-8 JSON, and a load."""
    text = json.dumps(to_jsonable(value, WHERE), allow_nan=False, ensure_ascii=False)
    return from_jsonable(json.loads(text.encode()), WHERE)


def assert_same(back: object, value: object) -> None:
    assert type(back) is type(value)
    assert back == value
    assert repr(back) == repr(value)


PLAIN = [
    None,
    True,
    0,
    -1,
    10**15,
    1.5,
    -0.0,
    1e300,
    "",
    "häh \N{GRINNING FACE}",
    [],
    [1, [2, [3]]],
    {},
    {"a": {"b": [None]}},
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_what_json_knows_is_saved_as_itself(value: object) -> None:
    assert to_jsonable(value, WHERE) == value
    assert_same(through_json(value), value)


TAGGED = [
    math.inf,
    -math.inf,
    10**4000,
    -(10**4000),
    datetime(2024, 5, 1, 12, 30, 1, 5),
    datetime(2024, 5, 1, tzinfo=UTC),
    datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=-3, seconds=7))),
    datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2024, 10, 27, 2, 30, fold=1),
    datetime.min,
    datetime.max,
    date(2024, 2, 29),
    time(23, 59, 59, 999999),
    time(1, tzinfo=UTC),
    time(1, tzinfo=ZoneInfo("Europe/Berlin")),
    timedelta(days=-1, microseconds=1),
    timedelta.max,
    Decimal("1.10"),
    Decimal("-0"),
    Decimal("Infinity"),
    Decimal("1E+1000"),
    UUID(int=7),
    Path("a/b c"),
    Path("/"),
    Path("caf\udce9"),
    PurePosixPath("a\\b"),
    PureWindowsPath("C:\\a\\b"),
    PureWindowsPath("//server/share/x"),
    b"",
    b"\x00\xff",
    bytearray(b"abc"),
    set(),
    {1, "a", (2, 3)},
    frozenset({frozenset({1})}),
    (),
    (1, (2, [3])),
    complex(-0.0, math.inf),
    range(0, 10, 3),
    range(5, 5),
    deque([1, 2], maxlen=5),
    deque(),
    OrderedDict([("b", 1), ("a", 2)]),
    Counter("abca"),
    defaultdict(list, {"a": [1]}),
    defaultdict(None, {1: 2}),
    {1: "a", None: "b", (1, 2): "c"},
    {True: 1},
    {Mode.FAST: 1},
    {"caf\udce9": 1},
    "lone \ud83d\ude00 surrogates \\ud83d",
    Colour.RED,
    Colour.BLUE,
    Colour.CRIMSON,
    Level.LOW,
    Mode.FAST,
    Access.READ,
    Access.READ | Access.WRITE,
    Access(0),
    Bits(5),
    Point(1, [Point(2)]),
    Frozen("n", ("a",)),
    Outer.Inner(1),
    Pair(1, Pair(2)),
    Old(1, {"x": (1,)}),
    Checked(n=4),
    Numbers([1, 2]),
    Model(no=2, where=Path("x"), inner=Point(1), more=(1, 2)),
]


def _without_order(value: object) -> str:
    """The name of a case; a set is written in another order in every process."""
    return "a set" if isinstance(value, set) and len(value) > 1 else repr(value)[:40]


@pytest.mark.parametrize("value", TAGGED, ids=_without_order)
def test_other_values_come_back_equal_and_of_the_same_type(value: object) -> None:
    assert_same(through_json(value), value)
    assert_same(through_json({"a": [value]})["a"][0], value)


def test_an_int_longer_than_python_prints_survives() -> None:
    assert through_json(-(10**5000)) == -(10**5000)


def test_nan_comes_back_as_nan() -> None:
    assert math.isnan(through_json(math.nan))
    assert through_json(Decimal("NaN")).is_nan()


def test_true_and_1_stay_apart() -> None:
    assert [type(item) for item in through_json([True, 1, 1.0, Level.LOW])] == [bool, int, float, Level]


def test_enum_members_are_the_very_same() -> None:
    assert through_json(Colour.RED) is Colour.RED
    assert through_json(Mode.FAST) is Mode.FAST


def test_a_zone_comes_back_as_the_zone_and_not_as_its_offset() -> None:
    back = through_json(datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")))
    assert back.tzinfo == ZoneInfo("Europe/Berlin")
    assert back.utcoffset() == timedelta(hours=2)


def test_a_time_zone_of_another_kind_comes_back_as_its_offset() -> None:
    moment = datetime(2024, 1, 1, tzinfo=Foreign(timedelta(hours=5)))
    back = through_json(moment)
    assert back == moment
    assert type(back.tzinfo) is timezone


class Foreign(tzinfo):
    def __init__(self, offset: timedelta | None) -> None:
        self.offset = offset

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self.offset

    def dst(self, moment: datetime | None) -> None:
        return None


def test_a_time_zone_without_offset_is_refused() -> None:
    with pytest.raises(SerializationError, match="tells no offset"):
        to_jsonable(datetime(2024, 1, 1, tzinfo=Foreign(None)), WHERE)


LOOKALIKES = [
    {TAG: "date", "value": "2024-01-01"},
    {TAG: "nonsense"},
    {TAG: None},
    {"a": {TAG: "enum", "class": "os:system", "name": "x"}},
    {TAG: "dict", "items": [[1, 2]]},
]


@pytest.mark.parametrize("value", LOOKALIKES, ids=repr)
def test_a_dict_that_looks_like_a_tag_stays_a_dict(value: object) -> None:
    once = to_jsonable(value, WHERE)
    assert_same(through_json(value), value)
    assert_same(through_json(once), once)


def test_a_tree_is_ordinary_data_that_can_be_saved_again() -> None:
    tree = to_jsonable([Point(1), {1: 2}], WHERE)
    assert from_jsonable(from_jsonable(to_jsonable(tree, WHERE), WHERE), WHERE) == [Point(1), {1: 2}]


def test_a_typed_dict_is_a_dict() -> None:
    movie: Movie = {"title": "M"}
    assert to_jsonable(movie, WHERE) == {"title": "M"}


def test_a_dataclass_comes_back_as_it_was_and_not_as_its_init_would_make_it() -> None:
    value = Doubling(5, factor=3)
    lock = value.half
    back = through_json(value)
    assert (back.value, back.seen, back.note) == (15, [15], "set besides the fields")
    assert not hasattr(back, "never")
    assert back.half is not lock


def test_a_model_comes_back_as_it_was_and_not_as_its_validators_would_make_it() -> None:
    value = Model(no=2, extra_one=date(2024, 1, 1))
    value._cache["k"] = {1, 2}
    back = through_json(value)
    assert back == value
    assert back.number == 4
    assert back.model_fields_set == value.model_fields_set
    assert back.model_extra == {"extra_one": date(2024, 1, 1)}
    assert back._cache == {"k": {1, 2}}


def test_an_object_held_twice_is_no_cycle() -> None:
    shared = [1]
    assert through_json([shared, {"a": shared}]) == [[1], {"a": [1]}]


# --- what cannot be saved ----------------------------------------------------------------------------------


def make_local() -> tuple[Any, Any]:
    @dataclasses.dataclass
    class Local:
        x: int

    class LocalColour(enum.Enum):
        RED = 1

    return Local(1), LocalColour.RED


@dataclasses.dataclass
class Problem(Exception):
    code: int


def noted() -> TalkativePair:
    pair = TalkativePair(1, 2)
    pair.note = "x"
    return pair


REFUSED: list[tuple[object, str]] = [
    (threading.Lock(), "a threading.Lock cannot be saved as JSON; make it where it is used"),
    (sys.stdout, "cannot be saved as JSON"),
    (object(), "an object cannot be saved as JSON; make its class a dataclass"),
    (Unfindable(), r"a [\w.]*test_codec.Unfindable cannot be saved as JSON"),
    (Unfindable, "the class Unfindable cannot be saved as JSON; save its name"),
    (make_local, "the function make_local cannot"),
    (len, "the function len cannot"),
    ([].append, "the function list.append cannot"),
    (Model(no=1).model_dump, "the method BaseModel.model_dump cannot"),
    (json, "the module json cannot"),
    ((i for i in ()), "a generator cannot be saved as JSON; turn it into a list"),
    (ValueError("x"), "a ValueError cannot be saved as JSON; save its text"),
    (Text("x"), "Text cannot be saved as JSON; turn it into a plain str"),
    (memoryview(b""), "a memoryview cannot"),
    (types.MappingProxyType({}), "mappingproxy cannot"),
    (sys.version_info, "turn it into a plain tuple"),
    (pydantic.SecretStr("hush"), "SecretStr cannot be saved as JSON; secrets are not written to files"),
    (make_local()[0], "make_local.<locals>.Local cannot .* defined inside a function; define it at the top"),
    (make_local()[1], "defined inside a function"),
    (namedtuple("Nowhere", "a")(1), r"no other process could find its class, as [\w.]+ has no Nowhere"),
    (Problem(1), "both a dataclass and a Exception"),
    (noted(), r"attributes besides its fields \(note\)"),
    (defaultdict(lambda: 1), "a defaultdict whose values come from <function <lambda>"),
    (Model.model_construct(number=threading.Lock()), r" -> \.number: a threading.Lock"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_saved_is_refused_by_name(value: object, message: str) -> None:
    with pytest.raises(SerializationError, match=message) as caught:
        to_jsonable(value, WHERE)
    assert str(caught.value).startswith(WHERE)
    assert "hush" not in str(caught.value)


PLACES: list[tuple[Any, str]] = [
    (lambda bad: {"a": [bad]}, "['a'][0]"),
    (lambda bad: [1, (2, {"k": bad})], "[1][1]['k']"),
    (lambda bad: {1: bad}, "[1]"),
    (lambda bad: Point(1, {"z": Pair(1, bad)}), ".y['z'].right"),
    (lambda bad: {(1, Wrapped(bad)): 2}, " (its key [(1, Wrapped())])[1].bad"),
    (lambda bad: Model.model_construct(number=1, also=bad), ".model_extra['also']"),
    (lambda bad: deque([bad]), "[0]"),
    (lambda bad: [[[[[[[[[[[[[[bad]]]]]]]]]]]]]], "[0][0][0][0][0][0]...[0][0][0]"),
]


@dataclasses.dataclass(frozen=True, eq=False)
class Wrapped:
    bad: object

    def __repr__(self) -> str:
        return "Wrapped()"


@pytest.mark.parametrize(("around", "place"), PLACES, ids=[place for _, place in PLACES])
def test_the_error_names_the_place_inside(around: Any, place: str) -> None:
    with pytest.raises(SerializationError) as caught:
        to_jsonable(around(threading.Lock()), WHERE)
    assert str(caught.value).startswith(f"{WHERE} -> {place}: a threading.Lock cannot")


def test_the_error_is_one_of_the_library_and_a_type_error() -> None:
    assert issubclass(SerializationError, RoutiluxError)
    assert issubclass(SerializationError, TypeError)


def test_data_that_contains_itself_is_an_error() -> None:
    cycle: list[Any] = []
    cycle.append({"back": cycle})
    with pytest.raises(SerializationError, match=r"\[0\]\['back'\]: a list contains itself"):
        to_jsonable(cycle, WHERE)
    point = Point(1)
    point.y = (point,)
    with pytest.raises(SerializationError, match=r"\.y\[0\]: .*Point contains itself"):
        to_jsonable(point, WHERE)


def nested(levels: int) -> list[Any]:
    tree: list[Any] = []
    for _ in range(levels):
        tree = [tree]
    return tree


@pytest.mark.parametrize("levels", [MAX_DEPTH, 10_000, 100_000])
def test_data_nested_too_deeply_is_an_error(levels: int) -> None:
    tree = nested(levels)
    with pytest.raises(SerializationError, match=f"nested more than {MAX_DEPTH} levels deep"):
        to_jsonable(tree, WHERE)


def test_data_nested_as_deeply_as_allowed_survives() -> None:
    around: list[Any] = [
        lambda inner: [inner],
        lambda inner: {1: inner},
        lambda inner: Point(0, inner),
        lambda inner: {TAG: inner},
    ]
    for wrap in around:
        value: Any = []
        for _ in range(MAX_DEPTH - 1):
            value = wrap(value)
        assert through_json(value) == value


def test_a_tree_nested_too_deeply_is_an_error_too() -> None:
    with pytest.raises(SerializationError, match="nested more than"):
        from_jsonable(nested(10_000), WHERE)
    tree: Any = "x"
    for _ in range(10_000):
        tree = {TAG: "path", "value": tree}
    with pytest.raises(SerializationError, match="nested deeper than the call stack"):
        from_jsonable(tree, WHERE)


def test_a_call_stack_that_is_nearly_full_is_an_error_and_no_crash() -> None:
    def descend(levels: int) -> None:
        if levels:
            descend(levels - 1)
        else:
            to_jsonable(nested(MAX_DEPTH - 1), WHERE)

    depth = len(__import__("inspect").stack(0))
    with pytest.raises(SerializationError, match="call stack"):
        descend(sys.getrecursionlimit() - depth - 60)


# --- what cannot be read -----------------------------------------------------------------------------------

HERE = Point.__module__


def saved(value: object, **changes: object) -> dict[str, Any]:
    tree = to_jsonable(value, WHERE)
    assert isinstance(tree, dict)
    return tree | changes


DAMAGED: list[tuple[object, str]] = [
    ({TAG: "quaternion", "value": 1}, "type tag 'quaternion' is not known; the file was written by a newer"),
    ({TAG: ["x"]}, r"type tag \['x'\] is not known"),
    ({TAG: "date"}, "the date that was saved here is damaged: it has no 'value'"),
    ({TAG: "date", "value": "yesterday"}, "date .* damaged: .*yesterday"),
    ({TAG: "date", "value": 5}, "date .* damaged"),
    ({TAG: "datetime", "value": "2024-01-01", "zone": "Moon/Crater"}, "time zone 'Moon/Crater' is not known"),
    ({TAG: "datetime", "value": "2024-01-01", "zone": "../../etc"}, "datetime .* damaged"),
    ({TAG: "decimal", "value": "x"}, "decimal .* damaged"),
    ({TAG: "uuid", "value": "x"}, "uuid .* damaged"),
    ({TAG: "bytes", "value": "%%%"}, "bytes .* damaged"),
    ({TAG: "timedelta", "value": [10**12]}, "timedelta .* damaged"),
    ({TAG: "range", "items": [1, 2, 0]}, "range .* damaged"),
    ({TAG: "tuple", "items": "abc"}, "a str stands where a list of items should"),
    ({TAG: "set", "items": [[1]]}, "set .* damaged: unhashable"),
    ({TAG: "dict", "items": [[1]]}, "dict .* damaged"),
    ({TAG: "defaultdict", "items": [], "factory": "eval"}, "defaultdict .* damaged"),
    (saved(Point(1), fields=[1]), "a list stands where a dict of attributes should"),
    ((1, 2), "a tuple is no JSON"),
    ({"a": {1: 2}}, r"-> \['a'\]: the key 1 is no JSON"),
    (saved(Point(1), **{"class": "nowhere_to_be_found:P"}), "importing nowhere_to_be_found raised ModuleNot"),
    (saved(Point(1), **{"class": f"{HERE}:Gone"}), "has no class Gone any more"),
    (saved(Point(1), **{"class": f"{HERE}:WHERE"}), "has no class WHERE any more"),
    (saved(Point(1), **{"class": "Point"}), "'Point' does not name a class as 'module:Class' does"),
    (saved(Point(1), **{"class": ".x:Point"}), "does not name a class"),
    (saved(Point(1), **{"class": 5}), "5 does not name a class"),
    (saved(Point(1), **{"class": "__main__:Point"}), "defined in the script that ran when it was saved"),
    (saved(Point(1), **{"class": f"{HERE}:Unfindable"}), "Unfindable is no dataclass any more"),
    (saved(Point(1), **{"class": f"{HERE}:Colour"}), "Colour is no dataclass any more"),
    (saved(Pair(1), **{"class": f"{HERE}:Point"}), "Point is no named tuple any more"),
    (saved(Model(no=1), **{"class": f"{HERE}:Point"}), "Point is no pydantic model any more"),
    (saved(Colour.RED, **{"class": f"{HERE}:Point"}), "Point is no enum any more"),
    (saved(Colour.RED, name="GREEN"), "Colour has no member 'GREEN' any more .it has RED, BLUE, CRIMSON"),
    (saved(Bits(5), **{"class": f"{HERE}:Access"}), "enum .* damaged"),
    (saved(Point(1), fields={"x": 1, "z": 2}), r"no field 'z' any more \(it has x, y\)"),
    (saved(Point(1), fields={"y": 2}), "its field 'x' is not in the file and has no default"),
    (saved(Pair(1), fields={"right": 2}), "its field 'left' is not in the file"),
    (saved(Model(no=1), fields={"where": None}), "its field 'number' is not in the file"),
    (saved(Model(no=1), fields={"number": 1, "nope": 1}), "no field 'nope' any more"),
]


@pytest.mark.parametrize(("tree", "message"), DAMAGED, ids=[message[:50] for _, message in DAMAGED])
def test_what_cannot_be_read_is_refused_by_name(tree: object, message: str) -> None:
    with pytest.raises(SerializationError, match=message) as caught:
        from_jsonable(tree, WHERE)
    assert str(caught.value).startswith(WHERE)


def test_the_error_of_a_load_names_the_place_inside() -> None:
    tree = [0, {"k": saved(Point(1, {"deep": 1}))}]
    tree[1]["k"]["fields"]["y"]["deep"] = {TAG: "date", "value": "never"}
    with pytest.raises(SerializationError) as caught:
        from_jsonable(tree, WHERE)
    assert str(caught.value).startswith(f"{WHERE} -> [1]['k'].y['deep']: the date")


def test_a_field_added_since_gets_its_default() -> None:
    assert from_jsonable(saved(Point(1), fields={"x": 1}), WHERE) == Point(1, None)
    assert from_jsonable(saved(Pair(1), fields={"left": 1}), WHERE) == Pair(1, 0)
    assert from_jsonable(saved(Checked(), fields={}), WHERE) == Checked(n=3)
    model = saved(Model(no=1), fields={"number": 1})
    assert from_jsonable(model, WHERE).where is None


CALLABLES = ["os:system", "builtins:eval", "subprocess:Popen", "threading:Thread", f"{HERE}:Unfindable"]


@pytest.mark.parametrize("tag", ["dataclass", "model", "namedtuple", "enum"])
@pytest.mark.parametrize("name", CALLABLES)
def test_nothing_that_a_file_names_is_called(tag: str, name: str) -> None:
    tree = {TAG: tag, "class": name, "fields": {"args": ["exit 1"]}, "name": "x", "set": []}
    with pytest.raises(SerializationError, match=r"has no class|is no "):
        from_jsonable(tree, WHERE)


@dataclasses.dataclass
class Guarded:
    x: int

    def __new__(cls, *args: object) -> Guarded:
        raise AssertionError("a load calls no code of the class")


def test_a_load_runs_no_new_of_the_class() -> None:
    tree = {TAG: "dataclass", "class": f"{HERE}:Guarded", "fields": {"x": 1}}
    assert from_jsonable(tree, WHERE).x == 1


def test_a_module_that_breaks_while_it_is_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "routilux_breaks.py").write_text("raise SystemExit('no')")
    monkeypatch.syspath_prepend(tmp_path)
    tree = {TAG: "enum", "class": "routilux_breaks:Colour", "name": "RED"}
    with pytest.raises(SerializationError, match="importing routilux_breaks raised SystemExit: no"):
        from_jsonable(tree, WHERE)


# --- across processes --------------------------------------------------------------------------------------

SCRIPT = """
import dataclasses, json, sys
from routilux.codec import from_jsonable, to_jsonable

@dataclasses.dataclass
class Point:
    x: int

if sys.argv[1] == "save":
    print(json.dumps(to_jsonable(Point(7), "here")))
else:
    back = from_jsonable(json.loads(sys.argv[1]), "here")
    assert type(back) is Point, type(back)
    print(back.x)
"""


def run(*arguments: str, folder: Path) -> str:
    environment = {"PYTHONPATH": f"{Path(__file__).parents[1]}:{folder}"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_class_of_a_script_is_found_by_the_same_script(tmp_path: Path) -> None:
    script = tmp_path / "saver.py"
    script.write_text(SCRIPT)
    tree = run(str(script), "save", folder=tmp_path)
    assert json.loads(tree)["class"] == "__main__:Point"
    assert run(str(script), tree, folder=tmp_path) == "7"


def test_a_class_of_a_module_run_with_m_is_found_by_import_too(tmp_path: Path) -> None:
    (tmp_path / "saver.py").write_text(SCRIPT)
    tree = run("-m", "saver", "save", folder=tmp_path)
    assert json.loads(tree)["class"] == "saver:Point"
    assert run("-m", "saver", tree, folder=tmp_path) == "7"
    load = "import sys, json; from routilux.codec import from_jsonable; "
    load += "sys.argv[1:] = ['save']; print(from_jsonable(json.loads(sys.stdin.read()), 'here').x)"
    done = subprocess.run(
        [sys.executable, "-c", load],
        input=tree,
        env={"PYTHONPATH": f"{Path(__file__).parents[1]}:{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[-1] == "7", done.stderr


def test_the_codec_imports_no_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys, dataclasses, datetime, decimal\n"
        "from routilux.codec import from_jsonable, to_jsonable\n"
        "tree = to_jsonable([datetime.date(2024, 1, 1), decimal.Decimal(1)], 'here')\n"
        "from_jsonable(tree, 'here')\n"
        "try: to_jsonable(object(), 'here')\n"
        "except TypeError: print('pydantic' in sys.modules)"
    )
    assert run("-c", code, folder=tmp_path) == "False"


# --- properties --------------------------------------------------------------------------------------------

zones = st.none() | st.just(UTC) | st.just(ZoneInfo("America/New_York"))
keys = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=8)
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(timezones=zones)
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
    | st.sampled_from([*Colour, *Level, *Mode, Access.READ | Access.WRITE])
    | st.sampled_from([TAG, "value", "items", "class"])
)
values = st.recursive(
    keys | st.times(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(st.sampled_from([TAG, "a"]), inner)
        | st.sets(keys, max_size=4)
        | st.frozensets(keys, max_size=4)
        | st.builds(Point, st.integers(), inner)
        | st.builds(Pair, inner, inner)
        | st.builds(deque, st.lists(inner, max_size=3))
    ),
    max_leaves=12,
)


@given(values)
def test_every_value_survives_a_save_and_a_load(value: object) -> None:
    back = through_json(value)
    assert back == value
    assert type(back) is type(value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from([TAG, "value", "items"]), inner, max_size=3)
    ),
    max_leaves=10,
)
tags = st.sampled_from(
    ["date", "path", "dict", "set", "enum", "dataclass", "model", "namedtuple", "float", "str"]
)


@given(st.builds(lambda tag, tree: {TAG: tag, "value": tree, "items": tree}, tags, json_values) | json_values)
def test_any_tree_is_read_or_refused_and_nothing_else(tree: object) -> None:
    with contextlib.suppress(SerializationError):
        from_jsonable(tree, WHERE)


@given(json_values)
def test_any_json_at_all_is_data_that_survives(tree: object) -> None:
    assert through_json(tree) == tree
