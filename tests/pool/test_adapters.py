"""Adapters beside each other over one base. Bits were observed on x86-64 Intel processors with AVX512 and AMX (Linux,
torch 2.13 CPU, MKL_CBWR=AVX512,STRICT), 1 and 2 threads; where the start-up probe says no, these tests are skipped.
"""

import random
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from ecosim.errors import CatalogError
from ecosim.models.adapter import read, write_random
from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.pool.probe import probe
from ecosim.pool.talk import Ask, Pick, Scores, Script, Talk, Write

PREFIX = "You buy steel. Reply with one word.\n"
ACTS = (" accept", " counter", " reject")
NAMES = ("", "bold", "meek", "wide")


@pytest.fixture(scope="session")
def adapters(tiny, tmp_path_factory):
    return made(tiny, tmp_path_factory.mktemp("adapters"))


def made(language: LanguageModel, folder):
    """Three adapters, one of another rank and of fewer layers."""
    shapes = {"bold": {"rank": 8}, "meek": {"rank": 8}, "wide": {"rank": 16, "targets": ("q_proj", "v_proj")}}
    return {
        name: read(write_random(folder / name, language.model, seed=seed, size=0.1, **shape))
        for seed, (name, shape) in enumerate(shapes.items())
    }


def engine_with(language, adapters, *args, **kwargs) -> Engine:
    engine = Engine(language, *args, **kwargs)
    for name, adapter in adapters.items():
        engine.add_adapter(name, adapter)
    return engine


def script(i: int, labels, found) -> Script:
    uniforms = np.random.default_rng(i).random(4)
    found[i] = [(yield Ask("Answer:", ACTS))]
    if i % 3:
        found[i].append((yield Ask(" counter\nPrice:", tuple(f" {8 + k}.{i % 10}0\n" for k in range(2 + i % 4)))))
        found[i].append((yield Pick("A: 1\nB: 2\nWeek:", labels[: 2 + i % 2])))
        found[i].append((yield Write(" 9.00\nTitle:", 4, 0.8, uniforms)))


def played(engine: Engine, rows, adapter_of) -> dict[int, list[object]]:
    found: dict[int, list[object]] = {}
    talks = [
        Talk(PREFIX, f"Round {i}: {5 * i} EUR.{' Low.' * (i % 3)}", script(i, engine.labels, found), adapter_of(i))
        for i in rows
    ]
    engine.run(talks)
    return found


def plain(found):
    return {
        i: [(r.sums.tobytes(), r.flops) if isinstance(r, Scores) else r for r in row]
        for i, row in sorted(found.items())
    }


def same_bits_mixed_or_not(language: LanguageModel, adapters, rows: int) -> None:
    if not probe(Engine(language))["same_bits"]:
        pytest.skip("this machine does not give rows the same bits in any batch; the manifest says so")
    order, adapter_of = list(range(rows)), lambda i: NAMES[i % 4]
    engine = engine_with(language, adapters, memo=0)
    reference = plain(played(engine, order, adapter_of))
    assert engine.drain_batches()["adapters"].max() == 4, "this test needs mixed batches"
    base = plain(played(Engine(language, memo=0), order, lambda i: ""))
    assert all((reference[i] == base[i]) == (adapter_of(i) == "") for i in order)
    for name in NAMES:  # each adapter by itself
        own = [i for i in order if adapter_of(i) == name]
        assert plain(played(engine, own, adapter_of)) == {i: reference[i] for i in own}, name
    shuffled = random.Random(5).sample(order, rows)
    for limit, some in ((64, shuffled), (7, shuffled), (1, order)):
        engine.batch_limit = limit
        assert plain(played(engine, some, adapter_of)) == reference, f"batch limit {limit}"


def test_rows_have_the_same_bits_grouped_or_mixed_or_alone(tiny, adapters):
    same_bits_mixed_or_not(tiny, adapters, rows=28)


