"""Observables of a deck in a state: expectation values, functionals, and expressions of them."""
import numpy
from mpmath import mp, mpc, mpf

import expressions
import states
from operators import Operator


class Observables:
    def __init__(self, generator, entries):
        self.generator, self.deck = generator, generator.deck
        self.texts = {name: entry["value"] if isinstance(entry, dict) else entry for name, entry in (entries or {}).items()}
        self.readings = {}

    def reading(self, tree):
        """(vector, norm) of the operator of a tree."""
        key = expressions.ast.dump(tree)
        if key not in self.readings:
            operator = expressions.walk(tree, self.deck.scope({}), {})
            if not isinstance(operator, Operator):
                operator = Operator.unit(self.deck.space.size, operator)
            self.readings[key] = (self.generator.reading(operator), operator.norm())
        return self.readings[key]

    def value(self, name, vector):
        """Of the observable in a state."""
        rho = None

        def matrix():
            nonlocal rho
            rho = self.generator.matrix(vector) if rho is None else rho
            return rho

        def dense(tree):
            return expressions.walk(tree, self.deck.scope({}), {}).dense()
        space = self.deck.space
        calls = {"EXPECT": lambda trees, scope: mpc(self.reading(trees[0])[0] @ vector),
                 "purity": lambda trees, scope: mpf(states.purity(matrix())),
                 "entropy": lambda trees, scope: mpf(states.entropy(matrix())),
                 "qfi": lambda trees, scope: mpf(states.fisher(matrix(), dense(trees[0]))),
                 "weight": lambda trees, scope: mpf(states.weight(
                     space, space.find(expressions.dotted(trees[0])), matrix(),
                     float(mp.re(expressions.walk(trees[1], scope, {})))))}
        return complex(expressions.evaluate(self.texts[name], self.deck.numbers, calls))

    def size(self, name):
        """The natural scale of an observable: its terms' moduli with every <A> replaced by the norm of A."""
        calls = {"EXPECT": lambda trees, scope: mpf(self.reading(trees[0])[1]), "purity": lambda *_: mpf(1),
                 "entropy": lambda *_: mpf(1), "weight": lambda *_: mpf(1),
                 "qfi": lambda trees, scope: mpf(4 * self.reading(trees[0])[1]**2)}

        def moduli(node):
            if isinstance(node, expressions.ast.BinOp):
                left, right = moduli(node.left), moduli(node.right)
                operation = type(node.op)
                return left + right if operation in (expressions.ast.Add, expressions.ast.Sub) else \
                    expressions.OPERATIONS[operation](left, right)
            if isinstance(node, expressions.ast.UnaryOp):
                return moduli(node.operand)
            return abs(expressions.walk(node, self.deck.numbers, calls))
        return float(moduli(expressions.parse(self.texts[name])[0])) or 1.0

    def needs_matrix(self, name):
        return any(word in self.texts[name] for word in ("purity", "entropy", "qfi", "weight"))


def axis(deck, entry):
    """A list of numbers, or a rule that makes one."""
    if isinstance(entry, list):
        return [float(mp.re(deck.number(x))) for x in entry]
    (rule, arguments), = entry.items()
    first, last, count = (float(mp.re(deck.number(x))) for x in arguments)
    if rule == "linspace":
        return list(numpy.linspace(first, last, int(count)))
    return list(numpy.geomspace(first, last, int(count)))
