#!/usr/bin/python3
"""Checks that the compiler does not make: includes by row, guards, sizes, secrets in logs. Prints every problem."""

import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from lint import rules  # noqa: E402: the path comes first

CPP = (".h", ".cc")
TEXT = (".h", ".cc", ".py", ".bzl", ".bazel", ".sh", ".md", ".yaml", "")


def files():
    """Tracked and new files, as git sees them."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                            text=True).stdout.split("\n")
    return [name for name in listed if name and (ROOT / name).is_file()]


def problems_of(name):
    path = pathlib.Path(name)
    if path.suffix not in TEXT or name.startswith(("testdata/", "tools/kubernetes/", "tools/etcd/")):
        return []
    text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
    found = [] if name.startswith("tools/lint/") else rules.check_text(name, text)
    found += rules.check_build(name, text)
    if path.suffix in CPP:
        for check in (rules.check_includes, rules.check_guard, rules.check_secrets, rules.check_size, rules.check_functions):
            found += check(name, text)
    return found


def format_problems(names):
    """Files that clang-format would change."""
    sources = [name for name in names if name.endswith(CPP)]
    result = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *sources], cwd=ROOT, check=False,
                            capture_output=True, text=True)
    return sorted({line.split(":")[0] + ": not formatted (clang-format-19 -i)" for line in result.stderr.split("\n")
                   if "clang-format-violations" in line})


def main():
    names = files()
    found = [problem for name in names for problem in problems_of(name)] + format_problems(names)
    print("\n".join(found) if found else f"lint: {len(names)} files, no problem", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
