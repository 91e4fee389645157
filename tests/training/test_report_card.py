"""Fidelity by hand, controls that are what they say, and a gate that a noisy teacher does not pass."""

import json

import numpy as np
import pytest

from ecosim import catalog, testing
from ecosim.errors import CatalogError
from ecosim.fields import Bucket, Choice
from ecosim.training.cards import page as card_page
from ecosim.training.cards import readme as card_readme
from ecosim.training.cards import slices
from ecosim.training.cards.asking import Asked, ask, scripted
from ecosim.training.cards.boosting import Boosted
from ecosim.training.cards.controls import Majority, Noisy, epsilon_for
from ecosim.training.cards.costs import cost
from ecosim.training.cards.fidelity import ece, error_over_worlds, figures, judge, reliability, together, weight
from ecosim.training.cards.file import set_default, set_scores
from ecosim.training.cards.gate import judge as hold
from ecosim.training.cards.gate import passed
from ecosim.training.cards.grading import Bound, Grading, Judging, Sample
from ecosim.training.cards.plots import dial
from ecosim.training.cards.report_card import Product, examine, read, write
from ecosim.training.cards.thresholds import curve
from ecosim.words import Decision, Question, Table

ROLE = "distributor"
PRICES = [2_000_000, 4_000_000, 1_000_000, 5_000_000]


def question(rows=4):
    """Four members who say yes (how many?) or no; prices of 2, 4, 1 and 5 EUR."""
    n = np.arange(rows)
    return Question(
        role=ROLE,
        phase="buy",
        step=1,
        key=Table({name: n * (name == "subject") for name in ("replica", "subject", "counterpart", "item", "round")}),
        seed=np.array([1, 1, 2, 2], np.uint64)[:rows],
        mind=np.zeros(rows, np.int64),
        columns={"price": np.array(PRICES)[:rows], "limit": np.full(rows, 6_000_000)},
        units={"price": "EUR/1e6", "limit": "EUR/1e6"},
        fields=(
            Choice(name="act", options=("yes", "no"), allowed=np.ones((rows, 2), bool)),
            Bucket(
                name="quantity",
                low=np.zeros(rows, np.int64),
                high=np.full(rows, 100_000_000),
                step=np.full(rows, 1_000_000),
                unit="units/1e6",
                only_if=("act", 0),
            ),
        ),
    )


def answers(act, quantity, chance=1.0):
    n = len(act)
    numbers = np.where(np.array(quantity) < 0, -1, np.array(quantity) * 1_000_000)
    return Decision(
        answers={"act": np.array(act), "quantity": numbers},
        logp=np.log(np.broadcast_to(chance, n).astype(float)),
        margin=np.ones(n),
        flops=np.zeros(n, np.int64),
    )


TEACHER = answers([0, 0, 0, 1], [10, 20, 30, -1])
HOW = Judging(tolerance={"quantity": 0.1}, value={"quantity": ["price"], "act": ["limit - price"]})


def test_agreement_and_regret_of_four_rows_by_hand():
    """Near enough; 10 units of 4 EUR wrong; "no" where 5 EUR were at stake; "yes" where 1 EUR was."""
    mine = answers([0, 0, 1, 0], [11, 30, -1, 5])
    found = judge(question(), mine, TEACHER, HOW)
    assert found.agrees.tolist() == [True, False, False, False]
    assert found.equals.tolist() == [False, False, False, False]
    assert found.loss.tolist() == [2.0, 40.0, 5.0, 1.0]
    assert found.by_field["act"].tolist() == [1, 1, 0, 0]
    assert found.by_field["quantity"].tolist()[:2] == [1, 0] and np.isnan(found.by_field["quantity"][2:]).all()


def test_without_values_each_wrong_answer_weighs_one():
    found = judge(question(), answers([0, 0, 1, 1], [10, 21, -1, -1]), TEACHER, Judging())
    assert found.loss.tolist() == [0, 1, 1, 0]


def test_figures_beside_the_majority_answer():
    """Brier by hand: sure and right in 3 of 4 rows, so (0 + 0 + 0 + 2) / 4; the majority, at one half: 2·¼ or 1¼."""
    mine = judge(question(), answers([0, 0, 0, 0], [10, 20, 30, 5]), TEACHER, HOW)
    majority = judge(question(), answers([0, 0, 0, 0], [20, 20, 20, 20], chance=0.5), TEACHER, HOW)
    found = figures(mine, majority)
    assert (found["agreement"], found["brier"]) == (0.75, 0.5)
    assert found["skill"] == pytest.approx(1 - 0.5 / ((0.5 + 3 * 1.25) / 4))
    assert found["regret"] == 1 / 4 and found["regret_share"] == pytest.approx(1 / (20 + 0 + 10 + 1))


