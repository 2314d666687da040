"""Tests of cgroups.py."""

import pathlib
import unittest

from localcluster import cgroups

_HYBRID = """tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
"""
_UNIFIED = "sysfs /sys sysfs rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nsdelegate 0 0\n"


class CgroupsTest(unittest.TestCase):

    def test_hybrid(self):
        found = cgroups.parse_mounts(_HYBRID)
        self.assertEqual([1, 1, 2], [hierarchy.version for hierarchy in found])
        self.assertEqual(pathlib.Path("/sys/fs/cgroup/cpuset"), found[0].folder)
        self.assertIn("cpuset", found[0].controllers)
        self.assertNotIn("cpuset", found[1].controllers)

    def test_unified(self):
        found = cgroups.parse_mounts(_UNIFIED)
        self.assertEqual(
            [(pathlib.Path("/sys/fs/cgroup"), 2)], [(one.folder, one.version) for one in found]
        )

    def test_nothing(self):
        self.assertEqual([], cgroups.parse_mounts("proc /proc proc rw 0 0\n"))


if __name__ == "__main__":
    unittest.main()
