// key-cert-provisioner: the init container that makes a pod's key and has it certified.

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "operator/provision/config.h"
#include "operator/provision/provisioner.h"
#include "operator/provision/termination.h"
#include "pkg/aio/event_loop.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/base/version.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"
#include "pkg/openssl/init.h"

namespace calico {
namespace {

using provision::ExitCode;
using provision::Outcome;

constexpr const char* kTerminationLog = "/dev/termination-log";

constexpr std::string_view kHelp =
    R"(key-cert-provisioner makes a private key in a pod's memory volume, submits a
CertificateSigningRequest for it, waits for the certificate, verifies it and writes
key, certificate and CA. The key never leaves the pod.

Usage: key-cert-provisioner [--help | --version]

Environment
  CERTIFICATE_PATH     folder to write to (required)
  KEY_NAME, CERT_NAME  file names of key and certificate (required)
  CA_CERT, CA_CERT_NAME  base64 of the CA bundle to verify with, and its file name
  SIGNER               signerName, for example example.com/signer (required)
  COMMON_NAME          subject common name (required)
  DNS_NAMES            DNS names, comma-separated
  KEY_ALGORITHM        RSAWithSize2048 (default), RSAWithSize4096, RSAWithSize8192,
                       ECDSAWithCurve256, ECDSAWithCurve384, ECDSAWithCurve521
  SIGNATURE_ALGORITHM  SHA256WithRSA, SHA384WithRSA, SHA512WithRSA, ECDSAWithSHA256,
                       ECDSAWithSHA384, ECDSAWithSHA512 (default: SHA-256 of the key's family)
  POD_NAME, POD_NAMESPACE, POD_UID, POD_IP  from the downward API (required)
  POD_IPS              all addresses of the pod, comma-separated
  EXTENDED_KEY_USAGES  what the certificate is for, and must allow: server auth, client auth
                       or both, comma-separated (default both)
  APP_NAME             value of the labels k8s-app and operator.tigera.io/csr (required)
  TIMEOUT_DURATION     how long to wait for the certificate (default 90s)
  KUBECONFIG           outside a pod: the cluster to talk to

The issued certificate must fit the key, be valid, chain to CA_CERT, and hold the common
name, every DNS name and the usages above. It need not hold the pod's IP addresses.

While no certificate is there, key and request are kept in CERTIFICATE_PATH, so that the
next start takes up the same request: an approval between two starts counts.

Exit codes
  0 the pair is in place     3 denied or failed        6 the name is held by another requester
  1 API server error         4 no certificate in time  7 the files could not be written
  2 configuration            5 certificate refused     143 stopped by SIGTERM or SIGINT
Every failure is also written to /dev/termination-log, where kubectl describe pod shows it.
)";

// Bounded by what the kubelet reads.
void WriteTerminationMessage(std::string_view message) {
  std::ofstream file(kTerminationLog, std::ios::app);
  if (file) file << message.substr(0, 4096);
}

aio::Task<int> Main(aio::Executor executor, const base::Logger& logger) {
  const kube::Environment environment = kube::ProcessEnvironment();
  Outcome outcome;
  absl::StatusOr<provision::Config> config = provision::LoadConfig(environment);
  if (!config.ok()) {
    outcome = {ExitCode::kConfiguration, std::string(config.status().message())};
  } else {
    for (const std::string& warning : config->warnings) logger.Warning(warning);
    absl::StatusOr<kube::RestConfig> rest =
        kube::LoadRestConfig({}, environment, base::SystemClock(), logger);
    if (!rest.ok()) {
      outcome = {ExitCode::kConfiguration, std::string(rest.status().message())};
    } else {
      config->server = rest->origin;
      kube::Client client(executor, *std::move(rest), logger,
                          {.user_agent = "key-cert-provisioner", .max_connections = 1});
      outcome = co_await provision::Provision(*config, client, base::SystemClock(), logger);
    }
  }
  if (outcome.code != ExitCode::kOk) {
    logger.Error(outcome.message, {{"exitCode", static_cast<int>(outcome.code)}});
    WriteTerminationMessage(outcome.message);
  }
  co_return static_cast<int>(outcome.code);
}

int RunProgram(int argc, char** argv) {
  const std::string_view argument = argc > 1 ? argv[1] : "";
  if (argument == "--help" || argument == "-h") {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return 0;
  }
  if (argument == "--version") {
    std::printf("key-cert-provisioner %s\n", base::Version());
    return 0;
  }
  if (!argument.empty()) {
    std::fprintf(stderr, "key-cert-provisioner: unknown argument '%s'; see --help\n", argv[1]);
    return static_cast<int>(ExitCode::kConfiguration);
  }
  provision::ExitOnTermination(kTerminationLog);
  const base::Logger logger;
  aio::EventLoop loop;
  return loop.Run(Main(loop.executor(), logger));
}

}  // namespace
}  // namespace calico

int main(int argc, char** argv) {
  calico::openssl::Initialize();
  return calico::RunProgram(argc, argv);
}
