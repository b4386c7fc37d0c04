// SPDX-License-Identifier: AGPL-3.0-or-later
// Escaping of what goes into a path or a query, so that a name can never become syntax.
#pragma once

#include <string>
#include <string_view>

namespace ontapnvme::http {

// One path segment: everything but unreserved characters (RFC 3986, 2.3) is percent-encoded. A
// segment of dots only has its dots encoded too: a server that resolves dot segments would
// otherwise apply the request to the parent object.
std::string PathSegment(std::string_view text);

// The parameters of a query in the order they were added.
class Query {
 public:
  // Key and value are encoded. Only ASCII letters, digits and the characters that carry no meaning
  // in a query stay readable.
  Query& Add(std::string_view key, std::string_view value);

  bool empty() const { return text_.empty(); }
  // `path`, followed by '?' and the parameters if there are any.
  std::string After(std::string_view path) const;

 private:
  std::string text_;
};

// The path of a target, without its query: what may stand in a message.
std::string_view PathOf(std::string_view target);

}  // namespace ontapnvme::http
