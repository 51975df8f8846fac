// An optional value that lives on the heap and is copied with its owner: for the parts of a value
// that most of its kind do without, which then cost a pointer.
#pragma once

#include <memory>
#include <utility>

namespace foster {

template <class Value>
class Boxed {
 public:
  Boxed() = default;
  explicit Boxed(Value value) : value_(std::make_unique<Value>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(copy_of(other)) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) value_ = copy_of(other);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  Boxed& operator=(Value value) {
    value_ = std::make_unique<Value>(std::move(value));
    return *this;
  }
  ~Boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  const Value* operator->() const { return value_.get(); }
  const Value& operator*() const { return *value_; }

  /// The value, made with its defaults if there is none yet.
  Value& make() {
    if (!value_) value_ = std::make_unique<Value>();
    return *value_;
  }

 private:
  static std::unique_ptr<Value> copy_of(const Boxed& other) {
    return other.value_ ? std::make_unique<Value>(*other.value_) : nullptr;
  }

  std::unique_ptr<Value> value_;
};

}  // namespace foster
