"""Textbook answers to how much to stock, order or make: what planners use, and what runs are held against.

Pure functions of numbers; they know nothing of scenarios. What leans on a library's normal distribution says so: its
last bits belong to one class of machine (T2).
"""

from ecosim.rules.inventory.disrupted import newsvendor_with_disruptions
from ecosim.rules.inventory.guaranteed import Placement, Stage, safety_stock
from ecosim.rules.inventory.lots import economic_order_quantity, wagner_whitin
from ecosim.rules.inventory.newsvendor import explicit_newsvendor, newsvendor, poisson_newsvendor
from ecosim.rules.inventory.queue import waiting_time
from ecosim.rules.inventory.reorder import Reorder, best_reorder, reorder_cost
from ecosim.rules.inventory.serial import Echelon, echelon_base_stocks, local_levels

__all__ = [
    "Echelon",
    "Placement",
    "Reorder",
    "Stage",
    "best_reorder",
    "echelon_base_stocks",
    "economic_order_quantity",
    "explicit_newsvendor",
    "local_levels",
    "newsvendor",
    "newsvendor_with_disruptions",
    "poisson_newsvendor",
    "reorder_cost",
    "safety_stock",
    "wagner_whitin",
    "waiting_time",
]