def test_calibration_of_four_rows_by_hand():
    chance, hit = np.array([0.95, 0.95, 0.55, 0.15]), np.array([True, False, True, False])
    assert reliability(chance, hit) == [
        (0.1, 1, 0.15, 0.0),
        (0.5, 1, pytest.approx(0.55), 1.0),
        (0.9, 2, pytest.approx(0.95), 0.5),
    ]
    assert ece(chance, hit) == pytest.approx((2 * 0.45 + 0.45 + 0.15) / 4)
    assert reliability(np.array([1.0]), np.array([True])) == [(0.9, 1, 1.0, 1.0)]


def test_rows_of_one_world_are_one_draw():
    """Two worlds, all right in one and all wrong in the other: the error of the mean is that of two draws, 0.5."""
    hit, world = np.repeat([1.0, 0.0], 50), np.repeat([1, 2], 50)
    assert error_over_worlds(hit, world) == pytest.approx(0.5)
    assert np.isnan(error_over_worlds(hit, np.ones(100)))


def test_a_value_is_a_product_of_columns_distances_and_numbers():
    assert weight(question(), ["limit - price", 2.0]).tolist() == [8.0, 4.0, 10.0, 2.0]
    with pytest.raises(CatalogError, match=r"card\.questions\.buy\.value: 'cost' is no column of one number"):
        judge(question(), TEACHER, TEACHER, Judging(value={"quantity": ["cost"]}))
    with pytest.raises(CatalogError, match=r"buy\.tolerance: no field 'units'; distributor.buy asks for act, quantity"):
        judge(question(), TEACHER, TEACHER, Judging(tolerance={"units": 0.1}))


# ---- controls, in the market -----------------------------------------------------------------------------------

PHASES = ("replenish", "negotiate")
LEARNT = [Sample(scenario="smart_manufacturing", seeds=2, steps=4)]


@pytest.fixture(scope="module")
def teacher():
    return scripted(ROLE, {"replenish": "scripted", "negotiate": "linear"})


@pytest.fixture(scope="module")
def train(teacher):
    return ask(ROLE, PHASES, LEARNT, teacher, seed=5)


def all_of(train):
    return [q for held in train.values() for q in held.questions], [d for held in train.values() for d in held.teacher]


def share(mind, asked, how=Judging()):  # noqa: B008  # it is frozen
    pairs = zip(asked.questions, asked.teacher, strict=True)
    return float(together([judge(q, mind.decide(q), d, how) for q, d in pairs]).agrees.mean())


def test_noise_disagrees_as_often_as_it_was_told_to(teacher, train):
    talks = train["negotiate"]
    assert share(Noisy(teacher, 0.0), talks) == 1.0
    wild = 1 - share(Noisy(teacher, 1.0), talks)
    epsilon = epsilon_for(0.2, wild)
    assert 1 - share(Noisy(teacher, epsilon), talks) == pytest.approx(0.2, abs=0.05)
    for question_ in talks.questions[:2]:
        testing.check_mind(Noisy(teacher, 0.5), question_, splits=(1, 5))


def test_the_majority_answer_is_the_commonest_and_legal(train):
    talks = train["negotiate"]
    mind = Majority(*all_of(train))
    acts = np.concatenate([d.answers["act"] for d in talks.teacher])
    common = int(np.bincount(acts).argmax())
    for question_ in talks.questions:
        found = testing.check_mind(mind, question_, splits=(3,))
        allowed = question_.field("act").allowed[:, common]
        assert (found.answers["act"][allowed] == common).all()


def test_boosting_learns_what_the_columns_say(train):
    boosted, majority = Boosted(*all_of(train), rounds=8), Majority(*all_of(train))
    how = Judging(tolerance={"quantity": 0.2, "price": 0.1})
    for phase in PHASES:
        assert share(boosted, train[phase], how) > share(majority, train[phase], how)
    testing.check_mind(boosted, train["negotiate"].questions[3], splits=(1, 5))


