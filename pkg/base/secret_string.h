// Bytes that must not outlive their use: private keys as PEM or DER, tokens, passwords.
//
// Move-only, wiped on destruction and on assignment, and without any way to print or compare it by
// accident. Write `secret.view()` to a file or a socket; never put it in a message or a log field.
#ifndef CALICO_PKG_BASE_SECRET_STRING_H_
#define CALICO_PKG_BASE_SECRET_STRING_H_

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace calico::base {

class SecretString {
 public:
  SecretString() = default;
  // Copies `bytes`; wiping the original is the caller's task.
  explicit SecretString(std::string_view bytes);
  // `size` zero bytes, to be filled through data().
  static SecretString OfSize(size_t size);

  ~SecretString() { Wipe(); }
  SecretString(SecretString&& other) noexcept { Swap(other); }
  SecretString& operator=(SecretString&& other) noexcept;
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;

  // Lifetime: until this object is moved from, shortened, assigned or destroyed.
  std::string_view view() const { return {data_.get(), size_}; }
  char* data() { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Keeps the first `size` bytes and wipes the rest. Requires: size <= size().
  void Shorten(size_t size);

 private:
  void Wipe();
  void Swap(SecretString& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// One secret in several hands: copies share it, and it is wiped when the last of them goes.
// Threading: copies may be used on different threads.
class SharedSecret {
 public:
  SharedSecret() = default;
  explicit SharedSecret(SecretString secret)
      : secret_(secret.empty() ? nullptr
                               : std::make_shared<const SecretString>(std::move(secret))) {}
  // Copies `bytes`; wiping the original is the caller's task.
  explicit SharedSecret(std::string_view bytes) : SharedSecret(SecretString(bytes)) {}
  // Takes the place of `text`, which is wiped: for what a library hands out as a string.
  static SharedSecret Take(std::string text);

  // Lifetime: until this object is assigned or destroyed.
  std::string_view view() const {
    return secret_ == nullptr ? std::string_view() : secret_->view();
  }
  bool empty() const { return secret_ == nullptr; }

 private:
  std::shared_ptr<const SecretString> secret_;
};

// The parts one after the other; no copy is left elsewhere.
SecretString JoinSecrets(std::initializer_list<std::string_view> parts);

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_SECRET_STRING_H_
