"""Small random decks, the same ones for the same seed.

A deck belongs to a family: what is likely to go wrong in some way. All families draw components, symmetry, operators,
states and tasks from the same hands.

    python3 tests/random/generate.py SEED           # prints one
"""
import random
import sys

import yaml

MOST_CLASSES, MOST_KETS = 130, 64


def binomial(n, k):
    result = 1
    for i in range(k):
        result = result * (n - i) // (i + 1)
    return result


class Hand:
    """Random numbers, texts and operators of one deck."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.decades, self.named = 0, None  # named: how sectors have names, where it is known
        self.components, self.arrays, self.parameters = {}, {}, {}

    def chance(self, p):
        return self.random.random() < p

    def pick(self, *choices):
        return self.random.choice(choices)

    def number(self, low=0.1, high=2.0):
        return float(f"{self.random.uniform(low, high):.3g}")

    def rate(self):
        """Positive; over 12 decades where the family says so."""
        value = self.number()
        return float(f"{value * 10**-self.random.uniform(0, self.decades):.3g}") if self.decades else value

    def coefficient(self):
        """A factor of an operator, often complex."""
        x = f"{self.rate() if self.decades and self.chance(0.5) else self.number():g}"
        kind = self.random.random()
        if kind < 0.5:
            return x
        if kind < 0.6:
            return f"(-{x})"
        if kind < 0.75:
            return f"{x}*i"
        if kind < 0.9:
            return f"{x}*exp({self.number(0, 6):g}*i)"
        name = "xyzuv"[len(self.parameters) % 5]
        self.parameters[name] = self.pick(float(x), f"{x}/3", f"sqrt({x})")
        return name

    # ---- Components -------------------------------------------------------------------------------------------------

    def component(self, kind):
        if kind == "ensemble":
            n = self.pick(1, 2, 2, 3, 3, 4, 5)
            return {"kind": kind, "size": n}, binomial(n + 3, 3), 2**n
        if kind == "spin":
            two_s = self.pick(1, 1, 2, 3, 4)
            return {"kind": kind, "S": self.pick(f"{two_s}/2", two_s / 2)}, (two_s + 1)**2, two_s + 1
        if kind == "mode":
            n = self.pick(2, 3, 3, 4, 5)
            return {"kind": kind, "cutoff": n, "edge": 1}, n * n, n
        if kind == "spins":
            n = self.pick(1, 2, 2, 3)
            return {"kind": kind, "size": n}, 4**n, 2**n
        n, d = self.pick((1, 2), (2, 2), (1, 3), (2, 3))
        kets = binomial(n + d - 1, d - 1)
        return {"kind": kind, "size": n, "levels": d}, kets * kets, kets

    def draw_components(self, kinds):
        while True:
            drawn = [self.component(kind) for kind in kinds]
            classes = kets = 1
            for _, c, k in drawn:
                classes, kets = classes * c, kets * k
            if 1 < classes <= MOST_CLASSES and kets <= MOST_KETS:
                break
        for name, (entry, _, _) in zip(("A", "B", "C"), drawn):
            self.components[name] = entry

    def kind(self, name):
        return self.components[name]["kind"]

    # ---- Operators --------------------------------------------------------------------------------------------------

    def ladder(self, name, q):
        """An operator that adds q quanta to a component."""
        mode = self.kind(name) == "mode"
        up, down = (f"dag({name}.a)", f"{name}.a") if mode else (f"{name}.Sp", f"{name}.Sm")
        if q == 0:
            neutral = f"{name}.n" if mode else f"{name}.Sz"
            return self.pick(neutral, neutral, f"{neutral}^2", f"{up}*{down}")
        word = up if q > 0 else down
        return word if abs(q) == 1 else f"{word}^{abs(q)}"

    def word(self, q):
        """An operator that adds q quanta in all."""
        names = list(self.components)
        name = self.random.choice(names)
        others = [n for n in names if n != name]
        if others and self.chance(0.5):
            other, k = self.random.choice(others), self.pick(-1, 0, 1)
            return f"{self.ladder(name, q - k)}*{self.ladder(other, k)}"
        return self.ladder(name, q)

    def hermitian(self, symmetry):
        """A term of the Hamiltonian."""
        q = {"none": self.pick(0, 1, 1, 2), "Z2": self.pick(0, 2, 2)}.get(symmetry, 0)
        if q == 0 and self.chance(0.6):
            name = self.random.choice(list(self.components))
            return f"{self.number(-2, 2):g}*" + (f"{name}.n" if self.kind(name) == "mode" else f"{name}.Sz")
        return f"{self.coefficient()}*{self.word(q)} + hc"

    def jump_operator(self, symmetry):
        q = self.pick(-1, -1, 1, 0, -2)
        if symmetry in ("strong", "nothing"):
            q = 0
        text = self.word(q)
        if self.chance(0.3):
            text = f"{self.coefficient()}*{text} + {self.coefficient()}*{self.word(q)}"
        if symmetry == "none" and self.chance(0.3):
            text += f" + {self.coefficient()}*{self.word(self.pick(-1, 0, 1))}"
        if symmetry == "Z2" and self.chance(0.3):
            text += f" + {self.coefficient()}*{self.word(-q if q else 2)}"
        return text

    def local(self, name, symmetry):
        """A jump of each spin."""
        letters = {"strong": ["sz"], "none": ["sm", "sp", "sz", "sx", "sy"], "Z2": ["sm", "sp", "sz", "sx"]}.get(
            symmetry, ["sm", "sm", "sp", "sz"])
        text = f"{name}.{self.random.choice(letters)}"
        if symmetry == "none" and self.chance(0.3):
            text += f" + {self.coefficient()}*{name}.{self.random.choice(letters)}"
        return {"rate": self.rate(), "each": text}

    def jump(self, symmetry):
        name = self.random.choice(list(self.components))
        if self.kind(name) in ("ensemble", "spins") and self.chance(0.5):
            entry = self.local(name, symmetry)
            if self.kind(name) == "spins" and self.chance(0.4):
                entry["rate"] = f"{self.vector(name)}[l]"
            return entry
        if self.kind(name) == "spins" and self.chance(0.4):
            return {"rates": self.matrix(name), "pairs": f"{name}.{'sz' if symmetry == 'strong' else self.pick('sm', 'sp')}"}
        return {"rate": self.rate(), "operator": self.jump_operator(symmetry)}

    def pumped(self, name):
        """Loss and gain of a component."""
        if self.kind(name) in ("ensemble", "spins"):
            return [{"rate": self.rate(), "each": f"{name}.sm"}] + [{"rate": self.rate(), "each": f"{name}.sp"}] * self.pick(0, 1)
        return [{"rate": self.rate(), "operator": self.ladder(name, q)} for q in self.pick((-1,), (-1, 1))]

    # ---- Arrays over spins ------------------------------------------------------------------------------------------

    def vector(self, name):
        label = f"g{len(self.arrays)}"
        self.arrays[label] = [self.rate() for _ in range(self.components[name]["size"])]
        return label

    def matrix(self, name):
        """Hermitian and positive: a sum of outer products of small whole numbers."""
        n, label = self.components[name]["size"], f"G{len(self.arrays)}"
        rows = [[0] * n for _ in range(n)]
        for _ in range(self.pick(1, 1, 2)):
            v = [self.random.randint(-2, 2) for _ in range(n)]
            for l in range(n):
                for m in range(n):
                    rows[l][m] += v[l] * v[m] / 4
        if not any(any(row) for row in rows):
            rows[0][0] = 1.0
        self.arrays[label] = rows
        return f"{self.rate():g}*{label}"

    def spin_terms(self, name):
        """Terms of the Hamiltonian over spins that can be told apart."""
        terms, n = [{"sum": f"{self.vector(name)}[l]*{name}.sz[l]"}], self.components[name]["size"]
        if n > 1 and self.chance(0.7):
            label = f"J{len(self.arrays)}"
            rows = [[0.0] * n for _ in range(n)]
            for l in range(n):
                for m in range(l):
                    rows[l][m] = rows[m][l] = self.number(-1, 1)
            self.arrays[label] = rows
            terms.append({"sum": f"{label}[l,m]*{name}.sp[l]*{name}.sm[m]"})
        return terms

    # ---- States, observables, tasks ---------------------------------------------------------------------------------

    def state(self, name):
        entry, kind = self.components[name], self.kind(name)
        angles = [self.pick("pi/2", self.number(0, 3)), self.pick(0, self.number(0, 6))]
        if kind == "mode":
            return self.pick({"fock": self.random.randrange(entry["cutoff"])}, {"coherent": self.number()},
                             {"thermal": self.number()}, {"coherent": f"{self.number():g}*i"})
        if kind == "levels":
            return self.pick({"css": angles}, {"level": self.random.randrange(entry["levels"])},
                             {"product": [self.number() for _ in range(entry["levels"])]})
        if kind == "spin":
            two_s = round(2 * (eval(entry["S"]) if isinstance(entry["S"], str) else entry["S"]))  # "3/2"
            return self.pick({"css": angles}, {"fock": self.random.randrange(two_s + 1)})
        two_j = entry["size"]
        if kind == "ensemble" and self.chance(0.5):
            two_j -= 2 * self.random.randrange(entry["size"] // 2 + 1)
        return self.pick({"css": angles}, {"css": angles}, {"dicke": [two_j / 2, self.random.randrange(two_j + 1) - two_j / 2]},
                         {"cat": [self.number(0.3, 2), self.number(0, 3), self.pick(1, -1)]})

    def initial(self):
        names = [n for n in self.components if self.chance(0.85)] or list(self.components)
        return {name: self.state(name) for name in names}

    def observables(self):
        entries = {f"o{k}": f"<{self.word(self.pick(0, 0, 1, -1))}>" for k in range(self.random.randint(1, 3))}
        first = self.random.choice(list(self.components))
        if self.kind(first) != "mode":
            entries["x"] = f"<{first}.Sx>"
        if self.chance(0.3):
            entries["purity"] = "purity()"
        if self.chance(0.15):
            entries["entropy"] = "entropy()"
        if self.chance(0.15) and self.kind(first) != "mode":
            entries["fisher"] = f"qfi({first}.{self.pick('Sx', 'Sz')})"
        if self.chance(0.2) and self.kind(first) in ("ensemble", "spin", "mode"):
            x = {"mode": 1, "ensemble": self.components[first].get("size", 0) / 2}.get(self.kind(first))
            entries["share"] = f"weight({first}, {eval(str(self.components[first]['S'])) if x is None else x})"
        return entries

    def times(self):
        last = float(f"{10**self.random.uniform(-1, 2.5):.2g}")
        return self.pick({"linspace": [0, last, 4]}, [0, last / 2, last], [last])

    def lowering(self):
        name = self.random.choice(list(self.components))
        return self.ladder(name, -1)

    def light(self, jumps):
        """Tasks about light and its detection."""
        tasks = []
        if self.chance(0.4):
            w = self.pick(8, 20)
            tasks.append({"spectrum": {"of": f"dag({self.lowering()})", "frequencies": {"linspace": [-w, w, 17]}, "tolerance": 1e-8}})
        if self.chance(0.4):
            tasks.append({"correlation": {"of": self.word(self.pick(1, 0)), "times": self.times()}})
            if self.chance(0.4):
                tasks[-1]["correlation"]["with"] = self.word(self.pick(-1, 0))
        if self.chance(0.4):
            tasks.append({"g2": {"of": self.lowering(), "times": self.times()}})
        if jumps and self.chance(0.7):
            self.random.choice(jumps)["name"] = "light"
            more = {"efficiency": self.number(0.1, 1)} if self.chance(0.4) else {}
            if self.chance(0.2):
                more["dark"] = self.number(0.01, 0.5)
            if self.chance(0.7):
                tasks.append({"counting": {"jump": "light", **more}})
            if self.chance(0.7):
                tasks.append({"clicks": {"jump": "light", "initial": self.initial(), "time": self.number(0.1, 10),
                                         "most": self.random.randint(0, 5), **more}})
        return tasks

    def sector_tasks(self):
        q, k = self.pick(0, 1, -1), self.pick(0, 1)
        still = {"charge": 0} if self.named == "charge" else {"ket": k, "bra": k}
        other = {"charge": q} if self.named == "charge" else {"ket": k, "bra": self.pick(0, 1)}
        return [{"steady": {"name": "still", "sector": still}}, {"gap": {"name": "other", "sector": other}},
                {"decay": {"name": "decay9", "sector": other, "count": self.random.randint(1, 3)}}]

    def tasks(self, jumps):
        tasks = [{"steady": {}}]
        if self.chance(0.7):
            tasks.append({"steady": {"name": "reached", "initial": self.initial()}})
        if self.chance(0.9):
            tasks.append({"gap": {}})
        for k in range(self.pick(0, 1, 1, 2)):
            entry = {"of": self.word(self.pick(1, -1, 0, 1, 2)), "count": self.random.randint(1, 4)}
            if k:
                entry["name"] = f"decay{k}"
            if self.chance(0.5):
                entry["initial"] = self.initial()
            tasks.append({"decay": entry})
        if self.chance(0.5):
            entry = {"times": self.times(), "initial": self.initial()}
            if self.chance(0.3):
                entry["fidelity"] = {n: {"css": [self.number(), self.number()]} for n in self.components if self.kind(n) != "mode"}
            if entry.get("fidelity") == {}:
                del entry["fidelity"]
            tasks.append({"evolve": entry})
        if self.named:
            tasks += self.sector_tasks()
        return tasks + (self.light(jumps) if self.chance(0.4) else [])


# ---- Families ------------------------------------------------------------------------------------------------------

KINDS = ("ensemble", "spin", "mode", "spins", "levels")


def draw(hand, kinds=KINDS, most=2):
    hand.draw_components([hand.pick(*kinds) for _ in range(hand.random.randint(1, most))])


def first_of(hand, *kinds):
    return next((n for n in hand.components if hand.kind(n) in kinds), None)


def plain(hand, symmetry=None, jumps=None):
    """(hamiltonian, jumps)"""
    if not hand.components:
        draw(hand)
    symmetry = symmetry or hand.pick("U1", "U1", "Z2", "strong", "none", "none")
    terms = [hand.hermitian(symmetry) for _ in range(hand.random.randint(0, 3))]
    spins = first_of(hand, "spins")
    if spins and hand.chance(0.6):
        terms += hand.spin_terms(spins)
    count = hand.random.randint(1, 3) if jumps is None else jumps
    jumps = [hand.jump(symmetry) for _ in range(count)]
    if count and symmetry != "strong" and hand.chance(0.5):  # then there is one steady state, most often
        jumps += [jump for name in hand.components for jump in hand.pumped(name)]
    return terms, jumps


def decades(hand):
    hand.decades = 12
    draw(hand, most=hand.pick(1, 2))
    return plain(hand)


def cancelling(hand):
    """Operators that are less than they look like: diagonal ones, phases, a sum whose terms take each other away."""
    draw(hand, ("spin", "ensemble"), 2)
    name = hand.pick(*hand.components)
    word = hand.pick(f"{name}.Sm*{name}.Sp + {hand.number()}*i*{name}.Sp*{name}.Sm", f"exp(i*{hand.number()})*{name}.Sz",
                     f"{hand.number()}*exp(i*{hand.number()})*{name}.Sz^2", f"{name}.Sx^2 + {name}.Sy^2 + {name}.Sz^2",
                     f"{hand.coefficient()}*({name}.Sx*{name}.Sy - {name}.Sy*{name}.Sx)")
    jumps = [{"rate": hand.rate(), "operator": word}]
    if hand.chance(0.4):
        rate = hand.rate()
        jumps += [{"rate": rate, "operator": f"{name}.Sx"}, {"rate": rate, "operator": f"{name}.Sy"}]
    return [hand.hermitian("U1")] if hand.chance(0.4) else [], jumps


def dark(hand):
    """States that no jump leaves: collective decay, two quanta at a time."""
    hand.draw_components([hand.pick("ensemble", "spins", "mode", "spin"), hand.pick("ensemble", "mode", "spin")][:hand.pick(1, 2)])
    sums = []
    for name in hand.components:
        down = f"{name}.a" if hand.kind(name) == "mode" else f"{name}.Sm"
        sums.append(hand.pick(down, f"{down}^2"))
    jumps = [{"rate": hand.rate(), "operator": " + ".join(sums)}]
    terms = []
    if len(sums) == 2 and hand.chance(0.5):
        terms.append(f"{hand.number()}*(A.{'n' if hand.kind('A') == 'mode' else 'Sz'} + B.{'n' if hand.kind('B') == 'mode' else 'Sz'})")
    elif hand.chance(0.5):
        terms.append(hand.hermitian(hand.pick("U1", "Z2")))
    return terms, jumps


def not_normal(hand):
    """Products of components of a spin as jumps, and drives."""
    draw(hand, ("ensemble", "spin", "spins"), hand.pick(1, 1, 2))
    name = hand.pick(*hand.components)
    x, y = hand.pick("Sx", "Sy", "Sz"), hand.pick("Sx", "Sz", "Sp", "Sm")
    terms = [f"{hand.number():g}*{name}.Sx", f"{hand.number():g}*{name}.Sy"][:hand.pick(1, 2)]
    return terms, [{"rate": hand.rate(), "operator": hand.pick(f"{name}.{x}*{name}.{y}", f"{name}.Sm + {hand.number(0, 1.2):g}*{name}.Sp",
                                                               f"{name}.{x} + {hand.coefficient()}*{name}.{y}")}]


def slow(hand):
    """A collective process, and local ones that mix the irreps slowly."""
    hand.draw_components(["ensemble"] + (["mode"] if hand.chance(0.3) else []))
    e = float(f"{10**-hand.random.uniform(3, 12):.3g}")
    terms, jumps = plain(hand, hand.pick("U1", "none"), 0)
    jumps = [{"rate": hand.number(), "operator": hand.pick("A.Sm", "A.Sp", "A.Sz", "A.Sm + 0.3*A.Sp")}]
    jumps += [{"rate": e, "each": "A.sm"}, {"rate": e * hand.pick(0.5, 1, 2), "each": hand.pick("A.sp", "A.sz")}]
    return terms if hand.chance(0.5) else [], jumps


def near(hand):
    """Components that hardly differ and hardly know each other: slow modes next to each other."""
    kind = hand.pick("spin", "ensemble", "spins")
    hand.draw_components([kind])
    hand.components["B"] = dict(hand.components["A"])
    if kind != "spin" and hand.components["A"]["size"] > 2:
        hand.components["A"]["size"] = hand.components["B"]["size"] = 2
    if kind == "spin":
        hand.components["A"]["S"] = hand.components["B"]["S"] = "1/2"
    e, d = (float(f"{10**-hand.random.uniform(1, 9):.3g}") for _ in range(2))
    s, r = float(f"{10**-hand.random.uniform(0, 8):.3g}"), hand.number()
    jumps = [{"rate": s, "operator": "A.Sm"}, {"rate": f"{s:g}*(1 + {d:g})", "operator": "B.Sm"},
             {"rate": f"{s:g}*{r:g}", "operator": "A.Sp"}, {"rate": f"{s:g}*{r:g}", "operator": "B.Sp"}]
    return [f"{e:g}*A.Sp*B.Sm + hc", f"{hand.number():g}*A.Sz"], jumps


def coherent(hand):
    """Something commutes with all there is, so that coherences last."""
    draw(hand, KINDS, 2)
    name = hand.pick(*hand.components)
    if hand.kind(name) == "mode":
        x, z = f"({name}.a + dag({name}.a))", f"{name}.n"
    else:
        x, z = hand.pick(f"{name}.Sx", f"{name}.Sy"), f"{name}.Sz"
    fixed = hand.pick(x, z)
    others = [n for n in hand.components if n != name]
    terms, jumps = [], [{"rate": hand.rate(), "operator": fixed}] if not others or hand.chance(0.3) else []
    for other in others:
        ladder = hand.ladder(other, -1)
        terms.append(f"{hand.coefficient()}*{fixed}*{ladder} + hc")
        jumps.append({"rate": hand.rate(), "operator": ladder})
    return terms, jumps


def oscillating(hand):
    """Frequencies that nothing damps, or no jump at all."""
    draw(hand, KINDS, 2)
    terms, jumps = plain(hand, hand.pick("strong", "U1"), 0)
    if hand.chance(0.6):
        zs = " + ".join(f"{n}.n" if hand.kind(n) == "mode" else f"{n}.Sz" for n in hand.components)
        jumps = [{"rate": hand.rate(), "operator": zs}]
    return terms, jumps


def sectors(hand):
    """Sectors by their names: of one charge where jumps take single quanta, of ket and bra where none takes any."""
    draw(hand, ("spin", "mode"), 1)
    hand.named = hand.pick("charge", "ket")
    if hand.named == "ket":
        hand.components["A"] = hand.pick({"kind": "spin", "S": 1.5}, {"kind": "mode", "cutoff": 4, "edge": 1}, {"kind": "levels", "size": 2, "levels": 2})
    jumps = [{"rate": hand.rate(), "operator": hand.ladder("A", 0)}]
    if hand.named == "charge":
        jumps += hand.pumped("A") + ([{"rate": hand.rate(), "operator": hand.ladder("A", -1)}] if hand.chance(0.5) else [])
    return [hand.hermitian("U1") for _ in range(hand.random.randint(0, 2))], jumps


FAMILIES = (plain, plain, plain, decades, decades, cancelling, dark, not_normal, slow, near, coherent, oscillating)
EVERY_37TH = sectors


def family(seed):
    return EVERY_37TH if seed % 37 == 36 else FAMILIES[seed % len(FAMILIES)]


def deck(seed):
    hand = Hand(seed)
    terms, jumps = family(seed)(hand)
    document = {"title": f"random {seed} {family(seed).__name__}"}
    observables, tasks = hand.observables(), hand.tasks(jumps)
    for key, value in (("parameters", hand.parameters), ("components", hand.components), ("arrays", hand.arrays),
                       ("hamiltonian", terms), ("jumps", jumps), ("observables", observables), ("tasks", tasks)):
        if value:
            document[key] = value
    return document


class Plain(yaml.SafeDumper):
    """Without anchors, which decks need not have; numbers as they are."""

    def ignore_aliases(self, data):
        return True


def text(seed, more=None):
    """more: keys beside those that are drawn."""
    return yaml.dump({**deck(seed), **(more or {})}, Dumper=Plain, sort_keys=False, default_flow_style=None, width=110)


if __name__ == "__main__":
    print(text(int(sys.argv[1])), end="")
