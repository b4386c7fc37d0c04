// SPDX-License-Identifier: AGPL-3.0-or-later
// One filter of a listing: `field=expression` with ONTAP's operators and quoting.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "schema.h"

namespace ontapnvme::sim {

// All values at a dotted path; lists on the way contribute each of their elements.
std::vector<nlohmann::json> ValuesAt(const nlohmann::json& record, const std::string& path);

class Filter {
 public:
  // Throws ApiError for an expression that does not suit the field.
  Filter(const Field& field, const std::string& expression);

  bool Matches(const nlohmann::json& record) const;

 private:
  enum class Kind { kUnset, kPattern, kRange };
  struct Glyph {
    char character;
    bool is_quoted;
  };
  struct Bound {
    std::string value;
    bool is_inclusive = true;
  };
  struct Alternative {
    Kind kind = Kind::kPattern;
    bool is_negated = false;
    std::vector<Glyph> pattern;
    std::vector<Bound> low;   // at most one
    std::vector<Bound> high;  // at most one
  };

  static std::vector<Glyph> Unquote(const std::string& expression);
  Alternative ParseAlternative(std::vector<Glyph> glyphs) const;
  void RequireValue(const std::string& value) const;
  bool Holds(const Alternative& alternative, const std::vector<nlohmann::json>& values) const;
  int Compare(const nlohmann::json& value, const std::string& text) const;

  Field field_;
  std::vector<Alternative> alternatives_;
};

}  // namespace ontapnvme::sim