def test_the_worst_slice_is_found():
    asked = question()
    many = [asked.take(np.arange(40) % 4)]
    agrees = many[0]["price"] != 1_000_000
    found = slices.worst(many, ["a"], agrees)
    assert found == []  # ten rows each: anything happens in them
    many = [asked.take(np.arange(160) % 4)]
    agrees = many[0]["price"] != 1_000_000
    assert (found := slices.worst(many, ["a"], agrees))[0] == slices.Slice("price = 1", 40, 0.0)
    assert all(one.rows >= 30 for one in found)


def test_rows_are_spread_over_all_questions(train):
    talks = train["negotiate"]
    some = talks.most(20)
    assert some.num_rows == 20 and len(some.questions) > 3
    assert isinstance(some, Asked) and talks.most(10**6) is talks
    assert np.array_equal(TEACHER.take(np.array([1])).answers["act"], [0])


def test_costs_are_of_rows_alone_and_of_batches(teacher, train):
    found = cost(teacher, train["replenish"].questions, repeats=1)
    assert found["per_s"] >= found["per_s_at_1"] > 0 and found["best_batch"] > 1 and found["flops"] == 0


# ---- the whole, and its gate ------------------------------------------------------------------------------------

GRADING = Grading.model_validate(
    {
        "questions": {"replenish": {"tolerance": {"quantity": 0.05}, "value": {"quantity": ["price"]}}},
        "train": [{"scenario": "smart_manufacturing", "seeds": 2, "steps": 4}],
        "families": [{"scenario": "supplier_outage", "seeds": 2, "steps": 4}],
        "arenas": [
            {
                "scenario": "smart_manufacturing",
                "seeds": 6,
                "steps": 6,
                "kpis": ["fill_rate"],
            }
        ],
        "rows": 200,
        "control_rows": 200,
    }
)
GATE = {"all": {"agreement": Bound(at_least=0.9), "regret_share": Bound(at_most=0.2)}}


def product(teacher, epsilon, grade="nano"):
    return Product(
        role=ROLE,
        name="nano",
        grade=grade,
        minds={seed: Noisy(teacher, epsilon) for seed in (1, 2, 3)},
        teacher=teacher,
        parameters=1000,
        num_bytes=2000,
        phases=("replenish",),
        sha256="0" * 64,
    )


@pytest.fixture(scope="module")
def good(teacher):
    return examine(product(teacher, 0.01), GRADING, train_seed=5)


@pytest.fixture(scope="module")
def bad(teacher):
    return examine(product(teacher, 0.6), GRADING, train_seed=5)


def test_the_teacher_himself_with_hardly_a_slip_passes(good):
    criteria = hold(good, GATE)
    assert len(criteria) == 4 and passed(criteria) == {"replenish": True}, [c.told for c in criteria]


def test_a_noisy_teacher_fails_and_is_told_why(bad):
    criteria = hold(bad, GATE)
    assert passed(criteria) == {"replenish": False}
    told = [c.told for c in criteria if not c.holds]
    assert any(line.startswith("FAIL  replenish: agreement = 0.") and line.endswith("≥ 0.9") for line in told)


def test_every_control_and_both_ways_to_swap_seats_are_in_the_report(good):
    assert set(good["tables"]["replenish"]["controls"]) == {"noisy", "boosted", "majority"}
    (arena,) = good["arenas"]
    assert list(arena["arms"]) == ["all seats", "one seat", "noisy", "boosted", "majority"]
    assert arena["arms"]["all seats"]["fill_rate"]["trainings"] == 3
    assert arena["arms"]["all seats"]["fill_rate"]["worlds"] == 6
    assert "own_cash_eur" in arena["arms"]["one seat"]
    assert good["questions"]["replenish"]["families.rows"] > 0


def test_a_language_model_must_beat_boosting(good):
    as_language = {**good, "grade": "specialist"}
    figures_of = {**good["questions"]["replenish"], "over_boosted_low": -0.01}
    equal = {**as_language, "questions": {"replenish": figures_of}}
    assert not passed(hold(equal, GATE))["replenish"]
    assert passed(hold(as_language, GATE))["replenish"] == (good["questions"]["replenish"]["over_boosted_low"] > 0)
    assert passed(hold({**equal, "grade": "nano"}, GATE))["replenish"]


def test_a_bound_on_what_is_not_there_and_a_question_without_an_arena_fail(good):
    lines = hold({**good, "arenas": []}, {"all": {"charm": Bound(at_least=1)}})
    assert [(c.figure, c.holds) for c in lines] == [("trainings", True), ("charm", False), ("arenas", False)]


