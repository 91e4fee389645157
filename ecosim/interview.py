"""A free question to members of a recorded run, which is not touched by it.

A member whose seat has a language mind answers with its own model and adapter. It reads what it was last asked in the
step, word for word, with what it answered, and then the question. A member whose mind has no language says nothing;
the untrained base model may speak for it, from what it saw, and is named as the voice.

The words are drawn with numbers keyed by seed, step, member and question: the same interview gives the same words, on
one class of machine. What a model says is no report of what moved it (that is `ecosim.why`); it is one more answer.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pandas as pd

from ecosim import rerun, response, seeds
from ecosim.errors import RunError
from ecosim.fields import Array
from ecosim.minds.recipe import Pool, Recipe
from ecosim.models.sources import BASE
from ecosim.moment import Asked, Moment
from ecosim.pool.talk import Line, Script, Talk, Write
from ecosim.record.store import Store
from ecosim.why import recorded_trace, shown
from ecosim.words import Mind

if TYPE_CHECKING:
    from ecosim.minds.language import LanguageMind

Voice = Literal["own", "untrained"]
MAX_TOKENS = 60
TEMPERATURE = 0.7
"""Of the draw of words; a 135M model rambles above."""


class Asking(TypedDict, total=False):
    """How members are asked; all have defaults."""

    replica: int
    max_tokens: int
    voice: Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one member said.

    Attributes:
        phase: what it had last been asked.
        mind: who sits there.
        voice: `own`, or `untrained`: the base model spoke from what the member saw.
        prompt: what the model read, verbatim.
        words: what it said, one line.
        logp: natural log of the chance with which these words were drawn.
    """

    replica: int
    member: int
    role: str
    phase: str
    mind: str
    voice: Voice
    prompt: str
    words: str
    logp: float


