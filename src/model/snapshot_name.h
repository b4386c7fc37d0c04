// SPDX-License-Identifier: AGPL-3.0-or-later
// The two names of a snapshot: what Proxmox calls it, and what it is called on the array. Two types,
// so that one is never sent, compared or shown where the other is meant.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme {

// As Proxmox names it: 1 to 100 letters, digits, '_', '.' and '-', not beginning with '.' or '-'.
class SnapshotName {
 public:
  // kInvalidArgument for anything else.
  static Result<SnapshotName> Parse(std::string_view text);
  // Also what a snapshot that Proxmox did not make is called where it is shown as a device: '~' and
  // the array's name. No snapshot has two names, and no two have one. Not for what makes, deletes or
  // goes back to snapshots.
  static Result<SnapshotName> ParseShown(std::string_view text);

  const std::string& Text() const { return text_; }
  auto operator<=>(const SnapshotName&) const = default;

 private:
  friend class ArraySnapshotName;
  explicit SnapshotName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// As it is called on the array, whoever made it: a snapshot of Proxmox's, one of a schedule, a
// template's base snapshot.
class ArraySnapshotName {
 public:
  explicit ArraySnapshotName(std::string text) : text_(std::move(text)) {}
  // Of a snapshot that Proxmox makes, or of another one that is shown.
  explicit ArraySnapshotName(const SnapshotName& name);

  const std::string& Text() const { return text_; }
  // Proxmox's name of it; nothing for a snapshot that Proxmox did not make. What the array says is
  // checked like an argument.
  std::optional<SnapshotName> OfProxmox() const;
  // What it is called where it is shown as a device; nothing for one that cannot be, since no link can
  // have such a name.
  std::optional<SnapshotName> AsShown() const;
  // As the array names those of its schedules: what the schedule's policy says, and the time.
  bool IsOfSchedule() const;
  // What an administrator of Proxmox calls it: its name there, or else that on the array.
  std::string Shown() const;
  auto operator<=>(const ArraySnapshotName&) const = default;

 private:
  std::string text_;
};

// The snapshot of a base image that linked clones are made from.
inline constexpr std::string_view kBaseSnapshot = "pve_base";
// What the array's names of snapshots begin with that full clones are made from; the operation's id
// follows. They go when the clones have been split.
inline constexpr std::string_view kCloneSnapshotStem = "pve_clone_";

}  // namespace ontapnvme
