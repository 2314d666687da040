"""Objects for test_schema: every kind once, with every type that can be in an atomic value, and what to change in them."""

import copy

RESOURCES = {
    "APIService": "apiservices", "CSIDriver": "csidrivers",
    "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings", "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions", "DaemonSet": "daemonsets", "Deployment": "deployments",
    "Lease": "leases", "NetworkPolicy": "networkpolicies", "PodDisruptionBudget": "poddisruptionbudgets",
    "ResourceQuota": "resourcequotas",
    "Role": "roles", "RoleBinding": "rolebindings",
    "Secret": "secrets", "Service": "services", "ServiceAccount": "serviceaccounts", "TigeraStatus": "tigerastatuses",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"
_CLUSTER_WIDE = ("APIService", "CSIDriver", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "TigeraStatus",
                 "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")

# Types that are not tried: a server on which they are switched off drops them or refuses the object.
ABSENT = {"EvictionResponder"}
ABSENT_BEFORE = {37: {"ClusterTrustBundleProjection", "ContainerResizePolicy", "ContainerRestartRule",
                      "ContainerRestartRuleOnExitCodes", "FileKeySelector", "PodCertificateProjection", "SelectableField"}}


def _object(api_version, kind, name="witness", **fields):
    metadata = {"name": name} if kind in _CLUSTER_WIDE else {"name": name, "namespace": "default"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


_LABELS = {"app": "witness"}
_SELECTOR = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d"]}]}
_NODES = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}],
          "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
_POD_TERM = {"labelSelector": _SELECTOR, "namespaceSelector": _SELECTOR, "namespaces": ["n"], "topologyKey": "t"}
_POD_AFFINITY = {"requiredDuringSchedulingIgnoredDuringExecution": [_POD_TERM],
                 "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": _POD_TERM}]}
_FIELD, _RESOURCE = {"fieldPath": "metadata.labels"}, {"containerName": "c", "resource": "limits.cpu"}
_FILES = [{"path": "field", "fieldRef": _FIELD}, {"path": "resource", "resourceFieldRef": _RESOURCE, "mode": 0}]
_KEYS = [{"key": "k", "path": "p", "mode": 0}, {"key": "l", "path": "q"}]
_PROBE = {"httpGet": {"port": 80, "httpHeaders": [{"name": "a", "value": "b"}]}}

_CONTAINER = {
    "name": "c", "image": "i", "command": ["a"], "args": ["", "b"],
    "env": [{"name": "a", "value": "b"}, {"name": "node", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "cpu", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "map", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
            {"name": "secret", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}}],
    "envFrom": [{"prefix": "p", "configMapRef": {"name": "m"}}, {"secretRef": {"name": "s", "optional": False}}],
    "ports": [{"containerPort": 1}], "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
    "livenessProbe": _PROBE, "readinessProbe": {"grpc": {"port": 1}},
    "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}},
    "volumeMounts": [{"name": "empty", "mountPath": "/empty"}],
}
_POD = {
    "containers": [_CONTAINER],
    "imagePullSecrets": [{"name": "a"}], "nodeSelector": {"a": "b"}, "readinessGates": [{"conditionType": "a/b"}],
    "tolerations": [{"operator": "Exists"}, {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}],
    "affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_NODES]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": _NODES}]},
        "podAffinity": _POD_AFFINITY, "podAntiAffinity": _POD_AFFINITY},
    "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["a"], "options": [{"name": "a"}, {"name": "b", "value": ""}]},
    "hostAliases": [{"ip": "1.1.1.1", "hostnames": ["a"]}],
    "securityContext": {"supplementalGroups": [0], "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}]},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "t", "whenUnsatisfiable": "DoNotSchedule",
                                   "labelSelector": _SELECTOR}],
    "volumes": [
        {"name": "empty", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/p"}},
        {"name": "secret", "secret": {"secretName": "s", "items": _KEYS}},
        {"name": "map", "configMap": {"name": "m", "items": _KEYS}},
        {"name": "down", "downwardAPI": {"items": _FILES}},
        {"name": "csi", "csi": {"driver": "a.b", "nodePublishSecretRef": {"name": "s"}}},
        {"name": "disk", "azureDisk": {"diskName": "d", "diskURI": "https://a.blob.core.windows.net/c/d.vhd"}},
        {"name": "scsi", "iscsi": {"targetPortal": "1.1.1.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}},
        {"name": "ceph", "rbd": {"monitors": ["1.1.1.1:1"], "image": "i"}},
        {"name": "scale", "scaleIO": {"gateway": "g", "system": "s", "secretRef": {"name": "s"}, "volumeName": "v"}},
        {"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "selector": _SELECTOR, "resources": {"requests": {"storage": "1Gi"}},
            "dataSource": {"apiGroup": "a.b", "kind": "K", "name": "n"}}}}},
        {"name": "projected", "projected": {"sources": [
            {"secret": {"name": "s", "items": _KEYS}}, {"configMap": {"name": "m", "optional": False}},
            {"downwardAPI": {"items": _FILES}}, {"serviceAccountToken": {"path": "t", "audience": "a"}}]}},
    ],
}
# What came after 1.30, for the pod above.
_NEWER_CONTAINER = {
    "env": [{"name": "file", "valueFrom": {"fileKeyRef": {"volumeName": "empty", "path": "p", "key": "k"}}}],
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]}
_NEWER_TERM = {"matchLabelKeys": ["x"], "mismatchLabelKeys": ["y"]}
_NEWER_SOURCES = [{"clusterTrustBundle": {"path": "b", "signerName": "a.b/c", "labelSelector": _SELECTOR}},
                  {"podCertificate": {"signerName": "a.b/c", "keyType": "ED25519", "credentialBundlePath": "c"}}]