@dataclass(frozen=True, slots=True)
class Interview:
    """A question and what was said to it, a statement a member."""

    question: str
    step: int
    statements: tuple[Statement, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row a member: `replica`, `member`, `role`, `phase`, `mind`, `voice`, `words`."""
        names = ("replica", "member", "role", "phase", "mind", "voice", "words")
        return pd.DataFrame([{name: getattr(said, name) for name in names} for said in self.statements])

    def __repr__(self) -> str:
        return "\n".join(f"{said.role} {said.member} ({_speaker(said)}): {said.words}" for said in self.statements)

    def _repr_html_(self) -> str:
        return f"<p><em>{html.escape(self.question)}</em></p>{self.table.to_html(index=False)}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = Statement.__dataclass_fields__
        said = [{name: getattr(one, name) for name in names} for one in self.statements]
        return {"question": self.question, "step": self.step, "statements": said}


def interview(
    store: Store,
    step: int,
    members: Sequence[int] | str,
    question: str,
    *,
    replica: int = 0,
    max_tokens: int = MAX_TOKENS,
    voice: Voice = "own",
    own: rerun.Own | None = None,
) -> Interview:
    """Ask members of a recorded run something, at the end of a step.

    Args:
        members: their ids, or a role: all of its members that were asked anything in the step.
        question: one line.
        voice: `untrained` lets the base model speak for them, from what they saw.
        own: the user's own language minds that sat in the run, by name.

    Raises:
        RunError: no such member; it has no language; the run can't be had again, or its mind is not what it was.
        CatalogError: the model can't be had.
    """
    text = " ".join(question.split())
    if not text or max_tokens < 1:
        raise RunError(f"an interview needs a question and room to answer, got {question!r} and {max_tokens} tokens")
    moment = rerun.until(store, step, own)
    chosen = _of_role(moment, members, replica) if isinstance(members, str) else list(dict.fromkeys(members))
    asked = [moment.find(member, replica) for member in chosen]
    if voice == "untrained":
        said = _through_base(moment, [questions[-1] for questions in asked], text, max_tokens)
    else:
        said = [_in_person(moment, store, questions, text, max_tokens) for questions in asked]
    return Interview(text, step, tuple(said))


def _of_role(moment: Moment, role: str, replica: int) -> list[int]:
    there = [question for question in moment.questions if question.role == role]
    found = {int(m) for q in there for m in q.key["subject"][q.key["replica"] == replica]}
    if not found:
        known = ", ".join(sorted({question.role for question in moment.questions}))
        raise RunError(
            f"{moment.place}: step {moment.step}: no {role!r} was asked anything; asked were {known or 'none'}"
        )
    return sorted(found)


# ---- its own voice --------------------------------------------------------------------------------------------------


def _in_person(moment: Moment, store: Store, questions: Sequence[Asked], text: str, max_tokens: int) -> Statement:
    """A member's own mind, after the last question that it answered with it."""
    from ecosim.minds.language import LanguageMind

    speakable = [(asked, mind) for asked in questions if isinstance(mind := _language(moment, asked), LanguageMind)]
    if not speakable:
        raise RunError(_mute(moment, questions))
    asked, mind = speakable[-1]
    prefix, own_text = mind.prompts[asked.question.role, asked.question.phase].render(asked.question)[0]
    start = mind.engine.frame.show(prefix, own_text)
    trace = recorded_trace(store, asked)
    if trace is None or not trace["prompt"][-1].startswith(start):
        raise RunError(f"{moment.place}: the record has not the prompt that its mind {mind.name!r} reads here")
    since = f"{trace['prompt'][-1].removeprefix(start)} {trace['answer'][-1]}\n\n{text}\n"
    (line,) = _speak(mind, [(prefix, own_text, since)], [_draws(asked, text, max_tokens)], max_tokens)
    return _statement(moment, asked, "own", start + since, line)


def _language(moment: Moment, asked: Asked) -> Mind | None:
    """Who answered, unless the record says already that it scores nothing: then it is not made for nothing."""
    is_scored = asked.decision.flops[0] > 0 or moment.facts(asked).get("model") is not None
    return moment.mind(asked) if is_scored else None


def _mute(moment: Moment, questions: Sequence[Asked]) -> str:
    minds = ", ".join(dict.fromkeys(str(moment.facts(asked)["name"]) for asked in questions))
    who = f"{questions[0].question.role} {questions[0].key['subject']}"
    gone = next((moment.facts(one)["name"] for one in questions if moment.facts(one).get("model")), None)
    if gone is not None:
        return (
            f"{moment.place}: step {moment.step}: the mind {gone!r} of {who} is not in the run's folder; from Python, "
            f"pass own={{{gone!r}: …}}; or let the base model speak: --voice untrained"
        )
    return (
        f"{moment.place}: step {moment.step}: {who} has no language ({minds}); --voice untrained (from Python: "
        "voice='untrained') lets the base model speak from what it saw, and says so"
    )


# ---- the base model for it ------------------------------------------------------------------------------------------


def _through_base(moment: Moment, asked: Sequence[Asked], text: str, max_tokens: int) -> list[Statement]:
    """The base model as it comes, from what each member saw when it was last asked."""
    from ecosim.models.load import load

    recipe = Recipe(roles=(), base=BASE, numerics=moment.document["numerics"])
    mind: Any = Pool({0: recipe}, load).minds[0]
    prompts = [(_who(moment, one), _sight(moment, one, text), "") for one in asked]
    lines = _speak(mind, prompts, [_draws(one, text, max_tokens) for one in asked], max_tokens)
    show = mind.engine.frame.show
    return [
        _statement(moment, one, "untrained", show(prefix, own_text), line)
        for one, (prefix, own_text, _), line in zip(asked, prompts, lines, strict=True)
    ]


def _who(moment: Moment, asked: Asked) -> str:
    role = asked.question.role.replace("_", " ")
    return f"You speak as a {role} in a {moment.world.side.name} simulation. Answer in one short sentence, as I.\n"


def _sight(moment: Moment, asked: Asked, text: str) -> str:
    """What the member saw and answered, in natural units, then the question."""
    question = asked.question
    seen = [(name, *shown(question, name)) for name in question.columns]
    lines = [
        f"{name.replace('_', ' ')}: {_spelt(value)} {unit}".strip() for name, value, unit in seen if value is not None
    ]
    when = f"{moment.world.side.step_name} {moment.step}, {question.phase}"
    return "\n".join(
        [f"What you know ({when}):", *lines, f"You decided: {response.answer(question, asked.decision)}.", text]
    )


def _spelt(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_spelt(one) for one in value if one is not None)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# ---- both -----------------------------------------------------------------------------------------------------------


def _speak(
    mind: LanguageMind, prompts: Sequence[tuple[str, str, str]], draws: Sequence[Array], max_tokens: int
) -> list[Line]:
    """A line after each prompt: shared part, own part, and what was said since."""
    lines: dict[int, Line] = {}

    def script(i: int, since: str) -> Script:
        line = yield Write(since, max_tokens, TEMPERATURE, draws[i])
        assert isinstance(line, Line)
        lines[i] = line

    mind.engine.run(
        [
            Talk(prefix, own_text, script(i, since), mind.adapter_name)
            for i, (prefix, own_text, since) in enumerate(prompts)
        ]
    )
    return [lines[i] for i in range(len(prompts))]


def _draws(asked: Asked, text: str, max_tokens: int) -> Array:
    """Uniform numbers, one a token, keyed by seed, step, member and the words asked."""
    question = asked.question
    name, who = f"interview.{question.role}.{text}", (question.key["subject"],)
    lanes = [seeds.uniform(seeds.MIND, question.seed, question.step, name, who, lane)[0] for lane in range(max_tokens)]
    return np.array(lanes)


def _statement(moment: Moment, asked: Asked, voice: Voice, prompt: str, line: Line) -> Statement:
    return Statement(
        replica=asked.key["replica"],
        member=asked.key["subject"],
        role=asked.question.role,
        phase=asked.question.phase,
        mind=str(moment.facts(asked)["name"]),
        voice=voice,
        prompt=prompt,
        words=line.text,
        logp=line.logp,
    )


def _speaker(said: Statement) -> str:
    return said.mind if said.voice == "own" else f"{said.mind}; the untrained base model speaks for it"
