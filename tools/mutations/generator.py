"""Changes that make a good Installation wrong, or at least odd. Everything is decided by (seed, number), so that one of
them can be made again alone: generator.Generator(starts, schema, seed).make(number).
"""

import copy
import dataclasses
import random
import re

from mutations import values

# How many changes at once, and how often.
CHANGES = (1, 1, 1, 1, 2, 2, 3, 5)


@dataclasses.dataclass
class Change:
    kind: str
    path: str  # "spec.calicoNetwork.ipPools[0].cidr"


@dataclasses.dataclass
class Mutation:
    seed: int
    number: int
    start: object
    spec: dict
    changes: list

    def __str__(self):
        made = ", ".join(f"{change.kind} at {change.path}" for change in self.changes)
        return f"seed {self.seed} number {self.number}, {self.start.name} with {made}"

    def object(self):
        return {"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "metadata": {"name": "default"}, "spec": self.spec}


def places(value, path="spec"):
    """(parent, key, path) of everything inside of `value`."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        at = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}"
        yield value, key, at
        yield from places(inner, at)


def schema_fields(schema, path="spec"):
    """(steps, schema) of every field that a definition names, lists and maps as one step "[]"."""
    for name, inner in schema.get("properties", {}).items():
        yield (name,), inner
        for steps, deeper in schema_fields(inner, f"{path}.{name}"):
            yield (name, *steps), deeper
    items = schema.get("items")
    if items:
        yield from ((("[]", *steps), deeper) for steps, deeper in schema_fields(items, path))


class Generator:
    """`schema` is the spec of the definition of Installation (its openAPIV3Schema.properties.spec)."""

    def __init__(self, starts, schema, seed):
        self.starts, self.seed = starts, seed
        self._fields = list(schema_fields(schema))
        self._kinds = [
            (self._drop, 3), (self._twice, 2), (self._swap_type, 1), (self._number, 3), (self._wrong_value, 3), (self._network, 4),
            (self._long, 2), (self._unicode, 1), (self._nest, 0.5), (self._empty, 2), (self._null, 0.5), (self._pem, 2), (self._line_ends, 1),
            (self._unknown, 1), (self._contradict, 6), (self._from_schema, 8), (self._cross, 3), (self._label, 5), (self._path, 3)]

    def make(self, number):
        chance = random.Random(f"{self.seed}:{number}")
        start = chance.choice(self.starts)
        spec = copy.deepcopy(start.spec)
        changes = []
        for _ in range(chance.choice(CHANGES)):
            for _ in range(20):
                change, = chance.choices([kind for kind, _ in self._kinds], [weight for _, weight in self._kinds])
                path = change(chance, spec)
                if path:
                    changes.append(Change(change.__name__.strip("_").replace("_", " "), path))
                    break
        return Mutation(self.seed, number, start, spec, changes)

    @staticmethod
    def _pick(chance, spec, wanted=lambda value, path: True):
        found = [place for place in places(spec) if wanted(place[0][place[1]], place[2])]
        return chance.choice(found) if found else (None, None, None)

    def _put(self, chance, spec, choices, wanted):
        """Puts one of `choices` where `wanted` holds; the path."""
        parent, key, path = self._pick(chance, spec, wanted)
        if parent is not None:
            parent[key] = copy.deepcopy(chance.choice(choices))
        return path

    def _drop(self, chance, spec):
        parent, key, path = self._pick(chance, spec)
        if parent is not None:
            del parent[key]
        return path

    def _twice(self, chance, spec):
        parent, key, path = self._pick(chance, spec, lambda value, path: path.endswith("]"))
        if parent is not None:
            parent.insert(key, copy.deepcopy(parent[key]))
        return path

    def _swap_type(self, chance, spec):
        return self._put(chance, spec, values.OTHER_TYPES, lambda value, path: True)

    def _number(self, chance, spec):
        return self._put(chance, spec, values.NUMBERS, lambda value, path: isinstance(value, int) and not isinstance(value, bool))

    def _wrong_value(self, chance, spec):
        def is_word(value, path):
            return isinstance(value, str) and re.fullmatch(r"[A-Za-z]+", value)
        return self._put(chance, spec, values.WORDS, is_word)

    def _network(self, chance, spec):
        def is_network(value, path):
            return isinstance(value, str) and re.fullmatch(r"[0-9a-f.:]+(/\d+)?", value) and (":" in value or "." in value)
        return self._put(chance, spec, values.NETWORKS, is_network)

    def _long(self, chance, spec):
        parent, key, path = self._pick(chance, spec, lambda value, path: isinstance(value, str))
        if parent is not None:
            parent[key] = chance.choice(values.LONG_PIECES) * chance.choice((64, 254, 5000, 70000))
        return path

    def _unicode(self, chance, spec):
        return self._put(chance, spec, values.UNICODE, lambda value, path: isinstance(value, str))

    def _nest(self, chance, spec):
        parent, key, path = self._pick(chance, spec)
        if parent is not None:
            for _ in range(chance.choice((1, 3, 10))):
                parent[key] = {key: parent[key]} if isinstance(key, str) else [parent[key]]
        return path

    def _empty(self, chance, spec):
        return self._put(chance, spec, ({}, [], ""), lambda value, path: isinstance(value, (dict, list, str)))

    def _null(self, chance, spec):
        return self._put(chance, spec, (None,), lambda value, path: True)

    def _pem(self, chance, spec):
        management = spec.get("certificateManagement")
        if not isinstance(management, dict) or not isinstance(management.get("caCert"), str):
            return None
        management["caCert"] = values.wrong_pem(chance, management["caCert"])
        return "spec.certificateManagement.caCert"

    def _line_ends(self, chance, spec):
        parent, key, path = self._pick(chance, spec, lambda value, path: isinstance(value, str) and "caCert" not in path)
        if parent is not None:
            parent[key] = parent[key] + chance.choice(("\r\n", "\n", " ", "\t", "\x00", "\r\nX: y"))
        return path

    def _unknown(self, chance, spec):
        parent, key, path = self._pick(chance, spec, lambda value, path: isinstance(value, dict))
        parent, path = (spec, "spec") if parent is None else (parent[key], path)
        name = chance.choice(("env", "limit", "nodeaffinity", "replicas", "", "a b", "x" * 300))
        parent[name] = chance.choice((1, "x", {}, [{}]))
        return f"{path}.{name[:40]}"

    def _contradict(self, chance, spec):
        fields = copy.deepcopy(chance.choice(values.CONTRADICTIONS))
        return "spec." + merge(spec, fields)

    def _from_schema(self, chance, spec):
        """A field that the definition knows gets a value of its type; what leads there is made."""
        steps, schema = chance.choice(self._fields)
        value = values.of_schema(chance, schema)
        at, path = spec, "spec"
        for step, following in zip(steps, (*steps[1:], None)):
            key = step
            if step == "[]":
                if not at:
                    at.append({} if following != "[]" else [])
                key = chance.randrange(len(at))
                path += f"[{key}]"
            else:
                path += f".{step}"
            if following is None:
                at[key] = value
                break
            inner = at.get(key) if isinstance(at, dict) else at[key]
            wanted = list if following == "[]" else dict
            if not isinstance(inner, wanted):
                at[key] = inner = wanted()
            at = inner
        return path

    def _cross(self, chance, spec):
        """A field of another good one."""
        other = chance.choice(self.starts).spec
        if not other:
            return None
        name = chance.choice(sorted(other))
        spec[name] = copy.deepcopy(other[name])
        return f"spec.{name}"

    def _label(self, chance, spec):
        def is_map(value, path):
            return isinstance(value, dict) and path.rpartition(".")[2] in values.MAPS
        parent, key, path = self._pick(chance, spec, is_map)
        if parent is None:
            return None
        name = chance.choice(values.LABEL_KEYS)
        parent[key][name] = chance.choice(values.LABEL_VALUES)
        return path

    def _path(self, chance, spec):
        def is_path(value, path):
            return isinstance(value, str) and value.startswith("/")
        return self._put(chance, spec, values.PATHS, is_path)


def merge(into, fields):
    """Puts `fields` into `into`, objects member by member; the path of the first."""
    first = ""
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict) and value:
            inner = merge(into[key], value)
            first = first or f"{key}.{inner}"
        else:
            into[key] = value
            first = first or key
    return first
