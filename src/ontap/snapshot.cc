// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/snapshot.h"

#include <algorithm>
#include <set>

#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kFields = "name,uuid,comment,create_time,owners,volume.name,volume.uuid";
constexpr const char* kDetails = ",size,expiry_time";
// Some hundred bytes each: far below what a document may weigh.
constexpr const char* kPageRecords = "4000";
// So many volume names still make a request line that every server takes.
constexpr std::size_t kVolumesPerRequest = 50;

std::string CollectionPath(const std::string& volume) {
  return "/api/storage/volumes/" + volume + "/snapshots";
}

std::string OnePath(const Uuid& volume, const Uuid& snapshot) {
  return CollectionPath(volume.Text()) + "/" + snapshot.Text();
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
  snapshot.size = fields.OptionalBytes("/size");
  if (fields.Has("/expiry_time")) snapshot.expiry_time = fields.OptionalTime("/expiry_time");
  return snapshot;
}

// Which fields, and the filter of names where not all are wanted.
struct Wanted {
  std::string fields = kFields;
  std::string names = {};
};

void AddWanted(ReadRequest& request, const Wanted& wanted) {
  request.query.Add("fields", wanted.fields);
  if (!wanted.names.empty()) request.query.Add("name", wanted.names);
}

// One listing per volume, for an array that does not take '*'.
std::vector<ReadRequest> ListingsByVolume(const std::vector<VolumeRef>& volumes,
                                          const Wanted& wanted) {
  std::vector<ReadRequest> requests;
  for (const VolumeRef& volume : volumes) {
    requests.push_back({.path = CollectionPath(volume.uuid.Text()),
                        .doing = "list the snapshots of volume " + Quoted(volume.name)});
    AddWanted(requests.back(), wanted);
  }
  return requests;
}

// '*' stands for all volumes (NetApp REST reference, volume snapshots, bulk operations).
std::vector<ReadRequest> BulkListings(const std::string& svm, const std::vector<VolumeRef>& volumes,
                                      const Wanted& wanted) {
  std::vector<ReadRequest> requests;
  for (std::size_t at = 0; at < volumes.size(); at += kVolumesPerRequest) {
    std::vector<std::string> names;
    const std::size_t end = std::min(at + kVolumesPerRequest, volumes.size());
    for (std::size_t i = at; i < end; ++i) names.push_back(volumes[i].name);
    requests.push_back(
        {.path = CollectionPath("*"),
         .doing = "list the snapshots of " + std::to_string(volumes.size()) + " volumes"});
    requests.back()
        .query.Add("svm.name", LiteralFilter(svm))
        .Add("volume.name", AnyOfFilter(names));
    AddWanted(requests.back(), wanted);
  }
  return requests;
}

// The same of all volumes whose names match, however many; of all that there are without a pattern.
std::vector<ReadRequest> BulkListing(const std::string& svm, const std::string& volume_pattern,
                                     const Wanted& wanted) {
  ReadRequest request{.path = CollectionPath("*"),
                      .doing = "list the snapshots of SVM " + Quoted(svm)};
  request.query.Add("svm.name", LiteralFilter(svm)).Add("max_records", kPageRecords);
  if (!volume_pattern.empty()) request.query.Add("volume.name", PatternFilter(volume_pattern));
  AddWanted(request, wanted);
  return {std::move(request)};
}

// By `bulk`, or else volume by volume where the array does not take that. Oldest first within a
// volume.
Result<std::vector<Snapshot>> ReadSnapshots(RestClient& rest, std::vector<ReadRequest> bulk,
                                            const std::vector<VolumeRef>& volumes,
                                            const Wanted& wanted, const Deadline& deadline) {
  if (volumes.empty()) return std::vector<Snapshot>();
  // The bulk form asks by name, the single form by UUID: for one volume the safer costs the same.
  const bool is_bulk = volumes.size() > 1;
  auto requests = is_bulk ? std::move(bulk) : ListingsByVolume(volumes, wanted);
  auto lists = rest.ListEach(requests, deadline);
  if (!lists.ok() && is_bulk && lists.error().origin().refusal == Refusal::kBulkRefused) {
    requests = ListingsByVolume(volumes, wanted);
    lists = rest.ListEach(requests, deadline);
  }
  if (!lists.ok()) return std::move(lists).error();

  std::vector<Snapshot> all;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    TRY(auto snapshots, ParseRecords((*lists)[i], requests[i].Name(), ParseSnapshot));
    std::move(snapshots.begin(), snapshots.end(), std::back_inserter(all));
  }
  // The answer to the single form may leave out what its path says.
  if (volumes.size() == 1) {
    for (Snapshot& snapshot : all) {
      snapshot.volume_uuid = volumes.front().uuid;
      snapshot.volume_name = volumes.front().name;
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Snapshot& a, const Snapshot& b) {
    return std::tie(a.volume_name, a.create_time) < std::tie(b.volume_name, b.create_time);
  });
  return all;
}

