"""What lies in a flow folder at one moment: its sources, and the names of the modules they are."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

# A file that was written this recently, in seconds, may be written again without its stat changing.
_RACY: Final = 3.0
_SKIPPED: Final = frozenset({"__pycache__", "node_modules"})


class Source(NamedTuple):
    """The bytes of a file as they were read; `problem` says why they could not be."""

    content: bytes
    hash: str
    problem: str = ""


class Place(NamedTuple):
    """What a module's name stands for: a file, or a folder that is a package without a file of its own.

    Paths are relative to the root, with `/`. `folder` is where its submodules are; None for a module.
    """

    file: str | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Tree:
    """The folder at one moment. `sources` are by path relative to the root, in alphabetical order.

    `problems` are what cannot be loaded whatever its content, by path; `missing` says that there is no
    folder at all.
    """

    package: str
    sources: Mapping[str, Source]
    problems: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    names: Mapping[str, Place] = field(init=False)
    # File -> what hides it.
    hidden: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        names, hidden = _names(self.package, self.sources)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "hidden", hidden)

    def differing(self, other: Tree) -> set[str]:
        """The names that stand for something else in the other tree."""
        return {
            name
            for name in self.names.keys() | other.names.keys()
            if (place := self.names.get(name)) != other.names.get(name)
            or self._hash(place) != other._hash(place)
        }

    def _hash(self, place: Place | None) -> str | None:
        if place is None or place.file is None:
            return None
        source = self.sources.get(place.file)
        return None if source is None else source.hash


def module_name(package: str, path: str) -> str:
    """The name of the module in a file, given by its path relative to the root."""
    name = path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")
    return f"{package}.{name}" if name else package


def is_private(path: str) -> bool:
    """Whether a file is left to be imported by others: a part of its path starts with `_`."""
    *folders, name = path.split("/")
    return any(each.startswith("_") for each in folders) or (name.startswith("_") and name != "__init__.py")


def _names(package: str, sources: Mapping[str, Source]) -> tuple[dict[str, Place], dict[str, str]]:
    """What each name stands for, and which files are hidden by another of their name."""
    folders: set[str] = {""}
    files: dict[str, str] = {}
    packages: set[str] = set()
    for path in sources:
        folder, _, name = path.rpartition("/")
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
        if name == "__init__.py":
            packages.add(path.rpartition("/")[0])
        elif "." not in name.removesuffix(".py"):
            files[path.removesuffix(".py")] = path
    names: dict[str, Place] = {}
    hidden: dict[str, str] = {}
    # Parents first, so that what a module hides is known before what lies below.
    for folder in sorted(folders):
        module = files.get(folder)
        init = f"{folder}/__init__.py".lstrip("/") if folder in packages else None
        above = folder.rpartition("/")[0]
        if folder and (covered := hidden.get(f"{above}/")):
            hidden[f"{folder}/"] = covered
        elif init is None and module is not None:
            hidden[f"{folder}/"] = module
        else:
            names[module_name(package, f"{folder}/__init__.py".lstrip("/"))] = Place(init, folder)
            if module is not None and init is not None:
                hidden[module] = init
                del files[folder]
    for stem, path in files.items():
        covered = hidden.get(f"{stem.rpartition('/')[0]}/") if "/" in stem else None
        if covered is None:
            names[module_name(package, path)] = Place(path, None)
        else:
            hidden[path] = covered
    return names, {path: by for path, by in hidden.items() if not path.endswith("/")}


class Scanner:
    """Reads the folder again and again, and only those files that may have changed. For one thread."""

    def __init__(self, root: str, package: str) -> None:
        self._root = root
        self._package = package
        self._seen: dict[str, tuple[tuple[int, ...], bool, Source]] = {}
        self._last: Tree | None = None

    def scan(self) -> Tree:
        """The folder as it is now; the very tree of the last scan where nothing differs."""
        self._now = time.time()
        self._found: dict[str, Source] = {}
        self._problems: dict[str, str] = {}
        self._entered: set[tuple[int, int]] = set()
        missing = ""
        try:
            self._enter(self._root, "")
        except FileNotFoundError:
            missing = f"there is no flow folder {self._root}"
        except NotADirectoryError:
            missing = f"the flow folder {self._root} is a file; give the folder that holds it"
        except OSError as error:
            missing = f"{self._root} cannot be read: {error.strerror or error}"
        self._seen = {path: seen for path, seen in self._seen.items() if path in self._found}
        last = self._last
        if (
            last is None
            or last.missing != missing
            or last.problems != self._problems
            or last.sources != self._found
        ):
            sources = dict(sorted(self._found.items(), key=lambda entry: entry[0].split("/")))
            last = self._last = Tree(self._package, sources, self._problems, missing)
        return last

    def _enter(self, folder: str, prefix: str) -> None:
        about = os.stat(folder)
        # A link may lead back up.
        if (about.st_dev, about.st_ino) in self._entered:
            return
        self._entered.add((about.st_dev, about.st_ino))
        with os.scandir(folder) as entries:
            listed = list(entries)
        if prefix and any(entry.name == "pyvenv.cfg" for entry in listed):
            return
        for entry in sorted(listed, key=lambda entry: entry.name):
            name = entry.name
            if name.startswith(".") or name in _SKIPPED:
                continue
            if name.endswith(".py"):
                try:
                    about = entry.stat()
                except OSError as error:
                    self._unreadable(prefix + name, error)
                    continue
                if stat.S_ISREG(about.st_mode):
                    self._read(prefix + name, entry.path, about)
                    continue
            if re.fullmatch(r"\w+", name) and entry.is_dir():
                try:
                    self._enter(entry.path, f"{prefix}{name}/")
                except OSError as error:
                    self._problems[prefix + name] = f"cannot be read: {error.strerror or error}"

    def _read(self, path: str, file: str, about: os.stat_result) -> None:
        key = (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino, about.st_dev)
        seen = self._seen.get(path)
        if seen is not None and seen[0] == key and not seen[1]:
            self._found[path] = seen[2]
            return
        try:
            with open(file, "rb") as stream:
                content = stream.read()
        except OSError as error:
            self._unreadable(path, error)
            return
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        source = seen[2] if seen is not None and seen[2].hash == digest else Source(content, digest)
        racy = self._now - max(about.st_mtime, about.st_ctime) < _RACY
        self._seen[path] = (key, racy, source)
        self._found[path] = source

    def _unreadable(self, path: str, error: OSError) -> None:
        problem = f"cannot be read: {error.strerror or error}"
        self._found[path] = Source(b"", f"! {problem}", problem)
