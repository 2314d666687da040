"""Tests of how two programs are compared."""

import datetime
import pathlib
import subprocess
import unittest

from cfssl import main, observation, table
from comparison import rules

NOW = datetime.datetime.now(datetime.timezone.utc)


class CompareTest(unittest.TestCase):
    case = table.Case("genkey x", "genkey -")

    def test_an_error_may_say_more(self):
        self.assertEqual(main.compare(self.case, {"exit": "1", "error": "no"}, {"exit": "1", "error": "no: because"}), [])
        found = main.compare(self.case, {"exit": "1", "error": "no"}, {"exit": "1", "error": "not so"})
        self.assertEqual([difference.path for difference in found], ["error"])
        found = main.compare(self.case, {"exit": "1", "error": "no"}, {"exit": "1", "error": "yes"})
        self.assertEqual([difference.path for difference in found], ["error"])

    def test_another_exit_code_is_the_only_difference(self):
        found = main.compare(self.case, {"exit": "0", "out": "csr, key"}, {"exit": "1", "error": "no"})
        self.assertEqual([(found[0].path, found[0].theirs, found[0].ours)], [("exit", "0", "1 no")])
        self.assertEqual(len(found), 1)

    def test_what_no_rule_is_about_stays_unknown(self):
        found = main.compare(self.case, {"exit": "0", "cert.key": "a"}, {"exit": "0", "cert.key": "b"})
        known = rules.parse("# D\n\n## One\nreason\n\n```difference\nobject: genkey *\npath: cert.key\nours: b\n```\n")
        main.explain(found, known)
        self.assertIsNotNone(found[0].rule)
        other = main.compare(self.case, {"exit": "0", "cert.key": "a"}, {"exit": "0", "cert.key": "c"})
        main.explain(other, known)
        self.assertIsNone(other[0].rule)


class ObservationTest(unittest.TestCase):
    def test_a_certificate_is_seen_whole(self):
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                               "/dev/null", "-subj", "/O=Example/CN=x", "-days", "2", "-addext", "subjectAltName=DNS:a,IP:10.0.0.1"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        seen = observation.certificate(made.stdout.decode(), NOW)
        self.assertEqual(seen["cert.subject"], "O=UTF8STRING:Example / CN=UTF8STRING:x")
        self.assertEqual(seen["cert.lasts"], "172800 s")
        self.assertEqual(seen["cert.begins"], "0 s before now")
        self.assertEqual(seen["cert.X509v3 Subject Alternative Name"], "DNS:a, IP Address:10.0.0.1")
        self.assertEqual(seen["cert.X509v3 Subject Key Identifier"], "SHA-1 of the key")
        self.assertEqual(seen["cert.X509v3 Basic Constraints"], "critical CA:TRUE")

    def test_messages_are_split(self):
        seen = observation.messages('2026/11/28 22:00:00 [INFO] signed certificate with serial number 617153190637063862503580624552\n'
                                    'Failed to load config file: {"code":5200,"message":"x"}\n')
        self.assertEqual(seen, {"log.INFO": "signed certificate with serial number N", "error.code": "5200",
                                "error": "Failed to load config file: x"})


class TableTest(unittest.TestCase):
    def test_names_are_unique_and_many(self):
        names = [case.name for case in table.cases()]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 150)

    def test_the_document_can_be_read(self):
        rules.parse((pathlib.Path(__file__).resolve().parents[2] / "docs/CFSSL.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
