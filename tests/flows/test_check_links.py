"""`check_links` against a real server on the loopback interface that fails, hangs and redirects."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import check_links
from flows._link_probe import ask, host_of, new_probe, retry_after
from flows._link_queue import GROUP_SIZE, LinkQueue
from flows._link_sources import classify, listed_urls
from flows._markdown_links import markdown_links
from routilux import FlowRegistry, Job, JobState, Runtime
from routilux.exceptions import ParameterError
from tests.flows.http_site import Site, Visit


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def registry() -> FlowRegistry:
    registry = FlowRegistry()
    registry.register(check_links.flow)
    return registry


@pytest.fixture
def runtime(registry: FlowRegistry) -> Iterator[Runtime]:
    with Runtime(thread_pool_size=8, registry=registry, echo=False) as runtime:
        yield runtime


def job_of(runtime: Runtime, state: JobState) -> Job:
    job = runtime.get_job(state.job_id)
    assert job is not None
    return job


class Checked:
    """A job that has checked what is in a file or folder, and its report."""

    def __init__(self, runtime: Runtime, source: Path, **params: Any) -> None:
        self.state = runtime.exec("check_links", {"source": source, "backoff": 0.01, **params})
        job = job_of(runtime, self.state)
        assert job.wait(60), job.why_not_finished()

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.state.shared_data["report"]
        return report

    @property
    def broken(self) -> dict[str, str]:
        return {link["url"]: link["reason"] for link in self.report["broken"]}

    @property
    def redirected(self) -> dict[str, tuple[str, str | None]]:
        return {link["url"]: (link["to"], link["instead"]) for link in self.report["redirected"]}


Check = Callable[..., Checked]


@pytest.fixture
def check(runtime: Runtime, tmp_path: Path) -> Check:
    """Checks a list of URLs; the job must complete."""

    def check(*urls: str, **params: Any) -> Checked:
        source = tmp_path / "urls.txt"
        source.write_text("\n".join(urls))
        checked = Checked(runtime, source, **params)
        assert checked.state.status == "completed", checked.state.error
        return checked

    return check


# ---- links in Markdown

MARKDOWN = r"""# Title
[inline](http://a.x/1) and [angle]( <http://b.x/a b> "ti (t)le" ), not `[code](http://no.x)` ``a ` http://no.x``
![image](pics/x.png 'y') [![badge](http://bad.ge/i.svg)](http://bad.ge)
```python
http://no.x/fence
```
- item ` with one backtick http://yes.x/1
- item ` with one backtick http://yes.x/2.
  ~~~
  http://no.x
  ~~~
<http://auto.x/?a=1&amp;b=2> bare https://en.x/wiki/Foo_(bar)). (see https://p.x/q)

[ref]: http://ref.x  "title"
[Other Ref]:
   <other.md#x>
[not]: a definition, because of the text behind it

Use [text][ref] and [ref][] and [other  ref] and [undefined][zz] and \[escaped](http://esc.x) \`http://esc2.x`
<!-- http://no.x
 http://no.x --> <a href="http://h.x/?a=1&amp;b=2">x</a> <img alt=""
 src='logo.png'/>
[^1]: see http://foot.x/.
**http://bold.x** https://t.x/{id} [m](mailto:a@b) [h](#part) [e]() [p](a\)b.md) [n](x(y)z.md)
| http://tab.x/a|b |
[unclosed](http://un.x [array](not a link) [title](http://ti.x "a ) b")
"""


def test_all_links_of_a_markdown_text_are_found_with_their_lines() -> None:
    assert markdown_links(MARKDOWN) == [
        ("http://a.x/1", 2),
        ("http://b.x/a b", 2),
        ("pics/x.png", 3),
        ("http://bad.ge/i.svg", 3),
        ("http://bad.ge", 3),
        ("http://yes.x/1", 7),
        ("http://yes.x/2", 8),
        ("http://auto.x/?a=1&b=2", 12),
        ("https://en.x/wiki/Foo_(bar)", 12),
        ("https://p.x/q", 12),
        ("http://ref.x", 14),
        ("other.md#x", 15),
        ("http://ref.x", 19),
        ("http://ref.x", 19),
        ("other.md#x", 19),
        ("http://esc.x", 19),
        ("http://esc2.x", 19),
        ("http://h.x/?a=1&b=2", 21),
        ("logo.png", 21),
        ("http://foot.x/", 23),
        ("http://bold.x", 24),
        ("mailto:a@b", 24),
        ("#part", 24),
        ("a)b.md", 24),
        ("x(y)z.md", 24),
        ("http://tab.x/a", 25),
        ("http://un.x", 26),
        ("http://ti.x", 26),
    ]


def test_line_ends_of_windows_do_not_shift_lines() -> None:
    assert markdown_links("a\r\n```\r\nhttp://no.x\r\n```\r\nhttp://b.x\r\n") == [("http://b.x", 5)]


def test_a_long_text_takes_linear_time() -> None:
    assert len(markdown_links("[a](http://a.x/b) `c` [d] ![e](f.png)\n" * 20_000)) == 40_000
    assert markdown_links("](" * 50_000 + "`" * 50_001 + "[" * 50_000) == []


def test_a_list_has_one_url_on_a_line() -> None:
    assert list(listed_urls("http://a.x\n\n  # no\n http://b.x \n")) == [("http://a.x", 1), ("http://b.x", 4)]


@pytest.mark.parametrize(
    ("target", "url", "reason"),
    [
        ("HTTP://a.x/b#c", "http://a.x/b", None),
        ("//a.x/b", "https://a.x/b", None),
        ("http://", "http://", "not a valid URL: it names no host"),
        ("http://[::1/x", "http://[::1/x", "not a valid URL"),
        ("there.md#part", "docs/there.md", ""),
        ("./with%20space.md?raw=1", "docs/with space.md", ""),
        ("../top.md", "top.md", ""),
        ("/top.md", "top.md", ""),
        ("sub", "docs/sub", ""),
        ("gone.md", "docs/gone.md", "no such file"),
        ("zero\0byte", "docs/zero\0byte", "no such file"),
    ],
)
def test_what_a_destination_means(tmp_path: Path, target: str, url: str, reason: str | None) -> None:
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    for name in ("docs/there.md", "docs/with space.md", "top.md"):
        (tmp_path / name).touch()
    link = classify(target, tmp_path / "docs" / "page.md", tmp_path)
    assert link is not None
    assert link["url"].removeprefix(f"{tmp_path}/") == url
    assert link["reason"] == reason or (reason and link["reason"].startswith(reason))


@pytest.mark.parametrize("target", ["#part", "mailto:a@b.x", "data:,x", "javascript:void(0)"])
def test_what_is_not_checked(tmp_path: Path, target: str) -> None:
    assert classify(target, tmp_path / "page.md", tmp_path) is None
    in_a_list = classify(target, None, tmp_path)
    assert in_a_list is not None
    assert in_a_list["reason"] == "not an http or https URL"


# ---- the order of things


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_queue_keeps_to_its_limits_and_loses_nothing() -> None:
    """A random walk over everything a queue can be asked, with the state saved and read at each step."""
    for seed in range(50):
        dice = random.Random(seed)
        clock = Clock()
        state: dict[str, Any] = {}
        out: list[tuple[str, list[int]]] = []
        held: dict[str, float] = {}
        added, done = 0, 0
        for _ in range(400):
            state = json.loads(json.dumps(state))
            queue = LinkQueue(state, per_host=2, limit=5, clock=clock)
            host = dice.choice("abcd")
            match dice.randrange(6):
                case 0:
                    queue.add(host, *range(added, added := added + dice.randrange(1, 30)))
                case 1:
                    queue.add_at(clock.now + dice.random() * 10, host, added)
                    added += 1
                case 2:
                    held[host] = max(held.get(host, 0), clock.now + dice.random() * 10)
                    queue.hold(host, held[host])
                case 3:
                    clock.now += dice.random() * 3
                    queue.wake()
                case 4 if out:
                    host, group = out.pop(dice.randrange(len(out)))
                    keep = dice.randrange(len(group) + 1)
                    done += keep
                    queue.add(host, *group[keep:])
                    queue.release(host)
                case _:
                    while taken := queue.take():
                        out.append(taken)
                        assert 1 <= len(taken[1]) <= GROUP_SIZE
                        assert held.get(taken[0], 0) <= clock.now
            assert len(out) <= 5
            assert max(Counter(host for host, _ in out).values(), default=0) <= 2

        queue = LinkQueue(state, per_host=2, limit=5, clock=clock)
        for host, group in out:
            done += len(group)
            queue.release(host)
        while (at := queue.next_timer()) is not None:
            clock.now = max(clock.now, at)
            queue.wake()
        while taken := queue.take():
            done += len(taken[1])
            queue.release(taken[0])
        assert done == added


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": "120"}) == 120
    assert retry_after({"retry-after": later}, now=now.timestamp()) == 90
    assert retry_after({"retry-after": later}, now=now.timestamp() + 1000) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


@pytest.mark.parametrize("url", ["http://", "http://[::1", "ftp://a.x", "http://a.x:port/"])
def test_what_is_no_url_is_said_so(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        host_of(url)


# ---- what servers do


def test_links_that_work_are_asked_for_once_with_head(check: Check, site: Site) -> None:
    site.answers("/a", 200)
    site.answers("/b", 204)
    checked = check(site.url("/a"), site.url("/b"), site.url("/a#part"), site.url("/a"))
    assert checked.report["links"] == checked.report["ok"] == 2
    assert checked.report["places"] == 4
    assert site.methods("/a") == site.methods("/b") == ["HEAD"]


def test_a_broken_link_is_reported_with_all_its_places(runtime: Runtime, site: Site, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.md").write_text(f"[x]({site.url('/gone')})\n\n[y]({site.url('/gone')}#z) [z](docs/b.md)")
    (tmp_path / "docs" / "b.md").write_text(f"# B\n{site.url('/gone')} [none](none.md) <mailto:a@b.x>")
    (tmp_path / ".hidden" / "c.md").write_text(site.url("/hidden"))
    checked = Checked(runtime, tmp_path)
    assert checked.report["broken"] == [
        {
            "url": site.url("/gone"),
            "reason": "404 Not Found",
            "status": 404,
            "attempts": 1,
            "places": [f"{tmp_path}/a.md:1", f"{tmp_path}/a.md:3", f"{tmp_path}/docs/b.md:2"],
        },
        {
            "url": f"{tmp_path}/docs/none.md",
            "reason": "no such file",
            "status": None,
            "attempts": 0,
            "places": [f"{tmp_path}/docs/b.md:2"],
        },
    ]
    assert checked.report["files"] == 2
    assert checked.report["left_out"] == {"same page or other scheme": 1}
    # 404 to HEAD is no proof.
    assert site.methods("/gone") == ["HEAD", "GET"]
    assert site.seen("/hidden") == []


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_server_that_refuses_head_is_asked_with_get(check: Check, site: Site, status: int) -> None:
    site.pages["/no-head"] = lambda visit: visit.answer(status if visit.command == "HEAD" else 200)
    checked = check(site.url("/no-head"))
    assert checked.broken == {}
    assert site.methods("/no-head") == ["HEAD", "GET"]


def test_of_a_large_body_no_more_is_read_than_needed(check: Check, site: Site) -> None:
    gave_up = threading.Event()

    def endless(visit: Visit) -> None:
        if visit.command == "HEAD":
            visit.answer(405)
            return
        visit.send_response(200)
        visit.end_headers()
        visit.close_connection = True
        try:
            while not site.released.is_set():
                visit.wfile.write(b"x" * 65536)
        except OSError:
            gave_up.set()

    site.pages["/endless"] = endless
    assert check(site.url("/endless")).report["ok"] == 1
    assert gave_up.wait(30)


def test_a_temporary_failure_is_tried_again(check: Check, site: Site) -> None:
    site.answers("/flaky", 500, 503, 200)
    checked = check(site.url("/flaky"), retries=2)
    assert checked.broken == {}
    assert site.methods("/flaky") == ["HEAD", "GET", "GET"]


def test_a_failure_that_lasts_is_broken_after_the_last_retry(check: Check, site: Site) -> None:
    site.answers("/down", 502)
    checked = check(site.url("/down"), retries=3)
    assert checked.broken == {site.url("/down"): "502 Bad Gateway"}
    assert checked.report["broken"][0]["attempts"] == 4
    assert len(site.seen("/down")) == 4


def test_without_retries_a_failure_is_final(check: Check, site: Site) -> None:
    site.answers("/down", 500)
    assert check(site.url("/down"), retries=0).broken == {site.url("/down"): "500 Internal Server Error"}
    assert len(site.seen("/down")) == 1


def test_a_server_that_hangs_is_given_up(check: Check, site: Site) -> None:
    site.hangs("/hang")
    checked = check(site.url("/hang"), answer_within=0.1, retries=1)
    assert checked.broken == {site.url("/hang"): "no answer within 0.1 s"}
    assert len(site.seen("/hang")) == 2


def test_a_server_that_hangs_up_is_tried_again(check: Check, site: Site) -> None:
    site.pages["/drop"] = Visit.hang_up
    checked = check(site.url("/drop"), retries=1)
    assert checked.broken == {site.url("/drop"): "Server disconnected without sending a response."}
    assert site.methods("/drop") == ["HEAD", "GET"]


def test_nobody_listens(check: Check, site: Site) -> None:
    # A port that was free a moment ago: the site that had it is closed.
    with Site() as closed:
        url = closed.url("/")
    checked = check(url, retries=0)
    assert "refused" in checked.broken[url].lower()


def test_a_name_that_is_unknown_is_not_tried_again(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    calls = 0

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    checked = check("http://no-such-host.invalid/", retries=3)
    assert "Name or service not known" in checked.broken["http://no-such-host.invalid/"]
    assert calls == 1


def test_what_is_no_url_is_broken_without_asking(check: Check) -> None:
    checked = check("www.a.x/b", "http://[::1/x")
    assert checked.broken["www.a.x/b"] == "not an http or https URL"
    assert checked.broken["http://[::1/x"].startswith("not a valid URL")
    assert checked.report["requests"] == 0


# ---- redirects


def test_permanent_redirects_are_suggested_as_far_as_they_go(check: Check, site: Site) -> None:
    site.redirects("/1", "/2", 301)
    site.redirects("/2", "/3", 308)
    site.redirects("/3", "/4", 302)
    site.redirects("/t", "/4", 307)
    site.answers("/4", 200)
    checked = check(site.url("/1"), site.url("/t"))
    assert checked.redirected == {
        site.url("/1"): (site.url("/4"), site.url("/3")),
        site.url("/t"): (site.url("/4"), None),
    }
    assert checked.report["ok"] == 0


def test_a_redirect_to_another_host_goes_on_there(check: Check, site: Site) -> None:
    site.redirects("/a", site.url("/b", "localhost"))
    site.redirects("/b", site.url("/c#part"))
    site.answers("/c", 200)
    checked = check(site.url("/a"))
    assert checked.redirected == {site.url("/a"): (site.url("/c"), site.url("/c"))}
    assert [(request.path, request.host) for request in site.seen()] == [
        ("/a", "127.0.0.1"),
        ("/b", "localhost"),
        ("/c", "127.0.0.1"),
    ]


def test_a_redirect_to_something_broken_is_broken(check: Check, site: Site) -> None:
    site.redirects("/a", "/gone")
    site.redirects("/m", "mailto:a@b.x", 302)
    checked = check(site.url("/a"), site.url("/m"))
    assert checked.broken[site.url("/a")] == f"404 Not Found, at {site.url('/gone')}"
    assert checked.broken[site.url("/m")].startswith("redirects to what is no URL")


def test_a_redirect_loop_is_broken(check: Check, site: Site) -> None:
    site.redirects("/round", "/about")
    site.redirects("/about", site.url("/round", "localhost"))
    assert check(site.url("/round")).broken[site.url("/round")].startswith("redirects in a loop")
    assert len(site.seen()) == 11


def test_redirects_that_need_a_cookie_get_it(check: Check, site: Site) -> None:
    def consent(visit: Visit) -> None:
        if "seen=1" in visit.headers.get("Cookie", ""):
            visit.answer(200)
        else:
            visit.answer(302, {"Location": "/consent", "Set-Cookie": "seen=1"})

    site.pages["/consent"] = consent
    assert check(site.url("/consent")).broken == {}


def test_redirects_may_be_left_alone(check: Check, site: Site) -> None:
    site.redirects("/a", "/gone")
    checked = check(site.url("/a"), follow_redirects=False)
    assert checked.redirected == {site.url("/a"): (site.url("/gone"), site.url("/gone"))}
    assert site.seen("/gone") == []


# ---- politeness


def test_no_host_is_asked_more_than_its_limit_at_a_time(check: Check, site: Site) -> None:
    # Pages that answer only when two visitors are there: the limit is reached, and never passed.
    meetings = {host: threading.Barrier(2) for host in ("127.0.0.1", "localhost")}

    def meet(visit: Visit) -> None:
        host = visit.headers["Host"].partition(":")[0]
        meetings[host].wait(30)
        visit.answer(200)

    urls = [site.url(f"/{number}", host) for number in range(40) for host in meetings]
    for number in range(40):
        site.pages[f"/{number}"] = meet
    checked = check(*urls, per_host=2)
    assert checked.report["ok"] == 80
    assert site.most_at_once("127.0.0.1") == 2
    assert site.most_at_once("localhost") == 2
    assert len(site.seen()) == 80


def test_one_at_a_time_is_one_at_a_time(check: Check, site: Site) -> None:
    for number in range(30):
        site.answers(f"/{number}", 200)
    check(*(site.url(f"/{number}") for number in range(30)), per_host=1)
    assert site.most_at_once() == 1
    assert len(site.seen()) == 30


def test_retry_after_holds_the_whole_host_but_no_thread(
    registry: FlowRegistry, site: Site, tmp_path: Path
) -> None:
    site.answers("/busy", 429, 200, Retry_After="1")
    for number in range(20):
        site.answers(f"/{number}", 200)
    source = tmp_path / "urls.txt"
    urls = [site.url("/busy"), *(site.url(f"/{number}") for number in range(10))]
    urls += [site.url(f"/{number}", "localhost") for number in range(10, 20)]
    source.write_text("\n".join(urls))
    with Runtime(thread_pool_size=1, registry=registry, echo=False) as runtime:
        checked = Checked(runtime, source, per_host=1, backoff=0)
    assert checked.report["ok"] == 21
    first, *rest = site.seen("/busy")
    later = [request for request in site.seen() if request.host == "127.0.0.1" and request.path != "/busy"]
    elsewhere = [request for request in site.seen() if request.host == "localhost"]
    assert len(rest) == 1
    assert len(later) == len(elsewhere) == 10
    assert min(request.at for request in [*rest, *later]) >= first.at + 0.99
    # The only thread of the pool went on with the other host meanwhile.
    assert max(request.at for request in elsewhere) < first.at + 0.99


def test_a_server_that_asks_for_hours_does_not_get_them(check: Check, site: Site) -> None:
    site.answers("/busy", 503, 200, Retry_After="86400")
    assert check(site.url("/busy"), max_wait=0.05).broken == {}
    assert len(site.seen("/busy")) == 2


def test_a_client_is_closed_whatever_happens(
    runtime: Runtime, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[httpx.Client] = []
    make_client = check_links.make_client

    def made(timeout: float, user_agent: str) -> httpx.Client:
        clients.append(make_client(timeout, user_agent))
        return clients[-1]

    monkeypatch.setattr(check_links, "make_client", made)
    reached = site.hangs("/hang")
    source = tmp_path / "urls.txt"
    source.write_text("\n".join([site.url("/hang"), *(site.url(f"/{number}") for number in range(50))]))
    state = runtime.exec("check_links", {"source": source, "per_host": 1, "answer_within": 30})
    assert reached.wait(30)
    assert job_of(runtime, state).cancel()
    site.released.set()
    assert job_of(runtime, state).wait(30)
    assert state.status == "cancelled"
    assert clients
    assert all(client.is_closed for client in clients)
    assert len(site.seen()) <= 2


def test_a_job_that_is_paused_saved_and_carried_on_asks_for_nothing_twice(
    runtime: Runtime, site: Site, tmp_path: Path
) -> None:
    reached, proceed = threading.Event(), threading.Event()

    def slow(visit: Visit) -> None:
        reached.set()
        proceed.wait(30)
        visit.answer(200)

    site.answers("/flaky", 500, 200)
    site.pages["/slow"] = slow
    for number in range(100):
        site.answers(f"/{number}", 200)
    urls = [site.url("/flaky"), site.url("/slow"), *(site.url(f"/{number}") for number in range(100))]
    source = tmp_path / "urls.txt"
    source.write_text("\n".join(urls))

    state = runtime.exec("check_links", {"source": source, "per_host": 1, "backoff": 0.3})
    job = job_of(runtime, state)
    assert reached.wait(30)
    assert job.pause()
    proceed.set()
    assert job.wait_until_paused(30)
    # The rest of the group was handed back rather than checked while the user waits.
    assert len(site.seen()) == 2
    state.save(tmp_path / "job.json")
    job.cancel()

    registry = FlowRegistry()
    registry.register(check_links.build_flow())
    with Runtime(thread_pool_size=4, registry=registry, echo=False) as other:
        carried_on = other.exec("check_links", job_state=JobState.load(tmp_path / "job.json"))
        assert other.wait_until_all_jobs_finished(60)
    assert carried_on.status == "completed", carried_on.error
    assert carried_on.shared_data["report"]["ok"] == 102
    counts = Counter(request.path for request in site.seen())
    assert counts.pop("/flaky") == 2
    assert set(counts.values()) == {1}


# ---- what is asked for


def test_patterns_allow_and_ignore(check: Check, site: Site) -> None:
    site.answers("/docs/a", 200)
    checked = check(
        site.url("/docs/a"), site.url("/docs/b"), site.url("/other"), allow="/docs/", ignore=["/b$"]
    )
    assert checked.report["ok"] == 1
    assert checked.report["left_out"] == {"ignored": 1, "not allowed": 1}
    assert len(site.seen()) == 1


def test_statuses_can_be_accepted(check: Check, site: Site) -> None:
    site.answers("/private", 403)
    site.answers("/odd", 999)
    checked = check(site.url("/private"), site.url("/odd"), accept=[403, 999])
    assert checked.report["ok"] == 2


def test_the_name_to_ask_under_is_sent(check: Check, site: Site) -> None:
    names = []

    def page(visit: Visit) -> None:
        names.append(visit.headers["User-Agent"])
        visit.answer(200)

    site.pages["/"] = page
    check(site.url("/"), user_agent="tester/1")
    assert names == ["tester/1"]


def test_broken_links_can_fail_the_job(runtime: Runtime, site: Site, tmp_path: Path) -> None:
    source = tmp_path / "page.md"
    source.write_text(site.url("/gone"))
    checked = Checked(runtime, source, fail_on_broken=True, output=tmp_path / "report.json")
    assert checked.state.status == "failed"
    assert checked.state.error is not None
    assert checked.state.error.message == "1 link of 1 broken"
    assert json.loads((tmp_path / "report.json").read_text()) == checked.report


def test_the_report_is_printed(check: Check, site: Site) -> None:
    site.redirects("/old", "/new")
    site.answers("/new", 200)
    checked = check(site.url("/old"), site.url("/gone"), *[site.url("/gone")] * 9)
    printed = "\n".join(line.message for line in checked.state.logs("report"))
    assert f"{site.url('/gone')}\n      404 Not Found" in printed
    assert "... and 5 more places" in printed
    assert f"-> {site.url('/new')}" in printed
    assert "1 broken" in printed


def test_a_folder_without_links_is_fine(runtime: Runtime, tmp_path: Path) -> None:
    checked = Checked(runtime, tmp_path)
    assert checked.state.status == "completed"
    assert checked.report["links"] == 0


@pytest.mark.parametrize(
    ("params", "field"),
    [({"source": "no/where"}, "source"), ({"ignore": ["("]}, "ignore"), ({"per_host": 0}, "per_host")],
)
def test_wrong_parameters_start_nothing(
    runtime: Runtime, tmp_path: Path, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        runtime.exec("check_links", {"source": tmp_path, **params})
    assert [error.field.partition(".")[0] for error in caught.value.errors] == [field]


def test_the_flow_has_nothing_to_find_fault_with() -> None:
    assert [finding for finding in check_links.flow.validate() if finding.level != "info"] == []


def test_asking_reuses_the_connection(site: Site) -> None:
    connections = set()

    def page(visit: Visit) -> None:
        connections.add(visit.client_address)
        visit.answer(200)

    site.pages["/"] = page
    with check_links.make_client(10, "x") as client:
        for _ in range(5):
            assert ask(client, new_probe(site.url("/")))["kind"] == "ok"
    assert len(connections) == 1
