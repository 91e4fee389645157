"""Columns that a layout derives from those of a question: what a ratio or a product says, a sum of columns does not.

An expression has columns, numbers, + − × ÷, parentheses, `mean(column)` and `sum(column)` over the filled slots, a
Bucket's limits (`price.low`, `price.high`), and `a or b`: a where it is there, else b. It is read as a syntax tree of
which only these parts are known, never run as code. Where a part is not there, or is divided by 0, the derived column
is not there either: `x / has_x or y` is x where `has_x` is 1. Only + − × ÷ of float64, slot after slot: the same bits
anywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

from ecosim.fields import Array, Bucket
from ecosim.words import Question

MAX_LENGTH = 200
_Part = tuple[Array, Array]
"""Values and where they are there, both (rows, slots), or (rows, 1) for a column without slots."""


def _is_expression(text: str) -> str:
    try:
        fault = _fault(_tree(text)) if len(text) <= MAX_LENGTH else f"longer than {MAX_LENGTH} characters"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        fault = "not an expression"
    if fault:
        raise ValueError(f"{text[:MAX_LENGTH]!r}: {fault}; it may have columns, numbers, + - * / ( ) or, mean(), sum()")
    return text


Expression = Annotated[str, AfterValidator(_is_expression)]


def derive(question: Question, expressions: Mapping[str, str]) -> Question:
    """The question with the derived columns beside its own, in order; all of them have slots, and masks."""
    for name, text in expressions.items():
        values, there = _value(_tree(text), question)
        columns, masks = {**question.columns, name: values}, {**question.masks, name: there}
        question = replace(question, columns=columns, masks=masks, whole=None, rows=None)
    return question


def _tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _fault(node: ast.expr) -> str:
    """What an expression may not hold; empty if nothing."""
    match node:
        case ast.Name():
            return ""
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return ""
        case ast.Attribute(value=ast.Name(), attr="low" | "high"):
            return ""
        case ast.BoolOp(op=ast.Or(), values=parts):
            return next(filter(None, map(_fault, parts)), "")
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            return _fault(left) or _fault(right)
        case ast.Call(func=ast.Name(id="mean" | "sum"), args=[ast.Name()], keywords=[]):
            return ""
    return f"{ast.unparse(node)} is not known here"


def _value(node: ast.expr, question: Question) -> _Part:
    match node:
        case ast.Name(id=name):
            return _column(question, name)
        case ast.Constant(value=int() | float() as number):
            return np.full((question.num_rows, 1), float(number)), np.ones((question.num_rows, 1), bool)
        case ast.Attribute(value=ast.Name(id=name), attr=end):
            return _limit(question, name, end)
        case ast.BoolOp(values=parts):
            return _first(*(_value(part, question) for part in parts))
        case ast.Call(func=ast.Name(id=how), args=[ast.Name(id=name)]):
            return _over_slots(how, _column(question, name))
        case ast.BinOp(left=left, op=op, right=right):
            return _joined(op, _value(left, question), _value(right, question))
    raise AssertionError(ast.dump(node))


def _column(question: Question, name: str) -> _Part:
    rows = question.num_rows
    column = question.columns.get(name)
    if column is None or column.dtype.kind not in "iufb":
        return np.zeros((rows, 1)), np.zeros((rows, 1), bool)
    if column.ndim == 1:
        return column[:, None].astype(np.float64), np.ones((rows, 1), bool)
    there = question.masks.get(name, np.ones(column.shape, bool))
    return np.where(there, column, 0).astype(np.float64), there


def _limit(question: Question, name: str, end: str) -> _Part:
    rows = question.num_rows
    spec = next((f for f in question.fields if f.name == name and isinstance(f, Bucket)), None)
    values = np.zeros(rows) if spec is None else np.asarray(spec.low if end == "low" else spec.high, np.float64)
    return values[:, None], np.full((rows, 1), spec is not None)


def _first(part: _Part, *others: _Part) -> _Part:
    """Of each slot the first part that is there."""
    values, there = part
    for other, other_there in others:
        values, there = np.where(there, values, other), there | other_there
    return values, there


def _over_slots(how: str, part: _Part) -> _Part:
    values, there = part
    total, count = np.zeros(len(values)), there.sum(axis=1)
    for slot in range(values.shape[1]):  # in one order, whatever the memory's
        total = total + np.where(there[:, slot], values[:, slot], 0.0)
    found = total / np.maximum(count, 1) if how == "mean" else total
    return found[:, None], (count > 0)[:, None]


def _joined(op: ast.operator, left: _Part, right: _Part) -> _Part:
    (a, a_there), (b, b_there) = left, right
    there = a_there & b_there
    if isinstance(op, ast.Div):
        there = there & (b != 0)
        return np.where(there, a / np.where(b != 0, b, 1.0), 0.0), there
    found = a * b if isinstance(op, ast.Mult) else a + b if isinstance(op, ast.Add) else a - b
    return np.where(there, found, 0.0), there
