#include "pkg/base/secret_string.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "pkg/base/check.h"

namespace calico::base {

SecretString::SecretString(std::string_view bytes) : SecretString(OfSize(bytes.size())) {
  if (!bytes.empty()) std::memcpy(data_.get(), bytes.data(), bytes.size());
}

SecretString SecretString::OfSize(size_t size) {
  SecretString secret;
  if (size == 0) return secret;
  secret.data_ = std::make_unique<char[]>(size);
  secret.size_ = size;
  secret.capacity_ = size;
  return secret;
}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this != &other) {
    Wipe();
    Swap(other);
  }
  return *this;
}

void SecretString::Shorten(size_t size) {
  CALICO_CHECK(size <= size_);
  if (size < size_) explicit_bzero(data_.get() + size, size_ - size);
  size_ = size;
}

void SecretString::Wipe() {
  if (data_ != nullptr) explicit_bzero(data_.get(), capacity_);
  data_.reset();
  size_ = 0;
  capacity_ = 0;
}

SharedSecret SharedSecret::Take(std::string text) {
  SharedSecret secret{std::string_view(text)};
  explicit_bzero(text.data(), text.size());
  return secret;
}

SecretString JoinSecrets(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  SecretString joined = SecretString::OfSize(size);
  char* out = joined.data();
  for (const std::string_view part : parts) out = std::copy(part.begin(), part.end(), out);
  return joined;
}

}  // namespace calico::base
