// SPDX-License-Identifier: AGPL-3.0-or-later
#include "schema.h"

#include <sstream>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

const std::map<std::string, FieldType, std::less<>> kTypes = {
    {"str", FieldType::kText},     {"int", FieldType::kInteger}, {"bool", FieldType::kBoolean},
    {"num", FieldType::kNumber},   {"str[]", FieldType::kTexts}, {"int[]", FieldType::kIntegers},
    {"list", FieldType::kRecords},
};

void ReadFlags(const std::string& flags, Field* field) {
  for (const char flag : flags) {
    switch (flag) {
      case 'k':
        field->is_key = true;
        break;
      case 'r':
        field->is_read_only = true;
        break;
      case 'c':
        field->is_creatable = true;
        break;
      case 'p':
        field->is_patchable = true;
        break;
      case 'w':
        field->is_write_only = true;
        break;
      case 'n':
        field->is_nullable = true;
        break;
      case 'x':
        field->is_expensive = true;
        break;
      default:
        throw std::invalid_argument("unknown flag in the line of " + field->path);
    }
  }
}

// "lo..hi", either side may be empty.
template <class Number>
void ReadRange(const std::string& text, std::optional<Number>* low, std::optional<Number>* high) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) throw std::invalid_argument("not a range: " + text);
  const auto parse = [](const std::string& part) -> std::optional<Number> {
    if (part.empty()) return std::nullopt;
    return static_cast<Number>(std::stoll(part));
  };
  *low = parse(text.substr(0, dots));
  *high = parse(text.substr(dots + 2));
}

void ReadLimit(const std::string& limit, Field* field) {
  const auto equals = limit.find('=');
  const std::string key = limit.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : limit.substr(equals + 1);
  if (key == "since") {
    field->since = std::stoi(value);
  } else if (key == "enum") {
    std::istringstream parts(value);
    for (std::string part; std::getline(parts, part, '|');) field->values.push_back(part);
  } else if (key == "range") {
    ReadRange(value, &field->minimum, &field->maximum);
  } else if (key == "len") {
    ReadRange(value, &field->length_minimum, &field->length_maximum);
  } else {
    throw std::invalid_argument("unknown limit '" + limit + "' in the line of " + field->path);
  }
}

}  // namespace

Model::Model(std::string name, std::string_view table) : name_(std::move(name)) {
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Field field;
    std::string type;
    std::string flags;
    if (!(words >> field.path)) continue;
    if (!(words >> type >> flags)) throw std::invalid_argument("short line: " + line);
    const auto found = kTypes.find(type);
    if (found == kTypes.end()) throw std::invalid_argument("unknown type: " + line);
    field.type = found->second;
    ReadFlags(flags, &field);
    for (std::string limit; words >> limit;) ReadLimit(limit, &field);
    fields_[field.path] = field;
  }
}

const Field* Model::Find(const std::string& path, const Release& release) const {
  const auto found = fields_.find(path);
  if (found == fields_.end() || !release.Has(found->second.since)) return nullptr;
  return &found->second;
}

bool Model::IsParent(const std::string& path, const Release& release) const {
  const std::string prefix = path + ".";
  for (auto it = fields_.lower_bound(prefix); it != fields_.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) return false;
    if (release.Has(it->second.since)) return true;
  }
  return false;
}

}  // namespace ontapnvme::sim
