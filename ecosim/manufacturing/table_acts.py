"""What a move at the bargaining table may be."""

ACCEPT, COUNTER, INSIST, REJECT = range(4)
ACTS = ("accept", "counter", "insist", "reject")
