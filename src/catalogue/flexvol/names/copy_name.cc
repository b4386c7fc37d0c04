// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/names/copy_name.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/wall_time.h"
#include "model/mark.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::string_view kPrefix = "rollback-";
constexpr std::size_t kOwnerDigits = 8;
constexpr std::size_t kOperationDigits = 16;
constexpr std::size_t kTimeDigits = 8;

// So many hexadecimal digits and a '-' at the beginning, which are taken off.
std::optional<std::string> TakeDigits(std::string_view& text, std::size_t count) {
  const auto digits = text.substr(0, count);
  const bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (text.size() <= count || text[count] != '-' || !is_hex) return std::nullopt;
  text.remove_prefix(count + 1);
  return std::string(digits);
}

}  // namespace

std::string CopyName::NewOperationId(Clock& clock) {
  std::array<char, kTimeDigits + 1> seconds{};
  (void)std::snprintf(seconds.data(), seconds.size(), "%08x",
                      static_cast<unsigned>(WallSeconds(clock)));
  return seconds.data() + ontapnvme::NewOperationId().substr(0, kOperationDigits - kTimeDigits);
}

std::chrono::system_clock::time_point CopyName::MadeAt() const {
  unsigned seconds = 0;
  std::from_chars(operation_id.data(), operation_id.data() + kTimeDigits, seconds, 16);
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

std::string CopyName::Text() const {
  return std::string(kPrefix) + owner + "-" + operation_id + "-" + snapshot;
}

std::optional<CopyName> CopyName::Parse(std::string_view base_name) {
  if (!base_name.starts_with(kPrefix)) return std::nullopt;
  base_name.remove_prefix(kPrefix.size());
  auto owner = TakeDigits(base_name, kOwnerDigits);
  if (!owner) return std::nullopt;
  auto operation_id = TakeDigits(base_name, kOperationDigits);
  if (!operation_id || base_name.empty()) return std::nullopt;
  return CopyName{.owner = std::move(*owner),
                  .operation_id = std::move(*operation_id),
                  .snapshot = std::string(base_name)};
}

}  // namespace ontapnvme::catalogue::flexvol