def test_a_product_with_fewer_trainings_than_its_recipe_has_seeds_fails(good):
    assert passed(hold(good, GATE, trainings=good["trainings"]))["replenish"]
    lines = hold(good, GATE, trainings=good["trainings"] + 1)
    assert [c.figure for c in lines if not c.holds] == ["trainings"]


def test_reports_are_kept_by_product_and_shown(good, bad, tmp_path):
    write(tmp_path, good)
    write(tmp_path, {**bad, "product": "other"})
    found = read(tmp_path)
    assert list(found) == ["nano", "other"] and found["nano"] == json.loads(json.dumps(good))
    page = card_page.html({**good, "gate": [c.as_dict() for c in hold(good, GATE)]})
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert page.count("<svg") == 2 and "fill rate" in page
    readme = tmp_path / "README.md"
    readme.write_text("# x\n\nWords.\n")
    card_readme.write(readme, found)
    once = readme.read_text()
    card_readme.write(readme, found)
    assert readme.read_text() == once and once.startswith("# x\n\nWords.\n") and "| `replenish` |" in once
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(CatalogError, match=r"report.json: not a report"):
        read(tmp_path)


CARD = """# How it is asked.
role: {role}
about: Buys.
licence: Apache-2.0
weights:         # made by recipes
  other:         # not ours
    {{model: nano, licence: Apache-2.0, training: elsewhere}}
  nano: {{model: nano, adapter: nano.safetensors, licence: Apache-2.0, training: recipe, answers: [replenish]}}

questions:   # all of them
  replenish:
    reads: {{on_hand: units/1e6}}
    fields:
      quantity: {{ask: "Quantity:"}}
"""


def test_a_card_takes_scores_and_defaults_and_keeps_its_comments(tmp_path):
    folder = tmp_path / "buyer"
    folder.mkdir()
    path = folder / "card.yaml"
    path.write_text(CARD.format(role="buyer"))
    set_scores(path, "nano", {"replenish.agreement": 0.97})
    set_default(path, {"replenish": "nano"})
    card = catalog.read_card(path)
    assert card.default == {"replenish": "nano"} and card.weights["nano"].scores == {"replenish.agreement": 0.97}
    text = path.read_text()
    for comment in (
        "# How it is asked.",
        "questions:   # all of them",
        "# made by recipes",
        "  other:         # not ours",
    ):
        assert comment in text
    set_scores(path, "nano", {"replenish.agreement": 0.5})
    assert catalog.read_card(path).weights["nano"].scores == {"replenish.agreement": 0.5}
    set_default(path, {})
    assert catalog.read_card(path).default == {}
    before = path.read_text()
    with pytest.raises(CatalogError, match="no weights 'third'"):
        set_default(path, {"replenish": "third"})
    assert path.read_text() == before and [p.name for p in folder.iterdir()] == ["card.yaml"]
    with pytest.raises(CatalogError, match="weights: no 'third'; the card has other, nano"):
        set_scores(path, "third", {})


class Doubts:
    """The teacher's answers but where the price is odd, where it knows that it is not sure."""

    name, grade, fingerprint = "doubts", "nano", "doubts"

    def decide(self, question):
        is_odd = question["price"] // 1_000_000 % 2 == 1
        found = answers(np.where(is_odd, 1, 0), np.where(is_odd, -1, 10))
        margin = np.where(is_odd, 0.5, 3.0)
        return Decision(answers=found.answers, logp=found.logp, margin=margin, flops=np.full(len(margin), 10))


class Knows:
    name, grade, fingerprint = "knows", "specialist", "knows"

    def decide(self, question):
        n = question.num_rows
        found = answers(np.zeros(n, np.int64), np.full(n, 10))
        return Decision(answers=found.answers, logp=found.logp, margin=np.ones(n), flops=np.full(n, 1000))


def test_a_dial_from_nobody_asked_twice_to_all_who_doubt():
    """Prices 2, 4, 1, 5: half are odd; the truth is to buy 10 of each."""
    truth = Knows().decide(question())
    rows = curve(
        Doubts(), Knows(), Asked(questions=[question()], teacher=[truth], scenarios=["a"]), Judging(), [0, 1, 4]
    )
    assert [row["asked"] for row in rows] == [0.0, 0.5, 1.0]
    assert [row["agreement"] for row in rows] == [0.5, 1.0, 1.0]
    assert [row["flops"] for row in rows] == [10.0, 510.0, 1010.0]
    assert [row["loss"] for row in rows] == [0.5, 0.0, 0.0]
    assert "<svg" in dial(rows, "agreement")
