"""The modules of a flow folder: each version executed once, and shared for as long as it counts.

A `ModuleVersion` is one execution of one module. `Modules` is what every name of the folder stands for
at one state of the folder. The code of a version finds what it imports, then and later, in the
`Modules` it belongs to. As long as neither it nor what it imports changes, that is the newest; from
then on it stays what it reached in the last that did not differ, so that old code goes on with what it
knew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import CodeType, ModuleType

from routilux.loading import handlers, standing
from routilux.loading.errors import LoadError, blocked, explain
from routilux.loading.lazy import assigned_lines, lazy_imports
from routilux.loading.masks import hold, of_thread, release
from routilux.loading.sources import keep_lines
from routilux.loading.tree import Place, Source, Tree, is_private
from routilux.loading.versions import ModuleVersion, Purpose, State, is_loading, purpose
from routilux.log_capture import import_output
from routilux.registry import staged


class Modules:
    """What the names of the folder stand for, given one `Tree` of it.

    `attempts` are the newest versions: running, good or failed. `good` are the last that loaded, which
    stay in service for code at work; code that is being loaded must do without them. A name that is in
    the tree and in neither is executed when it is first asked for.
    """

    def __init__(self, world: standing.World, tree: Tree, before: Modules | None = None) -> None:
        self.world = world
        self.tree = tree
        self.lock: threading.Lock = threading.Lock() if before is None else before.lock
        # Notified when a version has ended.
        self.changed: threading.Condition = (
            threading.Condition(self.lock) if before is None else before.changed
        )
        # Guarded by the lock.
        self.attempts: dict[str, ModuleVersion] = {}
        self.good: dict[str, ModuleVersion] = {}
        # Which version a thread waits for.
        self.waiting: dict[int, ModuleVersion] = {} if before is None else before.waiting

    @property
    def package(self) -> str:
        return self.tree.package

    # ---- one state after another

    def next(self, tree: Tree) -> tuple[Modules, list[ModuleVersion]]:
        """The modules of another tree, sharing what is not concerned; and the executions now useless.

        Concerned is what stands for something else, and what imports such, directly or not. Call it
        under the lock.
        """
        stale = self._concerned(self.tree.differing(tree))
        # A thread is given up as a whole.
        threads = {
            version.thread
            for name, version in self.attempts.items()
            if version.state is State.RUNNING and name in stale
        }
        stale |= {
            name
            for name, version in self.attempts.items()
            if version.state is State.RUNNING and version.thread in threads
        }
        after = Modules(self.world, tree, self)
        given_up = []
        for name, version in self.attempts.items():
            if name not in stale:
                after.attempts[name] = version
                version.modules = after
            elif version.state is State.RUNNING:
                version.state = State.ABANDONED
                given_up.append(version)
            else:
                version.modules = self._reached_by(version)
        # One that is not among the attempts has been superseded before, and has what it goes on with.
        after.good = {name: version for name, version in self.good.items() if name in tree.names}
        if given_up:
            self.changed.notify_all()
        return after, given_up

    def _concerned(self, names: Iterable[str]) -> set[str]:
        importers: dict[str, list[str]] = {}
        for name, version in {**self.good, **self.attempts}.items():
            for asked in (*tuple(version.asked), *tuple(version.later)):
                importers.setdefault(asked, []).append(name)
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += importers.get(name, ())
        return found

    def _reached_by(self, version: ModuleVersion) -> Modules:
        """What a version goes on with when these are no longer its own. Under the lock.

        They never change again, whatever becomes of its file and of others. They hold just what it may
        come to: with all there was beside it, each of those in time with all that was beside them, old
        code would keep every generation that came after it.
        """
        own = Modules(self.world, self.tree, self)
        own.attempts[version.name] = version
        todo = [*version.asked, *version.later]
        while todo:
            name = todo.pop()
            attempt = self.attempts.get(name)
            is_good = attempt is not None and attempt.state is State.GOOD
            found = attempt if is_good else self.good.get(name, attempt)
            if found is not None and name not in own.attempts:
                own.attempts[name] = found
                todo += (*found.asked, *found.later)
        return own

    def newest(self) -> list[ModuleVersion]:
        """The attempts there are now: code at work may add to them at any time."""
        with self.lock:
            return list(self.attempts.values())

    def outdated(self) -> list[str]:
        """The names of the files that only code at work had imported, and that have changed since.

        Under the lock.
        """
        return [
            name
            for name, version in self.good.items()
            if version.late and name not in self.attempts and self.tree.names[name].file is not None
        ]

    def drop_unused(self, roots: Iterable[str]) -> None:
        """Forget the modules that nothing from `roots` on imports: their flows and errors count no more.

        Who imports them next has them executed.
        """
        with self.changed:
            roots = set(roots)
            used = self._reachable(roots, late=False)
            usable = self._reachable(roots, late=True)
            unused = [
                version
                for name, version in self.attempts.items()
                if name not in (usable if version.late else used)
                # Its asker may be of an older state of the folder, or from outside.
                and not (version.late and version.state is State.RUNNING)
            ]
            # Old code may still have them, and they what they import.
            for version in unused:
                if version.state is not State.RUNNING:
                    version.modules = self._reached_by(version)
            for version in unused:
                del self.attempts[version.name]
                self.good.pop(version.name, None)
            for name, version in list(self.good.items()):
                if not (name in self.attempts or name in roots or (version.late and name in usable)):
                    del self.good[name]

    def _reachable(self, roots: Iterable[str], *, late: bool) -> set[str]:
        """What the newest versions import, from `roots` on; `late`: at work too, and those in service."""
        found: set[str] = set()
        todo = list(roots)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                for version in (self.attempts.get(name), self.good.get(name) if late else None):
                    if version is not None:
                        todo += (*version.asked, *version.later) if late else version.asked
        return found

    # ---- finding

    def peek(self, name: str) -> ModuleVersion | None:
        """The version that code finds now, even half executed; never executes one, never waits."""
        attempt, good = self.attempts.get(name), self.good.get(name)
        if attempt is not None and (attempt.state is State.GOOD or good is None or is_loading()):
            return attempt
        return good

    def load(self, name: str) -> None:
        """Execute a module for the folder, unless it has been; for code at work, if it is one of `outdated`.

        Raises what it raises.
        """
        place = self.tree.names.get(name)
        is_late = place is not None and place.file is not None and is_private(place.file)
        token = purpose.set(Purpose.NEXT_WORK if is_late else Purpose.FOLDER)
        try:
            self.module(name, None)
        except BaseException as error:
            self._fail_unexecuted(name, error)
            raise
        finally:
            purpose.reset(token)

    def _fail_unexecuted(self, name: str, error: BaseException) -> None:
        """Note the failure of a module whose package has failed, so that it has not even begun."""
        place = self.tree.names.get(name)
        if place is None:
            return
        with self.lock:
            if name in self.attempts:
                return
            version = self._start(name, place)
            above = name
            while above := above.rpartition(".")[0]:
                version.ask(above)
            version.error, version.problem = error, self.explain(version, error)
            version.state = State.FAILED

    def module(self, name: str, asker: ModuleVersion | None) -> ModuleType:
        """Import a module by its whole name, for a version or for code from outside.

        Executes it in this thread if nobody has. Raises what its execution raised, or
        `ModuleNotFoundError`.
        """
        current = of_thread.guard
        if current is None or current.masked:
            return self._module(name, asker)
        hold()
        try:
            return self._module(name, asker)
        finally:
            release()

    def _module(self, name: str, asker: ModuleVersion | None) -> ModuleType:
        parent = name.rpartition(".")[0]
        if parent:
            above = self._module(parent, asker)
            if not hasattr(above, "__path__"):
                raise ModuleNotFoundError(f"No module named {name!r}; {parent!r} is not a package", name=name)
        if asker is not None:
            # Noted before the folder moves on, which then gives the asker up; or after, and then these are
            # no longer where it has to look.
            with self.lock:
                asker.ask(name)
                now = asker.modules
            if now is not self and now.world is self.world:
                return now._module(name, asker)
        place = self.tree.names.get(name)
        if place is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return self._version(name, place).module

    def _version(self, name: str, place: Place) -> ModuleVersion:
        loading = is_loading()
        me = threading.get_ident()
        with self.changed:
            while True:
                attempt = self.attempts.get(name)
                if attempt is not None and attempt.state is State.GOOD:
                    attempt.late = attempt.late and purpose.get() is not Purpose.FOLDER
                    attempt.loaded = attempt.loaded or loading
                    return attempt
                # One that is loaded for code at work is waited for: new code must not get its old version.
                is_coming = attempt is not None and attempt.late and attempt.state is State.RUNNING
                if not loading and not is_coming and name in self.good:
                    return self.good[name]
                if attempt is None or attempt.state is State.ABANDONED:
                    version = self._start(name, place)
                    break
                if attempt.state is State.FAILED:
                    if attempt.late:
                        version = self._start(name, place)
                        break
                    assert attempt.error is not None
                    raise attempt.error.with_traceback(None)
                if attempt.thread == me or self._waits_for(attempt, me):
                    return attempt
                self.waiting[me] = attempt
                try:
                    self.changed.wait()
                finally:
                    self.waiting.pop(me, None)
        self._execute(version)
        return version

    def _waits_for(self, version: ModuleVersion, me: int) -> bool:
        """Whether the thread of the version waits, directly or not, for this one. Under the lock."""
        seen = {version.thread}
        while (awaited := self.waiting.get(version.thread)) is not None:
            version = awaited
            if version.thread == me:
                return True
            if version.thread in seen:
                return False
            seen.add(version.thread)
        return False

    # ---- executing

    def _start(self, name: str, place: Place) -> ModuleVersion:
        """Under the lock."""
        source = None if place.file is None else self.tree.sources[place.file]
        version = ModuleVersion(self, name, place, source)
        parent = name.rpartition(".")[0]
        if parent:
            version.asked[parent] = None
        self.attempts[name] = version
        standing.provide(name)
        return version

    def _execute(self, version: ModuleVersion) -> None:
        error: BaseException | None = None
        output = import_output.set(version.output if self.world.captures else import_output.get())
        stage = staged.set(version.registered)
        try:
            if version.source is not None:
                code = _compile(version, version.source)
                with handlers.noted(version.handlers):
                    try:
                        release()
                        exec(code, version.module.__dict__)
                    finally:
                        hold()
        except BaseException as raised:
            error = raised
            raise
        finally:
            hold()
            staged.reset(stage)
            import_output.reset(output)
            version.output.close()
            self._ended(version, error)

    def _ended(self, version: ModuleVersion, error: BaseException | None) -> None:
        problem = None if error is None else version.modules.explain(version, error)
        useless = version.handlers
        with self.changed:
            if version.state is State.RUNNING:
                # These may be newer by now than those it was started in.
                home = version.modules
                if error is None:
                    version.state = State.GOOD
                    home.good[version.name] = version
                    useless = self.world.handlers.pop(version.name, [])
                    self.world.handlers[version.name] = version.handlers
                else:
                    version.error, version.problem = error, problem
                    version.state = State.FAILED
            self.changed.notify_all()
        handlers.take_off(useless)

    def explain(self, version: ModuleVersion, error: BaseException) -> LoadError:
        """What is wrong with a version whose execution raised."""
        file = "" if version.file is None else str.__str__(version.file)
        source = version.source
        if source is not None and source.problem:
            return LoadError("unreadable", version.path, None, source.problem)
        for other in tuple(self.attempts.values()):
            if other is not version and other.error is error and other.problem is not None:
                return blocked(file, version.path, error, other.problem.blocked_by or other.path)
        return explain(file, version.path, b"" if source is None else source.content, error)


def _compile(version: ModuleVersion, source: Source) -> CodeType:
    assert version.file is not None
    if source.problem:
        raise ImportError(source.problem, name=version.name, path=str.__str__(version.file))
    keep_lines(version.file, source.content)
    code: CodeType = compile(source.content, version.file, "exec", dont_inherit=True)
    version.lines = assigned_lines(code)
    importer: standing.FlowImport = version.module.__dict__["__builtins__"]["__import__"]
    for lazy in lazy_imports(code):
        version.later.update(dict.fromkeys(importer.targets(lazy)))
    return code
