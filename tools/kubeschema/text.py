"""The data file: a model as YAML and back. It reads only what it writes: one field a line, in flow style."""

import json
import re

HEAD = """\
# What the API server knows about the kinds that the operator renders, or reads and writes back.
# Made by `tools/schema write` from Kubernetes {version}: its OpenAPI, its Go types, and the tables in
# tools/kubeschema/tables.py. Do not edit it; `tools/schema check` compares it with a server.
#
# kinds: the type of each kind's objects; immutable: paths that an update may not change.
# types: atomic: true is a struct that is replaced as a whole. A field is a type of this file or one of the scalars
#   string integer number boolean Quantity IntOrString Time bytes any (free JSON), or it is written as
#   {{list: keyed|set|atomic, keys: [...], of: X}}, {{map: granular|atomic, of: X}}, {{of: X, atomic: true}}.
#   X? is a Go pointer: absent differs from false, 0, "" and {{}}. Without the mark the server takes them for absent.
#   default: what the server fills in. when: only where the field beside it has one of these values.
"""
_VERSION = re.compile(r"^# Made by .* from Kubernetes (\d+\.\d+\.\d+)", re.MULTILINE)
# Other readers take a ? within braces for a mark of their own: there it is quoted.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*")
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],":]+(?::(?!\s)[^\s{}\[\],":]*)*:?)')
_WORDS = {"true": True, "false": False}


def flow(value):
    """A value in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _WORDS:
        return value
    return json.dumps(value)


def shown(spec):
    """A field as it stands in the file."""
    return spec if isinstance(spec, str) else flow(spec)


def write(model, version):
    """The file's text."""
    lines = ["kinds:"]
    lines += [f"  - {flow(kind)}" for kind in model["kinds"]]
    lines.append("types:")
    for name, entry in sorted(model["types"].items()):
        lines.append(f"  {name}:")
        if entry.get("atomic"):
            lines.append("    atomic: true")
        lines.append("    fields:")
        lines += [f"      {field}: {shown(spec)}" for field, spec in sorted(entry["fields"].items())]
    return HEAD.format(version=version) + "\n".join(lines) + "\n"


def version(text):
    """The Kubernetes that the file was made from."""
    found = _VERSION.search(text)
    if not found:
        raise ValueError("read the schema file: its head does not name a version of Kubernetes")
    return found.group(1)


def read(text):
    """The model in a file's text; ValueError with the line for what write() does not make."""
    model, types = {"kinds": [], "types": {}}, {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            _line(model, types, line)
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"read the schema file: line {number}: {line.strip()[:60]!r}: {error}") from error
    model["types"] = types
    return model


def _line(model, types, line):
    depth = len(line) - len(line.lstrip(" "))
    words = line.strip()
    if not words or words.startswith("#") or depth == 0 and words in ("kinds:", "types:"):
        return
    key, _, value = words.partition(": ")
    if depth == 2 and words.startswith("- "):
        model["kinds"].append(parse(words[2:]))
    elif depth == 2 and words.endswith(":"):
        types[words[:-1]] = {"fields": {}}
    elif depth == 4 and words == "atomic: true":
        _last(types)["atomic"] = True
    elif depth == 6 and value:
        _last(types)["fields"][key] = parse(value)
    elif (depth, words) != (4, "fields:"):
        raise ValueError("not a line of this file")


def _last(types):
    return types[next(reversed(types))]


def parse(text):
    """The value of a text in flow style."""
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"unexpected {text[at:at + 10]!r}")
        tokens.append(found.group(1))
        at = found.end()
    value = _value(tokens)
    if tokens:
        raise ValueError(f"unexpected {tokens[0]!r}")
    return value


def _value(tokens):
    token = tokens.pop(0)
    if token == "{":
        pairs = {}
        while tokens[0] != "}":
            key = tokens.pop(0)
            if not key.endswith(":"):
                raise ValueError(f"{key!r} is no key")
            pairs[key[:-1]] = _value(tokens)
            _comma(tokens, "}")
        tokens.pop(0)
        return pairs
    if token == "[":
        values = []
        while tokens[0] != "]":
            values.append(_value(tokens))
            _comma(tokens, "]")
        tokens.pop(0)
        return values
    return _scalar(token)


def _comma(tokens, end):
    if tokens[0] == ",":
        tokens.pop(0)
    elif tokens[0] != end:
        raise ValueError(f"unexpected {tokens[0]!r}")


def _scalar(token):
    if token in "}],":
        raise ValueError(f"unexpected {token!r}")
    if token.startswith('"'):
        return json.loads(token)
    if token in _WORDS:
        return _WORDS[token]
    return int(token) if re.fullmatch(r"-?\d+", token) else token
