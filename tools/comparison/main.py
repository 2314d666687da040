"""tools/parity: what our operator renders beside what Tigera's operator made of the same Installation."""

import argparse
import collections
import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from comparison import cases, differences, normal_form, rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIFFERENCES = ROOT / "docs/DIFFERENCES.md"
OPERATOR = "//operator/cmd/operator:calico-operator"
READER = "//tools/comparison:read_objects"
LONGEST = 200

EPILOG = """Each folder that has an installation-input.yaml is a case: that file, perhaps a world.yaml with what else was in the
cluster, and one YAML file per kind with the objects that were made. The folder above is named after the operator's version.

exit codes: 0 every difference is intended; 1 there are others, or a case cannot be rendered; 2 wrong arguments
examples:
  tools/parity testdata/reference
  tools/parity --case 'v1.44/d-*' --rules testdata/reference"""


def arguments(argv):
    parser = argparse.ArgumentParser(prog="tools/parity", description=__doc__.split(": ", 1)[1], epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="DIR", help="a case, or a folder with cases below")
    parser.add_argument("--case", metavar="GLOB", action="append", help="only these, such as 'v1.44/a-*'; may be given several times")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rules", action="store_true", help="print intended differences too, with the rule of each")
    parser.add_argument("--no-stale-rules", action="store_true", help="a rule that is about nothing is a failure")
    parser.add_argument("--api-server", metavar="HOST:PORT", default="",
                        help=f"of the recorded operator; default: what its calico-node was told, else {cases.API_SERVER}")
    parser.add_argument("--nodes", type=int, default=cases.NODES, metavar="N", help="nodes of the cluster (default %(default)s)")
    parser.add_argument("--differences", metavar="FILE", type=pathlib.Path, default=DIFFERENCES,
                        help="the intended differences (default docs/DIFFERENCES.md)")
    parser.add_argument("--operator", metavar="FILE", type=pathlib.Path, help="calico-operator to use; default: it is built")
    parser.add_argument("--reader", metavar="FILE", type=pathlib.Path, help="read_objects to use; default: it is built")
    return parser.parse_args(argv)


def build_programs(options):
    if options.operator and options.reader:
        return
    from deployment import build  # not needed, nor there, where the programs are given

    subprocess.run(build.bazel_command(["build", OPERATOR, READER]), cwd=ROOT, check=True, stdout=sys.stderr)
    folder = build.bazel_bin()
    options.operator = options.operator or folder / OPERATOR[2:].replace(":", "/")
    options.reader = options.reader or folder / READER[2:].replace(":", "/")


def short(text):
    if text is None:
        return "absent"
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def print_case(case, found, options):
    open_ones = [difference for difference in found if difference.rule is None]
    print(f"{case.name()} ({case.release}): {len(case.theirs)} objects, {len(open_ones)} differences, "
          f"{len(found) - len(open_ones)} intended" + (f"\n  not rendered: {case.error}" if case.error else ""))
    shown = found if options.rules else open_ones
    last = None
    for difference in shown:
        if difference.object != last:
            print(f"  {difference.object}")
            last = difference.object
        print(f"    {difference.path}" + (f"   # {difference.rule.title}" if difference.rule else ""))
        print(f"      theirs: {short(difference.theirs)}\n      ours:   {short(difference.ours)}")


def as_json(results, stale, seconds):
    return {
        "cases": [{"case": case.name(), "release": case.release, "error": case.error,
                   "differences": [{"object": one.object, "path": one.path, "theirs": one.theirs, "ours": one.ours,
                                    "rule": one.rule.title if one.rule else None} for one in found]}
                  for case, found in results],
        "staleRules": [{"line": rule.line, "title": rule.title} for rule in stale],
        "seconds": round(seconds, 1),
    }


def print_summary(results, stale, seconds):
    kinds = collections.Counter(one.kind() for _, found in results for one in found if one.rule is None)
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")
    for rule in stale:
        print(f"docs/DIFFERENCES.md:{rule.line}: about nothing here: {rule.title}")
    bad = sum(1 for case, found in results if case.error or any(one.rule is None for one in found))
    print(f"{len(results) - bad} of {len(results)} cases are equal but for what is intended; {sum(kinds.values())} differences, "
          f"{seconds:.1f} s")


def main(argv):
    options = arguments(argv)
    try:
        all_rules = rules.parse(options.differences.read_text(encoding="utf-8"))
        found_cases = cases.find(options.folders)
        if options.case:
            found_cases = [case for case in found_cases if any(fnmatch.fnmatch(case.name(), pattern) for pattern in options.case)]
            if not found_cases:
                raise cases.CaseError(f"--case: none is named {' or '.join(options.case)}")
        build_programs(options)
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            certificates = cases.load(found_cases, options, pathlib.Path(scratch))
    except (cases.CaseError, rules.RuleError, OSError, subprocess.CalledProcessError) as error:
        print(f"tools/parity: {error}", file=sys.stderr)
        return 2
    results = []
    for case in found_cases:
        form = normal_form.NormalForm(certificates, case.is_given)
        found = differences.compare(differences.normalized(form, case.theirs), differences.normalized(form, case.ours)) \
            if not case.error else []
        differences.explain(found, case, all_rules)
        results.append((case, found))
    stale = rules.unused(all_rules)
    seconds = time.monotonic() - start
    if options.json:
        json.dump(as_json(results, stale, seconds), sys.stdout, indent=1)
        print()
    else:
        for case, found in results:
            print_case(case, found, options)
        print_summary(results, stale, seconds)
    failed = any(case.error or any(one.rule is None for one in found) for case, found in results)
    return 1 if failed or (stale and options.no_stale_rules) else 0
