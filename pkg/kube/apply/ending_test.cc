#include "pkg/kube/apply/ending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/meta/resources.h"
#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

using testing::HasSubstr;
using testing::Not;

json::object Object(std::string_view yaml) { return codec::ParseYaml(yaml)->as_object(); }

TEST(EndingTest, NamesTheObjectAndItsFinalizers) {
  const Ending ending = EndingOf(api::kServiceAccounts,
                                 Object("{metadata: {name: a, namespace: ns, deletionTimestamp: "
                                        "'2026-01-01T00:00:00Z', finalizers: [example.com/p]}}"));
  EXPECT_EQ(ending.message,
            "ServiceAccount ns/a is being deleted and waits for finalizer example.com/p; it is "
            "made anew when it has gone");
  EXPECT_EQ(ending.since, absl::FromUnixSeconds(1767225600));
}

TEST(EndingTest, OfANamespaceTellsWhatRemains) {
  const Ending ending = EndingOf(
      api::kNamespaces,
      Object("{metadata: {name: ns, deletionTimestamp: '2026-01-01T00:00:00Z'}, status: "
             "{conditions: [{type: NamespaceContentRemaining, status: 'True', message: 'Some "
             "resources are remaining: configmaps. has 1 resource instances'}, {type: "
             "NamespaceDeletionContentFailure, status: 'False', message: all}]}}"));
  EXPECT_THAT(ending.message,
              HasSubstr("Namespace ns is being deleted and waits for what is in it "
                        "(NamespaceContentRemaining: Some resources are remaining: configmaps. has "
                        "1 resource instances); it is made anew"));
  EXPECT_THAT(ending.message, Not(HasSubstr("ContentFailure")));
}

TEST(EndingTest, ManyFinalizersAreCut) {
  const Ending ending =
      EndingOf(api::kServiceAccounts, Object("{metadata: {name: a, finalizers: [a, b, c, d, e]}}"));
  EXPECT_THAT(ending.message, HasSubstr("finalizers a, b, c, d, ...;"));
}

}  // namespace
}  // namespace calico::kube
