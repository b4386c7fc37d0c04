// SPDX-License-Identifier: AGPL-3.0-or-later
// The probes of consistency groups.
#include <algorithm>

#include "contract/behaviour.h"
#include "contract/behaviour_parts.h"

namespace ontapnvme::contract {

using nlohmann::json;

std::string BehaviourFixture::DeletedVolumeInGroup() {
  MakeVolume("a");
  const Uuid leaving = MakeVolume("b");
  const Uuid group = MakeGroup("g", {Name("a"), Name("b")});
  const Status gone = volumes_->Delete(leaving, true, Budget());
  if (!gone.ok()) return Unclear(gone.error().Line());
  const auto found = groups_->List(Name("g"), Budget());
  if (!found.ok() || found->size() != 1 || found->front().uuid != group) return Unclear("no group");
  return found->front().members.size() == 1 ? "leaves" : "stays";
}

std::string BehaviourFixture::EmptyGroups() {
  MakeVolume("a");
  const Uuid group = MakeGroup("g", {Name("a")});
  const Status left = groups_->RemoveMembers(group, {Name("a")}, Budget());
  if (!left.ok()) return Unclear(left.error().Line());
  const auto found = groups_->List(Name("g"), Budget());
  if (!found.ok()) return Unclear(found.error().Line());
  return found->empty() ? "vanish" : "stay";
}

std::string BehaviourFixture::GroupChangeWithNvme() {
  MakeDisk("a");
  MakeDisk("b");
  const Uuid group = MakeGroup("g", {Name("a")});
  const Status added = Patch(std::string(kGroups) + "/" + group.Text(),
                             {{"volumes", MembersOf({Name("b")}, "add")}});
  if (added.ok()) return "take";
  return added.error().code() == ErrorCode::kUnsupported ? "refuse" : "refuse_oddly";
}

std::string BehaviourFixture::GroupCreateAbove16() {
  std::vector<std::string> names;
  for (int i = 0; i < 17; ++i) {
    MakeVolume("m" + std::to_string(i));
    names.push_back(Name("m" + std::to_string(i)));
  }
  return TakenOrRefused(Post(kGroups, {{"svm", {{"name", address_.svm}}},
                                       {"name", Name("g")},
                                       {"volumes", MembersOf(names, "add")}}));
}

std::string BehaviourFixture::GroupNameMax() {
  MakeVolume("a");
  std::string name = Name("g");
  name.resize(std::max<std::size_t>(name.size(), 31), 'g');
  const Status made = Post(kGroups, {{"svm", {{"name", address_.svm}}},
                                     {"name", name},
                                     {"volumes", MembersOf({Name("a")}, "add")}});
  return made.ok() ? "255" : "30";
}

std::string BehaviourFixture::GroupPolicyUnsaid() {
  MakeVolume("a");
  const Status made = Post(kGroups, {{"svm", {{"name", address_.svm}}},
                                     {"name", Name("g")},
                                     {"volumes", MembersOf({Name("a")}, "add")}});
  if (!made.ok()) return Unclear(made.error().Line());
  const auto found = groups_->List(Name("g"), Budget());
  if (!found.ok() || found->empty()) return Unclear("no group");
  const auto group =
      Read(std::string(kGroups) + "/" + found->front().uuid.Text(), "snapshot_policy.name");
  if (!group.ok()) return Unclear(group.error().Line());
  const std::string policy = group->value(json::json_pointer("/snapshot_policy/name"), "none");
  return policy == "none" ? "none" : "default";
}

std::string BehaviourFixture::GroupSnapshotDelete() {
  const Uuid volume = MakeVolume("a");
  const Uuid group = MakeGroup("g", {Name("a")});
  const Status made = groups_->CreateSnapshot(group, "s", "", Budget());
  if (!made.ok()) return Unclear(made.error().Line());
  const auto snapshot = groups_->FindSnapshot(group, "s", Budget());
  if (!snapshot.ok() || !*snapshot) return Unclear("no snapshot");
  const Status gone = groups_->DeleteSnapshot(group, (*snapshot)->uuid, Budget());
  if (!gone.ok()) return Unclear(gone.error().Line());
  const auto left = snapshots_->List({{volume, Name("a")}}, Budget());
  if (!left.ok()) return Unclear(left.error().Line());
  return left->empty() ? "members_too" : "group_only";
}

std::string BehaviourFixture::GroupSnapshotRename() {
  const Uuid volume = MakeVolume("a");
  const Uuid group = MakeGroup("g", {Name("a")});
  const Status made = groups_->CreateSnapshot(group, "s", "", Budget());
  if (!made.ok()) return Unclear(made.error().Line());
  const auto snapshot = groups_->FindSnapshot(group, "s", Budget());
  if (!snapshot.ok() || !*snapshot) return Unclear("no snapshot");
  if (!groups_->RenameSnapshot(group, (*snapshot)->uuid, "t", Budget()).ok()) return "refuse";
  const auto now = groups_->FindSnapshot(group, "t", Budget());
  if (!now.ok() || !*now) return Unclear("it has the name that it had");
  const auto of_member = snapshots_->FindByName({{volume, Name("a")}}, "t", Budget());
  if (!of_member.ok()) return Unclear(of_member.error().Line());
  return of_member->empty() ? "group_only" : "members_too";
}

}  // namespace ontapnvme::contract
