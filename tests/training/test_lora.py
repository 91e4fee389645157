"""A teacher's answers become an adapter: on a tiny model with random weights."""

import errno
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from ecosim.catalog import FieldCard, read_card
from ecosim.errors import TrainingError
from ecosim.fields import NOT_ASKED, Bucket, Choice, Text
from ecosim.minds.language import LanguageMind, menu_of
from ecosim.models import adapter
from ecosim.models.load import LanguageModel
from ecosim.pool.engine import Engine
from ecosim.training.adapters.examples import Example, examples
from ecosim.training.adapters.lora import Settings, _learner, fit
from ecosim.training.workbench import Checkpoint
from ecosim.words import KEY, Question, Table

CARD = """
role: buyer
about: Buys steel.
licence: Apache-2.0
questions:
  haggle:
    reads: {offer: EUR/1e6}
    fields:
      act: {ask: "Answer:", answer: label}
      price: {ask: "Price:", answer: label, menu: 4}
"""


@pytest.fixture
def mind(tmp_path: Path, tiny: LanguageModel) -> LanguageMind:
    (tmp_path / "buyer").mkdir()
    (tmp_path / "buyer/card.yaml").write_text(CARD)
    (tmp_path / "buyer/haggle.j2").write_text("You buy steel.\n=====\nThey offer {{ offer | eur }}\n")
    cards = {"buyer": read_card(tmp_path / "buyer/card.yaml")}
    return LanguageMind(cards, Engine(tiny), name="learner", grade="specialist")


