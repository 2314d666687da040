"""Tests of text.py."""

import unittest

from kubeschema import cli, text

MODEL = {
    "kinds": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "type": "DaemonSet", "immutable": ["spec.selector"]}],
    "types": {
        "DaemonSet": {"fields": {"metadata": "rbac.Meta", "replicas": "integer?"}},
        "Selector": {"atomic": True, "fields": {
            "$ref": "string?",
            "all": {"of": "string?", "default": "*"},
            "empty": {"of": "Selector?", "default": {}},
            "off": {"of": "boolean?", "default": False},
            "ports": {"list": "keyed", "keys": ["port", "protocol"], "of": "Port"},
            "quantity": {"of": "Quantity", "default": "0"},
            "seconds": {"of": "integer?", "default": 3600},
            "true": {"of": "string", "default": "true"},
            "when": {"of": "string", "default": "rbac.authorization.k8s.io", "when": {"kind": ["Group", "User"]}},
            "x-nested": {"map": "granular", "of": {"list": "atomic", "of": "string"}}}},
    },
}
TEXT = """\
kinds:
  - {apiVersion: apps/v1, kind: DaemonSet, type: DaemonSet, immutable: [spec.selector]}
types:
  DaemonSet:
    fields:
      metadata: rbac.Meta
      replicas: integer?
  Selector:
    atomic: true
    fields:
      $ref: string?
      all: {of: "string?", default: "*"}
      empty: {of: "Selector?", default: {}}
      off: {of: "boolean?", default: false}
      ports: {list: keyed, keys: [port, protocol], of: Port}
      quantity: {of: Quantity, default: "0"}
      seconds: {of: "integer?", default: 3600}
      true: {of: string, default: "true"}
      when: {of: string, default: rbac.authorization.k8s.io, when: {kind: [Group, User]}}
      x-nested: {map: granular, of: {list: atomic, of: string}}
"""


class TextTest(unittest.TestCase):
    def test_written(self):
        written = text.write(MODEL, "1.37.2")
        head = "".join(line + "\n" for line in written.split("\n") if line.startswith("#"))
        self.assertEqual(written, head + TEXT)
        self.assertEqual(text.version(written), "1.37.2")

    def test_read_back(self):
        self.assertEqual(text.read(text.write(MODEL, "1.37.2")), MODEL)

    def test_the_file_in_the_tree_is_what_would_be_written(self):
        held = cli.FILE.read_text(encoding="utf-8")
        self.assertEqual(text.write(text.read(held), text.version(held)), held)

    def test_what_is_not_of_this_file(self):
        for line in ("  X: string", "      a: {of: string", "      a: {of string}", "      a: [x}", "      a: {of: x} y",
                     "fields:", "      a: ]", "      a:"):
            with self.subTest(line), self.assertRaisesRegex(ValueError, "line 4"):
                text.read("types:\n  T:\n    fields:\n" + line + "\n")

    def test_a_head_without_version(self):
        with self.assertRaises(ValueError):
            text.version(TEXT)


if __name__ == "__main__":
    unittest.main()
