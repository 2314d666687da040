#include "operator/calicert/cfssl/error.h"

#include <charconv>

#include <absl/strings/cord.h>
#include <fmt/format.h>

#include "pkg/codec/json.h"

namespace calico::calicert::cfssl {
namespace {

constexpr char kPayload[] = "calico.calicert/cfssl-code";

}  // namespace

absl::Status CodedError(int code, std::string_view message) {
  absl::Status status = absl::InvalidArgumentError({message.data(), message.size()});
  const std::string number = std::to_string(code);
  status.SetPayload(kPayload, absl::Cord(absl::string_view(number)));
  return status;
}

std::optional<int> CodeOf(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

std::string ErrorText(const absl::Status& error) {
  std::string message(error.message());
  const std::optional<int> code = CodeOf(error);
  if (!code.has_value()) return message;
  const std::string quoted = codec::Serialize(json::value(message.c_str()));
  return fmt::format(R"({{"code":{},"message":{}}})", *code, quoted);
}

}  // namespace calico::calicert::cfssl
