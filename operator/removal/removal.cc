#include "operator/removal/removal.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/adoption/former_operator.h"
#include "operator/render/names.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/time.h"
#include "pkg/kube/apply/ending.h"

namespace calico::removal {
namespace {

using codec::FindObject;
using codec::TextAt;

constexpr char kAgain[] = "; run this again to go on";
constexpr char kRewrittenAnnotation[] = "operator.tigera.io/asked-to-go";
constexpr char kAppLabel[] = "k8s-app";
constexpr std::string_view kOperatorApp = "tigera-operator";  // of operator.yaml
constexpr size_t kMostNames = 5;

std::string NameOf(const Doomed& doomed) {
  return fmt::format("{} {}", doomed.resource->kind, doomed.key.ToString());
}

std::string FirstOf(std::vector<std::string> names) {
  const size_t more = names.size() > kMostNames ? names.size() - kMostNames : 0;
  names.resize(std::min(names.size(), kMostNames));
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

const json::object* MetadataOf(const json::object& object) {
  return FindObject(object, "metadata");
}

bool IsEnding(const json::object& object) {
  const json::object* const metadata = MetadataOf(object);
  return metadata != nullptr && !TextAt(*metadata, "deletionTimestamp").empty();
}

// Whether the API server has given up on a definition.
bool Hangs(const json::object& definition) {
  codec::Decoder decoder("CustomResourceDefinition");
  const std::vector<api::Condition> conditions =
      api::ReadConditions(decoder.Read(definition).Object("status"));
  return std::any_of(conditions.begin(), conditions.end(), [](const api::Condition& condition) {
    return condition.type == "Terminating" && condition.reason == "InstanceDeletionFailed";
  });
}

// Whether the pod must have gone when this stage ends. One that has finished runs nowhere.
bool EndsWith(Stage stage, const json::object& pod) {
  const json::object* const status = FindObject(pod, "status");
  const std::string_view phase = status == nullptr ? "" : TextAt(*status, "phase");
  if (phase == "Succeeded" || phase == "Failed") return false;
  const json::object* const metadata = MetadataOf(pod);
  const json::object* const labels =
      metadata == nullptr ? nullptr : FindObject(*metadata, "labels");
  const std::string_view app = labels == nullptr ? "" : TextAt(*labels, kAppLabel);
  if (stage == Stage::kOperator) return app == kOperatorApp;
  return stage != Stage::kPodNetwork || (app != render::kNode && app != render::kTypha);
}

std::string PodText(const json::object& pod) {
  const json::object* const spec = FindObject(pod, "spec");
  const std::string_view node = spec == nullptr ? "" : TextAt(*spec, "nodeName");
  return fmt::format("{}{}", api::ObjectMetaOf(pod).Key().ToString(),
                     node.empty() ? "" : fmt::format(" (node {})", node));
}

}  // namespace

Removal::Removal(kube::Client& client, const base::Clock& clock, RemovalLimits limits,
                 bool remove_finalizers, std::function<void(const std::string&)> tell)
    : client_(client),
      clock_(clock),
      limits_(limits),
      remove_finalizers_(remove_finalizers),
      tell_(std::move(tell)) {}

aio::Task<absl::Status> Removal::Run(const RemovalPlan& plan) {
  for (const Stage stage : kStages) {
    std::vector<Doomed> doomed;
    std::copy_if(plan.doomed.begin(), plan.doomed.end(), std::back_inserter(doomed),
                 [&](const Doomed& one) { return one.stage == stage; });
    if (doomed.empty()) continue;
    CALICO_CO_RETURN_IF_ERROR(co_await RunStage(stage, doomed));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> Removal::RunStage(Stage stage, const std::vector<Doomed>& doomed) {
  tell_(fmt::format("{}: {} objects", ToString(stage), doomed.size()));
  const absl::Time end = clock_.SteadyNow() + limits_.timeout;
  for (const Doomed& one : doomed) CALICO_CO_RETURN_IF_ERROR(co_await DeleteOne(one));
  CALICO_CO_RETURN_IF_ERROR(co_await WaitForObjects(doomed, end));
  co_return co_await WaitForPods(stage, doomed, end);
}

// The API server answers for a definition's objects once it has been asked.
aio::Task<absl::Status> Removal::ListObjectsOf(const json::object& definition) {
  const json::object* const spec = FindObject(definition, "spec");
  const json::object* const names = spec == nullptr ? nullptr : FindObject(*spec, "names");
  const json::array* const versions =
      spec == nullptr ? nullptr : codec::FindArray(*spec, "versions");
  if (names == nullptr || versions == nullptr) co_return absl::OkStatus();
  for (const json::value& version : *versions) {
    if (!version.is_object()) continue;
    const absl::StatusOr<json::object> list = co_await client_.GetPath(
        fmt::format("/apis/{}/{}/{}?limit=1", TextAt(*spec, "group"),
                    TextAt(version.get_object(), "name"), TextAt(*names, "plural")));
    // A version that is not served is no trouble.
    if (!list.ok() && !absl::IsNotFound(list.status())) co_return list.status();
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> Removal::DeleteOne(const Doomed& doomed) {
  CALICO_CO_ASSIGN_OR_RETURN(const std::optional<json::object> object, co_await Look(doomed));
  if (!object.has_value()) co_return absl::OkStatus();
  CALICO_CO_RETURN_IF_ERROR(co_await ReleaseOne(doomed, *object));
  if (IsEnding(*object)) co_return absl::OkStatus();
  if (*doomed.resource == api::kCustomResourceDefinitions) {
    CALICO_CO_RETURN_IF_ERROR(co_await ListObjectsOf(*object));
  }
  const absl::Status status = co_await client_.Delete(*doomed.resource, doomed.key,
                                                      {.uid = api::ObjectMetaOf(*object).uid});
  if (absl::IsNotFound(status)) co_return absl::OkStatus();
  if (status.ok()) tell_(fmt::format("  deleted {}", NameOf(doomed)));
  co_return status;
}

// Takes the finalizers off that nobody else would.
aio::Task<absl::Status> Removal::ReleaseOne(const Doomed& doomed, const json::object& object) {
  const std::vector<std::string> former = adoption::FormerFinalizersOf(object);
  if (former.empty()) co_return absl::OkStatus();
  if (!remove_finalizers_) {
    co_return absl::FailedPreconditionError(fmt::format(
        "{} has the finalizer {}, which only Tigera's operator takes off, and that does not run: "
        "give --remove-finalizers{}",
        NameOf(doomed), fmt::join(former, ", "), kAgain));
  }
  const api::ObjectMeta meta = api::ObjectMetaOf(object);
  const absl::Status status =
      (co_await client_.Patch(*doomed.resource, doomed.key,
                              {{"metadata",
                                {{"uid", meta.uid},
                                 {"resourceVersion", meta.resource_version},
                                 {"finalizers", adoption::OtherFinalizersOf(object)}}}}))
          .status();
  if (absl::IsNotFound(status)) co_return absl::OkStatus();
  // Somebody has written it meanwhile: it is looked at again.
  if (absl::IsAborted(status)) co_return absl::OkStatus();
  if (status.ok()) {
    tell_(fmt::format("  took {} off {}", fmt::join(former, ", "), NameOf(doomed)));
  }
  co_return status;
}

// nullopt: there is no such object, or nobody knows its kind any more.
aio::Task<absl::StatusOr<std::optional<json::object>>> Removal::Look(const Doomed& doomed) {
  absl::StatusOr<json::object> object = co_await client_.Get(*doomed.resource, doomed.key);
  if (absl::IsNotFound(object.status())) co_return std::nullopt;
  if (!object.ok()) co_return object.status();
  co_return *std::move(object);
}

// Of an object that is still there: helps where somebody can.
aio::Task<absl::Status> Removal::Push(const Doomed& doomed, const json::object& object) {
  CALICO_CO_RETURN_IF_ERROR(co_await ReleaseOne(doomed, object));
  const bool is_definition = *doomed.resource == api::kCustomResourceDefinitions;
  if (!is_definition || !Hangs(object)) co_return absl::OkStatus();
  if (clock_.SteadyNow() - rewritten_at_ < limits_.rewrite_interval) co_return absl::OkStatus();
  rewritten_at_ = clock_.SteadyNow();
  const absl::Status ignored = co_await ListObjectsOf(object);
  const absl::Status status =
      (co_await client_.Patch(
           *doomed.resource, doomed.key,
           {{"metadata",
             {{"annotations", {{kRewrittenAnnotation, codec::EncodeTime(clock_.Now())}}}}}}))
          .status();
  if (status.ok()) tell_(fmt::format("  wrote {} anew, which hung", NameOf(doomed)));
  co_return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

aio::Task<absl::Status> Removal::WaitForObjects(const std::vector<Doomed>& doomed, absl::Time end) {
  std::vector<Doomed> rest = doomed;
  std::string told;
  while (true) {
    std::vector<Doomed> there;
    std::vector<std::string> causes;
    for (const Doomed& one : rest) {
      CALICO_CO_ASSIGN_OR_RETURN(const std::optional<json::object> object, co_await Look(one));
      if (!object.has_value()) continue;
      CALICO_CO_RETURN_IF_ERROR(co_await Push(one, *object));
      there.push_back(one);
      causes.push_back(IsEnding(*object) ? kube::EndingOf(*one.resource, *object).cause
                                         : fmt::format("{} is still there", NameOf(one)));
    }
    if (there.empty()) co_return absl::OkStatus();
    rest = std::move(there);
    if (clock_.SteadyNow() >= end) {
      co_return absl::DeadlineExceededError(fmt::format("{}{}", FirstOf(causes), kAgain));
    }
    std::string text = fmt::format("  waiting: {}", FirstOf(causes));
    if (text != told) tell_(told = std::move(text));
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(limits_.interval));
  }
}

aio::Task<absl::StatusOr<std::vector<std::string>>> Removal::PodsOf(Stage stage,
                                                                    const std::string& ns) {
  std::vector<std::string> pods;
  const auto add = [&](json::object pod) {
    if (EndsWith(stage, pod)) pods.push_back(PodText(pod));
    return absl::OkStatus();
  };
  const absl::StatusOr<std::string> version = co_await client_.List(api::kPods, {.ns = ns}, add);
  if (!version.ok()) co_return version.status();
  co_return pods;
}

aio::Task<absl::Status> Removal::WaitForPods(Stage stage, const std::vector<Doomed>& doomed,
                                             absl::Time end) {
  if (stage != Stage::kOperator && stage != Stage::kPodNetwork && stage != Stage::kHostNetwork) {
    co_return absl::OkStatus();
  }
  std::set<std::string> namespaces;
  for (const Doomed& one : doomed) namespaces.insert(one.key.ns);
  std::string told;
  while (true) {
    std::vector<std::string> pods;
    for (const std::string& ns : namespaces) {
      CALICO_CO_ASSIGN_OR_RETURN(const std::vector<std::string> some, co_await PodsOf(stage, ns));
      pods.insert(pods.end(), some.begin(), some.end());
    }
    if (pods.empty()) co_return absl::OkStatus();
    if (clock_.SteadyNow() >= end) {
      co_return absl::DeadlineExceededError(fmt::format(
          "pods have not ended: {}: look at them and their nodes (a node that is gone: `kubectl "
          "delete node`){}",
          FirstOf(pods), kAgain));
    }
    std::string text = fmt::format("  waiting for pods: {}", FirstOf(pods));
    if (text != told) tell_(told = std::move(text));
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(limits_.interval));
  }
}

}  // namespace calico::removal
