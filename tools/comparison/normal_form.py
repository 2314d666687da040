"""The one normal form in which two operators' objects are compared.

An object becomes a dictionary `path -> text`. Left out or made equal is what says nothing about what an operator asks for:

- `status`, and of the metadata what the API server writes (uid, resourceVersion, generation, creationTimestamp,
  managedFields, uid of owners, counters in annotations, the name label and the finalizer of namespaces);
- what the API server fills in where nothing is said (DEFAULTS), and addresses that it gives to Services;
- order where it has no meaning: lists whose elements have a key (KEYS), sets (SETS), rules of roles, which become single
  grants. Init containers run in their order, so that it is compared;
- the form of text: JSON in a ConfigMap is compared as JSON, quantities by their value;
- certificates: by what they are (names, issuer, usages, key, validity in days), keys by being there; the public roots of a
  bundle (SYSTEM_ROOTS) by being there;
- hashes in annotations: by being there where they are over what an operator has generated or has from its machine, to the
  letter where they are over what it was given, because another hash restarts pods;
- the tag of a release branch is that release.
"""

import base64
import json
import re

# List -> the fields that name its elements.
KEYS = {
    "containers": ("name",), "initContainers": ("name",), "env": ("name",), "volumes": ("name",),
    "imagePullSecrets": ("name",), "secrets": ("name",), "volumeMounts": ("mountPath",),
    "ports": ("port", "containerPort", "protocol"), "ownerReferences": ("kind", "name"), "conditions": ("type",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"), "webhooks": ("name",), "hostAliases": ("ip",),
    "matchConditions": ("name",), "ipPools": ("cidr",),
}
# Lists whose order says nothing.
SETS = {"tolerations", "subjects", "finalizers", "add", "drop", "policyTypes", "matchExpressions", "verbs", "volumeLifecycleModes",
        "allowedUses", "accessModes", "values", "cidrs", "ingress", "egress", "from", "to", "types"}
TAG = re.compile(r"\brelease-(v\d+\.\d+)(?![\w.])")
PATCH = {"v3.33": "v3.33.1"}
HASH = re.compile(r"(^|\.)hash\.operator\.tigera\.io/")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
LABELLED_PEM = re.compile(r"(?:^# certificate name: ([^\n]*)\n)?\s*(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----)",
                          re.DOTALL | re.MULTILINE)
PORT = re.compile(r"\.ports\[(\d+)[^]]*\]\.(hostPort|targetPort)$")
SYSTEM_ROOTS = "data.ca-bundle.crt"
PRESENT = "present"
POD = r"spec\.template\.spec\."
CONTAINER = POD + r"(?:initContainers|containers)\[[^]]*\]\."
PROBE = CONTAINER + r"(?:liveness|readiness|startup)Probe\."
# Path -> what the API server has there when nothing is said. `None`: whatever it is.
DEFAULTS = [(re.compile(pattern + "$"), value) for pattern, value in (
    (POD + r"restartPolicy", "Always"),
    (POD + r"schedulerName", "default-scheduler"),
    (POD + r"securityContext", "{}"),
    (POD + r"terminationGracePeriodSeconds", "30"),
    (POD + r"dnsPolicy", "ClusterFirst"),
    (POD + r"serviceAccount", None),
    (CONTAINER + r"terminationMessagePath", "/dev/termination-log"),
    (CONTAINER + r"terminationMessagePolicy", "File"),
    (CONTAINER + r"imagePullPolicy", "IfNotPresent"),
    (CONTAINER + r"resources", "{}"),
    (CONTAINER + r"volumeMounts\[[^]]*\]\.readOnly", "false"),
    (CONTAINER + r"env\[[^]]*\]\.valueFrom\.fieldRef\.apiVersion", "v1"),
    (CONTAINER + r"ports\[[^]]*\]\.protocol", "TCP"),
    (PROBE + r"timeoutSeconds", "1"),
    (PROBE + r"periodSeconds", "10"),
    (PROBE + r"successThreshold", "1"),
    (PROBE + r"failureThreshold", "3"),
    (PROBE + r"initialDelaySeconds", "0"),
    (PROBE + r"httpGet\.scheme", "HTTP"),
    (POD + r"volumes\[[^]]*\]\.hostPath\.type", ""),
    (POD + r"volumes\[[^]]*\]\.(?:secret|configMap|projected)\.defaultMode", "420"),
    (r"spec\.revisionHistoryLimit", "10"),
    (r"spec\.progressDeadlineSeconds", "600"),
    (r"spec\.replicas", "1"),
    (r"spec\.updateStrategy\.type", "RollingUpdate"),
    (r"spec\.updateStrategy\.rollingUpdate\.maxSurge", "0"),
    (r"spec\.updateStrategy\.rollingUpdate\.maxUnavailable", "1"),
    (r"spec\.strategy\.type", "RollingUpdate"),
    (r"spec\.strategy\.rollingUpdate\.max(?:Surge|Unavailable)", "25%"),
    (r"spec\.clusterIPs?(?:\[\d+\])?", None),
    (r"spec\.ipFamilies(?:\[\d+\])?", None),
    (r"spec\.ipFamilyPolicy", "SingleStack"),
    (r"spec\.type", "ClusterIP"),
    (r"spec\.sessionAffinity", "None"),
    (r"spec\.internalTrafficPolicy", "Cluster"),
    (r"spec\.ports\[[^]]*\]\.protocol", "TCP"),
    (r"spec\.(?:storageCapacity|requiresRepublish|seLinuxMount|preventPodSchedulingIfMissing)", "false"),
    (r"spec\.nftablesFlowTableOffload", "Disabled"),
    (r"spec\.attachRequired", "true"),
    (r"spec\.fsGroupPolicy", "ReadWriteOnceWithFSType"),
    (r"metadata\.annotations\.deprecated\.daemonset\.template\.generation", None),
    (r"metadata\.annotations\.deployment\.kubernetes\.io/revision", None),
    (r"metadata\.annotations\.kubectl\.kubernetes\.io/last-applied-configuration", None),
    (r"metadata\.labels\.kubernetes\.io/metadata\.name", None),
    (r"spec\.finalizers\[kubernetes\]", None),
    (r"type", "Opaque"),
)]
# Fields that are nothing when they are empty, unlike `emptyDir: {}` or a selector that takes all.
EMPTY_MEANS = ("emptyDir", "podSelector", "namespaceSelector", "selector", "objectSelector", "firstFound")
SERVER_METADATA = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
            "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def identity(thing):
    """"Kind/name" or "Kind/namespace/name"."""
    metadata = thing.get("metadata", {})
    return "/".join(part for part in (thing.get("kind", ""), metadata.get("namespace", ""), metadata.get("name", "")) if part)


def certificate_text(facts):
    """One line for what a certificate is."""
    issuer = re.sub(r"@\d+", "", facts.get("issuer", ""))
    subject = re.sub(r"@\d+", "", facts.get("subject", ""))
    return (f"certificate {subject} of {issuer} for {','.join(facts.get('names', []))} key {facts.get('key')} usages "
            f"{facts.get('keyUsages')} {','.join(sorted(set(facts.get('extendedKeyUsages', []))))} CA {facts.get('isCA')} days {facts.get('days')}")


class NormalForm:
    """Objects to `path -> text`. `certificates`: PEM block -> facts, as read_objects prints them. `given`: a function that
    tells whether what a name in a hash annotation stands for was given to the operator."""

    def __init__(self, certificates, given=lambda name: False):
        self.certificates = certificates
        self.given = given

    def of(self, thing):
        flat = {}
        for key, value in thing.items():
            if key in ("status", "kind"):
                continue
            if key == "metadata":
                value = {name: field for name, field in value.items() if name not in (*SERVER_METADATA, "name", "namespace")}
            if key == "rules" and "Role" in thing.get("kind", ""):
                flat.update(grants(value))
            elif key == "data" and thing.get("kind") == "Secret":
                self._secret(value, flat)
            else:
                self._flatten(value, key, flat)
        return without_defaults(flat)

    def _secret(self, data, flat):
        for key, value in (data or {}).items():
            text = decoded(value)
            if "REDACTED" in (value, text) or "PRIVATE KEY" in (text or ""):
                flat[f"data.{key}"] = "private key"
            elif text is None:
                flat[f"data.{key}"] = value
            else:
                self._text(text, f"data.{key}", flat)

    def _flatten(self, value, path, flat):
        last = path.rsplit(".", 1)[-1].split("[")[0]
        if value is None:
            return
        if isinstance(value, dict):
            if not value:
                if last in EMPTY_MEANS:
                    flat[path] = "{}"
                return
            for key, member in value.items():
                if path.startswith("metadata.ownerReferences[") and key == "uid":
                    continue
                self._flatten(member, f"{path}.{key}", flat)
        elif isinstance(value, list):
            self._list(value, path, last, flat)
        elif isinstance(value, bool):
            flat[path] = "true" if value else "false"
        elif isinstance(value, str):
            self._text(value, path, flat)
        else:
            flat[path] = str(value)

    def _list(self, value, path, last, flat):
        keys = KEYS.get(last)
        if keys and all(isinstance(element, dict) for element in value):
            seen = {}
            names = []
            for element in value:
                name = "/".join(str(element[key]) for key in keys if element.get(key, "TCP") != "TCP")
                seen[name] = seen.get(name, 0) + 1
                names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
                place = f"{path}[{names[-1]}]"
                if last == "env" and "valueFrom" not in element:
                    element = {"value": "", **element}
                self._flatten({key: field for key, field in element.items() if key not in keys}, place, flat)
                flat[place] = PRESENT
            if last == "initContainers":
                flat[f"{path}.order"] = " ".join(names)
        elif last in SETS:
            for element in value:
                text = element if isinstance(element, str) else json.dumps(element, sort_keys=True, separators=(",", ":"))
                flat[f"{path}[{text}]"] = PRESENT
        else:
            for index, element in enumerate(value):
                self._flatten(element, f"{path}[{index}]", flat)

    def _text(self, text, path, flat):
        key = path.rsplit("annotations.", 1)[-1] if ".annotations." in path else ""
        if path == SYSTEM_ROOTS:
            flat[path] = PRESENT
        elif key and HASH.search(key):
            flat[path] = f"hash {text}" if self.given(key.rsplit("/", 1)[-1]) else "hash" if text else ""
        elif key == "certificates.operator.tigera.io/expiry":
            flat[path] = "time"
        elif text.startswith("LS0tLS1CRUdJTi"):
            self._text(decoded(text) or text, path, flat) if decoded(text) else flat.update({path: text})
        elif "-----BEGIN CERTIFICATE-----" in text:
            self._bundle(text, path, flat)
        elif path.startswith("data.") and text.lstrip().startswith("{"):
            try:
                self._flatten(json.loads(text), path, flat)
            except ValueError:
                flat[path] = text
        elif re.search(r"\.(?:limits|requests)\.[^.]+$", path):
            flat[path] = quantity(text)
        else:
            flat[path] = released(text)

    def _bundle(self, text, path, flat):
        blocks = LABELLED_PEM.findall(text)
        seen = set()
        for label, block in blocks:
            what = certificate_text(self.certificates.get(block, {}))
            if (label, what) not in seen:
                seen.add((label, what))
                flat[f"{path}[{label or len(seen)}]"] = what


def released(text):
    """With the release in place of its branch."""
    return TAG.sub(lambda found: PATCH.get(found.group(1), found.group(0)), text)


def grants(rules):
    """Rules of a role as single grants."""
    flat = {}
    for rule in rules or []:
        targets = [f"{group or 'core'}/{resource}" for group in rule.get("apiGroups", []) for resource in rule.get("resources", [])]
        targets += rule.get("nonResourceURLs", [])
        for target in targets:
            for name in rule.get("resourceNames") or ["*"]:
                for verb in rule.get("verbs", []):
                    flat[f"rules[{target}{'' if name == '*' else ':' + name} {verb}]"] = PRESENT
    return flat


def without_defaults(flat):
    host_network = flat.get("spec.template.spec.hostNetwork") == "true"
    result = {}
    for path, value in flat.items():
        if any(pattern.match(path) and default in (None, value) for pattern, default in DEFAULTS):
            continue
        port = PORT.search(path)
        if port and port.group(1) == value and (host_network or port.group(2) == "targetPort"):
            continue
        result[path] = value
    return result


def decoded(text):
    """The text behind base64, or None."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (ValueError, UnicodeDecodeError):
        return None


def quantity(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(\w*)", text)
    if not found or found.group(2) not in SUFFIXES:
        return text
    return f"{float(found.group(1)) * SUFFIXES[found.group(2)]:g}"
