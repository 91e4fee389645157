"""Whatever firms answer and whatever befalls them: money and goods are conserved, and a contract has one life."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ecosim import simulate
from ecosim.exact import MILLION, value
from ecosim.manufacturing.register import CANCELLED, EXECUTED, KEY, find, nullify
from ecosim.simulate import Arm
from ecosim.validate.minds import anything_legal

MINDS = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)
NUM_FIRMS, NUM_REPLICAS = 10, 2
OUTSIDE = {"firms": "distributor", "item": "pump", "units": 0, "units_to": 9, "price_eur": 50.0}
MINE = {"firms": "pump_maker", "item": "steel", "units": 0, "units_to": 20, "price_eur": 5.0}
LAWS = st.fixed_dictionaries(
    {
        "grace_weeks": st.integers(0, 2),
        "penalty_share": st.sampled_from([0.0, 0.3, 1.0]),
        **{name: st.booleans() for name in ("cure", "signing", "refusal", "cash_on_delivery")},
    }
)
MORE = st.fixed_dictionaries(
    {
        "lead_time_weeks": st.integers(0, 2),
        "late_penalty_share": st.sampled_from([0.0, 0.5]),
        "spot": st.sampled_from([{}, {"cover_share": 1.0, "sell_above_weeks": 1}]),
        "perish": st.sampled_from([None, {"items": ["steel"], "disposal_share": 0.5}, {"items": ["steel", "pump"]}]),
        "exogenous": st.sampled_from([None, {"sales": [OUTSIDE, OUTSIDE], "supplies": [MINE], "shortfall_share": 1.0}]),
    }
)


def keys(table):
    """The contracts that a table's rows are about."""
    week = table["signed_week"] if "signed_week" in table else np.zeros(table.num_rows, int)
    return list(zip(*(table[name].tolist() for name in KEY[:-1]), week.tolist(), strict=True))


