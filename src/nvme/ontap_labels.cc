// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/ontap_labels.h"

#include <algorithm>
#include <string_view>

namespace ontapnvme::nvme {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kEchoOffset = 16;  // low nibble: which information this is
constexpr std::uint8_t kNamespaceInformation = 1;
constexpr std::size_t kFirstElement = 32;
constexpr std::size_t kElementHeader = 4;  // type, unused, length (u16 little-endian)
constexpr std::size_t kLengthUnit = 4;     // the length counts units of four bytes
constexpr std::size_t kNameBytesMax = 259;

enum ElementType : std::uint8_t {
  kSvmName = 0x11,
  kVolumeName = 0x12,
  kBaseName = 0x13,
  kFullPath = 0x14,  // newer releases only
};

constexpr std::size_t kDescriptorHeader = 4;  // type, length, 2 reserved bytes
constexpr std::uint8_t kNguidType = 2;
constexpr std::uint8_t kUuidType = 3;

// Names are not terminated: they end at the first byte that no ONTAP name can hold.
std::string NameIn(Bytes data) {
  std::string name;
  for (const std::uint8_t byte : data.first(std::min(data.size(), kNameBytesMax))) {
    if (byte < '!' || byte > '~') break;
    name += static_cast<char>(byte);
  }
  return name;
}

struct Elements {
  std::string svm, volume, base, path;
};

std::optional<Elements> ReadElements(Bytes rest) {
  Elements names;
  while (rest.size() >= kElementHeader) {
    const std::uint8_t type = rest[0];
    const std::size_t units = rest[2] | (static_cast<std::size_t>(rest[3]) << 8U);
    if (type == 0 && units == 0) break;  // padding behind the last element
    rest = rest.subspan(kElementHeader);
    if (units * kLengthUnit > rest.size()) return std::nullopt;
    const Bytes data = rest.first(units * kLengthUnit);
    rest = rest.subspan(data.size());
    if (type == kSvmName) names.svm = NameIn(data);
    if (type == kVolumeName) names.volume = NameIn(data);
    if (type == kBaseName) names.base = NameIn(data);
    if (type == kFullPath) names.path = NameIn(data);
  }
  return names;
}

}  // namespace

std::optional<OntapLabels> ParseOntapLabels(Bytes page) {
  if (page.size() < kFirstElement) return std::nullopt;
  if ((page[kEchoOffset] & 0x0FU) != kNamespaceInformation) return std::nullopt;
  auto names = ReadElements(page.subspan(kFirstElement));
  if (!names || names->svm.empty() || names->volume.empty()) return std::nullopt;
  if (names->path.empty()) {
    if (names->base.empty()) return std::nullopt;
    names->path = "/vol/" + names->volume + "/" + names->base;
  }
  return OntapLabels{names->svm, names->volume, names->path};
}

std::optional<Uuid> ParseNamespaceDescriptors(Bytes list) {
  std::optional<Uuid> nguid;
  while (list.size() >= kDescriptorHeader) {
    const std::uint8_t type = list[0];
    const std::size_t length = list[1];
    list = list.subspan(kDescriptorHeader);
    if (length == 0 || length > list.size()) break;
    const Bytes data = list.first(length);
    list = list.subspan(length);
    std::array<std::uint8_t, 16> bytes{};
    if (length != bytes.size()) continue;
    std::copy(data.begin(), data.end(), bytes.begin());
    if (type == kUuidType && !Uuid(bytes).IsNil()) return Uuid(bytes);
    if (type == kNguidType && !Uuid(bytes).IsNil()) nguid = Uuid(bytes);
  }
  return nguid;
}

std::string ParseModel(Bytes identify) {
  constexpr std::size_t kModelOffset = 24;
  constexpr std::size_t kModelBytes = 40;
  std::string model;
  if (identify.size() < kModelOffset + kModelBytes) return model;
  for (const std::uint8_t byte : identify.subspan(kModelOffset, kModelBytes)) {
    if (byte < ' ' || byte > '~') break;
    model += static_cast<char>(byte);
  }
  while (!model.empty() && model.back() == ' ') model.pop_back();
  return model;
}

bool IsOntapModel(std::string_view model) {
  return model.starts_with("NetApp ONTAP Controller");
}

}  // namespace ontapnvme::nvme
