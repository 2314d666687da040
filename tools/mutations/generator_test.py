"""Tests of the generator: the same seed makes the same, every kind of change happens, and the starts stay as they are."""

import collections
import copy
import json
import random
import unittest

from mutations import generator, starts, values

SCHEMA = {"type": "object", "properties": {
    "mtu": {"type": "integer"}, "mode": {"type": "string", "enum": ["A", "B"]},
    "pools": {"type": "array", "items": {"type": "object", "properties": {"cidr": {"type": "string"}, "uses": {"type": "array", "items": {"type": "string"}}}}},
    "limits": {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True, "pattern": "x"}}}}


def written():
    return list(starts.written({"caCert": "Q0E=", "signerName": "example.com/signer"}))


class GeneratorTest(unittest.TestCase):

    def make(self, seed, count):
        made = generator.Generator(written(), SCHEMA, seed)
        return [made.make(number) for number in range(count)]

    def test_a_seed_and_a_number_are_one_installation(self):
        first = self.make(5, 60)
        alone = generator.Generator(written(), SCHEMA, 5).make(37)
        self.assertEqual(json.dumps(first[37].spec), json.dumps(alone.spec))
        self.assertEqual(str(first[37]), str(alone))
        self.assertNotEqual([str(one) for one in first], [str(one) for one in self.make(6, 60)])

    def test_every_kind_of_change_is_made_and_named(self):
        kinds = collections.Counter(change.kind for one in self.make(1, 1500) for change in one.changes)
        self.assertEqual(len(kinds), 19, kinds)
        self.assertGreater(min(kinds.values()), 3, kinds)
        for one in self.make(1, 200):
            for change in one.changes:
                self.assertTrue(change.path.startswith("spec."), change)
                self.assertIn(change.path, str(one))

    def test_starts_are_not_changed(self):
        good = written()
        before = copy.deepcopy(good)
        made = generator.Generator(good, SCHEMA, 3)
        different = sum(made.make(number).spec != made.make(number).start.spec for number in range(300))
        self.assertEqual(good, before)
        self.assertGreater(different, 270)

    def test_what_leads_to_a_field_of_the_schema_is_made(self):
        made = generator.Generator([starts.Start("empty", {})], SCHEMA, 9)
        paths = {change.path for number in range(400) for change in made.make(number).changes if change.kind == "from schema"}
        self.assertLessEqual({"spec.mtu", "spec.mode", "spec.pools", "spec.pools[0].cidr", "spec.limits"}, paths)

    def test_values_are_of_the_schemas_type(self):
        chance = random.Random(1)
        for _ in range(200):
            self.assertIn(values.of_schema(chance, SCHEMA["properties"]["mode"]), ("A", "B"))
            self.assertIsInstance(values.of_schema(chance, SCHEMA["properties"]["pools"]), list)
            self.assertIsInstance(values.of_schema(chance, SCHEMA["properties"]["mtu"]), int)


if __name__ == "__main__":
    unittest.main()
