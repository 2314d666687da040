// JSON values that may hold secrets: memory that is wiped when they let go of it.
#ifndef CALICO_PKG_KUBE_AUTH_WIPING_MEMORY_H_
#define CALICO_PKG_KUBE_AUTH_WIPING_MEMORY_H_

#include <string.h>

#include <cstddef>
#include <new>

#include <boost/json/memory_resource.hpp>
#include <boost/json/value.hpp>

namespace calico::kube {

// The heap, wiped. Lifetime: outlives the values that allocate from it.
class WipingMemory final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    return ::operator new(size, std::align_val_t(alignment));
  }
  void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override {
    explicit_bzero(memory, size);
    ::operator delete(memory, size, std::align_val_t(alignment));
  }
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

// Overwrites every string in `value`, whatever memory it has.
inline void WipeStrings(boost::json::value& value) {
  if (auto* text = value.if_string()) {
    explicit_bzero(text->data(), text->size());
  } else if (auto* object = value.if_object()) {
    for (auto& [key, member] : *object) WipeStrings(member);
  } else if (auto* array = value.if_array()) {
    for (boost::json::value& element : *array) WipeStrings(element);
  }
}

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_AUTH_WIPING_MEMORY_H_
