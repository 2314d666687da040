#include "operator/controllers/definitions/calico_crds.h"

#include <functional>
#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/definitions/crd_decision.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::definitions {
namespace {

using base::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CalicoCrdsTest : public kube::FakeApiServerTest {
 protected:
  // The fake server serves these two whatever definitions it holds.
  static std::vector<WantedCrd> PoolsAndFelix() {
    std::vector<WantedCrd> wanted = WantedCrds("v3.33", "").value();
    wanted.erase(wanted.begin() + 2, wanted.end());
    EXPECT_EQ(wanted[0].name, "ippools.crd.projectcalico.org");
    return wanted;
  }
  void SetServed(bool served) {
    for (const api::Resource* const resource :
         {&api::kIpPools, &api::kFelixConfigurations, &api::kBgpConfigurations}) {
      server().state().SetServed(*resource, served);
    }
  }
  std::optional<json::object> Find(const std::string& name) {
    return server().Find(api::kCustomResourceDefinitions, {"", name});
  }
  aio::Task<void> Run() { result_ = co_await ApplyCalicoCrds(client(), PoolsAndFelix(), logger()); }
  aio::Task<void> Manage() {
    co_await ManageCalicoCrds(client(), PoolsAndFelix(), logger(),
                              [this](absl::StatusOr<std::vector<std::string>> problems) {
                                ++told_;
                                managed_ = std::move(problems);
                              });
  }
  aio::Task<void> Until(std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition());
  }

  std::optional<absl::StatusOr<std::vector<std::string>>> result_;
  int told_ = 0;
  absl::StatusOr<std::vector<std::string>> managed_;
};

ASYNC_TEST_F(CalicoCrdsTest, MakesThoseThatAreMissingAndWaitsUntilTheyAreServed) {
  SetServed(false);
  aio::TaskGroup group(executor());
  group.Spawn(Run());
  co_await Until([&] { return Find("felixconfigurations.crd.projectcalico.org").has_value(); });
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), IsOk());
  EXPECT_FALSE(result_.has_value());
  // Nobody asks for what is known not to be served.
  EXPECT_EQ(server().Count("GET", "customresourcedefinitions"), 0);
  SetServed(true);
  co_await Until([&] { return result_.has_value(); });
  EXPECT_THAT(*result_, IsOk());
  co_await group.Stop();
  EXPECT_EQ(
      Find("ippools.crd.projectcalico.org")->at("metadata").at("annotations").at(kSourceAnnotation),
      "v3.33");
}

ASYNC_TEST_F(CalicoCrdsTest, WhatIsThereIsReadOnceAndNotWritten) {
  co_await Run();
  EXPECT_EQ(server().Count("PATCH"), 2);  // served, but not there
  server().ClearRequests();
  co_await Run();
  EXPECT_THAT(*result_, IsOk());
  EXPECT_EQ(server().Count("PATCH"), 0);
  EXPECT_EQ(server().Count("GET", "customresourcedefinitions"), 2);
  EXPECT_EQ(server().Count("GET", "/apis/crd.projectcalico.org/v1"), 1);
}

ASYNC_TEST_F(CalicoCrdsTest, OneOfSomebodyElseStaysAndIsTold) {
  json::object theirs = PoolsAndFelix()[1].object;
  theirs["metadata"].as_object().erase("annotations");
  json::object& version = theirs["spec"].at("versions").as_array()[0].as_object();
  version["schema"] = json::object{{"openAPIV3Schema", {{"type", "object"}}}};
  server().Put(theirs);
  aio::TaskGroup group(executor());
  group.Spawn(Manage());
  co_await Until([&] { return told_ > 0; });
  EXPECT_THAT(managed_, base::IsOkAndHolds(
                            ElementsAre(HasSubstr("felixconfigurations.crd.projectcalico.org"))));
  EXPECT_EQ(Find("felixconfigurations.crd.projectcalico.org")->at("spec"), theirs.at("spec"));
  EXPECT_TRUE(Find("ippools.crd.projectcalico.org").has_value());
  co_await group.Stop();
}

ASYNC_TEST_F(CalicoCrdsTest, ARefusalIsToldAndTriedAgain) {
  server().Inject({.method = "PATCH", .times = 1, .status = 403, .reason = "Forbidden"});
  aio::TaskGroup group(executor());
  group.Spawn(Manage());
  co_await Until([&] { return told_ == 1; });
  EXPECT_THAT(managed_, base::StatusIs(absl::StatusCode::kPermissionDenied));
  co_await Until([&] { return told_ == 2; });
  EXPECT_THAT(managed_, base::IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(server().Count("DELETE"), 0);
  co_await group.Stop();
}

}  // namespace
}  // namespace calico::definitions
