"""Smart manufacturing: suppliers, manufacturers and distributors negotiate, contract, produce, deliver and settle.

The sections are what `ecosim odd` cannot read off the code.

Purpose:
    To find what changes in prices, stocks, service and profits when the rules or models that decide for firms are
    exchanged and nothing else is: arms of a comparison meet the same demand, and the same limits in the same talks. It
    is a stylised model for comparing minds, not a forecast of an industry.

Theory:
    Firms plan each item by what they have, await, owe and expect (periodic review). Where a scenario has the phases
    `quote` and `negotiate` they trade by bilateral contracts, which they negotiate by alternating offers under
    private limits and deadlines; where it has `order` they buy from one standing partner. Orders that vary more than
    demand (the bullwhip effect), prices, and who gains how much by trade come out of this; none of them is put in.

Learning:
    No mind changes during a run. Firms carry records that minds may use: the demand of the last weeks for each item,
    and how many deliveries of each seller came on time.

Prediction:
    Firms expect the demand of the weeks ahead from the demand of the weeks behind; how is the mind's affair. Nobody is
    shown the future, and nobody foresees what another firm will answer.

Interaction:
    Direct, between one buyer and one seller: requests, offers, contracts, deliveries, payments, penalties. Indirect:
    buyers compete for what the same seller can still promise, sellers for what the same buyer still needs.

Collectives:
    None. A group of `firms` in a scenario shares its parameters and nothing else; its members decide alone.

Heterogeneity:
    Firms differ in role, in what the scenario gives their group (item, capacity, stock, cash), in their private limits
    and deadlines, which are drawn anew for each talk, and in who answers for them.
"""
