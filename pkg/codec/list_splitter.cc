#include "pkg/codec/list_splitter.h"

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::codec {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("read list: {}", what));
}

absl::Status TooLarge(std::string_view what, std::size_t limit) {
  return absl::ResourceExhaustedError(fmt::format("read list: {} {}", what, limit));
}

}  // namespace

absl::Status ListSplitter::Feed(std::string_view bytes, ItemFunction on_item) {
  if (failed_.ok()) failed_ = FeedAll(bytes, on_item);
  return failed_;
}

absl::Status ListSplitter::FeedAll(std::string_view bytes, ItemFunction on_item) {
  while (!bytes.empty()) {
    std::size_t used = 1;
    switch (state_) {
      case State::kHeader:
        CALICO_RETURN_IF_ERROR(HeaderByte(bytes.front()));
        break;
      case State::kBeforeItem:
      case State::kAfterItem: {
        CALICO_ASSIGN_OR_RETURN(used, BetweenItems(bytes.front()));
        break;
      }
      case State::kInItem: {
        CALICO_ASSIGN_OR_RETURN(used, ItemBytes(bytes, on_item));
        break;
      }
    }
    bytes.remove_prefix(used);
  }
  return absl::OkStatus();
}

absl::Status ListSplitter::HeaderByte(char c) {
  if (header_.size() >= limits_.max_header_bytes) {
    return TooLarge("more bytes beside the items than", limits_.max_header_bytes);
  }
  const bool items_follow = items_follow_;
  if (!IsSpace(c)) items_follow_ = false;
  header_ += c;
  if (in_string_) {
    HeaderStringByte(c);
    return absl::OkStatus();
  }
  switch (c) {
    case '"':
      in_string_ = true;
      string_start_ = header_.size();
      break;
    case ':':
      items_follow_ = header_depth_ == 1 && string_is_items_;
      break;
    case '{':
    case '[':
      if (c == '[' && items_follow) return BeginItems();
      ++header_depth_;
      break;
    case '}':
    case ']':
      if (header_depth_ == 0) return Malformed("unbalanced brackets");
      --header_depth_;
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

void ListSplitter::HeaderStringByte(char c) {
  if (escape_) {
    escape_ = false;
  } else if (c == '\\') {
    escape_ = true;
  } else if (c == '"') {
    in_string_ = false;
    const std::size_t length = header_.size() - 1 - string_start_;
    string_is_items_ = std::string_view(header_).substr(string_start_, length) == "items";
  }
}

absl::Status ListSplitter::BeginItems() {
  if (seen_items_) return Malformed("items given twice");
  seen_items_ = true;
  header_ += ']';
  state_ = State::kBeforeItem;
  return absl::OkStatus();
}

// Returns how many bytes are used: none when an item begins.
absl::StatusOr<std::size_t> ListSplitter::BetweenItems(char c) {
  if (IsSpace(c)) return 1;
  if (c == ']' && !after_comma_) {
    state_ = State::kHeader;
    return 1;
  }
  if (state_ == State::kAfterItem) {
    if (c != ',') return Malformed("expected a comma between items");
    after_comma_ = true;
    state_ = State::kBeforeItem;
    return 1;
  }
  if (c != '{') return Malformed("expected an object as item");
  after_comma_ = false;
  state_ = State::kInItem;
  return 0;
}

// True for the bracket that closes the item.
bool ListSplitter::EndsItem(char c) {
  if (in_string_) {
    if (escape_) {
      escape_ = false;
    } else if (c == '\\') {
      escape_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return false;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++item_depth_;
  return (c == '}' || c == ']') && --item_depth_ == 0;
}

absl::StatusOr<std::size_t> ListSplitter::ItemBytes(std::string_view bytes, ItemFunction on_item) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (item_.size() + i >= limits_.max_item_bytes) {
      return TooLarge("an item of more bytes than", limits_.max_item_bytes);
    }
    if (EndsItem(bytes[i])) {
      CALICO_RETURN_IF_ERROR(Emit(bytes.substr(0, i + 1), on_item));
      return i + 1;
    }
    if (item_depth_ > limits_.max_depth) {
      return TooLarge("an item nested deeper than", limits_.max_depth);
    }
  }
  item_ += bytes;
  return bytes.size();
}

absl::Status ListSplitter::Emit(std::string_view tail, ItemFunction on_item) {
  state_ = State::kAfterItem;
  if (item_.empty()) return on_item(tail);  // It came in one piece: no copy.
  item_ += tail;
  const absl::Status status = on_item(item_);
  item_.clear();
  return status;
}

absl::StatusOr<ListHeader> ListSplitter::Finish() {
  CALICO_RETURN_IF_ERROR(failed_);
  if (state_ != State::kHeader || in_string_ || header_depth_ > 0 || header_.empty()) {
    failed_ = absl::UnavailableError("read list: response ends too early");
    return failed_;
  }
  const ParseLimits limits{.max_bytes = limits_.max_header_bytes + 1,
                           .max_depth = limits_.max_depth};
  absl::StatusOr<json::object> object = ParseJsonObject(header_, limits);
  if (!object.ok()) return base::Annotate(object.status(), "read list");
  Decoder decoder("List");
  const ObjectReader list = decoder.Read(*object);
  const ObjectReader metadata = list.Object("metadata");
  ListHeader header{.api_version = list.String("apiVersion"),
                    .kind = list.String("kind"),
                    .resource_version = metadata.String("resourceVersion"),
                    .continue_token = metadata.String("continue"),
                    .remaining_item_count = metadata.OptionalInt64("remainingItemCount")};
  const json::value* items = list.Find("items");
  if (items != nullptr && (!items->is_array() || !items->get_array().empty())) {
    return Malformed("items is no plain array");
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return header;
}

}  // namespace calico::codec
