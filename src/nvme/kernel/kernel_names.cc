// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/kernel_names.h"

#include <algorithm>
#include <charconv>

namespace ontapnvme::nvme {
namespace {

bool TakeText(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

std::optional<unsigned> TakeNumber(std::string_view& rest) {
  unsigned number = 0;
  const auto [stop, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (failure != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  return number;
}

}  // namespace

std::optional<HeadName> ParseHeadName(std::string_view name) {
  if (!TakeText(name, "nvme")) return std::nullopt;
  const auto subsystem = TakeNumber(name);
  if (!subsystem || !TakeText(name, "n")) return std::nullopt;
  const auto head = TakeNumber(name);
  if (!head || !name.empty()) return std::nullopt;
  return HeadName{*subsystem, *head};
}

std::optional<unsigned> ParseControllerName(std::string_view name) {
  if (!TakeText(name, "nvme")) return std::nullopt;
  const auto number = TakeNumber(name);
  return name.empty() ? number : std::nullopt;
}

std::string PathName(const HeadName& head, unsigned controller) {
  return "nvme" + std::to_string(head.subsystem) + "c" + std::to_string(controller) + "n" +
         std::to_string(head.head);
}

bool IsPartitionOf(std::string_view name, std::string_view disk) {
  if (!TakeText(name, disk) || !TakeText(name, "p") || name.empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace ontapnvme::nvme
