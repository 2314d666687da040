"""What one command line did, as a flat dictionary of texts in which keys, serial numbers and times are left out."""

import base64
import datetime
import hashlib
import json
import pathlib
import re
import subprocess

LOG = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] (.*)$")
SECONDS = 60
# How long before now certificates begin, as far as anybody says; rounding to a minute moves it by half of one.
BACKDATES = (0, 60, 300, 3600, 86400)
PEM = re.compile(r"-----BEGIN ([^-]+)-----\n.*?-----END \1-----\n?", re.DOTALL)
NAME_OPTIONS = "sep_multiline,sname,show_type,utf8,esc_ctrl"


def openssl(arguments, data):
    result = subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return result.stdout.decode("utf-8", "replace") if result.returncode == 0 else None


def key_of(pem):
    """The label and size of a private key."""
    label = PEM.match(pem)
    text = openssl(["pkey", "-noout", "-text"], pem.encode()) or ""
    size = re.search(r"\((\d+) bit", text) or re.search(r"(ED25519)", text)
    return f"{label.group(1) if label else 'no PEM'}, {size.group(1) if size else 'unreadable'}"


def extensions_of(lines, indent):
    """Name -> value (with `critical`) of the extensions in lines of openssl's text that begin with `indent` spaces."""
    found, name = {}, None
    for line in lines:
        header = re.match(r"^ {%d}(\S.*?): ?(critical)? ?$" % indent, line)
        if header:
            name = header.group(1)
            found[name] = ["critical"] if header.group(2) else []
        elif name and line.startswith(" " * (indent + 4)):
            found[name].append(line.strip())
        else:
            name = None
    return {name: " ".join(lines) for name, lines in found.items()}


