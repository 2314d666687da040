"""Tests of image_archive.py."""

import hashlib
import io
import json
import tarfile
import unittest

from localcluster import image_archive


def single_file_image():
    return image_archive.archive("localhost/a:1", {"/program": b"#!program"}, ["/program"])


class SingleFileImageTest(unittest.TestCase):

    def setUp(self):
        self.data = single_file_image()
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
        self.assertEqual(self.data, single_file_image())


class ArchiveTest(unittest.TestCase):
    def test_holds_one_layer_with_the_files_and_is_reproducible(self):
        make = lambda: image_archive.archive("localhost/x:v1", {"/usr/bin/x": b"elf"}, ["/usr/bin/x"], "10001:10001",
                                      {"/bin/y": "/usr/bin/x"})
        self.assertEqual(make(), make())
        outer = tarfile.open(fileobj=io.BytesIO(make()))
        manifest = json.load(outer.extractfile("manifest.json"))
        self.assertEqual(manifest[0]["RepoTags"], ["localhost/x:v1"])
        config = json.load(outer.extractfile(manifest[0]["Config"]))
        self.assertEqual(config["config"]["User"], "10001:10001")
        layer = tarfile.open(fileobj=io.BytesIO(outer.extractfile("layer.tar").read()))
        self.assertEqual(layer.extractfile("usr/bin/x").read(), b"elf")
        self.assertEqual(layer.getmember("usr/bin/x").mode, 0o755)
        self.assertEqual(layer.getmember("bin/y").linkname, "/usr/bin/x")


if __name__ == "__main__":
    unittest.main()
