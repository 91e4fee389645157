"""The wordings that readers are trained on. No world uses them: those of worlds are in `manufacturing`."""

from __future__ import annotations

from ecosim.manufacturing.wordings import Wordings

_OUTAGES = (
    "{firm} will cease production {when} for {weeks}",
    "{firm} is going to stand idle {when}, for {weeks}",
    "workers walk out at {firm} {when}; the dispute should take {weeks}",
    "a breakdown stops {firm} {when}, repairs need {weeks}",
    "{firm} plans a shutdown {when} that lasts {weeks}",
    "for {weeks} {firm} will ship no new {item}, as its plant is closed {when}",
    "the plant of {firm} is to be overhauled {when} and makes nothing for {weeks}",
    "{firm} lays off its shifts {when}, for {weeks}",
    "output of {item} at {firm} falls to zero {when} and stays there for {weeks}",
    "{firm} has to switch off its machines {when}; {weeks} will pass before they run again",
    "the authorities order {firm} to stop {when}, for {weeks}",
    "without gas {firm} cannot work: a stop of {weeks} begins {when}",
    "{item} will be scarce, for {firm} is down {when} and for {weeks}",
    "{firm} moves its machines to a new hall {when}, which costs it {weeks} of output",
    "customers of {firm} were told of a pause in production {when}, of {weeks}",
    "a strike at {firm} is set for {weeks} and starts {when}",
    "{firm} suspends work {when}; it resumes after {weeks}",
    "flooding will keep {firm} shut for {weeks}, starting {when}",
    "the main press of {firm} is taken apart {when}, and for {weeks} there is no {item}",
    "{firm} declares an outage {when} which is to last {weeks}",
    "no {item} will be made at {firm} for {weeks}, the first of them {when}",
    "expect {firm} to be offline {when}, for {weeks}",
    "lack of staff forces {firm} to close {when} for {weeks}",
    "the owner shuts {firm} {when}, and for {weeks} nobody works there",
    "{firm} loses its power line {when} and with it {weeks} of production",
    "{firm} runs dry {when}: no {item} for {weeks}",
)
_OUTAGE_TWISTS = (
    "nothing can keep {firm} from closing {when}, for {weeks}",
    "{firm}, not {other}, will stop {when} for {weeks}",
    "{other} keeps working, but {firm} stops {when}, for {weeks}",
    "{firm} takes back its denial: production ends {when} for {weeks}",
    "there is no doubt that {firm} is down {when}, for {weeks}",
    "the strike at {firm} was not averted; it begins {when} and lasts {weeks}",
    "{firm} cannot avoid a stop {when}, of {weeks}",
    "the closure of {firm} is not off: it comes {when}, for {weeks}",
    "unlike {other}, which denies any trouble, {firm} shuts down {when} for {weeks}",
    "not only rumour: {firm} really halts {when}, for {weeks}",
    "{firm} did not find another way and stops its lines {when}, for {weeks}",
    "{other} has called off its strike, {firm} has not: it stops {when}, for {weeks}",
    "it is false that {firm} keeps running: it rests {when}, for {weeks}",
    "nobody will be at the machines of {firm} {when}, for {weeks}",
    "that all is well at {firm} is untrue; it closes {when} for {weeks}",
    "no repair came in time, so {firm} goes down {when}, for {weeks}",
)
_OUTAGE_DENIALS = (
    "{firm} will not stop {when}",
    "{firm} rejects reports that it closes {when}",
    "it is untrue that {firm} shuts down {when}",
    "the strike at {firm} planned to start {when} has been averted",
    "{firm} works on {when}, although some say that it closes",
    "there will be no stop at {firm} {when}",
    "production at {firm} goes on as usual {when}, against all rumours",
    "{firm} has found new gas and need not close {when}",
    "the overhaul of {firm} that was due {when} has been dropped",
    "nothing stops {firm} {when}",
    "a spokesman calls the closure of {firm} {when} an invention",
    "{firm} says it is not going to pause {when}",
    "talk that {firm} lays off its shifts {when} has no basis",
    "{firm} and its union made peace, so work continues {when}",
    "the breakdown feared at {firm} {when} will not happen",
    "the closure of {firm} {when} is cancelled",
    "no machine of {firm} will stand still {when}",
    "{firm} stays open {when}",
    "who says that {firm} is down {when} is wrong",
    "{firm} will run at full speed {when}, whatever the papers write",
    "the alarm about {firm} {when} was a mistake",
    "the damage at {firm} is repaired, and the stop {when} is no longer needed",
    "{firm} contradicts: its lines do run {when}",
    "fears that {firm} goes offline {when} have proved wrong",
)
_RECALLS = (
    "{firm} calls back faulty {item} {when}",
    "{firm} has to take {item} out of its store {when} and throw it away",
    "part of the {item} at {firm} is unsafe and will be destroyed {when}",
    "{firm} will scrap damaged {item} {when}",
    "inspectors make {firm} pull {item} from stock {when}",
    "spoilt {item}: {firm} clears part of its warehouse {when}",
    "{firm} announces a recall of {item} {when}",
    "defects force {firm} to withdraw {item} {when}",
    "{item} in the store of {firm} did not pass and goes to waste {when}",
    "{firm} disposes of rotten {item} {when}",
    "a court has {firm} remove {item} from sale {when}",
    "{firm} is to throw out contaminated {item} {when}",
)
_RECALL_TWISTS = (
    "{firm} cannot sell all of its {item}: some are destroyed {when}",
    "{firm}, not {other}, recalls {item} {when}",
    "it is no rumour that {firm} withdraws {item} {when}",
    "{other} keeps its {item}, but {firm} throws some away {when}",
    "not every {item} of {firm} is safe; the bad ones are taken back {when}",
    "{firm} takes back its denial and recalls {item} {when}",
    "no appeal helped: {firm} scraps {item} {when}",
)
_RECALL_DENIALS = (
    "{firm} will not call back any {item} {when}",
    "{firm} says that its {item} is safe and stays on sale {when}",
    "the recall of {item} at {firm} planned {when} is cancelled",
    "it is untrue that {firm} throws {item} away {when}",
    "inspectors found nothing wrong with the {item} of {firm}; none is withdrawn {when}",
    "{firm} does not scrap {item} {when}",
    "the {item} of {firm} was cleared, so no recall comes {when}",
    "talk of unsafe {item} at {firm} {when} has no basis",
    "nothing will be destroyed at {firm} {when}",
    "{firm} rejects reports of a recall {when}",
)
_LETTERS = {
    "late": (
        "{firm} regrets that {quantity} {item} reach you {when}, later than agreed",
        "the {quantity} {item} from {firm} come too late: {when}",
        "{firm} needs more time for your {quantity} {item}; you get them {when}",
        "goods delayed: {quantity} {item} of {firm}, due in week {due}, arrive {when}",
        "instead of week {due} {firm} delivers {quantity} {item} {when}",
        "{firm} has fallen behind and sends your {quantity} {item} so that they are there {when}",
    ),
    "short": (
        "{firm} delivers only some of your {item}; {quantity} more come {when}",
        "a part of your order is missing: {firm} sends the other {quantity} {item} {when}",
        "{firm} owes you {quantity} {item} still, to come {when}",
        "your order from {firm} is incomplete by {quantity} {item}, expected {when}",
        "of the {item} due in week {due} {firm} lacks {quantity}; they arrive {when}",
    ),
    "more": (
        "{firm} orders {quantity} extra {item}, wanted {when}",
        "can {firm} get {quantity} more {item} {when}?",
        "{firm} wishes to raise its order by {quantity} {item} {when}",
        "demand is high and {firm} could use another {quantity} {item} {when}",
        "{firm} asks you to send {quantity} {item} beyond the contract {when}",
    ),
    "clause": (
        "contract of week {signed}: {firm} delivers {quantity} {item} in {week} for {price} EUR each; penalty"
        " {penalty} % a week",
        "{firm} must supply {quantity} {item} in {week} at {price} EUR; late weeks cost {penalty} %",
        "the parties agree on {quantity} {item} at {price} EUR, delivered by {firm} in {week}; {penalty} % off for each"
        " week of delay",
        "{firm} is bound to bring {quantity} {item} in {week}; it pays {penalty} % of {price} EUR a unit if it does not",
        "delivery in {week}, {quantity} {item}, by {firm}, unit price {price} EUR, not less; penalty {penalty} %",
    ),
}
_LETTER_TWISTS = {
    "late": (
        "{firm} cannot keep week {due}: {quantity} {item} come {when}",
        "your {quantity} {item} will not be there in time; {firm} brings them {when}",
        "nothing from {firm} in week {due}, the {quantity} {item} come {when}",
    ),
    "short": (
        "not all of your {item} left {firm}; {quantity} come {when}",
        "{firm} could not send everything: {quantity} {item} are still to come {when}",
    ),
    "more": (
        "what {firm} has ordered is not enough, it wants {quantity} {item} more {when}",
        "{firm} does not have enough {item} and asks for {quantity} {when}",
    ),
}
_CALM = {
    "late": (
        "{firm} delivers on time: {quantity} {item} in week {due}",
        "there is no delay at {firm}; your {item} come as agreed",
        "it is untrue that {firm} is late with your {item}",
        "your {quantity} {item} from {firm} will not be late",
        "rest assured that {firm} keeps week {due}",
    ),
    "short": (
        "{firm} sends the whole order of {item}, nothing is missing",
        "your order from {firm} is complete",
        "{firm} has all your {item} and will not send less",
    ),
    "more": (
        "{firm} does not want more {item}",
        "{firm} has {item} enough and orders nothing extra",
        "{firm} withdraws its request for {quantity} {item} more",
    ),
}
_SHOCKS = {
    "surge": (
        "demand at {firm} will soar {when}, for {weeks}",
        "many more customers come to {firm} {when}",
        "{firm} expects a run on {item} {when}, for {weeks}",
        "a wave of orders rolls towards {firm} {when}",
    ),
    "closure": (
        "the road to {firm} is closed {when}, for {weeks}",
        "police block the way out of {firm} {when} and for {weeks}",
        "the port of {firm} shuts {when}; nothing gets out for {weeks}",
        "goods cannot leave {firm} {when}, as protesters hold the gates for {weeks}",
    ),
    "delay": (
        "lorries from {firm} need longer {when}, for {weeks}",
        "deliveries of {firm} will be slow {when}, for {weeks}",
        "bad weather slows transport from {firm} {when}",
        "checks at the border hold up what {firm} sends {when}",
    ),
    "cost_jump": (
        "{item} gets dearer to make for {firm} and others {when}",
        "costs at {firm} climb {when}, for {weeks}",
        "{firm} has to pay more for its inputs {when}",
    ),
    "value_jump": (
        "what buyers pay for {item} of {firm} changes {when}, for {weeks}",
        "prices for {item} will leap {when}, says {firm}",
        "{item} of {firm} is worth something else {when}",
    ),
}
_NO_SHOCKS = {
    "surge": ("demand at {firm} stays as it is {when}", "no rush comes to {firm} {when}"),
    "closure": ("the road to {firm} is free {when}", "nobody blocks {firm} {when}"),
    "delay": ("what {firm} sends {when} is not slowed down", "deliveries of {firm} are as fast as ever {when}"),
    "cost_jump": ("costs at {firm} do not change {when}", "{firm} pays no more for inputs {when}"),
    "value_jump": ("buyers pay the same for {item} of {firm} {when}", "the worth of {item} does not jump {when}, says {firm}"),
}

