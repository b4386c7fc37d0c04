// SPDX-License-Identifier: AGPL-3.0-or-later
#include "listing.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "api_error.h"

namespace ontapnvme::sim {

using nlohmann::json;

struct Listing::Row {
  std::uint64_t order;
  json record;
};

Listing::Listing(const Call& call, const Model& model) : call_(call), model_(model) {
  const Query& query = call.query;
  shown_ = query.fields.empty()
               ? Selection::Keys(model, call.release())
               : Selection::Parse(model, call.release(), query.fields, query.ignore_unknown_fields);
  ReadFilters();
  needed_ = shown_;
  ReadOrder();
}

// A field used as a filter is shown as well.
void Listing::ReadFilters() {
  for (const auto& [name, expression] : call_.query.params) {
    const Field* field = model_.Find(name, call_.release());
    if (field == nullptr || field->type == FieldType::kRecords) {
      if (call_.query.ignore_unknown_fields) continue;
      Refuse(code::kUnexpectedArgument, "Unexpected argument \"" + name + "\".", name);
    }
    if (field->is_write_only) {
      Refuse(code::kSecretInUrl, "Field \"" + name + "\" must not be in the URL", name);
    }
    filters_.emplace_back(*field, expression);
    shown_.Add(name);
  }
}

void Listing::ReadOrder() {
  std::istringstream items(call_.query.order_by);
  for (std::string item; std::getline(items, item, ',');) {
    std::istringstream words(item);
    SortKey key;
    std::string direction;
    words >> key.path >> direction;
    const Field* field = model_.Find(key.path, call_.release());
    if (field == nullptr || field->is_write_only) {
      Refuse(code::kNotSortable, "Field \"" + key.path + "\" cannot be sorted by", "order_by");
    }
    if (!direction.empty() && direction != "asc" && direction != "desc") {
      Refuse(code::kBadQueryValue,
             "The value \"" + direction + "\" is invalid for field \"order_by\"", "order_by");
    }
    key.is_descending = direction == "desc";
    needed_.Add(key.path);
    sort_keys_.push_back(std::move(key));
  }
}

void Listing::Sort(std::vector<Row>* rows) const {
  std::stable_sort(rows->begin(), rows->end(), [&](const Row& left, const Row& right) {
    for (const SortKey& key : sort_keys_) {
      const std::vector<json> a = ValuesAt(left.record, key.path);
      const std::vector<json> b = ValuesAt(right.record, key.path);
      if (a == b) continue;
      return key.is_descending ? b < a : a < b;
    }
    return false;
  });
}

std::string Listing::NextLink(const std::string& token) const {
  const std::string& target = call_.request.target;
  const auto question = std::min(target.find('?'), target.size());
  std::string link = target.substr(0, question) + "?start.token=" + token;
  if (question == target.size()) return link;
  std::istringstream pairs(target.substr(question + 1));
  for (std::string pair; std::getline(pairs, pair, '&');) {
    if (pair.rfind("start.token=", 0) != 0) link += "&" + pair;
  }
  return link;
}

Reply Listing::EmptyPage() const {
  const std::string link = NextLink("0");
  json body = {{"records", json::array()}, {"num_records", 0}};
  body["_links"]["next"]["href"] = link;
  return {200, std::move(body), {{"Link", "<" + link + ">; rel=\"next\""}}, std::nullopt};
}

Reply Listing::Answer(const std::function<void(const Emit&)>& produce) const {
  std::vector<Row> rows;
  produce([&](std::uint64_t order, json record) {
    const bool is_match = std::all_of(filters_.begin(), filters_.end(),
                                      [&](const Filter& filter) { return filter.Matches(record); });
    if (is_match) rows.push_back({order, std::move(record)});
  });
  std::sort(rows.begin(), rows.end(),
            [](const Row& left, const Row& right) { return left.order < right.order; });
  Sort(&rows);

  // Without order_by the token is the last record's order; with it, the number of records so far,
  // because then a position is all there is.
  std::uint64_t start = 0;
  const std::string& token = call_.query.start_token;
  std::from_chars(token.data(), token.data() + token.size(), start);
  if (sort_keys_.empty()) {
    rows.erase(rows.begin(), std::find_if(rows.begin(), rows.end(),
                                          [&](const Row& row) { return row.order > start; }));
  } else {
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(
                                                std::min<std::size_t>(start, rows.size())));
  }

  std::size_t page = call_.query.max_records.value_or(call_.world.settings.page_records);
  // A page ends when time is up, with as many records as were found until then.
  const Switches& switches = call_.world.settings.switches;
  if (!switches.Is("pages", "full")) page = std::min<std::size_t>(page, 2);
  if (switches.Is("pages", "empty_first") && token.empty()) return EmptyPage();
  json body = json::object();
  body["_links"]["self"]["href"] = call_.request.target;
  Headers headers;
  // A full page has a next link even when nothing follows: the array does not look ahead.
  if (rows.size() >= page) {
    rows.resize(page);
    const std::uint64_t next = sort_keys_.empty() ? rows.back().order : start + page;
    const std::string link = NextLink(std::to_string(next));
    body["_links"]["next"]["href"] = link;
    headers.emplace_back("Link", "<" + link + ">; rel=\"next\"");
  }
  body["num_records"] = rows.size();
  if (call_.query.return_records.value_or(true)) {
    body["records"] = json::array();
    for (const Row& row : rows) body["records"].push_back(shown_.Cut(row.record));
  }
  return {200, std::move(body), std::move(headers), std::nullopt};
}

Single::Single(const Call& call, const Model& model)
    : shown_(call.query.fields.empty() ? Selection::Standard(model, call.release())
                                       : Selection::Parse(model, call.release(), call.query.fields,
                                                          call.query.ignore_unknown_fields)) {
  call.RequireNoMoreParams();
}

Reply Single::Answer(const json& record) const {
  return Reply::Of(shown_.Cut(record));
}

json CreatedRecord(const Call& call, const Model& model, const json& record) {
  const Query& query = call.query;
  const Selection shown =
      query.fields.empty()
          ? Selection::Standard(model, call.release())
          : Selection::Parse(model, call.release(), query.fields, query.ignore_unknown_fields);
  return shown.Cut(record);
}

}  // namespace ontapnvme::sim
