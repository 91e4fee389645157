"""Smart manufacturing: suppliers, manufacturers and distributors negotiate, contract, produce, deliver and settle.

The sections are what `ecosim odd` cannot read off the code.

Purpose:
    To find what changes in prices, stocks, service and profits when the rules or models that decide for firms are
    exchanged and nothing else is: arms of a comparison meet the same demand, and the same limits in the same talks. It
    is a stylised model for comparing minds, not a forecast of an industry.

Theory:
    Firms plan each item by what they have, await, owe and expect (periodic review). Where a scenario has the phases
    `quote` and `negotiate` they trade by bilateral contracts, which they negotiate by alternating offers under private
    limits and deadlines; where it has `order` they buy each item from one standing partner. Orders that vary more than
    demand (the bullwhip effect), prices, and who gains how much by trade come out of this; none of them is put in.
    Scenarios add subjects by their keys: contracts that may be broken (`contracts`, `spot`), terms that share risk
    (`terms`), credit, failure and entry (`finance`, `entry`), machines that wear (`equipment`), outages and other
    shocks (`shocks`), transport (`transport`), news (`board`, `bulletins`), a forecaster (`forecaster`), bargaining
    over several issues (`table`). Who breaks a promise, fails, or is reached by a shock comes out of these rules too.

Scales:
    A step is a week. Distance is the weeks that goods, and orders, are on the way; where a scenario has `transport`,
    firms are at places, and lanes or vehicles with their capacity and cost lead from one to another. Money is counted
    in euros, goods in units of their kind, both exactly, in whole millionths.

Decisions:
    Firms decide what to order or make of each item, whom to ask for a quote, and every move of a negotiation; where a
    scenario has them, also whether to sign and whether to keep a contract (`contracts`), whether to maintain a machine,
    wait or look inside (`equipment`), what a bulletin says and whether to believe it (`bulletins`), which mind decides
    for them (`adoption`), and whether a customer's load waits, leaves or is expedited (`transport`). A forecaster
    (`forecaster`) is no firm: it tells subscribers what demand to expect. Cash and profit are measured; no mind is told
    to maximise them. Scripted minds follow rules of thumb of their field and do not optimise; what a language model or
    a function of a user's own pursues is its own affair. All firms of a role are asked at the same time, and each
    answers from its own row. Social norms play no part.

Sensing:
    A firm sees its own stock, orders, debts and demand, its own limit and deadline, and in a talk the offers of the
    other side; where a scenario has `negotiation.rivals` or `speech`, also the best offer of its own other talks about
    the item, and what the other side says. It never sees the limit, the deadline, the stock or the cash of another
    firm, nor a talk of others. Of other firms it knows how many of their deliveries came on time, and, where it may
    adopt a mind, the best profit of a firm of its role with each mind. A `board` shows all firms list prices, the
    trading price, and how often each seller broke its contracts, and how badly. What it sees is exact, but for two
    things: sensors of machines read wear with noise (nothing, without monitoring), and bulletins may be false; their
    sources err with chances of their own, which no firm is told.

Learning:
    No mind changes during a run, but firms may adopt others (`adoption`). Firms carry records that minds may use: the
    demand of the last weeks for each item, how many deliveries of each seller came on time, with a board also how often
    it broke contracts, and with bulletins how often each source was right.

Input:
    None beside the scenario file, unless `demand.kind` is `series`: then consumers' demand is read from a CSV or
    Parquet file of the modeller's. Else it is made by the model, from the scenario's figures.

Prediction:
    Firms expect the demand of the weeks ahead from the demand of the weeks behind; how is the mind's affair. Nobody is
    shown the future, and nobody foresees what another firm will answer; a bulletin may tell of an outage before it
    comes.

Interaction:
    Direct, between one buyer and one seller: requests, offers, contracts, deliveries, payments, penalties. Indirect:
    buyers compete for what the same seller can still promise, sellers for what the same buyer still needs, loads for
    room on vehicles and lanes. Who fails leaves creditors and customers with a loss; a shock at one firm reaches others
    by what it no longer delivers.

Collectives:
    None. A group of `firms` in a scenario shares its parameters and nothing else; its members decide alone.

Heterogeneity:
    Firms differ in role, in what the scenario gives their group (item, capacity, stock, cash, lead times, policies,
    terms), in their private limits and deadlines, which are drawn anew for each talk, and in who answers for them.
    Machines wear by lots of their own, newcomers bring cash and capacity drawn about those of their group, and a shock
    strikes whom the scenario names.
"""
