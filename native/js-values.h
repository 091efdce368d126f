// Reading what JavaScript passes. Every function throws JsError, which becomes a JavaScript error where a call ends.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

namespace framelock {

/** What a call fails with; `code` as in docs/errors.md. */
struct JsError {
  const char* code;
  std::string message;
};

/** Throws if Node refused a call. */
inline void Require(napi_status status, const char* what) {
  if (status != napi_ok) throw JsError{"INVALID_ARGUMENT", what};
}

/** Says no to null; no exception comes of any value, unlike when Node is left to make an object of it. */
bool IsObject(napi_env env, napi_value value);

napi_value Property(napi_env env, napi_value object, const char* name);

/** An integer property within [least, largest]. */
int64_t IntegerProperty(napi_env env, napi_value object, const char* name, int64_t least, int64_t largest);
bool BooleanProperty(napi_env env, napi_value object, const char* name);
std::string StringProperty(napi_env env, napi_value object, const char* name);

struct Bytes {
  const uint8_t* data;
  size_t size;
};

/** The bytes of a Uint8Array, or of a Buffer; refuses one that is detached. */
Bytes BytesOf(napi_env env, napi_value value);

/** A JavaScript Error with a code. */
napi_value MakeError(napi_env env, const char* code, const std::string& message);

}  // namespace framelock