def haggle(offers: list[int]) -> tuple[Question, dict[str, np.ndarray]]:
    """Offers in euros, and a teacher that takes what is below 5 and else asks for half."""
    n = len(offers)
    euros = np.array(offers, np.int64) * 1_000_000
    question = Question(
        role="buyer",
        phase="haggle",
        step=1,
        seed=np.full(n, 7, np.uint64),
        mind=np.zeros(n, np.int64),
        key=Table({name: np.arange(n) if name == "subject" else np.zeros(n, np.int64) for name in ("replica", *KEY)}),
        columns={"offer": euros},
        units={"offer": "EUR/1e6"},
        fields=(
            Choice(name="act", options=("accept", "counter"), allowed=np.ones((n, 2), bool)),
            Bucket(
                name="price",
                low=np.zeros(n, np.int64),
                high=np.full(n, 9_000_000),
                step=np.full(n, 1_000_000),
                unit="EUR/1e6",
                only_if=("act", 1),
            ),
        ),
    )
    act = (euros >= 5_000_000).astype(np.int64)
    return question, {"act": act, "price": np.where(act == 1, euros // 2_000_000 * 1_000_000, NOT_ASKED)}


def test_examples_are_what_the_pool_reads(mind: LanguageMind):
    question, answers = haggle([3, 8])
    accepted, countered = examples(mind, question, answers)
    spell = mind.engine.language.tokenizer.decode
    asked = mind.decide(question).trace
    for i, example in enumerate([accepted, countered]):
        whole = spell(example.prefix + example.ids[: example.targets[0].place + 1])
        assert whole == next(p for p, row in zip(asked["prompt"], asked["row"], strict=True) if row == i)
    assert [t.field for t in accepted.targets] == ["act"]
    assert [t.field for t in countered.targets] == ["act", "price"]
    assert countered.targets[0].chances == (0.0, 1.0)
    # the menu is 0, 3, 6, 9: four euros lie a third of the way from 3 to 6, and 3 is what later fields would see
    assert countered.targets[1].chances == pytest.approx((0, 2 / 3, 1 / 3, 0))
    assert spell(countered.ids[: countered.targets[1].place + 1]).endswith(
        "Answer:B\nA: 0.00\nB: 3.00\nC: 6.00\nD: 9.00\nPrice:"
    )


def test_a_text_is_learnt_token_by_token_and_later_fields_read_it(tmp_path: Path, tiny: LanguageModel):
    (tmp_path / "author").mkdir()
    (tmp_path / "author/card.yaml").write_text(
        "role: author\nabout: Writes.\nlicence: Apache-2.0\nquestions:\n  publish:\n    reads: {topic: ''}\n"
        "    fields: {title: {ask: 'Title:'}, mood: {ask: 'Mood:', answer: label}}\n"
    )
    (tmp_path / "author/publish.j2").write_text("You write.\n=====\nTopic {{ topic }}\n")
    mind = LanguageMind(
        {"author": read_card(tmp_path / "author/card.yaml")}, Engine(tiny), name="learner", grade="specialist"
    )
    haggling, _ = haggle([1])
    question = replace(
        haggling,
        role="author",
        phase="publish",
        columns={"topic": np.array(["football"], object)},
        units={},
        fields=(
            Text(name="title", max_tokens=9),
            Choice(name="mood", options=("calm", "loud"), allowed=np.ones((1, 2), bool)),
        ),
    )
    (example,) = examples(mind, question, {"title": np.array(["A video today"], object), "mood": np.array([1])})
    spelt = [t for t in example.targets if t.field == "title"]
    assert mind.engine.language.tokenizer.decode([t.tokens[0] for t in spelt]) == " A video today\n"
    assert all(example.ids[t.place + 1] == t.tokens[0] for t in spelt)
    assert not any(t.is_label for t in spelt) and example.targets[-1].is_label


def test_a_teacher_outside_the_rule_is_refused(mind: LanguageMind):
    question, answers = haggle([8])
    with pytest.raises(ValueError, match=r"buyer.haggle, row 0: the teacher answers 2 to 'act', which is not offered"):
        examples(mind, question, {**answers, "act": np.array([2])})


SETTINGS = Settings(rank=8, rate=3e-3, epochs=3, batch=8, check_every=4, patience=50)


@dataclass
class State:
    step: int
    tensors: dict
    notes: dict


@dataclass
class Kept:
    """A checkpoint in memory that may break off after some saves."""

    breaks_after: int = 99
    fault: type[BaseException] | OSError = KeyboardInterrupt
    state: State | None = None
    steps: list[int] = field(default_factory=list)

    def load(self) -> State | None:
        return self.state

    def save(self, step: int, tensors: dict, notes: dict) -> None:
        if len(self.steps) == self.breaks_after:
            raise self.fault
        self.steps.append(step)
        self.state = State(step, {name: t.clone() for name, t in tensors.items()}, json.loads(json.dumps(notes)))


@pytest.fixture
def settings(tiny_folder: Path) -> Settings:
    return SETTINGS.model_copy(update={"base": f"path:{tiny_folder}"})


@pytest.fixture
def lessons(mind: LanguageMind) -> list[Example]:
    return examples(mind, *haggle([2 + 6 * (i % 2) for i in range(40)]))


def test_a_pupil_learns_and_a_language_mind_answers_with_what_it_learnt(
    tmp_path: Path, mind: LanguageMind, lessons: list[Example], settings: Settings
):
    told: list[str] = []
    longer = settings.model_copy(update={"epochs": 7})
    done = fit(lessons, longer, tmp_path / "taught", seed=1, say=told.append)
    assert done.held.agreement["act"] == 1.0
    assert told[-1].startswith(f"step {done.num_steps} of {done.num_steps}: loss ")
    assert done.num_examples == 7 * 36  # four of the forty are held out
    taught = adapter.read(tmp_path / "taught")
    assert taught.sha256 == done.sha256 and taught.rank == 8
    assert {str(a.dtype) for a, _ in taught.layers.values()} == {"torch.float16"}
    mind.engine.add_adapter("taught", taught)
    learner = LanguageMind(mind.cards, mind.engine, name="learner", grade="specialist", adapter="taught")
    question, answers = haggle([2, 8])
    assert learner.decide(question).answers["act"].tolist() == answers["act"].tolist() == [0, 1]
    assert len(set(mind.decide(question).answers["act"].tolist())) == 1  # without it, one answer for all


def test_the_same_seed_gives_the_same_file_and_another_gives_another(
    tmp_path: Path, lessons: list[Example], settings: Settings
):
    short = settings.model_copy(update={"epochs": 0.5})
    first, again, other = (
        fit(lessons, short, tmp_path / name, seed=seed).sha256 for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again != other


def test_what_was_interrupted_goes_on_to_the_same_end(tmp_path: Path, lessons: list[Example], settings: Settings):
    whole = fit(lessons, settings, tmp_path / "whole", seed=1, checkpoint=Kept())
    kept = Kept(breaks_after=2)
    with pytest.raises(KeyboardInterrupt):
        fit(lessons, settings, tmp_path / "parts", seed=1, checkpoint=kept)
    assert kept.steps == [4, 8] and not (tmp_path / "parts").exists()
    kept.breaks_after = 99
    parts = fit(lessons, settings, tmp_path / "parts", seed=1, checkpoint=kept)
    assert kept.steps[2] == 12
    assert (parts.sha256, parts.held, parts.num_steps) == (whole.sha256, whole.held, whole.num_steps)
    with pytest.raises(TrainingError, match="the checkpoint is of another training"):
        fit(lessons, settings, tmp_path / "parts", seed=2, checkpoint=kept)


def test_it_stops_when_the_held_out_part_gets_no_better(tmp_path: Path, lessons: list[Example], settings: Settings):
    impatient = settings.model_copy(update={"patience": 1, "check_every": 1, "rate": 0.2, "epochs": 8})
    looks: list[float] = []
    done = fit(lessons, impatient, tmp_path / "a", seed=1, note=lambda step, **seen: looks.append(seen["held_loss"]))
    assert done.num_steps == len(looks) < 40
    assert looks[-1] >= min(looks) == pytest.approx(done.held.loss)


def test_a_loss_that_is_not_finite_stops_it_in_one_line(tmp_path: Path, lessons: list[Example], settings: Settings):
    broken = [replace(lessons[0], weight=np.inf), *lessons[1:]]
    with pytest.raises(TrainingError, match=r"step \d: the loss is (nan|inf), its gradient .* not finite") as told:
        fit(broken, settings, tmp_path / "a", seed=1, held=lessons[:8])
    assert "\n" not in str(told.value) and not (tmp_path / "a").exists()


def test_a_full_disk_is_told_in_one_line_and_the_last_checkpoint_stays(
    tmp_path: Path, lessons: list[Example], settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    kept, saves = Checkpoint(tmp_path / "checkpoint.safetensors"), []

    def save(*given: object) -> None:
        saves.append(given)
        if len(saves) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(*given)

    monkeypatch.setattr("safetensors.torch.save_file", save)
    with pytest.raises(
        TrainingError, match=r"checkpoint\.safetensors: the disk is full; make room and run the same"
    ) as e:
        fit(lessons, settings, tmp_path / "a", seed=1, checkpoint=kept)
    assert "\n" not in str(e.value)
    assert kept.load().step == 8  # of the second save, at step 8 of 15


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_an_adapter_that_does_not_fit_on_the_disk_leaves_the_old_one(
    tmp_path: Path, lessons: list[Example], settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    short = settings.model_copy(update={"epochs": 0.5})
    before = fit(lessons, short, tmp_path / "a", seed=1)

    def full(_: Path, data: bytes) -> None:
        with Path("/dev/full").open("wb") as file:
            file.write(data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TrainingError, match="the disk is full"):
        fit(lessons, short, tmp_path / "a", seed=2)
    monkeypatch.undo()
    assert adapter.read(tmp_path / "a").sha256 == before.sha256


def test_layers_that_the_base_has_not_are_refused(tmp_path: Path, lessons: list[Example], settings: Settings):
    with pytest.raises(TrainingError, match=r"targets: 'c_attn' is no linear layer of .*it has \['down_proj'"):
        fit(lessons, settings.model_copy(update={"targets": ["c_attn"]}), tmp_path / "a", seed=1)


def test_one_example_is_too_few(tmp_path: Path, lessons: list[Example], settings: Settings):
    with pytest.raises(TrainingError, match="1 examples are too few"):
        fit(lessons[:1], settings, tmp_path / "a", seed=1)


def test_reading_a_prefix_once_is_reading_it_in_every_row(lessons: list[Example], settings: Settings):
    learner, _ = _learner(settings, 1)
    whole = [
        Example((), e.prefix + e.ids, tuple(replace(t, place=t.place + len(e.prefix)) for t in e.targets))
        for e in lessons[:6]
    ]
    learner.language.model.float()
    object.__setattr__(learner.language, "dtype", "float32")

    def gradients(chunk: list[Example]) -> list[np.ndarray]:
        learner.loss(chunk).backward()
        found = [p.grad.numpy().copy() for p in learner.trained.values()]
        for p in learner.trained.values():
            p.grad = None
        return found

    together, apart = gradients(lessons[:6]), gradients(whole)
    assert max(np.abs(g).max() for g in apart) > 1e-3
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_weights_may_be_asked_in_their_own_way(tmp_path: Path, tiny: LanguageModel):
    own = CARD.replace(", answer: label", "").replace("about: Buys steel.", f"about: Buys steel.\n{ASKS}")
    (tmp_path / "buyer").mkdir()
    (tmp_path / "buyer/card.yaml").write_text(own)
    (tmp_path / "buyer/haggle.j2").write_text("You buy steel.\n=====\nThey offer {{ offer | eur }}\n")
    (tmp_path / "buyer/short.j2").write_text("Steel.\n=====\n{{ offer | eur }}?\n")
    card = read_card(tmp_path / "buyer/card.yaml")
    assert card.asking("untrained") is card
    question, _ = haggle([8])
    prompts = {
        grade: LanguageMind({"buyer": card.asking(grade)}, Engine(tiny), name="a", grade=grade).decide(question).trace
        for grade in ("untrained", "specialist")
    }
    assert (
        "You buy steel." in prompts["untrained"]["prompt"][0] and "A: accept" not in prompts["untrained"]["prompt"][0]
    )
    assert "8.00?" in prompts["specialist"]["prompt"][0] and "A: accept" in prompts["specialist"]["prompt"][0]


ASKS = """weights:
  specialist:
    model: tiny
    licence: Apache-2.0
    training: none
    asks:
      haggle:
        prompt: short.j2
        reads: {offer: EUR/1e6}
        fields: {act: {ask: "Answer:", answer: label}, price: {ask: "Price:", answer: label, menu: 3}}
"""


def test_a_menu_holds_the_values_that_it_is_anchored_at():
    question, _ = haggle([2, 8, 11])
    price = question.fields[1]
    card = FieldCard(ask="Price:", menu=4, anchors=["offer", "no such column"])
    menus = [menu_of(price, i, card, question)[0] for i in range(3)]
    # evenly spaced 0, 3, 6, 9; 2 and 8 take the places of 3 and 9; 11 is no legal price
    assert [[v // 1_000_000 for v in menu] for menu in menus] == [[0, 2, 6, 9], [0, 3, 6, 8], [0, 3, 6, 9]]
