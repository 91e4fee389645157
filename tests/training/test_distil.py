import numpy as np
import pytest
from pydantic import ValidationError

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.minds.nano import NanoMind
from ecosim.models.nano.files import load
from ecosim.training import recipes
from ecosim.training.imitation import distil
from ecosim.training.imitation.distil import Spec, teacher_of
from ecosim.training.imitation.pupil import LOOK_EVERY
from ecosim.training.layouts import layout, read_layout
from ecosim.training.recipes import Seeds
from ecosim.training.schooling import Schooling
from ecosim.training.workbench import Workbench

SMALL = {
    "method": "distil",
    "hidden": 16,
    "head_hidden": 16,
    "layers": 1,
    "heads": 2,
    "questions": {"replenish": {"rows": 200}},
    "train": [{"scenario": "beer_game", "steps": 20}],
    "beta": [1.0, 0.5],
    "first": {"steps": 20, "batch": 16},
    "schooling": {"steps": 2 * LOOK_EVERY, "batch": 16, "rate": 0.01},
}


def recipe(**more):
    return Spec.model_validate({**SMALL, **more})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    bench = Workbench("distributor", "nano", Seeds(train=[1]), tmp_path_factory.mktemp("bench"), catalog.root())
    distil.data(recipe(), bench)
    distil.train(recipe(), bench, 1)
    return bench


def test_a_small_network_learns_to_order_up_to(trained):
    figures = distil.evaluate(recipe(), trained)
    assert figures["seeds.replenish.quantity"] > 0.8  # by chance it is three bins of 97
    assert figures["parameters"] < 50_000


def test_a_trained_network_answers_in_a_world(trained):
    from ecosim import api

    mind = NanoMind({"distributor": (trained.network(1), None)})
    run = api.run("beer_game", steps=10, minds={"distributor.replenish": mind})
    assert run.manifest["work_by_grade"]["nano"]["decisions"] == 30


def test_training_that_was_broken_off_ends_in_the_same_weights(trained, tmp_path):
    bench = Workbench("distributor", "nano", Seeds(train=[1]), trained.folder, catalog.root(), tick=_break_off)
    bench.seed_folder(1).rename(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        distil.train(recipe(), bench, 1)
    assert not bench.network(1).exists()
    distil.train(recipe(), trained, 1)
    whole, again = load(tmp_path / "whole" / "nano.safetensors"), load(trained.network(1))
    assert all((a == b).all() for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True))


def _break_off(done, total, words):
    assert done == LOOK_EVERY and total == 2 * LOOK_EVERY and "distributor" in words
    raise KeyboardInterrupt


def test_two_training_seeds_give_two_networks(trained):
    distil.train(recipe(schooling={"steps": 5, "batch": 8}), trained, 2)
    one, two = (load(trained.network(seed)).state_dict() for seed in (1, 2))
    assert any((one[name] != two[name]).any() for name in one)


def test_every_recipe_of_the_catalogue_fits_its_layouts():
    found = [(r, p, spec) for r in recipes.roles() for p, spec in recipes.read(r).products.items()]
    ours = [(role, spec) for role, _, spec in found if spec.method == "distil" and spec.train[0].scenario]
    assert {"supplier", "manufacturer", "distributor"} <= {role for role, _ in ours}
    for role, spec in ours:
        assert set(spec.net(role).questions) == set(spec.questions)


def test_a_scenario_that_is_taught_is_not_held_out():
    with pytest.raises(ValidationError, match="'beer_game' is taught as well"):
        recipe(held_out=[{"scenario": "beer_game", "world_seed": 9}])


def test_test_seeds_are_not_among_those_that_are_taught():
    with pytest.raises(ValidationError, match="held_out_seeds: 2 is within the 5 worlds"):
        recipe(train=[{"scenario": "beer_game", "seeds": 5}], held_out_seeds=2)


def test_an_unknown_teacher_is_named_with_those_that_there_are():
    with pytest.raises(CatalogError, match=r"distributor\.replenish: no teacher 'guru'; known: scripted, .*search"):
        teacher_of("guru", "distributor", "replenish")


def test_an_unknown_layout_is_named_with_those_that_there_are():
    with pytest.raises(CatalogError, match=r"no layout 'guess'; known: adopt, .*replenish"):
        layout("guess")


def test_a_fault_in_a_layout_has_its_line(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("tokens: {stock: {on_hand: 1}}\nfields: {quantity: {bims: 3}}\n", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"wrong\.yaml:2: fields\.quantity\.bims: unknown key"):
        read_layout(path)


def test_the_rate_rises_and_falls():
    from ecosim.training.imitation.pupil import _pace

    how = Schooling(steps=1100, warmup=100)
    assert [round(_pace(step, how), 3) for step in (0, 99, 600, 1100)] == [0.01, 1.0, 0.5, 0.0]
    assert np.isclose(_pace(100, how), 1.0)
