// SPDX-License-Identifier: AGPL-3.0-or-later
// What every GET has in common: filters, order, pages and the choice of fields.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "call.h"
#include "filter.h"
#include "selection.h"

namespace ontapnvme::sim {

// Takes one full record of a listing. `order` grows along the listing and identifies the record
// across pages even when others come and go.
using Emit = std::function<void(std::uint64_t order, nlohmann::json record)>;

class Listing {
 public:
  // Reads `fields`, filters and `order_by` of the call. Throws ApiError for any that the model does
  // not have in this release.
  Listing(const Call& call, const Model& model);

  // Whether a field is needed at all, so that a costly one can be left out of the record.
  bool Needs(const std::string& path) const { return needed_.Has(path); }
  bool NeedsBelow(const std::string& path) const { return needed_.HasBelow(path); }

  // Runs `produce`, which hands each visible object to its argument.
  Reply Answer(const std::function<void(const Emit&)>& produce) const;

 private:
  struct Row;
  struct SortKey {
    std::string path;
    bool is_descending = false;
  };

  void ReadFilters();
  void ReadOrder();
  std::string NextLink(const std::string& token) const;
  Reply EmptyPage() const;
  void Sort(std::vector<Row>* rows) const;

  const Call& call_;
  const Model& model_;
  Selection shown_;
  Selection needed_;
  std::vector<Filter> filters_;
  std::vector<SortKey> sort_keys_;
};

// The single object of a GET with its identifier in the path.
class Single {
 public:
  Single(const Call& call, const Model& model);
  bool Needs(const std::string& path) const { return shown_.Has(path); }
  bool NeedsBelow(const std::string& path) const { return shown_.HasBelow(path); }
  Reply Answer(const nlohmann::json& record) const;

 private:
  Selection shown_;
};

// What a create with `return_records=true` shows of the full record.
nlohmann::json CreatedRecord(const Call& call, const Model& model, const nlohmann::json& record);

}  // namespace ontapnvme::sim
