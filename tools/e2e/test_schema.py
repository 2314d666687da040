"""The data file pkg/kube/schema/kubernetes.yaml against a real API server: what it says and what the server does."""

import copy
import json
import unittest

from deployment import install, kube as kubes
from e2e import environment, schema_witnesses as witnesses
from kubeschema import cli, server, tables, text

# Of these the answer differs from one create to the next.
VOLATILE = ("uid", "creationTimestamp", "managedFields", "resourceVersion", "selfLink")


def setUpModule():
    global cluster, model, objects
    cluster = environment.Cluster("schema", nodes=0)
    cluster.kube.kubectl("apply", "--server-side", "-f", "-", text=install.manifest("crds"))
    install.wait_for_crds(cluster.kube)
    kubes.wait_for("TigeraStatus in the OpenAPI", lambda: server.knows_tigera_status(cluster.kube), 60)
    model = text.read(cli.FILE.read_text(encoding="utf-8"))
    objects = witnesses.objects(cluster.minor)


def tearDownModule():
    cluster.down()


def collection(obj):
    """Where objects of this kind are made."""
    group = "api/v1" if obj["apiVersion"] == "v1" else f"apis/{obj['apiVersion']}"
    namespace = "/namespaces/default" if "namespace" in obj["metadata"] else ""
    return f"/{group}{namespace}/{witnesses.RESOURCES[obj['kind']]}"


def dry_run(obj):
    """What the server would store."""
    answer = cluster.kube.request("POST", collection(obj) + "?dryRun=All", obj)
    answer["metadata"] = {key: value for key, value in answer["metadata"].items() if key not in VOLATILE}
    return answer


def steps(path):
    """'spec.ports[0].port' -> ["spec", "ports", 0, "port"]."""
    return [int(step[:-1]) if step.endswith("]") else step for step in path.replace("[", ".[").replace("[", "").split(".")]


def look_up(value, path):
    """The value at a path; KeyError when there is none."""
    for step in steps(path):
        value = value[step]
    return value


def changed(obj, path, value):
    """A copy with another value at the path; None takes it away. What leads there is made."""
    result = copy.deepcopy(obj)
    at, last = result, steps(path)
    for step, following in zip(last, last[1:]):
        if isinstance(at, dict) and step not in at:
            at[step] = [] if isinstance(following, int) else {}
        at = at[step]
    if value is None:
        at.pop(last[-1], None)
    else:
        at[last[-1]] = value
    return result


def type_of(kind):
    return next(entry["type"] for entry in model["kinds"] if entry["kind"] == kind)


def outer(spec):
    return spec if isinstance(spec, dict) else {"of": spec}


def field_at(kind, path):
    """What the file says of the field at a path."""
    spec = type_of(kind)
    for step in steps(path):
        if isinstance(step, int) or "map" in outer(spec):
            spec = outer(spec)["of"]
        else:
            spec = model["types"][str(outer(spec)["of"]).rstrip("?")]["fields"][step]
    return spec


def is_pointer(spec):
    return isinstance(outer(spec)["of"], str) and outer(spec)["of"].endswith("?")


class CheckTest(unittest.TestCase):
    def test_the_file_says_what_the_server_says(self):
        self.assertEqual(cli.check(cluster.kube), [])


class PointerTest(unittest.TestCase):
    """A zero value of a pointer is kept; of any other field it is as good as none."""

    def test_zero_values(self):
        count = {True: 0, False: 0}
        for kind, path, zero in witnesses.ZEROS:
            with self.subTest(f"{kind} {path}"):
                whole = objects[kind]
                pointer = is_pointer(field_at(kind, path))
                count[pointer] += 1
                answer = dry_run(changed(whole, path, zero))
                if pointer:
                    self.assertEqual(look_up(answer, path), zero)
                else:
                    self.assertEqual(answer, dry_run(changed(whole, path, None)))
        self.assertGreater(min(count.values()), 20)


