#include "pkg/kube/client/request.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::StatusIs;
using ::testing::HasSubstr;

constexpr api::Resource kPods = {"", "v1", "pods", "Pod"};
constexpr api::Resource kNodes = {"", "v1", "nodes", "Node", false};
constexpr api::Resource kLeases = {"coordination.k8s.io", "v1", "leases", "Lease"};
constexpr api::Resource kReviews = {"authorization.k8s.io", "v1", "subjectaccessreviews",
                                    "SubjectAccessReview", false};
constexpr api::Resource kCsrs = {"certificates.k8s.io", "v1", "certificatesigningrequests",
                                 "CertificateSigningRequest", false};

json::object Named(std::string_view ns, std::string_view name) {
  json::object metadata;
  if (!ns.empty()) metadata["namespace"] = ns;
  if (!name.empty()) metadata["name"] = name;
  return {{"metadata", std::move(metadata)}};
}

TEST(RequestTest, Targets) {
  ApplyOptions forced{.field_manager = "calico operator", .force = true, .dry_run = true};
  const struct {
    absl::StatusOr<http::Request> request;
    const char* want;
  } kCases[] = {
      {GetRequest(kPods, {"ns", "a"}), "GET /api/v1/namespaces/ns/pods/a"},
      {GetRequest(kNodes, {"", "n.1"}), "GET /api/v1/nodes/n.1"},
      {GetRequest(kLeases, {"ns", "a"}), "GET /apis/coordination.k8s.io/v1/namespaces/ns/leases/a"},
      {GetRequest(kCsrs, {"", "calico-system:calico-node-5ckvq:9a3a10"}),
       "GET /apis/certificates.k8s.io/v1/certificatesigningrequests/"
       "calico-system%3Acalico-node-5ckvq%3A9a3a10"},
      {GetRequest(kCsrs, {"", "a b?#\xC3\xA4"}),
       "GET /apis/certificates.k8s.io/v1/certificatesigningrequests/a%20b%3F%23%C3%A4"},
      {ListRequest(kPods, {.page_size = 0}, ""), "GET /api/v1/pods"},
      {ListRequest(kPods, {.ns = "ns", .label_selector = "a in (b,c)", .page_size = 2}, ""),
       "GET /api/v1/namespaces/ns/pods?labelSelector=a%20in%20%28b%2Cc%29&limit=2"},
      {ListRequest(kPods, {.field_selector = "spec.nodeName=n"}, "to+k/en="),
       "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500&continue=to%2Bk%2Fen%3D"},
      {WatchRequest(kCsrs, {.field_selector = "spec.signerName=example.com/signer",
                            .resource_version = "12"}),
       "GET /apis/certificates.k8s.io/v1/certificatesigningrequests?watch=true&"
       "allowWatchBookmarks=true&resourceVersion=12&timeoutSeconds=480&"
       "fieldSelector=spec.signerName%3Dexample.com%2Fsigner"},
      {WatchRequest(kPods, {.ns = "ns", .duration = absl::Milliseconds(10)}),
       "GET /api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=1"},
      {CreateRequest(kPods, Named("ns", "a")), "POST /api/v1/namespaces/ns/pods"},
      {CreateRequest(kNodes, Named("", "a")), "POST /api/v1/nodes"},
      {CreateRequest(kReviews, {}), "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"},
      {UpdateRequest(kPods, Named("ns", "a"), ""), "PUT /api/v1/namespaces/ns/pods/a"},
      {UpdateRequest(kCsrs, Named("", "a"), "approval"),
       "PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/a/approval"},
      {PatchRequest(kPods, {"ns", "a"}, {}, "status"), "PATCH /api/v1/namespaces/ns/pods/a/status"},
      {ApplyRequest(kNodes, Named("", "a"), {}, ""),
       "PATCH /api/v1/nodes/a?fieldManager=calico-operator"},
      {ApplyRequest(kNodes, Named("", "a"), forced, "status"),
       "PATCH /api/v1/nodes/a/status?fieldManager=calico%20operator&force=true&dryRun=All"},
      {DeleteRequest(kPods, {"ns", "a"}, {}), "DELETE /api/v1/namespaces/ns/pods/a"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.want);
    ASSERT_TRUE(c.request.ok()) << c.request.status();
    EXPECT_EQ(c.request->method + " " + c.request->target, c.want);
    EXPECT_EQ(http::FindHeader(c.request->headers, "Accept"), "application/json");
  }
}