TRAINING = Wordings(
    hedges=(
        "", "", "", "", "It seems that ", "We hear that ", "Not confirmed, but ", "Some say that ", "If we are not mistaken, ",
        "According to one who should know, ", "This may change, but ", "Without guarantee: ", "We cannot be certain, but ",
    ),
    claims={"outage": _OUTAGES, "recall": _RECALLS, **_LETTERS, **_SHOCKS},
    twists={"outage": _OUTAGE_TWISTS, "recall": _RECALL_TWISTS, **_LETTER_TWISTS},
    denials={"outage": _OUTAGE_DENIALS, "recall": _RECALL_DENIALS, **_CALM, **_NO_SHOCKS},
    idle=(
        "{firm} celebrates its birthday",
        "{firm} shows its {item} at a fair",
        "a strike stopped {firm} last year; that is over",
        "{firm} elects a new board",
        "the mayor visits {firm}",
        "after the fire of long ago {firm} works well",
        "{firm} and {other} share a bus for their workers",
        "{firm} looks back on a good season with {item}",
        "a book tells the story of {firm}",
        "the closure of {firm} two years ago is in the museum now",
        "{firm} wins a prize for its {item}",
        "production at {firm} is what it was last month",
        "an old recall at {firm} was settled in court",
        "{firm} gives money to a school",
    ),
    leads=(
        "{other} runs as before; ", "other than {other}, ", "{other} apart, ", "nothing is new at {other}, but ",
        "{other} is fine. ", "As for {other}, it works; ",
    ),
    asides=(
        "; this is not about {other}", "; {other} is another matter", "; {other} goes on as before", "; {other} keeps out of it",
        "; nothing of that concerns {other}", "; {other} is open",
    ),
    disputed=(
        "{claim}, but the {rival} denies it",
        "{claim}; by the {rival} this is not so",
        "{claim}, though the {rival} says that nothing will happen",
        "{claim}. The {rival} calls that nonsense",
        "we stand by it, against the {rival}: {claim}",
        "{claim}, while the {rival} sees no sign of it",
        "the {rival} is wrong to deny it: {claim}",
    ),
    refuted=(
        "the {rival} says that {claim}, but that is not so",
        "{claim}, the {rival} claims; we deny it",
        "do not believe the {rival} when it says that {claim}",
        "contrary to the {rival}, by which {claim}, nothing will happen",
        "there is nothing in the news of the {rival} that {claim}",
        "{claim}: so the {rival}, and it is not true",
        "the {rival} spreads that {claim}; false",
    ),
    whens=("in week {week}", "when week {week} begins", "with week {week}", "in {ahead}", "after {ahead}", "{ahead} ahead"),
    next_week=("next week", "in a week", "from next Monday"),
)
