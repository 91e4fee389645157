"""A mind elsewhere: any server that speaks OpenAI's chat protocol (vLLM, SGLang, Ollama, llama.cpp, the big ones).

The same cards and prompts as for a language model of our own: a row is asked field by field, later fields see earlier
answers, a field is left out where `only_if` says so, and where one answer is left nobody is asked. An ask is one chat:
the prompt's shared part is the system's message, the row's part with the answers so far and the answers on offer is
the user's. Servers that can are held to these answers by a JSON schema; whether this one can is tried once, and what
others say in plain text must be one of the words offered, whatever its case and punctuation. Anything else is asked
again with another seed, and after `num_tries` it is an error: never a silent default.

What a server does not tell is not made up: `logp` 0 and `margin` inf (its chances are unknown, and "in no doubt" is
how a Decision spells that), `flops` 0 (its work is not ours to bill). Temperature and normaliser are the card's as far
as they apply: `argmax` asks at temperature 0, the normaliser of scores has no meaning here.

Each request carries a seed keyed by its row, so neither neighbours nor threads matter where the server keeps to seeds.
Many do so only roughly; that a run repeats all the same is what `Recordings` are for.

The key comes from the environment and stays there: ECOSIM_API_KEY for any server; OPENAI_API_KEY, which was not given
to us, for OpenAI's own only, since a scenario from a stranger may name any url.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ecosim import seeds
from ecosim.catalog import Card, FieldCard
from ecosim.errors import CatalogError, DecisionError, EcosimError, PoolError
from ecosim.fields import NOT_ASKED, Array, Text, one_line
from ecosim.minds.language import Sheet, _decision, menu_of
from ecosim.minds.prompts import Prompts, asked_fields
from ecosim.minds.recordings import Recordings, Reply, Request
from ecosim.words import KEY, Decision, Question

_VERSION = 1
"""Part of the fingerprint; goes up when the way of asking changes."""

_SEED_BITS = 30  # 1 … 2**30: servers hold seeds in signed 32 bits, and some take 0 for "any"
_JSON_TOKENS = 24  # what `{"answer": ""}` and a chatty server's white space take, beside the answer itself
_SHOWN = 120  # characters of a server's text in a message of ours
_EDGES = re.compile(r"^[\s\"'`*_(\[{<“”‘’«»$€]+|[\s\"'`*_)\]}>“”‘’«».,;:!?€]+$")
_SCHEMA_REFUSED = (400, 422)


class RemoteMind:
    """A model behind a URL in the seats of some roles.

    Args:
        cards: by role; a question to another role is refused.
        base_url: such as `http://127.0.0.1:8000/v1`; without a password, which would be recorded.
        model: as the server calls it.
        name: how scenarios call it; `remote-<model>` if not given.
        timeout_s: how long a server may be silent before it is asked again.
        max_concurrent: most requests under way at a time.
        num_tries: for a server's faults, and for answers that were not on offer.
        recordings: replies so far, and where new ones go; in memory if not given.

    Raises:
        CatalogError: the URL is not one, or the client package is missing.
        ValueError: a number is out of range.
    """

    grade = "remote"
    stays_in_driver = True
    """Its recordings are a file of the run: one process writes them."""

    def __init__(
        self,
        cards: Mapping[str, Card],
        base_url: str,
        model: str,
        *,
        name: str | None = None,
        timeout_s: float = 60.0,
        max_concurrent: int = 8,
        num_tries: int = 3,
        recordings: Recordings | None = None,
    ) -> None:
        for what, value in (("timeout_s", timeout_s), ("max_concurrent", max_concurrent), ("num_tries", num_tries)):
            if value <= 0:
                raise ValueError(f"{what} must be > 0, got {value}")
        self.name = name or f"remote-{model.rstrip('/').rsplit('/')[-1]}"
        self.recordings = Recordings() if recordings is None else recordings
        self._cards = dict(cards)
        self._model = model
        self._max_concurrent = max_concurrent
        self._num_tries = num_tries
        self._server = _Server(base_url, model, timeout_s, num_tries)
        self._counts = _Counts("decisions", "replayed", "asked_again")
        self._prompts = {
            (role, phase): Prompts(card, phase) for role, card in cards.items() for phase in card.questions
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what we know that its answers depend on: names, cards, prompts, way of asking; not the url."""
        facts = {
            "version": _VERSION,
            "names": [self.name, self._model],
            "cards": {role: card.model_dump(mode="json") for role, card in sorted(self._cards.items())},
            "prompts": {".".join(key): prompts.sources for key, prompts in sorted(self._prompts.items())},
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Where it is and how it is asked, for a manifest; the server is not asked.

        Raises:
            CatalogError: the client package is missing: told before a run begins.
        """
        self._server.connect()
        return {
            "server": {
                "url": self._server.url,
                "model": self._model,
                "timeout_s": self._server.timeout_s,
                "max_concurrent": self._max_concurrent,
                "num_tries": self._num_tries,
                "recordings": str(self.recordings.path or ""),
            }
        }

    def stats(self) -> dict[str, int | float]:
        """What it was asked, and what of it the server was asked; a reply from the recordings is not an inference."""
        return {**self._counts.as_dict(), **self._server.stats()}

    @property
    def tally(self) -> tuple[int, int]:
        """Rows answered so far; their operations are not ours to count."""
        return self._counts.as_dict()["decisions"], 0

    def decide(self, question: Question) -> Decision:
        """The answers to every row; what came before a fault is in the recordings.

        Raises:
            CatalogError: there is no card for the question, or it does not fit; or the server has no such model.
            DecisionError: a row allows no answer, or the server gave none of those offered.
            PoolError: the server can't be reached, is too slow, or fails.
            RunError: the recordings can't be written.
        """
        asks = asked_fields(self._cards, question, self.name)
        prompts = self._prompts[question.role, question.phase].render(question)
        draws = {spec.name: self._seeds(question, spec.name) for spec in question.fields}
        rows = [Sheet() for _ in prompts]
        workers = ThreadPoolExecutor(self._max_concurrent, thread_name_prefix=self.name)
        try:
            jobs = [workers.submit(self._one, question, asks, draws, i, rows[i], *prompts[i]) for i in range(len(rows))]
            for job in as_completed(jobs):
                job.result()
        finally:
            workers.shutdown(cancel_futures=True)
            self.recordings.sync()
        return _decision(question, rows)

    def _seeds(self, question: Question, name: str) -> Array:
        """Seeds for the server keyed by the rows, shape (tries, rows)."""
        key = tuple(question.key[part] for part in KEY)
        phase = f"{question.name}.{name}"
        tries = range(self._num_tries)
        bits = [seeds.words(seeds.MIND, question.seed, question.step, phase, key, lane)[0] for lane in tries]
        return (np.stack(bits) >> np.uint64(64 - _SEED_BITS)).astype(np.int64) + 1

    def _one(
        self,
        question: Question,
        asks: Mapping[str, FieldCard],
        draws: Mapping[str, Array],
        i: int,
        row: Sheet,
        shared: str,
        own: str,
    ) -> None:
        """Ask one row all its fields, in order."""
        so_far = own
        for spec in question.fields:
            if spec.only_if is not None and row.answers[spec.only_if[0]] != spec.only_if[1]:
                row.answers[spec.name] = "" if isinstance(spec, Text) else NOT_ASKED
                continue
            ask = asks[spec.name]
            values, offered = ([], ()) if isinstance(spec, Text) else menu_of(spec, i, ask, question)
            words = tuple(dict.fromkeys(word.strip() for word in offered))
            messages = (("system", shared.strip()), ("user", f"{so_far}\n{_rule(words)}\n{ask.ask}"))
            longest = max(map(len, words), default=0)  # a word has at most as many tokens as characters
            most = spec.max_tokens if isinstance(spec, Text) else _JSON_TOKENS + longest
            requests = [
                Request(self.name, self._model, messages, words, _heat(ask, words, lane), int(draw), most)
                for lane, draw in enumerate(draws[spec.name][:, i])
            ]
            place = f"{question.name}, step {question.step}, {_who(question, i)}: {spec.name}"
            answer = words[0] if len(words) == 1 else self._answer(requests, place)
            at = [word.strip() for word in offered].index(answer) if words else 0
            row.answers[spec.name] = values[at] if words else answer
            row.trace.append((spec.name, "\n\n".join(text for _, text in messages), answer, json.dumps(words), "[]"))
            so_far = f"{so_far}\n{ask.ask} {answer}"
        self._counts.add("decisions")

    def _answer(self, requests: Sequence[Request], place: str) -> str:
        """The first reply that is an answer."""
        for request in requests:
            reply, was_there = self.recordings.reply(request, self._server.reply)
            self._counts.add("replayed", int(was_there))
            answer = read(reply.text, request.options) if request.options else _line(reply.text, request.max_tokens)
            if answer is not None:
                return answer
            self._counts.add("asked_again")
        wanted = f"one of those offered: {', '.join(request.options)}" if request.options else "a line of text"
        raise DecisionError(
            f"mind {self.name!r}, {place} = {_short(reply.text)} is not {wanted}; asked {len(requests)} times; "
            "take a larger model, or a server that keeps to response_format"
        )


def read(reply: str, words: Sequence[str]) -> str | None:
    """Which of some words a reply says, as JSON or plainly; None if it is none of them, or might be two.

    >>> read('{"answer": "accept"}', ["accept", "reject"]), read(" **Accept.**", ["accept", "reject"])
    ('accept', 'accept')
    >>> read("I accept", ["accept", "reject"]), read("-5", ["5", "6"]), read("12.4", ["12.40"])
    (None, None, None)
    """
    text = reply.strip()
    try:
        data = json.loads(text)
        text = data["answer"] if isinstance(data, dict) and isinstance(data.get("answer"), str) else text
    except ValueError:
        pass  # not JSON: plain text
    if text in words:
        return text
    found = [word for word in words if _plain(word) == _plain(text)]
    return found[0] if len(found) == 1 else None


class _Server:
    """Requests in, replies out, faults told in our words; any number of threads may ask."""

    def __init__(self, url: str, model: str, timeout_s: float, num_tries: int) -> None:
        self.url = _checked(url)
        self.timeout_s = timeout_s
        self._model = model
        self._num_tries = num_tries
        self._counts = _Counts("requests", "retries", "prompt_tokens", "completion_tokens")
        self._lock = Lock()
        self._has_schemas: bool | None = None

    def connect(self) -> None:
        """Make the client; nothing is sent."""
        assert self._client is not None

    @cached_property
    def _client(self) -> Any:
        """Made at the first request: a replay needs neither the package nor a key."""
        return _client(self.url, self.timeout_s, self._num_tries)

    def stats(self) -> dict[str, int | float]:
        """Requests answered, retries after faults, tokens billed, and whether a JSON schema was refused."""
        return {**self._counts.as_dict(), "refuses_schemas": int(self._has_schemas is False)}

    def reply(self, request: Request) -> Reply:
        """The server's reply.

        Raises:
            CatalogError: it knows no such model, or wants another key.
            PoolError: it can't be reached, is too slow, or fails, at the last try.
        """
        reply = None
        if request.options and self._takes_schemas():
            reply = self._send(request, has_schema=True)
        if reply is None:  # also where this schema was refused, though not every one: requests do not affect each other
            reply = self._send(request, has_schema=False)
        assert reply is not None, "only a schema is refused by None"
        return reply

    def _takes_schemas(self) -> bool:
        """Whether a plain request with a schema is taken; tried once, by one thread, while the others wait."""
        probe = Request("", self._model, (("user", "Say yes or no."),), ("yes", "no"), 0.0, 1, _JSON_TOKENS)
        with self._lock:
            if self._has_schemas is None:
                self._has_schemas = self._send(probe, has_schema=True) is not None
            return self._has_schemas

    def _send(self, request: Request, has_schema: bool) -> Reply | None:
        """One request over the wire, and again after a fault that may pass; None where its schema is refused."""
        import openai

        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": role, "content": text} for role, text in request.messages],
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
        }
        if has_schema:
            body["response_format"] = _schema(request.options)
        try:
            raw = self._client.chat.completions.with_raw_response.create(**body)
        except openai.APIError as error:
            if has_schema and getattr(error, "status_code", 0) in _SCHEMA_REFUSED:
                return None
            raise self._fault(error) from None  # the client's own message may quote the key
        reply = self._parse(raw.http_response.text)
        self._counts.add("requests")
        self._counts.add("retries", raw.retries_taken)
        self._counts.add("prompt_tokens", reply.prompt_tokens)
        self._counts.add("completion_tokens", reply.completion_tokens)
        return reply

    def _parse(self, text: str) -> Reply:
        try:
            data = json.loads(text)
            said = data["choices"][0]["message"]["content"] or ""
            usage = data.get("usage") or {}
            return Reply(str(said), *(int(usage.get(f"{kind}_tokens") or 0) for kind in ("prompt", "completion")))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise PoolError(
                f"{self.url}: not a chat completion: {_short(text)}; is this the url of an OpenAI-compatible API "
                "(it often ends in /v1)?"
            ) from None

    def _fault(self, error: Any) -> EcosimError:
        """A fault of the client as one line: url, fault, way out."""
        import openai

        tries = f"{self._num_tries} times" if self._num_tries > 1 else "once"
        if isinstance(error, openai.APITimeoutError):
            return PoolError(
                f"{self.url}: no reply within {self.timeout_s:g} s, tried {tries}; raise timeout_s, or lower "
                "max_concurrent"
            )
        if not isinstance(error, openai.APIStatusError):
            cause = error.__cause__ or error
            return PoolError(f"{self.url}: cannot be reached: {cause}; start the server, or mend the url")
        status = error.status_code
        if status in (401, 403):
            return CatalogError(f"{self.url}: refuses the key (HTTP {status}); set ECOSIM_API_KEY to one that it takes")
        said = _short(_hidden(error.response.text))
        if status == 404:
            return CatalogError(
                f"{self.url}: no model {self._model!r}, or no chat, here (HTTP 404: {said}); {self.url}/models lists "
                "the models; the url often ends in /v1"
            )
        if status < 500 and status != 429:
            return PoolError(f"{self.url}: refuses the request (HTTP {status}: {said}); mend the url, model or card")
        way_out = "lower max_concurrent" if status == 429 else "look into the server's log"
        return PoolError(f"{self.url}: fails with HTTP {status}, tried {tries}: {said}; {way_out}")


class _Counts:
    """Numbers that threads add to."""

    def __init__(self, *names: str) -> None:
        self._lock = Lock()
        self._count = dict.fromkeys(names, 0)

    def add(self, name: str, more: int = 1) -> None:
        with self._lock:
            self._count[name] += more

    def as_dict(self) -> dict[str, int]:
        with self._lock:
            return dict(self._count)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise CatalogError(f"remote mind: url: expected one such as http://127.0.0.1:8000/v1, got {_short(url)}")
    if parts.username or parts.password:
        raise CatalogError(
            f"remote mind: url: a name or password for {parts.hostname} would be recorded; set ECOSIM_API_KEY instead"
        )
    return url.rstrip("/")


def _client(url: str, timeout_s: float, num_tries: int) -> Any:
    try:
        import openai
    except ImportError as error:
        raise CatalogError(
            "remote mind: needs the package openai, which is missing: pip install 'ecosim[remote]'"
        ) from error
    key = _key(url) or "none"  # servers of one's own ask for none, the client does
    return openai.OpenAI(base_url=url, api_key=key, timeout=timeout_s, max_retries=num_tries - 1)


def _key(url: str) -> str:
    """The key for a server; the module's docstring says which goes where."""
    own = os.environ.get("ECOSIM_API_KEY", "")
    parts = urlsplit(url)
    is_openai = parts.scheme == "https" and f".{parts.hostname}".endswith(".openai.com")
    return own or (os.environ.get("OPENAI_API_KEY", "") if is_openai else "")


def _hidden(text: str) -> str:
    """A server's text without our keys, in case it says them back."""
    for name in ("ECOSIM_API_KEY", "OPENAI_API_KEY"):
        text = text.replace(os.environ.get(name) or "\0", "***")
    return text


def _schema(words: Sequence[str]) -> dict[str, Any]:
    answer = {"type": "string", "enum": list(words)}
    shape = {"type": "object", "properties": {"answer": answer}, "required": ["answer"], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": shape}}


def _rule(words: Sequence[str]) -> str:
    """What the user's message says about the answer."""
    return f"Reply with exactly one of these: {' | '.join(words)}" if words else "Reply with one line of text."


def _heat(ask: FieldCard, words: Sequence[str], lane: int) -> float:
    """The temperature of a try: 0 where the likeliest is wanted, though asking that again would bring the same."""
    return 0.0 if words and ask.choose == "argmax" and lane == 0 else ask.temperature


def _plain(text: str) -> str:
    """Without case, white space and what people put around a word; a minus and a leading point are part of a number."""
    return " ".join(_EDGES.sub("", text).casefold().replace("_", " ").split())


def _line(reply: str, max_tokens: int) -> str | None:
    """The first line that says something, of at most as many words as tokens were allowed."""
    return " ".join(one_line(reply, max_tokens).split()[:max_tokens]) or None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")


def _who(question: Question, i: int) -> str:
    return ", ".join(f"{name} {int(question.key[name][i])}" for name in ("replica", *KEY))
