"""The odd values that changes put into Installations."""

import base64

OTHER_TYPES = (None, True, 0, -1, 1.5, "", "x", [], {}, [[]], [{}], {"name": "x"}, [None], {"": {}})
NUMBERS = (0, -1, 1, 2, 32, 33, 65535, 65536, 99999, 179, 5473, 9099, 2147483647, 2147483648, -2147483648, 4294967296,
           9223372036854775807, 1.5, "1", "0x10", "1e3")
WORDS = ("", "enabled", "ENABLED", "Enabled", "Disabled", "Enable", "true", "None", "none", "Calico", "calico", "BPF", "VPP", "Nftables",
         "Iptables", "eBPF", "VXLAN", "IPIP", "IPIPCrossSubnet", "Always", "EKS", "GKE", "AKS", "OpenShift", "RKE2", "TKG", "Kind",
         "AmazonVPC", "AzureVNET", "HostLocal", "Exists", "Equal", "In", "Gt", "Lt", "DoesNotExist", "NoSchedule", "NoExecute", "Default",
         "UseDefault", "ClusterFirst", "all()", "!all()", "calico-node", "calico-typha", "install-cni", "ebpf-bootstrap",
         "mount-bpffs", "Node", "TigeraSecureEnterprise", "RSAWithSize1024", "RSAWithSize8192", "ECDSAWithCurve384",
         "SHA512WithRSA", "ECDSAWithSHA512", "BIRD", "Felix", "FelixIPIPOnly", "Netkit", "Multus", "CalicoOnly", "OnDelete",
         "RollingUpdate", "Recreate")
NETWORKS = ("10.48.0.0/16", "10.48.1.0/24", "10.48.0.1/16", "10.48.0.0", "10.48.0.0/33", "10.48.0.0/-1", "10.48.0.0/016", "0.0.0.0/0", "::/0",
            "fd00:10:48::/64", "fd00:10:48::1/64", "fd00::/129", "::ffff:10.0.0.0/112", "169.254.0.0/16", "fe80::/10", "10.48/16", "256.0.0.0/8",
            "10.48.0.0/16 ", "10.48.0.0/16,10.49.0.0/16", "localhost", "10.48.0.0/32", "fd00::1/128", "127.0.0.0/8", "224.0.0.0/4", "")
LONG_PIECES = ("a", "A", "1", "/a", "a.", "é", "\n", "%", "a/", "\u202e")
UNICODE = ("\u00e9", "\u0000", "\ufeffCalico", "\u202eelbanE", "Ｅｎａｂｌｅｄ", "\ud83d\ude00", "a\u0301", "\u2028", "\x7f", "Enabled\u200b")
MAPS = ("labels", "annotations", "nodeSelector", "matchLabels", "controlPlaneNodeSelector", "requests", "limits")
LABEL_KEYS = ("", "a b", "a/b/c", "/a", "a/", "-a", "k8s-app", "kubernetes.io/os", "Example.com/a", "example.com/" + "a" * 64, "a" * 63,
              "operator.tigera.io/applied", "hash.operator.tigera.io/x", "deprecated.daemonset.template.generation",
              "container.apparmor.security.beta.kubernetes.io/nobody", "controller.kubernetes.io/pod-deletion-cost",
              "kubernetes.io/config.mirror", "cpu", "memory", "hugepages-2Mi", "hugepages-x", "example.com/gpu", "nvidia.com/gpu",
              "ephemeral-storage", "storage", "pods", "kubernetes.io/hostname")
LABEL_VALUES = ("", "a", "a b", "-a", "a" * 63, "a" * 64, "1", "2Mi", "3Mi", "1.5", "1e3", "1e400", "-1", "0.0001", ".5Gi", "1.", "250m", "100n",
                "true", "linux", "windows")
PATHS = ("", "/", "//", "/a//b", "/a/../b", "/a/..", "..", "relative/path", "None", "/csi", "/var/run", "/registration", "/a:b", "/a b",
         "/tmp/\n", "/etc/kubernetes/", "C:\\calico", "/" + "a" * 1024, "/\u00e9")
