"""Tests of docs/DIFFERENCES.md as rules."""

import pathlib
import unittest

from comparison import cases, differences, rules

TEXT = """# Differences

## One
A reason.

```difference
{}
```
"""


def parse(*lines):
    return rules.parse(TEXT.format("\n".join(lines)))


def matches(rule, *, name="DaemonSet/calico-system/calico-node", path="spec.x", theirs="a", ours="b", release="v3.33", spec=None):
    case = cases.Case(pathlib.Path("v1.44/a"), release, spec or {})
    return rule.matches(differences.Difference(name, path, theirs, ours), case)


class RulesTest(unittest.TestCase):
    def test_every_line_must_hold(self):
        rule, = parse("object: DaemonSet/*", "path: spec.x", "path: spec.y[*].z", "theirs: a", "release: v3.33")
        self.assertTrue(matches(rule))
        self.assertTrue(matches(rule, path="spec.y[a.b].z"))
        self.assertFalse(matches(rule, path="spec.xy"))
        self.assertFalse(matches(rule, name="Deployment/calico-system/x"))
        self.assertFalse(matches(rule, theirs="c"))
        self.assertFalse(matches(rule, release="v3.27"))

    def test_absent_is_a_text(self):
        rule, = parse("object: *", "path: (object)", "theirs: absent")
        self.assertTrue(matches(rule, path="(object)", theirs=None))
        self.assertFalse(matches(rule, path="(object)", theirs="present"))

    def test_conditions_ask_the_spec(self):
        rule, = parse("object: *", "path: *", "when: certificateManagement")
        self.assertTrue(matches(rule, spec={"certificateManagement": {"signerName": "x"}}))
        self.assertFalse(matches(rule))
        rule, = parse("object: *", "path: *", "when: !certificateManagement")
        self.assertTrue(matches(rule))
        rule, = parse("object: *", "path: *", "when: calicoNetwork.linuxDataplane=BPF")
        self.assertTrue(matches(rule, spec={"calicoNetwork": {"linuxDataplane": "BPF"}}))
        self.assertFalse(matches(rule, spec={"calicoNetwork": {"linuxDataplane": "Iptables"}}))

    def test_a_block_that_cannot_be_read_is_an_error_with_its_line(self):
        for lines in (["object: *"], ["path: *"], ["object: *", "path: *", "kind: x"], ["object"], ["object:", "path: x"]):
            with self.assertRaisesRegex(rules.RuleError, "line 6"):
                parse(*lines)
        with self.assertRaisesRegex(rules.RuleError, "reason"):
            rules.parse("# A\n\n## B\n```difference\nobject: *\npath: *\n```\n")

    def test_a_rule_that_is_about_something_counts(self):
        first, second = parse("object: *", "path: a"), parse("object: *", "path: *")
        found = [differences.Difference("X/a", "a", "1", "2"), differences.Difference("X/a", "b", "1", None)]
        differences.explain(found, cases.Case(pathlib.Path("v1.44/a"), "v3.33"), [*first, *second])
        self.assertEqual([one.rule for one in found], [first[0], second[0]])
        self.assertEqual((first[0].used, second[0].used), (1, 2))

    def test_an_unused_rule_is_told_unless_chance_decides(self):
        always, = parse("object: X/a", "path: a")
        chance, = parse("object: X/a", "path: b", "sometimes: a second may pass")
        self.assertEqual(rules.unused([always, chance]), [always])
        differences.explain([differences.Difference("X/a", "a", "1", "2")], cases.Case(pathlib.Path("v1.44/a"), "v3.33"), [always, chance])
        self.assertEqual(rules.unused([always, chance]), [])

    def test_the_projects_own_file_can_be_read(self):
        path = pathlib.Path(__file__).resolve().parents[2] / "docs/DIFFERENCES.md"
        self.assertTrue(rules.parse(path.read_text(encoding="utf-8")))


class ComparisonTest(unittest.TestCase):
    def test_objects_and_fields_of_one_side_are_differences(self):
        theirs = {"A/x": {"p": "1", "q": "1"}, "B/y": {}}
        ours = {"A/x": {"p": "2", "r": "1"}, "C/z": {}}
        found = [(one.object, one.path, one.theirs, one.ours) for one in differences.compare(theirs, ours)]
        self.assertEqual(found, [("A/x", "p", "1", "2"), ("A/x", "q", "1", None), ("A/x", "r", None, "1"),
                                 ("B/y", "(object)", "present", None), ("C/z", "(object)", None, "present")])

    def test_an_element_that_one_side_lacks_is_one_difference(self):
        theirs = {"A/x": {"l[a]": "present", "l[a].p": "1", "l[a].q": "2", "l[ab]": "present", "l[ab].p": "1"}}
        ours = {"A/x": {"l[ab]": "present", "l[ab].p": "2"}}
        found = [(one.path, one.theirs, one.ours) for one in differences.compare(theirs, ours)]
        self.assertEqual(found, [("l[a]", "p: 1, q: 2", None), ("l[ab].p", "1", "2")])

    def test_the_release_is_that_of_the_folder(self):
        for folder, release in (("x/v1.44/a", "v3.33"), ("x/v1.42.4/a", "v3.32"), ("x/v1.32.13/f", "v3.27")):
            self.assertEqual(cases.release_of(pathlib.Path(folder)), release)
        with self.assertRaises(cases.CaseError):
            cases.release_of(pathlib.Path("x/v1.4/a"))


if __name__ == "__main__":
    unittest.main()
