"""Tests of images.py."""

import hashlib
import io
import json
import tarfile
import unittest

from localcluster import images


class SingleFileImageTest(unittest.TestCase):

    def setUp(self):
        self.data = images.single_file_image("localhost/a:1", b"#!program")
        self.archive = tarfile.open(fileobj=io.BytesIO(self.data))
        self.addCleanup(self.archive.close)

    def read(self, name):
        return self.archive.extractfile(name).read()

    def test_digests_agree(self):
        manifest = json.loads(self.read("manifest.json"))[0]
        config = self.read(manifest["Config"])
        self.assertEqual(["localhost/a:1"], manifest["RepoTags"])
        self.assertEqual(hashlib.sha256(config).hexdigest() + ".json", manifest["Config"])
        layer = self.read(manifest["Layers"][0])
        self.assertEqual(
            ["sha256:" + hashlib.sha256(layer).hexdigest()],
            json.loads(config)["rootfs"]["diff_ids"],
        )

    def test_program_is_there_and_executable(self):
        layer = tarfile.open(fileobj=io.BytesIO(self.read("layer.tar")))
        self.assertEqual(0o755, layer.getmember("program").mode)
        self.assertEqual(b"#!program", layer.extractfile("program").read())

    def test_is_reproducible(self):
        self.assertEqual(self.data, images.single_file_image("localhost/a:1", b"#!program"))


if __name__ == "__main__":
    unittest.main()
