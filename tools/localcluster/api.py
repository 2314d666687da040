"""The few requests that the tools themselves make to an API server, as its administrator."""

import datetime
import http.client
import json
import ssl
import time

from localcluster import layout as layouts
from localcluster.errors import ClusterError


class ApiError(ClusterError):
    """An answer other than 2xx; `code` is its HTTP status."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class Api:
    """Requests to one cluster; a connection each, since there are few."""

    def __init__(self, layout):
        self._address = layout.address
        self._context = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        self._context.load_cert_chain(str(layout.pki / "admin.crt"), str(layout.pki / "admin.key"))

    def request(self, method, path, body=None, content_type="application/json", timeout=10):
        """The answer's JSON. ApiError when the server refuses, ClusterError when it is away."""
        connection = http.client.HTTPSConnection(
            self._address, layouts.API_PORT, context=self._context, timeout=timeout
        )
        try:
            data = None if body is None else json.dumps(body)
            connection.request(
                method, path, data, {"Content-Type": content_type, "Accept": "application/json"}
            )
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (http.client.HTTPException, OSError) as error:
            raise ClusterError(
                f"{method} {path} at {self._address}: {error or repr(error)}",
                "`tools/cluster up` repairs the API server",
            ) from error
        finally:
            connection.close()
        if answer.status // 100 != 2:
            raise ApiError(f"{method} {path}: {answer.status} {text[:300].strip()}", answer.status)
        return json.loads(text) if text.startswith("{") else {}

    def is_ready(self):
        """Whether /readyz says so now."""
        try:
            self.request("GET", "/readyz", timeout=3)
            return True
        except ClusterError:
            return False

    def nodes(self):
        """The Node objects by name."""
        return {
            node["metadata"]["name"]: node for node in self.request("GET", "/api/v1/nodes")["items"]
        }

    def pod_range(self, node):
        """The addresses of a node's pods, or None as long as it has none."""
        return self.request("GET", f"/api/v1/nodes/{node}").get("spec", {}).get("podCIDR")

    def renewed_lease(self, node):
        """When the node's kubelet last renewed its lease, or None when it has none."""
        try:
            lease = self.request(
                "GET", f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"
            )
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return datetime.datetime.fromisoformat(lease["spec"]["renewTime"])

    def create_node(self, name, pod_range):
        """Makes the Node before its kubelet does, so that its pods' range is known beforehand."""
        try:
            self.request(
                "POST",
                "/api/v1/nodes",
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name},
                    "spec": {"podCIDR": pod_range, "podCIDRs": [pod_range]},
                },
            )
        except ApiError as error:
            if error.code != 409:
                raise

    def delete_node(self, name):
        try:
            self.request("DELETE", f"/api/v1/nodes/{name}")
        except ApiError as error:
            if error.code != 404:
                raise


def is_node_ready(node):
    """Whether the Node object (a dict) has the condition Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def wait_for(what, probe, process, seconds):
    """Waits until probe() is true; ClusterError when a process ends, and after the time."""
    deadline = time.monotonic() + seconds
    while not probe():
        for needed in process:
            needed.require()
        if time.monotonic() > deadline:
            tails = "\n".join(
                f"  last lines of {needed.log}:\n{needed.tail()}" for needed in process
            )
            raise ClusterError(
                f"wait for {what}: not within {seconds} s\n{tails}", "run `tools/cluster up` again"
            )
        time.sleep(0.1)
