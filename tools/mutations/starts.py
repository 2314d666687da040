"""The good Installations that the generator starts from: the recorded ones, and some that say as much as can be said."""

import dataclasses
import pathlib

from comparison import cases

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "testdata/reference"
DEFINITION = ROOT / "crds/operator.tigera.io_installations.yaml"
ALL = ("v3.33", "v3.32", "v3.27")
NEWER = ALL[:2]
NEWEST = ALL[:1]


@dataclasses.dataclass(frozen=True)
class Start:
    name: str
    spec: dict
    releases: tuple = ALL
    world: tuple = ()  # further objects that it needs


def _labels(*names):
    return {name: "net" for name in names}


def _resources(cpu):
    return {"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1G"}}


def _node_terms(operator, *values):
    expression = {"key": "example.com/pool", "operator": operator, **({"values": list(values)} if values else {})}
    return {"nodeSelectorTerms": [{"matchExpressions": [expression]},
                                  {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["node-7"]}]}]}


def _affinity():
    pods = {"labelSelector": {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "y"]}]},
            "namespaces": ["default"], "topologyKey": "kubernetes.io/hostname"}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _node_terms("In", "a", "b"),
                             "preferredDuringSchedulingIgnoredDuringExecution": [
                                 {"weight": 10, "preference": {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["7"]}]}}]},
            "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": pods}]},
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [pods]}}


def _tolerations():
    return [{"operator": "Exists", "effect": "NoSchedule"}, {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute",
                                                            "tolerationSeconds": 60}]


def _override(containers, init_containers=(), **pod):
    template = {"metadata": {"labels": _labels("pod-team"), "annotations": _labels("example.com/b")},
                "spec": {"containers": containers, "nodeSelector": {"example.com/zone": "z1"}, "tolerations": _tolerations(),
                         "affinity": _affinity(), **pod}}
    if init_containers:
        template["spec"]["initContainers"] = list(init_containers)
    return {"metadata": {"labels": _labels("team"), "annotations": _labels("example.com/a")},
            "spec": {"minReadySeconds": 5, "template": template}}


def _probes(name, cpu="100m"):
    times = {"periodSeconds": 20, "timeoutSeconds": 9, "failureThreshold": 5, "initialDelaySeconds": 3}
    return {"name": name, "resources": _resources(cpu), "readinessProbe": times, "livenessProbe": times}


