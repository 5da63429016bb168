"""The app in a browser: a real page in a real browser, and who else may talk to the server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pyte
import pytest

from tests.tui.pseudo_terminal import HERE
from tui.command import main, passed_on
from tui.doorkeeper import hosts_for, refusal

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 20.0

FLOW = """
import os
import sys
from pathlib import Path

from routilux import Flow, Routine

Path(__file__).with_name("pid").write_text(str(os.getpid()))


def greet(trigger):
    os.write(1, b"written to the descriptor\\n")
    print("printed to", type(sys.__stdout__).__name__)


routine = Routine("greet")
routine.define_slot("trigger")
routine.set_logic(greet)
flow = Flow("greeting")
flow.add_routine(routine)
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    flows = tmp_path / "flows of the web"
    flows.mkdir()
    (flows / "greeting.py").write_text(FLOW)
    return flows


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Ask again and again, for as long as only something broken takes."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not (found := holds()):
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def server(*arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The address of `routilux-tui --serve` with these arguments, and its process."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", *arguments, "--serve", "--port", str(port),
        cwd=HERE, env=os.environ | {"PYTHONPATH": str(HERE)}, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE)).decode()
        assert f"http://127.0.0.1:{port} " in line, line
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def served(*arguments: str) -> AsyncIterator[str]:
    """Only the address; in the end the server is interrupted, as by ctrl-c."""
    async with server(*arguments) as (address, process):
        yield address
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


