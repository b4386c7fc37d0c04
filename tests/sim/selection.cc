// SPDX-License-Identifier: AGPL-3.0-or-later
#include "selection.h"

#include <algorithm>
#include <vector>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

// Expands "a.{b,c},d" to {"a.b", "a.c", "d"}.
void Expand(const std::string& prefix, std::string_view text, std::vector<std::string>* names) {
  while (!text.empty()) {
    std::size_t depth = 0;
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
      if (text[end] == '{') ++depth;
      if (text[end] == '}') {
        if (depth == 0) Refuse(code::kBadQueryValue, "Unbalanced braces in \"fields\"", "fields");
        --depth;
      }
      if (text[end] == ',' && depth == 0) break;
    }
    if (depth != 0) Refuse(code::kBadQueryValue, "Unbalanced braces in \"fields\"", "fields");
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto brace = item.find('{');
    if (brace == std::string_view::npos) {
      names->push_back(prefix + std::string(item));
    } else {
      Expand(prefix + std::string(item.substr(0, brace)),
             item.substr(brace + 1, item.size() - brace - 2), names);
    }
  }
}

bool IsReadable(const Field& field, const Release& release) {
  return release.Has(field.since) && !field.is_write_only && field.type != FieldType::kRecords;
}

bool IsBelow(const std::string& path, const std::string& parent) {
  return path.size() > parent.size() && path[parent.size()] == '.' &&
         path.compare(0, parent.size(), parent) == 0;
}

json CutBelow(const json& value, const std::string& path, const std::set<std::string>& paths) {
  if (value.is_array()) {
    const bool is_plain = value.empty() || !value.front().is_object();
    if (is_plain) return paths.count(path) != 0 && !value.empty() ? value : json();
    json list = json::array();
    for (const json& element : value) {
      json cut = CutBelow(element, path, paths);
      if (!cut.is_null()) list.push_back(std::move(cut));
    }
    return list.empty() ? json() : list;
  }
  if (!value.is_object()) return paths.count(path) != 0 ? value : json();
  json object = json::object();
  for (const auto& [key, member] : value.items()) {
    json cut = CutBelow(member, path.empty() ? key : path + "." + key, paths);
    if (!cut.is_null()) object[key] = std::move(cut);
  }
  return object.empty() ? json() : object;
}

}  // namespace

Selection Selection::Keys(const Model& model, const Release& release) {
  Selection selection;
  for (const auto& [path, field] : model.fields()) {
    if (field.is_key && IsReadable(field, release)) selection.Add(path);
  }
  return selection;
}

Selection Selection::Standard(const Model& model, const Release& release) {
  Selection selection = Keys(model, release);
  for (const auto& [path, field] : model.fields()) {
    if (!field.is_expensive && IsReadable(field, release)) selection.Add(path);
  }
  return selection;
}

Selection Selection::Parse(const Model& model, const Release& release, const std::string& fields,
                           bool is_lenient) {
  Selection selection = Keys(model, release);
  std::vector<std::string> names;
  Expand("", fields, &names);
  for (std::string& name : names) {
    if (name == "*" || name == "**") {
      for (const auto& [path, field] : model.fields()) {
        const bool is_wanted = name == "**" || !field.is_expensive;
        if (is_wanted && IsReadable(field, release)) selection.Add(path);
      }
      continue;
    }
    const bool is_removal = !name.empty() && name.front() == '!';
    selection.AddNamed(model, release, is_removal ? name.substr(1) : name, is_removal, is_lenient);
  }
  return selection;
}

// An object's name stands for its fields, but an expensive one only where everything under that
// name is expensive: `encryption` names its fields, `space` does not name `space.snapshot`.
void Selection::AddNamed(const Model& model, const Release& release, const std::string& name,
                         bool is_removal, bool is_lenient) {
  std::vector<std::string> cheap;
  std::vector<std::string> expensive;
  for (const auto& [path, field] : model.fields()) {
    if (!IsReadable(field, release)) continue;
    if (path == name) {
      cheap.push_back(path);
    } else if (IsBelow(path, name)) {
      (field.is_expensive ? expensive : cheap).push_back(path);
    }
  }
  if (cheap.empty() && expensive.empty()) {
    if (is_lenient) return;
    Refuse(code::kBadQueryValue, "The value \"" + name + "\" is invalid for field \"fields\"",
           "fields");
  }
  if (cheap.empty() || is_removal) {
    cheap.insert(cheap.end(), expensive.begin(), expensive.end());
  }
  for (const std::string& path : cheap) {
    if (is_removal) {
      paths_.erase(path);
    } else {
      paths_.insert(path);
    }
  }
}

bool Selection::HasBelow(const std::string& parent) const {
  const auto next = paths_.lower_bound(parent + ".");
  return next != paths_.end() && IsBelow(*next, parent);
}

json Selection::Cut(const json& record) const {
  json cut = CutBelow(record, "", paths_);
  if (cut.is_null()) cut = json::object();
  if (record.contains("_links")) cut["_links"] = record["_links"];
  return cut;
}

}  // namespace ontapnvme::sim
