"""What the platform sees and may answer, its tables and its events."""

from __future__ import annotations

from ecosim.meanings import Meaning, State, units
from ecosim.side import Column, Schema

ROLE = "platform"
HOME = "platform"

FORECAST_SEES = {
    "topic_name": Meaning("text", "what is forecast"),
    "niche_name": Meaning("text", "the niche that the topic belongs to"),
    "history": Meaning("views", "of posts on the topic in each of the last days, the newest first"),
    "open_posts": Meaning("posts", "on the topic that the feed may show now"),
    "season_days": Meaning("days", "after how many days what is watched may repeat itself; 1 for none"),
    "horizon_days": Meaning("days", "how many days are forecast, this one included"),
    "day": Meaning("day", "now"),
}
FORECAST_ANSWERS = {"views": Meaning("views", "mean daily views of the topic over the horizon")}
FORECAST_UNITS = units(FORECAST_SEES)

STEER_SEES = {
    "explore_share": Meaning("", "of the slots in slates, the share that shows posts by chance now"),
    "choice": Meaning("", "the shares that it may choose from"),
    "choice_days": Meaning("days", "for each of these, days on which it held so far"),
    "choice_views": Meaning("views", "for each of these, views of all posts on these days"),
    "views": Meaning("views", "of all posts in each of the last days, the newest first"),
    "moved": Meaning("", "how far yesterday's views had moved between topics since the day before, 0 … 1"),
    "moved_before": Meaning("", "the same, mean of the days before yesterday"),
    "active_viewers": Meaning("viewers", "who have come and not left"),
    "day": Meaning("day", "now"),
}
STEER_ANSWERS = {"explore": Meaning("", "which share of the slots shows posts by chance from today on")}
STEER_UNITS = units(STEER_SEES)

STATES = {
    HOME: State(
        "the platform; none where the scenario has no `platform`",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "its number"),
            "explore_share": Meaning("", "of the slots in slates, the share that shows posts by chance"),
            "choice": Meaning("", "number of that share among those it may choose from"),
            "choice_days": Meaning("days", "for each share, days on which it held so far"),
            "choice_views": Meaning("views", "for each share, views of all posts on these days"),
            "days": Meaning("days", "on which forecasts were scored"),
        },
    ),
    "topics": State(
        "",
        {
            "views_by_day": Meaning("views", "of posts on the topic in past days, the newest first"),
            "pending": Meaning("views", "the last forecasts, the newest first; −1 where there is none"),
            "error": Meaning("views", "absolute errors of scored forecasts, added up"),
            "naive_error": Meaning("views", "those of the seasonal-naive forecasts of the same days"),
            "scaled_days": Meaning("days", "how many errors could be scaled"),
            "scaled_error": Meaning("", "these, added up; their mean is the MASE"),
        },
    ),
}

_TOPIC = Column("topic", "i8", "id", "in the scenario's order", of="topic")
_VIEWS = Column("views", "i8", "views", "mean daily views over the horizon, as forecast")
SCHEMAS = {
    "trend_forecasts": Schema("what the platform forecasts", 1, (_TOPIC, _VIEWS), is_rare=True),
    "trend_scores": Schema(
        "forecasts whose horizon is over, and what came",
        1,
        (
            _TOPIC,
            _VIEWS,
            Column("actual", "i8", "views", "mean daily views of these days, rounded down"),
            Column("naive", "i8", "views", "what repeating the last season would have said"),
        ),
        is_rare=True,
    ),
    "steering": Schema(
        "how much the platform's feed explores from today on",
        0,
        (
            Column("choice", "i8", "", "number of the share in `platform.explore_shares`, from 0"),
            Column("explore_share", "f8", "", "of the slots, those that show posts by chance"),
        ),
        is_rare=True,
    ),
}
