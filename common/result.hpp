// How an operating error travels: as a value. A function that can fail for a reason that is not a
// programming mistake returns Result<T>; the message reads "cannot X: why", and each caller that
// knows more puts its own "cannot Y" in front with `context`. Broken invariants do not come here:
// see check.hpp.
#pragma once

#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace foster {

struct Error {
  std::string message;   // A whole sentence without a full stop, fit to be shown to a person.
  int system_error = 0;  // The errno behind it, or 0 when there was none.
};

template <class T>
using Result = std::expected<T, Error>;

/// "cannot <what>: <strerror(code)>".
[[nodiscard]] inline std::unexpected<Error> system_failure(std::string_view what, int code) {
  return std::unexpected(Error{"cannot " + std::string(what) + ": " + strerrordesc_np(code), code});
}

/// "cannot <what>: <why>".
[[nodiscard]] inline std::unexpected<Error> failure(std::string_view what, std::string_view why) {
  return std::unexpected(Error{"cannot " + std::string(what) + ": " + std::string(why), 0});
}

/// Puts what the caller was doing in front of an error on its way up.
[[nodiscard]] inline std::unexpected<Error> context(std::string_view what, Error error) {
  error.message = "cannot " + std::string(what) + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace foster
