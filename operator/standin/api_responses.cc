#include "operator/standin/api_responses.h"

#include <fmt/format.h>

namespace calico::standin {
namespace {

struct Answer {
  std::string_view path;
  std::string_view type;
  std::string_view body;
};

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain";
constexpr Answer kAnswers[] = {
    {"/readyz", kText, "ok"},
    {"/livez", kText, "ok"},
    {"/healthz", kText, "ok"},
    {"/version", kJson, R"({"major":"3","minor":"33","gitVersion":"v3.33.1"})"},
    {"/apis", kJson,
     R"({"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"projectcalico.org",)"
     R"("versions":[{"groupVersion":"projectcalico.org/v3","version":"v3"}],)"
     R"("preferredVersion":{"groupVersion":"projectcalico.org/v3","version":"v3"}}]})"},
    {"/apis/projectcalico.org", kJson,
     R"({"kind":"APIGroup","apiVersion":"v1","name":"projectcalico.org",)"
     R"("versions":[{"groupVersion":"projectcalico.org/v3","version":"v3"}],)"
     R"("preferredVersion":{"groupVersion":"projectcalico.org/v3","version":"v3"}})"},
    {"/apis/projectcalico.org/v3", kJson,
     R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"projectcalico.org/v3",)"
     R"("resources":[]})"},
    {"/openapi/v2", kJson,
     R"({"swagger":"2.0","info":{"title":"Calico","version":"v3"},"paths":{}})"},
    {"/openapi/v3", kJson, R"({"paths":{}})"},
};

constexpr std::string_view kNotFound =
    R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404})";

std::string Http(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

std::string Respond(std::string_view request_line) {
  const size_t start = request_line.find(' ');
  if (start == std::string_view::npos) return Http("400 Bad Request", kText, "");
  std::string_view path = request_line.substr(start + 1);
  path = path.substr(0, path.find_first_of(" ?"));
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Answer& answer : kAnswers) {
    if (answer.path == path) return Http("200 OK", answer.type, answer.body);
  }
  return Http("404 Not Found", kJson, kNotFound);
}

}  // namespace calico::standin