TEST(RequestTest, MetadataAloneIsAskedForAsAPartialObject) {
  const absl::StatusOr<http::Request> request = GetMetadataRequest(kNodes, {"", "a"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->target, "/api/v1/nodes/a");
  EXPECT_EQ(http::FindHeader(request->headers, "Accept"),
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

TEST(RequestTest, RefusesWhatCannotBeAddressed) {
  json::object generated{{"metadata", {{"generateName", "a-"}, {"namespace", "ns"}}}};
  EXPECT_TRUE(CreateRequest(kPods, generated).ok());
  const absl::StatusOr<http::Request> kCases[] = {
      GetRequest(kPods, {"ns", ""}),
      GetRequest(kPods, {"", "a"}),
      GetRequest(kNodes, {"ns", "a"}),
      GetRequest(kNodes, {"", ".."}),
      GetRequest(kNodes, {"", "."}),
      GetRequest(kNodes, {"", "a/status"}),
      GetRequest(kNodes, {"", "a%2fstatus"}),
      GetRequest(kPods, {"../kube-system", "a"}),
      ListRequest(kNodes, {.ns = "ns"}, ""),
      ListRequest(kPods, {.ns = ".."}, ""),
      WatchRequest(kNodes, {.ns = "ns"}),
      CreateRequest(kPods, Named("ns", "")),
      CreateRequest(kPods, Named("", "a")),
      CreateRequest(kPods, {}),
      UpdateRequest(kPods, Named("ns", ""), ""),
      PatchRequest(kPods, {"ns", ""}, {}, ""),
      ApplyRequest(kPods, Named("ns", ""), {}, ""),
      ApplyRequest(kPods, json::object(), {}, ""),
      ApplyRequest(kPods, Named("ns", "a"), {.field_manager = ""}, ""),
      DeleteRequest(kPods, {"ns", ""}, {}),
      DeleteRequest(kPods, {"", ""}, {}),
  };
  for (size_t i = 0; i < std::size(kCases); ++i) {
    EXPECT_THAT(kCases[i], StatusIs(absl::StatusCode::kInvalidArgument)) << i;
  }
}

TEST(RequestTest, BodiesAndContentTypes) {
  const http::Request create = *CreateRequest(kNodes, Named("", "a"));
  EXPECT_EQ(create.body, R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(http::FindHeader(create.headers, "Content-Type"), "application/json");
  const http::Request patch = *PatchRequest(kNodes, {"", "a"}, {{"x", nullptr}}, "");
  EXPECT_EQ(patch.body, R"({"x":null})");
  EXPECT_EQ(http::FindHeader(patch.headers, "Content-Type"), "application/merge-patch+json");
  json::object applied = Named("", "a");
  applied["metadata"].as_object()["managedFields"] = json::array{1};
  const http::Request apply = *ApplyRequest(kNodes, applied, {}, "");
  EXPECT_EQ(apply.body, R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(http::FindHeader(apply.headers, "Content-Type"), "application/apply-patch+yaml");
}

TEST(RequestTest, DeleteOptionsCarryPreconditions) {
  EXPECT_EQ(DeleteRequest(kNodes, {"", "a"}, {})->body,
            R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"})");
  EXPECT_THAT(DeleteRequest(kNodes, {"", "a"}, {.uid = "u", .resource_version = "7"})->body,
              HasSubstr(R"("preconditions":{"uid":"u","resourceVersion":"7"})"));
}

TEST(RequestTest, Descriptions) {
  EXPECT_EQ(DescribeCall("get", kPods, {"ns", "a"}), "get Pod ns/a");
  EXPECT_EQ(DescribeCall("list", kPods, {}), "list Pod");
  EXPECT_EQ(DescribeCall("watch", kPods, {"ns", ""}), "watch Pod in ns");
  EXPECT_EQ(DescribeCall("update", kCsrs, {"", "a"}, "approval"),
            "update CertificateSigningRequest/approval a");
}

}  // namespace
}  // namespace calico::kube
