// Bytes that must not outlive their use: private keys as PEM or DER.
//
// Move-only, wiped on destruction and on assignment, and without any way to print or compare it by
// accident. Write `secret.view()` to a file or a socket; never put it in a message or a log field.
#ifndef CALICO_PKG_BASE_SECRET_STRING_H_
#define CALICO_PKG_BASE_SECRET_STRING_H_

#include <cstddef>
#include <memory>
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

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_SECRET_STRING_H_
