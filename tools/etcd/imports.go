// Package etcd pins the etcd server and its command line as Go modules; tools/setup builds them.
package etcd

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/server/v3"
)