class Page:
    """A page in a browser without a window, over the browser's debugging protocol."""

    def __init__(self, session: aiohttp.ClientSession, tools: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._tools = tools
        self._screen = pyte.Screen(200, 60)
        self._stream = pyte.ByteStream(self._screen)
        self._numbers = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def listen(self) -> None:
        """Paint what the server sends to the page, and take in the answers to `tell`."""
        async for message in self._tools:
            told = message.json()
            if told.get("method") == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                if frame["opcode"] == 2:
                    self._stream.feed(_known(base64.b64decode(frame["payloadData"])))
            elif told.get("id") in self._answers:
                self._answers.pop(told["id"]).set_result(told.get("result"))

    async def tell(self, method: str, **params: Any) -> Any:
        self._numbers += 1
        answer = self._answers[self._numbers] = asyncio.get_running_loop().create_future()
        await self._tools.send_json({"id": self._numbers, "method": method, "params": params})
        return await asyncio.wait_for(answer, PATIENCE)

    async def value(self, expression: str) -> Any:
        return (await self.tell("Runtime.evaluate", expression=expression))["result"].get("value")

    async def press(self, text: str) -> None:
        await self.tell("Input.insertText", text=text)

    def screen(self) -> str:
        return "\n".join(self._screen.display)

    async def shows(self, text: str) -> None:
        await until(lambda: text in self.screen(), f"{text!r} in\n{self.screen()}")


def _known(data: bytes) -> bytes:
    return re.sub(rb"\x1b\[[<>=][0-9;]*[a-z]|\x1b\[\?[0-9;]*\$p", b"", data)


@contextlib.asynccontextmanager
async def browser(address: str, profile: Path) -> AsyncIterator[Page]:
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--remote-debugging-port=0", "--remote-allow-origins=*", "--window-size=1200,800",
        f"--user-data-dir={profile}", "about:blank", stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(3 * PATIENCE), aiohttp.ClientSession() as session:
            while not (found := re.search(r"ws://([^/]+)/", (await process.stderr.readline()).decode())):
                pass
            drain = asyncio.create_task(process.stderr.read())
            async with session.get(f"http://{found[1]}/json") as response:
                [target] = [each for each in await response.json() if each["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as tools:
                page = Page(session, tools)
                listener = asyncio.create_task(page.listen())
                await page.tell("Network.enable")
                await page.tell("Emulation.setFocusEmulationEnabled", enabled=True)
                await page.tell("Page.navigate", url=address)
                yield page
                listener.cancel()
            drain.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.anyio
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
async def test_a_page_shows_the_app_and_takes_keys_and_its_process_ends_with_it(
    folder: Path, tmp_path: Path
) -> None:
    async with (
        served(str(folder), "--workers", "3") as address,
        browser(address, tmp_path / "profile") as page,
    ):
        await page.shows("greeting")
        await page.shows("pool 0/3")
        await page.press("S")
        await page.shows("✓1")
        await page.shows("m: 1 message")
        await page.press("m")
        await page.shows("written to the descriptor")
        assert await page.value("document.body.classList.contains('-first-byte')")
        assert await page.value("document.title") == "routilux-tui"
        addresses = await page.value(
            "JSON.stringify(performance.getEntriesByType('resource').map(entry => entry.name))"
        )
        assert all(each.startswith(address) for each in re.findall(r"https?://[^\"]+", addresses)), addresses
        pid = int((folder / "pid").read_text())
        assert is_alive(pid)
        await page.tell("Page.navigate", url="about:blank")
        await until(lambda: not is_alive(pid), "the process goes on without its page")


@pytest.mark.anyio
async def test_the_process_ends_when_the_server_is_killed(folder: Path) -> None:
    async with (
        server(str(folder)) as (address, process),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}/ws", max_msg_size=0),
    ):
        file = folder / "pid"
        pid = int(await until(lambda: file.exists() and file.read_text(), "the folder was never read"))
        process.kill()
        await until(lambda: not is_alive(pid), "the process goes on without its server")


@pytest.mark.anyio
async def test_pages_from_elsewhere_are_refused(folder: Path) -> None:
    async with served(str(folder)) as address, aiohttp.ClientSession() as session:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:8000"}):
            async with session.get(f"{address}/ws", headers=headers) as response:
                assert response.status == 403
            async with session.get(address, headers=headers) as response:
                assert response.status == 403
        async with session.get(address) as response:
            assert response.status == 200
            page = await response.text()
    assert "http" not in re.sub(r'"https?:"', "", page), "the page needs something from elsewhere"
    assert not (folder / "pid").exists(), "the app was started"


@pytest.mark.parametrize(
    ("host", "origin", "listening", "why"),
    [
        ("127.0.0.1:8000", None, "127.0.0.1", ""),
        ("localhost:8000", "http://localhost:8000", "127.0.0.1", ""),
        ("[::1]:8000", "http://[::1]:8000", "::1", ""),
        ("localhost:8000", "http://localhost:9000", "localhost", "pages from http://localhost:9000"),
        ("evil.example", "http://evil.example", "127.0.0.1", "this server is not called evil.example"),
        (None, None, "127.0.0.1", "this server is not called None"),
        ("desk.lan:8000", "http://desk.lan:8000", "0.0.0.0", ""),
        ("desk.lan:8000", "http://evil.example", "0.0.0.0", "pages from http://evil.example"),
        ("localhost:8000", "null", "127.0.0.1", "pages from null"),
    ],
)  # fmt: skip
def test_who_is_let_in(host: str | None, origin: str | None, listening: str, why: str) -> None:
    said = refusal(host, origin, hosts_for(listening))
    assert said.removesuffix(" have no business here") == why


def test_the_arguments_are_passed_on() -> None:
    given = ["a folder", "--serve", "--theme", "nord", "--port", "9000", "--workers", "3"]
    assert passed_on(main.make_context("routilux-tui", given)) == [
        "--workers", "3", "--theme", "nord", "--", "a folder",
    ]  # fmt: skip
    assert passed_on(main.make_context("routilux-tui", ["--serve"])) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=HERE, check=False, timeout=PATIENCE,
        env=os.environ | {"PYTHONPATH": str(HERE)},
    )  # fmt: skip


def test_without_the_extra_it_is_named() -> None:
    code = "import sys; sys.modules['textual_serve.server'] = None; from tui.command import main; main()"
    done = run("-c", code, "flows", "--serve")
    assert done.returncode == 1
    assert "pip install 'routilux-tui[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("-m", "tui", "flows", "--serve", "--port", port)
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
