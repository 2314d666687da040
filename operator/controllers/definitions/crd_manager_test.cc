#include "operator/controllers/definitions/crd_manager.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/crds.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::definitions {
namespace {

using base::IsOk;

const api::ObjectKey kInstallationsKey = {"", "installations.operator.tigera.io"};

// The names of all definitions.
std::vector<api::ObjectKey> Keys() {
  std::vector<api::ObjectKey> keys;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    const json::value definition = codec::ParseYaml(file.content).value();
    keys.push_back({"", std::string(definition.at("metadata").at("name").as_string())});
  }
  return keys;
}

class CrdManagerTest : public kube::FakeApiServerTest {
 protected:
  void Start(Crds which) {
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(Run(which));
  }
  aio::Task<void> Run(Crds which) { result_ = co_await ManageCrds(client(), which, logger()); }
  aio::Task<void> Until(std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition());
  }
  std::optional<json::object> Find(const api::ObjectKey& key) {
    return server().Find(api::kCustomResourceDefinitions, key);
  }
  bool HaveAll(const api::ObjectKey& but = {}) {
    const std::vector<api::ObjectKey> keys = Keys();
    return std::all_of(keys.begin(), keys.end(), [&](const api::ObjectKey& key) {
      return key == but || Find(key).has_value();
    });
  }
  // As the API server does once it serves the kind.
  void Establish(const api::ObjectKey& key) {
    json::object definition = *Find(key);
    definition["status"] =
        json::object{{"conditions", {{{"type", "Established"}, {"status", "True"}}}}};
    server().Put(std::move(definition));
  }
  aio::Task<void> Install() {
    Start(Crds::kAll);
    co_await Until([&] { return HaveAll(); });
    for (const api::ObjectKey& key : Keys()) Establish(key);
    co_await Until([&] { return result_.has_value(); });
    co_await group_->Stop();
    result_.reset();
    server().ClearRequests();
  }
  void ChangeSchema() {
    json::object definition = *Find(kInstallationsKey);
    definition["spec"].as_object()["scope"] = "Namespaced";
    server().Put(std::move(definition));
  }
  std::string Scope() {
    return std::string(Find(kInstallationsKey)->at("spec").at("scope").as_string());
  }

  std::unique_ptr<aio::TaskGroup> group_;
  std::optional<absl::Status> result_;
};

ASYNC_TEST_F(CrdManagerTest, CreatesThemAndWaitsUntilTheyAreServed) {
  EXPECT_EQ(Keys().size(), 6U);
  server().state().SetServed(api::kWhiskers, false);
  server().Inject({.method = "PATCH", .times = 2, .status = 500});
  server().Inject({.method = "PATCH", .times = 1, .status = 422, .reason = "Invalid"});
  Start(Crds::kMissing);
  co_await Until([&] { return HaveAll(); });
  EXPECT_EQ(server().pending_faults(), 0);
  for (const api::ObjectKey& key : Keys()) {
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(100)), IsOk());
    EXPECT_FALSE(result_.has_value()) << "without " << key.name;
    Establish(key);
  }
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  co_await group_->Stop();
}

TEST(OwnKindsTest, AreThoseOfTheDefinitions) {
  std::vector<std::string> names;
  for (const api::Resource* const kind : OwnKinds()) {
    names.push_back(fmt::format("{}.{}", kind->plural, kind->group));
  }
  std::vector<std::string> defined;
  for (const api::ObjectKey& key : Keys()) defined.push_back(key.name);
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(defined));
}

ASYNC_TEST_F(CrdManagerTest, ReadsNoDefinitionWhileAllKindsAreServed) {
  Start(Crds::kMissing);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  EXPECT_EQ(server().Count("", "customresourcedefinitions"), 0);
  co_await group_->Stop();
}

ASYNC_TEST_F(CrdManagerTest, OneThatIsForbiddenDoesNotHoldUpTheOthers) {
  const api::ObjectKey first = Keys().front();
  EXPECT_NE(first, kInstallationsKey);
  server().Inject(
      {.path_contains = first.name, .times = 1000, .status = 403, .reason = "Forbidden"});
  Start(Crds::kAll);
  co_await Until([&] { return HaveAll(first); });
  EXPECT_FALSE(Find(first).has_value());
  for (const api::ObjectKey& key : Keys()) {
    if (key != first) Establish(key);
  }
  EXPECT_FALSE(result_.has_value());
  server().ClearFaults();
  co_await Until([&] { return Find(first).has_value(); });
  Establish(first);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  co_await group_->Stop();
}

ASYNC_TEST_F(CrdManagerTest, OnlyTheLeaderChangesWhatIsThere) {
  co_await Install();
  ChangeSchema();
  server().state().SetServed(api::kWhiskers, false);
  Start(Crds::kMissing);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  EXPECT_EQ(Scope(), "Namespaced");
  EXPECT_EQ(server().Count("PATCH"), 0);
  co_await group_->Stop();
  result_.reset();

  Start(Crds::kAll);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  EXPECT_EQ(Scope(), "Cluster");
  EXPECT_EQ(server().Count("PATCH"), 1);
  co_await group_->Stop();
}

ASYNC_TEST_F(CrdManagerTest, WhatIsEqualIsNotWritten) {
  co_await Install();
  Start(Crds::kAll);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_EQ(server().Count("PATCH"), 0);
  co_await group_->Stop();
}

}  // namespace
}  // namespace calico::definitions