@pytest.mark.model
@pytest.mark.slow
def test_rows_of_the_base_model_have_the_same_bits_grouped_or_mixed_or_alone(tmp_path):
    language = load(BASE, device="cpu")
    same_bits_mixed_or_not(language, made(language, tmp_path), rows=8)


def test_an_adapter_gives_what_weights_with_its_product_added_would(tiny, adapters):
    """The reference: W + scaling · B A written into a copy of the model; scores agree within float32 sums."""
    adapter = adapters["bold"]
    merged = deepcopy(tiny.model)
    for name, (a, b) in adapter.layers.items():
        merged.get_submodule(name).weight += adapter.scaling * b @ a
    (expected,) = Engine(replace(tiny, model=merged)).score(PREFIX, ["Round 1"], [ACTS])
    engine = engine_with(tiny, adapters)
    (found,) = engine.score(PREFIX, ["Round 1"], [ACTS], adapter="bold")
    (base,) = engine.score(PREFIX, ["Round 1"], [ACTS])
    assert found.sums == pytest.approx(expected.sums, abs=1e-4)
    assert np.abs(found.sums - base.sums).max() > 0.01


def test_many_rows_of_one_adapter_have_batches_of_their_own_and_few_are_mixed(tiny, adapters):
    engine = engine_with(tiny, adapters)
    names = ["bold"] * 8 + ["meek"] * 3 + [""] * 2
    engine.run([Talk(PREFIX, f"Round {i:02}", asked_once(), name) for i, name in enumerate(names)])
    log = engine.drain_batches()
    scored = log.take(log["kind"] == "score")
    assert sorted(zip(scored["rows"].tolist(), scored["adapters"].tolist(), strict=True)) == [(5, 2), (8, 1)]
    assert (log["kind"] == "prefix").sum() == 3  # one a prefix and adapter


def asked_once() -> Script:
    yield Ask("Answer:", ACTS)


def test_the_nominal_cost_of_a_row_includes_its_adapter(tiny, adapters):
    """Two operations a parameter and token."""
    engine = engine_with(tiny, adapters)
    (base,), (bold,) = (engine.score(PREFIX, ["Round 1"], [ACTS], adapter=name) for name in ("", "bold"))
    tokens = len(engine.ids(["Round 1"])[0]) + len(engine.frame.close)
    inner = sum(len(ids) - 1 for ids in engine.ids(ACTS))  # at most: options may share their beginnings
    extra = (bold.flops - base.flops) / (2 * adapters["bold"].num_parameters)
    assert tokens <= extra <= tokens + inner and extra == int(extra)


def test_the_model_is_as_before_when_an_adapter_has_answered(tiny, adapters):
    engine = engine_with(tiny, adapters, memo=0)
    before = engine.score(PREFIX, ["Round 1"], [ACTS])
    engine.score(PREFIX, ["Round 1"], [ACTS], adapter="bold")
    assert not any(module._forward_hooks for module in tiny.model.modules())
    assert engine.score(PREFIX, ["Round 1"], [ACTS])[0].sums.tolist() == before[0].sums.tolist()


def test_a_name_given_again_means_the_new_adapter(tiny, adapters):
    engine = engine_with(tiny, {"one": adapters["bold"]})
    first = engine.score(PREFIX, ["Round 1"], [ACTS], adapter="one")
    engine.add_adapter("one", adapters["meek"])
    (second,) = engine.score(PREFIX, ["Round 1"], [ACTS], adapter="one")
    assert second.sums.tolist() != first[0].sums.tolist()
    assert engine.stats.memo_hits == 0


def test_an_unknown_adapter_is_an_error(tiny, adapters):
    engine = engine_with(tiny, adapters)
    with pytest.raises(CatalogError, match="adapter 'boldd' was not added to this engine; known: 'bold', 'meek'"):
        engine.score(PREFIX, ["Round 1"], [ACTS], adapter="boldd")
    with pytest.raises(ValueError, match="an adapter needs a name"):
        engine.add_adapter("", adapters["bold"])
