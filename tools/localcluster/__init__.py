"""A real Kubernetes cluster of several nodes on one machine.

tools/setup builds what it needs (module `setup`), tools/cluster starts and stops clusters (`cli`).
"""
