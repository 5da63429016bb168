"""Turns what a job holds into JSON and back: plain values as themselves, others under a type tag.

A tag is a dict with the key "$type", such as {"$type": "date", "value": "2024-05-01"}. A dict of the
user's that has this key, or keys that are not plain str, is written as a tag itself (a list of pairs),
so that nothing the user holds is ever mistaken for a tag.

The trees are made of None, bool, int, finite float, str of valid Unicode, list and dict with str keys
alone, so that any JSON writer and any text column takes them.

Instances of enums, dataclasses, pydantic models and named tuples are written with the "module:qualname"
of their class, which is imported when they are read. They get their attributes back as they were: no
`__init__`, `__post_init__` or validator runs. Reading imports modules and accepts classes of these four
kinds; nothing else that a file names is ever called.

Identity is not kept: an object that a job holds twice comes back as two equal ones. A time zone that is
neither fixed nor a ZoneInfo comes back as the offset it had.
"""

from __future__ import annotations

from typing import Any

from routilux.codec_read import Decoder
from routilux.codec_types import MAX_DEPTH, TAG, Json
from routilux.codec_write import Encoder

__all__ = ["MAX_DEPTH", "TAG", "Json", "from_jsonable", "to_jsonable"]


def to_jsonable(value: object, where: str) -> Json:
    """The JSON tree of `value`.

    `where` names what is being saved ("routine 'join', slot 'right', item 3") for the error:
    SerializationError, if `value` holds something, at any depth, that could not be read back as it is,
    holds itself, or is nested deeper than `MAX_DEPTH`.
    Nothing may change `value` meanwhile.
    """
    encoder = Encoder(where)
    try:
        return encoder.encode(value)
    except RecursionError:
        encoder.fail("the data is nested deeper than the call stack has room for; flatten it")


def from_jsonable(tree: object, where: str) -> Any:
    """The value that `to_jsonable` made `tree` from.

    SerializationError, naming `where` and the place inside, if `tree` is damaged, holds a tag this version
    does not know, or names a class that cannot be found or whose fields have changed. A field that a
    class has gained since gets its default.
    """
    decoder = Decoder(where)
    try:
        return decoder.decode(tree)
    except RecursionError:
        decoder.fail("the data is nested deeper than the call stack has room for")
