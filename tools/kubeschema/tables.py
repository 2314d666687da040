"""What no API server tells about its kinds, and why. tools/e2e/test_schema.py proves every line on a real one."""

# (apiVersion, kind) of everything that the operator renders, or reads and writes back.
KINDS = (
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("coordination.k8s.io/v1", "Lease"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("operator.tigera.io/v1", "TigeraStatus"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("v1", "ConfigMap"),
    ("v1", "Namespace"),
    ("v1", "ResourceQuota"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
)

# Kinds whose status we read or write; that of the others is nobody's business here.
WITH_STATUS = ("CertificateSigningRequest", "TigeraStatus")

# Free JSON to us: written by the API server alone.
FREE = (("ObjectMeta", "managedFields"),)

# What an update may not change (422). Of an immutable ConfigMap or Secret the data are that too, but only of those.
IMMUTABLE = {
    "CSIDriver": ("spec.volumeLifecycleModes",),
    "ClusterRoleBinding": ("roleRef",),
    "CustomResourceDefinition": ("spec.group", "spec.names.kind", "spec.names.plural", "spec.scope"),
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "RoleBinding": ("roleRef",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP",),
}

# What the server fills in inside of atomic values, where it would look like somebody's change, and does not state in its
# OpenAPI. (type, field) -> its default; `when`: only where the field beside it has one of these values.
_RBAC = "rbac.authorization.k8s.io"
DEFAULTS = {
    # A policy matches a request also in another version of its kind, and everywhere.
    ("MatchResources", "matchPolicy"): {"default": "Equivalent"},
    ("MatchResources", "namespaceSelector"): {"default": {}},
    ("MatchResources", "objectSelector"): {"default": {}},
    # Its rules match resources of a namespace and of the cluster.
    ("NamedRuleWithOperations", "scope"): {"default": "*"},
    # A port without a protocol is one of TCP.
    ("NetworkPolicyPort", "protocol"): {"default": "TCP"},
    # The version whose fields a fieldPath names.
    ("ObjectFieldSelector", "apiVersion"): {"default": "v1"},
    # A struct without pointer: 0 is always written, and means 1.
    ("ResourceFieldSelector", "divisor"): {"default": "0"},
    # There are roles in no other group.
    ("RoleRef", "apiGroup"): {"default": _RBAC},
    # One hour.
    ("ServiceAccountTokenProjection", "expirationSeconds"): {"default": 3600},
    # A policy that cannot be judged refuses. Not inside of an atomic value, but policies are compared whole.
    ("ValidatingAdmissionPolicySpec", "failurePolicy"): {"default": "Fail"},
    # A ServiceAccount is in the core group, whose name is empty.
    ("Subject", "apiGroup"): {"default": _RBAC, "when": {"kind": ["Group", "User"]}},
}
