"""Tests of the command: exit codes and what is printed, with programs that stand in for the real ones."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from comparison import cases, main

# Reads JSON, which is YAML too.
READER = """#!/usr/bin/python3
import json, sys
files = {path: [json.load(open(path))] for path in sys.argv[1:]}
print(json.dumps({"files": files, "certificates": {}}))
"""
OPERATOR = """#!/usr/bin/python3
import json, sys
assert sys.argv[1] == "render", sys.argv
folder = sys.argv[sys.argv.index("--installation") + 1].rsplit("/", 1)[0]
try:
    print(open(folder + "/ours.json").read())
except OSError:
    sys.exit("no such thing")
"""
DIFFERENCES = """# Differences

## Labels
A reason.

```difference
object: Service/*
path: metadata.labels.who
```
"""


def service(**labels):
    return {"kind": "Service", "metadata": {"name": "s", "labels": labels}}


class MainTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        for name, text in (("reader", READER), ("operator", OPERATOR), ("DIFFERENCES.md", DIFFERENCES)):
            (self.folder / name).write_text(text, encoding="utf-8")
            (self.folder / name).chmod(0o755)

    def case(self, name, theirs, ours):
        folder = self.folder / "v1.44" / name
        folder.mkdir(parents=True)
        (folder / "installation-input.yaml").write_text(json.dumps({"kind": "Installation", "metadata": {"name": "default"}}), "utf-8")
        (folder / "objects.yaml").write_text(json.dumps(theirs), encoding="utf-8")
        if ours is not None:
            (folder / "ours.json").write_text(json.dumps({"items": [ours]}), encoding="utf-8")

    def run_main(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main.main(["--reader", str(self.folder / "reader"), "--operator", str(self.folder / "operator"), "--differences",
                              str(self.folder / "DIFFERENCES.md"), *arguments, str(self.folder)])
        return code, out.getvalue()

    def test_intended_differences_are_no_failure(self):
        self.case("a", service(who="them"), service(who="us"))
        code, text = self.run_main()
        self.assertEqual(code, 0, text)
        self.assertIn("v1.44/a (v3.33): 1 objects, 0 differences, 1 intended", text)
        code, text = self.run_main("--rules")
        self.assertIn("metadata.labels.who   # Labels", text)

    def test_others_are_and_say_object_path_and_both_sides(self):
        self.case("a", service(x="1"), service(x="2"))
        code, text = self.run_main()
        self.assertEqual(code, 1)
        self.assertIn("  Service/s\n    metadata.labels.x\n      theirs: 1\n      ours:   2\n", text)
        self.assertIn("DIFFERENCES.md:6: about nothing here: Labels", text)

    def test_a_rule_about_nothing_fails_only_when_asked_for(self):
        self.case("a", service(x="1"), service(x="1"))
        self.assertEqual(self.run_main()[0], 0)
        self.assertEqual(self.run_main("--no-stale-rules")[0], 1)

    def test_a_case_that_is_not_rendered_fails_with_the_reason(self):
        self.case("a", service(), None)
        self.case("b", service(), service())
        code, text = self.run_main()
        self.assertEqual(code, 1)
        self.assertIn("not rendered: no such thing", text)
        self.assertIn("1 of 2 cases are equal", text)
        self.assertEqual(self.run_main("--case", "v1.44/b")[0], 0)

    def test_json_has_everything(self):
        self.case("a", service(who="them", x="1"), service(who="us"))
        code, text = self.run_main("--json")
        self.assertEqual(code, 1)
        found = json.loads(text)["cases"][0]["differences"]
        self.assertEqual([(one["path"], one["theirs"], one["ours"], one["rule"]) for one in found],
                         [("metadata.labels.who", "them", "us", "Labels"), ("metadata.labels.x", "1", None, None)])

    def test_the_image_set_of_a_branch_is_that_of_the_release(self):
        path = self.folder / "world.yaml"
        path.write_text("kind: ImageSet\nmetadata:\n  name: calico-release-v3.33\n", encoding="utf-8")
        self.assertIn("name: calico-v3.33.1\n", cases.as_released(path, self.folder).read_text(encoding="utf-8"))
        path.write_text("kind: ImageSet\nmetadata:\n  name: calico-v3.32.1\n", encoding="utf-8")
        self.assertEqual(cases.as_released(path, self.folder), path)

    def test_where_the_recorded_api_servers_were_is_the_world_too(self):
        env = [{"name": "KUBERNETES_SERVICE_IPS_PORTS", "value": "10.0.0.1:443,[fd00::1]:443"},
               {"name": "KUBERNETES_APISERVER_ENDPOINTS", "value": "192.0.2.1:6443"}]
        node = {"kind": "DaemonSet", "metadata": {"name": "calico-node"},
                "spec": {"template": {"spec": {"initContainers": [{"name": "ebpf-bootstrap", "env": env}]}}}}
        service, endpoints = cases.bootstrap([node], [])
        self.assertEqual(service["spec"], {"clusterIPs": ["10.0.0.1", "fd00::1"], "ports": [{"port": 443}]})
        self.assertEqual((endpoints["endpoints"], endpoints["ports"]), ([{"addresses": ["192.0.2.1"]}], [{"port": 6443}]))
        self.assertEqual(cases.bootstrap([node], [service]), [])
        del env[1]
        self.assertEqual(cases.bootstrap([node], []), [])

    def test_an_overlay_is_in_the_computed_spec_alone(self):
        installation = {"kind": "Installation", "metadata": {"name": "default"}, "spec": {"registry": "a/"}}
        self.assertEqual(cases.completed(installation, True), installation)
        recorded = installation | {"status": {"computed": {"registry": "b/"}}}
        self.assertEqual(cases.completed(recorded, True), installation | {"spec": {"registry": "b/"}})
        self.assertEqual(cases.completed(recorded, False), installation)
        self.assertFalse(cases.is_default({"kind": "Installation", "metadata": {"name": "overlay"}}))

    def test_wrong_arguments_are_exit_code_two(self):
        self.assertEqual(self.run_main()[0], 2)
        self.case("a", service(), service())
        self.assertEqual(self.run_main("--case", "nothing")[0], 2)
        (self.folder / "DIFFERENCES.md").write_text("# A\n\n## B\n```difference\nobject: *\n```\n", encoding="utf-8")
        self.assertEqual(self.run_main()[0], 2)


if __name__ == "__main__":
    unittest.main()
