"""That the parts of the default run leave nothing out that only they could see."""

import re
import unittest

from e2e import main

THREADS = re.compile(r"\bstd::(?:thread|jthread|async)\b|\baio::ThreadPool\b|\bclass ThreadPool\b")
SANITIZED = re.compile(r"__has_feature\(\w*sanitizer\)|testing/memory_search\.h")


def sources(pattern):
    for top in ("operator", "pkg"):
        for path in sorted((main.ROOT / top).rglob("*")):
            if path.suffix in (".cc", ".h") and pattern.search(path.read_text(encoding="utf-8")):
                yield path.relative_to(main.ROOT)


def covered(path, targets):
    """Whether a test beside `path`, or the test that it is, belongs to `targets`."""
    for target in targets:
        package, name = (target[2:-4], "") if target.endswith("/...") else target[2:].split(":")
        folder = str(path.parent)
        if name and folder == package and path.stem == name:
            return True
        if not name and (folder == package or folder.startswith(package + "/")):
            return True
    return False


class PartsTest(unittest.TestCase):
    def test_what_starts_threads_is_run_under_tsan(self):
        found = list(sources(THREADS))
        self.assertGreater(len(found), 8)
        self.assertEqual([], [str(path) for path in found if not covered(path, main.THREADED)])

    def test_what_a_sanitizer_would_hide_is_run_without_one(self):
        found = [path for path in sources(SANITIZED) if path.stem.endswith("_test")]
        self.assertGreater(len(found), 5)
        self.assertEqual([], [str(path) for path in found if not covered(path, main.PLAIN)])

    def test_a_folder_covers_those_below_it_and_no_namesake(self):
        path = main.ROOT.relative_to(main.ROOT) / "pkg/nets/dialer.cc"
        self.assertFalse(covered(path, ("//pkg/net/...",)))
        self.assertTrue(covered(path, ("//pkg/...",)))
        self.assertTrue(covered(path, ("//pkg/nets:dialer",)))
        self.assertFalse(covered(path, ("//pkg/nets:other",)))


if __name__ == "__main__":
    unittest.main()
