"""The rules of docs/ARCHITECTURE.md as functions of text, so that each has a test."""

import re

# Folder -> (row, third-party headers). The longest prefix counts. A file may include lower rows and its own folder;
# `ALSO` lists what it may include besides.
ROWS = {
    "pkg/base": (0, {"absl", "fmt"}),
    "pkg/codec": (1, {"absl", "fmt", "boost/json", "yaml-cpp"}),
    "pkg/metrics": (1, {"absl", "fmt"}),
    "pkg/openssl": (1, {"absl", "fmt", "openssl"}),
    "pkg/pki": (2, {"absl", "fmt", "openssl"}),
    "pkg/aio": (1, {"absl", "fmt", "boost/asio"}),
    "pkg/api": (2, {"absl", "fmt", "boost/json"}),
    "pkg/net": (3, {"absl", "fmt", "boost/asio", "boost/system"}),
    "pkg/http": (4, {"absl", "fmt", "boost/beast", "boost/optional"}),
    "crds": (2, {"absl", "fmt"}),
    "pkg/kube/auth": (5, {"absl", "fmt", "boost/json"}),
    "pkg/kube/client": (5, {"absl", "fmt", "boost/json"}),
    "pkg/serving": (5, {"absl", "fmt"}),
    "pkg/kube/schema": (2, {"absl", "fmt", "boost/json"}),
    "pkg/kube": (6, {"absl", "fmt", "boost/json"}),
    "pkg/controller": (7, {"absl", "fmt"}),
    "operator/calico_config": (8, {"absl", "fmt"}),
    "operator/certificates": (8, {"absl", "fmt"}),
    "operator/csr_policy": (8, {"absl", "fmt"}),
    "operator/defaults": (8, {"absl", "fmt", "boost/json"}),
    "operator/validation": (8, {"absl", "fmt", "boost/json"}),
    "operator/render": (8, {"absl", "fmt", "boost/json"}),
    "operator/adoption": (9, {"absl", "fmt", "boost/json"}),
    "operator/removal": (9, {"absl", "fmt", "boost/json"}),
    "operator/config": (9, {"absl", "fmt"}),
    "operator/provision": (9, {"absl", "fmt"}),
    "operator/offline": (9, {"absl", "fmt"}),
    "operator/controllers": (9, {"absl", "fmt", "boost/json"}),
    "operator/calicert": (9, {"absl", "fmt", "boost/json"}),
    "operator/calicert/command": (9, {"absl", "fmt", "boost/json"}),
    "operator/calicert/cfssl": (9, {"absl", "fmt", "boost/json", "re2"}),
    "operator/calicert/certificates": (9, {"absl", "fmt", "boost/json"}),
    "operator/calicert/etcd": (9, {"absl", "fmt", "boost/json"}),
    "operator/calicert/calico/typha": (9, {"absl", "fmt", "boost/json"}),
    "operator/manifests": (9, {"fmt"}),  # a test of the roles in it
    "operator/cmd": (10, {"absl", "fmt", "boost/asio", "boost/json"}),
    # Not part of the product: stand-ins for other people's programs, and tools.
    "operator/standin": (10, {"absl", "fmt", "openssl", "boost/json"}),
    "tools": (11, {"absl", "fmt", "openssl", "boost/asio", "boost/beast", "boost/json"}),
}
# What the commands of calicert that work without a cluster may see: no Kubernetes client.
OFFLINE = {"operator/config", "operator/calicert/command", "pkg/base", "pkg/codec", "pkg/pki", "pkg/openssl", "pkg/aio", "pkg/net"}
# Same row or upwards, on purpose.
ALSO = {
    "pkg/kube/client": {"pkg/kube/auth"},
    "operator/calico_config": {"pkg/base", "pkg/codec"},
    "operator/certificates": {"pkg/api", "pkg/openssl", "pkg/pki", "pkg/base", "pkg/codec"},
    "operator/csr_policy": {"pkg/api", "pkg/pki", "pkg/base", "pkg/codec"},
    "operator/defaults": {"pkg/api", "pkg/base", "pkg/codec"},
    "operator/validation": {"pkg/api", "pkg/pki", "pkg/base", "pkg/codec"},
    "operator/render": {"operator/certificates", "pkg/api", "pkg/openssl", "pkg/pki", "pkg/base", "pkg/codec", "pkg/kube/schema"},
    "operator/calicert": {"operator/config", "operator/calicert", "operator/calicert/command", "operator/calicert/cfssl",
                          "operator/calicert/certificates", "operator/calicert/etcd", "operator/controllers"},
    "operator/calicert/command": {"operator/config", "pkg/base", "pkg/codec"},
    "operator/calicert/cfssl": OFFLINE,
    "operator/calicert/certificates": OFFLINE | {"operator/calicert/cfssl"},
    "operator/calicert/etcd": OFFLINE | {"operator/calicert/cfssl"},
    "operator/calicert/calico/typha": OFFLINE | {"operator/calicert/cfssl", "operator/calicert/etcd"},
    "operator/controllers": {"operator/controllers", "operator/config"},
    "operator/offline": {"operator/config"},
    "operator/adoption": {"operator/config", "operator/offline"},
    "operator/removal": {"operator/adoption", "operator/config"},
    "operator/provision": {"pkg/kube/auth", "pkg/kube/client", "pkg/pki", "pkg/api", "pkg/base", "pkg/codec", "pkg/aio"},
}
# Folders of which ALSO is all that is allowed, whatever their row.
ONLY_ALSO = {"operator/calico_config", "operator/certificates", "operator/csr_policy", "operator/defaults", "operator/validation", "operator/render", "operator/provision",
             "operator/calicert/command", "operator/calicert/cfssl", "operator/calicert/certificates", "operator/calicert/etcd", "operator/calicert/calico/typha"}
