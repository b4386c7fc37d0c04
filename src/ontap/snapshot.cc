// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/snapshot.h"

#include <algorithm>
#include <set>

#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kFields = "name,uuid,comment,create_time,owners,volume.name,volume.uuid";
// So many volume names still make a request line that every server takes.
constexpr std::size_t kVolumesPerRequest = 50;

std::string CollectionPath(const std::string& volume) {
  return "/api/storage/volumes/" + volume + "/snapshots";
}

Snapshot ParseSnapshot(FieldReader& fields) {
  Snapshot snapshot;
  snapshot.uuid = fields.RequireUuid("/uuid");
  snapshot.name = fields.RequireText("/name");
  snapshot.comment = fields.OptionalText("/comment");
  snapshot.volume_name = fields.OptionalText("/volume/name");
  snapshot.volume_uuid = fields.OptionalUuid("/volume/uuid").value_or(Uuid());
  snapshot.create_time = fields.OptionalTime("/create_time");
  snapshot.owners = fields.OptionalTexts("/owners");
  return snapshot;
}

Result<std::vector<Snapshot>> ParseSnapshots(const std::vector<Json>& records) {
  return ParseRecords(records, "GET /api/storage/volumes/*/snapshots", ParseSnapshot);
}

// One listing per volume, for an array that does not take '*'.
std::vector<ReadRequest> ListingsByVolume(const std::vector<VolumeRef>& volumes,
                                          const std::string& name) {
  std::vector<ReadRequest> requests;
  for (const VolumeRef& volume : volumes) {
    ReadRequest request;
    request.path = CollectionPath(volume.uuid.Text());
    request.query.Add("fields", kFields);
    if (!name.empty()) request.query.Add("name", LiteralFilter(name));
    request.doing = "list the snapshots of volume '" + CleanText(volume.name) + "'";
    requests.push_back(std::move(request));
  }
  return requests;
}

// '*' stands for all volumes (NetApp REST reference, volume snapshots, bulk operations).
std::vector<ReadRequest> BulkListings(const std::string& svm, const std::vector<VolumeRef>& volumes,
                                      const std::string& name) {
  std::vector<ReadRequest> requests;
  for (std::size_t at = 0; at < volumes.size(); at += kVolumesPerRequest) {
    std::vector<std::string> names;
    const std::size_t end = std::min(at + kVolumesPerRequest, volumes.size());
    for (std::size_t i = at; i < end; ++i) names.push_back(volumes[i].name);
    ReadRequest request;
    request.path = CollectionPath("*");
    request.query.Add("svm.name", LiteralFilter(svm))
        .Add("volume.name", AnyOfFilter(names))
        .Add("fields", kFields);
    if (!name.empty()) request.query.Add("name", LiteralFilter(name));
    request.doing = "list the snapshots of " + std::to_string(volumes.size()) + " volumes";
    requests.push_back(std::move(request));
  }
  return requests;
}

Result<std::vector<Snapshot>> ReadSnapshots(RestClient& rest, const std::string& svm,
                                            const std::vector<VolumeRef>& volumes,
                                            const std::string& name, const Deadline& deadline) {
  if (volumes.empty()) return std::vector<Snapshot>();
  // The bulk form asks by name, the single form by UUID: for one volume the safer costs the same.
  const bool is_bulk = volumes.size() > 1;
  auto lists = rest.ListEach(
      is_bulk ? BulkListings(svm, volumes, name) : ListingsByVolume(volumes, name), deadline);
  if (!lists.ok() && is_bulk && IsBulkRefused(lists.error())) {
    lists = rest.ListEach(ListingsByVolume(volumes, name), deadline);
  }
  if (!lists.ok()) return std::move(lists).error();

  std::vector<Snapshot> all;
  for (const auto& records : *lists) {
    TRY(auto snapshots, ParseSnapshots(records));
    std::move(snapshots.begin(), snapshots.end(), std::back_inserter(all));
  }
  // The answer to the single form may leave out what its path says.
  if (volumes.size() == 1) {
    for (Snapshot& snapshot : all) {
      snapshot.volume_uuid = volumes.front().uuid;
      snapshot.volume_name = volumes.front().name;
    }
  }
  std::set<Uuid> wanted;
  for (const VolumeRef& volume : volumes) wanted.insert(volume.uuid);
  std::erase_if(all, [&](const Snapshot& s) { return !wanted.contains(s.volume_uuid); });
  std::stable_sort(all.begin(), all.end(), [](const Snapshot& a, const Snapshot& b) {
    return std::tie(a.volume_name, a.create_time) < std::tie(b.volume_name, b.create_time);
  });
  return all;
}

}  // namespace

Result<std::vector<Snapshot>> Snapshots::List(const std::vector<VolumeRef>& volumes,
                                              const Deadline& deadline) {
  return ReadSnapshots(*rest_, svm_, volumes, "", deadline);
}

Result<std::vector<Snapshot>> Snapshots::FindByName(const std::vector<VolumeRef>& volumes,
                                                    const std::string& name,
                                                    const Deadline& deadline) {
  TRY(auto snapshots, ReadSnapshots(*rest_, svm_, volumes, name, deadline));
  std::erase_if(snapshots, [&](const Snapshot& s) { return s.name != name; });
  return snapshots;
}

Status Snapshots::Create(const Uuid& volume, const std::string& name, const std::string& comment,
                         const Deadline& deadline) {
  Json body{{"name", name}};
  if (!comment.empty()) body["comment"] = comment;
  ChangeRequest request;
  request.path = CollectionPath(volume.Text());
  request.body = BodyText(body);
  request.doing = "create snapshot '" + CleanText(name) + "' of volume " + volume.Text();
  const auto created = rest_->Change(std::move(request), deadline);
  return created.ok() ? Status() : Status(created.error());
}

Status Snapshots::Delete(const Uuid& volume, const Uuid& snapshot, const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = CollectionPath(volume.Text()) + "/" + snapshot.Text();
  request.doing = "delete snapshot " + snapshot.Text() + " of volume " + volume.Text();
  request.is_idempotent = true;
  const auto deleted = rest_->Change(std::move(request), deadline);
  if (deleted.ok() || IsGone(deleted.error())) return {};
  return deleted.error();
}

}  // namespace ontapnvme::ontap
