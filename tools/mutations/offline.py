#!/usr/bin/python3
"""Mutated Installations through render_lines, which does what `calico-operator render` does, for every release that the
start is for. Exit code 0: none crashed it, and each was rendered or had problems that name their field.

usage: offline.py RENDER_LINES READ_OBJECTS [--seed N] [--count N] [--only NUMBER]
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from mutations import generator, starts  # noqa: E402: the path comes first

SEED = 20261128
LONGEST_PROBLEM = 3000
# "spec.a.b[0]: text", or of another object: "Installation overlay: spec.a: text".
PROBLEM = re.compile(r"^(?:\w+ [\w.-]+: )?spec(?:\.[^:]*|\[[^\]]*\])*: .", re.DOTALL)
QUOTED_CERTIFICATE = re.compile(r"-----BEGIN [A-Z ]+-----\s|MII[A-Za-z0-9+/]{40}")


class Renderer:
    """The program, started again when it has crashed."""

    def __init__(self, program):
        self._program, self._popen = str(program), None

    def __call__(self, release, objects):
        """Its answer; None: it crashed."""
        if self._popen is None:
            self._popen = subprocess.Popen([self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = json.dumps({"release": release, "objects": objects}) + "\n"
        try:
            self._popen.stdin.write(line.encode("utf-8", "surrogatepass"))
            self._popen.stdin.flush()
            answer = self._popen.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            self.close()
            return None
        return json.loads(answer)

    def close(self):
        if self._popen is not None:
            self._popen.kill()
            self._popen.communicate()
            self._popen = None


def fault(answer):
    """What is wrong with an answer; empty when nothing is."""
    if answer is None:
        return "it crashed"
    if "error" in answer:
        return answer["error"]
    for problem in answer["problems"]:
        if len(problem) > LONGEST_PROBLEM or not PROBLEM.match(problem):
            return f"a problem that names no field: {problem[:300]}"
        if QUOTED_CERTIFICATE.search(problem):
            return f"a problem that quotes a certificate: {problem[:300]}"
    return ""


def objects_of(mutation):
    return [mutation.object(), *mutation.start.world]


def run(renderer, made, releases, tell=print):
    """How many were rendered, had problems, and were at fault; each of the last is told."""
    count = collections.Counter()
    for mutation in made:
        for release in mutation.start.releases:
            if release not in releases:
                continue
            answer = renderer(release, objects_of(mutation))
            wrong = fault(answer)
            if wrong:
                tell(f"{release}: {mutation}\n  {wrong}\n  {json.dumps(mutation.spec)[:3000]}")
            count["at fault" if wrong else "with problems" if answer["problems"] else "rendered"] += 1
    return count


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("renderer", metavar="RENDER_LINES")
    parser.add_argument("reader", metavar="READ_OBJECTS")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this one alone")
    options = parser.parse_args(argv)
    good = starts.load(options.reader)
    make = generator.Generator(good, starts.schema(options.reader), options.seed).make
    renderer = Renderer(options.renderer)
    sound = run(renderer, (generator.Mutation(options.seed, -1, start, start.spec, []) for start in good), starts.ALL)
    numbers = [options.only] if options.only is not None else range(options.count)
    count = run(renderer, map(make, numbers), starts.ALL)
    renderer.close()
    print(f"starts: {dict(sound)}; mutations: {dict(count)}")
    few = options.only is None and min(count["rendered"], count["with problems"]) < options.count / 5
    return 1 if sound["with problems"] or sound["at fault"] or count["at fault"] or few else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
