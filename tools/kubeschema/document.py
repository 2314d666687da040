"""OpenAPI v3 documents and Go's pointers -> kinds and types, as the data file holds them.

A field is the name of a type or scalar, with `?` behind it where it is a Go pointer, or a dict of it: `list` or `map`
with their strategy, `keys`, `of`, `atomic`, `default`, `when`.
"""

from kubeschema import tables

_PREFIX = "#/components/schemas/"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_STRINGS = {"byte": "bytes", "date-time": "Time"}


class SchemaError(Exception):
    """A document that does not hold what it must."""


def model(documents, pointers):
    """{"kinds": [...], "types": {...}} of tables.KINDS.

    `documents` are OpenAPI v3 documents, `pointers` what pointers.go prints, or None: then no field is a pointer.
    """
    schemas = {}
    for document in documents:
        schemas.update(document["components"]["schemas"])
    return _Model(schemas, pointers).build()


def reference(schema):
    """The name of the schema that this one stands for, or None."""
    schemas = [schema, *schema.get("allOf", [])]
    found = [s["$ref"].removeprefix(_PREFIX) for s in schemas if "$ref" in s]
    return found[0] if found else None


def _short(full):
    return full.rpartition(".")[2]


def _group(full):
    """io.k8s.api.rbac.v1.Subject -> rbac."""
    return full.split(".")[-3]


class _Model:
    def __init__(self, schemas, pointers):
        self._schemas, self._pointers = dict(schemas), pointers
        self._found = {}  # full name -> schema, of the types that are reached

    def build(self):
        roots = [self._root(api_version, kind) for api_version, kind in tables.KINDS]
        for full in roots:
            self._reach(full)
        self._names = self._unique_names()
        types = {name: self._type(full) for full, name in self._names.items()}
        self._add_defaults(types)
        kinds = []
        for (api_version, kind), full in zip(tables.KINDS, roots):
            entry = {"apiVersion": api_version, "kind": kind, "type": self._names[full]}
            if kind in tables.IMMUTABLE:
                entry["immutable"] = list(tables.IMMUTABLE[kind])
            kinds.append(entry)
        return {"kinds": kinds, "types": types}

    def _root(self, api_version, kind):
        group, _, version = api_version.rpartition("/")
        wanted = {"group": group, "version": version, "kind": kind}
        for full, schema in self._schemas.items():
            if schema.get("x-kubernetes-group-version-kind") == [wanted]:
                if kind not in tables.WITH_STATUS and "status" in schema["properties"]:
                    schema = {**schema, "properties": {**schema["properties"], "status": {}}}
                self._schemas[full] = schema
                return full
        raise SchemaError(f"find {kind} of {api_version}: the server does not know it")

    # Types

    def _reach(self, full):
        """Takes a type and all that it holds; objects within a CRD become types of their own."""
        if full in self._found:
            return
        schema = self._schemas[full]
        self._found[full] = schema
        for name, field in schema["properties"].items():
            if (_short(full), name) not in tables.FREE:
                self._reach_value(field, full + name[:1].upper() + name[1:])

    def _reach_value(self, schema, inline):
        target = self._target(schema)
        if target:
            self._reach(target)
        elif "properties" in schema:
            self._schemas[inline] = schema
            self._reach(inline)
        elif "items" in schema:
            self._reach_value(schema["items"], inline)
        elif isinstance(schema.get("additionalProperties"), dict):
            self._reach_value(schema["additionalProperties"], inline)

    def _target(self, schema):
        """The full name of the struct that a schema refers to; None for scalars, lists, maps and free JSON."""
        full = reference(schema)
        return full if full and "properties" in self._schemas[full] else None

    def _unique_names(self):
        shorts = [_short(full) for full in self._found]
        names = {full: _short(full) if shorts.count(_short(full)) == 1 else f"{_group(full)}.{_short(full)}"
                 for full in sorted(self._found)}
        if len(set(names.values())) != len(names):
            raise SchemaError("name the types: two of them have the same name and group")
        return names

    def _type(self, full):
        schema = self._found[full]
        fields = {name: self._field(full, name, field) for name, field in schema["properties"].items()}
        atomic = {"atomic": True} if schema.get("x-kubernetes-map-type") == "atomic" else {}
        return {**atomic, "fields": fields}

    # Fields

    def _field(self, full, name, schema):
        if (_short(full), name) in tables.FREE:
            return "any"
        inline = full + name[:1].upper() + name[1:]
        value = self._value(schema, inline)
        pointer = self._is_pointer(full, name)
        if pointer and isinstance(value, dict) and ("list" in value or "map" in value):
            raise SchemaError(f"read {full}: {name} is a pointer to a list or map, which the file cannot say")
        extra = {}
        if isinstance(value, str):
            value += "?" if pointer else ""
            if schema.get("x-kubernetes-map-type") == "atomic":
                extra["atomic"] = True
        default = schema.get("default")
        # Without a pointer the zero value is the absent one.
        if isinstance(default, (str, int, float)) and (default or pointer):
            extra["default"] = default
        if not extra:
            return value
        return {**value, **extra} if isinstance(value, dict) else {"of": value, **extra}

    def _is_pointer(self, full, name):
        if self._pointers is None:
            return False
        if full in self._pointers:
            if name not in self._pointers[full]:
                raise SchemaError(f"read {full}: its Go type has no {name}")
            return self._pointers[full][name]
        if full.startswith("io.k8s."):
            raise SchemaError(f"read {full}: add its kind to pointers.go")
        # The server keeps a custom resource as it was written.
        return not self._is_container(self._found[full]["properties"][name])

    @staticmethod
    def _is_container(schema):
        return "items" in schema or "additionalProperties" in schema

    def _value(self, schema, inline):
        """The spec of a value, wherever it is: in a field, a list or a map."""
        full = reference(schema)
        if full:
            if full == _QUANTITY:
                return "Quantity"
            return self._names[full] if self._target(schema) else self._value(self._schemas[full], inline)
        if "properties" in schema:
            return self._names[inline]
        if schema.get("format") == "int-or-string":
            return "IntOrString"
        kind = schema.get("type")
        if kind == "array":
            return self._list(schema, inline)
        if isinstance(schema.get("additionalProperties"), dict):
            strategy = "atomic" if schema.get("x-kubernetes-map-type") == "atomic" else "granular"
            return {"map": strategy, "of": self._value(schema["additionalProperties"], inline)}
        if kind == "string":
            return _STRINGS.get(schema.get("format"), "string")
        return kind if kind in ("integer", "number", "boolean") else "any"

    def _list(self, schema, inline):
        of = self._value(schema["items"], inline)
        strategy = schema.get("x-kubernetes-list-type", "atomic")
        if strategy != "map":
            return {"list": strategy, "of": of}
        return {"list": "keyed", "keys": list(schema["x-kubernetes-list-map-keys"]), "of": of}

    @staticmethod
    def _add_defaults(types):
        for (name, field), stated in tables.DEFAULTS.items():
            spec = types.get(name, {}).get("fields", {}).get(field)
            if spec is None:
                continue  # an older server
            types[name]["fields"][field] = {**(spec if isinstance(spec, dict) else {"of": spec}), **stated}