CONTRADICTIONS = (
    {"calicoNetwork": {"bgp": "Disabled", "ipPools": [{"cidr": "10.60.0.0/16", "encapsulation": "IPIP"}]}},
    {"calicoNetwork": {"bgp": "Disabled", "ipPools": [{"cidr": "10.60.0.0/16", "encapsulation": "None"}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/16"}, {"cidr": "10.60.128.0/17"}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": "fd00:60::/64", "encapsulation": "IPIP"}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/16", "blockSize": 122}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/26", "blockSize": 20}]}},
    {"calicoNetwork": {"ipPools": [{"name": "a", "cidr": "10.60.0.0/16"}, {"name": "a", "cidr": "10.61.0.0/16"}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": f"10.{n}.0.0/24", "encapsulation": "VXLAN"} for n in range(26)]}},
    {"calicoNetwork": {"ipPools": [{"cidr": f"10.{n}.0.0/24", "encapsulation": "VXLAN"} for n in range(25)]}},
    {"calicoNetwork": {"ipPools": []}},
    {"calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/24", "allowedUses": ["LoadBalancer", "Workload"]}]}},
    {"calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/24", "nodeSelector": ""}]}},
    {"calicoNetwork": {"nodeAddressAutodetectionV4": {"firstFound": True, "interface": "eth0", "cidrs": ["10.0.0.0/8"]}}},
    {"calicoNetwork": {"nodeAddressAutodetectionV4": {"cidrs": ["fd00::/8"]}}},
    {"calicoNetwork": {"nodeAddressAutodetectionV4": {"firstFound": False}}},
    {"calicoNetwork": {"linuxDataplane": "BPF", "nodeAddressAutodetectionV4": {"firstFound": False}}},
    {"calicoNetwork": {"linuxDataplane": "VPP", "bgp": "Disabled"}},
    {"calicoNetwork": {"linuxDataplane": "Iptables", "bpfNetworkBootstrap": "Enabled", "kubeProxyManagement": "Enabled"}},
    {"calicoNetwork": {"clusterRoutingMode": "Felix", "bgp": "Enabled"}},
    {"cni": {"type": "Calico", "ipam": {"type": "HostLocal"}}, "calicoNetwork": {"ipPools": [{"cidr": "10.60.0.0/16", "encapsulation": "VXLAN"}]}},
    {"cni": {"type": "AmazonVPC", "ipam": {"type": "AmazonVPC"}}, "kubernetesProvider": "GKE"},
    {"cni": {"type": "AmazonVPC", "ipam": {"type": "Calico"}}, "kubernetesProvider": "EKS"},
    {"cni": {"type": "GKE"}, "calicoNetwork": {"hostPorts": "Enabled", "multiInterfaceMode": "Multus"}},
    {"kubernetesProvider": "EKS", "azure": {"policyMode": "Manual"}},
    {"fipsMode": "Enabled", "nonPrivileged": "Enabled"},
    {"nonPrivileged": "Enabled", "calicoNetwork": {"linuxDataplane": "BPF"}},
    {"nodeMetricsPort": 9093, "typhaMetricsPort": 9093},
    {"certificateManagement": {"keyAlgorithm": "RSAWithSize4096", "signatureAlgorithm": "ECDSAWithSHA256"}},
    {"nodeUpdateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
    {"nodeUpdateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}},
    {"nodeUpdateStrategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "10%"}}},
    {"typhaDeployment": {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}}}},
    {"typhaDeployment": {"spec": {"minReadySeconds": 600}}},
    {"calicoKubeControllersDeployment": {"spec": {"minReadySeconds": 600}}},
    {"calicoKubeControllersDeployment": {"spec": {"minReadySeconds": 2147483647}}},
    {"typhaPodDisruptionBudget": {"spec": {"maxUnavailable": "101%"}}},
    {"typhaPodDisruptionBudget": {"spec": {"minAvailable": -1}}},
    {"componentResources": [{"componentName": "Node", "resourceRequirements": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]},
    {"componentResources": [{"componentName": "Node", "resourceRequirements": {"limits": {"hugepages-2Mi": "2Mi"}}}]},
    {"componentResources": [{"componentName": "Node", "resourceRequirements": {"limits": {"cpu": "1", "hugepages-2Mi": "3Mi"}}}]},
    {"componentResources": [{"componentName": "Typha", "resourceRequirements": {"claims": [{"name": "gpu"}]}}]},
    {"controlPlaneTolerations": [{"key": "a", "operator": "Lt", "value": "5"}]},
    {"controlPlaneTolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
    {"controlPlaneTolerations": [{"effect": "NoExecute"}]},
    {"typhaAffinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}},
    {"typhaAffinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchFields": [{"key": "", "operator": "In", "values": ["a b"]}]}]}}}},
    {"typhaDeployment": {"spec": {"template": {"spec": {"topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["a"]}]}}}}},
    {"calicoNodeDaemonSet": {"spec": {"template": {"metadata": {"labels": {"k8s-app": "other"}}}}}},
    {"registry": "https://registry.example.com/"}, {"registry": "registry..example.com/"}, {"imagePath": "A/b"}, {"imagePrefix": "a/"},
    {"imagePullSecrets": [{"name": "nope"}]}, {"imagePullSecrets": [{"name": ""}]}, {"imagePullSecrets": [{}]},
    {"kubeletVolumePluginPath": "/csi"}, {"kubeletVolumePluginPath": "None", "csiNodeDriverDaemonSet": {"spec": {"minReadySeconds": 5}}},
    {"serviceCIDRs": ["10.96.0.0/12", "10.96.0.0/12"]}, {"tlsCipherSuites": [{"name": "TLS_AES_128_GCM_SHA256"}] * 2},
    {"logging": {"cni": {"logFileMaxSize": "100M"}}},
)
TEXTS = ("", "a", "A", "a b", "-a", "a.b", "a..b", "1", "0", "-1", "100%", "101%", "5%%", "a/b", "/a", "a" * 63, "a" * 64, "a" * 254, "\n",
         "\u00e9", "all()", "kubernetes.io/hostname", "10.0.0.1", "10.0.0.0/8", "fd00::/8", "fd00::1", "example.com/a", "None", "Exists",
         "In", "Gt", "Equal", "NoExecute", "metadata.name", "3Mi", "$(HOST)", "${spec.registry}", "{{ x }}", "'", "\"", "\\", "#", "~", "null")
INTEGERS = (0, 1, -1, 2, 26, 64, 100, 101, 122, 599, 600, 1500, 9091, 65535, 65536, 2147483647, -2147483648, 9223372036854775807)
QUANTITIES = (0, 1, -1, "0", "1", "250m", "64Mi", "1e3", "1e-3", ".5", "1.", "0.1", "100n", "1Ei", "9Ei", "1e400", "+1", "2Mi", "3Mi", "1500m",
              "1.5Gi", "0.0001", "12345678901234567890")


def of_schema(chance, schema, depth=0):
    """A value that the schema takes, most of the time."""
    if schema.get("x-kubernetes-int-or-string"):
        return chance.choice(QUANTITIES if "pattern" in schema else (*INTEGERS[:6], "10%", "0%", "101%", "x", "1"))
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "string":
        return base64.b64encode(chance.choice(TEXTS).encode()).decode() if schema.get("format") == "byte" else chance.choice(TEXTS)
    if kind == "integer":
        return chance.choice(INTEGERS)
    if kind == "boolean":
        return chance.choice((True, False))
    if kind == "array":
        return [of_schema(chance, schema.get("items", {}), depth + 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        names = (*LABEL_KEYS, "cpu", "memory")
        return {chance.choice(names): of_schema(chance, schema["additionalProperties"], depth + 1) for _ in range(chance.choice((1, 2)))}
    result = {}
    for name, inner in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or (depth < 4 and chance.random() < 0.35):
            result[name] = of_schema(chance, inner, depth + 1)
    return result


def wrong_pem(chance, ca_base64):
    """caCert as people break it."""
    encode = lambda data: base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()
    try:
        pem = base64.b64decode(ca_base64).decode()
    except ValueError:
        pem = ""
    if len(pem) < 2:
        return "%%%"
    lines = pem.splitlines()
    middle = len(pem) // 2
    return chance.choice((
        lambda: encode(pem[:chance.randrange(len(pem))]),
        lambda: encode(pem[chance.randrange(1, len(pem)):]),
        lambda: encode(pem.replace("\n", "\r\n")),
        lambda: encode(pem.replace("\n", "")),
        lambda: encode("\n".join(lines[1:-1])),
        lambda: encode(pem + pem[:middle]),
        lambda: encode(pem + pem),
        lambda: encode(pem * 300),
        lambda: encode(pem[:middle] + "*" + pem[middle + 1:]),
        lambda: encode(pem[:middle] + chr(chance.randrange(0x41, 0x5a)) + pem[middle + 1:]),
        lambda: encode("\ufeff" + pem),
        lambda: encode(pem.encode("utf-16")),
        lambda: encode("# comment\n" + pem + "\ntrailing words\n"),
        lambda: encode(pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
        lambda: encode(pem.replace("CERTIFICATE", "PRIVATE KEY")),
        lambda: encode(pem.replace("-----END", "----END")),
        lambda: encode(base64.b64decode("".join(lines[1:-1]))),
        lambda: encode(bytes(chance.randrange(256) for _ in range(200))),
        lambda: encode(encode(pem)),
        lambda: ca_base64[:-chance.choice((1, 2, 3))],
        lambda: pem,
        lambda: ca_base64[:40] + "\n" + ca_base64[40:],
        lambda: "",
        lambda: encode("not pem at all")))()
