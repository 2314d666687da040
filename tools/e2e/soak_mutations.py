"""Thousands of Installations with something wrong in them, without a cluster: none crashes what renders, each gives objects or problems
that name their field, and what is rendered twice is the same. For every release."""

import os
import unittest

from deployment import build
from mutations import generator, offline, starts

COUNT = int(os.environ.get("CALICO_MUTATIONS", "20000"))


class MutationsSoak(unittest.TestCase):

    def test_each_is_rendered_or_has_problems(self):
        programs = build.compile_release(["//operator/offline/testing:render_lines", "//tools/comparison:read_objects"])
        renderer, reader = programs.values()
        good, wrong = starts.load(reader), []
        make = generator.Generator(good, starts.schema(reader), offline.SEED + 1).make
        render = offline.Renderer(renderer)
        self.addCleanup(render.close)
        count = offline.run(render, map(make, range(COUNT)), starts.ALL, tell=wrong.append)
        print(f"  {dict(count)}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong[:20]))
        self.assertGreater(min(count["rendered"], count["with problems"]), COUNT // 10)


if __name__ == "__main__":
    unittest.main()
