#include "pkg/codec/yaml_position.h"

#include <cstddef>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace calico::codec {
namespace {

// yaml-cpp calls itself for each level, without a limit of its own.
constexpr size_t kMaxDepth = 64;
struct TooDeep : std::exception {};

// "members", "0", "peerURLs" of `members[0].peerURLs`: whether a part is a key or a number is told
// by what it is looked up in.
std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.' || c == '[') {
      parts.emplace_back();
    } else if (c != ']') {
      parts.back() += c;
    }
  }
  return parts;
}

// Walks along the path while the text goes by.
class Finder final : public YAML::EventHandler {
 public:
  explicit Finder(std::string_view path) : parts_(PartsOf(path)) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Visit(mark, ""); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Visit(mark, ""); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& text) override {
    Visit(mark, text);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, false);
  }
  void OnSequenceEnd() override { stack_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, true);
  }
  void OnMapEnd() override { stack_.pop_back(); }

  std::optional<YamlPosition> found() const { return found_; }

 private:
  struct Frame {
    bool is_map = false;
    bool on_path = false;        // all parts as far as this container fit
    bool value_is_next = false;  // of a mapping
    bool key_fits = false;
    size_t count = 0;  // of a sequence
  };

  void Open(const YAML::Mark& mark, bool is_map) {
    if (stack_.size() >= kMaxDepth) throw TooDeep();
    const bool on_path = Visit(mark, "");
    stack_.push_back({.is_map = is_map, .on_path = on_path});
  }

  // Returns whether what begins here is on the path.
  bool Visit(const YAML::Mark& mark, const std::string& text) {
    if (stack_.empty()) return true;
    Frame& frame = stack_.back();
    const bool is_value = frame.is_map && frame.value_is_next;
    frame.value_is_next = frame.is_map && !is_value;
    if (is_value) return frame.key_fits;
    const size_t depth = stack_.size() - 1;
    const std::string name = frame.is_map ? text : std::to_string(frame.count++);
    const bool fits = frame.on_path && depth < parts_.size() && parts_[depth] == name;
    frame.key_fits = fits;
    if (fits) found_ = YamlPosition{mark.line + 1, mark.column + 1};
    return fits;
  }

  const std::vector<std::string> parts_;
  std::vector<Frame> stack_;
  std::optional<YamlPosition> found_;
};

}  // namespace

std::optional<YamlPosition> FindInYaml(std::string_view text, std::string_view path) {
  Finder finder(path);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(finder);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return finder.found();
}

}  // namespace calico::codec