void KeepThose(const std::vector<VolumeRef>& volumes, std::vector<Snapshot>& snapshots) {
  std::set<Uuid> wanted;
  for (const VolumeRef& volume : volumes) wanted.insert(volume.uuid);
  std::erase_if(snapshots, [&](const Snapshot& s) { return !wanted.contains(s.volume_uuid); });
}

}  // namespace

Result<std::vector<Snapshot>> Snapshots::List(const std::vector<VolumeRef>& volumes,
                                              const Deadline& deadline) {
  const Wanted wanted;
  TRY(auto snapshots,
      ReadSnapshots(*rest_, BulkListings(svm_, volumes, wanted), volumes, wanted, deadline));
  KeepThose(volumes, snapshots);
  return snapshots;
}

Result<std::vector<Snapshot>> Snapshots::ListDetailed(const std::vector<VolumeRef>& volumes,
                                                      const std::string& volume_pattern,
                                                      const Deadline& deadline) {
  const Wanted wanted{.fields = std::string(kFields) + kDetails};
  TRY(auto snapshots,
      ReadSnapshots(*rest_, BulkListing(svm_, volume_pattern, wanted), volumes, wanted, deadline));
  KeepThose(volumes, snapshots);
  return snapshots;
}

Result<std::vector<Snapshot>> Snapshots::FindByName(const std::vector<VolumeRef>& volumes,
                                                    const std::string& name,
                                                    const Deadline& deadline) {
  const Wanted wanted{.names = LiteralFilter(name)};
  TRY(auto snapshots,
      ReadSnapshots(*rest_, BulkListings(svm_, volumes, wanted), volumes, wanted, deadline));
  std::erase_if(snapshots, [&](const Snapshot& s) { return s.name != name; });
  return snapshots;
}

Result<std::vector<Snapshot>> Snapshots::FindByPrefix(const std::vector<VolumeRef>& volumes,
                                                      const std::string& prefix,
                                                      const Deadline& deadline) {
  const Wanted wanted{.names = PatternFilter(prefix + "*")};
  TRY(auto snapshots,
      ReadSnapshots(*rest_, BulkListing(svm_, "", wanted), volumes, wanted, deadline));
  KeepThose(volumes, snapshots);
  std::erase_if(snapshots, [&](const Snapshot& s) { return !s.name.starts_with(prefix); });
  return snapshots;
}

Status Snapshots::Create(const Uuid& volume, const std::string& name, const std::string& comment,
                         const Deadline& deadline) {
  Json body{{"name", name}};
  if (!comment.empty()) body["comment"] = comment;
  return Apply(
      *rest_,
      ChangeRequest::Post(CollectionPath(volume.Text()), body,
                          "create snapshot " + Quoted(name) + " of volume " + volume.Text()),
      deadline);
}

Status Snapshots::Rename(const Uuid& volume, const Uuid& snapshot, const std::string& name,
                         const std::string& comment, const Deadline& deadline) {
  return Apply(
      *rest_,
      ChangeRequest::Patch(OnePath(volume, snapshot), {{"name", name}, {"comment", comment}},
                           "rename snapshot " + snapshot.Text() + " to " + Quoted(name)),
      deadline);
}

Status Snapshots::SetComment(const Uuid& volume, const Uuid& snapshot, const std::string& comment,
                             const Deadline& deadline) {
  return Apply(*rest_,
               ChangeRequest::Patch(OnePath(volume, snapshot), {{"comment", comment}},
                                    "set the comment of snapshot " + snapshot.Text()),
               deadline);
}

Status Snapshots::Delete(const Uuid& volume, const Uuid& snapshot, const Deadline& deadline) {
  return Remove(
      *rest_,
      ChangeRequest::Delete(OnePath(volume, snapshot),
                            "delete snapshot " + snapshot.Text() + " of volume " + volume.Text()),
      deadline);
}

}  // namespace ontapnvme::ontap
