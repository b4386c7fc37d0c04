// SPDX-License-Identifier: AGPL-3.0-or-later
// Comments of objects on the array, as anybody may have written them.
#include "pve/ownership.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  using fuzz::Require;
  std::string_view comment = fuzz::Text(data, size);
  const pve::Ownership ours("0123456789abcdef", "store");
  const pve::Ownership theirs("fedcba9876543210", "store");
  const auto judged = ours.Judge(comment);
  Require(judged != pve::Owner::kOurs || theirs.IsForeign(comment), "an object has one owner",
          comment);
  Require((judged == pve::Owner::kUnmarked) == (theirs.Judge(comment) == pve::Owner::kUnmarked),
          "a mark is one for everybody", comment);
  Require(!ours.IsMadeBy(comment, "x") || judged == pve::Owner::kOurs, "made by us is ours",
          comment);
  // What anybody appends to our mark does not make it somebody else's.
  const std::string marked = ours.Mark(100, "0011223344556677") + " " + std::string(comment);
  Require(ours.IsMadeBy(marked, "0011223344556677"), "the first word counts", marked);
  Require(theirs.IsForeign(marked), "the first word counts for others", marked);
  return 0;
}