class DefaultsTest(unittest.TestCase):
    """Atomic values are stored as they are sent, but for the defaults in the file."""

    maxDiff = None

    def test_every_default_of_the_table(self):
        self.assertEqual(set(witnesses.DEFAULTS), set(tables.DEFAULTS))
        for key, (kind, path, conditions) in witnesses.DEFAULTS.items():
            with self.subTest(key):
                stated = tables.DEFAULTS[key]
                for wanted in conditions or [{}]:
                    obj = objects[kind]
                    for beside, value in wanted.items():
                        obj = changed(obj, path.rpartition(".")[0] + "." + beside, value)
                    answer = dry_run(changed(obj, path, None))
                    holds = all(wanted.get(beside) in values for beside, values in stated.get("when", {}).items())
                    if holds:
                        self.assertEqual(look_up(answer, path), stated["default"])
                    else:
                        with self.assertRaises(KeyError):
                            look_up(answer, path)

    def test_nothing_else_is_filled_in(self):
        self.seen, self.filled_in = set(), set()
        for kind, obj in objects.items():
            with self.subTest(kind):
                self._compare(type_of(kind), obj, dry_run(obj), kind)
        absent = witnesses.ABSENT.union(*(names for minor, names in witnesses.ABSENT_BEFORE.items() if cluster.minor < minor))
        # Nobody but its definition could fill something into a custom resource.
        absent.add("TigeraStatusStatusConditions")
        self.assertEqual(self._inside_atomic() - self.seen, absent)
        stated = {(name, field) for name, entry in model["types"].items() if name not in absent
                  for field, spec in entry["fields"].items() if "default" in outer(spec)}
        self.assertEqual(self.filled_in, stated)

    def _compare(self, spec, sent, got, path):
        """Looks for atomic values in what was sent, and at what the server made of them."""
        spec = outer(spec)
        name = spec["of"].rstrip("?") if isinstance(spec["of"], str) else None
        if "atomic" in (spec.get("list"), spec.get("map")) or spec.get("atomic") or model["types"].get(name, {}).get("atomic"):
            self.assertEqual(got, self._settled(spec, sent), path)
        elif "list" in spec:
            for index, (one, other) in enumerate(zip(sent, got)):
                self._compare(spec["of"], one, other, f"{path}[{index}]")
        elif name in model["types"] and "map" not in spec:
            for field, value in sent.items():
                if field in got:
                    self._compare(model["types"][name]["fields"][field], value, got[field], f"{path}.{field}")
            for field, default in self._defaults(name, sent):
                self.assertEqual(got.get(field), default, f"{path}.{field}")

    def _settled(self, spec, value):
        """An atomic value as the file says that the server stores it."""
        spec = outer(spec)
        if "list" in spec:
            return [self._settled(spec["of"], one) for one in value]
        if "map" in spec:
            return {key: self._settled(spec["of"], one) for key, one in value.items()}
        name = spec["of"].rstrip("?") if isinstance(spec["of"], str) else spec["of"]
        if isinstance(name, dict):
            return self._settled(name, value)
        if name not in model["types"]:
            return value
        self.seen.add(name)
        fields = model["types"][name]["fields"]
        result = {field: self._settled(fields[field], inner) for field, inner in value.items()}
        return {**result, **dict(self._defaults(name, value))}

    def _defaults(self, name, value):
        """The defaults that the file has for a value of a type: (field, default)."""
        for field, spec in model["types"][name]["fields"].items():
            when = outer(spec).get("when", {})
            if "default" in outer(spec) and field not in value and all(value.get(k) in v for k, v in when.items()):
                self.filled_in.add((name, field))
                yield field, outer(spec)["default"]

    @staticmethod
    def _inside_atomic():
        """The types that are atomic or within such values."""
        found, left = set(), []
        for name, entry in model["types"].items():
            left += [name] if entry.get("atomic") else []
            for spec in map(outer, entry["fields"].values()):
                left += [spec["of"]] if "atomic" in (spec.get("list"), spec.get("map")) or spec.get("atomic") else []
        while left:
            spec = left.pop()
            while isinstance(spec, dict):
                spec = spec["of"]
            name = spec.rstrip("?")
            if name in model["types"] and name not in found:
                found.add(name)
                left += model["types"][name]["fields"].values()
        return found


class ImmutableTest(unittest.TestCase):
    def test_every_path_of_the_table(self):
        wanted = {(kind, path) for kind, paths in tables.IMMUTABLE.items() for path in paths}
        self.assertEqual(set(witnesses.CHANGES), wanted)
        made = {}
        for (kind, path), value in witnesses.CHANGES.items():
            with self.subTest(f"{kind} {path}"):
                obj = made.get(kind) or self._make(kind)
                made[kind] = obj
                where = f"{collection(obj)}/{obj['metadata']['name']}"
                refused = self._refusal(where, changed(obj, path, value))
                self.assertEqual(refused.code, 422)
                causes = [cause["field"].partition("[")[0] for cause in refused.status["details"]["causes"]]
                # The server takes spec.clusterIP for the first of spec.clusterIPs.
                self.assertTrue(set(causes) & {path, path + "s"}, json.dumps(refused.status)[:600])

    def _refusal(self, where, obj):
        """Why it cannot be changed so; its controller may write its status at the same moment."""
        for _ in range(20):
            with self.assertRaises(kubes.KubeError) as refused:
                cluster.kube.request("PUT", where + "?dryRun=All", obj)
            if refused.exception.code != 409:
                break
            live = cluster.kube.get(where)["metadata"]
            obj["metadata"] = {**obj["metadata"], "resourceVersion": live["resourceVersion"]}
        return refused.exception

    def _make(self, kind):
        obj = objects[kind]
        where = f"{collection(obj)}/{obj['metadata']['name']}"
        self.addCleanup(cluster.kube.delete, where)
        cluster.kube.request("POST", collection(obj), obj)
        if kind == "CustomResourceDefinition":  # its kind may change until it is served
            kubes.wait_for("the definition", lambda: any(
                c["type"] == "Established" and c["status"] == "True"
                for c in cluster.kube.get(where).get("status", {}).get("conditions") or []), 30)
            # Deleted before its objects were ever asked for, it would stay in termination.
            served = f"/apis/{obj['spec']['group']}/{obj['spec']['versions'][0]['name']}/{obj['spec']['names']['plural']}"
            kubes.wait_for("its objects", lambda: cluster.kube.get(served), 30)
        return cluster.kube.get(where)


if __name__ == "__main__":
    unittest.main()
