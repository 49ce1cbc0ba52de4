// Errors are values. A function that can fail returns Result<T>; exceptions stay at third-party edges.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace vigil {

// What kind of failure it is: enough for a caller to choose what to do, and for the CLI to choose an exit
// status.
enum class ErrorCode {
  kInvalidArgument,   // the caller's input is wrong; trying again will not help
  kNotFound,          // no such app, tag, page, file
  kAlreadyExists,     // the thing, or another owner of it, is there already
  kPermissionDenied,  // refused by policy or by the operating system
  kUnavailable,       // cannot be done now (offline, stopping, busy); may work later
  kIo,                // the operating system or disk failed
  kCorrupt,           // stored data cannot be read
  kTooLarge,          // over a documented limit
  kTimeout,
  kAborted,   // given up on purpose
  kInternal,  // a bug of ours
};

// message: one line, says what happened and what to do, ready to be shown to a user.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

// return Fail(ErrorCode::kNotFound, "no app at … (see `vigil apps`)");
inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// Stable lower-case name of a code ("not-found"), used in JSON.
const char* ErrorCodeName(ErrorCode code);

}  // namespace vigil

// Leaves the function with the error of a Result<> expression, if it has one. Not for coroutines (it
// returns).
#define VIGIL_TRY(expr)                                    \
  do {                                                     \
    if (auto vigil_try_ = (expr); !vigil_try_) {           \
      return ::vigil::Fail(std::move(vigil_try_).error()); \
    }                                                      \
  } while (false)
#define VIGIL_CONCAT_INNER(a, b) a##b
#define VIGIL_CONCAT(a, b) VIGIL_CONCAT_INNER(a, b)
// VIGIL_ASSIGN(auto value, Compute()): declares value from a Result, or leaves with its error.
#define VIGIL_ASSIGN(decl, expr)                                                    \
  auto VIGIL_CONCAT(vigil_result_, __LINE__) = (expr);                              \
  if (!VIGIL_CONCAT(vigil_result_, __LINE__))                                       \
    return ::vigil::Fail(std::move(VIGIL_CONCAT(vigil_result_, __LINE__)).error()); \
  decl = std::move(*VIGIL_CONCAT(vigil_result_, __LINE__))
