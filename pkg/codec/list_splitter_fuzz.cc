// However the bytes are cut, ListSplitter gives the same items, and agrees with the JSON parser
// about them. The first byte of the input is the length of the pieces.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/list_splitter.h"

namespace {

using calico::codec::ListHeader;
using calico::codec::ListSplitter;

struct Result {
  std::vector<std::string> items;
  absl::StatusOr<ListHeader> header = absl::UnknownError("");
};

Result Split(std::string_view text, std::size_t piece) {
  Result result;
  ListSplitter splitter({.max_item_bytes = 4096, .max_header_bytes = 4096, .max_depth = 16});
  for (std::size_t i = 0; i < text.size(); i += piece) {
    const absl::Status status = splitter.Feed(text.substr(i, piece), [&](std::string_view item) {
      CALICO_CHECK(item.size() <= 4096);
      result.items.emplace_back(item);
      return absl::OkStatus();
    });
    if (!status.ok()) break;
  }
  result.header = splitter.Finish();
  return result;
}

// A document that JSON accepts gives the items that are in it.
void CompareWithParser(std::string_view text, const Result& result) {
  const auto document = calico::codec::ParseJsonObject(text);
  if (!document.ok() || !result.header.ok()) return;
  const calico::json::value* items = document->if_contains("items");
  const std::size_t want = items != nullptr && items->is_array() ? items->get_array().size() : 0;
  CALICO_CHECK(result.items.size() == want);
  for (std::size_t i = 0; i < want; ++i) {
    const auto item = calico::codec::ParseJson(result.items[i]);
    CALICO_CHECK(item.ok() && *item == items->get_array()[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Result whole = Split(text, std::max<std::size_t>(text.size(), 1));
  const Result pieces = Split(text, data[0] % 64 + 1);
  CALICO_CHECK(whole.items == pieces.items);
  CALICO_CHECK(whole.header.status().code() == pieces.header.status().code());
  CompareWithParser(text, whole);
  return 0;
}