def section(text, header):
    """The lines below `header`, up to one that is indented less than they are."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip() == header:
            indent = len(line) - len(line.lstrip()) + 4
            below = lines[number + 1:]
            end = next((n for n, other in enumerate(below) if not other.startswith(" " * indent)), len(below))
            return below[:end], indent
    return [], 0


def public_key_hash(public):
    """SHA-1 of the bit string of a public key in PEM, as openssl prints key identifiers."""
    der = base64.b64decode("".join(public.strip().splitlines()[1:-1]))
    # The bit string is the last element: its content ends where the key does.
    for start in range(len(der) - 2):
        if der[start] == 0x03:
            length, used = der[start + 1], 2
            if length & 0x80:
                used = 2 + (length & 0x7F)
                length = int.from_bytes(der[start + 2:start + used], "big")
            if start + used + length == len(der) and der[start + used] == 0:
                return ":".join(f"{byte:02X}" for byte in hashlib.sha1(der[start + used + 1:]).digest())
    return ""


def name_lines(text, which):
    """A name that was printed one attribute a line."""
    lines = text.splitlines()
    start = lines.index(f"{which}=") if f"{which}=" in lines else len(lines)
    below = lines[start + 1:]
    end = next((n for n, line in enumerate(below) if not line.startswith("    ") or line.strip().startswith("Data:")), len(below))
    return " / ".join(line.strip() for line in below[:end])


def validity(text, now):
    times = [datetime.datetime.strptime(re.search(rf"^{name}=(.*)$", text, re.MULTILINE).group(1), "%b %d %H:%M:%S %Y %Z")
             .replace(tzinfo=datetime.timezone.utc) for name in ("notBefore", "notAfter")]
    before = (now - times[0]).total_seconds()
    known = [backdate for backdate in BACKDATES if abs(before - backdate) <= SECONDS / 2 + 5]
    begins = f"{known[0]} s before now" if known else times[0].isoformat()
    return begins, f"{int((times[1] - times[0]).total_seconds())} s"


def certificate(pem, now):
    text = openssl(["x509", "-noout", "-subject", "-issuer", "-dates", "-serial", "-pubkey", "-text", "-nameopt", NAME_OPTIONS],
                   pem.encode())
    if text is None:
        return {"cert": "not a certificate"}
    begins, lasts = validity(text, now)
    seen = {"cert.subject": name_lines(text, "subject"), "cert.issuer": name_lines(text, "issuer"),
            "cert.begins": begins, "cert.lasts": lasts,
            "cert.signature": re.search(r"Signature Algorithm: (\S+)", text).group(1),
            "cert.key": re.search(r"Public Key Algorithm: (\S+)", text).group(1),
            "cert.serial": serial_kind(re.search(r"^serial=(.*)$", text, re.MULTILINE).group(1))}
    found = extensions_of(*section(text, "X509v3 extensions:"))
    seen["cert.extensions"] = ", ".join(found)
    own = public_key_hash(PEM.search(text).group(0))
    for name, value in found.items():
        seen[f"cert.{name}"] = "SHA-1 of the key" if name == "X509v3 Subject Key Identifier" and value == own else value
    return seen


def serial_kind(digits):
    return "positive, " + ("up to 8 bytes" if len(digits) <= 16 else "up to 20 bytes" if len(digits) <= 40 else "too long")


def request(pem):
    text = openssl(["req", "-noout", "-subject", "-text", "-nameopt", NAME_OPTIONS], pem.encode())
    if text is None:
        return {"csr": "not a request"}
    seen = {"csr.subject": name_lines(text, "subject"),
            "csr.signature": re.search(r"Signature Algorithm: (\S+)", text).group(1),
            "csr.key": re.search(r"Public Key Algorithm: (\S+)", text).group(1)}
    for name, value in extensions_of(*section(text, "Requested Extensions:")).items():
        seen[f"csr.{name}"] = value
    return seen


def flatten(value, path, seen):
    if isinstance(value, dict):
        for key, member in value.items():
            flatten(member, f"{path}.{key}", seen)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            flatten(item, f"{path}[{number}]", seen)
    else:
        seen[path] = json.dumps(value, ensure_ascii=False)


def output(text, command, now):
    if not text:
        return {"out": "nothing"}
    try:
        answer = json.loads(text)
    except ValueError:
        if command == "gencrl":
            text = crl(text)
        elif command == "print-defaults":  # cfssl lists what there is in an order of chance
            text = "\n".join(sorted(text.splitlines()))
        return {"out": "text", "out.text": text}
    seen = {"out": ", ".join(answer)}
    if command in ("certinfo", "info", "bundle", "print-defaults"):
        flatten(answer, "out", seen)
        return seen
    if "cert" in answer:
        seen.update(certificate(answer["cert"], now))
    if "csr" in answer:
        seen.update(request(answer["csr"]))
    if "key" in answer:
        seen["key"] = key_of(answer["key"])
    return seen


def crl(text):
    decoded = openssl(["crl", "-inform", "DER", "-noout", "-text"], base64.b64decode(text))
    lines = [line for line in (decoded or "unreadable").splitlines() if not re.match(r"^ {8}[0-9a-f]{2}:", line)]
    return re.sub(r"\w{3} +\d+ \d\d:\d\d:\d\d \d{4} GMT", "TIME", "\n".join(lines))


def messages(text):
    """The log by level, and what else is on stderr, split into cfssl's code and words."""
    seen, others = {}, []
    for line in text.splitlines():
        log = LOG.match(line)
        if log:
            level = f"log.{log.group(1)}"
            words = re.sub(r"\d{15,}", "N", log.group(2))
            seen[level] = f"{seen[level]}; {words}" if level in seen else words
        else:
            others.append(line)
    text = "\n".join(others).strip()
    if not text:
        return seen
    coded = re.search(r'\{"code":(\d+),"message":(".*")\}$', text, re.DOTALL)
    if coded:
        seen["error.code"] = coded.group(1)
        text = text[:coded.start()] + json.loads(coded.group(2))
    seen["error"] = text
    return seen


def files(folder, before):
    seen = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.name not in before:
            seen[f"file.{path.name}"] = f"{path.stat().st_mode & 0o777:o}"
    return seen


def observe(result, command, folder, before, now):
    """`result` is a finished process with stdout and stderr as text."""
    seen = {"exit": str(result.returncode)}
    seen.update(output(result.stdout, command, now))
    seen.update(messages(result.stderr))
    seen.update(files(folder, before))
    return seen
