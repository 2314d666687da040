#include "pkg/api/core/secret.h"

#include <utility>

#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {

std::string_view Secret::Get(std::string_view key) const {
  const auto entry = data.find(key);
  return entry == data.end() ? std::string_view() : entry->second.view();
}

absl::StatusOr<Secret> Secret::Decode(const json::object& object) {
  codec::Decoder decoder("Secret");
  const codec::ObjectReader root = decoder.Read(object);
  Secret secret{
      .meta = ReadObjectMeta(root, {.labels = true, .annotations = true, .owner_references = true}),
      .type = root.String("type"),
      .data = {}};
  root.ForEachEntry("data", [&](std::string_view key, std::string_view text) {
    base::SecretString value = base::SecretString::OfSize(base::Base64Bound(text.size()));
    const absl::StatusOr<size_t> size = base::Base64DecodeTo(text, value.data());
    if (!size.ok()) return root.Fail("data", "a value that is not base64");
    value.Shorten(*size);
    secret.data.emplace(key, base::SharedSecret(std::move(value)));
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return secret;
}

json::object EncodeSecretData(const SecretData& data) {
  json::object encoded;
  for (const auto& [key, value] : data) encoded[key] = base::Base64Encode(value.view());
  return encoded;
}

}  // namespace calico::api
