// Putting a pair and its CA where programs read them: a Secret kubernetes.io/tls, a ConfigMap with
// ca.crt, files. What is as it should be is not written.
#ifndef CALICO_OPERATOR_CALICERT_TLS_PUBLISHING_H_
#define CALICO_OPERATOR_CALICERT_TLS_PUBLISHING_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/tls/pair.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/codec/json.h"

namespace calico::calicert::tls {

inline constexpr std::string_view kTlsSecretType = "kubernetes.io/tls";
inline constexpr std::string_view kCertificateKey = "tls.crt";
inline constexpr std::string_view kPrivateKeyKey = "tls.key";
inline constexpr std::string_view kCaKey = "ca.crt";

enum class Published { kCreated, kConfigured, kUnchanged };
// "created", "configured", "unchanged": kubectl's words.
std::string_view ToString(Published published);

// The same objects as `kubectl create secret tls` and `kubectl create configmap --from-file` make.
json::object TlsSecret(const api::ObjectKey& key, const Pair& pair);
json::object CaConfigMap(const api::ObjectKey& key, std::string_view ca_text);

// The pair of a Secret; nullopt without the Secret or one of its parts. Errors: of the client;
// FailedPrecondition for a Secret of another type, which somebody uses for something else, and for
// one that another program manages.
aio::Task<absl::StatusOr<std::optional<Pair>>> ReadTlsSecret(Cluster& cluster, api::ObjectKey key);

// Creates a Secret or ConfigMap, or changes what is in it; labels, annotations and other keys of
// one that is there stay. Errors: of the client; FailedPrecondition for a Secret of another type,
// and for an object that another program manages.
aio::Task<absl::StatusOr<Published>> PutObject(Cluster& cluster, json::object wanted);
aio::Task<absl::StatusOr<Published>> PutTlsSecret(Cluster& cluster, api::ObjectKey key, Pair pair);
aio::Task<absl::StatusOr<Published>> PutCaConfigMap(Cluster& cluster, api::ObjectKey key,
                                                    std::string ca_text);

struct PairFiles {
  std::string certificate;
  std::string key;
  std::string ca;
};
PairFiles FilesIn(const std::string& directory, const std::string& name);
// nullopt where one of the two is missing.
absl::StatusOr<std::optional<Pair>> ReadPairFiles(const PairFiles& files);
// All three, whole or not at all: the key for its owner only.
absl::Status WritePairFiles(const PairFiles& files, const Pair& pair, std::string_view ca_text);

}  // namespace calico::calicert::tls

#endif  // CALICO_OPERATOR_CALICERT_TLS_PUBLISHING_H_
