import io
import json
import tarfile
import unittest

from deployment import images


class ArchiveTest(unittest.TestCase):
    def test_holds_one_layer_with_the_files_and_is_reproducible(self):
        make = lambda: images.archive("localhost/x:v1", {"/usr/bin/x": b"elf"}, ["/usr/bin/x"], "10001:10001",
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
