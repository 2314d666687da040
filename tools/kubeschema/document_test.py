"""Tests of document.py."""

import unittest
from unittest import mock

from kubeschema import document, tables

_CORE = "io.k8s.api.core.v1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."


def ref(name):
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}]}


def kind(name, **fields):
    return {"type": "object", "properties": fields,
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": name}]}


def struct(**fields):
    return {"type": "object", "properties": fields}


STRING = {"type": "string"}


class ModelTest(unittest.TestCase):
    def model(self, schemas, pointers=None, kinds=(("v1", "Thing"),), **more):
        with mock.patch.multiple(tables, KINDS=kinds, IMMUTABLE={}, DEFAULTS={}, **more):
            return document.model([{"components": {"schemas": schemas}}], pointers)

    def field(self, schema, pointer=False, others=None):
        """The spec of one field of a Thing."""
        schemas = {_CORE + "Thing": kind("Thing", it=schema), **(others or {})}
        pointers = {full: {name: pointer for name in entry.get("properties", {})} for full, entry in schemas.items()}
        return self.model(schemas, pointers)["types"]["Thing"]["fields"]["it"]

    def test_scalars(self):
        scalars = {_META + "Time": {"type": "string", "format": "date-time"},
                   "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [STRING, {"type": "number"}]},
                   "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"format": "int-or-string", "oneOf": []},
                   _META + "FieldsV1": {"type": "object"}}
        for schema, want in (
            (STRING, "string"), ({"type": "integer", "format": "int64"}, "integer"), ({"type": "boolean"}, "boolean"),
            ({"type": "number"}, "number"), ({"type": "string", "format": "byte"}, "bytes"), ({}, "any"),
            (ref(_META + "Time"), "Time"), (ref("io.k8s.apimachinery.pkg.api.resource.Quantity"), "Quantity"),
            (ref("io.k8s.apimachinery.pkg.util.intstr.IntOrString"), "IntOrString"), (ref(_META + "FieldsV1"), "any"),
        ):
            with self.subTest(schema):
                self.assertEqual(self.field(schema, others=scalars), want)
                self.assertEqual(self.field(schema, pointer=True, others=scalars), want + "?")

    def test_lists(self):
        items = {"type": "array", "items": STRING}
        keyed = {**items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}
        for schema, want in (
            (items, {"list": "atomic", "of": "string"}),
            ({**items, "x-kubernetes-list-type": "atomic"}, {"list": "atomic", "of": "string"}),
            ({**items, "x-kubernetes-list-type": "set"}, {"list": "set", "of": "string"}),
            (keyed, {"list": "keyed", "keys": ["port", "protocol"], "of": "string"}),
            ({"type": "array", "items": items}, {"list": "atomic", "of": {"list": "atomic", "of": "string"}}),
        ):
            with self.subTest(schema):
                self.assertEqual(self.field(schema), want)

    def test_a_merge_key_of_patches_makes_no_keyed_list(self):
        schema = {"type": "array", "items": STRING, "x-kubernetes-patch-merge-key": "name",
                  "x-kubernetes-patch-strategy": "merge"}
        self.assertEqual(self.field(schema), {"list": "atomic", "of": "string"})

    def test_maps(self):
        schema = {"type": "object", "additionalProperties": STRING}
        self.assertEqual(self.field(schema), {"map": "granular", "of": "string"})
        self.assertEqual(self.field({**schema, "x-kubernetes-map-type": "atomic"}), {"map": "atomic", "of": "string"})

    def test_structs(self):
        others = {_CORE + "Part": {**struct(a=STRING), "x-kubernetes-map-type": "atomic"}}
        self.assertEqual(self.field(ref(_CORE + "Part"), others=others), "Part")
        self.assertEqual(self.field({**ref(_CORE + "Part"), "x-kubernetes-map-type": "atomic"}, True, others),
                         {"of": "Part?", "atomic": True})
        model = self.model({_CORE + "Thing": kind("Thing", it=ref(_CORE + "Part")), **others})
        self.assertEqual(model["types"]["Part"], {"atomic": True, "fields": {"a": "string"}})

    def test_a_field_with_the_name_of_a_type_behind_its_own_is_none_of_it(self):
        items = {"type": "array", "items": ref(_CORE + "ThingIt")}
        self.assertEqual(self.field(items, others={_CORE + "ThingIt": struct(a=STRING)}),
                         {"list": "atomic", "of": "ThingIt"})

    def test_defaults(self):
        for schema, pointer, want in (
            ({**STRING, "default": "TCP"}, False, {"of": "string", "default": "TCP"}),
            ({**STRING, "default": ""}, False, "string"),
            ({**STRING, "default": ""}, True, {"of": "string?", "default": ""}),
            ({"type": "boolean", "default": False}, True, {"of": "boolean?", "default": False}),
            ({"type": "integer", "default": 0}, False, "integer"),
            ({"type": "object", "default": {}, "additionalProperties": STRING}, False, {"map": "granular", "of": "string"}),
        ):
            with self.subTest(schema):
                self.assertEqual(self.field(schema, pointer), want)

    def test_tables_are_taken_in(self):
        with mock.patch.multiple(tables, KINDS=(("v1", "Thing"),), IMMUTABLE={"Thing": ("it",)}, FREE=(("Thing", "that"),),
                                 DEFAULTS={("Thing", "it"): {"default": "x"}, ("Newer", "it"): {"default": "y"}}):
            model = document.model([{"components": {"schemas": {
                _CORE + "Thing": kind("Thing", it=STRING, that=ref(_CORE + "Part"), status=ref(_CORE + "Part")),
                _CORE + "Part": struct(a=STRING)}}}], None)
        self.assertEqual(model, {
            "kinds": [{"apiVersion": "v1", "kind": "Thing", "type": "Thing", "immutable": ["it"]}],
            "types": {"Thing": {"fields": {"it": {"of": "string", "default": "x"}, "that": "any", "status": "any"}}}})

    def test_a_status_that_we_write(self):
        schemas = {_CORE + "Thing": kind("Thing", status=ref(_CORE + "Part")), _CORE + "Part": struct(a=STRING)}
        self.assertEqual(self.model(schemas, WITH_STATUS=("Thing",))["types"]["Thing"]["fields"]["status"], "Part")

    def test_types_that_hold_themselves(self):
        name = _CORE + "Thing"
        model = self.model({name: kind("Thing", it={"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}})})
        self.assertEqual(model["types"], {"Thing": {"fields": {"it": {"list": "atomic", "of": "Thing"}}}})

    def test_two_types_of_one_name_are_told_apart(self):
        schemas = {_CORE + "Thing": kind("Thing", a=ref(_CORE + "Part"), b=ref("io.k8s.api.rbac.v1.Part")),
                   _CORE + "Part": struct(a=STRING), "io.k8s.api.rbac.v1.Part": struct(b=STRING)}
        types = self.model(schemas)["types"]
        self.assertEqual(types["Thing"]["fields"], {"a": "core.Part", "b": "rbac.Part"})
        self.assertEqual(sorted(types), ["Thing", "core.Part", "rbac.Part"])

    def test_custom_resources_keep_what_they_are_given(self):
        items = {"type": "array", "items": struct(a=STRING)}
        schema = {**kind("Thing", it=struct(parts=items, n={"type": "integer"})),
                  "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}]}
        types = self.model({"io.example.v1.Thing": schema}, pointers={})["types"]
        self.assertEqual(types, {
            "Thing": {"fields": {"it": "ThingIt?"}},
            "ThingIt": {"fields": {"parts": {"list": "atomic", "of": "ThingItParts"}, "n": "integer?"}},
            "ThingItParts": {"fields": {"a": "string?"}}})

    def test_what_cannot_be_known_is_an_error(self):
        with self.assertRaisesRegex(document.SchemaError, "Thing"):
            self.model({})
        thing = {_CORE + "Thing": kind("Thing", it=STRING)}
        with self.assertRaisesRegex(document.SchemaError, "pointers.go"):
            self.model(thing, pointers={})
        with self.assertRaisesRegex(document.SchemaError, "no it"):
            self.model(thing, pointers={_CORE + "Thing": {}})
        with self.assertRaisesRegex(document.SchemaError, "pointer to a list"):
            self.field({"type": "array", "items": STRING}, pointer=True)


if __name__ == "__main__":
    unittest.main()
