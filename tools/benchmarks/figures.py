"""A table of figures: ours, the peer's or the limit, and whether the limit holds."""

# What the reference (operator v1.42.4, v1.32.13 where two are given) measured on 2 cores, for runs without its binaries.
RECORDED = {
    "operator resident, 3 nodes": "73-138 MiB",
    "operator resident, 10,000 pods": "113-237 MiB",
    "start to DaemonSet": "2.1-6.5 s",
    "start to TigeraStatus with conditions": "6.4-13 s",
    "restart to next change applied": "17-21 s",
    "requests in the first 60 s": "617-1,686",
    "writes in idle minutes, lease aside": "3-35 in 5 min",
    "DaemonSet generation after install": "2",
    "provisioner binary": "35-44 MB",
    "provisioner resident": "28-32 MB",
    "provisioner, 1 pod, RSA-2048, beyond the library's key": "64-161 ms with the key",
    "bytes from server, 100 at once": "400 kB",
    "bytes from server, 5,000 foreign CSRs": "8-11 MB",
    "signer, 1,000 CSRs pending": "5-455 CSR/s",
    "signer resident": "37-180 MiB",
}


class Table:
    def __init__(self):
        self._rows = []

    def add(self, name, ours, limit, holds, peer=None, note=""):
        """`peer` None: the recorded figure is shown and said to be recorded."""
        shown = peer or (RECORDED[name] + " (recorded)" if name in RECORDED else "-")
        self._rows.append((name, ours, limit, "yes" if holds else "NO", shown, note))
        print(f"  {name}: {ours} (limit {limit}: {'holds' if holds else 'DOES NOT HOLD'}; peer {shown}) {note}", flush=True)

    def rows(self):
        return [dict(zip(("figure", "ours", "limit", "holds", "peer", "note"), row)) for row in self._rows]

    def holds(self):
        return all(row[3] == "yes" for row in self._rows)

    def text(self):
        rows = [("figure", "ours", "limit", "holds", "peer", "note"), *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
