// Splits a Kubernetes List response into its items while it arrives, so that a list of 10,000
// objects never exists in memory at once.
//
//   codec::ListSplitter splitter;
//   while (...) CALICO_RETURN_IF_ERROR(splitter.Feed(chunk, decode_one_item));
//   CALICO_ASSIGN_OR_RETURN(codec::ListHeader header, splitter.Finish());
//
// No I/O, no JSON values: each item is handed on as text. The text is balanced, but only parsing it
// tells whether it is valid JSON. Another document than a List (a Status, say) gives no items, and
// its apiVersion and kind in the header.
#ifndef CALICO_PKG_CODEC_LIST_SPLITTER_H_
#define CALICO_PKG_CODEC_LIST_SPLITTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace calico::codec {

// What stands beside the items.
struct ListHeader {
  std::string api_version;
  std::string kind;
  std::string resource_version;
  std::string continue_token;  // Empty on the last page.
  std::optional<std::int64_t> remaining_item_count;
};

class ListSplitter {
 public:
  struct Limits {
    std::size_t max_item_bytes = 4 << 20;
    // Everything outside of the items.
    std::size_t max_header_bytes = 64 << 10;
    std::size_t max_depth = 64;
  };
  // Gets one item, valid during the call only. An error stops the splitting.
  using ItemFunction = absl::FunctionRef<absl::Status(std::string_view item)>;

  explicit ListSplitter(const Limits& limits) : limits_(limits) {}
  ListSplitter() : ListSplitter(Limits()) {}

  // Takes the next bytes of the response, which may begin and end anywhere.
  // Errors: InvalidArgument for what is no JSON; ResourceExhausted beyond the limits; what
  // `on_item` returned. After an error every further call returns it again.
  absl::Status Feed(std::string_view bytes, ItemFunction on_item);

  // Call once, after the last byte.
  // Errors: as Feed; Unavailable for a response that ends too early (ask again).
  absl::StatusOr<ListHeader> Finish();

 private:
  enum class State { kHeader, kBeforeItem, kInItem, kAfterItem };

  absl::Status FeedAll(std::string_view bytes, ItemFunction on_item);
  absl::Status HeaderByte(char c);
  void HeaderStringByte(char c);
  absl::Status BeginItems();
  absl::StatusOr<std::size_t> BetweenItems(char c);
  absl::StatusOr<std::size_t> ItemBytes(std::string_view bytes, ItemFunction on_item);
  absl::Status Emit(std::string_view tail, ItemFunction on_item);
  bool EndsItem(char c);

  Limits limits_;
  absl::Status failed_;
  State state_ = State::kHeader;
  // Of the string that is being read, in the header or in an item.
  bool in_string_ = false;
  bool escape_ = false;

  std::string header_;  // The document with `items` emptied.
  std::size_t header_depth_ = 0;
  std::size_t string_start_ = 0;  // In header_, of the last string at depth 1.
  bool string_is_items_ = false;  // That string is "items".
  bool items_follow_ = false;     // After the colon of "items".
  bool seen_items_ = false;

  bool after_comma_ = false;
  std::size_t item_depth_ = 0;
  std::string item_;  // The part of an item that came with earlier bytes.
};

}  // namespace calico::codec

#endif  // CALICO_PKG_CODEC_LIST_SPLITTER_H_
