"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: their arguments."""

import json

from localcluster import layout as layouts

ETCD, APISERVER, CONTROLLER_MANAGER, SCHEDULER = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)
COMPONENTS = (ETCD, APISERVER, CONTROLLER_MANAGER, SCHEDULER)
ETCD_PORT, ETCD_PEER_PORT = 2379, 2380
HEALTH_PORTS = {CONTROLLER_MANAGER: 10257, SCHEDULER: 10259}

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def _flags(pairs):
    return [f"--{name}={value}" for name, value in pairs.items()]


def etcd(layout, program):
    """The command line of etcd."""
    clients = f"https://{layout.address}:{ETCD_PORT}"
    peers = f"https://{layout.address}:{ETCD_PEER_PORT}"
    pki = layout.pki
    return [
        program,
        *_flags(
            {
                "name": layout.name,
                "data-dir": layout.folder / "etcd",
                "listen-client-urls": clients,
                "advertise-client-urls": clients,
                "listen-peer-urls": peers,
                "initial-advertise-peer-urls": peers,
                "initial-cluster": f"{layout.name}={peers}",
                "cert-file": pki / "etcd.crt",
                "key-file": pki / "etcd.key",
                "client-cert-auth": "true",
                "trusted-ca-file": pki / "etcd-ca.crt",
                "peer-cert-file": pki / "etcd.crt",
                "peer-key-file": pki / "etcd.key",
                "peer-client-cert-auth": "true",
                "peer-trusted-ca-file": pki / "etcd-ca.crt",
                "log-level": "warn",
            }
        ),
    ]


def apiserver(layout, program):
    """The command line of kube-apiserver; writes the audit policy that it names."""
    policy = layout.folder / "audit-policy.json"
    policy.write_text(json.dumps(_AUDIT_POLICY, indent=2) + "\n", encoding="ascii")
    pki = layout.pki
    return [
        program,
        *_flags(
            {
                "bind-address": layout.address,
                "advertise-address": layout.address,
                "secure-port": layouts.API_PORT,
                "etcd-servers": f"https://{layout.address}:{ETCD_PORT}",
                "etcd-cafile": pki / "etcd-ca.crt",
                "etcd-certfile": pki / "etcd-client.crt",
                "etcd-keyfile": pki / "etcd-client.key",
                "tls-cert-file": pki / "apiserver.crt",
                "tls-private-key-file": pki / "apiserver.key",
                "client-ca-file": pki / "ca.crt",
                "authorization-mode": "Node,RBAC",
                "enable-admission-plugins": "NodeRestriction",
                "allow-privileged": "true",
                "service-cluster-ip-range": layout.service_network,
                "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
                "service-account-key-file": pki / "service-account.pub",
                "service-account-signing-key-file": pki / "service-account.key",
                "kubelet-client-certificate": pki / "apiserver-kubelet-client.crt",
                "kubelet-client-key": pki / "apiserver-kubelet-client.key",
                "kubelet-certificate-authority": pki / "ca.crt",
                "kubelet-preferred-address-types": "InternalIP",
                "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
                "requestheader-allowed-names": "front-proxy-client",
                "requestheader-username-headers": "X-Remote-User",
                "requestheader-group-headers": "X-Remote-Group",
                "requestheader-extra-headers-prefix": "X-Remote-Extra-",
                "proxy-client-cert-file": pki / "front-proxy-client.crt",
                "proxy-client-key-file": pki / "front-proxy-client.key",
                # Without kube-proxy a Service's address leads nowhere: aggregated APIs are called at their pods'.
                "enable-aggregator-routing": "true",
                "audit-policy-file": policy,
                "audit-log-path": layout.audit_log,
                "audit-log-maxsize": 1000,
                "audit-log-maxbackup": 1,
            }
        ),
    ]


def _kubeconfigs(path):
    return {"kubeconfig": path, "authentication-kubeconfig": path, "authorization-kubeconfig": path}


def controller_manager(layout, program):
    """The command line of kube-controller-manager.

    It is alone, so it needs no lease, and without one it outlives a restart of the API server.
    """
    pki = layout.pki
    return [
        program,
        *_flags(
            {
                **_kubeconfigs(layout.folder / "controller-manager.kubeconfig"),
                "bind-address": layout.address,
                "secure-port": HEALTH_PORTS[CONTROLLER_MANAGER],
                "tls-cert-file": pki / "controller-manager.crt",
                "tls-private-key-file": pki / "controller-manager.key",
                "client-ca-file": pki / "ca.crt",
                "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
                "root-ca-file": pki / "ca.crt",
                "service-account-private-key-file": pki / "service-account.key",
                "cluster-signing-cert-file": pki / "ca.crt",
                "cluster-signing-key-file": pki / "ca.key",
                "use-service-account-credentials": "true",
                "cluster-name": layout.name,
                "leader-elect": "false",
                "allocate-node-cidrs": "true",
                "cluster-cidr": layout.pod_network,
                "node-cidr-mask-size": 24,
                "service-cluster-ip-range": layout.service_network,
                # It makes this folder; the default one is the machine's.
                "flex-volume-plugin-dir": layout.folder / "flexvolume",
            }
        ),
    ]


def scheduler(layout, program):
    """The command line of kube-scheduler."""
    pki = layout.pki
    return [
        program,
        *_flags(
            {
                **_kubeconfigs(layout.folder / "scheduler.kubeconfig"),
                "bind-address": layout.address,
                "secure-port": HEALTH_PORTS[SCHEDULER],
                "tls-cert-file": pki / "scheduler.crt",
                "tls-private-key-file": pki / "scheduler.key",
                "client-ca-file": pki / "ca.crt",
                "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
                "leader-elect": "false",
            }
        ),
    ]


COMMANDS = {
    ETCD: etcd,
    APISERVER: apiserver,
    CONTROLLER_MANAGER: controller_manager,
    SCHEDULER: scheduler,
}
