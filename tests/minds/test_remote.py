"""Remote minds against a server in a process of its own; `openai_server.py` says how its models behave."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from time import sleep

import numpy as np
import pytest

import ecosim
from ecosim import catalog, testing, words
from ecosim.bench.pool import negotiation
from ecosim.errors import CatalogError, DecisionError, PoolError, RunError
from ecosim.fields import NOT_ASKED, Choice, Text
from ecosim.minds.recordings import Recordings, Reply, Request
from ecosim.minds.remote import RemoteMind
from ecosim.words import Question, Table

DISTRIBUTOR = {"distributor": catalog.card("distributor")}
SEAT = "distributor.negotiate"
SECRET = "sk-not-for-your-eyes"


@contextmanager
def serving() -> Iterator[str]:
    """The url of a fresh server, until it is stopped."""
    script = str(Path(__file__).with_name("openai_server.py"))
    with subprocess.Popen([sys.executable, "-S", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as at:
        yield at


@pytest.fixture(autouse=True)
def no_keys_and_no_proxy(monkeypatch):
    for name in ("ECOSIM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def seen(url: str, model: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/stats") as page:
        return json.load(page)[model]


def mind(url: str, model: str = "keen", **options) -> RemoteMind:
    return RemoteMind(DISTRIBUTOR, url, model, **options)


def author(folder: Path, url: str, model: str = "keen", act: str = "{ask: 'Act:', choose: sample}") -> RemoteMind:
    """A role whose card is made here: one choice, then a title where the choice was `write`."""
    (folder / "author").mkdir(exist_ok=True)
    (folder / "author" / "card.yaml").write_text(
        "role: author\nabout: Writes.\nlicence: Apache-2.0\nquestions:\n  publish:\n    reads: {topic: ''}\n"
        f"    fields: {{act: {act}, title: {{ask: 'Title:', temperature: 0.9}}}}\n"
    )
    (folder / "author" / "publish.j2").write_text("You write titles.\n=====\nTopic {{ topic }}.\n")
    return RemoteMind({"author": catalog.read_card(folder / "author" / "card.yaml")}, url, model)


def publishing(rows: int) -> Question:
    key = {name: np.arange(rows) if name == "subject" else np.zeros(rows, int) for name in ("replica", *words.KEY)}
    return Question(
        role="author",
        phase="publish",
        step=2,
        key=Table(key),
        seed=np.full(rows, 3, np.uint64),
        mind=np.zeros(rows, int),
        columns={"topic": np.array([f"football {i}" for i in range(rows)], object)},
        fields=(
            Choice(name="act", options=("rest", "write"), allowed=np.ones((rows, 2), bool)),
            Text(name="title", max_tokens=5, only_if=("act", 1)),
        ),
    )


def market(remote: RemoteMind, steps: int = 2, **more):
    return ecosim.run("smart_manufacturing", seeds=1, steps=steps, minds={SEAT: remote}, **more)


def request(seed: int = 1) -> Request:
    return Request("mind", "m", (("user", "Well?"),), ("yes", "no"), 1.0, seed, 9)


def test_a_server_takes_seats_in_a_market(url):
    remote = mind(url)
    run = market(remote)
    stats, trace = remote.stats(), run.events("answers")
    assert run.manifest["work_by_grade"]["remote"]["decisions"] == stats["decisions"] >= 10
    asked = trace[trace["options"].map(lambda options: len(json.loads(options)) > 1)]
    assert stats["requests"] == len(asked) + 1  # and one to see whether it takes schemas
    assert stats["completion_tokens"] == 3 * stats["requests"]
    assert all(row.answer in json.loads(row.options) and row.scores == "[]" for row in trace.itertuples())
    (said,) = [m for m in run.manifest["minds"] if m["grade"] == "remote"]
    assert (said["name"], said["server"]["url"], said["server"]["model"]) == ("remote-keen", url, "keen")


@pytest.mark.parametrize("model", ["keen", "picky", "moody"])
def test_a_row_has_the_same_answer_whatever_stands_beside_it(url, model):
    decision = testing.check_mind(mind(url, model, num_tries=30), negotiation(12), splits=(5,))
    countered = decision.answers["act"] == 1
    assert 0 < countered.sum() < 12
    assert (decision.answers["price"][~countered] == NOT_ASKED).all()
    assert (decision.logp == 0).all() and np.isinf(decision.margin).all() and (decision.flops == 0).all()


def test_servers_with_and_without_schemas_get_the_same_requests(url):
    question = negotiation(8)
    minds = {model: mind(url, model) for model in ("keen", "deaf", "plain", "picky")}
    found = {model: remote.decide(question).answers["price"].tolist() for model, remote in minds.items()}
    assert found["keen"] == found["deaf"] == found["plain"] == found["picky"]
    assert {model: remote.stats()["refuses_schemas"] for model, remote in minds.items()} == {
        "keen": 0,
        "deaf": 0,
        "plain": 1,
        "picky": 0,
    }


def test_the_trace_is_what_was_sent_and_said(url):
    decision = mind(url).decide(negotiation(3))
    first = decision.trace.take(decision.trace["row"] == 1)
    assert first["prompt"][0].startswith("You buy for a distributor")
    assert first["prompt"][0].endswith("\nReply with exactly one of these: accept | counter | reject\nAnswer:")
    assert first["answer"][0] == ("accept", "counter", "reject")[decision.answers["act"][1]]


def test_later_fields_see_the_earlier_answers(url):
    decision = mind(url).decide(negotiation(12))
    prompts = [p for p, field in zip(decision.trace["prompt"], decision.trace["field"], strict=True) if field == "week"]
    assert prompts
    assert all("\nAnswer: counter\nPrice: " in prompt and "\nQuantity: " in prompt for prompt in prompts)


def test_where_one_answer_is_left_nobody_is_asked(url):
    question = negotiation(3)
    only = Choice(name="act", options=("accept", "counter", "reject"), allowed=np.tile([False, False, True], (3, 1)))
    remote = mind("http://127.0.0.1:9/v1")
    assert remote.decide(replace(question, fields=(only, *question.fields[1:]))).answers["act"].tolist() == [2, 2, 2]
    assert remote.stats()["requests"] == 0


def test_a_title_is_one_line_of_few_words_and_asked_only_where_the_choice_says_so(url, tmp_path):
    decision = author(tmp_path, url).decide(publishing(12))
    wrote = decision.answers["act"] == 1
    assert 0 < wrote.sum() < 12
    assert all(title.split()[:2] == ["Title", "number"] for title in decision.answers["title"][wrote])
    assert all(len(title.split()) == 5 for title in decision.answers["title"][wrote])
    assert (decision.answers["title"][~wrote] == "").all()


def test_another_mind_seed_gives_other_answers(url):
    question = negotiation(12)
    answers = [
        mind(url).decide(replace(question, seed=np.full(12, seed, np.uint64))).answers["act"].tolist()
        for seed in (1, 1, 2)
    ]
    assert answers[0] == answers[1] != answers[2]


def test_no_more_requests_than_allowed_are_under_way(url):
    mind(url, "crowd", max_concurrent=3).decide(negotiation(16))
    assert seen(url, "crowd")["peak"] == 3


def test_an_answer_that_was_not_on_offer_is_asked_again(url):
    moody = mind(url, "moody", num_tries=30)
    moody.decide(negotiation(8))
    assert 4 <= moody.stats()["asked_again"] <= 40  # about one a field asked


def test_a_server_that_never_says_what_is_offered_is_an_error_with_its_row(url):
    fault = (
        r"mind 'remote-rude', distributor\.negotiate, step 1, replica 0, subject 0, .*: act = 'I would rather not "
        r"say\.' is not one of those offered: accept, counter, reject; asked 2 times"
    )
    with pytest.raises(DecisionError, match=fault):
        mind(url, "rude", num_tries=2).decide(negotiation(1))
    assert seen(url, "rude")["requests"] == 3


def test_a_busy_server_is_asked_until_it_answers(url):
    busy = mind(url, "busy")
    busy.decide(negotiation(2))
    assert busy.stats()["retries"] == 2 * busy.stats()["requests"] > 0
    with pytest.raises(PoolError, match=rf"{url}: fails with HTTP 429, tried 2 times: .*too many.*; lower max_concurr"):
        mind(url, "busy", num_tries=2).decide(negotiation(3).take(np.array([2])))


@pytest.mark.parametrize(
    ("model", "fault", "message"),
    [
        ("broken", PoolError, r"fails with HTTP 500, tried 2 times: .*out of order"),
        ("slow", PoolError, r"no reply within 0\.1 s, tried 2 times; raise timeout_s"),
        ("page", PoolError, r"not a chat completion: '<html>hello</html>'; is this the url of"),
        ("guarded", CatalogError, r"refuses the key \(HTTP 401\); set ECOSIM_API_KEY"),
        ("stubborn", PoolError, r"refuses the request \(HTTP 400: .*not with key \*\*\*"),
        ("gone", CatalogError, r"no model 'gone', or no chat, here \(HTTP 404: .*/v1/models lists the models"),
    ],
)
def test_a_fault_has_the_url_and_a_way_out(url, model, fault, message, monkeypatch):
    monkeypatch.setenv("ECOSIM_API_KEY", SECRET)
    with pytest.raises(fault, match=f"^{url}: {message}") as caught:
        mind(url, model, num_tries=2, timeout_s=0.1 if model == "slow" else 60).decide(negotiation(1))
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    assert seen(url, model)["requests"] == {"broken": 2, "slow": 2, "stubborn": 2}.get(model, 1)


def test_nobody_there_is_a_fault_of_the_pool():
    with pytest.raises(PoolError, match=r"^http://127\.0\.0\.1:9/v1: cannot be reached: .*refused; start the server"):
        mind("http://127.0.0.1:9/v1", num_tries=1).decide(negotiation(2))


@pytest.mark.parametrize("bad", ["127.0.0.1:80/v1", "ftp://a/v1", "http://", "http://a/v1?key=1"])
def test_what_is_no_url_is_refused_at_once(bad):
    with pytest.raises(CatalogError, match="url: expected one such as http://127"):
        mind(bad)


def test_a_password_in_a_url_is_refused_and_not_said_back():
    with pytest.raises(CatalogError, match="would be recorded; set ECOSIM_API_KEY") as caught:
        mind(f"http://me:{SECRET}@127.0.0.1/v1")
    assert SECRET not in str(caught.value)


def test_without_the_client_package_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(CatalogError, match=r"pip install 'ecosim\[remote\]'"):
        mind("http://127.0.0.1:9/v1").describe()


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="max_concurrent must be > 0, got 0"):
        mind("http://127.0.0.1:9/v1", max_concurrent=0)


def test_a_run_replays_when_the_server_is_gone(tmp_path):
    path = tmp_path / "replies.jsonl"
    with serving() as url:
        first = mind(url, recordings=Recordings(path))
        digests = market(first).manifest["digests"]
    with pytest.raises(PoolError, match="cannot be reached"):
        market(mind(url, num_tries=1))
    again = mind(url, recordings=Recordings(path))
    assert market(again).manifest["digests"] == digests
    asked = first.stats()["requests"] - 1
    assert again.stats() | {"replayed": asked, "requests": 0} == again.stats()
    assert (again.fingerprint, again.decide(negotiation(0)).logp.shape) == (first.fingerprint, (0,))
    assert len(path.read_text().splitlines()) == len(Recordings(path)) == asked


def test_a_run_that_broke_off_goes_on_where_it_was(url, tmp_path):
    """The file is cut in the middle of a line, as a kill may leave it."""
    path, question = tmp_path / "replies.jsonl", negotiation(12)
    first = mind(url, recordings=Recordings(path))
    whole = first.decide(question)
    text = path.read_bytes()
    half = text[: len(text) // 2]
    path.write_bytes(half)
    kept = half.count(b"\n")
    again = mind(url, recordings=Recordings(path))
    assert len(again.recordings) == kept and path.read_bytes() == half  # reading alone writes nothing
    assert {name: column.tolist() for name, column in again.decide(question).answers.items()} == {
        name: column.tolist() for name, column in whole.answers.items()
    }
    assert again.stats()["replayed"] == kept
    assert sorted(path.read_bytes().splitlines()) == sorted(text.splitlines())


def test_two_servers_that_call_two_models_the_same_are_told_apart(url):
    shared, question = Recordings(), negotiation(4)
    minds = [mind(url, name=name, recordings=shared) for name in ("small", "big", "big")]
    for remote in minds:
        remote.decide(question)
    assert [remote.stats()["replayed"] > 0 for remote in minds] == [False, False, True]
    assert minds[0].fingerprint != minds[1].fingerprint == minds[2].fingerprint


def test_a_damaged_line_is_told_with_its_number(tmp_path):
    path = tmp_path / "replies.jsonl"
    recordings = Recordings(path)
    for seed in (1, 2):
        recordings.reply(request(seed), lambda _: Reply("yes"))
    recordings.sync()
    path.write_bytes(b"\0\0\0" + path.read_bytes())
    with pytest.raises(RunError, match=r"replies\.jsonl:1: not a recorded reply; remove this line"):
        Recordings(path)


def test_recordings_that_can_not_be_written_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    recordings = Recordings(tmp_path / "new" / "replies.jsonl")
    recordings.reply(request(), lambda _: Reply("yes"))
    assert recordings.reply(request(), lambda _: Reply("no")) == (Reply("yes"), True)
    with pytest.raises(RunError, match="cannot be"):
        Recordings(tmp_path / "file" / "replies.jsonl").reply(request(), lambda _: Reply("yes"))


def test_two_equal_requests_at_a_time_are_one():
    recordings, asked, found, together = Recordings(), [], [], Barrier(8)

    def ask(what: Request) -> Reply:
        asked.append(what)
        sleep(0.05)  # long enough for the others to come
        return Reply(f"number {len(asked)}")

    def one() -> None:
        together.wait()
        found.append(recordings.reply(request(), ask)[0].text)

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, len(asked)) == (["number 1"] * 8, 1)


def test_a_fault_is_not_kept():
    recordings = Recordings()

    def fail(_: Request) -> Reply:
        raise PoolError("out of order")

    with pytest.raises(PoolError):
        recordings.reply(request(), fail)
    assert recordings.reply(request(), lambda _: Reply("yes")) == (Reply("yes"), False)


def test_the_key_is_used_and_never_written(url, tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_API_KEY", SECRET)
    keyed = author(tmp_path, url, "keyed")
    question = publishing(1)
    text = (Text(name="title", max_tokens=5),)
    only = Choice(name="act", options=("rest", "write"), allowed=np.array([[True, False]]))
    assert keyed.decide(replace(question, fields=(only, *text))).answers["title"].tolist() == [SECRET]
    remote = mind(url, recordings=Recordings(tmp_path / "replies.jsonl"))
    market(remote, steps=1, out=tmp_path / "run")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"manifest.json", "replies.jsonl"} <= {path.name for path in files}
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_key_that_was_meant_for_openai_goes_nowhere_else(url, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    text = (Text(name="title", max_tokens=5),)
    only = Choice(name="act", options=("rest", "write"), allowed=np.array([[True, False]]))
    decision = author(tmp_path, url, "keyed").decide(replace(publishing(1), fields=(only, *text)))
    assert decision.answers["title"].tolist() == ["none"]


def test_the_fingerprint_is_of_model_cards_and_prompts(tmp_path):
    one = author(tmp_path, "http://127.0.0.1:1/v1").fingerprint
    assert author(tmp_path, "http://127.0.0.1:2/v1").fingerprint == one
    assert author(tmp_path, "http://127.0.0.1:1/v1", "deaf").fingerprint != one
    assert author(tmp_path, "http://127.0.0.1:1/v1", act="{ask: 'Do:'}").fingerprint != one


def test_importing_loads_no_client():
    code = "import ecosim.minds.remote, sys; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