def overrides():
    """Overrides of every workload."""
    typha = _override([_probes("calico-typha")], terminationGracePeriodSeconds=30, topologySpreadConstraints=[
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2,
         "labelSelector": {"matchLabels": {"k8s-app": "calico-typha"}}, "nodeAffinityPolicy": "Honor"}])
    typha["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}
    node = _override([_probes("calico-node")], [{"name": "install-cni", "resources": _resources("10m")},
                                                {"name": "flexvol-driver", "resources": _resources("10m")}],
                     dnsPolicy="None", dnsConfig={"nameservers": ["10.96.0.10"], "searches": ["svc.cluster.local"],
                                                  "options": [{"name": "ndots", "value": "2"}]})
    return {"calicoNodeDaemonSet": node, "typhaDeployment": typha,
            "calicoKubeControllersDeployment": _override([_probes("calico-kube-controllers")]),
            "componentResources": [{"componentName": "Typha", "resourceRequirements": _resources("200m")}],
            "typhaAffinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _node_terms("Exists")}},
            "typhaPodDisruptionBudget": {"metadata": {"labels": _labels("team")}, "spec": {"maxUnavailable": "50%"}}}


def network():
    return {"calicoNetwork": {
        "bgp": "Enabled", "mtu": 1450, "hostPorts": "Disabled", "multiInterfaceMode": "Multus", "containerIPForwarding": "Enabled",
        "linuxDataplane": "Iptables", "linuxPolicySetupTimeoutSeconds": 10,
        "sysctl": [{"key": "net.ipv4.tcp_keepalive_time", "value": "40"}, {"key": "net.ipv4.tcp_keepalive_intvl", "value": "15"}],
        "ipPools": [{"name": "first", "cidr": "10.48.0.0/16", "encapsulation": "IPIPCrossSubnet", "natOutgoing": "Enabled",
                     "nodeSelector": "all()", "blockSize": 26, "disableBGPExport": False},
                    {"name": "second", "cidr": "fd00:10:48::/64", "encapsulation": "None", "natOutgoing": "Disabled",
                     "nodeSelector": "has(zone)", "blockSize": 122}],
        "nodeAddressAutodetectionV4": {"cidrs": ["10.0.0.0/8", "192.168.0.0/16"]},
        "nodeAddressAutodetectionV6": {"interface": "eth.*"}},
        "cni": {"type": "Calico", "ipam": {"type": "Calico"}, "binDir": "/opt/cni/bin", "confDir": "/etc/cni/net.d"},
        "logging": {"cni": {"logSeverity": "Debug", "logFileMaxSize": "50Mi", "logFileMaxAgeDays": 3, "logFileMaxCount": 4}},
        "nodeUpdateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "20%"}},
        "serviceCIDRs": ["10.96.0.0/12", "fd00:96::/112"]}


def hosts():
    return {"registry": "registry.example.com:5000/mirror", "imagePath": "calico", "imagePrefix": "pfx-", "variant": "Calico",
            "flexVolumePath": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/", "kubeletVolumePluginPath": "/var/lib/kubelet",
            "nodeMetricsPort": 9091, "typhaMetricsPort": 9093, "controlPlaneReplicas": 3,
            "controlPlaneNodeSelector": {"node-role.kubernetes.io/control-plane": ""}, "controlPlaneTolerations": _tolerations(),
            "proxy": {"httpProxy": "http://proxy.example.com:3128", "httpsProxy": "http://proxy.example.com:3128", "noProxy": ".svc"},
            "tlsCipherSuites": [{"name": "TLS_AES_128_GCM_SHA256"}, {"name": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}],
            "imagePullSecrets": [], "nonPrivileged": "Disabled"}


def newest():
    """What only the newest release has."""
    return {"imagePullPolicy": "Always", "networkPolicy": {"managePolicies": "Disabled"}, "calicoRunHostPath": "/var/run/calico",
            "calicoLibHostPath": "/var/lib/calico", "cni": {"type": "Calico", "ipam": {"type": "HostLocal"}, "installMode": "CalicoOnly",
                                                            "specVersion": "0.4.0"},
            "calicoNetwork": {"linuxPodInterfaceType": "Veth", "clusterRoutingMode": "FelixIPIPOnly", "linuxDataplane": "Nftables",
                              "ipPools": [{"cidr": "10.49.0.0/16", "encapsulation": "IPIP"}]}}


def _provider(provider, plug_in, ipam, **network_fields):
    return {"kubernetesProvider": provider, "cni": {"type": plug_in, "ipam": {"type": ipam}}, "calicoNetwork": {"bgp": "Disabled", **network_fields}}


def written(management):
    pool = {"cidr": "10.50.0.0/16", "encapsulation": "VXLAN", "natOutgoing": "Enabled", "nodeSelector": "all()"}
    bpf = {"calicoNetwork": {"linuxDataplane": "BPF", "bpfNetworkBootstrap": "Disabled", "kubeProxyManagement": "Disabled", "ipPools": [pool]}}
    balanced = {"name": "lb", "cidr": "10.51.0.0/24", "encapsulation": "None", "allowedUses": ["LoadBalancer"], "assignmentMode": "Manual"}
    for name, spec, releases in (
            ("overrides", overrides(), ALL), ("network", network(), ALL), ("hosts", hosts(), ALL), ("newest", newest(), NEWEST),
            ("everything", {**overrides(), **network(), **hosts()}, ALL),
            ("eks", _provider("EKS", "AmazonVPC", "AmazonVPC"), ALL), ("gke", _provider("GKE", "GKE", "HostLocal"), ALL),
            ("aks", {**_provider("AKS", "AzureVNET", "AzureVNET"), "azure": {"policyMode": "Default"}}, ALL),
            ("openshift", _provider("OpenShift", "Calico", "Calico", ipPools=[pool]), ALL), ("bpf", bpf, NEWER),
            ("balancers", {"calicoNetwork": {"ipPools": [pool, balanced]}}, NEWER)):
        yield Start(name, {"certificateManagement": management, **spec}, releases)


def _recorded(reader):
    """The cases of testdata/reference, each spec once."""
    found = cases.find([REFERENCE])
    files, _ = cases.read(reader, [file for case in found for file in (case.folder / cases.INPUT, case.folder / cases.WORLD) if file.is_file()])
    for case in found:
        documents = [one for name in (cases.INPUT, cases.WORLD) for one in files.get(str(case.folder / name), [])]
        installation = next(one for one in documents if one["kind"] == "Installation")
        # Keys of Secrets are not recorded: certificates without them are another matter.
        world = tuple(one for one in documents if one["kind"] in ("APIServer", "Goldmane", "Whisker", "ImageSet", "ConfigMap")
                      or one.get("type") == "kubernetes.io/dockerconfigjson")
        yield Start(case.name(), installation.get("spec") or {}, (case.release,), world)


def load(reader):
    """Every start; `reader` is the program read_objects."""
    recorded = list(_recorded(reader))
    management = next(start.spec["certificateManagement"] for start in recorded if "certificateManagement" in start.spec)
    return [*recorded, *written({"caCert": management["caCert"], "signerName": management["signerName"]})]


def schema(reader):
    """What the definition says about an Installation's spec."""
    files, _ = cases.read(reader, [DEFINITION])
    version = files[str(DEFINITION)][0]["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]
