#include "pkg/kube/client/errors.h"

#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <absl/strings/cord.h>
#include <absl/strings/match.h>
#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"

namespace calico::kube {
namespace {

constexpr char kPayloadUrl[] = "calico/kube.ApiError";
constexpr size_t kMaxMessageBytes = 2048;
constexpr size_t kMaxCauses = 64;
constexpr int kMaxRetryAfterSeconds = 24 * 3600;

absl::StatusCode CodeOf(int http_status, std::string_view reason) {
  // Some reasons travel under several HTTP codes (a watch's ERROR event has only the reason).
  if (reason == "Expired" || reason == "Gone") return absl::StatusCode::kOutOfRange;
  if (reason == "AlreadyExists") return absl::StatusCode::kAlreadyExists;
  if (reason == "Conflict") return absl::StatusCode::kAborted;
  switch (http_status) {
    case 400:
    case 406:
    case 413:
    case 415:
    case 422:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 405:
      return absl::StatusCode::kUnimplemented;
    case 408:
      return absl::StatusCode::kUnavailable;
    case 409:
      return absl::StatusCode::kAborted;
    case 410:
      return absl::StatusCode::kOutOfRange;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    default:
      break;
  }
  if (http_status >= 500) return absl::StatusCode::kUnavailable;
  // A redirect, an informational answer, or a 4xx that Kubernetes does not send: no Kubernetes
  // here.
  return absl::StatusCode::kFailedPrecondition;
}

// At most kMaxMessageBytes of `text`, on one line, not cut within a UTF-8 sequence.
std::string OneLine(std::string_view text) {
  const bool cut = text.size() > kMaxMessageBytes;
  if (cut) {
    text = text.substr(0, kMaxMessageBytes);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) {
      text.remove_suffix(1);
    }
    if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) {
      text.remove_suffix(1);
    }
  }
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (cut) line += " ...";
  return line;
}

json::object EncodePayload(const ApiError& error) {
  json::object payload;
  payload["code"] = error.http_status;
  payload["reason"] = error.reason;
  if (error.retry_after) payload["retryAfter"] = absl::ToInt64Seconds(*error.retry_after);
  json::array causes;
  for (const api::StatusCause& cause : error.causes) {
    causes.push_back(
        json::object{{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
  }
  payload["causes"] = std::move(causes);
  return payload;
}

absl::Status MakeError(ApiError error, std::string_view message) {
  absl::Status status(CodeOf(error.http_status, error.reason), OneLine(message));
  if (error.causes.size() > kMaxCauses) error.causes.resize(kMaxCauses);
  // Through a view: clang and the compiler of Debian's Abseil name Cord(std::string&&) differently.
  const std::string payload = codec::Serialize(EncodePayload(error));
  status.SetPayload(kPayloadUrl, absl::Cord(absl::string_view(payload)));
  return status;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(codec::View(value->get_string()));
}

}  // namespace

absl::Status Undecodable(const absl::Status& status, std::string_view context) {
  if (!absl::IsInvalidArgument(status)) return base::Annotate(status, context);
  const std::string_view cause(status.message().data(), status.message().size());
  return absl::DataLossError(fmt::format("{}: {}", context, cause));
}

absl::Status ErrorFromApiStatus(const api::ApiStatus& status) {
  const std::string message =
      !status.message.empty() ? status.message
      : !status.reason.empty()
          ? status.reason
          : fmt::format("the server answered {} without a message", status.code);
  return MakeError({.http_status = status.code,
                    .reason = status.reason,
                    .causes = status.causes,
                    .retry_after = status.retry_after},
                   message);
}

absl::Status ErrorFromResponse(const http::Response& response) {
  const std::optional<absl::Duration> retry_after = RetryAfter(response.headers);
  const absl::StatusOr<json::object> object = codec::ParseJsonObject(response.body);
  if (object.ok()) {
    absl::StatusOr<api::ApiStatus> status = api::ApiStatus::Decode(*object);
    if (status.ok()) {
      status->code = response.status;
      if (retry_after) status->retry_after = retry_after;
      return ErrorFromApiStatus(*status);
    }
  }
  const std::string body = OneLine(response.body);
  return MakeError({.http_status = response.status, .retry_after = retry_after},
                   body.empty() ? fmt::format("the server answered {}", response.status)
                                : fmt::format("the server answered {}: {}", response.status, body));
}

std::optional<ApiError> FindApiError(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload) return std::nullopt;
  const absl::StatusOr<json::object> object = codec::ParseJsonObject(std::string(*payload));
  if (!object.ok()) return std::nullopt;
  ApiError error{.reason = Text(*object, "reason")};
  if (const json::value* code = object->if_contains("code")) {
    error.http_status = static_cast<int>(code->as_int64());
  }
  if (const json::value* seconds = object->if_contains("retryAfter")) {
    error.retry_after = absl::Seconds(seconds->as_int64());
  }
  for (const json::value& cause : object->at("causes").as_array()) {
    const json::object& fields = cause.as_object();
    error.causes.push_back({.reason = Text(fields, "reason"),
                            .message = Text(fields, "message"),
                            .field = Text(fields, "field")});
  }
  return error;
}

bool IsRefusal(const absl::Status& status) {
  const std::optional<ApiError> error = FindApiError(status);
  if (!error.has_value() || error->http_status < 400 || error->http_status >= 500) return false;
  switch (error->http_status) {
    case 401:
    case 408:
    case 410:
    case 429:
      return false;
    default:
      return true;
  }
}

std::string StatusReason(const absl::Status& status) {
  std::optional<ApiError> error = FindApiError(status);
  return error ? std::move(error->reason) : std::string();
}

std::optional<absl::Duration> RetryAfter(const http::Headers& headers) {
  const std::optional<std::string_view> value = http::FindHeader(headers, "Retry-After");
  if (!value) return std::nullopt;
  int seconds = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error != std::errc() || end != value->data() + value->size()) return std::nullopt;
  if (seconds < 0 || seconds > kMaxRetryAfterSeconds) return std::nullopt;
  return absl::Seconds(seconds);
}

std::vector<std::string> Warnings(const http::Headers& headers) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : headers) {
    if (!absl::EqualsIgnoreCase(name, "Warning")) continue;
    // warn-value = 299 SP agent SP quoted-string, several joined by commas (RFC 7234 5.5).
    std::string_view rest = value;
    for (size_t at = rest.find("299 "); at != std::string_view::npos; at = rest.find("299 ")) {
      const size_t open = rest.find('"', at);
      if (open == std::string_view::npos) break;
      std::string text;
      size_t i = open + 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        text += rest[i];
      }
      if (i >= rest.size()) break;  // no closing quote
      texts.push_back(OneLine(text));
      rest.remove_prefix(i + 1);
    }
  }
  return texts;
}

}  // namespace calico::kube
