// SPDX-License-Identifier: AGPL-3.0-or-later
// Which fields a reply carries: the grammar of `fields=` and the cutting of a full record.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "schema.h"

namespace ontapnvme::sim {

class Selection {
 public:
  // What a listing carries without `fields`: the keys.
  static Selection Keys(const Model& model, const Release& release);
  // What a single object carries without `fields`: all that is cheap.
  static Selection Standard(const Model& model, const Release& release);
  // Keys and whatever the expression names. An unknown field throws ApiError, or is skipped when
  // `is_lenient`.
  static Selection Parse(const Model& model, const Release& release, const std::string& fields,
                         bool is_lenient);

  void Add(const std::string& path) { paths_.insert(path); }
  bool Has(const std::string& path) const { return paths_.count(path) != 0; }
  // Whether any field below the object is wanted.
  bool HasBelow(const std::string& parent) const;

  nlohmann::json Cut(const nlohmann::json& record) const;

 private:
  void AddNamed(const Model& model, const Release& release, const std::string& name,
                bool is_removal, bool is_lenient);

  std::set<std::string> paths_;
};

}  // namespace ontapnvme::sim
