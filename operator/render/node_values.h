// Derived values (derived_values.h) of calico-node, calico-typha and the CNI plugin.
#ifndef CALICO_OPERATOR_RENDER_NODE_VALUES_H_
#define CALICO_OPERATOR_RENDER_NODE_VALUES_H_

#include <optional>

#include <absl/status/statusor.h>

#include "operator/render/derived_values.h"
#include "pkg/codec/json.h"

namespace calico::render {

using DerivedResult = absl::StatusOr<std::optional<json::value>>;

// Felix acts on some of its words: "k8s,operator,ecs,bgp".
DerivedResult ClusterType(RenderValues& values);

// Ports of health checks: Felix's own setting, 9099, or on OpenShift 9199; typha's is one below.
DerivedResult FelixHealthPort(RenderValues& values);
DerivedResult TyphaHealthPort(RenderValues& values);

// The host's folders of Calico's.
DerivedResult CalicoRunHostPath(RenderValues& values);
DerivedResult CalicoLibHostPath(RenderValues& values);

DerivedResult CgroupPath(RenderValues& values);
DerivedResult BgpBindModeHash(RenderValues& values);
DerivedResult BgpLayout(RenderValues& values);
DerivedResult BgpLayoutHash(RenderValues& values);
DerivedResult BirdTemplates(RenderValues& values);
DerivedResult BirdTemplatesHash(RenderValues& values);
DerivedResult KubernetesServiceAddresses(RenderValues& values);
DerivedResult ApiServerEndpoints(RenderValues& values);

// Of the update strategy; 0 where the user says nothing.
DerivedResult NodeMaxSurge(RenderValues& values);

// As long as typha takes to send its clients away one by one, and a fifth more before a rollout
// counts as failed.
DerivedResult TyphaShutdownSeconds(RenderValues& values);
DerivedResult TyphaProgressDeadlineSeconds(RenderValues& values);

// The text of the ConfigMap cni-config, and the hash of it.
DerivedResult CniConfigText(RenderValues& values);
DerivedResult CniConfigHash(RenderValues& values);

// Names in the certificates of one side that the other asks for.
DerivedResult NodeAppArmorProfile(RenderValues& values);
DerivedResult NodeCommonName(RenderValues& values);
DerivedResult NodeUriSan(RenderValues& values);
DerivedResult TyphaCommonName(RenderValues& values);
DerivedResult TyphaUriSan(RenderValues& values);

// The first pool of a family: what calico-node of Calico 3.27 makes at its first start.
DerivedResult Ipv4PoolCidr(RenderValues& values);
DerivedResult Ipv4PoolBlockSize(RenderValues& values);
DerivedResult Ipv4PoolNodeSelector(RenderValues& values);
DerivedResult Ipv4PoolDisableBgpExport(RenderValues& values);
DerivedResult Ipv6PoolCidr(RenderValues& values);
DerivedResult Ipv6PoolBlockSize(RenderValues& values);
DerivedResult Ipv6PoolNodeSelector(RenderValues& values);
DerivedResult Ipv6PoolDisableBgpExport(RenderValues& values);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_NODE_VALUES_H_
