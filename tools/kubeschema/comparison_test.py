"""Tests of comparison.py."""

import copy
import unittest

from kubeschema import comparison
from kubeschema.comparison import differences

MODEL = {
    "kinds": [{"apiVersion": "v1", "kind": "Thing", "type": "Thing"}],
    "types": {"Thing": {"fields": {"a": "string", "b": {"of": "boolean?", "default": False}, "c": "integer?"}},
              "Part": {"atomic": True, "fields": {"a": "string"}}},
}


def changed(change):
    model = copy.deepcopy(MODEL)
    change(model)
    return model


class DifferencesTest(unittest.TestCase):
    def test_none(self):
        self.assertEqual(differences(MODEL, copy.deepcopy(MODEL), older=False), [])

    def test_each_is_named_by_type_and_field(self):
        fields = lambda model: model["types"]["Thing"]["fields"]
        for change, want in (
            (lambda m: fields(m).update(a="integer"), "Thing.a: the file has string, the server integer"),
            (lambda m: m["types"]["Part"].pop("atomic"), "Part: the file has an atomic type, the server a type of fields"),
            (lambda m: m["kinds"][0].update(immutable=["a"]),
             "kinds: Thing: the file has {apiVersion: v1, kind: Thing, type: Thing}, "
             "the server {apiVersion: v1, kind: Thing, type: Thing, immutable: [a]}"),
        ):
            with self.subTest(want):
                for older in (False, True):
                    self.assertEqual(differences(MODEL, changed(change), older), [want])

    def test_what_only_one_knows(self):
        fields = lambda model: model["types"]["Thing"]["fields"]
        for change, want in (
            (lambda m: fields(m).pop("a"), "Thing.a: the file has string, the server has none"),
            (lambda m: fields(m).update(d="any"), "Thing.d: the server has any, the file has none"),
            (lambda m: m["types"].pop("Part"), "Part: the file has an atomic type, the server has none"),
            (lambda m: m["kinds"].pop(),
             "kinds: Thing: the file has {apiVersion: v1, kind: Thing, type: Thing}, the server has none"),
        ):
            with self.subTest(want):
                self.assertEqual(differences(MODEL, changed(change), older=False), [want])
                self.assertEqual(differences(MODEL, changed(change), older=True), [])

    def test_a_default_that_is_stated_since(self):
        fields = lambda model: model["types"]["Thing"]["fields"]
        unstated = changed(lambda m: fields(m).update(b="boolean?"))
        self.assertEqual(differences(MODEL, unstated, older=True), [])
        self.assertEqual(len(differences(MODEL, unstated, older=False)), 1)
        for other in ("boolean", {"of": "boolean?", "default": True}, {"of": "string?", "default": False}):
            self.assertEqual(len(differences(MODEL, changed(lambda m, o=other: fields(m).update(b=o)), older=True)), 1)

    def test_without_pointers(self):
        server = changed(lambda m: m["types"]["Thing"]["fields"].update(b="boolean", c="integer"))
        self.assertEqual(differences(MODEL, server, older=False, pointers=False), [])
        self.assertEqual(len(differences(MODEL, server, older=False)), 2)

    def test_minor(self):
        self.assertLess(comparison.minor("1.30.14"), comparison.minor("1.37.2"))
        self.assertEqual(comparison.minor("1.37.0"), comparison.minor("1.37.2"))


if __name__ == "__main__":
    unittest.main()
