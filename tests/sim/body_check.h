// SPDX-License-Identifier: AGPL-3.0-or-later
// What the array refuses in a body before it looks at the objects themselves.
#pragma once

#include <nlohmann/json.hpp>

#include "schema.h"

namespace ontapnvme::sim {

enum class Write { kCreate, kPatch };

// Parses the body and checks every field against the model: known in this release, settable by this
// kind of call, of the right type and range. Unknown fields are dropped when `is_lenient`. Throws
// ApiError.
nlohmann::json CheckBody(const std::string& body, const Model& model, Write write,
                         const Release& release, bool is_lenient);

// The value at a dotted path of a checked body; null when absent.
const nlohmann::json& At(const nlohmann::json& body, const std::string& path);
std::string TextAt(const nlohmann::json& body, const std::string& path);  // empty when absent
bool Has(const nlohmann::json& body, const std::string& path);

}  // namespace ontapnvme::sim
