"""Two sets of objects in their normal form, compared."""

import dataclasses
import typing

from comparison import normal_form, rules
from comparison.normal_form import PRESENT

# What the operators say about themselves, or an API server makes.
IGNORED_KINDS = {"TigeraStatus", "CustomResourceDefinition", "Lease", "Event", "APIServer", "Goldmane", "Whisker",
                 "ImageSet"}


@dataclasses.dataclass
class Difference:
    object: str
    path: str
    theirs: typing.Optional[str]
    ours: typing.Optional[str]
    rule: typing.Optional[rules.Rule] = None

    def kind(self):
        return self.object.split("/")[0]


def normalized(form, objects):
    return {normal_form.identity(thing): form.of(thing) for thing in objects if thing.get("kind") not in IGNORED_KINDS}


def compare(theirs, ours):
    """Every difference, in the order of objects and paths. An object or a list's element that one side lacks is one."""
    found = []
    for name in sorted({*theirs, *ours}):
        if name not in ours or name not in theirs:
            found.append(Difference(name, rules.WHOLE, PRESENT if name in theirs else None, PRESENT if name in ours else None))
            continue
        left, right = theirs[name], ours[name]
        lacking = None
        for path in sorted({*left, *right}):
            if lacking and path.startswith(lacking):
                continue
            if left.get(path) == right.get(path):
                continue
            lacking = path + "." if PRESENT in (left.get(path), right.get(path)) else None
            found.append(Difference(name, path, whole(left, path), whole(right, path)))
    return found


def whole(flat, path):
    """The text at `path`; of an element what is in it."""
    if flat.get(path) != PRESENT:
        return flat.get(path)
    inside = {key[len(path) + 1:]: value for key, value in flat.items() if key.startswith(path + ".")}
    return ", ".join(f"{key}: {value}" for key, value in sorted(inside.items())) or PRESENT


def explain(found, case, all_rules):
    """Gives each difference the first rule that is about it; every rule that is counts as used."""
    for difference in found:
        for rule in all_rules:
            if rule.matches(difference, case):
                rule.used += 1
                difference.rule = difference.rule or rule
