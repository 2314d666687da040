// Package kubeproxy pins kube-proxy as a Go module; tools/setup builds it for the tests that reach a Service by its address.
package kubeproxy

import (
	_ "k8s.io/kubernetes/cmd/kube-proxy"
)
