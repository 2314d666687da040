"""The API server as the administrator sees it: requests, kubectl, waiting."""

import base64
import concurrent.futures
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
import urllib.parse


class KubeError(Exception):
    """An answer other than 2xx; `code` is its HTTP status, `status` the Status object if there is one."""

    def __init__(self, message, code=0, status=None):
        super().__init__(message)
        self.code = code
        self.status = status or {}


def _bytes(entry, key):
    """Inline data or the file of a kubeconfig field; None when it has neither."""
    if key + "-data" in entry:
        return base64.b64decode(entry[key + "-data"])
    if key in entry:
        with open(entry[key], "rb") as file:
            return file.read()
    return None


class Kube:
    """One cluster, by kubeconfig. `request` is for tests and tools: a connection per call, no retries."""

    def __init__(self, kubeconfig, kubectl="kubectl"):
        self.kubeconfig, self.kubectl_program = str(kubeconfig), str(kubectl)
        view = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        cluster, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        self.server = cluster["server"]
        self._url = urllib.parse.urlsplit(self.server)
        ca = _bytes(cluster, "certificate-authority")
        self._context = ssl.create_default_context(cadata=ca.decode() if ca else None)
        self._token = user.get("token")
        certificate = _bytes(user, "client-certificate")
        if certificate:
            self._load_pair(certificate, _bytes(user, "client-key"))

    def _load_pair(self, certificate, key):
        """The ssl module reads pairs from files only."""
        handle, path = tempfile.mkstemp()
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(certificate + b"\n" + key)
            self._context.load_cert_chain(path)
        finally:
            os.unlink(path)

    def request(self, method, path, body=None, content_type="application/json", timeout=30, token=None, headers=None):
        """The answer's JSON (or text). KubeError when the server refuses, OSError without a connection."""
        context = self._context
        if token:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self._url.hostname, self._url.port or 443, context=context,
                                                 timeout=timeout)
        fields = {"Content-Type": content_type, "Accept": "application/json", **(headers or {})}
        if token or self._token:
            fields["Authorization"] = "Bearer " + (token or self._token)
        try:
            data = None if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, self._url.path + path, data, fields)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        value = json.loads(text) if text.startswith(("{", "[")) else text
        if answer.status // 100 != 2:
            message = value.get("message", text) if isinstance(value, dict) else text
            raise KubeError(f"{method} {path}: {answer.status} {message[:600]}", answer.status,
                            value if isinstance(value, dict) else None)
        return value

    def get(self, path):
        """The object, or None when there is none."""
        try:
            return self.request("GET", path)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    def items(self, path):
        return self.request("GET", path).get("items") or []

    def apply(self, path, body, manager="quickstart"):
        """Server-side apply; `body` may be YAML text or an object (JSON is YAML)."""
        return self.request("PATCH", f"{path}?fieldManager={manager}&force=true", body, "application/apply-patch+yaml")

    def merge(self, path, body):
        return self.request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path):
        """Whether it was there."""
        try:
            self.request("DELETE", path)
            return True
        except KubeError as error:
            if error.code == 404:
                return False
            raise

    def create_many(self, path, bodies):
        """POSTs every body to `path` over kept connections; KubeError at the first refusal."""
        self.request_many([("POST", path, body, "application/json") for body in bodies])

    def request_many(self, requests, connections=8):
        """Sends every (method, path, body, content type) over kept connections; KubeError at the first refusal."""
        def some(start):
            connection = http.client.HTTPSConnection(self._url.hostname, self._url.port or 443, context=self._context,
                                                     timeout=60)
            for method, path, body, content_type in requests[start::connections]:
                connection.request(method, self._url.path + path, json.dumps(body), {"Content-Type": content_type})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status // 100 != 2:
                    raise KubeError(f"{method} {path}: {answer.status} {text[:300]!r}", answer.status)
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(connections) as pool:
            list(pool.map(some, range(connections)))

    def kubectl(self, *words, text=None, check=True):
        """What kubectl prints. KubeError with its error output when it fails."""
        environment = {**os.environ, "KUBECONFIG": self.kubeconfig}
        result = subprocess.run([self.kubectl_program, *words], input=text, capture_output=True, text=True,
                                check=False, env=environment, timeout=180)
        if check and result.returncode != 0:
            raise KubeError(f"kubectl {' '.join(words)}: {result.stderr.strip()[-800:]}")
        return result.stdout if check else result.stdout + result.stderr


def wait_for(what, check, timeout, interval=0.25, explain=None):
    """The first true value of check(); KubeError naming `what` (and explain()) after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = check()
            if value:
                return value
        except (KubeError, OSError) as error:
            last = error
        if time.monotonic() > deadline:
            more = explain() if explain else last or ""
            raise KubeError(f"{what}: not within {timeout} s. {more}")
        time.sleep(interval)
