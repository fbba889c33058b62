"""Expressions of a deck, evaluated with some 90 digits: numbers, operators, observables.

A text is turned into Python's own syntax (`^` is `**`, `<A>` is a call) and its tree is walked here. What a name
means is asked of a scope: a function of the name. Literals are what the deck says in decimals, not their doubles, so
that 0.1*3 - 0.3 is zero.
"""
import ast
import math
import re
import zlib

from mpmath import mp, mpf, mpc

mp.prec = 300

UNITS = {"Hz": 2 * mp.pi, "kHz": 2000 * mp.pi, "MHz": 2000000 * mp.pi, "GHz": 2000000000 * mp.pi,
         "nm": mpf(10)**-9, "um": mpf(10)**-6, "amu": mpf("1.66053906660e-27")}
CONSTANTS = {"pi": mp.pi * 1, "i": mpc(0, 1), **UNITS}
FUNCTIONS = {"sqrt": mp.sqrt, "exp": mp.exp, "log": mp.log, "log10": mp.log10, "sin": mp.sin, "cos": mp.cos,
             "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "sinh": mp.sinh, "cosh": mp.cosh,
             "tanh": mp.tanh, "abs": abs, "re": mp.re, "im": mp.im, "arg": mp.arg, "conj": mp.conj,
             "floor": lambda x: mp.floor(mp.re(x)), "ceil": lambda x: mp.ceil(mp.re(x)),
             "atan2": lambda y, x: mp.atan2(mp.re(y), mp.re(x)),
             "min": lambda *x: min(map(mp.re, x)), "max": lambda *x: max(map(mp.re, x)),
             "factorial": lambda n: mpf(math.factorial(int(mp.re(n)))),
             "binomial": lambda n, k: mp.binomial(mp.re(n), mp.re(k)),
             "dag": lambda a: a.adjoint() if hasattr(a, "adjoint") else mp.conj(a)}


def parse(text):
    """The tree of a text (or of a number that YAML has read), and its `+ hc` apart: (tree, whether)."""
    text = str(text).strip()
    conjugate = re.search(r"\+\s*hc\s*$", text)
    if conjugate:
        text = text[:conjugate.start()]
    text = re.sub(r"<([^<>]*)>", r"EXPECT(\1)", text).replace("^", "**")
    # numbers as texts, so that no binary rounding happens on the way
    text = re.sub(r"(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])", r"N('\1')", text)
    return ast.parse(" ".join(text.split()), mode="eval").body, bool(conjugate)


def dotted(node):
    return node.id if isinstance(node, ast.Name) else f"{dotted(node.value)}.{node.attr}"


def power(base, exponent):
    if hasattr(base, "adjoint") or exponent == mp.floor(mp.re(exponent)):
        exponent = int(mp.re(exponent))
    return base**exponent


OPERATIONS = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
              ast.Div: lambda a, b: a * (1 / b), ast.Pow: power}


def walk(node, scope, calls):
    """`scope(name, indices)` is a name's value; `calls[name](arguments, scope)` a function's whose arguments stay trees."""
    if isinstance(node, ast.Constant):
        return mpf(node.value)
    if isinstance(node, ast.BinOp):
        return OPERATIONS[type(node.op)](walk(node.left, scope, calls), walk(node.right, scope, calls))
    if isinstance(node, ast.UnaryOp):
        value = walk(node.operand, scope, calls)
        return value * mpf(-1) if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name == "N":
            return scope("N()", node.args[0].value)
        if name in calls:
            return calls[name](node.args, scope)
        return FUNCTIONS[name](*(walk(argument, scope, calls) for argument in node.args))
    if isinstance(node, ast.Subscript):
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return scope(dotted(node.value), [int(mp.re(walk(index, scope, calls))) for index in indices])
    return scope(dotted(node), None)


def evaluate(text, scope, calls=None):
    tree, conjugate = parse(text)
    value = walk(tree, scope, calls or {})
    return value + FUNCTIONS["dag"](value) if conjugate else value


def number_scope(parameters, seed=None):
    """Names of numbers: the deck's parameters, which are expressions of each other in any order, and constants. With a
    seed every literal that has a point or an exponent is changed in its sixteenth digit, everywhere alike."""
    def scope(name, indices):
        if name == "N()":
            return moved(indices, seed)
        if name in parameters:
            entry = parameters[name]
            return evaluate(entry["value"] if isinstance(entry, dict) else entry, scope)
        return CONSTANTS[name]
    return scope


def moved(text, seed):
    if seed is None or text.isdigit():
        return mpf(text)
    return mpf(text) * (1 + mpf(zlib.crc32(f"{text} {seed}".encode()) - 2**31) / 2**31 * mpf("2.2e-16"))
