"""The creator community: human and AI creators publish, a feed recommends, viewers watch, like, follow and leave.

The sections are what `ecosim odd` cannot read off the code.

Purpose:
    To find what changes in attention, diversity, income and the audience's loyalty when the feed, or the rules or
    models that decide for creators and viewers, are exchanged and nothing else is: arms of a comparison meet the same
    viewers, tastes and fashions. It is a stylised model for comparing minds and feeds, not a forecast of a platform.

Theory:
    Viewers choose among what they are shown by random utility: what a post is worth, in log-odds, is the sum of its
    appeal, the viewer's taste, the bond to its creator, fashion, and its label. Feeds show more of what was watched,
    or of what a viewer watched, and so feed back on themselves. Unequal attention and the lock-in of early success
    come out of this; neither is put in.

Scales:
    A step is a day. There is no space. What posts are worth to viewers is measured in log-odds of watching, money in
    euros, exactly, in whole millionths.

Decisions:
    Creators decide on topic and effort of a post, AI creators on its title; viewers on watching, liking, following and
    leaving. Income and attention are measured; no mind is told to maximise them. Scripted creators follow rules of
    thumb and do not optimise, but for those that reply best to their rivals; scripted viewers choose by random
    utility. Where a scenario has `entry` or `contest`, creators also decide whether to come, to quit, and what to
    stake for a prize. What a language model or a function of a user's own pursues is its own affair. All members of a
    role are asked at the same time, and each answers from its own row.

Sensing:
    A creator sees its own record, cash and followers, and what posts on each topic brought lately on the whole
    platform (with `publishing.shows_rivals` also each topic's audience); never the tastes of viewers, the rules of the
    feed, or the record of another creator. A viewer sees the posts of its slate and what they are worth to it. The
    feed sees what was posted, shown and watched; never tastes. What is seen is exact.

Learning:
    No mind changes during a run, but what it is shown does. With `retraining`, AI creators' models (weights of topics
    and words, moments of style) are fitted again to posts by humans and by models, every so many days. Records grow: a
    creator's posts, views and likes by topic, from which scripted creators learn what pays (a bandit); and the profile
    of each viewer, from which a feed by content learns. The feeds `collaborative` and `bandit` are fitted every day to
    who watched what, and keep nothing else.

Input:
    None beside the scenario file, and the edge list that `graph.file` may name. Arrivals and fashions are made by the
    model, from the scenario's figures. Where `publishing.title_vectors` or `judge` is `minilm`, titles are turned into
    vectors by that published encoder model. Where there is a `catalogue`, niches, topics and titles are those of 17,472
    films from Wikidata; where `tastes` are of kind `ratings`, each viewer takes after one of the 943 people of
    MovieLens-100k.

Prediction:
    Creators expect of a topic what posts on it brought before, to them and on the whole platform; how is the mind's
    affair. With `platform` the platform forecasts the views of each topic from past ones. Viewers expect nothing.
    Nobody is shown the future.

Interaction:
    Creators meet viewers through the feed alone: a post is shown, watched, liked, its creator followed. Creators
    compete for places in slates, for attention, and for shares of what the platform takes in (`revenue`) or a prize.
    Viewers affect each other through what feeds make of the views and likes of all; with `graph` posts that one shares
    also come before those tied to it, and with `opinions` those who meet, by lot or along ties, come closer. With
    `collaboration` creators invite each other, bargain about shares of the income by the rules of the market's talks,
    and make works of two niches.

Collectives:
    None. A group of `creators` in a scenario shares its parameters and nothing else; niches are kinds of topics, not
    bodies that decide. Followers of a creator do not know of each other.

Heterogeneity:
    Creators differ in role, niche, skill and record; viewers in favourite niche, tastes, day of arrival, whom they
    follow and what they have watched. Minds may differ from member to member.
"""
