#include "pkg/kube/testing/api_request.h"

#include <utility>

namespace calico::kube {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool ParseQuery(std::string_view text, codec::StringMap& query) {
  if (text.empty()) return true;
  for (std::string_view pair : Split(text, '&')) {
    const size_t equals = pair.find('=');
    const auto key = PercentDecode(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos
                           ? std::optional<std::string>("")
                           : PercentDecode(pair.substr(equals + 1), true);
    if (!key || !value) return false;
    query[*key] = *value;
  }
  return true;
}

// Takes the decoded segments of a resource path apart; leaves `request` alone for any other path.
void ParseResource(std::vector<std::string> segments, ApiRequest& request) {
  size_t at = 0;
  if (segments.size() >= 3 && segments[0] == "api") {
    request.version = segments[1];
    at = 2;
  } else if (segments.size() >= 4 && segments[0] == "apis") {
    request.group = segments[1];
    request.version = segments[2];
    at = 3;
  } else {
    return;
  }
  // /namespaces/NAME/PLURAL... against /namespaces/NAME of the Namespace itself and its status.
  const bool scoped = segments[at] == "namespaces" && segments.size() > at + 2 &&
                      segments[at + 2] != "status" && segments[at + 2] != "finalize";
  if (scoped) {
    request.ns = segments[at + 1];
    at += 2;
  }
  const auto take = [&segments, &at] {
    return at < segments.size() ? std::move(segments[at++]) : std::string();
  };
  request.plural = take();
  request.name = take();
  request.subresource = take();
}

}  // namespace

std::string ApiRequest::Query(std::string_view key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

bool ApiRequest::is_watch() const {
  const std::string watch = Query("watch");
  return method == "GET" && name.empty() && (watch == "true" || watch == "1");
}

std::string ApiRequest::FieldManager() const {
  if (std::string manager = Query("fieldManager"); !manager.empty()) return manager;
  return user_agent.substr(0, user_agent.find('/'));
}

bool ParseTarget(std::string_view target, ApiRequest& request) {
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (!path.starts_with('/')) return false;
  if (question != std::string_view::npos &&
      !ParseQuery(target.substr(question + 1), request.query)) {
    return false;
  }
  std::vector<std::string> segments;
  for (std::string_view part : Split(path.substr(1), '/')) {
    std::optional<std::string> segment = PercentDecode(part, false);
    if (!segment) return false;
    request.path += "/" + *segment;
    segments.push_back(*std::move(segment));
  }
  ParseResource(std::move(segments), request);
  return true;
}

ApiReply Failure(int code, std::string_view reason, std::string message, json::object details) {
  json::object status{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object()},
                      {"status", "Failure"}, {"message", message}, {"reason", reason}};
  if (!details.empty()) status["details"] = std::move(details);
  status["code"] = code;
  return {code, std::move(status)};
}

}  // namespace calico::kube
