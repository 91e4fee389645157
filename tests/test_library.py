"""The laws hold for every scenario of the library, with whatever subjects its world has."""

import pytest

import ecosim
from ecosim import catalog, reading, simulate, testing
from ecosim.arms import Arm, Manner
from ecosim.record.store import Folder, Memory

GOLDEN = {
    "bargaining_table": "00890734215d6ea9",
    "beer_game": "d1f26e4a1a3e10f6",
    "broken_promises": "1432eff6f756d5c7",
    "collaboration": "071c0b7cd4cfb9b5",
    "contract_types": "b89f8620bf1c7b0a",
    "creator_community": "100a601cc5f29966",
    "delivery_scheduling": "8482c069af51b67f",
    "demand_forecaster": "780df8ef2c654ded",
    "early_warning": "5c73ba3e1497840a",
    "feed_comparison": "fffeaea662d45262",
    "human_share": "58ee11b9c1555fb7",
    "learning_feed": "f2ebf997af08d046",
    "maintenance_or_not": "56233a98bbc8fcaf",
    "model_collapse": "ddf0b2e3aaba3a2b",
    "moderation_on_device": "d15a402186d1988b",
    "music_lab": "6146535eb4a2ed9a",
    "open_market_entry": "6c04356c4709dded",
    "polya_feed": "c48eb81b1192fad7",
    "revenue_sharing": "f08d2bc6e6292951",
    "rumour_mill": "9b69f1b3cdce822f",
    "smart_manufacturing": "976d5369b4ab12ee",
    "supplier_outage": "5b723277ce5fdefd",
    "supply_network": "9207073f5b366e42",
    "talking_market": "991dcdfb9ffc6573",
    "tired_viewers": "af4c0962a7150fca",
    "trend_shock": "7d02fea9ecce713c",
    "trial_offer": "e55be83857ae01d3",
    "word_of_mouth": "7e29ca352f5c1665",
}
"""Digest prefixes of replica 0 after 6 steps, scripted. A change of the rules changes them; its commit says so."""

STEPS = 6


def facts(name):
    return simulate.load_scenario(name).with_changes(seeds=2, steps=STEPS)


def test_the_library_has_these_scenarios():
    assert sorted(path.stem for path in (catalog.root() / "scenarios").glob("*.yaml")) == sorted(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_replica_has_its_golden_digest_among_others_and_alone(name):
    digests = testing.check_alone(name, seeds=2, steps=STEPS)
    assert digests[0][:16] == GOLDEN[name]


@pytest.mark.parametrize("name", GOLDEN)
def test_ask_never_writes_and_asks_the_same_again(name):
    world, _, _ = simulate.prepare(facts(name), [Arm(name="all")])
    world.step()
    for phase in world.phases:
        testing.check_phase(phase, world)


@pytest.mark.parametrize("name", GOLDEN)
def test_arms_with_other_minds_meet_bit_equal_worlds(name):
    """In every seat the last of the experts that may sit there, in place of the first."""
    experts = reading.side(facts(name).world).experts
    others = Arm(name="others", minds={question: list(known)[-1] for question, known in experts.items()})
    done = simulate.simulate(facts(name), [Arm(name="usual"), others], Memory()).manifest
    assert done["exogenous_digests"][:2] == done["exogenous_digests"][2:]
    assert not done["faults"]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_run_that_was_stopped_goes_on_to_the_same_digest(name, tmp_path):
    def stop(underway):
        if underway.steps_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate.simulate(
            facts(name), [Arm(name="all")], Folder(tmp_path / "run"), Manner(snapshot_steps=2, watch=stop)
        )
    resumed = ecosim.resume(tmp_path / "run").manifest
    assert resumed["digests"] == testing.run_digests(name, seeds=2, steps=STEPS).manifest["digests"]
