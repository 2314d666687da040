// YAML's values by way of yaml-cpp, whose exceptions end here.

#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "pkg/base/status_macros.h"
#include "pkg/base/utf8.h"
#include "pkg/codec/yaml.h"
#include "pkg/codec/yaml_scalar.h"

namespace calico::codec {
namespace {

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

// Stops yaml-cpp from inside a callback.
struct Stop : std::exception {};

std::string At(const YAML::Mark& mark) {
  return fmt::format("line {}, column {}", mark.line + 1, mark.column + 1);
}

// Builds JSON values from yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, anchor, "?");
    Add(mark, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases are not supported");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Check(mark, anchor, tag);
    if (tag != "?") return Add(mark, json::string(text));
    if (text == "<<" && InMapWithoutKey()) Refuse(mark, "merge keys are not supported");
    std::optional<json::value> value = ResolvePlainScalar(text);
    if (!value.has_value()) Refuse(mark, "not a finite number");
    Add(mark, *std::move(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Check(mark, anchor, tag);
    Open(mark, json::array());
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Check(mark, anchor, tag);
    Open(mark, json::object());
  }
  void OnMapEnd() override { Close(); }

  // After a document: its value, or null when it held nothing.
  json::value TakeDocument() { return std::exchange(document_, nullptr); }
  const absl::Status& failed() const { return failed_; }

 private:
  struct Frame {
    json::value container;
    std::optional<std::string> key;  // Of the member whose value comes next.
    YAML::Mark mark;
  };

  [[noreturn]] void Fail(absl::Status status) {
    failed_ = std::move(status);
    throw Stop();
  }
  [[noreturn]] void Refuse(const YAML::Mark& mark, std::string_view why) {
    Fail(absl::InvalidArgumentError(fmt::format("parse YAML: {}: {}", At(mark), why)));
  }

  void Check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != YAML::NullAnchor) Refuse(mark, "anchors are not supported");
    if (!tag.empty() && tag != "?" && tag != "!" && tag != kStringTag) {
      Refuse(mark, "tags are not supported");
    }
    if (++nodes_ > limits_.max_nodes) {
      Fail(absl::ResourceExhaustedError(
          fmt::format("parse YAML: more than {} values", limits_.max_nodes)));
    }
  }

  bool InMapWithoutKey() const {
    return !stack_.empty() && stack_.back().container.is_object() && !stack_.back().key;
  }

  void Open(const YAML::Mark& mark, json::value container) {
    if (InMapWithoutKey()) Refuse(mark, "a key must be a scalar");
    if (stack_.size() >= limits_.max_depth) {
      Fail(absl::ResourceExhaustedError(
          fmt::format("parse YAML: nested deeper than {}", limits_.max_depth)));
    }
    stack_.push_back({std::move(container), std::nullopt, mark});
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Add(frame.mark, std::move(frame.container));
  }

  void Add(const YAML::Mark& mark, json::value value) {
    if (stack_.empty()) {
      document_ = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (json::array* array = frame.container.if_array()) {
      array->push_back(std::move(value));
    } else if (!frame.key.has_value()) {
      frame.key = KeyText(mark, value);
    } else {
      frame.container.get_object().emplace(*frame.key, std::move(value));
      frame.key.reset();
    }
  }

  std::string KeyText(const YAML::Mark& mark, const json::value& value) {
    std::string key;
    if (const json::string* text = value.if_string()) {
      key = View(*text);
    } else if (const bool* flag = value.if_bool()) {
      key = *flag ? "true" : "false";
    } else if (const std::int64_t* number = value.if_int64()) {
      key = std::to_string(*number);
    } else {
      Refuse(mark, "a key must be a string");
    }
    if (stack_.back().container.get_object().contains(key)) Refuse(mark, "key given twice");
    return key;
  }

  const YamlLimits limits_;
  std::size_t nodes_ = 0;
  std::vector<Frame> stack_;
  json::value document_;
  absl::Status failed_;
};

// yaml-cpp guesses other encodings and lets broken UTF-8 pass.
absl::Status CheckCharacters(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const std::size_t length = base::Utf8SequenceLength(text.substr(i, 4));
    if (is_control || byte == 0x7f || length == 0) {
      return absl::InvalidArgumentError(fmt::format(
          "parse YAML: byte {}: {}", i, length == 0 ? "not UTF-8" : "control character"));
    }
    i += length;
  }
  return absl::OkStatus();
}

// yaml-cpp 0.7 takes a quoted scalar for complete when the text ends after white space inside it. A
// comment as last line makes it see the missing quote, and means nothing anywhere else.
std::string WithLastComment(std::string_view text) {
  std::string out(text);
  if (!out.empty() && (out.back() == ' ' || out.back() == '\t' || out.back() == '\r')) out += '\n';
  if (!out.empty() && out.back() == '\n') out += '#';
  return out;
}

}  // namespace

absl::StatusOr<std::vector<json::value>> ParseYamlDocuments(std::string_view text,
                                                            const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return absl::ResourceExhaustedError(fmt::format(
        "parse YAML: {} bytes, more than the {} allowed", text.size(), limits.max_bytes));
  }
  CALICO_RETURN_IF_ERROR(CheckCharacters(text));
  std::vector<json::value> documents;
  Builder builder(limits);
  try {
    std::istringstream stream(WithLastComment(text));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      json::value document = builder.TakeDocument();
      if (!document.is_null()) documents.push_back(std::move(document));
    }
  } catch (const Stop&) {
    return builder.failed();
  } catch (const YAML::Exception& e) {
    // e.msg is one of yaml-cpp's fixed texts; what() may be longer.
    return absl::InvalidArgumentError(fmt::format("parse YAML: {}: {}", At(e.mark), e.msg));
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(fmt::format("parse YAML: {}", e.what()));
  }
  return documents;
}

absl::StatusOr<json::value> ParseYaml(std::string_view text, const YamlLimits& limits) {
  CALICO_ASSIGN_OR_RETURN(std::vector<json::value> documents, ParseYamlDocuments(text, limits));
  if (documents.size() == 1) return std::move(documents.front());
  return absl::InvalidArgumentError(
      fmt::format("parse YAML: expected one document, got {}", documents.size()));
}

}  // namespace calico::codec
