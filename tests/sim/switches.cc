// SPDX-License-Identifier: AGPL-3.0-or-later
#include "switches.h"

#include <algorithm>
#include <stdexcept>

namespace ontapnvme::sim {

const std::vector<SwitchRow>& SwitchRows() {
  static const std::vector<SwitchRow> kRows = {
      {"attack_probability",
       {"told", "left_out"},
       "told",
       "documented for volume records; no client was seen to read it of one that holds a namespace"},
      {"autosize_with_size",
       {"take", "refuse"},
       "refuse",
       "clients send size and autosize maximum in two requests; nobody says what one would do"},
      {"bulk_snapshots",
       {"take", "refuse"},
       "take",
       "documented ('*' in place of a UUID in the path of snapshots), used by no client"},
      {"clone_comment",
       {"empty", "of_source"},
       "empty",
       "whether a namespace that is cloned within its volume has its source's comment: nobody says"},
      {"clone_create",
       {"take", "refuse_qos", "minimal"},
       "minimal",
       "what clients send: svm, name, clone, comment; one says that a QoS policy is refused; the "
       "command line's clone has no snapshot policy; nobody sends the rest"},
      {"clone_from_snapshot",
       {"take", "refuse", "hide"},
       "take",
       "NetApp's reference: clone.source.name may lie in .snapshot; no client was seen to do it, and "
       "a volume may hide its .snapshot"},
      {"clone_online_ms",
       {"0", "3000"},
       "0",
       "a client waits until a clone is online, another finds it so at once"},
      {"clone_space",
       {"shared", "counted"},
       "shared",
       "documented: clones within a volume share its blocks; a thin namespace needs room for its whole "
       "size all the same when it is made"},
      {"connection_list_lag_s",
       {"0", "300"},
       "0",
       "how soon a host that connects, or is gone, shows in the list of controllers is not stated"},
      {"date_header",
       {"sent", "left_out"},
       "sent",
       "HTTP asks every server with a clock for it (RFC 9110, 6.6.1); NetApp's documentation of the answers "
       "has the headers Location and Content-Type only"},
      {"delete_mapped",
       {"take", "refuse"},
       "refuse",
       "clients unmap first; nobody says what happens to a volume with a mapped namespace"},
      {"deleted_volume_in_group",
       {"leaves", "stays"},
       "leaves",
       "NetApp's documentation: it leaves its group; a client on 9.17.1 takes it out first, because "
       "the group kept it; the documented one, since only that is had for the request budgets"},
      {"denied_code", {"6", "6691623"}, "6", "both are in NetApp's reference, with 403"},
      {"empty_groups",
       {"vanish", "stay"},
       "stay",
       "NetApp's documentation: the last member takes the group along; a client on 9.17.1 finds "
       "groups without members, which keep their snapshots and cannot be deleted before those"},
      {"fractional_reserve_create",
       {"take", "refuse"},
       "refuse",
       "NetApp's library lists it as settable at creation; no client sends it"},
      {"group_at_add",
       {"there", "gone"},
       "there",
       "whoever removes the last member, or the group, may be faster than who adds one"},
      {"group_change_with_nvme",
       {"take", "refuse", "refuse_oddly"},
       "take",
       "NetApp's documentation: refused with NVMe on 9.17.1; a client does it on 9.17.1 every day; "
       "with which code it would be refused, nobody says"},
      {"group_create_above_16",
       {"take", "refuse"},
       "take",
       "NetApp's CSI driver creates with all; NetApp's documentation has 16 for one change of a group"},
      {"group_name_max",
       {"255", "30"},
       "30",
       "NetApp's CSI driver cuts names to 30 characters; the REST reference has no limit"},
      {"group_policy_unsaid",
       {"none", "default"},
       "default",
       "what a new group gets when no snapshot policy is named is not stated; a client always names "
       "one, for fear of the SVM's default"},
      {"group_snapshot_delete",
       {"members_too", "group_only"},
       "members_too",
       "whether the members' snapshots go with the group's is implied by the reference, not stated"},
      {"group_snapshot_rename",
       {"members_too", "group_only", "refuse"},
       "refuse",
       "NetApp's library lists the name as patchable, its reference has the PATCH only for the second "
       "phase of a snapshot; no client renames one"},
      {"held_snapshot_code",
       {"1638543", "1638555"},
       "1638543",
       "a snapshot with a clone: the REST reference has the one, a client meets the other"},
      {"job_answers",
       {"in_time", "later"},
       "in_time",
       "documented: with return_timeout 200 or 201 when the job ended in time, 202 when it did not"},
      {"job_reads",
       {"take", "denied"},
       "take",
       "seen: a custom role of an SVM without the path of jobs gets 403, vsadmin reads its own jobs"},
      {"job_records",
       {"show", "hide"},
       "hide",
       "clients read the record of a job's object themselves; return_records is for the others"},
      {"late_by_uuid",
       {"no", "yes"},
       "no",
       "whether what is not listed yet (late_listing_ms) is not found by its UUID either: unknown"},
      {"late_listing_ms",
       {"0", "2000", "8000"},
       "0",
       "clients wait up to 60 s for a new volume and 30 s for a new namespace, on a busy array"},
      {"locked_snapshot_rename",
       {"take", "expires", "refuse"},
       "take",
       "documented: a locked snapshot cannot be deleted; whether it can be renamed, and whether the "
       "protection that took it deletes it all the same when it expires, nobody says"},
      {"lun_comment",
       {"lost", "kept"},
       "lost",
       "documented: a LUN becomes a namespace in place; whether its comment goes along, nobody says"},
      {"move_s",
       {"0", "600"},
       "600",
       "documented: a volume moves in the background, as long as its blocks take to copy"},
      {"namespace_minimum",
       {"4096", "20971520"},
       "4096",
       "the REST reference says 4096; a client takes 20 MiB for ONTAP's minimum"},
      {"namespace_overwrite",
       {"take", "refuse_mapped", "refuse"},
       "take",
       "NetApp's reference since 9.6: PATCH with clone.source overwrites a namespace and keeps its "
       "UUID and map; used by no client that was read, and of connected hosts it says nothing"},
      {"namespace_rounding",
       {"round_up", "refuse"},
       "refuse",
       "sizes that are no multiple of the block: nobody says"},
      {"offline_volume",
       {"whole", "bare"},
       "whole",
       "whether a volume that is offline shows its comment, and whether the namespaces in it are listed: "
       "nobody says"},
      {"overwrite_comment",
       {"kept", "of_source"},
       "of_source",
       "NetApp's reference names what an overwritten namespace keeps (UUID, map, auto_delete), and not "
       "its comment"},
      {"pages",
       {"full", "short", "empty_first"},
       "full",
       "documented: a page ends with return_timeout, so that short pages with a next link are normal "
       "on an array that is slow"},
      {"qos_removal",
       {"none", "empty", "empty_others_ignored", "null", "null_others_ignored"},
       "none",
       "the command line takes the name none; no client takes a policy away"},
      {"queue_fields",
       {"times", "names"},
       "times",
       "the command line shows when a volume was deleted and how long it stays; what the private CLI "
       "calls these fields is not documented"},
      {"queued_clones_hold_parent",
       {"no", "yes"},
       "yes",
       "seen on 9.17.1: a clone in the recovery queue still pins its parent"},
      {"ransomware_locks",
       {"none", "delete_allowed", "delete_refused"},
       "delete_allowed",
       "NetApp's documentation: from 9.18.1 on by default, its snapshots are locked for 12 hours; "
       "whether they keep their volume from being deleted is not said"},
      {"recovered_namespace",
       {"kept", "new_uuid"},
       "kept",
       "what a volume that is recovered from the queue holds: nobody says whether its namespaces are the "
       "same"},
      {"recovered_policy",
       {"none", "default"},
       "none",
       "NetApp's command reference: recovering does not restore snapshot schedules; which there are "
       "instead it does not say"},
      {"restore_identity",
       {"kept", "new_nsid", "new_uuid"},
       "kept",
       "nobody says what a restored namespace keeps"},
      {"restore_map",
       {"kept", "gone"},
       "kept",
       "nobody says; a namespace that comes back after its deletion is not mapped"},
      {"restore_mapped",
       {"take", "refuse", "refuse_400", "refuse_409"},
       "take",
       "a client restores without unmapping; NetApp's documentation does not say, nor with which code "
       "it would be refused"},
      {"restore_past_newer",
       {"take", "refuse"},
       "refuse",
       "NetApp's reference: from 9.19.1 on restore_to.snapshot.force says that newer snapshots may be "
       "lost"},
      {"role",
       {"full", "cluster_nine", "svm_seven"},
       "full",
       "plugins of this kind document roles of seven paths for an SVM and of nine for a cluster"},
      {"snapshot_count",
       {"told", "left_out"},
       "told",
       "in NetApp's library as a field of volumes that can be asked for; no client was seen to ask"},
      {"snapshot_while_split",
       {"take", "refuse"},
       "refuse",
       "NetApp's documentation: no snapshot of a clone while it is split; with which code, it does not "
       "say"},
      {"split_s",
       {"0", "600"},
       "600",
       "documented: a clone is split in the background, as long as its blocks take to copy"},
      {"split_snapshots",
       {"kept", "gone"},
       "gone",
       "NetApp's documentation: the snapshots of a clone go when it is split"},
      {"svm_account_aggregates",
       {"refused", "empty"},
       "refused",
       "NetApp's reference: aggregates are invisible to SVM accounts, in which way is not said"},
      {"svm_account_fields",
       {"shown", "hidden"},
       "shown",
       "which fields of an SVM and of a LIF an SVM account is not shown is not documented"},
      {"volume_busy_s",
       {"0", "5", "20"},
       "0",
       "a client repeats a DELETE that is refused with 524486 for 60 s"},
      {"volume_location",
       {"uuid", "name"},
       "uuid",
       "an example of the REST reference, and a client, have /api/storage/volumes/?name=NAME"},
      {"volume_size_limit",
       {"none", "large", "100TiB"},
       "large",
       "documented: 100, 300 or 600 TB by platform, the larger ones for volumes that are made so"},
  };
  return kRows;
}

const SwitchRow* FindSwitchRow(std::string_view name) {
  const auto& rows = SwitchRows();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const SwitchRow& one) { return one.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

const std::string& Switches::At(std::string_view name) const {
  if (const auto moved = moved_.find(name); moved != moved_.end()) return moved->second;
  const SwitchRow* row = FindSwitchRow(name);
  if (row == nullptr) throw std::logic_error("no switch '" + std::string(name) + "'");
  return row->initial;
}

bool Switches::Is(std::string_view name, std::string_view position) const {
  const std::string& current = At(name);
  const auto& positions = FindSwitchRow(name)->positions;
  if (std::find(positions.begin(), positions.end(), position) == positions.end()) {
    throw std::logic_error("switch '" + std::string(name) + "' has no position '" +
                           std::string(position) + "'");
  }
  return current == position;
}

long Switches::Number(std::string_view name) const {
  return std::stol(At(name));
}

void Switches::Set(std::string_view name, const std::string& position) {
  const SwitchRow* row = FindSwitchRow(name);
  if (row == nullptr) throw std::invalid_argument("no switch '" + std::string(name) + "'");
  if (std::find(row->positions.begin(), row->positions.end(), position) == row->positions.end()) {
    throw std::invalid_argument("switch '" + row->name + "' has no position '" + position + "'");
  }
  moved_[row->name] = position;
}

}  // namespace ontapnvme::sim