# OpenSSL is confined to these files.
OPENSSL_FILES = re.compile(r"^pkg/net/(?:survey/)?tls_[a-z_]+\.(h|cc)$|^operator/standin/|^tools/|^pkg/(?:openssl|pki)/")
THIRD_PARTY = re.compile(r"^(absl|boost/[a-z_]+|fmt|openssl|re2|yaml-cpp|gtest|gmock|benchmark)[/.]")
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]', re.MULTILINE)
SECRETS = re.compile(r"(?:logger_?|log)\.(?:Debug|Info|Warning|Error)\([^;]*?\b(key_pem|token|password|private_key|authorization)\b\s*[,})]",
                     re.IGNORECASE | re.DOTALL)
LIMIT_LINES = {".h": 400, ".cc": 700}
FUNCTION_LIMIT = 80
BUILD_LIMIT = 300
# Libraries of the system and the rules themselves are for everybody.
OPEN_PACKAGES = ("tools/deps/", "tools/bazel/")


def folder_of(path):
    """The longest folder of ROWS that holds `path`, or None."""
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:depth])
        if name in ROWS:
            return name
    return None


def is_test(path):
    return bool(re.search(r"_(test|fuzz|benchmark)\.cc$|/testing/|/integration/|_test_\w+\.(h|cc)$", path))


def check_includes(path, text):
    """Problems of the includes of one C++ file."""
    own = folder_of(path)
    if own is None:
        return [f"{path}: no row in tools/lint/rules.py for this folder"]
    problems = []
    for bracket, name in INCLUDE.findall(text):
        if bracket == "<":
            problems += _third_party(path, own, name)
        elif not is_test(path):
            problems += _ours(path, own, name)
    return problems


def _third_party(path, own, name):
    library = THIRD_PARTY.match(name)
    if not library:
        return []
    library = library.group(1)
    if library in ("gtest", "gmock", "benchmark"):
        return [] if is_test(path) else [f"{path}: includes <{name}> outside a test"]
    if library == "openssl":
        return [] if OPENSSL_FILES.match(path) else [f"{path}: includes <{name}>; OpenSSL stays in pkg/openssl, pkg/pki and pkg/net/tls_*"]
    if library in ROWS[own][1] or (is_test(path) and library in ("boost/json", "boost/asio", "absl", "fmt")):
        return []
    return [f"{path}: includes <{name}>, which {own} may not"]


def _ours(path, own, name):
    other = folder_of(name)
    if other is None or other == own:
        return []
    if "/testing/" in name:
        return [f"{path}: includes {name}; testing/ is for tests"]
    if other in ALSO.get(own, ()):
        return []
    if own in ONLY_ALSO or ROWS[other][0] >= ROWS[own][0]:
        return [f"{path}: includes {name}; {own} (row {ROWS[own][0]}) may not include {other} (row {ROWS[other][0]})"]
    return []


def check_guard(path, text):
    """Header guards are CALICO_ and the path."""
    if not path.endswith(".h"):
        return []
    guard = "CALICO_" + re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"
    if f"#ifndef {guard}\n#define {guard}\n" in text:
        return []
    return [f"{path}: the header guard must be {guard}"]


def check_secrets(path, text):
    """No call of the logger gets a key, a token or a password."""
    return [f"{path}: logs {match.group(1)}" for match in SECRETS.finditer(text)]


def check_size(path, text):
    """Files within the budget; tests may be longer."""
    lines = text.count("\n")
    limit = LIMIT_LINES.get(path[path.rfind("."):], 10**9)
    limit = max(limit, 1000) if is_test(path) else limit
    return [f"{path}: {lines} lines, the limit is {limit}: split it"] if lines > limit else []


def check_build(path, text):
    """A package is closed unless a target is opened on purpose; a long file is a folder that should be split."""
    if not path.endswith("BUILD.bazel"):
        return []
    problems = []
    default = re.search(r"default_visibility\s*=\s*\[([^\]]*)\]", text)
    if default and "//visibility:public" in default.group(1) and not path.startswith(OPEN_PACKAGES):
        problems.append(f"{path}: public by default; open each target to those who use it")
    lines = text.count("\n")
    if lines > BUILD_LIMIT:
        problems.append(f"{path}: {lines} lines, the limit is {BUILD_LIMIT}: split the folder")
    return problems


def check_functions(path, text):
    """Functions of C++ files (a brace in the first columns to its end) within the budget."""
    if is_test(path) or not path.endswith(".cc"):
        return []
    problems, start, name = [], None, ""
    for number, line in enumerate(text.split("\n"), 1):
        if start is None and re.match(r"^(  )?[A-Za-z].*\)( const| override| noexcept)* \{$", line):
            start, name = number, line.strip()
        elif start is not None and re.match(r"^(  )?\}", line):
            length = number - start
            if length > FUNCTION_LIMIT:
                problems.append(f"{path}:{start}: {length} lines in one function: {name[:60]}")
            start = None
    return problems


def check_text(path, text):
    """Things that no file of the project may hold."""
    problems = []
    # /home/kubernetes is a folder of GKE's node images.
    if re.search(r"(?<![\w}.*])/(?:root|home/(?!kubernetes/)\w+|Users/\w+)/\w", text):
        problems.append(f"{path}: a path of one machine")
    if re.search(r"[ \t]+$", text, re.MULTILINE) and not path.startswith("testdata/"):
        problems.append(f"{path}: white space at a line's end")
    return problems
