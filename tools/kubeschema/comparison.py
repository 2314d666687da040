"""What the data file and a server say differently."""

from kubeschema import text


def minor(version):
    """1.37.2 -> (1, 37)."""
    return tuple(int(part) for part in version.split(".")[:2])


def differences(file, server, older, pointers=True):
    """A line for each difference of two models, by type and field.

    On an `older` server than the file was made from, what only one of the two knows is none: neither a field, nor a
    default that is only stated since (test_schema proves that the older server fills it in, too). Without `pointers` the
    server's model has no marks of Go's pointers, and those of the file are not looked at.
    """
    if not pointers:
        file = without_pointers(file)
    found = []
    _compare(found, "kinds: ", {kind["kind"]: kind for kind in file["kinds"]},
             {kind["kind"]: kind for kind in server["kinds"]}, older)
    # A kind that the server lacks takes its types along.
    _compare(found, "", {name: _of(entry) for name, entry in file["types"].items()},
             {name: _of(entry) for name, entry in server["types"].items()}, older)
    for name in sorted(set(file["types"]) & set(server["types"])):
        _compare(found, f"{name}.", file["types"][name]["fields"], server["types"][name]["fields"], older)
    return found


def _of(entry):
    """What is said of a type as a whole."""
    return "an atomic type" if entry.get("atomic") else "a type of fields"


def _compare(found, prefix, file, server, older):
    for name in sorted(set(file) | set(server)):
        if name in file and name in server:
            if file[name] != server[name] and not (older and _stated_since(file[name]) == server[name]):
                found.append(f"{prefix}{name}: the file has {text.shown(file[name])}, the server {text.shown(server[name])}")
        elif not older:
            has, lacks, value = ("file", "server", file) if name in file else ("server", "file", server)
            found.append(f"{prefix}{name}: the {has} has {text.shown(value[name])}, the {lacks} has none")


def _stated_since(spec):
    """A field as a server has it that does not state its default."""
    if not isinstance(spec, dict) or "default" not in spec:
        return spec
    spec = {key: value for key, value in spec.items() if key != "default"}
    return spec["of"] if list(spec) == ["of"] else spec


def without_pointers(model):
    """The model without any mark of a pointer, and without the defaults that only matter there."""
    types = {name: {**entry, "fields": {field: _plain(spec) for field, spec in entry["fields"].items()}}
             for name, entry in model["types"].items()}
    return {**model, "types": types}


def _plain(spec):
    if isinstance(spec, str):
        return spec.rstrip("?")
    spec = {**spec, "of": _plain(spec["of"])}
    if "default" in spec and not spec["default"] and spec["default"] != {}:
        del spec["default"]
    return spec["of"] if list(spec) == ["of"] else spec