class Market(RuleBasedStateMachine):
    """Ten firms in two replicas; between two weeks they may lose what they have, find something, or go bankrupt."""

    @initialize(law=LAWS, more=MORE, seed=st.integers(0, 99))
    def open_market(self, law, more, seed):
        facts = simulate.load_scenario("broken_promises").model_dump(exclude_unset=True)
        facts |= {"contracts": law, **more, "seeds": NUM_REPLICAS, "world_seed": seed, "mind_seed": seed, "steps": 99}
        facts = {name: fact for name, fact in facts.items() if fact is not None and name != "phases"}
        facts = simulate.load_scenario("broken_promises").__class__.model_validate(facts)
        self.world, _, self.recorder = simulate.prepare(facts, [Arm(name="all", minds=MINDS)])
        self.net = self.world.phases[0].net
        self.signed, self.ended, self.gone = {}, {}, set()

    def firm(self, replica, member):
        return self.world.ledger.rows(np.array([replica]), np.array([member]))

    @rule()
    def a_week_passes(self):
        self.world.step()
        events = self.recorder.close_step(self.world.steps)
        self.note_signed(events["contracts"])
        self.note_deliveries(events["deliveries"])
        self.note_ended(events["contract_ends"])
        self.check_spot(events["spot"])

    def note_signed(self, contracts):
        contracts["signed_week"] = np.full(contracts.num_rows, self.world.steps)
        for key, price, units in zip(keys(contracts), contracts["price"], contracts["quantity"], strict=True):
            assert key not in self.signed, "signed twice"
            assert not self.gone & {key[:2], (key[0], key[2])}, "a bankrupt firm signs nothing"
            self.signed[key] = (price, units)

    def note_deliveries(self, come):
        """Nobody pays for what has not come, and nobody pays another price than the one that was signed."""
        for key, units, paid in zip(keys(come), come["quantity"], come["paid"], strict=True):
            price = self.signed[key][0] if key in self.signed else 0
            assert paid == value(price, units)

    def note_ended(self, ends):
        for i, key in enumerate(keys(ends)):
            assert key not in self.ended, "ended twice"
            assert (key in self.signed) == (ends["fate"][i] != CANCELLED), "cancelled is what was not signed"
            assert 0 <= ends["level"][i] <= 1 and 0 <= ends["delivered"][i] <= ends["quantity"][i]
            assert (ends["delivered"][i] == ends["quantity"][i]) or ends["fate"][i] != EXECUTED
            self.ended[key] = ends["fate"][i]

    def check_spot(self, spot):
        assert (spot["quantity"] >= MILLION).all()
        assert (spot["paid"] == value(spot["price"], spot["quantity"])).all()

    @rule(
        replica=st.integers(0, NUM_REPLICAS - 1),
        member=st.integers(0, NUM_FIRMS - 1),
        share=st.sampled_from([0.5, 1.0]),
    )
    def a_firm_loses_goods_and_cash(self, replica, member, share):
        ledger, row = self.world.ledger, self.firm(replica, member)
        nature = ledger.outside("nature", np.array([replica]))
        has = np.maximum(ledger.accounts["balance"][row[0]], 0)
        ledger.pay("interventions", np.array([round(has[0] * share)]), row, nature)
        for asset in range(1, len(ledger.assets)):
            ledger.move(asset, np.array([int(has[asset] * share) // MILLION * MILLION]), row, nature)

    @rule(replica=st.integers(0, NUM_REPLICAS - 1), member=st.integers(0, NUM_FIRMS - 1), eur=st.integers(0, 5000))
    def a_firm_finds_cash(self, replica, member, eur):
        ledger = self.world.ledger
        nature = ledger.outside("nature", np.array([replica]))
        ledger.pay("interventions", np.array([eur * MILLION]), nature, self.firm(replica, member))

    @precondition(lambda self: self.world.steps > 0)
    @rule(replica=st.integers(0, NUM_REPLICAS - 1), member=st.integers(0, NUM_FIRMS - 1))
    def a_firm_goes_bankrupt(self, replica, member):
        firms = self.world.tables["firms"]
        members = (firms["replica"] == replica) & (firms["member"] == member)
        if "is_active" in firms:
            firms["is_active"][members] = False
            self.gone.add((replica, member))
        self.note_ended(nullify(self.world, self.net, members)["contract_ends"])
        contracts = self.world.tables["contracts"]
        assert not ((contracts["replica"] == replica) & (contracts["buyer"] == member)).any()

    @invariant()
    def nothing_comes_from_nothing(self):
        assert self.world.ledger.faults() == {}
        assert self.world.is_live.all(), self.world.tables["replicas"]["fault"]

    @invariant()
    def every_contract_is_accounted_for(self):
        """Signed is what was delivered, will be, or will not; and only contracts that have not ended are open."""
        register = self.world.tables["register"]
        assert set(keys(register)) == set(self.signed) - set(self.ended)
        sums = register["delivered"] - register["cured"]
        sums = sums + sum(register[name] for name in ("missing", "unpaid", "refused", "void"))
        for name, column in (("contracts", "open"), ("shipments", "quantity")):
            table = self.world.tables[name]
            rows = find(register, table)
            bought = table["buyer"] != table["seller"]
            assert (rows[bought] >= 0).all()
            np.add.at(sums, rows[bought], table[column][bought])
        assert (sums == register["quantity"]).all()

    @invariant()
    def what_is_awaited_is_open_or_on_its_way(self):
        positions = self.world.tables["positions"]
        found = np.zeros(positions.num_rows, np.int64)
        for name, column in (("contracts", "open"), ("shipments", "quantity")):
            rows = self.world.tables[name]
            place = self.net.position_row(rows["replica"], rows["buyer"], rows["item"])
            np.add.at(found, place, rows[column])
        assert (found == positions["on_order"]).all()
        assert (positions["room"] >= 0).all() and (positions["owed"] >= 0).all()


@pytest.mark.slow
def test_money_goods_and_contracts_stay_in_order_whatever_happens():
    from hypothesis.stateful import run_state_machine_as_test

    limits = settings(
        max_examples=15,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(Market, settings=limits)
