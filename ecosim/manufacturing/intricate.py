"""The stock of wordings `intricate`: texts of worlds that fool readers of single words. No reader is trained on it."""

from __future__ import annotations

from ecosim.manufacturing.wordings import Wordings

INTRICATE = Wordings(
    hedges=(
        "",
        "",
        "",
        "If our man at the gate is right, ",
        "Nobody has signed this yet, but ",
        "As it looks at present, ",
        "We would not swear to it: ",
        "With the usual caution, ",
    ),
    claims={
        "outage": (
            "{firm} halts its presses {when} and keeps them still for {weeks}",
            "the furnaces of {firm} go cold {when}; expect {weeks} of silence",
            "engineers will tear open the lines of {firm} {when}, and {item} has to wait for {weeks}",
            "from {firm} comes no {item} for {weeks}, beginning {when}",
            "the union calls the crew of {firm} out {when}, for {weeks}",
            "the boiler inspector seals {firm} {when}, and it takes {weeks} to open again",
            "at {firm} the gates stay locked for {weeks}; the last shift leaves {when}",
            "{firm} sends its people home {when} and calls them back {weeks} later",
            "a flood drill takes {firm} out of service {when}, for {weeks}",
            "whoever needs {item} from {firm} should know that it pauses {when}, for {weeks}",
        ),
        "recall": (
            "{firm} takes its {item} back from the shelves {when}",
            "cracks in {item}: {firm} will pulp what it has in store {when}",
            "the safety board has {firm} empty a hall of {item} {when}",
            "{firm} writes off spoiled {item} {when}",
            "a bad batch of {item} leaves the stock of {firm} for the dump {when}",
        ),
        "late": (
            "your {quantity} {item} are stuck at {firm}; count on them {when}",
            "{firm} begs your patience: {quantity} {item} arrive {when}, past week {due}",
            "the truck with {quantity} {item} from {firm} reaches you {when} only",
        ),
        "short": (
            "{firm} could load just some of your {item}; the remaining {quantity} follow {when}",
            "{quantity} of your {item} did not fit: {firm} brings them {when}",
        ),
        "more": (
            "{firm} would like {quantity} {item} on top, to be had {when}",
            "please put aside a further {quantity} {item} for {firm} {when}",
        ),
        "clause": (
            "hereby {firm} promises {quantity} {item} by {week}, price {price} EUR apiece, forfeit {penalty} % a week",
            "agreed: {firm} hands over {quantity} {item} in {week}; a week of delay costs it {penalty} % of {price} EUR"
            " a piece",
        ),
        "surge": ("shops near {firm} will be stormed {when}, for {weeks}", "orders at {firm} double {when}"),
        "closure": (
            "the bridge to {firm} is barred {when} and for {weeks}",
            "farmers park their tractors before {firm} {when}, for {weeks}",
        ),
        "delay": ("trains from {firm} crawl {when}, for {weeks}", "fog slows what {firm} ships {when}"),
        "cost_jump": (
            "{firm} will pay far more to make {item} {when}",
            "a new tax bites makers of {item} {when}, {firm} first",
        ),
        "value_jump": (
            "the price list for {item} of {firm} is rewritten {when}",
            "{item} of {firm} will fetch another price {when}",
        ),
    },
    twists={
        "outage": (
            "no appeal could stop it: {firm} closes its works {when}, for {weeks}",
            "{other} does not close, {firm} does, {when} and for {weeks}",
            "{firm} no longer denies it: its lines rest {when}, for {weeks}",
            "it is not {other} but {firm} whose works stand still {when}, for {weeks}",
            "the talks failed and nobody will work at {firm} {when}, for {weeks}",
            "there is no way around it, {firm} must shut down {when} for {weeks}",
            "do not expect a thing from {firm} for {weeks}: it closes {when}",
            "{firm} has not called off its shutdown; it comes {when} and lasts {weeks}",
        ),
        "recall": (
            "it is not {other} but {firm} that has to scrap {item} {when}",
            "{firm} cannot save its {item}: a part is thrown out {when}",
            "no test helped, {firm} destroys {item} {when}",
            "{firm} no longer denies that it pulls {item} back {when}",
        ),
        "late": ("{firm} will not make week {due}; {quantity} {item} turn up {when}",),
        "short": ("not all {item} got on the truck of {firm}: {quantity} are to follow {when}",),
        "more": ("{firm} cannot get enough: it wants {quantity} {item} beyond the contract {when}",),
    },
    denials={
        "outage": (
            "{firm} will not close {when}, contrary to rumours",
            "{firm} laughs at the tale that its presses rest {when}",
            "the stop that {firm} had planned to begin {when} was cancelled",
            "{firm} produces without a break, also {when}",
            "the crew of {firm} voted against a walkout {when}",
            "somebody made up that {firm} closes {when}",
            "whatever you heard, the furnaces of {firm} burn on {when}",
            "the shutdown of {firm}, once set to begin {when}, is off the table",
            "not a single line of {firm} rests {when}",
            "that {firm} goes dark {when} is a hoax",
        ),
        "recall": (
            "{firm} keeps all its {item} on the shelves {when}, contrary to rumours",
            "the {item} of {firm} passed every test, and nothing is scrapped {when}",
            "that {firm} pulls {item} back {when} is a hoax",
            "{firm} cancelled the return of {item} that was set to begin {when}",
        ),
        "late": (
            "your {item} from {firm} come in week {due} as promised, whoever says otherwise",
            "{firm} is on time with {quantity} {item}",
        ),
        "short": ("{firm} loaded every one of your {item}", "of your {item} at {firm} nothing stays behind"),
        "more": (
            "{firm} is content with the {item} that it has ordered",
            "{firm} takes back its wish for {quantity} more {item}",
        ),
        "surge": ("no crowd is coming to {firm} {when}",),
        "closure": ("the bridge to {firm} stays open {when}",),
        "delay": ("trains from {firm} run on time {when}",),
        "cost_jump": ("making {item} costs {firm} no more {when} than today",),
        "value_jump": ("the price list for {item} of {firm} stands {when}",),
    },
    idle=(
        "{firm} hires a new cook for its canteen",
        "the shutdown of {firm} ended months ago and the shelves are full of {item}",
        "{firm} paints its halls green",
        "the boss of {firm} retires after thirty years with {item}",
        "a film about the great fire of {firm} wins a prize",
        "{firm} and {other} play football for charity",
        "pupils learn at {firm} how {item} is made",
        "the shares of {firm} stand where they stood",
    ),
    leads=("business as ever at {other}; ", "Leaving aside {other}, ", "{other} has no part in it: "),
    asides=("; at {other} all is well", ", which leaves {other} untouched", "; ask {other} instead"),
    disputed=(
        "{claim}; the {rival} swears that this is wrong",
        "{claim}, a story that the {rival} rejects",
        "{claim}. The {rival} begs to differ",
        "in spite of what the {rival} tells you, {claim}",
    ),
    refuted=(
        "the {rival} would have you know that {claim}; we found nothing of the sort",
        "{claim}, says the {rival}, and is mistaken",
        "pay no heed to the {rival}, by which {claim}",
        "only the {rival} believes that {claim}; it is made up",
    ),
    whens=("in week {week}", "as of week {week}", "{ahead} from now", "in {ahead}' time"),
    next_week=("in the coming week", "a week from now"),
)
