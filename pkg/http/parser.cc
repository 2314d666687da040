// Beast 1.81 asserts wrongly (n >= 5 in parse_chunk_header) when an empty chunked body arrives in
// two pieces; the code itself copes. Bytes from outside must not be able to end a debug build.
#define BOOST_DISABLE_ASSERTS

#include "pkg/http/parser.h"

#include <optional>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "pkg/net/ascii.h"

namespace calico::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// Beast's parser without its message containers: the fields go straight into ours.
template <bool kIsRequest>
class Core final : public beast_http::basic_parser<kIsRequest> {
 public:
  explicit Core(MessageParser& head, size_t body_limit) : head_(head), body_limit_(body_limit) {
    this->eager(true);
    this->body_limit(boost::none);  // counted here, because Beast stops counting chunks early
  }

  std::string body;
  absl::Status failure;  // more precise than the error code that stops the parser

 private:
  void Fail(absl::Status status, error_code& error) {
    failure = std::move(status);
    error = beast_http::error::bad_value;
  }

  void on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = method;
    head_.target = target;
    head_.http_1_0 = version == 10;
  }

  void on_response_impl(int code, string_view, int version, error_code&) override {
    head_.status = code;
    head_.http_1_0 = version == 10;
  }

  void on_field_impl(beast_http::field field, string_view name, string_view value,
                     error_code& error) override {
    if (this->is_header_done()) return;  // trailer
    // Any other coding would leave the length of the body unknown.
    if (field == beast_http::field::transfer_encoding && !net::EqualsIgnoreCase(value, "chunked")) {
      return Fail(absl::InvalidArgumentError("unsupported Transfer-Encoding"), error);
    }
    head_.headers.emplace_back(name, value);
  }

  void on_header_impl(error_code& error) override {
    const auto length = this->content_length();
    if (!this->is_done() && length.has_value() && *length > body_limit_) FailBodyLimit(error);
  }

  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}

  size_t Append(string_view piece, error_code& error) {
    received_ += piece.size();
    if (received_ > body_limit_) {
      FailBodyLimit(error);
    } else {
      body.append(piece.data(), piece.size());
    }
    return piece.size();
  }

  void FailBodyLimit(error_code& error) {
    Fail(absl::ResourceExhaustedError(fmt::format("body is larger than {} bytes", body_limit_)),
         error);
  }

  size_t on_body_impl(string_view piece, error_code& error) override {
    return Append(piece, error);
  }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view piece, error_code& error) override {
    return Append(piece, error);
  }
  void on_finish_impl(error_code&) override {}

  MessageParser& head_;
  const size_t body_limit_;
  size_t received_ = 0;
};

template <bool kIsRequest>
class Parser final : public MessageParser {
 public:
  Parser(ParserLimits limits, bool skip_body) : limits_(limits), skip_body_(skip_body) { Reset(); }

  absl::Status Feed(std::string_view bytes) override {
    got_some_ = got_some_ || !bytes.empty();
    if (pending_.empty()) {
      size_t used = 0;
      absl::Status status = Parse(bytes, used);
      if (status.ok()) pending_ = bytes.substr(used);
      return status;
    }
    pending_.append(bytes);
    size_t used = 0;
    absl::Status status = Parse(pending_, used);
    pending_.erase(0, used);
    return status;
  }

  absl::Status FeedEnd() override {
    if (done()) return absl::OkStatus();
    if (!head_done() || !pending_.empty()) return Cut();
    error_code error;
    core_->put_eof(error);
    return error ? Cut() : absl::OkStatus();
  }

  bool got_some() const override { return got_some_; }
  bool head_done() const override { return core_->is_header_done() && !informational(); }
  bool done() const override { return core_->is_done() && !informational(); }
  bool keep_alive() const override { return core_->keep_alive(); }
  std::optional<uint64_t> content_length() const override {
    const auto length = core_->content_length();
    return length.has_value() ? std::optional<uint64_t>(*length) : std::nullopt;
  }
  std::string TakeBody() override { return std::exchange(core_->body, {}); }
  std::string TakeRest() override { return std::exchange(pending_, {}); }

 private:
  static absl::Status Cut() {
    return absl::InvalidArgumentError("connection closed in the middle of the message");
  }

  bool informational() const { return !kIsRequest && status >= 100 && status < 200; }

  void Reset() {
    headers.clear();
    core_.emplace(*this, limits_.body_bytes);
    core_->header_limit(static_cast<uint32_t>(limits_.header_bytes));
    if (skip_body_) core_->skip(true);
  }

  absl::Status Parse(std::string_view bytes, size_t& used) {
    while (used < bytes.size() && !done()) {
      const bool in_head = !core_->is_header_done();
      error_code error;
      const std::string_view rest = bytes.substr(used);
      const size_t parsed = core_->put(boost::asio::buffer(rest.data(), rest.size()), error);
      used += parsed;
      // Beast's own limit is per call; this one holds for all pieces and all informational heads.
      if (in_head) head_bytes_ += parsed;
      if (!core_->failure.ok()) return core_->failure;
      if (error == beast_http::error::need_more) return CheckPending(rest.size() - parsed);
      if (error) return ToStatus(error);
      if (core_->is_done() && informational()) {
        if (status == 101) return absl::InvalidArgumentError("unexpected protocol switch");
        if (head_bytes_ > limits_.header_bytes) return TooLarge();
        status = 0;
        Reset();
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckPending(size_t pending) const {
    const size_t size = pending + (core_->is_header_done() ? 0 : head_bytes_);
    return size > limits_.header_bytes ? TooLarge() : absl::OkStatus();
  }

  absl::Status TooLarge() const {
    return absl::ResourceExhaustedError(
        fmt::format("headers are larger than {} bytes", limits_.header_bytes));
  }

  absl::Status ToStatus(const error_code& error) const {
    if (error == beast_http::error::header_limit) return TooLarge();
    return absl::InvalidArgumentError(fmt::format("malformed HTTP: {}", error.message()));
  }

  const ParserLimits limits_;
  const bool skip_body_;
  std::optional<Core<kIsRequest>> core_;
  std::string pending_;  // not parsed yet: an incomplete line, or what follows the message
  size_t head_bytes_ = 0;
  bool got_some_ = false;
};

}  // namespace

std::unique_ptr<MessageParser> NewResponseParser(ParserLimits limits, bool to_head) {
  return std::make_unique<Parser<false>>(limits, to_head);
}

std::unique_ptr<MessageParser> NewRequestParser(ParserLimits limits) {
  return std::make_unique<Parser<true>>(limits, false);
}

}  // namespace calico::http
