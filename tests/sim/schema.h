// SPDX-License-Identifier: AGPL-3.0-or-later
// The fields of each REST model: what they are, who may set them, and since when they exist. One
// text table per model (models_*.cc) holds the facts; this reads it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "release.h"

namespace ontapnvme::sim {

enum class FieldType { kText, kInteger, kBoolean, kNumber, kTexts, kIntegers, kRecords };

struct Field {
  std::string path;  // dotted; lists of objects add no level
  FieldType type = FieldType::kText;
  bool is_key = false;
  bool is_read_only = false;
  bool is_creatable = false;
  bool is_patchable = false;
  bool is_nullable = false;
  bool is_write_only = false;
  bool is_expensive = false;
  int since = 0;                    // N of 9.N.1
  std::vector<std::string> values;  // of an enumeration; empty: any
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::optional<std::size_t> length_minimum;
  std::optional<std::size_t> length_maximum;
};

class Model {
 public:
  // One field a line: `path type flags [since=N] [enum=a|b] [range=lo..hi] [len=lo..hi]`.
  // Types: str int bool num str[] int[] list. Flags: k key, r read-only, c create, p patch,
  // w write-only, x expensive, n may be null. A malformed table throws std::invalid_argument.
  Model(std::string name, std::string_view table);

  const std::string& name() const { return name_; }
  const std::map<std::string, Field>& fields() const { return fields_; }
  // The field in that release; null for an unknown one and for one that came later.
  const Field* Find(const std::string& path, const Release& release) const;
  // Whether the path names an object or list that has at least one field in that release.
  bool IsParent(const std::string& path, const Release& release) const;

 private:
  std::string name_;
  std::map<std::string, Field> fields_;
};

// Each model is parsed once, on first use.
namespace models {
const Model& Volume();
const Model& Snapshot();
const Model& NvmeNamespace();
const Model& Lun();
const Model& NvmeSubsystem();
const Model& NvmeSubsystemHost();
const Model& NvmeSubsystemMap();
const Model& NvmeSubsystemController();
const Model& NvmeService();
const Model& NvmeInterface();
const Model& IpInterface();
const Model& Svm();
const Model& Aggregate();
const Model& Cluster();
const Model& MultiAdminVerify();
const Model& MultiAdminRule();
const Model& Job();
const Model& QosPolicy();
const Model& SnapshotPolicy();
const Model& ConsistencyGroup();
const Model& ConsistencyGroupSnapshot();
const Model& RecoveryQueueEntry();
}  // namespace models

}  // namespace ontapnvme::sim
