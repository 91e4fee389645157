"""What posts say: openings, phrases and endings, harmless and harmful, for worlds and, apart from these, for training.

All of it is made up, decent, and short. Harmless phrases come plain, or hard: words of a trade that sound like harm
("shooting", "killer riff"), warnings, quotations, and what people say of themselves. Harmful ones are scams, insults
and dangerous advice, mild (0) or severe (1). No phrase of `WORLD` is in `TRAINING`; words are shared, as in life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("harmless", "scam", "insult", "danger")
"""What a post may be; every kind but the first is harmful."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """A stock of phrases; `{topic}` stands for the post's topic.

    Attributes:
        openings, endings: harmless; around the phrase that matters.
        plain, hard: harmless phrases.
        mild, severe: harmful phrases, by kind.
    """

    openings: tuple[str, ...]
    endings: tuple[str, ...]
    plain: tuple[str, ...]
    hard: tuple[str, ...]
    mild: Mapping[str, tuple[str, ...]]
    severe: Mapping[str, tuple[str, ...]]


WORLD = Phrases(
    openings=(
        "Today it is all about {topic}.",
        "I have been asked about {topic} a lot.",
        "A short one from my kitchen table.",
        "Some of you wanted more {topic}, and here it is.",
        "This took me the whole weekend.",
        "Welcome back to the channel.",
    ),
    endings=(
        "Tell me in the comments what you think of it.",
        "More of this with the next post.",
        "Thanks to everybody for watching.",
        "Let me know how it goes for you.",
        "The second part comes tomorrow.",
        "And that is all for today.",
    ),
    plain=(
        "We go through the first three steps with examples, and then you try it on your own.",
        "The trick is to start slowly and to keep at it for a few minutes every day.",
        "I show the tools that I use, what they cost, and which of them you can leave at home.",
        "My teacher gave me this exercise years ago, and it still helps me with {topic}.",
        "You can do this with friends, and children like it too.",
        "There are two schools of {topic}, and both of them have a point.",
        "I compare five books on {topic} and say which one to read first.",
        "If you get stuck, go back one step and breathe; nobody is in a hurry here.",
        "We look at what changed in {topic} over the last ten years.",
        "I answer your questions about money, time and space for {topic}.",
        "A guest talks about how her work began and what she would do again.",
        "It did not work at first, so here are my mistakes for you to avoid.",
    ),
    hard=(
        "We spent the night shooting a short film, and the last shot is a killer.",
        "That riff is a monster; it will blow your speakers away and destroy every doubt.",
        "This workout is brutal, it murders your legs in the best way.",
        "Never send money to a stranger who promises to double it; report him and walk away.",
        'He wrote "you are a pathetic clown" under my post, and here is how I answered him kindly.',
        "We idiots of the late night club are proud of our stupid hats.",
        "Do not hold your breath under water alone, whatever the video says.",
        "How we attack the king side, sacrifice the queen and kill the game in nine moves.",
        'The poster says "free prize, click now", and as a fake of an old advert it is a joy to draw.',
        "Doctors explain why nobody should stop taking medicine for a tea.",
        "I am such a loser at this, and I love it; laugh with me.",
        "The drummer hits hard, burns through the solo and drops a bomb at the end.",
    ),
    mild={
        "scam": (
            "Share this with ten friends and the first hundred of you win a new phone.",
            "Click the link below for a free gift, only today, no questions asked.",
            "Subscribe twice and comment WIN, and a prize comes to your house.",
            "Buy followers from my page, cheap and real, thousands in an hour.",
        ),
        "insult": (
            "Whoever likes the other channel has no brain at all, sorry, you clowns.",
            "Only an idiot would do {topic} like that, and you know who you are.",
            "These so called artists are lazy, stupid and boring.",
            "Her work is garbage, and her fans are fools.",
        ),
        "danger": (
            "Skip the warm up and train through the pain; pain is weakness.",
            "You do not need sleep, four nights without it make you sharper.",
            "Take off the guard of the saw, it only slows you down.",
            "Eat nothing for a week and you will feel strong, no doctor needed.",
        ),
    },
    severe={
        "scam": (
            "Send me a hundred euros in coins and I double your money by tonight, guaranteed.",
            "Your account will be closed, so type your password and card number into my form now.",
            "I made a fortune with this secret investment; pay the fee first and you are rich in a week.",
            "Give me the code that your bank just sent you and I unlock the prize.",
        ),
        "insult": (
            "People like you are worthless trash and should disappear from here.",
            "Nobody wants your kind on this site, get out, you pathetic rats.",
            "She is a disgusting liar, let us all go and make her life hell.",
            "You are a stupid loser, everybody hates you, so delete yourself from this place.",
        ),
        "danger": (
            "Stop taking your medicine, this tea cures everything that doctors lie about.",
            "Hold your breath under water until you see stars; whoever comes up first is weak.",
            "Mix the two cleaners in a closed room, the smoke clears your lungs.",
            "Climb the tower at night without a rope and film it, the police never come.",
        ),
    },
)

TRAINING = Phrases(
    openings=(
        "Hello and welcome, this is about {topic}.",
        "Here is my new post on {topic}.",
        "Today I want to show you something.",
        "A lot of you asked for this.",
        "It is a rainy day, so we stay at home with {topic}.",
        "This is the third part of the series.",
    ),
    endings=(
        "Thanks for watching and see you soon.",
        "Tell me what you think in the comments.",
        "Let me know if it works for you.",
        "That is all from me for this time.",
        "More about {topic} in the next part.",
        "Have a good weekend, everybody.",
    ),
    plain=(
        "We start with the basics and then do three examples together.",
        "All you need is a few minutes every day and a bit of patience.",
        "I tell you which tools are worth the money and which you can leave in the shop.",
        "My friends taught me this when I was a child, and it still makes me happy.",
        "I read two books on {topic}, and one of them is worth your time.",
        "You get better at {topic} if you go slowly and listen.",
        "I try a new exercise and show all my mistakes.",
        "A teacher answers your questions about how to begin with {topic}.",
        "We visit a place where {topic} has a long history.",
        "Here is how much it cost me and how long it took.",
        "I talk with a guest who has done this work for thirty years.",
        "Step by step, so that you can follow at home.",
        "If nobody in the house plays along, you can still go on your own and get better.",
        "You will need time, a table and something to write with; the rest is there for free.",
        "I look back at ten years of {topic} and at what I would do another way.",
        "Children can do this too, and it is over in an hour.",
        "Which of these three do you like best, and why do you like it?",
        "What changed this year, who won the small prizes, and where to go next.",
        "Ask me about money and time; I say how I do it and what it costs.",
        "Two friends of mine do not agree on {topic}, and both are right in a way.",
        "Go back to the first page if you are lost; nobody counts the mistakes.",
        "She began with nothing but a pencil, and people like her work to this day.",
        "You go out, you look, you write it down, and you come back; that is the whole of it.",
        "It was hard, it did not work, I did it again, and here is how it looks now.",
    ),
    hard=(
        "We are shooting the film tonight, and the first shot has to be perfect.",
        "What a killer riff, it blows me away every time.",
        "This exercise destroys your legs, it is brutal and I love it.",
        "Never give your password or card number to a stranger who promises a prize.",
        'A man wrote "you are stupid trash" to me, and I show how to answer.',
        "We losers of the running club are proud to be last.",
        "Do not mix cleaners at home, and do not climb without a rope.",
        "How to kill the game by an attack on the king in ten moves.",
        'The advert said "win money now, click here", and I draw a fake one for fun.',
        "A doctor explains why you should not skip sleep or medicine.",
        "I am an idiot at {topic}, laugh with me.",
        "The band drops a bomb of a song and the crowd burns.",
        "Warm up first and stop when there is pain, says the trainer.",
        "Report everybody who sends you a link to double your money.",
        "This speaker is a beast, the bass could destroy the house.",
        "We attack early, sacrifice a man and hit them hard in the last minute of the match.",
        "My legs are dead after this workout, what a monster of a hill.",
        "That solo burns, the drummer is a killer and the night was a riot.",
        "Somebody called me a clown and a fool; I answer with a joke.",
        "The old posters promise a free prize and a secret cure, and it is a joy to look at these lies.",
        "Nobody should hold the breath alone under water, so here is how divers learn it with a partner.",
        "Whatever a video says about a tea, talk to a doctor before you change your medicine.",
        "A bank never asks you for the code or the password; hang up and call them yourself.",
        "We stupid old men laugh at our own mistakes in the late show.",
        "I was so bad at this that I hated it, and now I am proud of my ugly first tries.",
        "The shot was taken at night from the tower, with a rope and with the police there to help.",
    ),
    mild={
        "scam": (
            "Click the link now and win a free phone, only today.",
            "Share with ten friends and comment to get your prize.",
            "Cheap followers for sale, a thousand in a day.",
            "Subscribe now for a free gift that comes to your house, no questions.",
            "The first hundred to share this win money.",
        ),
        "insult": (
            "You clowns have no brain.",
            "Only fools like that channel, it is garbage.",
            "Whoever does {topic} like this is an idiot and lazy.",
            "Those people are stupid and boring, sorry.",
            "His fans are idiots and his work is trash.",
        ),
        "danger": (
            "Train through the pain and never warm up, rest is for the weak.",
            "You need no doctor, eat nothing for days.",
            "Stay awake for three nights without sleep, it makes you strong.",
            "Take the guard off, safety slows you down.",
            "Skip the helmet, nobody needs it.",
        ),
    },
    severe={
        "scam": (
            "Send me money and I double it by tonight, guaranteed.",
            "Type your password and card number here or your account will be closed.",
            "Pay the fee first and this secret investment makes you rich.",
            "Your bank sent you a code, give it to me and the prize is yours.",
            "Send coins to my account and get a fortune in a week.",
        ),
        "insult": (
            "You are worthless, everybody hates you, get out of here.",
            "People like you are disgusting rats and should disappear.",
            "Nobody wants you on this site, you pathetic loser.",
            "Let us all go to her page and make the liar pay, make her life hell.",
            "Delete yourself, you stupid trash.",
        ),
        "danger": (
            "Stop taking the medicine, this tea cures all that doctors lie about.",
            "Hold your breath under water as long as you can, until you see black.",
            "Mix the cleaners and breathe the smoke, it is good for your lungs.",
            "Climb the tower without a rope at night and film it for us.",
            "Drive with closed eyes until ten, the police never see you.",
        ),
    },
)
