"""tools/bench: every figure beside its peer or limit."""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
import time

from benchmarks import calicert_figures, figures, operator_figures, provisioner_figures, scale_figures
from deployment import build, install, kube as kubes
from e2e import environment
from localcluster import progress

LOAD = "//tools/benchmarks:csr_load"


def _ready_for_requests(cluster):
    """Roles and service accounts as the operator makes them, then no operator."""
    cluster.kube.apply(install.INSTALLATION, install.installation({"certificateManagement": install.certificate_management(cluster.ca)}))
    operator = cluster.start_operator("--leader-elect=false")
    kubes.wait_for("service accounts", lambda: cluster.kube.get("/api/v1/namespaces/calico-system/serviceaccounts/calico-node"), 30)
    kubes.wait_for("roles", lambda: cluster.kube.get(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/calico-node:csr-creator"), 30)
    time.sleep(2)
    operator.terminate()


def _load(cluster, program, mode, count):
    """CSR/s as csr_load prints it."""
    result = subprocess.run([str(program), f"--mode={mode}", f"--count={count}", f"--kubeconfig={cluster.status['kubeconfig']}",
                             f"--ca-cert={cluster.ca}", f"--ca-key={cluster.ca_key}", f"--signer-name={install.SIGNER_NAME}"],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise kubes.KubeError(f"csr_load {mode}: {result.stderr[-800:]}")
    found = re.search(r"([0-9.]+) CSR/s", result.stdout)
    return float(found.group(1)) if found else 0.0


def signer(cluster, table, count):
    """By turns, for the rate of a bare client alone differs by a third from one run to the next."""
    program = build.compile_release([LOAD])[LOAD]
    rates, bare_rates, sizes = [], [], []
    for _ in range(3):
        _load(cluster, program, "create", count)
        bare_rates.append(_load(cluster, program, "approve-and-sign", count))
        _load(cluster, program, "delete", count)
        _load(cluster, program, "create", count)
        process = cluster.start_signer()
        rates.append(_load(cluster, program, "measure", count))
        sizes.append(process.rss_mib())
        process.terminate()
        _load(cluster, program, "delete", count)
    ours, bare, resident = figures.median(rates), figures.median(bare_rates), max(sizes)
    table.add(f"signer, {count:,} CSRs pending", f"{ours:.0f} CSR/s", "70 % of a bare client", ours >= 0.7 * bare, None,
              f"medians of 3; bare client in the same run {bare:.0f} CSR/s, ratio {ours / bare:.2f}")
    table.add("signer resident", f"{resident:.1f} MiB", "16 MiB", resident <= 16)


def cold_build(table):
    """bazel build //... with an empty output base and no disk cache."""
    base = tempfile.mkdtemp(prefix="calico-bench-bazel-")
    try:
        started = time.monotonic()
        subprocess.run(["bazel", f"--output_base={base}", "build", "--disk_cache=", "//..."], cwd=install.ROOT, check=True)
        minutes = (time.monotonic() - started) / 60
        table.add("bazel build //... from nothing", f"{minutes:.1f} min", "15 min", minutes < 15)
        subprocess.run(["bazel", f"--output_base={base}", "shutdown"], cwd=install.ROOT, check=False)
    finally:
        subprocess.run(["chmod", "-R", "u+w", base], check=False)
        shutil.rmtree(base, ignore_errors=True)


PARTS = ("operator", "provisioner", "signer", "scale", "calicert", "build")


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measures the figures of our programs, each with its limit and its peer.",
        epilog="PEER_PROVISIONER=/path/to/key-cert-provisioner runs the reference's init program beside ours, with the files of a pod; "
               "without it, or when it does not complete, its recorded figure is printed. example: tools/bench --only provisioner --only signer")
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts only")
    parser.add_argument("--idle", type=int, default=300, metavar="SECONDS", help="length of the idle measurement (default 300)")
    parser.add_argument("--csrs", type=int, default=1000, help="pending requests for the signer (default 1000)")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    options = parser.parse_args(arguments)
    parts = options.only or PARTS
    if set(parts) - {"calicert", "build"}:
        build.build("localhost/calico-operator")
    table = figures.Table()
    for part in PARTS:
        if part not in parts:
            continue
        with progress.step(f"measure {part}"):
            if part in ("build", "calicert"):
                (cold_build if part == "build" else calicert_figures.run)(table)
                continue
            cluster = environment.Cluster("bench", nodes=0)
            try:
                cluster.deploy()
                if part == "operator":
                    operator_figures.run(cluster, table, options.idle)
                elif part == "scale":
                    scale_figures.run(cluster, table, options.idle)
                else:
                    _ready_for_requests(cluster)
                    signing = cluster.start_signer() if part == "provisioner" else None
                    if part == "provisioner":
                        provisioner_figures.run(cluster, table)
                        signing.terminate()
                    else:
                        signer(cluster, table, options.csrs)
            finally:
                cluster.down()
    print(json.dumps(table.rows(), indent=2) if options.output == "json" else "\n" + table.text())
    return 0 if table.holds() else 1
