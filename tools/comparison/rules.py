"""Intended differences: blocks in docs/DIFFERENCES.md, each below a heading and the reason.

    ```difference
    object: DaemonSet/calico-system/calico-node
    path: spec.template.spec.initContainers[*-key-cert-provisioner].image
    when: certificateManagement
    ours: absent
    ```

`object` and `path` take `*` for any text and may be given several times; `path: (object)` is the object as a whole. `theirs` and
`ours` are texts with `*`; `absent` is that there is none. `release` is v3.33 and the like. `when` is a field of
the Installation's spec that must be set, `when: !field` one that must not. What a line says must all hold; of several lines with
the same key one must. A block that no difference has used is a mistake, unless it has a line `sometimes` with the reason why it
is about nothing in some runs.
"""

import re

KEYS = ("object", "path", "theirs", "ours", "release", "when", "sometimes")
BLOCK = re.compile(r"^```difference\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
WHOLE = "(object)"
ABSENT = "absent"


class RuleError(Exception):
    """DIFFERENCES.md says something that cannot be read."""


def glob(pattern):
    return re.compile("".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", pattern)) + r"\Z", re.DOTALL)


class Rule:
    def __init__(self, line, title, fields):
        self.line, self.title, self.used = line, title, 0
        self.globs = {key: [glob(value) for value in fields.get(key, [])] for key in ("object", "path", "theirs", "ours")}
        self.releases = fields.get("release", [])
        self.conditions = fields.get("when", [])
        self.sometimes = "sometimes" in fields

    def matches(self, difference, case):
        if self.releases and case.release not in self.releases:
            return False
        if self.conditions and not any(holds(condition, case.spec) for condition in self.conditions):
            return False
        texts = {"object": difference.object, "path": difference.path,
                 "theirs": ABSENT if difference.theirs is None else difference.theirs,
                 "ours": ABSENT if difference.ours is None else difference.ours}
        for key, patterns in self.globs.items():
            if patterns and not any(pattern.match(texts[key]) for pattern in patterns):
                return False
        return True


def unused(all_rules):
    """Those that are about nothing and should not be."""
    return [rule for rule in all_rules if not rule.used and not rule.sometimes]


def holds(condition, spec):
    """`a.b` is set in the spec, or `!a.b` is not; `a.b=x` has that value."""
    wanted = not condition.startswith("!")
    path, _, value = condition.lstrip("!").partition("=")
    for part in path.split("."):
        spec = spec.get(part) if isinstance(spec, dict) else None
    found = spec is not None and (not value or str(spec) == value)
    return found == wanted


def parse(text):
    """The rules of DIFFERENCES.md. Raises RuleError naming the line."""
    rules = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        headings = HEADING.findall(text[:block.start()])
        between = text[:block.start()].rsplit("\n#", 1)[-1].partition("\n")[2]
        reason = BLOCK.sub("", between).strip()
        if len(headings) < 2 or not reason:
            raise RuleError(f"line {line}: a block needs a heading of its own and a reason")
        fields = {}
        for entry in block.group(1).splitlines():
            key, colon, value = entry.partition(":")
            if not colon or key.strip() not in KEYS or not value.strip():
                raise RuleError(f"line {line}: {entry!r} is not one of {', '.join(KEYS)} with a value")
            fields.setdefault(key.strip(), []).append(value.strip())
        if "object" not in fields or "path" not in fields:
            raise RuleError(f"line {line}: object and path are needed")
        rules.append(Rule(line, headings[-1], fields))
    return rules
