// SPDX-License-Identifier: AGPL-3.0-or-later
// Comments of objects on the array, as anybody may have written them.
#include "model/mark.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  using fuzz::Require;
  const std::string_view comment = fuzz::Text(data, size);
  const Marker ours("0123456789abcdef", "store");
  const Marker theirs("fedcba9876543210", "store");
  const auto reading = ours.Read(comment);
  const bool is_ours = reading.owner == Owner::kOurs;
  const auto their_owner = theirs.Read(comment).owner;
  Require(!is_ours || their_owner == Owner::kForeign, "an object has one owner", comment);
  Require((reading.owner == Owner::kUnmarked) == (their_owner == Owner::kUnmarked),
          "a mark is one for everybody", comment);
  Require(!ours.IsMadeBy(comment, reading.mark.operation_id) || is_ours, "made by us is ours",
          comment);
  Require(reading.mark == Mark() || reading.mark.Text().value() == comment,
          "a mark that was read is written the same", comment);
  // Whatever is appended to a mark makes it somebody else's.
  const std::string marked = ours.New(100, "0011223344556677").ShortText();
  const std::string appended = marked + std::string(comment);
  Require(comment.empty() || comment.starts_with(" details=1 ") ||
              ours.Read(appended).owner == Owner::kForeign,
          "an extended mark is foreign", appended);
  return 0;
}
