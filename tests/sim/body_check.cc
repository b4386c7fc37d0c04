// SPDX-License-Identifier: AGPL-3.0-or-later
#include "body_check.h"

#include <algorithm>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class Checker {
 public:
  Checker(const Model& model, Write write, const Release& release, bool is_lenient)
      : model_(model), write_(write), release_(release), is_lenient_(is_lenient) {}

  // Returns the object without what was ignored.
  json CheckObject(const json& object, const std::string& path) const {
    json kept = json::object();
    for (const auto& [key, value] : object.items()) {
      const std::string here = path.empty() ? key : path + "." + key;
      if (here == "_links") continue;
      const Field* field = model_.Find(here, release_);
      if (field == nullptr && !model_.IsParent(here, release_)) {
        if (is_lenient_) continue;
        Refuse(code::kUnexpectedArgument, "Unexpected argument \"" + here + "\".", here);
      }
      kept[key] = field == nullptr ? CheckParent(value, here) : CheckField(*field, value);
    }
    return kept;
  }

 private:
  [[noreturn]] static void RefuseValue(const std::string& path, const json& value) {
    // A bad value may be a secret that was put into the wrong field: only its type is told.
    Refuse(code::kBadValue,
           "The value of type " + std::string(value.type_name()) + " is invalid for field \"" +
               path + "\"",
           path);
  }

  json CheckParent(const json& value, const std::string& path) const {
    if (!value.is_object()) RefuseValue(path, value);
    return CheckObject(value, path);
  }

  json CheckField(const Field& field, const json& value) const {
    if (field.type == FieldType::kRecords) {
      RequireSettable(field);
      if (!value.is_array()) RefuseValue(field.path, value);
      json list = json::array();
      for (const json& element : value) list.push_back(CheckParent(element, field.path));
      return list;
    }
    RequireSettable(field);
    if (field.is_nullable && value.is_null()) return value;
    RequireType(field, value);
    RequireRange(field, value);
    return value;
  }

  void RequireSettable(const Field& field) const {
    const bool is_settable = write_ == Write::kCreate ? field.is_creatable : field.is_patchable;
    if (is_settable) return;
    const bool is_create_only = write_ == Write::kPatch && field.is_creatable;
    Refuse(is_create_only ? code::kFieldNotPatchable : code::kFieldNotSettable,
           "Field \"" + field.path + "\" cannot be set in this operation", field.path);
  }

  static void RequireType(const Field& field, const json& value) {
    const auto all = [&](auto predicate) {
      return value.is_array() && std::all_of(value.begin(), value.end(), predicate);
    };
    bool is_right = false;
    switch (field.type) {
      case FieldType::kText:
        is_right = value.is_string();
        break;
      case FieldType::kInteger:
        is_right = value.is_number_integer();
        break;
      case FieldType::kBoolean:
        is_right = value.is_boolean();
        break;
      case FieldType::kNumber:
        is_right = value.is_number();
        break;
      case FieldType::kTexts:
        is_right = all([](const json& item) { return item.is_string(); });
        break;
      case FieldType::kIntegers:
        is_right = all([](const json& item) { return item.is_number_integer(); });
        break;
      case FieldType::kRecords:
        break;
    }
    if (!is_right) RefuseValue(field.path, value);
  }

  static void RequireRange(const Field& field, const json& value) {
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      const bool is_known =
          field.values.empty() ||
          std::find(field.values.begin(), field.values.end(), text) != field.values.end();
      const bool is_long_enough = text.size() >= field.length_minimum.value_or(0);
      const bool is_short_enough = text.size() <= field.length_maximum.value_or(text.size());
      if (!is_known || !is_long_enough || !is_short_enough) RefuseValue(field.path, value);
    }
    if (value.is_number_integer()) {
      // Unsigned values above 2^63 would turn negative and slip under a maximum.
      const bool is_huge = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
      const auto number = is_huge ? INT64_MAX : value.get<std::int64_t>();
      const bool is_known =
          field.values.empty() || std::find(field.values.begin(), field.values.end(),
                                            std::to_string(number)) != field.values.end();
      if (is_huge || !is_known || number < field.minimum.value_or(number) ||
          number > field.maximum.value_or(number)) {
        RefuseValue(field.path, value);
      }
    }
  }

  const Model& model_;
  Write write_;
  const Release& release_;
  bool is_lenient_;
};

}  // namespace

json CheckBody(const std::string& body, const Model& model, Write write, const Release& release,
               bool is_lenient) {
  const json parsed = body.empty() ? json::object() : json::parse(body, nullptr, false);
  if (!parsed.is_object()) Refuse(code::kBadJson, "Invalid JSON input");
  return Checker(model, write, release, is_lenient).CheckObject(parsed, "");
}

const json& At(const json& body, const std::string& path) {
  static const json kAbsent;
  const json* value = &body;
  std::size_t from = 0;
  while (from <= path.size()) {
    const auto dot = std::min(path.find('.', from), path.size());
    if (!value->is_object()) return kAbsent;
    const auto found = value->find(path.substr(from, dot - from));
    if (found == value->end()) return kAbsent;
    value = &*found;
    from = dot + 1;
  }
  return *value;
}

std::string TextAt(const json& body, const std::string& path) {
  const json& value = At(body, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool Has(const json& body, const std::string& path) {
  return !At(body, path).is_null();
}

}  // namespace ontapnvme::sim
