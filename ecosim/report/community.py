"""The sections of a community report."""

from __future__ import annotations

from ecosim.report import followers, posts
from ecosim.report.parts import Panel, Plan, Theme

THEME = Theme(
    headline=(
        ("views", ""),
        ("reach", ""),
        ("retention", ""),
        ("attention_gini", ""),
        ("ai_view_share", ""),
    ),
    plans=(
        Plan(
            title="Reach",
            lead="What was shown and watched each day, and how many of the viewers there watched anything.",
            panels=(Panel("reach"), Panel("impressions"), Panel("views", groups=("",)), Panel("likes")),
            kpis=("views", "reach", "likes_per_view"),
        ),
        Plan(
            title="Who gets the attention",
            lead="How unequally views fall on creators, and over how many topics they spread.",
            panels=(Panel("attention_gini"), Panel("topic_diversity")),
            kpis=("attention_gini", "topic_diversity"),
        ),
        Plan(
            title="Viewers who stay",
            lead="Viewers who have come and not left for good, and whom they follow.",
            panels=(Panel("retention"), Panel("active_viewers"), Panel("follows"), Panel("followers", groups=("",))),
            kpis=("retention",),
        ),
        Plan(
            title="Human and AI creators",
            lead="Views and followers of all creators of a kind, and the share of views that went to AI creators.",
            panels=(
                Panel("ai_view_share"),
                Panel("views", groups=("human_creator", "ai_creator")),
                Panel("followers", groups=("human_creator", "ai_creator")),
            ),
            bars=("followers", "likes_per_view"),
            kpis=("ai_view_share", "followers"),
        ),
        Plan(
            title="Income",
            lead="What a creator has, and what it earned in the whole run: ads less effort and model cost.",
            panels=(Panel("mean_cash"),),
            bars=("income",),
            kpis=("income",),
        ),
        Plan(
            title="Posts",
            lead="Posts with their titles as written, and what came of them.",
            extra=posts.parts,
        ),
        Plan(
            title="Who follows whom",
            lead="Creators and the followers that they share, and whom the feed showed.",
            extra=followers.parts,
        ),
    ),
    limits=(
        "Viewers choose by a utility with tastes from the scenario; a title counts by how well it fits its topic. "
        "Nobody here reads, laughs or is bored, so a finding about titles is one about this rule.",
    ),
)
