"""The command lines that both programs run, and the files that they read.

A case is a name, the words behind `cfssl` and perhaps standard input, the name for `cfssljson -bare` and files of its own. The
name's first word is the command; rules in docs/CFSSL.md match names with `*`.
"""

import dataclasses
import json
import typing

from cfssl import documents

EC = {"algo": "ecdsa", "size": 256}
CA = "-ca ca.pem -ca-key ca-key.pem"


@dataclasses.dataclass
class Case:
    name: str
    words: str
    stdin: typing.Optional[str] = None
    bare: str = ""
    files: typing.Dict[str, str] = dataclasses.field(default_factory=dict)
    # Of `cfssljson` in place of `cfssl`.
    is_json: bool = False
    environment: typing.Dict[str, str] = dataclasses.field(default_factory=dict)


def csr(**fields):
    return json.dumps({"CN": "leaf", "key": EC, **fields})


def config(default=None, **profiles):
    signing = {"profiles": profiles} if profiles else {}
    if default is not None:
        signing["default"] = default
    return json.dumps({"signing": signing})


LEAF = csr(hosts=["leaf.example.com", "10.0.0.5"])
SERVER = {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth"]}
PEER = {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth", "client auth"]}

# Files of every case, beside the certificates that main.py makes.
FILES = {
    "leaf.json": LEAF,
    "ca.json": json.dumps({"CN": "Other CA", "key": EC, "names": [{"C": "DE", "O": "Example"}]}),
    "config.json": config(PEER, server=SERVER, client={"expiry": "1h", "usages": ["signing", "client auth"]},
                          intermediate={"expiry": "1000h", "usages": ["cert sign", "crl sign"], "ca_constraint": {"is_ca": True}}),
    "subject.json": json.dumps({"CN": "other", "names": [{"O": "Other", "OU": "unit"}]}),
    "serials": "12\n617153190637063862503580624552583811349230626796\n",
    "hexadecimal": "0x1f\n",
    "commas": "12,13\n",
    "windows": "12\r\n\r\n13\r\n",
    "hour": "3600",
    "cn.json": json.dumps({"CN": "other"}),
    "unit.json": json.dumps({"names": [{"OU": "a"}, {"OU": "b"}]}),
    "number.json": json.dumps({"serialnumber": "9"}),
    "nothing.json": "{}",
}


def requests():
    """genkey with all that a request may say."""
    bodies = {
        "cn": csr(),
        "empty cn": csr(CN=""),
        "one host": csr(hosts=["a.example.com"]),
        "hosts of each kind": csr(hosts=["b.example.com", "10.0.0.1", "a@example.com", "fd00::5", "*.example.com", "a.example.com"]),
        "no hosts": csr(hosts=[]),
        "null hosts": csr(hosts=None),
        "empty host": csr(hosts=[""]),
        "named e-mail": csr(hosts=["Ops <ops@example.com>"]),
        "host with underscore": csr(hosts=["etcd_1.example.com"]),
        "host with capitals": csr(hosts=["ETCD.Example.com"]),
        "single label": csr(hosts=["localhost"]),
        "mapped address": csr(hosts=["::ffff:10.0.0.1"]),
        "hosts twice": csr(hosts=["a", "a", "10.0.0.1", "10.0.0.1"]),
        "null host": csr(hosts=[None]),
        "hosts as object": csr(hosts={"dns": ["a"]}),
        "host in a list of its own": csr(hosts=[["a"]]),
        "placeholder": csr(hosts=["${HOST}"]),
        "country of three letters": csr(names=[{"C": "DEU"}]),
        "names of text": csr(names=["O=x"]),
        "organization as list": csr(names=[{"O": ["a", "b"]}]),
        "common name in names": json.dumps({"hosts": ["a"], "key": EC, "names": [{"CN": "x", "O": "y"}]}),
        "commonName": json.dumps({"commonName": "x", "hosts": ["a"], "key": EC}),
        "hosts in names": csr(names=[{"O": "x", "hosts": ["a"]}]),
        "size in key by another name": csr(key={"algo": "rsa", "bits": 2048}),
        "size too large for a number": csr(key={"algo": "rsa", "size": 99999999999}),
        "ca as truth": csr(ca=True),
        "windows lines": csr(hosts=["a"]).replace(",", ",\r\n"),
        "comma missing": '{"CN": "leaf" "key": {}}',
        "pem as request": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "names": csr(names=[{"C": "DE", "ST": "Berlin", "L": "Berlin", "O": "Example", "OU": "unit"}]),
        "names out of order": csr(names=[{"OU": "unit", "O": "Example", "L": "Berlin", "ST": "Berlin", "C": "DE"}]),
        "two names": csr(names=[{"O": "one", "OU": "a"}, {"O": "two", "OU": "b"}]),
        "two equal names": csr(names=[{"O": "one"}, {"O": "one"}]),
        "empty name": csr(names=[{}]),
        "foreign letters": csr(CN="Müller", names=[{"O": "Ö & Söhne"}]),
        "special letters": csr(CN="a+b,c=d;e\"f", names=[{"O": "x/y"}]),
        "long cn": csr(CN="x" * 80),
        "serial number": csr(serialnumber="42"),
        "letter case": json.dumps({"cn": "leaf", "Key": EC, "HOSTS": ["a"], "Names": [{"o": "x", "ou": "y"}]}),
        "no key": json.dumps({"CN": "leaf"}),
        "empty key": csr(key={}),
        "null key": csr(key=None),
        "size alone": csr(key={"size": 384}),
        "p384": csr(key={"algo": "ecdsa", "size": 384}),
        "p521": csr(key={"algo": "ecdsa", "size": 521}),
        "rsa 2048": csr(key={"algo": "rsa", "size": 2048}),
        "rsa 2049": csr(key={"algo": "rsa", "size": 2049}),
        "rsa 3072": csr(key={"algo": "rsa", "size": 3072}),
        "ed25519": csr(key={"algo": "ed25519"}),
        "ed25519 with size": csr(key={"algo": "ed25519", "size": 256}),
        "rsa without size": csr(key={"algo": "rsa"}),
        "rsa too small": csr(key={"algo": "rsa", "size": 1024}),
        "rsa too large": csr(key={"algo": "rsa", "size": 8200}),
        "no such curve": csr(key={"algo": "ecdsa", "size": 255}),
        "algorithm in capitals": csr(key={"algo": "RSA", "size": 2048}),
        "no such algorithm": csr(key={"algo": "dsa", "size": 2048}),
        "ca section": csr(ca={"expiry": "1h"}),
        "unknown key": csr(name=[{"O": "x"}]),
        "expiry outside of ca": csr(expiry="87600h"),
        "twice the same key": '{"CN": "a", "CN": "leaf", "names": [{"OU": "one", "OU": "two"}]}',
        "e-mail in names": csr(names=[{"E": "a@example.com"}]),
        "serial number in names": csr(names=[{"SerialNumber": "1"}]),
        "only hosts": json.dumps({"hosts": ["10.0.0.5"], "key": EC}),
        "only key": json.dumps({"key": EC}),
        "empty object": "{}",
        "names as object": csr(names={"O": "x"}),
        "hosts as text": csr(hosts="a,b"),
        "host as number": csr(hosts=[1]),
        "size as text": csr(key={"algo": "rsa", "size": "2048"}),
        "size as fraction": csr(key={"algo": "rsa", "size": 2048.5}),
        "cn as number": csr(CN=1),
        "key as text": csr(key="ecdsa"),
        "list": "[" + LEAF + "]",
        "text": '"x"',
        "empty file": "",
        "white space": " \n",
        "trailing comma": '{"CN": "leaf",}',
        "comment": '{\n  // x\n  "CN": "leaf"}',
        "single quotes": "{'CN': 'leaf'}",
        "cut": '{"CN": "leaf"',
        "second value": LEAF + LEAF,
        "byte order mark": "\ufeff" + LEAF,
        "configuration as request": config(PEER),
        "server's answer as request": '{"success": false, "errors": [{"code": 1, "message": "x"}]}',
        "host with port": csr(hosts=["localhost:443"]),
        "address range": csr(hosts=["192.168.0.0/16"]),
        "url": csr(hosts=["https://api.example.com"]),
        "spiffe": csr(hosts=["spiffe://example.com/x"]),
        "several in one": csr(hosts=["10.0.0.5, 10.0.0.6"]),
        "address out of range": csr(hosts=["10.0.0.256"]),
        "address in brackets": csr(hosts=["[fd00::5]"]),
        "space before host": csr(hosts=[" etcd-1"]),
        "dot at the end": csr(hosts=["kubernetes.default.svc."]),
        "star": csr(hosts=["*"]),
        "foreign host": csr(hosts=["bücher.example"]),
    }
    return [Case(f"genkey {name}", "genkey -", stdin=body) for name, body in bodies.items()]


def authorities():
    """-initca and -renewca."""
    bodies = {
        "plain": {},
        "names": {"names": [{"C": "DE", "O": "Example"}, {"O": "Other"}]},
        "expiry": {"ca": {"expiry": "87600h"}},
        "expiry of a century": {"ca": {"expiry": "876000h"}},
        "expiry in minutes": {"ca": {"expiry": "90m"}},
        "path length": {"ca": {"pathlen": 2}},
        "path length zero": {"ca": {"pathlenzero": True}},
        "path length 0": {"ca": {"pathlen": 0}},
        "path length beside zero": {"ca": {"pathlen": 1, "pathlenzero": True}},
        "address": {"hosts": ["10.0.0.1"]},
        "host": {"hosts": ["ca.example.com", "10.0.0.1"]},
        "rsa": {"key": {"algo": "rsa", "size": 2048}},
        "p384": {"key": {"algo": "ecdsa", "size": 384}},
        "p521": {"key": {"algo": "ecdsa", "size": 521}},
        "rsa 3072": {"key": {"algo": "rsa", "size": 3072}},
        "no subject": {"CN": ""},
        "expiry in years": {"ca": {"expiry": "10y"}},
        "expiry without unit": {"ca": {"expiry": "87600"}},
        "negative expiry": {"ca": {"expiry": "-1h"}},
        "expiry zero": {"ca": {"expiry": "0"}},
        "expiry as number": {"ca": {"expiry": 87600}},
        "expiry too short": {"ca": {"expiry": "240s"}},
        "crl url": {"crl_url": "http://crl.example.com"},
        "backdate": {"ca": {"expiry": "10h", "backdate": "1h"}},
        "backdate zero": {"ca": {"expiry": "10h", "backdate": "0s"}},
        "empty expiry": {"ca": {"expiry": ""}},
        "longest expiry": {"ca": {"expiry": "2562047h"}},
        "expiry in words": {"ca": {"expiry": "5 years"}},
        "expiry too long": {"ca": {"expiry": "99999999h"}},
        "key by another name": {"ca": {"expires": "87600h", "max_path_len": 1}},
        "path length as text": {"ca": {"pathlen": "1"}},
        "negative path length": {"ca": {"pathlen": -1}},
    }
    cases = [Case(f"initca {name}", "gencert -initca -", stdin=json.dumps({"CN": "Test CA", "key": EC, **body}))
             for name, body in bodies.items()]
    return cases + [
        Case("initca with genkey", "genkey -initca ca.json", bare="made"),
        Case("initca to files", "gencert -initca ca.json", bare="made"),
        Case("initca with key", "gencert -initca -ca-key ca-key.pem ca.json", bare="made"),
        Case("initca with rsa key", "gencert -initca -ca-key rsa-ca-key.pem ca.json"),
        Case("initca with missing key", "gencert -initca -ca-key nowhere.pem ca.json"),
        Case("initca with configuration", "gencert -initca -config config.json ca.json"),
        Case("initca with missing configuration", "gencert -initca -config nowhere.json ca.json"),
        Case("initca with a ca", f"gencert -initca {CA} ca.json"),
        Case("initca with profile and hostname", "gencert -initca -profile server -hostname 10.0.0.1 ca.json"),
        Case("initca switch with value", "gencert -initca=true ca.json"),
        Case("renewca plain", f"gencert -renewca {CA}", bare="made"),
        Case("renewca rsa", "gencert -renewca -ca rsa-ca.pem -ca-key rsa-ca-key.pem"),
        Case("renewca below", "gencert -renewca -ca sub.pem -ca-key sub-key.pem"),
        Case("renewca other key", "gencert -renewca -ca ca.pem -ca-key rsa-ca-key.pem"),
        Case("renewca leaf", "gencert -renewca -ca leaf.pem -ca-key leaf-key.pem"),
        Case("renewca without anything", "gencert -renewca"),
        Case("renewca with a request", f"gencert -renewca {CA} ca.json"),
        Case("genkey with configuration", "genkey -config config.json leaf.json"),
        Case("genkey with missing configuration", "genkey -config nowhere.json leaf.json"),
        Case("genkey with hostname", "genkey -hostname a leaf.json"),
    ]


def leaves():
    """gencert with a CA."""
    lines = {
        "plain": (f"gencert {CA} leaf.json", "made"),
        "rsa ca": ("gencert -ca rsa-ca.pem -ca-key rsa-ca-key.pem leaf.json", ""),
        "p384 ca": ("gencert -ca p384-ca.pem -ca-key p384-ca-key.pem leaf.json", ""),
        "below intermediate": ("gencert -ca sub.pem -ca-key sub-key.pem leaf.json", ""),
        "key in pkcs8": ("gencert -ca ca.pem -ca-key ca-pkcs8.pem leaf.json", ""),
        "equals sign": ("gencert -ca=ca.pem --ca-key=ca-key.pem leaf.json", ""),
        "default profile": (f"gencert {CA} -config config.json leaf.json", ""),
        "server profile": (f"gencert {CA} -config config.json -profile server leaf.json", "made"),
        "client profile": (f"gencert {CA} -config config.json -profile=client leaf.json", ""),
        "intermediate": (f"gencert {CA} -config config.json -profile intermediate leaf.json", ""),
        "unknown profile": (f"gencert {CA} -config config.json -profile nobody leaf.json", ""),
        "hostname": (f"gencert {CA} -hostname a.example.com,10.0.0.9 leaf.json", ""),
        "hostname with space": (f"gencert {CA} -hostname 'a.example.com, b.example.com' leaf.json", ""),
        "flag of another command": (f"gencert {CA} -label x leaf.json", ""),
        "log level": (f"gencert -loglevel 5 {CA} leaf.json", ""),
        "no ca": ("gencert leaf.json", ""),
        "no key": ("gencert -ca ca.pem leaf.json", ""),
        "no argument": (f"gencert {CA}", ""),
        "missing file": (f"gencert {CA} nowhere.json", ""),
        "missing ca": ("gencert -ca nowhere.pem -ca-key ca-key.pem leaf.json", ""),
        "missing configuration": (f"gencert {CA} -config nowhere.json leaf.json", ""),
        "other key": ("gencert -ca ca.pem -ca-key rsa-ca-key.pem leaf.json", ""),
        "ca is no pem": ("gencert -ca leaf.json -ca-key ca-key.pem leaf.json", ""),
        "key is no pem": ("gencert -ca ca.pem -ca-key leaf.json leaf.json", ""),
        "ca is a leaf": ("gencert -ca leaf.pem -ca-key leaf-key.pem leaf.json", ""),
        "ca is over": ("gencert -ca over.pem -ca-key over-key.pem leaf.json", ""),
        "two in ca": ("gencert -ca two.pem -ca-key ca-key.pem leaf.json", ""),
        "unknown flag": (f"gencert {CA} -nonsense leaf.json", ""),
        "flag behind": (f"gencert leaf.json {CA}", ""),
        "two arguments": (f"gencert {CA} leaf.json ca.json", ""),
        "encrypted key": ("gencert -ca ca.pem -ca-key ca-encrypted.pem leaf.json", ""),
        "two dashes": (f"gencert {CA} -- leaf.json", ""),
        "file before path": ("gencert -ca file:ca.pem -ca-key file:ca-key.pem leaf.json", ""),
        "log level beyond": (f"gencert -loglevel=7 {CA} leaf.json", ""),
        "log level negative": (f"gencert -loglevel=-1 {CA} leaf.json", ""),
        "log level in words": (f"gencert -loglevel=info {CA} leaf.json", ""),
        "value missing": (f"gencert {CA} -profile", ""),
        "flag in place of a value": ("gencert -ca -ca-key ca-key.pem leaf.json", ""),
        "switch with another value": ("gencert -initca=maybe ca.json", ""),
        "configuration is a folder": (f"gencert {CA} -config . leaf.json", ""),
        "empty hostname": (f"gencert {CA} -hostname= leaf.json", ""),
        "hostname with port": (f"gencert {CA} -hostname=a:80 leaf.json", ""),
        "hostname with comma behind": (f"gencert {CA} -hostname=a,b, leaf.json", ""),
        "hostname range": (f"gencert {CA} -hostname=10.0.0.1-10.0.0.9 leaf.json", ""),
        "profile without configuration": (f"gencert {CA} -profile server leaf.json", ""),
        "certificate and key swapped": ("gencert -ca ca-key.pem -ca-key ca.pem leaf.json", ""),
        "ca is a request": ("gencert -ca leaf.csr -ca-key ca-key.pem leaf.json", ""),
        "ca with windows lines": ("gencert -ca crlf.pem -ca-key leaf-key.pem leaf.json", ""),
        "folder as request": (f"gencert {CA} .", ""),
    }
    cases = [Case(f"gencert {name}", words, bare=bare) for name, (words, bare) in lines.items()]
    bodies = {"no hosts": csr(), "only hosts": json.dumps({"hosts": ["10.0.0.5"]}), "ca section": csr(ca={"pathlen": 1}), "empty host": csr(hosts=[""]), "two names":
              csr(names=[{"O": "a", "OU": "x"}, {"O": "b", "OU": "y"}]), "rsa": csr(hosts=["a"], key={"algo": "rsa", "size": 2048}),
              "weak key": csr(key={"algo": "rsa", "size": 1024}), "serial number": csr(hosts=["a"], serialnumber="9")}
    cases += [Case(f"gencert {name}", f"gencert {CA} -", stdin=body) for name, body in bodies.items()]
    return cases + [
        Case("gencert encrypted key with password", "gencert -ca ca.pem -ca-key ca-encrypted.pem leaf.json",
             environment={"CFSSL_CA_PK_PASSWORD": "secret"}),
        Case("gencert variable", "gencert -ca env:CA_PEM -ca-key ca-key.pem leaf.json", environment={"CA_PEM": "x"}),
        Case("gencert configuration of standard input", f"gencert {CA} -config - leaf.json", stdin=config(SERVER)),
        Case("gencert ca section with profile", f"gencert {CA} -config config.json -profile intermediate -",
             stdin=csr(ca={"expiry": "1h"})),
        Case("selfsign ca section", "selfsign host.example.com -", stdin=csr(ca={"expiry": "1h"})),
        Case("selfsign as intermediate", "selfsign -config config.json -profile intermediate host.example.com leaf.json"),
        Case("gencert no hosts for a client", f"gencert {CA} -config config.json -profile client -", stdin=csr()),
    ]


def profiles():
    """gencert with a configuration of its own."""
    base = {"expiry": "1h", "usages": ["signing"]}
    bodies = {
        "all key usages": {**base, "usages": ["signing", "digital signature", "content commitment", "key encipherment",
                                              "key agreement", "data encipherment", "cert sign", "crl sign", "encipher only",
                                              "decipher only"]},
        "all purposes": {**base, "usages": ["any", "server auth", "client auth", "code signing", "email protection", "s/mime",
                                            "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
                                            "microsoft sgc", "netscape sgc"]},
        "order of purposes": {**base, "usages": ["client auth", "server auth", "client auth"]},
        "only purposes": {**base, "usages": ["server auth"]},
        "backdate": {**base, "backdate": "1m"},
        "backdate zero": {**base, "backdate": "0s"},
        "expiry of a century": {**base, "expiry": "876000h"},
        "expiry with parts": {**base, "expiry": "1h30m10s"},
        "fixed times": {**base, "not_before": "2026-01-01T00:00:00Z", "not_after": "2096-01-01T00:00:00Z"},
        "urls": {**base, "crl_url": "http://crl", "ocsp_url": "http://ocsp", "issuer_urls": ["http://a", "http://b"]},
        "ocsp no check": {**base, "ocsp_no_check": True},
        "policies": {**base, "policies": [{"ID": "1.2.3.4", "Qualifiers": [{"Type": "id-qt-cps", "Value": "http://cps"},
                                                                       {"Type": "id-qt-unotice", "Value": "text"}]}]},
        "policy without qualifier": {**base, "policies": [{"ID": "1.2.3.4"}]},
        "ca": {**base, "usages": ["cert sign"], "ca_constraint": {"is_ca": True}},
        "ca with length": {**base, "usages": ["cert sign"], "ca_constraint": {"is_ca": True, "max_path_len": 1}},
        "ca with length zero": {**base, "usages": ["cert sign"],
                                "ca_constraint": {"is_ca": True, "max_path_len": 0, "max_path_len_zero": True}},
        "no ca": {**base, "ca_constraint": {"is_ca": False}},
        "whitelist that matches": {**base, "name_whitelist": "^leaf"},
        "whitelist that does not": {**base, "name_whitelist": "^other$"},
        "request filter": {**base, "CSRWhitelist": {"Subject": True, "PublicKey": True, "PublicKeyAlgorithm": True, "DNSNames": True}},
        "unknown usage beside others": {**base, "usages": ["signing", "cleint auth"]},
        "only unknown usages": {**base, "usages": ["sining"]},
        "no usages": {"expiry": "1h"},
        "no expiry": {"usages": ["signing"]},
        "empty expiry": {**base, "expiry": ""},
        "expiry in years": {**base, "expiry": "10y"},
        "expiry as number": {**base, "expiry": 8760},
        "negative expiry": {**base, "expiry": "-1h"},
        "expiry too short": {**base, "expiry": "1m"},
        "usages as text": {**base, "usages": "signing"},
        "bad whitelist": {**base, "name_whitelist": "("},
        "missing auth key": {**base, "auth_key": "nobody"},
        "unknown key": {**base, "usage": ["x"]},
        "lint level": {**base, "lint_error_level": 3},
        "remote": {**base, "remote": "nobody"},
        "negative backdate": {**base, "backdate": "-1h"},
        "begins later": {**base, "not_before": "2095-01-01T00:00:00Z", "expiry": "1000h"},
        "ended before": {**base, "not_after": "2020-01-01T00:00:00Z"},
        "day in place of a time": {**base, "not_before": "2026-11-01"},
        "usages with underscores": {**base, "usages": ["signing", "server_auth"]},
        "usages twice": {**base, "usages": ["signing", "signing", "server auth", "server auth"]},
        "ca without cert sign": {**base, "ca_constraint": {"is_ca": True}},
        "ca for servers": {**base, "usages": ["cert sign", "server auth"], "ca_constraint": {"is_ca": True}},
        "cert sign without ca": {**base, "usages": ["cert sign"]},
        "is_ca outside": {**base, "is_ca": True},
        "whitelist in shell's words": {**base, "name_whitelist": "*.example.com"},
        "issuer url as text": {**base, "issuer_urls": "http://a"},
        "policy that is none": {**base, "policies": [{"ID": "x"}]},
        "qualifier that is none": {**base, "policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "cps", "Value": "x"}]}]},
        "request filter without key": {**base, "CSRWhitelist": {"Subject": True}},
    }
    cases = [Case(f"profile {name}", f"gencert {CA} -config own.json -profile own leaf.json", files={"own.json": config(PEER, own=body)})
             for name, body in bodies.items()]
    texts = {
        "no signing": "{}",
        "empty signing": '{"signing": {}}',
        "profiles outside": json.dumps({"signing": {"default": {"expiry": "1h"}}, "profiles": {"own": SERVER}}),
        "default without usages": config({"expiry": "1h"}),
        "default without expiry": config({"usages": ["signing"]}),
        "not json": "signing: {}",
        "empty file": "",
        "trailing comma": '{"signing": {},}',
        "request as configuration": LEAF,
        "list": "[]",
        "no default": config(own=PEER),
        "profiles as list": json.dumps({"signing": {"default": PEER, "profiles": [{"own": PEER}]}}),
        "profile of text": json.dumps({"signing": {"default": PEER, "profiles": {"own": "x"}}}),
        "profile of nothing": json.dumps({"signing": {"default": PEER, "profiles": {"own": None}}}),
        "profile twice": f'{{"signing": {{"default": {json.dumps(PEER)}, "profiles": {{"a": {json.dumps(SERVER)}, "a": {json.dumps(PEER)}}}}}}}',
        "default outside": json.dumps({"default": PEER}),
        "letter case": json.dumps({"Signing": {"Default": PEER, "Profiles": {"own": SERVER}}}),
        "auth key in odd digits": json.dumps({"signing": {"default": {**SERVER, "auth_key": "k"}},
                                              "auth_keys": {"k": {"type": "standard", "key": "abc"}}}),
        "auth key of another type": json.dumps({"signing": {"default": {**SERVER, "auth_key": "k"}},
                                                "auth_keys": {"k": {"type": "hmac", "key": "abcd"}}}),
        "auth key that nobody uses": json.dumps({"signing": {"default": SERVER}, "auth_keys": {"k": {"key": "abcd"}}}),
        "remote of another profile": json.dumps({"signing": {"default": SERVER, "profiles": {"a": {"remote": "r"}}},
                                                 "remotes": {"r": "127.0.0.1:1"}}),
        "auth keys": json.dumps({"signing": {"default": {**SERVER, "auth_key": "k"}},
                                 "auth_keys": {"k": {"type": "standard", "key": "0123456789abcdef0123456789abcdef"}}}),
    }
    return cases + [Case(f"config {name}", f"gencert {CA} -config own.json leaf.json", files={"own.json": text})
                    for name, text in texts.items()]


def signing():
    lines = {
        "plain": (f"sign {CA} leaf.csr", "made"),
        "csr flag": (f"sign {CA} -csr leaf.csr", ""),
        "csr flag and subject": (f"sign {CA} -csr leaf.csr subject.json", ""),
        "subject": (f"sign {CA} leaf.csr subject.json", ""),
        "hostname": (f"sign {CA} -hostname x.example.com,10.1.1.1 leaf.csr", ""),
        "profile": (f"sign {CA} -config config.json -profile server leaf.csr", ""),
        "rsa request": (f"sign {CA} rsa.csr", ""),
        "rsa ca": ("sign -ca rsa-ca.pem -ca-key rsa-ca-key.pem leaf.csr", ""),
        "rsa 3072 ca": ("sign -ca rsa3072-ca.pem -ca-key rsa3072-ca-key.pem leaf.csr", ""),
        "new label": (f"sign {CA} new.csr", ""),
        "attributes": (f"sign {CA} attributes.csr", ""),
        "extensions": (f"sign {CA} extensions.csr", ""),
        "asks for ca": (f"sign {CA} ca.csr", ""),
        "asks for ca and gets it": (f"sign {CA} -config config.json -profile intermediate ca.csr", ""),
        "uri": (f"sign {CA} uri.csr", ""),
        "weak key": (f"sign {CA} weak.csr", ""),
        "no argument": (f"sign {CA}", ""),
        "no ca": ("sign leaf.csr", ""),
        "no key": ("sign -ca ca.pem leaf.csr", ""),
        "certificate": (f"sign {CA} ca.pem", ""),
        "json": (f"sign {CA} leaf.json", ""),
        "missing": (f"sign {CA} nowhere.csr", ""),
        "damaged": (f"sign {CA} damaged.csr", ""),
        "other key": ("sign -ca ca.pem -ca-key rsa-ca-key.pem leaf.csr", ""),
        "whole subject stays": (f"sign {CA} whole.csr", ""),
        "subject with cn": (f"sign {CA} whole.csr cn.json", ""),
        "subject with unit": (f"sign {CA} whole.csr unit.json", ""),
        "subject with number": (f"sign {CA} whole.csr number.json", ""),
        "subject with nothing": (f"sign {CA} whole.csr nothing.json", ""),
        "flag behind": (f"sign {CA} leaf.csr -profile=server", ""),
        "three arguments": (f"sign {CA} leaf.csr subject.json more", ""),
        "base64": (f"sign {CA} base64.csr", ""),
        "windows lines": (f"sign {CA} crlf.csr", ""),
        "two requests": (f"sign {CA} two.csr", ""),
        "text before": (f"sign {CA} text.csr", ""),
        "empty file": (f"sign {CA} empty.pem", ""),
        "key": (f"sign {CA} leaf-key.pem", ""),
        "database": (f"sign {CA} -db-config nowhere.json leaf.csr", ""),
    }
    return [Case(f"sign {name}", words, bare=bare) for name, (words, bare) in lines.items()]


def others():
    lines = {
        "selfsign plain": "selfsign host.example.com leaf.json",
        "selfsign without hosts": "selfsign host.example.com ca.json",
        "selfsign one argument": "selfsign leaf.json",
        "certinfo ca": "certinfo -cert ca.pem",
        "certinfo leaf": "certinfo -cert leaf.pem",
        "certinfo many names": "certinfo -cert names.pem",
        "certinfo rsa": "certinfo -cert rsa-ca.pem",
        "certinfo nothing": "certinfo",
        "certinfo json": "certinfo -cert leaf.json",
        "certinfo key": "certinfo -cert ca-key.pem",
        "certinfo missing": "certinfo -cert nowhere.pem",
        "certinfo two": "certinfo -cert two.pem",
        "certinfo csr": "certinfo -csr leaf.csr",
        "certinfo windows lines": "certinfo -cert crlf.pem",
        "certinfo text before": "certinfo -cert text-before.pem",
        "certinfo text behind": "certinfo -cert text-behind.pem",
        "certinfo with key": "certinfo -cert with-key.pem",
        "certinfo indented": "certinfo -cert indented.pem",
        "certinfo empty": "certinfo -cert empty.pem",
        "certinfo der": "certinfo -cert leaf.der",
        "certinfo both": "certinfo -cert leaf.pem -csr leaf.csr",
        "certinfo argument": "certinfo leaf.pem",
        "certinfo request as certificate": "certinfo -cert leaf.csr",
        "certinfo certificate as request": "certinfo -csr leaf.pem",
        "certinfo serial": "certinfo -serial 1 -aki x",
        "selfsign hostname flag": "selfsign -hostname=host.example.com leaf.json",
        "selfsign default profile": "selfsign -config config.json host.example.com leaf.json",
        "selfsign profile": "selfsign -config config.json -profile server host.example.com leaf.json",
        "selfsign unknown profile": "selfsign -config config.json -profile nobody host.example.com leaf.json",
        "selfsign three arguments": "selfsign host.example.com leaf.json more",
        "selfsign missing file": "selfsign host.example.com nowhere.json",
        "bundle plain": "bundle -cert below.pem -ca-bundle ca.pem -int-bundle sub.pem",
        "bundle incomplete": "bundle -cert below.pem -ca-bundle ca.pem",
        "bundle self-signed": "bundle -cert ca.pem -ca-bundle ca.pem",
        "bundle nothing": "bundle",
        "bundle other key": "bundle -cert below.pem -ca-bundle ca.pem -int-bundle sub.pem -key ca-key.pem",
        "bundle key": "bundle -cert leaf.pem -key leaf-key.pem -ca-bundle ca.pem -flavor optimal",
        "bundle force": "bundle -cert leaf.pem -ca-bundle ca.pem -flavor force",
        "bundle unknown flavor": "bundle -cert leaf.pem -ca-bundle ca.pem -flavor best",
        "bundle missing roots": "bundle -cert leaf.pem -ca-bundle nowhere.pem",
        "bundle missing intermediates": "bundle -cert leaf.pem -ca-bundle ca.pem -int-bundle nowhere.pem",
        "bundle metadata": "bundle -cert leaf.pem -ca-bundle ca.pem -metadata nowhere.json",
        "bundle argument": "bundle leaf.pem",
        "bundle no pem": "bundle -cert leaf.json -ca-bundle ca.pem",
        "print-defaults list": "print-defaults list",
        "print-defaults config": "print-defaults config",
        "print-defaults csr": "print-defaults csr",
        "print-defaults other": "print-defaults other",
        "print-defaults nothing": "print-defaults",
        "gencrl plain": "gencrl serials ca.pem ca-key.pem",
        "gencrl few": "gencrl serials ca.pem",
        "gencrl missing": "gencrl nowhere ca.pem ca-key.pem",
        "gencrl empty": "gencrl empty.pem ca.pem ca-key.pem",
        "gencrl hexadecimal": "gencrl hexadecimal ca.pem ca-key.pem",
        "gencrl commas": "gencrl commas ca.pem ca-key.pem",
        "gencrl windows lines": "gencrl windows ca.pem ca-key.pem",
        "gencrl time": "gencrl serials ca.pem ca-key.pem 3600",
        "gencrl time in a file": "gencrl serials ca.pem ca-key.pem hour",
        "gencrl time in hours": "gencrl serials ca.pem ca-key.pem 720h",
        "gencrl missing ca": "gencrl serials nowhere.pem ca-key.pem",
        "gencrl of a leaf": "gencrl serials leaf.pem leaf-key.pem",
        "gencrl other key": "gencrl serials ca.pem rsa-ca-key.pem",
        "info config": "info -config config.json -ca ca.pem -ca-key ca-key.pem",
        "info profile": "info -config config.json -ca ca.pem -ca-key ca-key.pem -profile server",
        "info nothing": "info",
        "version plain": "version",
        "version argument": "version x",
        "print-defaults two": "print-defaults csr config",
        "command revoke": "revoke -serial 1",
        "command ocspdump": "ocspdump",
        "command ocspsign": "ocspsign -ca ca.pem",
        "command in capitals": "GENKEY leaf.json",
        "command missing": "",
        "command unknown": "genkay",
    }
    return [Case(name, words) for name, words in lines.items()]


def json_program():
    """cfssljson alone."""
    answer = json.dumps({"cert": "C\n", "key": "K\n", "csr": "R\n"})
    whole = json.dumps({"success": True, "errors": [], "messages": [],
                        "result": {"certificate": "C\n", "private_key": "K\n", "certificate_request": "R\n"}})
    failed = json.dumps({"success": False, "result": None, "errors": [{"code": 1, "message": "bad"}], "messages": []})
    lines = {
        "bare": ("-bare out", answer), "bare default name": ("-bare", answer), "bare other names": (
            "-bare out", json.dumps({"certificate": "C", "private_key": "K", "certificate_request": "R"})),
        "bare encrypted key": ("-bare out", json.dumps({"encrypted_key": "E"})), "bare nothing": ("-bare out", "{}"),
        "bare stdout": ("-bare -stdout out", answer), "answer": ("out", whole), "answer stdout": ("-stdout", whole),
        "answer failed": ("out", failed), "bare failed": ("-bare out", failed), "answer without envelope": ("out", answer),
        "no input": ("-bare out", ""), "not json": ("-bare out", "x"), "file": ("-bare -f answer.json out", None),
        "missing file": ("-bare -f nowhere.json out", None), "missing folder": ("-bare nowhere/out", answer),
        "unknown flag": ("-nonsense", answer), "list": ("-bare out", "[]"),
        "ocsp": ("-bare out", json.dumps({"ocspResponse": "AAE="})),
        "ocsp stdout": ("-bare -stdout", json.dumps({"ocspResponse": "AAE="})),
        "ocsp that is none": ("-bare out", json.dumps({"ocspResponse": "!"})),
        "dash behind the name": ("-bare out -", answer),
        "words behind the name": ("-bare out other words", answer),
        "flag behind the name": ("out -bare", answer),
        "equals sign": ("-bare=true -f=answer.json out", None),
        "bare bundle": ("-bare out", json.dumps({"bundle": "B\n", "root": "R\n", "crt": "C\n", "key": "K\n"})),
        "answer bundle": ("out", json.dumps({"success": True, "result": {"bundle": "B\n", "root": "R\n"}, "errors": [], "messages": []})),
        "answer of nothing": ("out", json.dumps({"success": True, "result": None, "errors": [], "messages": []})),
        "bare answer": ("-bare out", whole),
        "bare request": ("-bare out", LEAF),
        "bare number": ("-bare out", json.dumps({"cert": 1})),
        "bare null": ("-bare out", json.dumps({"cert": None, "key": "K"})),
        "bare letter case": ("-bare out", json.dumps({"Cert": "C"})),
        "bare trailing comma": ("-bare out", '{"cert": "C",}'),
        "bare second value": ("-bare out", answer + answer),
        "bare byte order mark": ("-bare out", "\ufeff" + answer),
        "answer with two errors": ("out", json.dumps({"success": False, "result": None, "messages": [],
                                                      "errors": [{"code": 1, "message": "a"}, {"code": 2, "message": "b"}]})),
        "success as text": ("out", json.dumps({"success": "yes", "result": {}})),
    }
    return [Case(f"cfssljson {name}", words, stdin=stdin, is_json=True, files={"answer.json": answer})
            for name, (words, stdin) in lines.items()]


def of_documents():
    return [Case(f"document {name}", words, stdin=stdin, bare=bare) for name, words, stdin, bare in documents.LINES]


def cases():
    return requests() + authorities() + leaves() + profiles() + signing() + others() + json_program() + of_documents()
