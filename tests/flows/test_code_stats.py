"""`code_stats` on Python's own library, against another way to count, and on sources of each language."""

from __future__ import annotations

import ast
import email
import io
import json
import os
import re
import shutil
import textwrap
import tokenize
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import _walk, code_stats
from flows._brace_functions import find_functions
from flows._languages import BY_NAME, LANGUAGES, Language, count_lines, cut, language_of, split_lines
from flows.code_stats import decode, flow, measure
from tests.flows.running import calls_after_cancel, printed, report_in_two_parts, report_of, run

# ---- Python's own library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of the standard library, copied."""
    root = tmp_path_factory.mktemp("library")
    for package in ("email", "json", "asyncio", "concurrent"):
        source = Path(email.__file__).parents[1] / package
        shutil.copytree(source, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def counted_another_way(path: Path) -> dict[str, int]:
    """Lines of a Python file by its tokens alone: a docstring is a string that is a whole statement."""
    text = path.read_text(encoding="utf-8")
    comment: set[int] = set()
    code: set[int] = set()
    tokens = [
        token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type != tokenize.NL
    ]
    words = [token for token in tokens if token.type != tokenize.COMMENT]
    block_begins: Any = None
    for before, token, after in zip([None, *words], words, [*words[1:], None], strict=False):
        lines = set(range(token.start[0], token.end[0] + 1))
        begins = before is None or (before.type == tokenize.INDENT and block_begins)
        if token.type == tokenize.STRING and begins and after is not None and after.type == tokenize.NEWLINE:
            comment |= lines
        elif token.type not in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            code |= lines
            if before is None or before.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                block_begins = token.string in ("def", "class", "async", "@")
    comment |= {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    lines_of_text = text.splitlines()
    blank = {number for number, line in enumerate(lines_of_text, start=1) if not line.strip()}
    comment -= code | blank
    return {
        "lines": len(lines_of_text),
        "blank": len(blank),
        "comment": len(comment),
        "code": len(lines_of_text) - len(blank) - len(comment),
        "functions": len(re.findall(r"^\s*(?:async\s+)?def\s", _without_strings(text), re.MULTILINE)),
    }


def _without_strings(text: str) -> str:
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            for number in range(token.start[0], token.end[0]):
                lines[number] = "#" + lines[number]
    return "".join(lines)


def test_the_sums_are_those_of_a_count_made_another_way(library: Path) -> None:
    expected = dict.fromkeys(("lines", "blank", "comment", "code", "functions"), 0)
    paths = sorted(library.rglob("*.py"))
    for path in paths:
        for name, count in counted_another_way(path).items():
            expected[name] += count
    python, *_ = report_of(flow, root=library)["languages"]
    assert {name: python[name] for name in expected} == expected
    assert python["files"] == len(paths)
    assert python["size"] == sum(path.stat().st_size for path in paths)


def test_the_longest_functions_are_found_by_name_and_place(library: Path) -> None:
    expected = sorted(
        (
            -((node.end_lineno or 0) - node.lineno + 1),
            str(path),
            node.lineno,
        )
        for path in library.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    python, *_ = report_of(flow, root=library, longest=25)["languages"]
    assert [(-one["lines"], one["path"], one["line"]) for one in python["longest"]] == expected[:25]
    assert python["function_lines"] == -sum(lines for lines, _, _ in expected)
    assert "FeedParser._parsegen" in [one["name"] for one in python["longest"]]


def test_one_thread_counts_the_same_as_many(library: Path) -> None:
    assert report_of(flow, threads=1, root=library) == report_of(flow, threads=8, root=library)


# ---- one file of each language


def stats(name: str, source: str) -> tuple[tuple[int, int, int], list[tuple[str, int, int]] | None]:
    """(blank, comment, code) and (name, first line, last line) of each function."""
    language = language_of(name)
    assert language is not None
    lines, functions, problem = measure(textwrap.dedent(source).removeprefix("\n"), language)
    assert not problem
    found = None if functions is None else [(f.name, f.first_line, f.last_line) for f in functions]
    return (lines["blank"], lines["comment"], lines["code"]), found


def test_python() -> None:
    source = '''
        """A docstring
        of two lines."""
        # a comment

        x = """no
        docstring

        # in it"""  # and code
        class A:
            "docstring"
            @decorated
            async def m(self):
                def inner(): "docstring, on a line of code"
                return inner  # code
            def n(self): pass
    '''
    assert stats("a.py", source) == (
        (2, 4, 9),
        [("A.m", 12, 14), ("A.m.inner", 13, 13), ("A.n", 15, 15)],
    )
    _, functions, _ = measure(textwrap.dedent(source), BY_NAME["Python"])
    assert functions is not None
    assert [function.kinds for function in functions] == [("method", "async"), ("nested",), ("method",)]


def test_c() -> None:
    source = r"""
        #include <x.h>
        #define BLOCK do { \
            } while (0)
        /* a comment
           { */
        static struct foo *first(struct bar *b, int (*call)(int))
        {   // not } this
            for (int i = 0; i < 3; i++) { puts("} {"); char c = '}'; }
            if (b) { }
        }
        int table[] = { 1, 2 };
        #ifdef A
        int second(int a) {
        #else
        int second(int a, int b) {
        #endif
            return a;
        }

        void __attribute__((noinline)) third(void) __attribute__((cold)) { }
        typedef struct { int x; } foo;
    """
    assert stats("a.c", source) == ((1, 2, 18), [("first", 6, 10), ("second", 13, 18), ("third", 20, 20)])


def test_cpp() -> None:
    source = """
        namespace a {
        class Foo : public Bar<int> { public:
            Foo(int a) : x_{a}, y_(b) { }
            ~Foo() { }
            bool operator==(const Foo& o) const noexcept { return true; }
            int operator()(int x) const { return [&](int z) { return z; }(x); }
        };
        template <typename T = int> auto f(T x) -> decltype(x) { if (x) { } return x; }
        std::string Foo::name() const { return R"x(} fn() {)x"; }
        extern "C" { int c_api(void) { return 1'000; } }
        }
    """
    _, functions = stats("a.cpp", source)
    assert functions is not None
    assert [name for name, _, _ in functions] == [
        *("Foo", "~Foo", "operator==", "operator()", "f", "Foo::name", "c_api"),
    ]


def test_java() -> None:
    source = """
        /** doc */
        @Ann(x = {1, 2}) public class A<T> extends B {
          @Override public String toString() { return "}"; }
          A(int x) throws IOException { super(x); for (;;) { } try (var y = f()) { } catch (E e) { }
             new Thread(new Runnable() { public void run() { x(); } }).start();
             list.forEach(x -> { foo(); });
          }
          record P(int x) { P { } }
          static <K, V> Map<K, V> generic(Map<K, V> m, @Nullable String s) { synchronized (this) { } }
          static { init(); }
        }
    """
    counts, functions = stats("A.java", source)
    assert counts == (0, 1, 10)
    assert functions == [("toString", 3, 3), ("A", 4, 7), ("run", 5, 5), ("generic", 9, 9)]


def test_javascript_and_typescript() -> None:
    source = r"""
        export class A<T> {
          private async *gen<T>(a: T): Promise<Foo<T>> { if (a) { } }
          constructor(private x: number) { super(x); }
          get y(): number { return this.x / 2 / 3; }
          handler = (e: Event): void => { };
          [Symbol.iterator]() { }
          'quoted' () { }
        }
        function typed(a: string): { a: string } { return { a }; }
        function declared(a: string): void;
        const arrow = async ({ a, b }) => { return /}{/.test(a) ? `}${b}` : '' };
        foo(function () { }, function named(a) { }, x => {
        });
        const { p } = win ? require('x') : {}
        x.replace(/["'{]/g, "");  // comment "
        for (const a of b) { } while (x) { } switch (y) { } try { } catch (e) { }
    """
    _, functions = stats("a.ts", source)
    assert functions is not None
    assert [(name, last) for name, _, last in functions] == [
        *(("gen", 2), ("constructor", 3), ("y", 4), ("handler", 5), ("", 6), ("", 7), ("typed", 9)),
        *(("arrow", 11), ("", 12), ("named", 12), ("", 13)),
    ]


def test_go() -> None:
    source = """
        package main
        // comment
        func (r *T) Name(a int) (x int, err error) {
            go func() { x := `raw }` }()
        }
        func Any() interface{} { return nil }
        type F func(int) error
        func Map[T any](f func(T) T, xs []T) []T {
            var m = map[string]struct{}{"a": {}}
            return xs
        }
    """
    assert stats("a.go", source) == (
        (0, 1, 10),
        [("Name", 3, 5), ("", 4, 4), ("Any", 6, 6), ("Map", 8, 11)],
    )


def test_rust() -> None:
    source = """
        /* a /* nested
           */ comment */
        fn main<'a>(x: &'a str) -> Result<(), Box<dyn Error>> where T: Fn(i32) -> i32 {
            let c = '{'; let s = r#"} fn no() { "# ;
        }
        trait T { fn declared(&self); fn given(&self) -> u8 { 1 } }
        impl A { pub(crate) async unsafe fn two(&mut self, a: [u8; 4]) { match x { '\\'' => {}, _ => {} } } }
    """
    assert stats("a.rs", source) == ((0, 2, 5), [("main", 3, 5), ("given", 6, 6), ("two", 7, 7)])


def test_shell() -> None:
    source = """
        #!/bin/sh
        first() {
          echo "a # not" ${#x} '}' \\" # comment }
          cat <<EOT
         } {
        # not a comment
        EOT
        }
        function second { x=${y:-{}}; }
        function third ()
        {
          :
        }
    """
    assert stats("a.sh", source) == ((0, 1, 12), [("first", 2, 8), ("second", 9, 9), ("third", 10, 13)])


def test_php() -> None:
    source = """
        <?php
        # comment
        #[Attribute]
        function one(array $a = []): int { return strlen("}"); }
        abstract class A { abstract function none(); public static function two() { $f = function () { }; } }
    """
    assert stats("a.php", source) == ((0, 1, 4), [("one", 4, 4), ("two", 5, 5), ("", 5, 5)])


@pytest.mark.parametrize(
    ("name", "source", "counts"),
    [
        ("a.html", "<!-- a\n\n b -->\n<p>don't</p>\n", (1, 2, 1)),
        ("a.css", "/* a */ p { }\n/* b */\n", (0, 1, 1)),
        ("a.sql", "-- a\nSELECT '--'; -- b\n", (0, 1, 1)),
        ("a.yaml", "# a\nkey: 'a # b' # c\nurl: a#b\n", (0, 1, 2)),
        ("a.lua", "--[[ a\nb ]]\n-- c\nprint('--')\n", (0, 3, 1)),
        ("a.rb", "=begin\na\n=end\n# b\nputs '#'\n", (0, 4, 1)),
        ("a.md", "# Title\n\ntext", (1, 0, 2)),
        ("Makefile", "# a\nall:\n\ttrue\n", (0, 1, 2)),
        ("Dockerfile", "FROM a\n# b\n", (0, 1, 1)),
        ("a.json", '{\n"//": 1\n}', (0, 0, 3)),
        ("a.hs", "{- a\n-}\nx --> y\n-- b\n", (0, 3, 1)),
    ],
)
def test_languages_whose_lines_alone_are_counted(
    name: str, source: str, counts: tuple[int, int, int]
) -> None:
    assert stats(name, source) == (counts, None)


@pytest.mark.parametrize("name", ["notes", "a.unknown", ".gitignore", "archive.tar.gz", "py"])
def test_other_files_have_no_language(name: str) -> None:
    assert language_of(name) is None


WORDS = """
    // /* */ # " ' ` \\ ( ) { } [ ] ; => : = x / é function fn class -> R"( )" ''' r#" "# <<EOT EOT func A
    #if #else #endif <!-- --> --[[ ]] =begin operator :: new
"""
SNIPPETS = st.lists(st.sampled_from([*WORDS.split(), "\n", " ", "\t", '"""'])).map("".join)


@given(source=SNIPPETS, language=st.sampled_from(LANGUAGES))
@settings(max_examples=400, deadline=None)
def test_no_text_upsets_the_count(source: str, language: Language) -> None:
    bare = cut(source, language)
    assert len(bare.without_comments) == len(bare.without_strings) == len(source)
    assert [i for i, c in enumerate(source) if c == "\n"] == [
        i for i, c in enumerate(bare.without_strings) if c == "\n"
    ]
    assert sum(count_lines(source, bare.without_comments)) == len(split_lines(source))
    if language.functions not in ("", "python"):
        for function in find_functions(bare.without_strings, language.functions):
            assert 1 <= function.first_line <= function.last_line <= source.count("\n") + 1


@pytest.mark.parametrize("way", ["c", "java", "javascript", "go", "rust", "shell"])
def test_the_time_taken_grows_with_the_length_alone(way: str) -> None:
    # Each of these takes minutes if a rule looks back to the beginning, or on to the end, every time.
    for piece in (
        "(",
        "{",
        "a(b) ",
        "x => ",
        "fn f ",
        ") : ",
        "func f(",
        "function f(a) : ",
        "a = (",
        "#if 1\n",
    ):
        find_functions(piece * 20_000 + "{ }", way)


# ---- files that are not as they should be


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ("x = 'ü'\n".encode("utf-16"), "x = 'ü'\n"),
        (b"# coding: latin-1\nx = '\xfc'\n", "# coding: latin-1\nx = 'ü'\n"),
        (b"x = '\xfc'\n", "x = 'ü'\n"),
        (b"# coding: no-such-encoding\n", "# coding: no-such-encoding\n"),
    ],
)
def test_text_is_decoded_as_it_says_or_as_it_can_be(data: bytes, text: str) -> None:
    assert decode(data, BY_NAME["Python"]) == text


def test_what_cannot_be_counted_is_a_problem_and_the_rest_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "good.py": b"def f():\n    pass\n",
        "bad.py": b"def f(:\n    # comment\n\n",
        "binary.c": b"\0\1\2",
        "large.js": b"x\n" * 600_000,
        "deep.py": b"(" * 300 + b")" * 300,
        "gone.py": b"pass\n",
        "data.bin": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    read_bytes = Path.read_bytes

    def vanishing(path: Path) -> bytes:
        if path.name == "gone.py":
            path.unlink()
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", vanishing)
    state = run(flow, root=tmp_path, max_file_size=1_000_000)
    report = state.shared_data["report"]
    [python] = report["languages"]
    assert (python["files"], python["functions"], python["comment"]) == (3, 1, 1)
    assert report["unknown"] == {".bin": 1}
    problems = {os.path.basename(one["where"]): one["what"] for one in report["problems"]["first"]}
    assert problems.keys() == {"bad.py", "binary.c", "large.js", "deep.py", "gone.py"}
    assert problems["bad.py"].startswith("syntax error in line 1: ")
    assert problems["binary.c"] == "binary, in spite of its name"
    assert problems["large.js"] == "left out for its size, 1.1 MiB"
    assert problems["gone.py"] == "No such file or directory"
    assert "5 problems" in printed(state)


def test_an_empty_folder_has_a_report_too(tmp_path: Path) -> None:
    state = run(flow, root=tmp_path)
    assert state.shared_data["report"]["languages"] == []
    assert "no source files" in printed(state)


def test_libraries_caches_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    for name in (
        *("a.py", "src/b.py", ".git/c.py", "node_modules/d.js", "my-venv/lib/e.py", "my-venv/pyvenv.cfg"),
        *("cache/CACHEDIR.TAG", "cache/f.py", "x/__pycache__/g.py", "build/h.py", "x/build.py"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("pass\n")

    def files(**params: Any) -> int:
        count: int = report_of(flow, root=tmp_path, **params)["total"]["files"]
        return count

    report = report_of(flow, root=tmp_path)
    assert report["total"]["files"] == 3
    skipped = {os.path.relpath(path, tmp_path) for path in report["skipped_folders"]}
    assert skipped == {"node_modules", "my-venv", "cache", "x/__pycache__", "build"}
    assert files(hidden=True) == 3
    assert files(skip=["build"]) == 5
    assert files(skip=[]) == 9  # pyvenv.cfg counts too
    assert files(skip=[], hidden=True) == 10
    assert files(skip=[], include=["*.js"]) == 1
    assert files(exclude=["src", "x/*.py"]) == 1


# ---- the report


def test_the_report_is_printed_as_a_table_and_written_as_json(library: Path, tmp_path: Path) -> None:
    state = run(flow, root=library, output=tmp_path / "stats.json", longest=2)
    report = state.shared_data["report"]
    assert json.loads((tmp_path / "stats.json").read_text(encoding="utf-8")) == report
    python, *_ = report["languages"]
    text = printed(state)
    assert re.search(rf"^  Python +{python['files']} +{python['lines']:,} ", text, re.MULTILINE)
    assert "Longest functions, Python" in text
    assert f"email{os.sep}feedparser.py:" in text


def test_languages_come_in_the_order_of_their_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("pass\n")
    (tmp_path / "b.c").write_text("int a;\nint b;\n")
    (tmp_path / "c.md").write_text("text\n")
    state = run(flow, root=tmp_path)
    report = state.shared_data["report"]
    assert [row["language"] for row in report["languages"]] == ["C", "Markdown", "Python"]
    assert [row["functions"] for row in report["languages"]] == [0, None, 0]
    assert report["total"]["code"] == 4
    assert "all together" in printed(state)


# ---- steering


@pytest.mark.parametrize(("owner", "name", "number"), [(_walk, "_look_into", 3), (code_stats, "measure", 40)])
def test_a_paused_and_saved_job_is_carried_on_to_the_same_report(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int
) -> None:
    monkeypatch.setattr(_walk, "ENTRIES_PER_ACTIVATION", 5)
    undisturbed = report_of(flow, root=library)
    assert report_in_two_parts(flow, tmp_path / "job.json", owner, name, number, root=library) == undisturbed


def test_a_cancelled_job_stops_counting_at_once(library: Path) -> None:
    # The other activations may end the file that they are at.
    assert calls_after_cancel(flow, code_stats, "measure", 5, root=library) <= 3


def test_the_flow_has_nothing_to_find_fault_with() -> None:
    assert [str(finding) for finding in flow.validate() if finding.level != "info"] == []