_TEMPLATE = {"selector": {"matchLabels": _LABELS}, "template": {"metadata": {"labels": _LABELS}, "spec": _POD}}
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, {"nonResourceURLs": ["/a"], "verbs": ["get"]}]
_MATCHES = {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["x"]}],
            "excludeResourceRules": [{"apiGroups": ["a"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"],
                                      "resourceNames": ["n"]}]}
_PROPERTIES = {
    "text": {"type": "string", "minLength": 1, "enum": ["a", "b"], "default": "a", "format": "x"},
    "list": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "maxItems": 3},
    "map": {"type": "object", "additionalProperties": {"type": "boolean"}, "externalDocs": {"url": "u", "description": "d"}},
    "any": {"anyOf": [{"minimum": 0}, {"maximum": 2.5}], "type": "number", "example": 1},
}
_VERSION = {
    "name": "v1", "served": True, "storage": True, "deprecated": True, "deprecationWarning": "w",
    "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".a"}],
    "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a"}},
    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {
        "type": "object", "properties": _PROPERTIES, "required": ["text"],
        "x-kubernetes-validations": [{"rule": "true", "message": "m"}]}}}},
}

OBJECTS = {obj["kind"]: obj for obj in (
    _object("apiregistration.k8s.io/v1", "APIService", "v1.example.com", spec={
        "group": "example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
        "service": {"name": "s", "namespace": "n"}}),
    _object("storage.k8s.io/v1", "CSIDriver", spec={
        "volumeLifecycleModes": ["Ephemeral"], "tokenRequests": [{"audience": "a", "expirationSeconds": 600}]}),
    _object("networking.k8s.io/v1", "NetworkPolicy", spec={
        "podSelector": _SELECTOR, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": 1, "endPort": 2}], "from": [
            {"podSelector": _SELECTOR, "namespaceSelector": _SELECTOR}]}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}]}),
    _object(_RBAC, "ClusterRole", aggregationRule={"clusterRoleSelectors": [_SELECTOR]}, rules=_RULES),
    _object(_RBAC, "ClusterRoleBinding", roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
            subjects=[{"kind": "User", "name": "u"}, {"kind": "Group", "name": "g"},
                      {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]),
    _object("v1", "ConfigMap", data={"a": ""}),
    _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "witnesses.example.com", spec={
        "group": "example.com", "scope": "Cluster", "names": {"kind": "Witness", "plural": "witnesses", "shortNames": ["w"],
                                                              "categories": ["all"]}, "versions": [_VERSION]}),
    _object("apps/v1", "DaemonSet", spec=_TEMPLATE),
    _object("apps/v1", "Deployment", spec=_TEMPLATE),
    _object("coordination.k8s.io/v1", "Lease", spec={"holderIdentity": "h"}),
    _object("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": 1, "selector": _SELECTOR}),
    _object("v1", "ResourceQuota", spec={"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [
        {"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}]}}),
    _object(_RBAC, "Role", rules=_RULES[:1]),
    _object(_RBAC, "RoleBinding", roleRef={"kind": "Role", "name": "r"},
            subjects=[{"kind": "ServiceAccount", "name": "s", "namespace": "n"}]),
    _object("v1", "Secret", data={"a": "Yg=="}),
    # Without an address of its own, which would be another one each time.
    _object("v1", "Service", spec={"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 1}]}),
    _object("v1", "ServiceAccount", imagePullSecrets=[{"name": "a"}], secrets=[{"name": "s"}]),
    _object("operator.tigera.io/v1", "TigeraStatus"),
    _object(_ADMISSION, "ValidatingAdmissionPolicy", spec={
        "matchConstraints": _MATCHES, "matchConditions": [{"name": "m", "expression": "true"}],
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "variables": [{"name": "v", "expression": "1"}],
        "validations": [{"expression": "true", "message": "m"}, {"expression": "false"}],
        "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}]}),
    _object(_ADMISSION, "ValidatingAdmissionPolicyBinding", spec={
        "policyName": "p", "validationActions": ["Deny"], "matchResources": _MATCHES,
        "paramRef": {"selector": _SELECTOR, "parameterNotFoundAction": "Deny"}}),
)}
OBJECTS["ConfigMap"]["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}]



def objects(minor):
    """The objects for a server of this minor version."""
    found = copy.deepcopy(OBJECTS)
    if minor >= 37:
        spec = found["DaemonSet"]["spec"]["template"]["spec"]
        spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0].update(_NEWER_TERM)
        spec["initContainers"] = [{"name": "newer", "image": "i", **_NEWER_CONTAINER}]
        spec["volumes"][-1]["projected"]["sources"] += _NEWER_SOURCES
        found["CustomResourceDefinition"]["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": ".spec.text"}]
    return found


# (type, field) of tables.DEFAULTS -> kind, path in the object above, what stands beside it.
_VOLUMES = "spec.template.spec.volumes"
DEFAULTS = {
    ("MatchResources", "matchPolicy"): ("ValidatingAdmissionPolicy", "spec.matchConstraints.matchPolicy", None),
    ("MatchResources", "namespaceSelector"): ("ValidatingAdmissionPolicy", "spec.matchConstraints.namespaceSelector", None),
    ("MatchResources", "objectSelector"): ("ValidatingAdmissionPolicyBinding", "spec.matchResources.objectSelector", None),
    ("NamedRuleWithOperations", "scope"): (
        "ValidatingAdmissionPolicy", "spec.matchConstraints.excludeResourceRules[0].scope", None),
    ("NetworkPolicyPort", "protocol"): ("NetworkPolicy", "spec.ingress[0].ports[0].protocol", None),
    ("ObjectFieldSelector", "apiVersion"): (
        "DaemonSet", f"{_VOLUMES}[11].projected.sources[2].downwardAPI.items[0].fieldRef.apiVersion", None),
    ("ResourceFieldSelector", "divisor"): (
        "DaemonSet", "spec.template.spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor", None),
    ("RoleRef", "apiGroup"): ("ClusterRoleBinding", "roleRef.apiGroup", None),
    ("ServiceAccountTokenProjection", "expirationSeconds"): (
        "DaemonSet", f"{_VOLUMES}[11].projected.sources[3].serviceAccountToken.expirationSeconds", None),
    ("ValidatingAdmissionPolicySpec", "failurePolicy"): ("ValidatingAdmissionPolicy", "spec.failurePolicy", None),
    ("Subject", "apiGroup"): ("ClusterRoleBinding", "subjects[2].apiGroup", (
        {"kind": "User", "namespace": ""}, {"kind": "Group", "namespace": ""}, {"kind": "ServiceAccount"})),
}

# (kind, path) of tables.IMMUTABLE -> another value.
CHANGES = {
    ("CSIDriver", "spec.volumeLifecycleModes"): ["Persistent"],
    ("ClusterRoleBinding", "roleRef"): {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "other"},
    ("CustomResourceDefinition", "spec.group"): "example.org",
    ("CustomResourceDefinition", "spec.names.kind"): "Other",
    ("CustomResourceDefinition", "spec.names.plural"): "others",
    ("CustomResourceDefinition", "spec.scope"): "Namespaced",
    ("DaemonSet", "spec.selector"): {"matchLabels": {}},
    ("Deployment", "spec.selector"): {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    ("RoleBinding", "roleRef"): {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
    ("Secret", "type"): "example.com/other",
    ("Service", "spec.clusterIP"): "198.18.0.250",
}

# Fields with a zero value, of which the file says whether it counts.
_SPEC = "spec.template.spec"
_C = f"{_SPEC}.containers[0]"
_CRD = "spec.versions[0]"
_ROOT = f"{_CRD}.schema.openAPIV3Schema.properties.spec.properties"
ZEROS = (
    *(("DaemonSet", f"{_SPEC}.{name}", False) for name in (
        "automountServiceAccountToken", "enableServiceLinks", "hostIPC", "hostNetwork", "hostPID", "setHostnameAsFQDN",
        "shareProcessNamespace", "securityContext.runAsNonRoot", "volumes[2].secret.optional")),
    *(("DaemonSet", f"{_SPEC}.{name}", 0) for name in (
        "priority", "securityContext.fsGroup", "securityContext.runAsUser", "terminationGracePeriodSeconds",
        "tolerations[1].tolerationSeconds", "volumes[3].configMap.defaultMode",
        "volumes[2].secret.defaultMode", "volumes[2].secret.items[1].mode")),
    *(("DaemonSet", f"{_SPEC}.{name}", "") for name in (
        "dnsPolicy", "hostname", "priorityClassName", "restartPolicy", "schedulerName", "serviceAccountName",
        "tolerations[1].value", "volumes[0].emptyDir.medium", "volumes[1].hostPath.type")),
    *(("DaemonSet", f"{_SPEC}.{name}", {}) for name in ("affinity", "dnsConfig", "securityContext", "volumes[0].emptyDir")),
    ("DaemonSet", f"{_SPEC}.volumes[0].emptyDir.sizeLimit", "0"),
    *(("DaemonSet", f"{_C}.{name}", False) for name in (
        "securityContext.allowPrivilegeEscalation", "securityContext.privileged", "securityContext.readOnlyRootFilesystem",
        "securityContext.runAsNonRoot", "stdin", "stdinOnce", "tty", "volumeMounts[0].readOnly",
        "env[4].valueFrom.secretKeyRef.optional")),
    *(("DaemonSet", f"{_C}.{name}", 0) for name in (
        "securityContext.runAsGroup", "securityContext.runAsUser", "ports[0].hostPort", "livenessProbe.failureThreshold",
        "livenessProbe.initialDelaySeconds", "livenessProbe.periodSeconds", "livenessProbe.timeoutSeconds")),
    *(("DaemonSet", f"{_C}.{name}", "") for name in (
        "env[0].value", "imagePullPolicy", "livenessProbe.httpGet.host", "livenessProbe.httpGet.scheme", "ports[0].name",
        "terminationMessagePath", "workingDir", "volumeMounts[0].subPath")),
    *(("DaemonSet", f"{_C}.{name}", {}) for name in ("lifecycle", "resources", "securityContext", "securityContext.capabilities")),
    ("DaemonSet", "spec.minReadySeconds", 0), ("DaemonSet", "spec.revisionHistoryLimit", 0),
    ("DaemonSet", "spec.updateStrategy", {}),
    ("DaemonSet", "spec.updateStrategy.rollingUpdate.maxSurge", 0),
    ("DaemonSet", "spec.template.metadata.annotations", {}),
    ("Deployment", "spec.paused", False), ("Deployment", "spec.replicas", 0), ("Deployment", "spec.strategy", {}),
    ("ClusterRole", "rules", []), ("Role", "rules[0].resourceNames", []), ("DaemonSet", f"{_SPEC}.imagePullSecrets", []),
    ("DaemonSet", f"{_SPEC}.nodeSelector", {}),
    ("ConfigMap", "immutable", False), ("ConfigMap", "data", {}), ("ConfigMap", "metadata.generateName", ""),
    ("ConfigMap", "metadata.ownerReferences[0].controller", False),
    ("ConfigMap", "metadata.ownerReferences[0].blockOwnerDeletion", False),
    ("Secret", "immutable", False), ("Secret", "type", ""),
    ("ServiceAccount", "automountServiceAccountToken", False),
    ("Service", "spec.publishNotReadyAddresses", False), ("Service", "spec.sessionAffinity", ""),
    ("Service", "spec.ports[0].name", ""), ("Service", "spec.ports[0].nodePort", 0), ("Service", "spec.ports[0].targetPort", 0),
    ("Service", "spec.ports[0].protocol", ""), ("Service", "spec.type", ""),
    ("PodDisruptionBudget", "spec.maxUnavailable", 0), ("PodDisruptionBudget", "spec.selector", {}),
    ("Lease", "spec.holderIdentity", ""), ("Lease", "spec.leaseTransitions", 0),
    ("ValidatingAdmissionPolicy", "spec.matchConstraints.objectSelector", {}),
    ("ValidatingAdmissionPolicy", "spec.validations[0].message", ""),
    ("ValidatingAdmissionPolicy", "spec.validations[0].messageExpression", ""),
    ("CustomResourceDefinition", "spec.preserveUnknownFields", False),
    ("CustomResourceDefinition", f"{_CRD}.additionalPrinterColumns[0].priority", 0),
    ("CustomResourceDefinition", f"{_CRD}.subresources", {}), ("CustomResourceDefinition", f"{_CRD}.subresources.status", {}),
    ("CustomResourceDefinition", f"{_ROOT}.list.minItems", 0), ("CustomResourceDefinition", f"{_ROOT}.text.nullable", False),
    ("CustomResourceDefinition", f"{_ROOT}.any.exclusiveMinimum", False),
    ("CustomResourceDefinition", f"{_ROOT}.map.additionalProperties", False),
    ("CustomResourceDefinition", f"{_ROOT}.list.x-kubernetes-int-or-string", False),
    ("TigeraStatus", "spec", {}),
)
