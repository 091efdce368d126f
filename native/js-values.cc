#include "js-values.h"

#include <cmath>

namespace framelock {

bool IsObject(napi_env env, napi_value value) {
  napi_valuetype type{};
  return napi_typeof(env, value, &type) == napi_ok && type == napi_object;
}

napi_value Property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  if (!IsObject(env, object)) throw JsError{"INVALID_ARGUMENT", std::string("expected an object with ") + name};
  Require(napi_get_named_property(env, object, name, &value), "the arguments cannot be read");
  return value;
}

int64_t IntegerProperty(napi_env env, napi_value object, const char* name, int64_t least, int64_t largest) {
  double number = 0;
  const bool is_number = napi_get_value_double(env, Property(env, object, name), &number) == napi_ok;
  if (!is_number || std::floor(number) != number || number < static_cast<double>(least) ||
      number > static_cast<double>(largest)) {
    throw JsError{"INVALID_ARGUMENT", std::string(name) + " is not an integer from " + std::to_string(least) + " to " +
                                          std::to_string(largest)};
  }
  return static_cast<int64_t>(number);
}

bool BooleanProperty(napi_env env, napi_value object, const char* name) {
  bool value = false;
  if (napi_get_value_bool(env, Property(env, object, name), &value) != napi_ok) {
    throw JsError{"INVALID_ARGUMENT", std::string(name) + " is not a boolean"};
  }
  return value;
}

std::string StringProperty(napi_env env, napi_value object, const char* name) {
  char text[32];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, Property(env, object, name), text, sizeof text, &length) != napi_ok) {
    throw JsError{"INVALID_ARGUMENT", std::string(name) + " is not a string"};
  }
  return std::string(text, length);
}

Bytes BytesOf(napi_env env, napi_value value) {
  bool is_typed_array = false;
  Require(napi_is_typedarray(env, value, &is_typed_array), "the picture cannot be read");
  napi_typedarray_type type{};
  size_t size = 0;
  void* data = nullptr;
  napi_value buffer;
  if (is_typed_array) {
    Require(napi_get_typedarray_info(env, value, &type, &size, &data, &buffer, nullptr), "the picture cannot be read");
  }
  if (!is_typed_array || type != napi_uint8_array) throw JsError{"INVALID_ARGUMENT", "the picture is not a Uint8Array"};
  bool is_detached = false;
  // Says no to memory that is shared between threads, which cannot be detached.
  Require(napi_is_detached_arraybuffer(env, buffer, &is_detached), "the picture cannot be read");
  if (is_detached) throw JsError{"INVALID_ARGUMENT", "the picture's buffer is detached"};
  return {static_cast<const uint8_t*>(data), size};
}

napi_value MakeError(napi_env env, const char* code, const std::string& message) {
  napi_value code_value, text, error;
  if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value) != napi_ok ||
      napi_create_string_utf8(env, message.data(), message.size(), &text) != napi_ok ||
      napi_create_error(env, code_value, text, &error) != napi_ok) {
    return nullptr;
  }
  return error;
}

}  // namespace framelock
