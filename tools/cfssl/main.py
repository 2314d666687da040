"""tools/cfssl-parity: the same command lines with cfssl and with calicert, side by side."""

import argparse
import base64
import concurrent.futures
import datetime
import fnmatch
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

from cfssl import documents, observation, table
from comparison import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "//operator/cmd/calicert:calicert"
TIMEOUT = 120
LONGEST = 300

EPILOG = """exit codes: 0 every difference is intended, or cfssl is not installed; 1 there are others; 2 wrong arguments
examples:
  tools/cfssl-parity
  tools/cfssl-parity --case 'gencert *' --rules"""


class Difference:
    """In the form that rules match: the case is the object."""

    def __init__(self, case, path, theirs, ours):
        self.object, self.path, self.theirs, self.ours, self.rule = case, path, theirs, ours, None


def arguments(argv):
    parser = argparse.ArgumentParser(prog="tools/cfssl-parity", description=__doc__.split(": ", 1)[1], epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", metavar="GLOB", action="append", help="only these; may be given several times")
    parser.add_argument("--rules", action="store_true", help="print intended differences too, with the rule of each")
    parser.add_argument("--differences", metavar="FILE", type=pathlib.Path, default=ROOT / "docs/CFSSL.md",
                        help="the intended differences (default docs/CFSSL.md)")
    parser.add_argument("--calicert", metavar="FILE", type=pathlib.Path, help="calicert to use; default: it is built")
    parser.add_argument("--cfssl", metavar="FILE", default="cfssl", help="cfssl to compare with (default: from PATH)")
    parser.add_argument("--cfssljson", metavar="FILE", default="cfssljson", help="cfssljson to compare with")
    return parser.parse_args(argv)


def build_program(options):
    if options.calicert:
        return
    from deployment import build  # not needed, nor there, where the program is given

    subprocess.run(build.bazel_command(["build", PROGRAM]), cwd=ROOT, check=True, stdout=sys.stderr)
    options.calicert = build.bazel_bin() / PROGRAM[2:].replace(":", "/")


def run(words, folder, stdin=None, environment=None):
    # The time zone is the same for both, and modes do not depend on who runs this.
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", **(environment or {})}
    return subprocess.run(words, cwd=folder, input=(stdin or "").encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                          timeout=TIMEOUT, check=False, preexec_fn=lambda: os.umask(0o022))


def text_of(result):
    result.stdout = result.stdout.decode("utf-8", "replace")
    result.stderr = result.stderr.decode("utf-8", "replace")
    return result


def make_fixtures(folder, options):
    """Certificates and requests that cases read, made by cfssl and openssl."""
    def must(words, stdin=None):
        result = run(words, folder, stdin)
        if result.returncode != 0:
            raise RuntimeError(f"{words}: {result.stderr.decode()}")
        return result.stdout.decode()

    def made(base, words, stdin):
        must([options.cfssljson, "-bare", base], must([options.cfssl, *shlex.split(words)], stdin))

    for name, text in {**table.FILES, **documents.FILES}.items():
        (folder / name).write_text(text, encoding="utf-8")
    made("ca", "gencert -initca -", '{"CN": "Test CA", "names": [{"O": "Example"}]}')
    made("rsa-ca", "gencert -initca -", '{"CN": "RSA CA", "key": {"algo": "rsa", "size": 2048}}')
    made("rsa3072-ca", "gencert -initca -", '{"CN": "RSA CA", "key": {"algo": "rsa", "size": 3072}}')
    made("p384-ca", "gencert -initca -", '{"CN": "EC CA", "key": {"algo": "ecdsa", "size": 384}}')
    made("over", "gencert -initca -", '{"CN": "Over", "ca": {"expiry": "240s"}}')
    made("leaf", f"gencert {table.CA} leaf.json", None)
    made("sub", f"gencert {table.CA} -config config.json -profile intermediate -", '{"CN": "Sub CA"}')
    made("below", "gencert -ca sub.pem -ca-key sub-key.pem leaf.json", None)
    made("names", f"gencert {table.CA} -", table.csr(serialnumber="7", hosts=["a", "::1"], names=[
        {"C": "DE", "ST": "S", "L": "L", "O": "Ö", "OU": "u"}, {"O": "two"}]))
    made("rsa", "genkey -", table.csr(key={"algo": "rsa", "size": 2048}))
    (folder / "two.pem").write_text((folder / "ca.pem").read_text() + (folder / "sub.pem").read_text())
    leaf = (folder / "leaf.csr").read_text()
    (folder / "new.csr").write_text(leaf.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"))
    lines = leaf.splitlines()
    lines[3] = lines[3][:-4] + "AAAA"
    (folder / "damaged.csr").write_text("\n".join(lines) + "\n")

    def asks(name, subject, *extensions):
        added = [word for extension in extensions for word in ("-addext", extension)]
        must(["openssl", "req", "-new", "-key", "leaf-key.pem", "-subj", subject, *added, "-out", name])

    asks("attributes.csr", "/CN=x/O=org/C=DE/DC=example/emailAddress=a@b.c/OU=unit/street=s/postalCode=1/O=two")
    asks("extensions.csr", "/CN=x", "keyUsage=keyCertSign", "1.2.3.4=DER:0500", "subjectAltName=DNS:a")
    asks("ca.csr", "/CN=x", "basicConstraints=critical,CA:TRUE,pathlen:3")
    asks("whole.csr", "/C=DE/O=Org/OU=Unit/CN=whole/serialNumber=7", "subjectAltName=DNS:a")
    asks("uri.csr", "/CN=x", "subjectAltName=URI:spiffe://x/y,DNS:a")
    must(["openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak-key.pem", "-subj", "/CN=x", "-out", "weak.csr"])
    pem, key = (folder / "leaf.pem").read_text(), (folder / "leaf-key.pem").read_text()
    must(["openssl", "x509", "-in", "leaf.pem", "-outform", "DER", "-out", "leaf.der"])
    for name, text in {"crlf.pem": pem.replace("\n", "\r\n"), "text-before.pem": "text\n" + pem, "text-behind.pem": pem + "text\n",
                       "with-key.pem": pem + key, "indented.pem": pem.replace("\n", "\n  "), "empty.pem": "",
                       "base64.csr": base64.b64encode(leaf.encode()).decode(), "crlf.csr": leaf.replace("\n", "\r\n"),
                       "two.csr": leaf + leaf, "text.csr": "text\n" + leaf}.items():
        (folder / name).write_text(text, newline="")
    must(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "ca-key.pem", "-out", "ca-pkcs8.pem"])
    must(["openssl", "ec", "-aes128", "-passout", "pass:secret", "-in", "ca-key.pem", "-out", "ca-encrypted.pem"])


def observed(case, programs, fixtures):
    """What the pair of programs (cfssl, cfssljson) does with `case` in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(fixtures, folder, dirs_exist_ok=True)
        for file, text in case.files.items():
            (folder / file).write_text(text, encoding="utf-8")
        before = {path.name for path in folder.iterdir()}
        words = [programs[1 if case.is_json else 0], *shlex.split(case.words)]
        now = datetime.datetime.now(datetime.timezone.utc)
        result = run(words, folder, case.stdin, case.environment)
        if case.bare:
            taken = run([programs[1], "-bare", *shlex.split(case.bare)], folder, result.stdout.decode())
            assert taken.returncode == 0, f"{case.name}: cfssljson: {taken.stderr}"
        return observation.observe(text_of(result), case.words.split(" ")[0], folder, before, now)


def same(path, theirs, ours):
    """An error of ours may go on behind the words that scripts look for."""
    return theirs == ours or (path == "error" and bool(theirs and ours) and ours.startswith(theirs) and ours[len(theirs)] in ":;. \n")


def compare(case, theirs, ours):
    """Every difference. When one side fails and the other does not, that is the one."""
    if theirs["exit"] != ours["exit"]:
        return [Difference(case.name, "exit", *(f"{side['exit']} {side.get('error', '')}".strip() for side in (theirs, ours)))]
    return [Difference(case.name, path, theirs.get(path), ours.get(path)) for path in sorted({*theirs, *ours})
            if not same(path, theirs.get(path), ours.get(path))]


def explain(differences, all_rules):
    for difference in differences:
        for rule in all_rules:
            if rule.matches(difference, None):
                rule.used += 1
                difference.rule = difference.rule or rule


def short(text):
    text = rules.ABSENT if text is None else text.replace("\n", "\\n")
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def report(differences, options, all_rules):
    for difference in differences:
        if difference.rule and not options.rules:
            continue
        print(f"{difference.object}: {difference.path}\n  theirs: {short(difference.theirs)}\n  ours:   {short(difference.ours)}")
        if difference.rule:
            print(f"  rule:   {difference.rule.title} (line {difference.rule.line})")
    unknown = [difference for difference in differences if not difference.rule]
    stale = [] if options.case else rules.unused(all_rules)
    for rule in stale:
        print(f"{options.differences}: line {rule.line}: a rule that is about nothing: {rule.title}")
    return len(unknown) + len(stale)


def linked(options, folder):
    """calicert under the names that it stands in for."""
    names = [str(folder / "cfssl"), str(folder / "cfssljson")]
    for name in names:
        os.symlink(options.calicert.resolve(), name)
    return names


def main(argv):
    options = arguments(argv)
    if not shutil.which(options.cfssl) or not shutil.which(options.cfssljson):
        print(f"skipped: there is no {options.cfssl} here (Debian: golang-cfssl)")
        return 0
    options.cfssl, options.cfssljson = shutil.which(options.cfssl), shutil.which(options.cfssljson)
    build_program(options)
    all_rules = rules.parse(options.differences.read_text(encoding="utf-8"))
    chosen = [case for case in table.cases() if not options.case or any(fnmatch.fnmatch(case.name, glob) for glob in options.case)]
    differences = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fixtures = folder / "fixtures"
        fixtures.mkdir()
        make_fixtures(fixtures, options)
        ours = linked(options, folder)

        def compared(case):
            theirs = observed(case, [options.cfssl, options.cfssljson], fixtures)
            return compare(case, theirs, observed(case, ours, fixtures))

        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for found in pool.map(compared, chosen):
                differences += found
    explain(differences, all_rules)
    problems = report(differences, options, all_rules)
    intended = sum(1 for difference in differences if difference.rule)
    print(f"{len(chosen)} command lines, {intended} intended differences, {problems} others")
    return 1 if problems else 0
